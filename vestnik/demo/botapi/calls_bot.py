"""Methods about the bot itself: who it is, its commands and texts, its webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from .engine import ChatEvent, Engine
from .errors import bad_request
from .updates import Webhook
from .world import ADMIN_RIGHTS, JSON

Values = Mapping[str, Any]

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"([a-z]{2})?")
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_COMMAND_LIMIT = 100
#: field -> longest text.
_TEXTS = {"name": 64, "description": 512, "short_description": 120}


def get_me(engine: Engine, _values: Values) -> JSON:
    """``getMe``."""
    return engine.bot.to_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": engine.sees_all_group_messages,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
    }


def set_my_commands(engine: Engine, values: Values) -> bool:
    """``setMyCommands``, per scope and two-letter language."""
    commands = values.get("commands") or []
    if len(commands) > _COMMAND_LIMIT:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    clean = [{**command, "command": command["command"].removeprefix("/")} for command in commands]
    engine.commands[_commands_key(values)] = clean
    engine.tell(ChatEvent(kind="bot", chat_id=0))
    return True


def delete_my_commands(engine: Engine, values: Values) -> bool:
    """``deleteMyCommands``."""
    engine.commands.pop(_commands_key(values), None)
    return True


def get_my_commands(engine: Engine, values: Values) -> list[JSON]:
    """``getMyCommands``: exactly this scope and language."""
    return engine.commands.get(_commands_key(values), [])


def _commands_key(values: Values) -> tuple[str, str]:
    scope = values.get("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), _language(values)


def _language(values: Values) -> str:
    language = str(values.get("language_code", ""))
    if not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return language


def commands_for(engine: Engine, chat_id: int, language: str) -> list[JSON]:
    """What a person's command menu shows in a private chat: the narrowest scope that has any."""
    scopes: list[JSON] = [
        {"type": "chat", "chat_id": chat_id},
        {"type": "all_private_chats"},
        {"type": "default"},
    ]
    for scope in scopes:
        for code in (language[:2], ""):
            found = engine.commands.get((json.dumps(scope, sort_keys=True), code))
            if found:
                return found
    return []


def _set_text(field: str, engine: Engine, values: Values) -> bool:
    text = str(values.get(field, ""))
    if len(text) > _TEXTS[field]:
        raise bad_request(f"{field.upper()}_TOO_LONG")
    engine.texts[field, _language(values)] = text
    engine.tell(ChatEvent(kind="bot", chat_id=0))
    return True


def _get_text(field: str, engine: Engine, values: Values) -> JSON:
    return {field: text_for(engine, field, _language(values))}


def text_for(engine: Engine, field: str, language: str) -> str:
    """The bot's name, description or short description for a two-letter language."""
    default = engine.texts.get((field, ""), engine.bot.first_name if field == "name" else "")
    return engine.texts.get((field, language)) or default


def set_chat_menu_button(engine: Engine, values: Values) -> bool:
    """``setChatMenuButton``."""
    engine.menu_buttons[values.get("chat_id", 0)] = values.get("menu_button") or {"type": "default"}
    return True


def get_chat_menu_button(engine: Engine, values: Values) -> JSON:
    """``getChatMenuButton``."""
    return engine.menu_buttons.get(values.get("chat_id", 0)) or {"type": "default"}


def set_webhook(engine: Engine, values: Values) -> bool:
    """``setWebhook``; plain http is taken for loopback only, as there is no outside here."""
    url = str(values.get("url", ""))
    parts = urlsplit(url)
    if url and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not _SECRET.fullmatch(str(values.get("secret_token", ""))):
        raise bad_request("secret token contains unallowed characters")
    if not 1 <= values.get("max_connections", 40) <= 100:
        raise bad_request("max_connections must be in 1..100")
    if values.get("drop_pending_updates"):
        engine.updates.clear()
    engine.updates.allow(values.get("allowed_updates"))
    engine.updates.webhook = Webhook(
        url=url,
        secret_token=str(values.get("secret_token", "")),
        ip_address=str(values.get("ip_address", "")),
        max_connections=values.get("max_connections", 40),
    )
    return True


def delete_webhook(engine: Engine, values: Values) -> bool:
    """``deleteWebhook``."""
    if values.get("drop_pending_updates"):
        engine.updates.clear()
    engine.updates.webhook = Webhook()
    return True


def get_webhook_info(engine: Engine, _values: Values) -> JSON:
    """``getWebhookInfo``."""
    hook = engine.updates.webhook
    found: JSON = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(engine.updates),
    }
    if hook.url:
        found |= {"max_connections": hook.max_connections, "allowed_updates": sorted(engine.updates.allowed)}
    if hook.last_error:
        found |= {"last_error_date": hook.last_error_date, "last_error_message": hook.last_error}
    return found


def get_file(engine: Engine, values: Values) -> JSON:
    """``getFile``."""
    file_id = str(values.get("file_id", ""))
    if file_id not in engine.uploads:
        raise bad_request("invalid file_id")
    return {
        "file_id": file_id,
        "file_unique_id": file_id.removeprefix("file-"),
        "file_size": len(engine.uploads[file_id]),
        "file_path": f"files/{file_id}",
    }


def _yes(_engine: Engine, _values: Values) -> bool:
    return True


def _rights(_engine: Engine, _values: Values) -> JSON:
    return dict.fromkeys(("is_anonymous", *ADMIN_RIGHTS), False)


BOT_CALLS: Mapping[str, Callable[[Engine, Values], Any]] = {
    "getMe": get_me,
    "logOut": _yes,
    "close": _yes,
    "setMyCommands": set_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getMyCommands": get_my_commands,
    "setMyName": partial(_set_text, "name"),
    "getMyName": partial(_get_text, "name"),
    "setMyDescription": partial(_set_text, "description"),
    "getMyDescription": partial(_get_text, "description"),
    "setMyShortDescription": partial(_set_text, "short_description"),
    "getMyShortDescription": partial(_get_text, "short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "setMyDefaultAdministratorRights": _yes,
    "getMyDefaultAdministratorRights": _rights,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
    "getUserProfilePhotos": lambda _engine, _values: {"total_count": 0, "photos": []},
}

"""Methods that put, change and remove messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from .access import refusal_to_see, refusal_to_send
from .engine import Engine
from .errors import bad_request, named_error
from .formatted import CAPTION_LIMIT, Formatted, read_formatted
from .keyboards import read_inline_rows
from .links import checked_link, is_reachable_by_telegram
from .methods import words
from .params import Upload
from .world import JSON, Chat, Message

Values = Mapping[str, Any]

#: Bots may delete for this long.
_DELETABLE_SECONDS = 48 * 3600
_PHOTO_LIMIT = 10 * 1024 * 1024
_CHAT_ACTIONS = words(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note"
)


def send_message(engine: Engine, values: Values) -> JSON:
    """``sendMessage``."""
    body = read_formatted(values.get("text", ""), values.get("parse_mode", ""), values.get("entities"))
    return _send(engine, values, body, method="sendMessage")


def send_photo(engine: Engine, values: Values) -> JSON:
    """``sendPhoto``: an upload, an address Telegram could fetch, or a file id given before."""
    body = _caption(values)
    media, source = _file(engine, values.get("photo"))
    sizes = [{**media, "width": 320, "height": 180}, {**media, "width": 1280, "height": 720}]
    return _send(engine, values, body, method="sendPhoto", media={"photo": sizes}, source=source)


def send_document(engine: Engine, values: Values) -> JSON:
    """``sendDocument``."""
    body = _caption(values)
    media, source = _file(engine, values.get("document"), what="document")
    document = {**media, "file_name": source.rsplit("/", 1)[-1]}
    return _send(engine, values, body, method="sendDocument", media={"document": document}, source=source)


def send_media_group(engine: Engine, values: Values) -> list[JSON]:
    """``sendMediaGroup`` with photographs: all of the album or nothing."""
    album = values.get("media") or []
    if not 2 <= len(album) <= 10:
        raise bad_request("group of media to send must contain 2-10 items")
    parts = []
    for item in album:
        if item["type"] != "photo":
            raise bad_request("STRICT: only photographs are emulated in albums")
        media, source = _file(engine, values.get(item["media"].removeprefix("attach://"), item["media"]))
        parts.append((_caption(item), {"photo": [{**media, "width": 1280, "height": 720}]}, source))
    return [
        _send(engine, values, body, method="sendMediaGroup", media=media, source=source)
        for body, media, source in parts
    ]


def send_rich_message(engine: Engine, values: Values) -> JSON:
    """``sendRichMessage`` (Bot API 10.1), kept as its source text: acceptance of its tags is not emulated."""
    rich = values.get("rich_message") or {}
    source = rich.get("html") or rich.get("markdown") or ""
    if not source.strip():
        raise bad_request("message text is empty")
    if len(source) > 32_768:
        raise bad_request("message is too long")
    return _send(engine, values, Formatted(source), method="sendRichMessage")


def copy_message(engine: Engine, values: Values) -> JSON:
    """``copyMessage``."""
    origin = _message(engine.chat_of(values, "from_chat_id"), values, "message to copy not found")
    body = origin.body
    if "caption" in values and origin.media:
        body = _caption(values)
    sent = _send(
        engine, values, body, method="copyMessage", media=dict(origin.media), source=origin.media_source
    )
    return {"message_id": sent["message_id"]}


def forward_message(engine: Engine, values: Values) -> JSON:
    """``forwardMessage``."""
    origin = _message(engine.chat_of(values, "from_chat_id"), values, "message to forward not found")
    return _send(
        engine,
        values,
        origin.body,
        method="forwardMessage",
        media=dict(origin.media),
        source=origin.media_source,
    )


def _caption(values: Values) -> Formatted:
    return read_formatted(
        values.get("caption", ""),
        values.get("parse_mode", ""),
        values.get("caption_entities"),
        limit=CAPTION_LIMIT,
    )


def _send(
    engine: Engine,
    values: Values,
    body: Formatted,
    *,
    method: str,
    media: JSON | None = None,
    source: str = "",
) -> JSON:
    rows = read_inline_rows(values.get("reply_markup"))
    chat = engine.chat_of(values)
    thread_id = values.get("message_thread_id") or 0
    content = next(iter(media), "text") if media else "text"
    refused = refusal_to_send(engine.world, chat, content=content, thread_id=thread_id)
    if refused:
        raise refused
    reply_to = _reply_target(chat, values.get("reply_parameters"))
    engine.keep_pace(chat, values, method=method)
    message = engine.world.add_message(
        chat,
        None if chat.type == "channel" else engine.bot,
        body,
        date=engine.clock.unix(),
        thread_id=thread_id,
        media=media or {},
        media_source=source,
        rows=rows,
        reply_to=reply_to,
        link_preview=values.get("link_preview_options"),
        silent=bool(values.get("disable_notification")),
    )
    engine.show("message", message, method=method)
    return message.to_json()


def _reply_target(chat: Chat, reply: Mapping[str, Any] | None) -> Message | None:
    if not reply:
        return None
    found = chat.messages.get(reply["message_id"])
    if found and not found.deleted:
        return found
    if reply.get("allow_sending_without_reply"):
        return None
    raise named_error("reply_not_found")


def _file(engine: Engine, given: str | Upload | None, *, what: str = "photo") -> tuple[JSON, str]:
    """The file's ids and where it came from; raises what the server says of a wrong one."""
    if isinstance(given, Upload):
        if not given.body:
            raise bad_request("file must be non-empty")
        if what == "photo" and len(given.body) > _PHOTO_LIMIT:
            raise bad_request("file is too big")
        unique = hashlib.sha256(given.body).hexdigest()[:16]
        engine.uploads[f"file-{unique}"] = given.body
        return {
            "file_id": f"file-{unique}",
            "file_unique_id": unique,
            "file_size": len(given.body),
        }, given.name
    if not given:
        raise bad_request(f"there is no {what} in the request")
    if given in engine.uploads:
        return {"file_id": given, "file_unique_id": given.removeprefix("file-")}, given
    link = checked_link(given) if "://" in given else None
    if link is None or not link.startswith("http"):
        raise named_error("media_wrong_url" if "://" in given else "media_wrong_file")
    if not is_reachable_by_telegram(link):
        raise named_error("media_unreachable")
    unique = hashlib.sha256(link.encode()).hexdigest()[:16]
    engine.uploads[f"file-{unique}"] = b""
    return {"file_id": f"file-{unique}", "file_unique_id": unique}, link


# -- changes ------------------------------------------------------------------------------------


def edit_message_text(engine: Engine, values: Values) -> JSON:
    """``editMessageText``. Without ``reply_markup`` the keyboard goes, as on the real server."""
    if values.get("rich_message"):
        body = Formatted(str(values["rich_message"].get("html", "")))
    else:
        body = read_formatted(values.get("text", ""), values.get("parse_mode", ""), values.get("entities"))
    message = _editable(engine, values)
    if message.media:
        raise bad_request("there is no text in the message to edit")
    return _edit(engine, values, message, body=body, method="editMessageText")


def edit_message_caption(engine: Engine, values: Values) -> JSON:
    """``editMessageCaption``."""
    body = _caption(values)
    message = _editable(engine, values)
    if not message.media:
        raise bad_request("there is no caption in the message to edit")
    return _edit(engine, values, message, body=body, method="editMessageCaption")


def edit_message_media(engine: Engine, values: Values) -> JSON:
    """``editMessageMedia`` with a photograph."""
    item = values.get("media") or {}
    if item.get("type") != "photo":
        raise bad_request("STRICT: only photographs are emulated in editMessageMedia")
    media, source = _file(engine, values.get(item["media"].removeprefix("attach://"), item["media"]))
    message = _editable(engine, values)
    message.media = {"photo": [{**media, "width": 1280, "height": 720}]}
    message.media_source = source
    message.edit_date = 0
    return _edit(engine, values, message, body=_caption(item), method="editMessageMedia", forced=True)


def edit_message_reply_markup(engine: Engine, values: Values) -> JSON:
    """``editMessageReplyMarkup``."""
    message = _editable(engine, values)
    return _edit(engine, values, message, body=message.body, method="editMessageReplyMarkup")


def _editable(engine: Engine, values: Values) -> Message:
    if values.get("inline_message_id"):
        raise bad_request("STRICT: inline messages are not emulated")
    chat = engine.chat_of(values)
    refused = refusal_to_see(engine.world, chat)
    if refused:
        raise refused
    message = _message(chat, values, "message to edit not found")
    if message.service or (message.sender is not engine.bot and chat.type != "channel"):
        raise bad_request("message can't be edited")
    return message


def _edit(
    engine: Engine, values: Values, message: Message, *, body: Formatted, method: str, forced: bool = False
) -> JSON:
    rows = read_inline_rows(values.get("reply_markup"))
    same = (body.text, list(body.entities), rows) == (message.body.text, message.entities, message.rows)
    if same and not forced:
        raise named_error("not_modified")
    engine.keep_pace(message.chat, values, method=method)
    is_markup = method == "editMessageReplyMarkup"
    message.body, message.rows = body, rows
    if "link_preview_options" in values:
        message.link_preview = values["link_preview_options"]
    if not is_markup:
        message.edit_date = engine.clock.unix()
    engine.show("markup" if is_markup else "edit", message, method=method)
    return message.to_json()


def _message(chat: Chat, values: Values, missing: str) -> Message:
    found = chat.messages.get(values.get("message_id", 0))
    if found is None or found.deleted:
        raise bad_request(missing)
    return found


def delete_message(engine: Engine, values: Values) -> bool:
    """``deleteMessage``."""
    chat = engine.chat_of(values)
    refused = refusal_to_see(engine.world, chat)
    if refused:
        raise refused
    message = _message(chat, values, "message to delete not found")
    if not _may_delete(engine, message):
        raise named_error("cannot_delete")
    _delete(engine, message, method="deleteMessage")
    return True


def delete_messages(engine: Engine, values: Values) -> bool:
    """``deleteMessages``: those not found are skipped."""
    chat = engine.chat_of(values)
    for message_id in (values.get("message_ids") or [])[:100]:
        message = chat.messages.get(message_id)
        if message and not message.deleted and _may_delete(engine, message):
            _delete(engine, message, method="deleteMessages")
    return True


def _may_delete(engine: Engine, message: Message) -> bool:
    member = message.chat.member(engine.bot)
    is_moderator = member.status == "administrator" and member.rights.get("can_delete_messages", True)
    is_young = engine.clock.unix() - message.date <= _DELETABLE_SECONDS
    if message.chat.type == "private":
        return is_young
    return is_moderator or (message.sender is engine.bot and is_young)


def _delete(engine: Engine, message: Message, *, method: str) -> None:
    message.deleted = True
    engine.show("delete", message, method=method)


def send_chat_action(engine: Engine, values: Values) -> bool:
    """``sendChatAction``; seen for a moment, so not in the ledger."""
    if values.get("action") not in _CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    refused = refusal_to_send(
        engine.world, engine.chat_of(values), content="text", thread_id=values.get("message_thread_id") or 0
    )
    if refused:
        raise refused
    return True


def set_message_reaction(engine: Engine, values: Values) -> bool:
    """``setMessageReaction``."""
    _message(engine.chat_of(values), values, "message to react not found")
    return True


def pin_chat_message(engine: Engine, values: Values) -> bool:
    """``pinChatMessage``."""
    chat = engine.chat_of(values)
    message = _message(chat, values, "message to pin not found")
    member = chat.member(engine.bot)
    right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
    if chat.type != "private" and not (member.status == "administrator" and member.rights.get(right, False)):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    chat.pinned = message.id
    return True


def unpin_chat_message(engine: Engine, values: Values) -> bool:
    """``unpinChatMessage``."""
    engine.chat_of(values).pinned = 0
    return True


MESSAGE_CALLS: Mapping[str, Callable[[Engine, Values], Any]] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "sendRichMessage": send_rich_message,
    "copyMessage": copy_message,
    "forwardMessage": forward_message,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "sendChatAction": send_chat_action,
    "setMessageReaction": set_message_reaction,
    "pinChatMessage": pin_chat_message,
    "unpinChatMessage": unpin_chat_message,
}

#: 400s that a bot earns by what it sends, not by the state of a chat.
OWN_FAULTS = (
    "message is too long",
    "message caption is too long",
    "message text is empty",
    "ENTITY_BOUNDS_INVALID",
    "can't parse",
    "BUTTON_DATA_INVALID",
    "inline keyboard button",
    "reply markup is too long",
    "unsupported parse_mode",
    "STRICT:",
)

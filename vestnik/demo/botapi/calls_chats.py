"""Methods about chats, members, topics, and answers to people's actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .access import refusal_to_see
from .engine import CALLBACK_SECONDS, ChatEvent, Engine
from .errors import bad_request, named_error
from .world import JSON, Chat, Topic

Values = Mapping[str, Any]

_CALLBACK_TEXT_LIMIT = 200
_INLINE_RESULTS = 50


def answer_callback_query(engine: Engine, values: Values) -> bool:
    """``answerCallbackQuery``: once, and in time."""
    query = engine.queries.get(str(values.get("callback_query_id", "")))
    if query is None or query.answer is not None or engine.clock.now() - query.at > CALLBACK_SECONDS:
        raise named_error("query_too_old")
    if len(values.get("text", "")) > _CALLBACK_TEXT_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {name: values[name] for name in ("text", "show_alert", "url") if name in values}
    engine.tell(ChatEvent(kind="answer", chat_id=query.message.chat.id, message=query.message, query=query))
    return True


def answer_inline_query(engine: Engine, values: Values) -> bool:
    """``answerInlineQuery``."""
    query_id = str(values.get("inline_query_id", ""))
    if engine.inline_answers.get(query_id, {}) is not None:
        raise named_error("query_too_old")
    results = values.get("results") or []
    if len(results) > _INLINE_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    if len({result["id"] for result in results}) < len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    if any(not 1 <= len(result["id"].encode()) <= 64 for result in results):
        raise bad_request("RESULT_ID_INVALID")
    if len(str(values.get("next_offset", "")).encode()) > 64:
        raise bad_request("NEXT_OFFSET_INVALID")
    engine.inline_answers[query_id] = dict(values)
    return True


def get_chat(engine: Engine, values: Values) -> JSON:
    """``getChat``."""
    chat = _seen(engine, values)
    found = chat.to_json() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": _NO_GIFTS,
    }
    if chat.pinned in chat.messages:
        found["pinned_message"] = chat.messages[chat.pinned].to_json()
    return found


_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


def get_chat_member(engine: Engine, values: Values) -> JSON:
    """``getChatMember``."""
    chat = _seen(engine, values)
    user_id = values.get("user_id", 0)
    user = engine.bot if user_id == engine.bot.id else engine.world.users.get(user_id)
    if user is None:
        raise bad_request("invalid user_id specified")
    if chat.type == "private":
        raise bad_request("there are no members in the private chat")
    return chat.member(user).to_json()


def get_chat_administrators(engine: Engine, values: Values) -> list[JSON]:
    """``getChatAdministrators``: people (and, when asked for, bots) with rights."""
    chat = _seen(engine, values)
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    return [
        member.to_json()
        for member in chat.members.values()
        if member.status in ("creator", "administrator")
        and (not member.user.is_bot or member.user is engine.bot or values.get("return_bots"))
    ]


def get_chat_member_count(engine: Engine, values: Values) -> int:
    """``getChatMemberCount``."""
    chat = _seen(engine, values)
    return 2 if chat.type == "private" else sum(member.is_inside for member in chat.members.values())


def leave_chat(engine: Engine, values: Values) -> bool:
    """``leaveChat``."""
    chat = _seen(engine, values)
    member = chat.member(engine.bot)
    if chat.type == "private" or not member.is_inside:
        raise bad_request(
            "chat member status can't be changed in private chats"
            if chat.type == "private"
            else "not a member"
        )
    old = type(member)(user=member.user, status=member.status, rights=dict(member.rights))
    member.status = "left"
    engine.note_standing(chat, engine.bot, old, member)
    return True


def create_forum_topic(engine: Engine, values: Values) -> JSON:
    """``createForumTopic`` in a forum where the bot may manage topics."""
    chat = _forum(engine, values)
    name = values.get("name", "")
    if not 1 <= len(name) <= 128:
        raise bad_request("TOPIC_TITLE_EMPTY" if not name else "TOPIC_TITLE_INVALID")
    color = values.get("icon_color", 7322096)
    message = engine.note_service(
        chat,
        engine.bot,
        {"forum_topic_created": {"name": name, "icon_color": color}},
        thread_id=chat.last_message_id + 1,
    )
    chat.topics[message.id] = Topic(id=message.id, name=name)
    return {"message_thread_id": message.id, "name": name, "icon_color": color}


def edit_forum_topic(engine: Engine, values: Values) -> bool:
    """``editForumTopic``."""
    topic = _topic(engine, values)
    topic.name = values.get("name") or topic.name
    return True


def close_forum_topic(engine: Engine, values: Values) -> bool:
    """``closeForumTopic``."""
    topic = _topic(engine, values)
    if topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.closed = True
    return True


def reopen_forum_topic(engine: Engine, values: Values) -> bool:
    """``reopenForumTopic``."""
    topic = _topic(engine, values)
    if not topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.closed = False
    return True


def delete_forum_topic(engine: Engine, values: Values) -> bool:
    """``deleteForumTopic``, with all its messages."""
    topic = _topic(engine, values)
    topic.deleted = True
    for message in list(engine.chat_of(values).visible(topic.id)):
        message.deleted = True
        engine.show("delete", message, method="deleteForumTopic")
    return True


def _seen(engine: Engine, values: Values) -> Chat:
    chat = engine.chat_of(values)
    refused = refusal_to_see(engine.world, chat)
    if refused:
        raise refused
    if chat.person and not chat.person.started and not engine.world.shares_group_with(chat.person):
        raise bad_request("chat not found")
    return chat


def _forum(engine: Engine, values: Values) -> Chat:
    chat = _seen(engine, values)
    member = chat.member(engine.bot)
    if not chat.is_forum:
        raise bad_request("the chat is not a forum")
    if not (member.status == "administrator" and member.rights.get("can_manage_topics", False)):
        raise bad_request("not enough rights to create a topic")
    return chat


def _topic(engine: Engine, values: Values) -> Topic:
    topic = _forum(engine, values).topics.get(values.get("message_thread_id", 0))
    if topic is None or topic.deleted:
        raise bad_request("TOPIC_ID_INVALID")
    return topic


CHAT_CALLS: Mapping[str, Callable[[Engine, Values], Any]] = {
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "leaveChat": leave_chat,
    "createForumTopic": create_forum_topic,
    "editForumTopic": edit_forum_topic,
    "closeForumTopic": close_forum_topic,
    "reopenForumTopic": reopen_forum_topic,
    "deleteForumTopic": delete_forum_topic,
}

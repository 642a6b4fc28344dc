"""What an answer of the Bot API means for one delivery, and what to do about it. Pure.

The table is Telegram's own behaviour (tdlib/telegram-bot-api, ``Client.cpp``): some refusals come
as 403, the same ones in CAPITALS as 400, so texts are read, not only codes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.limiter import seconds_of
from bot.transport import NotSent, OutcomeUnknown, ServerTrouble


class Act(enum.Enum):
    """What to do with the delivery."""

    WAIT = "wait"  # 429: hold the chat, try again
    RETRY = "retry"  # certainly not sent, or the server says it failed: try again later
    UNKNOWN = "unknown"  # may have arrived
    PAUSE_CHAT = "pause-chat"  # the chat is gone or closed to us
    PAUSE_TOPIC = "pause-topic"  # only this topic is
    MIGRATE = "migrate"  # the group has a new id
    PLAIN = "plain"  # our entities are wrong: send the words alone
    FAIL = "fail"  # refused, reason kept for an admin
    STOP = "stop"  # the token is wrong: stop the bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An act with its reason: a constant word for state and metrics, and Telegram's own text."""

    act: Act
    reason: str
    detail: str
    seconds: float = 0.0
    new_chat_id: int = 0


#: Part of Telegram's text (lower case) -> act and reason. The first that fits decides.
_REFUSALS: tuple[tuple[str, Act, str], ...] = (
    ("bot was blocked by the user", Act.PAUSE_CHAT, "blocked"),
    ("user_is_blocked", Act.PAUSE_CHAT, "blocked"),
    ("user is deactivated", Act.PAUSE_CHAT, "deactivated"),
    ("input_user_deactivated", Act.PAUSE_CHAT, "deactivated"),
    ("bot was kicked", Act.PAUSE_CHAT, "kicked"),
    ("bot is not a member", Act.PAUSE_CHAT, "kicked"),
    ("group chat was deleted", Act.PAUSE_CHAT, "deleted"),
    ("group chat was deactivated", Act.PAUSE_CHAT, "deleted"),
    ("can't initiate conversation", Act.PAUSE_CHAT, "never-started"),
    ("can't send messages to bots", Act.PAUSE_CHAT, "is-a-bot"),
    ("message thread not found", Act.PAUSE_TOPIC, "topic-gone"),
    ("topic_deleted", Act.PAUSE_TOPIC, "topic-gone"),
    ("topic_id_invalid", Act.PAUSE_TOPIC, "topic-gone"),
    ("topic_closed", Act.PAUSE_TOPIC, "topic-closed"),
    ("topic is closed", Act.PAUSE_TOPIC, "topic-closed"),
    ("chat not found", Act.PAUSE_CHAT, "chat-not-found"),
    ("peer_id_invalid", Act.PAUSE_CHAT, "chat-not-found"),
    ("user not found", Act.PAUSE_CHAT, "chat-not-found"),
    ("chat_write_forbidden", Act.PAUSE_CHAT, "no-rights"),
    ("chat_restricted", Act.PAUSE_CHAT, "no-rights"),
    ("chat_admin_required", Act.PAUSE_CHAT, "no-rights"),
    ("chat_send_plain_forbidden", Act.PAUSE_CHAT, "no-rights"),
    ("have no rights to send", Act.PAUSE_CHAT, "no-rights"),
    ("not enough rights", Act.PAUSE_CHAT, "no-rights"),
    ("need administrator rights", Act.PAUSE_CHAT, "no-rights"),
    ("can't parse entities", Act.PLAIN, "entities"),
    ("entity_", Act.PLAIN, "entities"),
    ("entities_too_long", Act.PLAIN, "entities"),
    ("message is too long", Act.PLAIN, "too-long"),
    ("message_too_long", Act.PLAIN, "too-long"),
    ("message text is empty", Act.PLAIN, "empty"),
    ("button_", Act.PLAIN, "buttons"),
    ("inline keyboard button", Act.PLAIN, "buttons"),
)


def judge(error: TelegramError) -> Verdict:
    """What the failure of a send means."""
    detail = error.message
    match error:
        case RetryAfter():
            return Verdict(act=Act.WAIT, reason="flood", detail=detail, seconds=seconds_of(error))
        case ChatMigrated():
            return Verdict(act=Act.MIGRATE, reason="migrated", detail=detail, new_chat_id=error.new_chat_id)
        case InvalidToken():
            return Verdict(act=Act.STOP, reason="token", detail=detail)
        case NotSent():
            return Verdict(act=Act.RETRY, reason="unreachable", detail=detail)
        case ServerTrouble() if error.status == 504:
            # A gateway lost patience; what stood behind it may have gone on.
            return Verdict(act=Act.UNKNOWN, reason="unknown-outcome", detail=detail)
        case ServerTrouble() | Conflict():
            return Verdict(act=Act.RETRY, reason="server-trouble", detail=detail)
        case Forbidden() | BadRequest():
            return _refused(error)
        case OutcomeUnknown():
            return Verdict(act=Act.UNKNOWN, reason="unknown-outcome", detail=detail)
        case _:
            # An answer nobody could read (a proxy's page, broken JSON): Telegram may have acted.
            return Verdict(act=Act.UNKNOWN, reason="unknown-outcome", detail=detail)


def _refused(error: TelegramError) -> Verdict:
    text = error.message.lower()
    for sign, act, reason in _REFUSALS:
        if sign in text:
            return Verdict(act=act, reason=reason, detail=error.message)
    if isinstance(error, Forbidden):
        return Verdict(act=Act.PAUSE_CHAT, reason="forbidden", detail=error.message)
    return Verdict(act=Act.FAIL, reason="refused", detail=error.message)

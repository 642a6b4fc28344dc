"""Every row of the error table, by Telegram's own words."""

from __future__ import annotations

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from bot.outcomes import Act, judge
from bot.transport import NotSent, OutcomeUnknown, ServerTrouble
from vestnik.demo.botapi import NAMED_ERRORS

CHAT, TOPIC, PLAIN, FAIL = Act.PAUSE_CHAT, Act.PAUSE_TOPIC, Act.PLAIN, Act.FAIL
BY_NAME = {
    "blocked": (CHAT, "blocked"),
    "deactivated": (CHAT, "deactivated"),
    "kicked_group": (CHAT, "kicked"),
    "kicked_supergroup": (CHAT, "kicked"),
    "kicked_channel": (CHAT, "kicked"),
    "not_member_group": (CHAT, "kicked"),
    "not_member_supergroup": (CHAT, "kicked"),
    "not_member_channel": (CHAT, "kicked"),
    "group_deleted": (CHAT, "deleted"),
    "cannot_initiate": (CHAT, "never-started"),
    "to_bot": (CHAT, "is-a-bot"),
    "chat_not_found": (CHAT, "chat-not-found"),
    "private_chat_not_found": (CHAT, "chat-not-found"),
    "peer_id_invalid": (CHAT, "chat-not-found"),
    "write_forbidden": (CHAT, "no-rights"),
    "no_rights": (CHAT, "no-rights"),
    "no_text_rights": (CHAT, "no-rights"),
    "no_photo_rights": (CHAT, "no-rights"),
    "need_admin": (CHAT, "no-rights"),
    "topic_closed": (TOPIC, "topic-closed"),
    "thread_not_found": (TOPIC, "topic-gone"),
    "bad_entities": (PLAIN, "entities"),
    "too_long": (PLAIN, "too-long"),
    "empty": (PLAIN, "empty"),
    "entity_invalid": (PLAIN, "entities"),
    # What a text message without media never meets is refused with its reason.
    "caption_too_long": (FAIL, "refused"),
    "media_unreachable": (FAIL, "refused"),
    "media_wrong_type": (FAIL, "refused"),
    "media_wrong_url": (FAIL, "refused"),
    "media_wrong_file": (FAIL, "refused"),
    "webpage_failed": (FAIL, "refused"),
    "not_modified": (FAIL, "refused"),
    "edit_not_found": (FAIL, "refused"),
    "cannot_delete": (FAIL, "refused"),
    "delete_not_found": (FAIL, "refused"),
    "reply_not_found": (FAIL, "refused"),
    "query_too_old": (FAIL, "refused"),
}
CLASSES = {400: BadRequest, 403: Forbidden}


@pytest.mark.parametrize("name", [n for n, (code, _) in NAMED_ERRORS.items() if code in CLASSES])
def test_a_refusal_is_understood_by_its_words(name: str) -> None:
    code, words = NAMED_ERRORS[name]
    verdict = judge(CLASSES[code](words))
    assert (verdict.act, verdict.reason) == BY_NAME[name]
    assert verdict.detail.removeprefix("Bad Request: ").lower() in words.lower()


@pytest.mark.parametrize("words", ["USER_IS_BLOCKED", "INPUT_USER_DEACTIVATED", "CHAT_WRITE_FORBIDDEN",
                                   "CHAT_RESTRICTED", "CHAT_ADMIN_REQUIRED", "PEER_ID_INVALID"])  # fmt: skip
@pytest.mark.parametrize("kind", [BadRequest, Forbidden])
def test_refusals_in_capitals_pause_whatever_the_code(words: str, kind: type) -> None:
    assert judge(kind(f"Bad Request: {words}")).act is Act.PAUSE_CHAT


@pytest.mark.parametrize("words", ["TOPIC_CLOSED", "TOPIC_DELETED", "message thread not found"])
def test_a_closed_topic_is_not_a_closed_chat(words: str) -> None:
    assert judge(BadRequest(words)).act is Act.PAUSE_TOPIC


@pytest.mark.parametrize(
    ("error", "act", "reason"),
    [
        (RetryAfter(7), Act.WAIT, "flood"),
        (ChatMigrated(-100123), Act.MIGRATE, "migrated"),
        (InvalidToken("Unauthorized"), Act.STOP, "token"),
        (NotSent("refused"), Act.RETRY, "unreachable"),
        (ServerTrouble(500), Act.RETRY, "server-trouble"),
        (ServerTrouble(502), Act.RETRY, "server-trouble"),
        (ServerTrouble(504), Act.UNKNOWN, "unknown-outcome"),
        (OutcomeUnknown("reset"), Act.UNKNOWN, "unknown-outcome"),
        (Conflict("two"), Act.RETRY, "server-trouble"),
        (NetworkError("nobody could read it"), Act.UNKNOWN, "unknown-outcome"),
        (Forbidden("Forbidden: something new"), Act.PAUSE_CHAT, "forbidden"),
        (BadRequest("something new"), Act.FAIL, "refused"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_kind_of_failure_has_its_act(error: NetworkError, act: Act, reason: str) -> None:
    verdict = judge(error)
    assert (verdict.act, verdict.reason) == (act, reason)


def test_a_wait_says_how_long_and_a_migration_where_to() -> None:
    assert judge(RetryAfter(7)).seconds == 7.0
    assert judge(ChatMigrated(-100123)).new_chat_id == -100123

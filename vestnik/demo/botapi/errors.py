"""What the Bot API says when it refuses, in the server's own words (tdlib/telegram-bot-api)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer with ``ok: false``."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(what: str) -> ApiError:
    """400 in the form every client library parses."""
    return ApiError(400, f"Bad Request: {what}")


def forbidden(what: str) -> ApiError:
    """403 in the form every client library parses."""
    return ApiError(403, f"Forbidden: {what}")


def too_many_requests(retry_after: int) -> ApiError:
    """429: wait ``retry_after`` seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


def migrated(new_chat_id: int) -> ApiError:
    """400: the group lives on under another id."""
    return ApiError(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        {"migrate_to_chat_id": new_chat_id},
    )


CONFLICT_POLLER = ApiError(
    409,
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
)
CONFLICT_WEBHOOK = ApiError(
    409,
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first",
)

#: Refusals by a short name, for fault scripts: every row of the error table a sender must know.
NAMED_ERRORS: Mapping[str, tuple[int, str]] = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "kicked_group": (403, "Forbidden: bot was kicked from the group chat"),
    "kicked_supergroup": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "kicked_channel": (403, "Forbidden: bot was kicked from the channel chat"),
    "not_member_group": (403, "Forbidden: bot is not a member of the group chat"),
    "not_member_supergroup": (403, "Forbidden: bot is not a member of the supergroup chat"),
    "not_member_channel": (403, "Forbidden: bot is not a member of the channel chat"),
    "group_deleted": (403, "Forbidden: the group chat was deleted"),
    "cannot_initiate": (403, "Forbidden: bot can't initiate conversation with a user"),
    "to_bot": (403, "Forbidden: bot can't send messages to bots"),
    "chat_not_found": (400, "Bad Request: chat not found"),
    "private_chat_not_found": (400, "Bad Request: private chat not found"),
    "peer_id_invalid": (400, "Bad Request: PEER_ID_INVALID"),
    "write_forbidden": (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
    "no_rights": (400, "Bad Request: have no rights to send a message"),
    "no_text_rights": (400, "Bad Request: not enough rights to send text messages to the chat"),
    "no_photo_rights": (400, "Bad Request: not enough rights to send photos to the chat"),
    "need_admin": (400, "Bad Request: need administrator rights in the channel chat"),
    "topic_closed": (400, "Bad Request: TOPIC_CLOSED"),
    "thread_not_found": (400, "Bad Request: message thread not found"),
    "bad_entities": (
        400,
        'Bad Request: can\'t parse entities: Unsupported start tag "p" at byte offset 0',
    ),
    "too_long": (400, "Bad Request: message is too long"),
    "caption_too_long": (400, "Bad Request: message caption is too long"),
    "empty": (400, "Bad Request: message text is empty"),
    "entity_invalid": (400, "Bad Request: ENTITY_BOUNDS_INVALID"),
    "media_unreachable": (400, "Bad Request: failed to get HTTP URL content"),
    "media_wrong_type": (400, "Bad Request: wrong type of the web page content"),
    "webpage_failed": (400, "Bad Request: WEBPAGE_CURL_FAILED"),
    "media_wrong_url": (400, "Bad Request: wrong HTTP URL specified"),
    "media_wrong_file": (400, "Bad Request: wrong file identifier/HTTP URL specified"),
    "not_modified": (
        400,
        (
            "Bad Request: message is not modified: specified new message content and reply markup are "
            "exactly the same as a current content and reply markup of the message"
        ),
    ),
    "edit_not_found": (400, "Bad Request: message to edit not found"),
    "cannot_delete": (400, "Bad Request: message can't be deleted"),
    "delete_not_found": (400, "Bad Request: message to delete not found"),
    "reply_not_found": (400, "Bad Request: message to be replied not found"),
    "query_too_old": (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    ),
    "unauthorized": (401, "Unauthorized"),
    "not_found": (404, "Not Found"),
    "conflict": (CONFLICT_POLLER.code, CONFLICT_POLLER.description),
    "internal": (500, "Internal Server Error"),
    "bad_gateway": (502, "Bad Gateway"),
    "gateway_timeout": (504, "Gateway Timeout"),
}


def named_error(name: str) -> ApiError:
    """The refusal called ``name`` in :data:`NAMED_ERRORS`; raises :class:`KeyError` for another name."""
    code, description = NAMED_ERRORS[name]
    return ApiError(code, description)

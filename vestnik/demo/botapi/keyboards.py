"""Keyboards as the server checks them. Contains no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .errors import ApiError, bad_request
from .links import checked_link

#: Bytes, not letters: a Cyrillic letter is two.
CALLBACK_DATA_LIMIT = 64
BUTTON_LIMIT = 100
ROW_LIMIT = 8

Row = Sequence[Mapping[str, Any]]

_ACTIONS = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
)  # fmt: skip


def read_inline_rows(markup: Mapping[str, Any] | None) -> list[list[dict[str, Any]]]:
    """The rows of an inline keyboard as the server keeps them; raises its 400 for a wrong button.

    Empty rows vanish; a ``reply_markup`` of another kind has no inline rows.
    """
    if not markup or "inline_keyboard" not in markup:
        return []
    rows = [[_checked(button) for button in row] for row in markup["inline_keyboard"] if row]
    if sum(len(row) for row in rows) > BUTTON_LIMIT or any(len(row) > ROW_LIMIT for row in rows):
        raise bad_request("reply markup is too long")
    return rows


def _checked(button: Mapping[str, Any]) -> dict[str, Any]:
    text = button["text"]
    if not text.strip():
        raise _unusable("Button text must be non-empty")
    actions = [name for name in _ACTIONS if name in button]
    if not actions:
        raise _unusable("Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _unusable(f"STRICT: a button has one action, not {len(actions)}: {', '.join(actions)}")
    if actions[0] == "callback_data":
        if not 1 <= len(button["callback_data"].encode()) <= CALLBACK_DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")
        return dict(button)
    if actions[0] == "url":
        return {**button, "url": _checked_address(button["url"])}
    return dict(button)


def _checked_address(address: str) -> str:
    link = checked_link(address)
    if link is None:
        why = "Wrong HTTP URL" if "://" in address or "." not in address else "Unsupported URL protocol"
        raise bad_request(f"inline keyboard button URL '{address}' is invalid: {why}")
    return link


def _unusable(why: str) -> ApiError:
    return bad_request(f"can't parse inline keyboard button: {why}")


def buttons(rows: Sequence[Row]) -> Iterator[Mapping[str, Any]]:
    """All buttons of a keyboard in reading order."""
    for row in rows:
        yield from row

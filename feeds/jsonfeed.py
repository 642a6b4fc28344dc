"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to a :class:`Document`.

Loose where the specification asks readers to be: numbers as ids, single ``author``, missing
``version``. Contains no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from feeds.clean import clean_text
from feeds.entries import Place, Said, build_entry, language_code, looks_like_image
from feeds.model import Document, DocumentKind, Entry, EntryList
from feeds.refusals import Refusal, refused

#: Items beyond this are dropped, as in XML feeds.
MAX_ENTRIES = 2000


def parse_json_feed(text: str, place: Place) -> Document:
    """The JSON Feed in ``text``; an item that is no object is left out alone.

    Raises :class:`ParseError` for broken JSON and for JSON that is no feed.
    """
    try:
        # Python's reader takes NaN and Infinity; nothing below asks for numbers with a fraction.
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused(Refusal.BROKEN_FEED, place.url, why=f"the JSON is broken ({error})"[:200]) from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise refused(Refusal.NOT_NEWS, place.url, what="this is JSON, but no JSON Feed")
    return Document(
        kind=DocumentKind.JSON,
        title=clean_text(_text(feed, "title")),
        language=language_code(_text(feed, "language")),
        lists=(EntryList(entries=tuple(_entries(feed, place))),),
    )


def _entries(feed: dict[str, Any], place: Place) -> Iterator[Entry]:
    # "If an author is not specified for an item, the feed's author applies."
    authors = _authors(feed)
    for item in feed["items"][:MAX_ENTRIES]:
        entry = build_entry(_said(item, authors), place) if isinstance(item, dict) else None
        if entry is not None:
            yield entry


def _said(item: dict[str, Any], feed_authors: tuple[str, ...]) -> Said:
    html, plain = _text(item, "content_html"), _text(item, "content_text")
    dates = (("", _text(item, "date_published")), ("updated:", _text(item, "date_modified")))
    return Said(
        title=_text(item, "title"),
        url=_text(item, "url") or _text(item, "external_url"),
        guid=_text(item, "id"),
        summary=_text(item, "summary"),
        content=html or plain,
        content_is_plain=not html,
        published=tuple((prefix, words) for prefix, words in dates if words.strip()),
        updated=_text(item, "date_modified"),
        authors=_authors(item) or feed_authors,
        images=(_text(item, "image"), _text(item, "banner_image"), *_attached_images(item)),
        language=_text(item, "language"),
        categories=tuple(tag for tag in _list(item, "tags") if isinstance(tag, str)),
    )


def _text(holder: dict[str, Any], key: str) -> str:
    """A string; numbers count as strings ("id: ... may be a number in wild feeds")."""
    value = holder.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _authors(holder: dict[str, Any]) -> tuple[str, ...]:
    everyone = [*_list(holder, "authors"), holder.get("author")]
    return tuple(name for each in everyone if isinstance(each, dict) and (name := _text(each, "name")))


def _attached_images(item: dict[str, Any]) -> Iterator[str]:
    for each in _list(item, "attachments"):
        if isinstance(each, dict) and looks_like_image(_text(each, "url"), _text(each, "mime_type")):
            yield _text(each, "url")

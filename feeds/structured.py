"""News told to machines inside a page: schema.org JSON-LD. Contains no I/O.

Microdata and RDFa stand on the elements themselves and are read with them (``feeds.listpage``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from feeds.clean import clean_text, html_to_text, safe_url
from feeds.model import LanguageCode

#: Bigger blocks are data, not descriptions.
MAX_BLOCK = 2_000_000
#: More objects than this in one page are not read.
MAX_OBJECTS = 5_000
_MAX_DEPTH = 30

_ARTICLES = frozenset(
    {
        "article",
        "newsarticle",
        "blogposting",
        "socialmediaposting",
        "report",
        "scholarlyarticle",
        "techarticle",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "backgroundnewsarticle",
        "opinionnewsarticle",
        "liveblogposting",
        "advertisercontentarticle",
    }
)
_FEED_MEDIA = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_BROKEN_CONTROL = re.compile(r"[\x00-\x1f]")
_WRAPPER = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/)\s*;?\s*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredItem:
    """An article as JSON-LD describes it."""

    url: str
    title: str = ""
    published: str = ""
    modified: str = ""
    summary: str = ""
    image: str | None = None
    author: str = ""
    language: LanguageCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """Everything of use in a page's JSON-LD: articles in order, each address once, and feeds."""

    items: tuple[StructuredItem, ...] = ()
    feeds: tuple[str, ...] = ()


def read_json_ld(parser: LexborHTMLParser, *, base_url: str) -> Structured:
    """The page's JSON-LD; broken blocks are left out, nothing raises."""
    items: dict[str, StructuredItem] = {}
    feeds: dict[str, None] = {}
    for script in parser.css('script[type="application/ld+json"]'):
        for thing in _objects(_loaded(script.text(strip=True))):
            item = _item(thing, base_url)
            if item is not None:
                known = items.get(item.url)
                items[item.url] = item if known is None else _richer(known, item)
            feed = _feed(thing, base_url)
            if feed:
                feeds[feed] = None
    return Structured(items=tuple(each for each in items.values() if each.title), feeds=tuple(feeds))


def _loaded(text: str) -> object:
    if len(text) > MAX_BLOCK:
        return None
    text = _WRAPPER.sub("", text)
    try:
        # Authors put raw line breaks and tabs into strings; JSON forbids, everybody reads them.
        return json.loads(_BROKEN_CONTROL.sub(" ", text))
    except (ValueError, RecursionError):
        return None


def _objects(data: object) -> Iterator[dict[str, object]]:
    """Every object, outer before inner, within limits."""
    queue: list[tuple[object, int]] = [(data, 0)]
    seen = 0
    while queue and seen < MAX_OBJECTS:
        value, depth = queue.pop(0)
        if depth > _MAX_DEPTH:
            continue
        if isinstance(value, list):
            queue[:0] = [(each, depth + 1) for each in value]
        elif isinstance(value, dict):
            seen += 1
            yield value
            queue[:0] = [(each, depth + 1) for each in value.values() if isinstance(each, (dict, list))]


def _types(thing: dict[str, object]) -> set[str]:
    said = thing.get("@type")
    names = said if isinstance(said, list) else [said]
    return {name.rpartition("/")[2].lower() for name in names if isinstance(name, str)}


def _item(thing: dict[str, object], base_url: str) -> StructuredItem | None:
    types = _types(thing)
    if "listitem" in types and not isinstance(thing.get("item"), dict):
        url = _address(thing.get("url") or thing.get("item"), base_url)
        return None if url is None else StructuredItem(url=url, title=_text(thing.get("name")))
    if not types & _ARTICLES:
        return None
    url = next(
        (
            found
            for name in ("url", "mainEntityOfPage", "@id")
            if (found := _address(thing.get(name), base_url))
        ),
        None,
    )
    if url is None or url == base_url:
        return None
    return StructuredItem(
        url=url,
        title=_text(thing.get("headline") or thing.get("name")),
        published=_text(thing.get("datePublished") or thing.get("dateCreated")),
        modified=_text(thing.get("dateModified")),
        summary=html_to_text(_text(thing.get("description"))),
        image=_address(thing.get("image") or thing.get("thumbnailUrl"), base_url),
        author=_name(thing.get("author")),
        language=_language(thing.get("inLanguage")),
    )


def _richer(known: StructuredItem, other: StructuredItem) -> StructuredItem:
    return StructuredItem(
        url=known.url,
        title=known.title or other.title,
        published=known.published or other.published,
        modified=known.modified or other.modified,
        summary=known.summary or other.summary,
        image=known.image or other.image,
        author=known.author or other.author,
        language=known.language or other.language,
    )


def _feed(thing: dict[str, object], base_url: str) -> str | None:
    media = thing.get("encodingFormat") or thing.get("fileFormat")
    if "datafeed" not in _types(thing) and not (isinstance(media, str) and media.lower() in _FEED_MEDIA):
        return None
    return _address(thing.get("contentUrl") or thing.get("url"), base_url)


def _text(value: object) -> str:
    if isinstance(value, list):
        value = next((each for each in value if isinstance(each, str)), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name")
    return clean_text(value) if isinstance(value, str) else ""


def _name(value: object) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return _text(first.get("name")) if isinstance(first, dict) else _text(first)


def _address(value: object, base_url: str) -> str | None:
    for _ in range(3):
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            value = value.get("url") or value.get("@id") or value.get("contentUrl")
    if not isinstance(value, str) or value.startswith("#") or not value.strip():
        return None
    return safe_url(value, base_url=base_url)


def _language(value: object) -> LanguageCode | None:
    code = _text(value).split("-")[0].lower()
    return LanguageCode(code) if 2 <= len(code) <= 3 and code.isalpha() else None

"""XML feeds (RSS 0.9x, 1.0, 2.0, Atom, RDF, CDF) to a :class:`Document`, with feedparser.

The only file that speaks to feedparser. It gets mended UTF-8 and never fetches, sanitises or guesses
an encoding. RSS 2.0, RSS 1.0 (RDF), RFC 4287, Media RSS, Dublin Core. Contains no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import feedparser

from feeds.clean import clean_text
from feeds.entries import Place, Said, build_entry, language_code, looks_like_image
from feeds.model import Document, DocumentKind, Entry, EntryList, PollHints
from feeds.refusals import Refusal, refused
from feeds.xmltext import MAX_DEPTH, DtdRefusedError, Prolog, is_nested_too_deep, mend

#: Names of root elements of feeds, without prefix.
FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel", "entry", "redirect"})

#: Entries beyond this are dropped: archives of years are not news.
MAX_ENTRIES = 2000
_LONGEST_TTL = timedelta(days=31)
_PERIODS = {
    "hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30), "yearly": timedelta(days=365),
}  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SKIP_HOURS = re.compile(r"<skiphours\b.{0,2000}?</skiphours>", re.IGNORECASE | re.DOTALL)
_SKIP_DAYS = re.compile(r"<skipdays\b.{0,1000}?</skipdays>", re.IGNORECASE | re.DOTALL)
_HOUR = re.compile(r"<hour\b[^>]*>\s*(\d{1,2})\s*<", re.IGNORECASE)
_DAY = re.compile(r"<day\b[^>]*>\s*([A-Za-z]+)\s*<", re.IGNORECASE)
_ENTRY_START = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_PLAIN = "text/plain"


def parse_feed(text: str, prolog: Prolog, place: Place) -> Document:
    """The feed in ``text``, whose root ``prolog`` found; a bad entry is left out alone.

    Raises :class:`ParseError` for bombs and for what has the shape of a feed but cannot be read.
    """
    try:
        source = mend(text, prolog)
    except DtdRefusedError as error:
        raise refused(Refusal.DTD, place.url) from error
    if is_nested_too_deep(source):
        raise refused(Refusal.TOO_DEEP, place.url, limit=str(MAX_DEPTH))
    parsed = _ask_feedparser(_first_entries(source), place.url)
    channel, raw_entries = parsed["feed"], parsed["entries"]
    if _is_cut_short(source, prolog):
        # Half an entry has half its keys: it would be new now and new again when whole.
        raw_entries = raw_entries[:-1]
    if not raw_entries and not channel:
        raise refused(Refusal.BROKEN_FEED, place.url, why=_why(parsed))
    feed_language = language_code(_text(channel, "language"))
    entries = _entries(raw_entries[:MAX_ENTRIES], place, feed_language)
    return Document(
        kind=_kind(parsed.get("version") or "", prolog),
        title=clean_text(_text(channel, "title")),
        language=feed_language,
        lists=(EntryList(entries=tuple(entries)),),
        hints=_hints(channel, source),
    )


def _first_entries(source: str) -> str:
    """``source`` without what follows its first :data:`MAX_ENTRIES` entries, its end kept."""
    ends = [match.end() for match in _ENTRY_END.finditer(source)]
    return source[: ends[MAX_ENTRIES - 1]] + source[ends[-1] :] if len(ends) > MAX_ENTRIES else source


def _is_cut_short(source: str, prolog: Prolog) -> bool:
    """Whether the answer broke off inside an entry."""
    if f"</{prolog.root}" in source[-200:].lower():
        return False
    last = max((match.start() for match in _ENTRY_START.finditer(source)), default=-1)
    return last >= 0 and _ENTRY_END.search(source, last) is None


def _ask_feedparser(source: str, url: str) -> dict[str, Any]:
    # No content-location: it would resolve ids too, and tie them to the address the feed moved from.
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        parsed: dict[str, Any] = feedparser.parse(
            source.encode("utf-8"), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # No stored feed does this to it, but its two parsers were not written for every input.
        raise refused(Refusal.BROKEN_FEED, url, why=f"{type(error).__name__} in the parser") from error
    return parsed


def _why(parsed: dict[str, Any]) -> str:
    error = parsed.get("bozo_exception")
    return clean_text(str(error))[:200] if error else "no channel and no entries in it"


def _kind(version: str, prolog: Prolog) -> DocumentKind:
    if version in {"rss090", "rss10"} or prolog.root.endswith("rdf"):
        return DocumentKind.RDF
    return DocumentKind.ATOM if version.startswith("atom") else DocumentKind.RSS


def _entries(raw_entries: Iterable[Any], place: Place, feed_language: str | None) -> Iterator[Entry]:
    for raw in raw_entries:
        try:
            entry = build_entry(_said(raw, feed_language), place)
        except (AttributeError, LookupError, TypeError, ValueError):
            # The shape of one entry surprised us; the others are as good as before.
            continue
        if entry is not None:
            yield entry


def _said(raw: Any, feed_language: str | None) -> Said:
    content, content_is_plain = _content(raw)
    language = _language(raw)
    link = _link(raw, feed_language)
    return Said(
        title=_text(raw, "title"),
        url=link,
        guid=_text(raw, "id"),
        summary=_summary(raw, content),
        content=content,
        content_is_plain=content_is_plain,
        published=_dates(raw),
        updated=_text(raw, "updated"),
        authors=_authors(raw),
        images=tuple(_images(raw)),
        # What an entry only inherits is the document's language.
        language=language if language_code(language) != feed_language else "",
        categories=tuple(_text(tag, "label") or _text(tag, "term") for tag in _items(raw, "tags")),
        base_url=_base(raw),
    )


def _text(holder: Any, key: str) -> str:
    """A string of a FeedParserDict by its own key: no aliases, so ``updated`` is never ``published``."""
    value = dict.get(holder, key)
    return value if isinstance(value, str) else ""


def _items(holder: Any, key: str) -> list[Any]:
    value = dict.get(holder, key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _content(raw: Any) -> tuple[str, bool]:
    """(text, whether it is declared plain): the richest of the contents that are text."""
    readable = [
        each
        for each in _items(raw, "content")
        if _text(each, "type") in {"", _PLAIN, "text/html", "application/xhtml+xml"}
        and _text(each, "value").strip()
    ]
    if not readable:
        return "", False
    best = next((each for each in readable if _text(each, "type") != _PLAIN), readable[0])
    value = _text(best, "value")
    return value, _text(best, "type") == _PLAIN and "</" not in value


def _summary(raw: Any, content: str) -> str:
    # feedparser copies the content where there is no summary; reading it twice costs time.
    summary = _text(raw, "summary") or _text(raw, "description")
    return "" if summary == content else summary


def _dates(raw: Any) -> tuple[tuple[str, str], ...]:
    """Publication dates in order of trust. ``dc:date`` of RDF lands in ``updated``."""
    published, updated, created = (_text(raw, key) for key in ("published", "updated", "created"))
    prefix = "updated:" if published else ""
    dates = (("", published), (prefix, updated), ("created:", created))
    return tuple((each, words) for each, words in dates if words.strip())


def _authors(raw: Any) -> tuple[str, ...]:
    names = tuple(name for author in _items(raw, "authors") if (name := _text(author, "name")))
    # Of a single author the whole text is kept: feedparser tears addresses under long domains apart.
    return names if len(names) > 1 else (_text(raw, "author"),)


def _language(raw: Any) -> str:
    """``dc:language``, else the ``xml:lang`` its title or text stands under."""
    own = _text(raw, "language")
    details = (dict.get(raw, "title_detail"), dict.get(raw, "summary_detail"), *_items(raw, "content"))
    return own or next(
        (
            language
            for detail in details
            if isinstance(detail, dict) and (language := _text(detail, "language"))
        ),
        "",
    )


def _base(raw: Any) -> str:
    details = (*_items(raw, "content"), dict.get(raw, "summary_detail"), dict.get(raw, "title_detail"))
    return next((base for each in details if isinstance(each, dict) and (base := _text(each, "base"))), "")


def _link(raw: Any, feed_language: str | None) -> str:
    """The page of the entry; what FeedBurner hid counts as the address it was."""
    original = _text(raw, "feedburner_origlink")
    if original:
        return original
    pages = [
        each
        for each in _items(raw, "links")
        if _text(each, "rel") == "alternate"
        and _text(each, "type") in {"", "text/html", "application/xhtml+xml"}
    ]
    if len(pages) > 1:
        in_language = [
            each for each in pages if language_code(_text(each, "hreflang")) in {None, feed_language}
        ]
        return _text((in_language or pages)[0], "href")
    return _text(raw, "link") or next((_text(each, "href") for each in pages), "")


def _images(raw: Any) -> Iterator[str]:
    """Pictures of the entry, the likeliest first: Media RSS by width, enclosures, iTunes."""
    media = [
        each
        for each in _items(raw, "media_content")
        if _text(each, "medium") == "image" or looks_like_image(_text(each, "url"), _text(each, "type"))
    ]
    yield from (_text(each, "url") for each in sorted(media, key=_width, reverse=True))
    yield from (
        _text(each, "url") for each in sorted(_items(raw, "media_thumbnail"), key=_width, reverse=True)
    )
    for link in _items(raw, "links"):
        if _text(link, "rel") == "enclosure" and looks_like_image(_text(link, "href"), _text(link, "type")):
            yield _text(link, "href")
    image = dict.get(raw, "image")
    yield (_text(image, "href") or _text(image, "url")) if isinstance(image, dict) else ""


def _width(media: Any) -> int:
    digits = _text(media, "width")
    return int(digits) if digits.isdecimal() and len(digits) < 6 else 0


def _hints(channel: Any, source: str) -> PollHints:
    first = _ENTRY_START.search(source)
    # RSS 1.0 and some generators put them after the items, so both ends are looked at.
    head = source[: first.start()] if first else source
    edges = head[:20_000] + source[-5_000:]
    hours = _SKIP_HOURS.search(edges)
    days = _SKIP_DAYS.search(edges)
    return PollHints(
        ttl=_ttl(channel),
        skip_hours=frozenset(int(hour) % 24 for hour in _HOUR.findall(hours.group()) if int(hour) <= 24)
        if hours
        else frozenset(),
        skip_days=frozenset(
            _DAYS.index(day.lower()) for day in _DAY.findall(days.group()) if day.lower() in _DAYS
        )
        if days
        else frozenset(),
    )


def _ttl(channel: Any) -> timedelta | None:
    """RSS ``ttl`` in minutes, else ``sy:updatePeriod`` / ``sy:updateFrequency``; absurd ones are none."""
    minutes = _text(channel, "ttl").strip()
    if minutes.isdecimal() and len(minutes) < 7:
        ttl = timedelta(minutes=int(minutes))
    else:
        period = _PERIODS.get(_text(channel, "sy_updateperiod").strip().lower())
        frequency = _text(channel, "sy_updatefrequency").strip()
        if period is None:
            return None
        ttl = period / int(frequency) if frequency.isdecimal() and int(frequency[:6]) > 0 else period
    return ttl if timedelta() < ttl <= _LONGEST_TTL else None

"""From what a feed said about one entry to an :class:`Entry`: one way for all feed formats.

Texts are cleaned, addresses made absolute, dates judged, the language named. Contains no I/O.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from feeds.clean import MAX_HTML, clean_html, clean_html_to_text, clean_text, html_to_text, safe_url
from feeds.dates import read_published
from feeds.model import Entry, LanguageCode

MAX_TITLE = 500
MAX_SUMMARY = 5000
MAX_GUID = 2000
#: A title made from the text, where the entry has none (microblogs), has at most this many characters.
MADE_TITLE = 120
MAX_CATEGORIES = 40

# BCP 47 §2.1: two or three letters, then subtags; "ru_RU" is a common slip.
_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9-_]*)?", re.IGNORECASE)
_LONG_CODES = {
    "rus": "ru", "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it",
    "srp": "sr", "zho": "zh", "chi": "zh", "ara": "ar", "ukr": "uk", "bel": "be", "kaz": "kk", "pol": "pl",
    "ces": "cs", "cze": "cs", "bul": "bg", "fin": "fi", "hun": "hu", "jpn": "ja", "kor": "ko", "mon": "mn",
    "hye": "hy", "arm": "hy", "aze": "az", "kir": "ky", "tgk": "tg", "uzb": "uz", "tat": "tt", "hin": "hi",
}  # fmt: skip
# Country codes written where a language belongs.
_SLIPS = {
    "ua": "uk",
    "by": "be",
    "cn": "zh",
    "jp": "ja",
    "kz": "kk",
    "cz": "cs",
    "rs": "sr",
    "gb": "en",
    "us": "en",
}
_UNKNOWN = frozenset({"und", "xx", "zxx", "mul", "x"})

_IMAGE_SUFFIX = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp)(?:$|[?#])", re.IGNORECASE)
_FIRST_IMAGE = re.compile(r'<img [^<>]*?src="([^"]+)"')
_EMPTY_LINE = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a document was read: what its relative words mean."""

    url: str
    #: The source's language, for dates.
    language: LanguageCode | None
    timezone: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a feed said about an entry, word for word; everything may be missing or wrong."""

    title: str = ""
    url: str = ""
    guid: str = ""
    #: Plain or HTML: nobody can tell by the declared type.
    summary: str = ""
    content: str = ""
    #: True when ``content`` is declared plain text, whose ``<`` are no tags.
    content_is_plain: bool = False
    #: Publication dates in order of trust: (prefix for the rule, words).
    published: tuple[tuple[str, str], ...] = ()
    updated: str = ""
    authors: tuple[str, ...] = ()
    #: Addresses in order of trust.
    images: tuple[str, ...] = ()
    language: str = ""
    categories: tuple[str, ...] = ()
    #: What addresses inside its texts are relative to, itself relative to the document; ``url`` is
    #: relative to the document alone.
    base_url: str = ""


def build_entry(said: Said, place: Place) -> Entry | None:
    """The cleaned entry, or ``None`` when it says nothing a reader could see or follow."""
    base_url = safe_url(said.base_url, base_url=place.url) or place.url
    content_html = _content_html(said, base_url)
    summary = _cut(_summary(said, content_html), MAX_SUMMARY)
    url = safe_url(said.url, base_url=place.url) if said.url.strip() else None
    title = _cut(clean_text(said.title), MAX_TITLE) or _made_title(summary)
    if not title:
        return None
    language = language_code(said.language)
    published, words, rule = _published(said, place, language)
    return Entry(
        title=title,
        url=url,
        guid=clean_text(said.guid)[:MAX_GUID] or None,
        summary=summary,
        content_html=content_html,
        published=published,
        published_text=words,
        published_rule=rule,
        updated=_read_date(said.updated, place, language)[0] if said.updated else None,
        author=_cut(", ".join(_distinct(map(_person, said.authors))), MAX_TITLE),
        image=_image(said, content_html, base_url),
        language=language,
        categories=tuple(_distinct(map(clean_text, said.categories)))[:MAX_CATEGORIES],
    )


def language_code(tag: str | None) -> LanguageCode | None:
    """ISO 639-1 of a language tag (``ru-RU``, ``en_us``, ``rus``); ``None`` when it names none."""
    match = _TAG.fullmatch((tag or "").strip())
    if match is None:
        return None
    code = match.group(1).lower()
    code = _LONG_CODES.get(code) or _SLIPS.get(code, code)
    return LanguageCode(code) if len(code) == 2 and code not in _UNKNOWN else None


def looks_like_image(url: str, media_type: str = "") -> bool:
    """Whether an attachment is a picture, by its type or, without one, by its name."""
    kind = media_type.strip().lower()
    return kind.startswith("image") or (not kind and bool(_IMAGE_SUFFIX.search(url)))


def _content_html(said: Said, base_url: str) -> str:
    """HTML worth keeping: the content, or a summary that has markup of its own."""
    if said.content_is_plain and said.content.strip():
        return _paragraphs(said.content) if said.summary.strip() or "\n" in said.content.strip() else ""
    source = said.content if said.content.strip() else said.summary
    cleaned = clean_html(source, base_url=base_url) if "<" in source or said.content.strip() else ""
    return cleaned if "<" in cleaned or said.content.strip() else ""


def _summary(said: Said, content_html: str) -> str:
    """Words of the summary, else of the content."""
    if said.content.strip() or not content_html:
        summary = html_to_text(said.summary)
        return summary or (
            clean_text(said.content) if said.content_is_plain else clean_html_to_text(content_html)
        )
    return clean_html_to_text(content_html)


def _paragraphs(plain: str) -> str:
    """Plain text as HTML; an empty line parts paragraphs."""
    parts = (clean_text(part) for part in _EMPTY_LINE.split(plain[:MAX_HTML]))
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)


def _made_title(summary: str) -> str:
    first = _SENTENCE_END.split(summary, maxsplit=1)[0]
    return _cut(first, MADE_TITLE)


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words, marked as cut."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return f"{head[:space] if space > limit // 2 else head}…"


def _published(said: Said, place: Place, language: LanguageCode | None) -> tuple[datetime | None, str, str]:
    """(when, words, rule): the first date that can be believed, else the reason against the first."""
    first: tuple[datetime | None, str, str] | None = None
    for prefix, words in said.published:
        when, rule = _read_date(words, place, language)
        tried = (when, words.strip()[:MAX_TITLE], f"{prefix}{rule}")
        if when is not None:
            return tried
        first = first or tried
    return first or (None, "", "")


def _read_date(words: str, place: Place, language: LanguageCode | None) -> tuple[datetime | None, str]:
    words = clean_text(words[:MAX_TITLE])
    found = read_published(words, language=place.language or language, timezone=place.timezone, now=place.now)
    return found.when, "dropped:unreadable" if found.rule == "none" else found.rule


def _person(author: str) -> str:
    """The name in "Name <mail>", "mail (Name)"; addresses of people are nobody's news."""
    name = clean_text(re.sub(r"<[^<>\s]+@[^<>\s]+>", "", author))
    bare = re.sub(r"\(?[\w.+-]+@[\w.-]+\)?", "", name).strip(" ,;()<>")
    return bare if bare != name.strip() else name


def _image(said: Said, content_html: str, base_url: str) -> str | None:
    inside = _FIRST_IMAGE.search(content_html)
    for address in (*said.images, inside.group(1).replace("&amp;", "&") if inside else ""):
        url = safe_url(address, base_url=base_url) if address.strip() else None
        if url is not None:
            return url
    return None


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]

"""A fetched body to a :class:`Document`, whatever it turns out to be: the one door of parsing.

Decodes, looks at the first element, and hands on: XML feeds to :mod:`feeds.parse_feed`, JSON Feed to
:mod:`feeds.jsonfeed`, pages to :mod:`feeds.listpage`. Robot checks, login pages, parked domains and
everything else that is no news end as :class:`ParseError` with a word of :class:`Refusal`.
Synchronous and picklable, for a process pool. Contains no I/O.
"""

from __future__ import annotations

import re
from datetime import datetime

from feeds.clean import MAX_DEPTH as MAX_PAGE_DEPTH
from feeds.clean import is_too_deep, safe_url
from feeds.decode import decode
from feeds.entries import Place
from feeds.errors import ParseError
from feeds.jsonfeed import parse_json_feed
from feeds.listpage import parse_list_page
from feeds.model import Document, LanguageCode, Selectors, SourceKind
from feeds.parse_feed import FEED_ROOTS, parse_feed
from feeds.refusals import Refusal, login_refusal, page_refusal, refused
from feeds.xmltext import DtdRefusedError, Prolog, read_prolog

#: Longer bodies are refused: the longest honest feeds are near 2 MB, parsing costs 0.15 s per MB.
MAX_BODY = 5_000_000

_JSON_START = re.compile(r"[\[{]")
_PAGE_ROOTS = frozenset(
    {
        "html",
        "head",
        "body",
        "title",
        "meta",
        "link",
        "script",
        "style",
        "div",
        "p",
        "table",
        "ul",
        "ol",
        "h1",
        "h2",
    }
    | {
        "h3",
        "main",
        "article",
        "section",
        "header",
        "nav",
        "span",
        "a",
        "center",
        "form",
        "base",
        "dl",
        "img",
    }
    | {"iframe", "noscript", "frameset", "h4", "strong", "b", "font", "br", "footer", "figure", "svg"}
)
_PAGE_SIGN = re.compile(r"<(?:html|body|head)[\s>]", re.IGNORECASE)
_SITEMAPS = frozenset({"urlset", "sitemapindex"})
_ANNOUNCED = re.compile(r"<link\b[^<>]*>", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss|atom|feed)\+(?:xml|json)", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)

# First bytes of what servers send by mistake: magic numbers of the formats' specifications.
_MAGIC = (
    (b"%PDF", "this is a PDF file"),
    (b"PK\x03\x04", "this is a ZIP archive or an office document"),
    (b"\x1f\x8b", "this is a gzip archive"),
    (b"\x89PNG", "this is a picture"),
    (b"\xff\xd8\xff", "this is a picture"),
    (b"GIF8", "this is a picture"),
    (b"\xd0\xcf\x11\xe0", "this is an office document"),
    (b"Rar!", "this is a RAR archive"),
)


def parse_document(
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    kind: SourceKind = SourceKind.AUTO,
    language: LanguageCode | None = None,
    timezone: str = "UTC",
    selectors: Selectors = Selectors(),  # noqa: B008 - frozen, made once is right
    now: datetime,
) -> Document:
    """What ``body``, fetched from ``url``, says; all text cleaned, all addresses absolute.

    ``language`` and ``timezone`` are the source's, for bytes and dates that name none. A ``FEED``
    source refuses pages; ``AUTO`` and ``LIST`` take both, since a page may turn into a feed.
    Raises :class:`ParseError` with a :class:`Refusal` and words for an admin.
    """
    _refuse_bytes(body, url)
    text = decode(body, content_type=content_type, language=language).text.lstrip("\ufeff \t\r\n\x00")
    if not text:
        raise refused(Refusal.EMPTY, url)
    place = Place(url=url, language=language, timezone=timezone, now=now)
    if _JSON_START.match(text):
        return parse_json_feed(text, place)
    prolog = _prolog(text, url)
    if prolog.root.rpartition(":")[2] in FEED_ROOTS:
        return parse_feed(text, prolog, place)
    _refuse_unless_page(text, prolog, content_type, url)
    if kind is SourceKind.FEED:
        raise page_refusal(text, url) or refused(Refusal.HTML_INSTEAD, url, hint=_announced_feed(text, url))
    return _parse_page(text, place, selectors)


def _refuse_bytes(body: bytes, url: str) -> None:
    if not body.strip(b"\x00 \t\r\n"):
        raise refused(Refusal.EMPTY, url)
    if len(body) > MAX_BODY:
        raise refused(Refusal.TOO_LARGE, url, limit=f"{MAX_BODY // 1_000_000} MB")
    what = next((words for magic, words in _MAGIC if body.startswith(magic)), None)
    if what is not None:
        raise refused(Refusal.NOT_NEWS, url, what=what)


def _prolog(text: str, url: str) -> Prolog:
    try:
        return read_prolog(text)
    except DtdRefusedError as error:
        raise refused(Refusal.DTD, url) from error


def _refuse_unless_page(text: str, prolog: Prolog, content_type: str, url: str) -> None:
    root = prolog.root.rpartition(":")[2]
    if root == "opml":
        raise refused(Refusal.OPML, url)
    if root in _SITEMAPS:
        raise refused(Refusal.SITEMAP, url)
    if root in _PAGE_ROOTS or prolog.doctype.startswith("html") or _PAGE_SIGN.search(text):
        return
    if root and ("html" in content_type.lower() or "-" in root):  # "<my-app>": a custom element
        return
    what = f"its first element is <{root[:40]}>" if root else "there is no element in it, only text"
    raise refused(Refusal.NOT_NEWS, url, what=what)


def _announced_feed(text: str, url: str) -> str:
    """A hint naming the feed the page announces, or nothing."""
    for link in _ANNOUNCED.findall(text[:200_000]):
        href = _HREF.search(link) if _FEED_TYPE.search(link) else None
        feed = safe_url(href.group(1), base_url=url) if href else None
        if feed is not None:
            return f"; the page announces the feed {feed}"
    return ""


def _parse_page(text: str, place: Place, selectors: Selectors) -> Document:
    if is_too_deep(text):
        raise refused(Refusal.TOO_DEEP, place.url, limit=str(MAX_PAGE_DEPTH))
    instead = page_refusal(text, place.url)
    if instead is not None:
        raise instead
    try:
        return parse_list_page(
            text,
            url=place.url,
            language=place.language,
            timezone=place.timezone,
            selectors=selectors,
            now=place.now,
        )
    except ParseError as error:
        # The finder says why it found nothing; a password field says it better.
        raise (login_refusal(text, place.url) or error) from error

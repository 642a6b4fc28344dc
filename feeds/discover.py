"""Feeds a page announces, and where feeds usually are. Contains no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from feeds.clean import clean_text, safe_url
from feeds.structured import read_json_ld

#: Media types of feeds; ``application/json`` counts only on ``<link rel=alternate>`` beside a title.
_FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/x-rss+xml",
        "application/rss",
        "text/rss+xml",
        "text/xml",
        "application/xml",
    }
)
_LIKELY_PATHS = (
    *("feed/", "rss/", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "news/rss/", "feeds/"),
    *("rss.php", "?feed=rss2", "?format=feed&type=rss", "rss/news/", "bitrix/rss.php", "news/rss.xml"),
)
_FEED_ADDRESS = re.compile(
    r"(?:/|\b)(?:rss|feed|feeds|atom)(?:[/._?=-]|\d|$)|\.(?:rss|atom)$|format=feed", re.IGNORECASE
)
_COMMENTS = re.compile(r"comment|комментар|komment", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A feed address and how it was found: ``link``, ``json-ld``, ``anchor`` or ``guess``."""

    url: str
    title: str = ""
    media_type: str = ""
    rule: str = "link"


def announced_feeds(parser: LexborHTMLParser, *, base_url: str) -> tuple[FeedLink, ...]:
    """Feeds announced by ``<link rel=alternate>`` and JSON-LD; comment feeds last."""
    found: dict[str, FeedLink] = {}
    for node in parser.css("link[rel][href]"):
        attrs = node.attributes
        rels = (attrs.get("rel") or "").lower().split()
        media_type = (attrs.get("type") or "").split(";")[0].strip().lower()
        url = safe_url(attrs.get("href") or "", base_url=base_url)
        if url is None or not _is_feed_link(rels, media_type, url):
            continue
        title = clean_text(attrs.get("title") or "")
        found.setdefault(url, FeedLink(url=url, title=title, media_type=media_type))
    for address in read_json_ld(parser, base_url=base_url).feeds:
        found.setdefault(address, FeedLink(url=address, rule="json-ld"))
    return tuple(sorted(found.values(), key=lambda feed: bool(_COMMENTS.search(f"{feed.url} {feed.title}"))))


def discover_feeds(text: str, *, url: str, guess: bool = False) -> tuple[FeedLink, ...]:
    """Feeds of the page ``text``: announced ones, then linked ones; ``guess`` adds likely addresses.

    Guesses are addresses to try, not feeds known to exist: ask only when a person wants it, because
    each costs the site a request.
    """
    parser = LexborHTMLParser(text)
    base = parser.css_first("base[href]")
    base_url = safe_url(base.attributes.get("href") or "", base_url=url) if base is not None else None
    found = {feed.url: feed for feed in announced_feeds(parser, base_url=base_url or url)}
    for feed in _anchors(parser, base_url or url):
        found.setdefault(feed.url, feed)
    if guess:
        for address in likely_addresses(url):
            found.setdefault(address, FeedLink(url=address, rule="guess"))
    return tuple(found.values())


def likely_addresses(url: str) -> tuple[str, ...]:
    """Where sites of common makes (WordPress, Bitrix, Joomla, Hugo …) keep their feeds."""
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc}/"
    folder = re.split(r"[?#]", url, maxsplit=1)[0].rstrip("/") + "/"
    places = [site] if folder == site else [folder, site]
    near = [f"{place}{path}" for place in places[:1] for path in _LIKELY_PATHS[:4]]
    return tuple(dict.fromkeys([*near, *(f"{site}{path}" for path in _LIKELY_PATHS)]))


def _is_feed_link(rels: list[str], media_type: str, url: str) -> bool:
    if "feed" in rels:
        return True
    if "alternate" not in rels or "stylesheet" in rels:
        return False
    if media_type in _FEED_TYPES:
        # WordPress announces its oEmbed answers as text/xml; those are no feeds.
        return "oembed" not in url
    return media_type == "application/json" and "wp-json" not in url and "oembed" not in url


def _anchors(parser: LexborHTMLParser, base_url: str) -> list[FeedLink]:
    host = urlsplit(base_url).hostname
    found = []
    for node in parser.css("a[href]"):
        attrs = node.attributes
        href = attrs.get("href") or ""
        if (attrs.get("type") or "").lower() not in _FEED_TYPES and not _FEED_ADDRESS.search(href):
            continue
        url = safe_url(href, base_url=base_url)
        if url is not None and urlsplit(url).hostname == host:
            found.append(FeedLink(url=url, title=clean_text(node.text()), rule="anchor"))
    return found[:20]

"""RSS 2.0 and Atom through feedgen, with its defects mended here and nowhere else.

feedgen 1.0.0, its last release, as measured: entry links of Atom lose ``rel`` and ``type``
(lkiesow/python-feedgen#135), RSS keeps only the ``self`` link, dates go through ``setlocale``, the
build date is the current time, HTML in summaries is not declared, ``xml:lang`` of entries, a whole
``atom:source`` and ``georss`` are missing. Two extensions write these parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from feedgen.util import xml_elem

from feeds.model import UNDETERMINED, Item
from feeds.networks import Networks
from feeds.render.model import (
    MEDIA_TYPES,
    FeedFormat,
    FeedInfo,
    categories_of,
    feed_updated,
    regions_of,
    visible,
)
from feeds.render.text import (
    as_html,
    excerpt,
    has_markup,
    image_type,
    one_line,
    rfc822,
    rfc3339,
    unambiguous,
    uri,
    xml_text,
)

_ATOM = "{http://www.w3.org/2005/Atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_GEORSS = "{http://www.georss.org/georss}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

#: Extensions are looked up on feedgen's objects under this name.
_NAME = "vestnik"

_Element = Any  # lxml has no types of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    href: str
    rel: str
    type: str = ""
    hreflang: str = ""
    length: str = ""

    def attributes(self) -> dict[str, str]:
        named = {
            "href": uri(self.href),
            "rel": self.rel,
            "type": self.type,
            "hreflang": self.hreflang,
            "length": self.length,
        }
        return {key: value for key, value in named.items() if value}


class _FeedParts(BaseExtension):  # type: ignore[misc]  # feedgen is untyped
    """What feedgen leaves out of the head of a feed."""

    info: FeedInfo
    updated: datetime
    links: Sequence[_Link] = ()

    def extend_ns(self) -> dict[str, str]:
        return {"dc": _DC[1:-1], "georss": _GEORSS[1:-1], "media": _MEDIA[1:-1]}

    def extend_rss(self, feed: _Element) -> _Element:
        feed.set(_XML_LANG, self.info.language or self.info.label_language)
        channel = feed.find("channel")
        xml_elem("lastBuildDate", channel).text = rfc822(self.updated)
        for link in self.links:
            if link.rel != "self":  # that one feedgen has written
                xml_elem(f"{_ATOM}link", channel, **link.attributes())
        return feed


class _EntryParts(BaseEntryExtension):  # type: ignore[misc]  # feedgen is untyped
    """What feedgen leaves out of an entry, or writes wrong."""

    item: Item
    info: FeedInfo
    networks: Networks

    def extend_atom(self, entry: _Element) -> _Element:
        item, info = self.item, self.info
        self._say_language(entry)
        for name in ("title", "summary"):
            _declare_html(entry.find(name))
        bare = entry.find("link")
        if bare is not None:
            entry.remove(bare)
        xml_elem("name", xml_elem("author", entry)).text = _author(item)
        for each in categories_of(item, info, self.networks):
            xml_elem("category", entry, term=each.term, scheme=each.scheme, label=each.label)
        for link in _entry_links(item, info):
            xml_elem("link", entry, **link.attributes())
        source = xml_elem("source", entry)
        xml_elem("id", source).text = info.source_id(item.source_id)
        xml_elem("title", source).text = _source_title(item)
        xml_elem("updated", source).text = rfc3339(item.updated)
        xml_elem("link", source, href=uri(item.source_url), rel="self")
        self._add_extras(entry)
        return entry

    def extend_rss(self, entry: _Element) -> _Element:
        item = self.item
        self._say_language(entry)
        for each in categories_of(item, self.info, self.networks):
            xml_elem("category", entry, domain=each.scheme).text = unambiguous(each.label)
        xml_elem("pubDate", entry).text = rfc822(item.published)
        xml_elem("source", entry, url=uri(item.source_url)).text = unambiguous(_source_title(item))
        xml_elem(f"{_DC}creator", entry).text = _author(item)
        if item.language != UNDETERMINED:
            xml_elem(f"{_DC}language", entry).text = item.language
        for region in regions_of(item, self.networks):
            xml_elem(f"{_DC}coverage", entry).text = region.code
        xml_elem(f"{_ATOM}updated", entry).text = rfc3339(item.updated)
        self._add_extras(entry)
        return entry

    def _say_language(self, entry: _Element) -> None:
        if self.item.language != UNDETERMINED:
            entry.set(_XML_LANG, self.item.language)

    def _add_extras(self, entry: _Element) -> None:
        region = next(regions_of(self.item, self.networks), None)
        if region is not None:
            xml_elem(f"{_GEORSS}point", entry).text = f"{region.latitude} {region.longitude}"
            # With a capital N: the validator refuses "featurename".
            xml_elem(f"{_GEORSS}featureName", entry).text = region.name(self.info.label_language)
        if self.item.image:
            xml_elem(f"{_MEDIA}thumbnail", entry, url=uri(self.item.image))


def render_rss(info: FeedInfo, items: Sequence[Item], networks: Networks) -> bytes:
    """The feed as RSS 2.0, newest entry first if ``items`` are."""
    shown = list(visible(items))
    feed = _feed(info, FeedFormat.RSS)
    feed.description(one_line(info.description) or one_line(info.title))
    feed.language(info.language or info.label_language)
    feed.vestnik.updated = feed_updated(shown)
    # feedgen would write it under a changed process locale, which no thread may see.
    feed._FeedGenerator__rss_lastBuildDate = None  # noqa: SLF001
    feed.generator("Vestnik")
    for item in shown:
        entry = _entry(feed, item, info, networks)
        entry.guid(info.entry_id(item.id), permalink=False)
        entry.title(unambiguous(_title(item)))
        entry.link(href=uri(item.url or info.page_of(item)), rel="alternate")
        content = xml_text(item.content_html)
        summary = xml_text(item.summary) or excerpt(content) or _title(item)
        entry.description(as_html(summary))
        if content:
            entry.content(content, type="html")
        if item.image:
            entry.enclosure(uri(item.image), 0, image_type(item.image))
    return _serialized(feed.rss_str(pretty=True))


def render_atom(info: FeedInfo, items: Sequence[Item], networks: Networks) -> bytes:
    """The feed as Atom (RFC 4287), newest entry first if ``items`` are."""
    shown = list(visible(items))
    feed = _feed(info, FeedFormat.ATOM)
    feed.subtitle(one_line(info.description) or None)
    feed.language(info.language or info.label_language)
    feed.updated(feed_updated(shown))
    feed.author(name=one_line(info.publisher), uri=info.publisher_url)
    feed.generator("Vestnik")
    for item in shown:
        entry = _entry(feed, item, info, networks)
        entry.id(info.entry_id(item.id))
        entry.title(_title(item))
        entry.updated(item.updated.replace(microsecond=0))
        entry.published(item.published.replace(microsecond=0))
        content = xml_text(item.content_html)
        summary = xml_text(item.summary) or ("" if content else _title(item))
        if content:
            entry.content(content, type="html")
        else:
            # feedgen insists on an alternate link of its own; the extension writes the whole one.
            entry.link(href=info.page, rel="alternate")
        if summary:
            entry.summary(summary)
    return _serialized(feed.atom_str(pretty=True))


def _feed(info: FeedInfo, kind: FeedFormat) -> Any:
    feed = FeedGenerator()
    feed.register_extension(_NAME, _FeedParts, _EntryParts)
    parts = feed.vestnik
    parts.info, parts.links = info, tuple(_feed_links(info, kind))
    feed.id(info.id)
    feed.title(one_line(info.title))
    # feedgen takes the last link for RSS's <link>: the page must come last.
    for link in parts.links:
        feed.link(link.attributes())
    return feed


def _entry(feed: Any, item: Item, info: FeedInfo, networks: Networks) -> Any:
    entry = feed.add_entry(order="append")
    parts = entry.vestnik
    parts.item, parts.info, parts.networks = item, info, networks
    return entry


def _feed_links(info: FeedInfo, kind: FeedFormat) -> Iterator[_Link]:
    """Self, hubs, other formats, other languages, and last of all the page.

    Atom allows one link per relation, type and language (RFC 4287 §4.1.1).
    """
    own = info.language or ""
    yield _Link(href=info.addresses[kind], rel="self", type=MEDIA_TYPES[kind], hreflang=own)
    for hub in info.hubs:
        yield _Link(href=hub, rel="hub")
    for other, address in info.addresses.items():
        if other != kind:
            yield _Link(href=address, rel="alternate", type=MEDIA_TYPES[other], hreflang=own)
    for each in info.translations:
        if each.language == info.language:
            continue
        feed_type, language = MEDIA_TYPES[kind], each.language
        yield _Link(href=each.addresses[kind], rel="alternate", type=feed_type, hreflang=language)
        if language != info.label_language:
            yield _Link(href=each.page, rel="alternate", type="text/html", hreflang=language)
    yield _Link(href=info.page, rel="alternate", type="text/html", hreflang=info.label_language)


def _entry_links(item: Item, info: FeedInfo) -> Iterator[_Link]:
    page = info.page_of(item)
    language = "" if item.language == UNDETERMINED else item.language
    yield _Link(href=item.url or page, rel="alternate", type="text/html", hreflang=language)
    if item.url:
        yield _Link(href=page, rel="related", type="text/html", hreflang=info.label_language)
    yield _Link(href=item.source_url, rel="via")
    if item.image:
        yield _Link(href=item.image, rel="enclosure", type=image_type(item.image), length="0")


def _declare_html(text: _Element | None) -> None:
    """Say ``type="html"`` where plain text could be mistaken for markup, and escape it for that."""
    if text is not None and has_markup(text.text):
        text.text = as_html(text.text)
        text.set("type", "html")


def _title(item: Item) -> str:
    return one_line(item.title) or excerpt(as_html(item.summary)) or _source_title(item)


def _author(item: Item) -> str:
    return one_line(item.author) or _source_title(item)


def _source_title(item: Item) -> str:
    return one_line(item.source_title) or item.source_url


def _serialized(xml: bytes) -> bytes:
    """Numeric references for "&" and "<", as the RSS Advisory Board's profile asks.

    Readers that decode names twice leave these alone, and the validator knows we mean text.
    There is no CDATA in our documents, so every ``&lt;`` is one of ours.
    """
    return xml.replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3C;")

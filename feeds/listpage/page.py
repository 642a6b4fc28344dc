"""From a list page to a document: find the lists, name them, mark the main ones. Contains no I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from feeds.clean import clean_text, safe_url
from feeds.dates import DateOrder, why_insane
from feeds.discover import announced_feeds
from feeds.errors import ParseError
from feeds.listpage.announced import completed
from feeds.listpage.candidates import Candidate, find_candidates
from feeds.listpage.chosen import read_chosen
from feeds.listpage.entries import PageAddress, make_entries
from feeds.listpage.links import Links
from feeds.listpage.moments import DateReader
from feeds.listpage.rank import Ranked, mark_main
from feeds.listpage.sections import headings_of
from feeds.listpage.telegram import is_channel, read_channel
from feeds.listpage.tree import Node, Tree, build_tree, parse_html
from feeds.model import Document, DocumentKind, Entry, EntryList, LanguageCode, Selectors
from feeds.structured import read_json_ld

_DETECT = Selectors()
_COUNTRY_MONTH_FIRST = frozenset({"us"})
_MONTH_FIRST_DOMAINS = frozenset({"gov", "edu", "mil", "us", "com", "org", "net", "info"})


def parse_list_page(
    text: str,
    *,
    url: str,
    language: LanguageCode | None = None,
    timezone: str = "UTC",
    selectors: Selectors = _DETECT,
    now: datetime,
) -> Document:
    """The lists of news on the HTML page ``text`` fetched from ``url``.

    ``language`` and ``timezone`` are the source's, for its dates; the page's own ``lang`` wins over
    nothing and loses to the former. Raises :class:`ParseError`: ``no-list``, ``too-deep``.
    """
    parser = parse_html(text, url=url)
    page = _read_head(parser, url)
    reader = DateReader(
        language=language or page.language,
        timezone=timezone,
        now=now,
        order=_order_by_place(language or page.language, page.region, url),
    )
    lists = _read_lists(parser, page, reader, selectors)
    return Document(
        kind=DocumentKind.LIST, title=page.title, language=page.language, lists=lists, feeds=page.feeds
    )


def _read_lists(
    parser: LexborHTMLParser, page: _Head, reader: DateReader, selectors: Selectors
) -> tuple[EntryList, ...]:
    url, base = page.address.url, page.address.base
    if selectors.item:
        return (read_chosen(parser, selectors, url=url, base=base, reader=reader),)
    if is_channel(parser):
        channel = read_channel(parser, url=url, timezone=reader.timezone, now=reader.now)
        if channel.entries:
            return (channel,)
        raise ParseError("no-list", url, "the channel's public page shows no messages with words")
    tree = build_tree(parser, url=url)
    structured = read_json_ld(parser, base_url=base)
    lists = completed(_lists(tree, page, reader), structured, reader)
    if not lists:
        raise ParseError("no-list", url, _why_nothing(tree))
    return lists


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What the page says about itself."""

    title: str
    language: LanguageCode | None
    #: Second part of ``lang="en-GB"``, lower case; empty when not given.
    region: str
    address: PageAddress
    feeds: tuple[str, ...]


def _read_head(parser: LexborHTMLParser, url: str) -> _Head:
    root = parser.root
    attrs = root.attributes if root is not None else {}
    said = (attrs.get("lang") or attrs.get("xml:lang") or "").replace("_", "-").lower()
    code, _, region = said.partition("-")
    title = parser.css_first("head title") or parser.css_first("title")
    base = parser.css_first("base[href]")
    href = (base.attributes.get("href") or "") if base is not None else ""
    base_url = safe_url(href, base_url=url) if href else None
    return _Head(
        title=clean_text(title.text()) if title is not None else "",
        language=LanguageCode(code) if 2 <= len(code) <= 3 and code.isalpha() else None,
        region=region,
        address=PageAddress(url=url, base=base_url or url),
        feeds=tuple(feed.url for feed in announced_feeds(parser, base_url=base_url or url)),
    )


def _order_by_place(language: LanguageCode | None, region: str, url: str) -> DateOrder | None:
    """English writes 05/06 both ways: the page's region or its domain tells which."""
    if language != "en":
        return None
    if region:
        return "MDY" if region in _COUNTRY_MONTH_FIRST else "DMY"
    domain = (urlsplit(url).hostname or "").rpartition(".")[2]
    return "MDY" if domain in _MONTH_FIRST_DOMAINS else "DMY"


@dataclass(slots=True, eq=False)
class _Section:
    """Candidates that are one list to a reader, with the heading over them."""

    candidates: list[Candidate]
    heading: Node | None


def _lists(tree: Tree, page: _Head, reader: DateReader) -> tuple[EntryList, ...]:
    links = Links(tree, page_url=page.address.url)
    candidates = find_candidates(tree, links, reader)
    _learn(candidates, tree, reader)
    ranked = []
    for section in _sections(candidates, tree, reader):
        heading = clean_text(tree.text_of(section.heading)) if section.heading is not None else ""
        entries: dict[str, Entry] = {}
        for candidate in section.candidates:
            for entry in make_entries(candidate, tree, reader, page.address, section=heading):
                entries.setdefault(entry.url or entry.title, entry)
        if entries:
            ranked.append(
                Ranked(
                    heading=heading,
                    entries=tuple(entries.values()),
                    make=_make(section.candidates[0]),
                    container=section.candidates[0].stretch.container,
                    quality=max(each.quality for each in section.candidates),
                )
            )
    return mark_main(ranked, tree, page_url=page.address.url)


def _learn(candidates: Sequence[Candidate], tree: Tree, reader: DateReader) -> None:
    """Order of numeric dates and age of the page, from the dates that leave no doubt."""
    found = [clue.found for each in candidates for clue in each.clues if clue is not None]
    rules = Counter(
        date.rule.split(":")[1] for date in found if date.certain and date.rule.startswith("numeric:")
    )
    if rules["mdy"] != rules["dmy"]:
        reader.order = "MDY" if rules["mdy"] > rules["dmy"] else "DMY"
    full = [
        date.when
        for date in found
        if not date.rule.endswith((":no-year", "time-only")) and not why_insane(date.when, now=reader.now)
    ]
    if full and not _mentions_this_year(tree, reader.now):
        reader.page_time = max(full)
    reader.forget()


def _mentions_this_year(tree: Tree, now: datetime) -> bool:
    """A live page names the current year somewhere (copyright, dates); an archived one cannot."""
    years = {str(now.year), str(now.year - 1)} if now.month <= 2 else {str(now.year)}
    return any(each.text and any(year in each.text for year in years) for each in tree.nodes)


def _sections(candidates: Sequence[Candidate], tree: Tree, reader: DateReader) -> list[_Section]:
    taken = [(each.start, each.end) for each in candidates]
    sections: list[_Section] = []
    for candidate in candidates:
        heading, date = headings_of(candidate, tree, taken, is_date=reader.is_date)
        if date is not None:
            candidate.date_all(date, tree, reader)
        before = sections[-1] if sections else None
        if (
            before is not None
            and before.heading is heading
            and _make(before.candidates[-1]) == _make(candidate)
        ):
            before.candidates.append(candidate)
        else:
            sections.append(_Section(candidates=[candidate], heading=heading))
    return sections


def _make(candidate: Candidate) -> str:
    """How the items are built: equal for lists of one template, wherever they stand."""
    root = candidate.records[0].root
    title = next((each for each in candidate.titles if each is not None), None)
    tail = (
        []
        if title is None or title.link is None
        else [title.link.key, title.link.parent.key if title.link.parent else ""]
    )
    return " ".join([root.key, *tail])


_CHALLENGE = re.compile(
    r"just a moment|checking your browser|captcha|ddos|access denied|enable javascript", re.IGNORECASE
)


def _why_nothing(tree: Tree) -> str:
    words = tree.words(tree.root)
    if not words:
        return "the page has no text: it may be built by scripts in the browser; look for a feed instead"
    if len(words) < 2_000 and _CHALLENGE.search(words):
        return f"the page asks for a browser check instead of showing news: {words[:80]!r}"
    links = sum(node.tag == "a" for node in tree.nodes)
    return f"no repeated block that looks like news ({links} links, {len(words)} characters); name selectors to help"

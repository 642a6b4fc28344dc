"""The date of a record: from machine-readable attributes, from words beside, in or after the title,
from its address. Contains no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import unquote

from feeds.date_plain import normalise
from feeds.dates import (
    AHEAD_PUBLISHED,
    DateFound,
    DateOrder,
    Published,
    find_dates,
    judge_published,
    parse_date,
)
from feeds.listpage.links import Record
from feeds.listpage.tree import BLOCKS, Node, Tree
from feeds.listpage.words import DATE_HINT
from feeds.model import LanguageCode
from feeds.zones import zone_named

#: A date with its label ("Published by … on …") is shorter than this.
LONGEST_DATE_TEXT = 90
#: Letters beside a date that still leave it a date.
_LETTERS_BESIDE = 26
_MACHINE = re.compile(
    r"date(?:published|created|modified|posted)|^dc[:.](?:date|created|issued)|article:published|pubdate|^date$",
    re.IGNORECASE,
)
_EVENT = re.compile(r"startdate|enddate", re.IGNORECASE)
_DATA = ("data-date", "data-time", "data-timestamp", "data-datetime", "data-published", "data-utime")
_DIGIT = re.compile(r"\d")
_NOT_LETTER = re.compile(r"[\W\d_]+")
_MAYBE = re.compile(
    r"\d[\s.,/:\-–]{0,3}\d|\d[\s.,]{0,2}(?:st|nd|rd|th|er|º|-?го)?[\s.,]*(?:de\s+|of\s+)?[^\W\d_]{3}|[^\W\d_]{3}\.?\s+\d"
    r"|[年月日월]|\d{8}|\d{4}"
)
_URL_DATE = re.compile(r"(?<!\d)(20\d\d|199\d)[/_-](0?[1-9]|1[0-2])(?:[/_-](0?[1-9]|[12]\d|3[01]))?(?!\d)")
_URL_COMPACT = re.compile(r"(?<!\d)(20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d{3})")
#: Rules weak enough to need a class name that says "date", or nothing else beside them.
_WEAK = ("time-only", "numeric:no-year", "month-year", "epoch", "compact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """Where a record's date was read, before it is believed."""

    found: DateFound
    text: str
    #: ``attribute``, ``text``, ``opening``, ``title``, ``url``, ``teaser``, ``heading``.
    where: str
    node: Node | None = None


@dataclass(slots=True)
class DateReader:
    """Reads dates of one page; the same text is parsed once."""

    language: LanguageCode | None
    timezone: str
    now: datetime
    #: ``05/06/2018`` on this page; learnt from its unmistakable dates (``06/22/2018``).
    order: DateOrder | None = None
    #: The newest full date of an old copy of a page; a date without a year is near it.
    page_time: datetime | None = None
    _seen: dict[str, DateFound | None] = field(default_factory=dict)

    def parse(self, text: str) -> DateFound | None:
        """``text`` as a date, without the slow last resort."""
        if text not in self._seen:
            ask = partial(
                parse_date,
                text,
                language=self.language,
                timezone=self.timezone,
                order=self.order,
                ahead=AHEAD_PUBLISHED,
                last_resort=False,
            )
            found = ask(now=self.now)
            if found is not None and self.page_time is not None and found.rule.endswith(":no-year"):
                found = ask(now=self.page_time)
            self._seen[text] = found
        return self._seen[text]

    def within(self, text: str) -> tuple[DateFound, ...]:
        """Every full date inside a longer text."""
        if not _MAYBE.search(text):
            return ()
        return find_dates(
            text,
            language=self.language,
            timezone=self.timezone,
            now=self.now,
            order=self.order,
            ahead=AHEAD_PUBLISHED,
        )

    def forget(self) -> None:
        """Drops what was parsed: order or page time have been learnt."""
        self._seen.clear()

    def is_date(self, text: str) -> bool:
        """Whether ``text`` is a date and little else (a heading over one day's news)."""
        if len(text) > LONGEST_DATE_TEXT or not _DIGIT.search(text):
            return False
        found = self.parse(text)
        return found is not None and _letters_beside(text, found) <= 12 and not found.rule.startswith(_WEAK)

    def judged(self, clue: Clue | None) -> Published:
        """The clue's date, read again with what the page has taught, and believed or not."""
        if clue is None:
            return Published(when=None, rule="none")
        found = clue.found
        if clue.where in {"text", "attribute", "heading"}:
            found = self.parse(clue.text) or found
        judged = judge_published(found, now=self.now)
        rule = judged.rule if clue.where == "text" else f"{clue.where}:{judged.rule}"
        return Published(when=judged.when, rule=rule, text=found.text, has_time=judged.has_time)


def find_clue(record: Record, title: Node | None, tree: Tree, reader: DateReader) -> Clue | None:
    """The best date that stands in the record, outside its title."""
    nodes = tree.nodes[record.start : record.end]
    machine = _first(_machine_clue(node, reader) for node in nodes if node.attrs)
    if machine is not None:
        return machine
    return _text_clue(nodes, title, tree, reader)


def clue_in_title(title: str, reader: DateReader) -> tuple[Clue, str] | None:
    """A full date glued to the beginning or end of a title, and the title without it."""
    plain = normalise(title)
    found = next((each for each in reader.within(plain) if _is_at_edge(plain, each)), None)
    if found is None or found.rule.endswith(":no-year"):
        return None
    rest = f"{plain[: found.start]} {plain[found.end :]}".strip(" \t-–—|:,;()[]•·.")
    if len(rest) < 4:
        return None
    return Clue(found=found, text=found.text, where="title"), rest


def clue_in_url(url: str, reader: DateReader) -> Clue | None:
    """The day an address carries (``/2013/05/21/``, ``20130521``); a month alone is no date."""
    path = unquote(url.partition("//")[2].partition("/")[2])
    found = _URL_DATE.search(path)
    parts = found.groups() if found is not None and found[3] else None
    if parts is None:
        compact = _URL_COMPACT.search(path)
        parts = compact.groups() if compact is not None else None
    if parts is None:
        return None
    text = "-".join(parts)
    date = reader.parse(text)
    return None if date is None else Clue(found=date, text=text, where="url")


def year_from_url(clue: Clue, url: str, reader: DateReader) -> Clue:
    """A date without a year, with the year (and month) its address tells."""
    if not clue.found.rule.endswith(":no-year"):
        return clue
    path = url.partition("//")[2].partition("/")[2]
    for found in _URL_DATE.finditer(path):
        local = clue.found.when.astimezone(zone_named(reader.timezone))
        if local.month == int(found[2]):
            dated = reader.parse(f"{found[1]}-{local.month:02}-{local.day:02}")
            return clue if dated is None else Clue(found=dated, text=dated.text, where="url", node=clue.node)
    return clue


def clue_in_teaser(text: str, reader: DateReader) -> Clue | None:
    """The first full date of a teaser: the last thing to go by, often the event's and not the news'."""
    found = next((each for each in reader.within(text[:600]) if not each.rule.endswith(":no-year")), None)
    return None if found is None else Clue(found=found, text=found.text, where="teaser")


def _first(clues: Iterable[Clue | None]) -> Clue | None:
    return next((clue for clue in clues if clue is not None), None)


def _machine_clue(node: Node, reader: DateReader) -> Clue | None:
    attrs = node.attrs
    value = attrs.get("datetime") if node.tag in {"time", "abbr", "span", "ins"} else None
    if not value:
        said = f"{attrs.get('itemprop') or ''} {attrs.get('property') or ''}".strip()
        if said and any(_MACHINE.search(each) for each in said.split()):
            value = attrs.get("content") or attrs.get("title")
        elif node.tag == "abbr" or (node.tag in {"time", "span"} and DATE_HINT.search(node.hints)):
            value = attrs.get("title")
    if not value:
        value = next((attrs[name] for name in _DATA if attrs.get(name)), None)
    if not value or not _DIGIT.search(value) or len(value) > LONGEST_DATE_TEXT:
        return None
    found = reader.parse(value)
    if found is None or found.rule.startswith(("time-only", "numeric:no-year", "month-year")):
        return None
    return Clue(found=found, text=value, where="attribute", node=node)


def _text_clue(nodes: list[Node], title: Node | None, tree: Tree, reader: DateReader) -> Clue | None:
    """The first short piece of text that is a date; else a long text's opening date."""
    opening: Clue | None = None
    skip_to = 0
    for node in nodes:
        if node.index < skip_to:
            continue
        if title is not None and node is title:
            skip_to = node.end
            continue
        words = node.text or (tree.words(node) if _may_be_date_box(node) else "")
        if not words or not _MAYBE.search(words):
            continue
        is_around_title = title is not None and title in node
        if len(words) <= LONGEST_DATE_TEXT and not is_around_title:
            clue = _short_clue(node, words, reader)
            if clue is not None:
                return clue
        elif node.text and opening is None:
            opening = _opening_clue(node, reader)
    return opening


def _may_be_date_box(node: Node) -> bool:
    return node.tag in BLOCKS or node.tag in {
        "span",
        "time",
        "small",
        "em",
        "i",
        "b",
        "strong",
        "font",
        "a",
        "nobr",
        "abbr",
    }


def _short_clue(node: Node, words: str, reader: DateReader) -> Clue | None:
    found = reader.parse(words)
    if found is None:
        return None
    is_hinted = _says_date(node)
    beside = _letters_beside(words, found)
    if found.rule.startswith(_WEAK) and ((beside > 0 and not is_hinted) or beside > 12):
        return None
    if found.rule == "numeric:no-year" and not is_hinted and not re.search(r"\d\d[./]\d\d", words):
        return None
    if beside > (60 if is_hinted else _LETTERS_BESIDE):
        return None
    return Clue(found=found, text=words, where="text", node=node)


def _says_date(node: Node) -> bool:
    holder: Node | None = node
    for _ in range(3):
        if holder is None:
            return False
        if holder.tag == "time" or (holder.attrs and DATE_HINT.search(holder.hints)):
            return True
        holder = holder.parent
    return False


def _opening_clue(node: Node, reader: DateReader) -> Clue | None:
    """A date that opens a text and is set off from it (``25.05.2018 – The centre…``)."""
    start = normalise(node.text[:60])
    found = next(iter(reader.within(start)), None)
    if found is None or found.start > 2 or found.rule.endswith(":no-year"):
        return None
    is_set_off = re.match(r"\s*(?:[–—|:•\-]|г\.\s*[–—-]|\.\s)", start[found.end :]) is not None
    is_numeric = found.rule.startswith(("numeric", "iso"))
    return (
        Clue(found=found, text=found.text, where="opening", node=node) if is_set_off or is_numeric else None
    )


def _letters_beside(text: str, found: DateFound) -> int:
    plain = normalise(text)
    return len(_NOT_LETTER.sub("", plain[: found.start] + plain[found.end :]))


def _is_at_edge(text: str, found: DateFound) -> bool:
    before = _NOT_LETTER.sub("", text[: found.start])
    after = _NOT_LETTER.sub("", text[found.end :])
    return len(before) == 0 or after in {"", "г", "года"}

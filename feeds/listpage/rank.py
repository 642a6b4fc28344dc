"""Which lists of a page a person would subscribe to. Contains no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.listpage.tree import Node, Tree, climb
from feeds.listpage.words import (
    ASIDE_HEADING,
    ASIDE_HINT,
    NEVER_HEADING,
    NEWS_ADDRESS,
    NEWS_HEADING,
    NEWS_HINT,
    OTHER_ADDRESS,
)
from feeds.model import Entry, EntryList

#: A list of another make than the best is main only when it is at least this good beside it.
_OTHER_MAKE = 0.45
#: More of its addresses than this shown in a better list: it repeats that list.
_REPEATS = 0.6


@dataclass(slots=True, eq=False)
class Ranked:
    """A list before it is known whether it is a main one."""

    heading: str
    entries: tuple[Entry, ...]
    make: str
    container: Node
    quality: float
    score: float = 0.0
    #: 1 the heading says news, -1 it says something else, 0 it does not say.
    says: int = 0


def mark_main(lists: Sequence[Ranked], tree: Tree, *, page_url: str) -> tuple[EntryList, ...]:
    """The lists in page order, the main ones marked."""
    if not lists:
        return ()
    page_words = max(1, tree.length(tree.root))
    for each in lists:
        each.says = _heading_says(each.heading)
        each.score = _score(each, tree, page_words, _host(page_url))
    by_score = sorted(lists, key=lambda each: -each.score)
    best = by_score[0]
    mains = [best]
    for each in by_score[1:]:
        if _is_main(each, best) and not _repeats(each, mains):
            mains.append(each)
    return tuple(
        EntryList(
            heading=each.heading,
            main=any(each is main for main in mains),
            confidence=round(min(1.0, each.quality / 1.4), 2),
            entries=each.entries,
        )
        for each in lists
    )


def _heading_says(heading: str) -> int:
    said = heading.lower()
    if NEVER_HEADING.search(said):
        return -1
    if NEWS_HEADING.search(said):
        return 1
    return -1 if ASIDE_HEADING.search(said) else 0


def _score(each: Ranked, tree: Tree, page_words: int, host: str) -> float:
    score: float = each.quality * len(each.entries) ** 0.6
    score *= {1: 1.5, 0: 1.0, -1: 0.3}[each.says]
    hints = " ".join(
        holder.hints
        for holder in (each.container, *climb(each.container))
        if _is_own(holder, tree, page_words)
    )
    if ASIDE_HINT.search(hints):
        score *= 0.6
    if NEWS_HINT.search(hints):
        score *= 1.2
    score *= _address_factor(each.entries)
    own = sum(_host(entry.url) == host for entry in each.entries if entry.url)
    if own < 0.5 * len(each.entries):
        score *= 0.5
    return score


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _address_factor(entries: Sequence[Entry]) -> float:
    """Addresses such as ``/news/5`` speak for a list, ``/forum/5`` and ``/file.pdf`` against it."""
    paths = [entry.url.partition("//")[2] for entry in entries if entry.url]
    paths = ["/" + path.partition("/")[2] if not path.startswith("forum.") else "//forum." for path in paths]
    news = sum(NEWS_ADDRESS.search(path) is not None for path in paths)
    other = sum(OTHER_ADDRESS.search(path) is not None for path in paths)
    if other > 0.5 * len(entries) and news <= other:
        return 0.5
    return 1.25 if news > 0.5 * len(entries) else 1.0


def _is_own(holder: Node, tree: Tree, page_words: int) -> bool:
    """Class names of an element round most of the page say nothing about this list."""
    return bool(holder.attrs) and tree.length(holder) < 0.5 * page_words


def _is_main(each: Ranked, best: Ranked) -> bool:
    if each.says < 0 or (best.says > 0 and each.says == 0 and each.heading):
        return False
    if len(each.entries) == 1 < len(best.entries) and not each.heading:
        return False  # a lone teaser somewhere on a page that has a list
    if each.make == best.make and not _is_other_kind(each, best):
        return each.score >= 0.08 * best.score
    return each.says > 0 and each.score >= _OTHER_MAKE * best.score


def _is_other_kind(each: Ranked, best: Ranked) -> bool:
    """Lists of one make where one is dated throughout and the other not at all are not of one kind."""
    if min(len(each.entries), len(best.entries)) < 3:
        return False
    shares = [
        sum(entry.published_rule != "" for entry in one.entries) / len(one.entries) for one in (each, best)
    ]
    return abs(shares[0] - shares[1]) > 0.8


def _repeats(each: Ranked, mains: Sequence[Ranked]) -> bool:
    shown = {entry.url for main in mains for entry in main.entries}
    titles = {entry.title for main in mains for entry in main.entries}
    again = sum(
        entry.title in titles or (entry.url is not None and entry.url in shown) for entry in each.entries
    )
    return again > _REPEATS * len(each.entries)

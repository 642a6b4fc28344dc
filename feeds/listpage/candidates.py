"""Which of the proposed groups are lists of news: scored by their items, overlaps resolved.

Contains no I/O.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from feeds.listpage.fields import Title, choose_titles, weight_of
from feeds.listpage.links import Group, Links, Record, is_heading_link, lone_root, propose_groups
from feeds.listpage.moments import Clue, DateReader, clue_in_title, find_clue
from feeds.listpage.territory import Stretch, split_by_headings
from feeds.listpage.tree import Node, Tree, climb
from feeds.listpage.words import FURNITURE_HINT

#: Below this a group is a menu, a tag cloud or a row of buttons.
LEAST_QUALITY = 0.22
#: More groups than this on one page are noise (a forum index, a hostile page).
MAX_GROUPS = 400
#: A title that must convince alone is longer than one of many.
_LONE_TITLE = 20
_MOST_LONE = 40
_FURNITURE_TAGS = frozenset(("nav", "footer", "header", "form", "menu"))


@dataclass(slots=True, eq=False)
class Candidate:
    """A stretch of records with what was read of each."""

    stretch: Stretch
    titles: list[Title | None]
    clues: list[Clue | None]
    quality: float
    #: Titles without a date glued to them, by record number.
    trimmed: dict[int, str] = field(default_factory=dict)
    dated: float = 0.0
    texted: float = 0.0
    furniture: bool = False

    @property
    def records(self) -> list[Record]:
        """The records, in page order."""
        return self.stretch.records

    @property
    def total(self) -> float:
        """How much news the candidate holds."""
        size = max(1, sum(title is not None for title in self.titles))
        return self.quality * float(size**0.6)

    @property
    def start(self) -> int:
        """Index of the first node."""
        return self.records[0].start

    @property
    def end(self) -> int:
        """Index after the last node."""
        return max(record.end for record in self.records)

    def date_all(self, heading: Node, tree: Tree, reader: DateReader) -> None:
        """Gives records without a date the date that stands over the list as a heading."""
        text = tree.words(heading)
        found = reader.parse(text)
        if found is None:
            return
        clue = Clue(found=found, text=text, where="heading", node=heading)
        self.clues = [each if each is not None else clue for each in self.clues]


def find_candidates(tree: Tree, links: Links, reader: DateReader) -> list[Candidate]:
    """The best set of groups that do not overlap, in page order."""
    page_words = max(1, tree.length(tree.root))
    found: list[list[Candidate]] = []
    for group in propose_groups(links)[:MAX_GROUPS]:
        if not _is_worth_reading(group, links):
            continue
        stretches = split_by_headings(group, tree, is_date=reader.is_date)
        found.append([_candidate(each, links, tree, reader, page_words) for each in stretches])
    chosen = _without_overlaps(found)
    chosen += _lone_items(tree, links, reader, chosen, page_words)
    return sorted(chosen, key=lambda candidate: candidate.start)


def _lone_items(
    tree: Tree, links: Links, reader: DateReader, chosen: Sequence[Candidate], page_words: int
) -> list[Candidate]:
    """Dated items that stand alone: a list of one looks like no list at all."""
    found: list[Candidate] = []
    headed = (link for link in links.all if not link.is_more and weight_of(link.text) >= _LONE_TITLE)
    for link in islice((link for link in headed if is_heading_link(link, tree)), _MOST_LONE):
        if any(each.start <= link.node.index < each.end for each in (*chosen, *found)):
            continue
        root = lone_root(link, links, tree, [(each.start, each.end) for each in (*chosen, *found)])
        if root.parent is None:
            continue
        stretch = Stretch(records=[Record(nodes=[root], root=root)], container=root.parent)
        candidate = _candidate(stretch, links, tree, reader, page_words)
        if candidate.dated and candidate.quality >= LEAST_QUALITY and not candidate.furniture:
            found.append(candidate)
    return found


def is_furniture(node: Node, tree: Tree, page_words: int) -> bool:
    """Whether ``node`` stands in navigation, a footer and the like, and not in the page's body."""
    for holder in (node, *climb(node)):
        if holder.tag == "body" or tree.length(holder) > 0.5 * page_words:
            return False
        if holder.tag in _FURNITURE_TAGS and not _is_item_part(holder):
            return True
        if holder.attrs and holder.tag != "article" and FURNITURE_HINT.search(holder.hints):
            return True
    return False


def _is_item_part(holder: Node) -> bool:
    return holder.tag == "header" and any(each.tag in {"article", "li", "section"} for each in climb(holder))


def _is_worth_reading(group: Group, links: Links) -> bool:
    best = [
        max((weight_of(link.text) for link in links.of(record)), default=0.0) for record in group.records[:12]
    ]
    if statistics.median(best) >= 12:
        return True
    # Short or repeated link texts ("Details") still make a list when much stands beside them.
    return all(record.end - record.start > 6 for record in group.records[:6])


def _candidate(stretch: Stretch, links: Links, tree: Tree, reader: DateReader, page_words: int) -> Candidate:
    titles = choose_titles(stretch.records, links, tree)
    candidate = Candidate(stretch=stretch, titles=titles, clues=[None] * len(titles), quality=0.0)
    known = [title for title in titles if title is not None]
    if not known:
        return candidate
    candidate.furniture = is_furniture(stretch.container, tree, page_words)
    quality = _title_quality(known)
    if quality <= 0.1 or (candidate.furniture and quality < 0.9):
        return candidate
    _read_dates(candidate, tree, reader)
    candidate.dated = sum(clue is not None for clue in candidate.clues) / len(titles)
    candidate.texted = _share_with_text(candidate, tree)
    pictured = sum(_has_image(record, tree) for record in stretch.records) / len(titles)
    richness = 0.4 + 0.8 * candidate.dated + 0.3 * candidate.texted + 0.15 * pictured
    others = _other_titles(candidate, links)
    candidate.quality = quality * richness / (1.0 + others) * (0.15 if candidate.furniture else 1.0)
    return candidate


def _title_quality(titles: Sequence[Title]) -> float:
    weights = [weight_of(title.text) for title in titles]
    middle = statistics.median(weights)
    words = statistics.median(len(title.text.split()) + weight_of(title.text) // 30 for title in titles)
    length = (
        0.05 if middle < 8 else 0.25 if middle < 14 else 0.5 if middle < 22 else 0.8 if middle < 30 else 1.0
    )
    if middle > 250:
        length = 0.6
    if words < 3 and middle < 30:
        length *= 0.5
    distinct = len({title.text for title in titles}) / len(titles)
    return length * distinct


def _read_dates(candidate: Candidate, tree: Tree, reader: DateReader) -> None:
    for number, (record, title) in enumerate(zip(candidate.records, candidate.titles, strict=True)):
        candidate.clues[number] = find_clue(record, title.node if title else None, tree, reader)
    _dates_from_titles(candidate, reader)
    current: Node | None = None
    for number, record in enumerate(candidate.records):
        current = candidate.stretch.dates.get(record.root.index, current)
        if current is None or candidate.clues[number] is not None:
            continue
        found = reader.parse(tree.words(current))
        if found is not None:
            candidate.clues[number] = Clue(
                found=found, text=tree.words(current), where="heading", node=current
            )


def _dates_from_titles(candidate: Candidate, reader: DateReader) -> None:
    """Dates glued to titles, when the list does it throughout: one such title is about a date."""
    open_ones = [number for number, clue in enumerate(candidate.clues) if clue is None]
    glued = {}
    for number in open_ones:
        title = candidate.titles[number]
        found = clue_in_title(title.text, reader) if title is not None else None
        if found is not None:
            glued[number] = found
    if len(glued) < 0.5 * len(candidate.titles):
        return
    for number, (clue, rest) in glued.items():
        candidate.clues[number] = clue
        candidate.trimmed[number] = rest


def _share_with_text(candidate: Candidate, tree: Tree) -> float:
    texted = 0
    for record, title in zip(candidate.records, candidate.titles, strict=True):
        length = sum(len(node.text) for node in tree.nodes[record.start : record.end] if node.text)
        texted += title is not None and length - len(title.text) > 60
    return texted / len(candidate.titles)


def _has_image(record: Record, tree: Tree) -> bool:
    return any(node.tag == "img" for node in tree.nodes[record.start : record.end])


def _other_titles(candidate: Candidate, links: Links) -> float:
    """How many other title-like links a record holds on average: sections hold several, items none."""
    own = {title.href for title in candidate.titles if title is not None}
    counts = []
    for record, title in zip(candidate.records, candidate.titles, strict=True):
        if title is None:
            continue
        path = title.link.path if title.link is not None else -1
        others = {
            link.href
            for link in links.of(record)
            if link.href != title.href
            and not link.is_more
            and (link.node.path == path or weight_of(link.text) > 35)
        }
        counts.append(min(len(others - own) + 0.5 * len(others & own), 6))
    return statistics.fmean(counts) if counts else 0.0


def _without_overlaps(found: list[list[Candidate]]) -> list[Candidate]:
    """Of groups inside each other, the ones that read better as items."""
    sets = [[each for each in group if each.quality >= LEAST_QUALITY] for group in found]
    sets = [group for group in sets if group]
    sets.sort(key=lambda group: (_start(group), -_end(group)))
    chosen: list[list[Candidate]] = []
    for group in sets:
        rivals = [other for other in chosen if _start(other) < _end(group) and _start(group) < _end(other)]
        if not rivals:
            chosen.append(group)
        elif all(_is_better(group, other, sets) for other in rivals):
            chosen = [other for other in chosen if other not in rivals]
            chosen.append(group)
    return [each for group in chosen for each in group]


def _is_better(group: list[Candidate], other: list[Candidate], sets: list[list[Candidate]]) -> bool:
    """Whether ``group`` (later or inner) should stand instead of ``other`` (earlier or outer)."""
    inner = [
        each
        for each in sets
        if each is not other and _start(other) <= _start(each) and _end(each) <= _end(other)
    ]
    mine = _quality(group)
    if any(each is group for each in inner):
        if _are_titles_inside(other, inner):
            best = max(inner, key=_total)
            return _quality(best) >= 0.7 * _quality(other) or sum(map(_total, inner)) > _total(other)
        return mine > 1.2 * _quality(other) and sum(map(_total, inner)) > 1.5 * _total(other)
    return _total(group) > _total(other)


def _are_titles_inside(outer: list[Candidate], inner: list[list[Candidate]]) -> bool:
    spans = [(record.start, record.end) for group in inner for each in group for record in each.records]
    titles = [title for each in outer for title in each.titles if title is not None]
    held = sum(any(start <= title.node.index < end for start, end in spans) for title in titles)
    return held > 0.5 * len(titles)


def _start(group: list[Candidate]) -> int:
    return min(each.start for each in group)


def _end(group: list[Candidate]) -> int:
    return max(each.end for each in group)


def _total(group: list[Candidate]) -> float:
    return sum(each.total for each in group)


def _quality(group: list[Candidate]) -> float:
    return statistics.fmean(each.quality for each in group)

"""Which neighbours belong to an item, and where a heading begins another list.

In hand-made pages an item has no element of its own: ``<h3>``, ``<span>date``, ``<p>`` follow each
other. The gap between two items tells how much of it belongs to the former and to the latter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feeds.listpage.links import Group, Record
from feeds.listpage.tree import HEADINGS, Node, Tree
from feeds.listpage.words import TITLE_HINT

#: A heading is short; longer "headings" are text in a heading's clothes.
LONGEST_HEADING = 120
#: What may follow a lone title and still be its item.
_ALONE = frozenset({"p", "span", "div", "#text", "br", "dd", "time", "small"})
_WRAPPERS = frozenset({"b", "strong", "u", "font", "span", "center", "big", "div", "td", "p"})


@dataclass(slots=True, eq=False)
class Stretch:
    """Records that follow each other without a section heading between them."""

    records: list[Record]
    container: Node
    #: The heading that opened the stretch, when it stands among the records.
    heading: Node | None = None
    #: Headings that are only a date, by the record they stand before.
    dates: dict[int, Node] = field(default_factory=dict)


def split_by_headings(group: Group, tree: Tree, *, is_date: Callable[[str], bool]) -> list[Stretch]:
    """The group's records, cut where a section heading stands between two of them."""
    _drop_headings(group, tree)
    children = group.container.children
    place = {id(child): number for number, child in enumerate(children)}
    positions = [place[id(record.root)] for record in group.records]
    gaps = [children[a + 1 : b] for a, b in itertools.pairwise(positions)]
    level = _title_level(group, tree)
    splitting = _splitting_keys(gaps, tree, level)
    stretches = [Stretch(records=[group.records[0]], container=group.container)]
    _open_first(stretches[0], _own_to_first(children[: positions[0]], gaps), tree, level, is_date)
    for record, gap in zip(group.records[1:], gaps, strict=True):
        heading = next(
            (node for node in reversed(gap) if node.key in splitting and _is_heading(node, tree, level)), None
        )
        if heading is not None and is_date(tree.words(heading)):
            stretches[-1].dates[record.root.index] = heading
        elif heading is not None:
            stretches.append(Stretch(records=[], container=group.container, heading=heading))
        stretches[-1].records.append(record)
    for stretch in stretches:
        _spread(stretch, children, place)
    return stretches


def _drop_headings(group: Group, tree: Tree) -> None:
    """Section headings with a link of their own (an RSS icon) look like items of the same make."""
    heads = [record for record in group.records if _is_bare_heading(record.root, tree)]
    if heads and len(heads) <= 0.4 * len(group.records):
        group.records = [record for record in group.records if record not in heads]


def _is_bare_heading(root: Node, tree: Tree) -> bool:
    inside = tree.inside(root)
    heading = next((each for each in inside if each.tag in HEADINGS), None)
    if heading is None or tree.length(root) > min(60, tree.length(heading) + 3):
        return False
    return not any(each.tag == "a" and tree.length(each) for each in inside)


def heading_words(node: Node, tree: Tree) -> str:
    """The text of a heading-like element; empty when it is none."""
    words = tree.words(node)
    return words if 1 < len(words) <= LONGEST_HEADING else ""


def heading_inside(node: Node, tree: Tree) -> Node | None:
    """The heading element that is, or alone fills, ``node`` (``<div class="title"><h2>…``)."""
    if node.tag in HEADINGS or node.tag in {"caption", "legend", "th"}:
        return node
    words = tree.words(node)
    if not 1 < len(words) <= LONGEST_HEADING:
        return None
    inside = tree.inside(node)
    real = next(
        (each for each in inside if each.tag in HEADINGS and tree.length(each) >= len(words) - 40), None
    )
    if real is not None:
        return real
    if sum(each.tag in {"a", "ul", "ol", "form"} for each in inside) > 2:
        return None
    return node if _is_dressed(node) else _dressed_inside(node, tree)


def _dressed_inside(node: Node, tree: Tree) -> Node | None:
    sole = [child for child in node.children if child.tag not in {"br", "a"}]
    if len(sole) != 1 or sole[0].tag not in _WRAPPERS:
        return None
    return heading_inside(sole[0], tree) if sole[0].tag != "span" or _has_title_class(sole[0]) else None


def _is_dressed(node: Node) -> bool:
    """Whether bold type or a class name makes a heading of an element that is none."""
    return node.tag in {"b", "strong"} or (bool(node.attrs) and _has_title_class(node))


def _has_title_class(node: Node) -> bool:
    return TITLE_HINT.search(node.hints) is not None and node.tag != "li"


def _title_level(group: Group, tree: Tree) -> int:
    """The level of headings inside the records (h3 -> 3); 7 where they have none."""
    levels = [
        int(node.tag[1])
        for record in group.records[:5]
        for each in record.nodes
        for node in tree.inside(each)
        if node.tag in HEADINGS
    ]
    return min(levels, default=7)


def _is_heading(node: Node, tree: Tree, level: int) -> bool:
    heading = heading_inside(node, tree)
    if heading is None or not heading_words(heading, tree):
        return False
    return int(heading.tag[1]) <= level if heading.tag in HEADINGS else True


def _splitting_keys(gaps: Sequence[list[Node]], tree: Tree, level: int) -> set[str]:
    """Makes of elements that head sections: in some gaps, not in most (those are parts of items)."""
    seen: dict[str, int] = {}
    for gap in gaps:
        for key in {node.key for node in gap if node.tag != "#text" and _is_heading(node, tree, level)}:
            seen[key] = seen.get(key, 0) + 1
    # One gap alone cannot tell; then only real headings of a level above the titles' do.
    return {key for key, count in seen.items() if count <= max(1, 0.6 * len(gaps))}


def _own_to_first(before: list[Node], gaps: Sequence[list[Node]]) -> list[Node]:
    """What stands before the first record and is no part of items (those parts are in all gaps)."""
    parts = {key for gap in gaps for key in {node.key for node in gap}}
    usual = {
        key for key in parts if sum(any(node.key == key for node in gap) for gap in gaps) > 0.6 * len(gaps)
    }
    return [node for node in before if len(gaps) < 2 or node.key not in usual]


def _open_first(
    stretch: Stretch, before: Sequence[Node], tree: Tree, level: int, is_date: Callable[[str], bool]
) -> None:
    for node in reversed(before[-4:]):
        if node.tag != "#text" and _is_heading(node, tree, level):
            if is_date(tree.words(node)):
                stretch.dates[stretch.records[0].root.index] = node
                continue
            stretch.heading = node
            return


def _spread(stretch: Stretch, children: list[Node], place: dict[int, int]) -> None:
    """Gives each record the neighbours that are its own."""
    positions = [place[id(record.root)] for record in stretch.records]
    floor = place[id(stretch.heading)] + 1 if stretch.heading is not None else max(0, positions[0] - 6)
    floor = max(
        [floor, *(place[id(node)] + 1 for node in stretch.dates.values() if place[id(node)] < positions[0])]
    )
    gaps = [children[a + 1 : b] for a, b in itertools.pairwise(positions)]
    lead = _lead(gaps, children[floor : positions[0]])
    longest = max((len(gap) for gap in gaps), default=0) - lead
    for number, record in enumerate(stretch.records):
        at = positions[number]
        ahead = min(lead, at - floor) if number == 0 else lead
        if number + 1 < len(positions):
            until = positions[number + 1] - lead
        else:
            reach = longest if gaps else 3 * _is_thin(record.root)
            until = _tail_end(children, at, reach, {node.key for gap in gaps for node in gap})
        dated = stretch.dates.get(record.root.index)
        first = max(at - ahead, place[id(dated)] + 1 if dated is not None else 0)
        record.nodes = children[first : max(until, at + 1)]


def _lead(gaps: Sequence[list[Node]], before: list[Node]) -> int:
    """How many neighbours before a root belong to it: what stands before the first and before all."""
    lead = 0
    usual = [gap for gap in gaps if gap]
    while usual and lead < len(before) and lead < 6:
        key = before[-1 - lead].key
        if not all(len(gap) > lead and gap[-1 - lead].key == key for gap in usual):
            break
        lead += 1
    # A separator alone (<br>, <hr>) before each item says nothing about whose it is.
    while lead and before[-lead].tag in {"br", "hr"}:
        lead -= 1
    return lead


def _is_thin(root: Node) -> bool:
    """Whether a root is only its title, so that the rest of the item must stand beside it."""
    return root.tag in HEADINGS or root.tag in {"a", "b", "strong", "dt", "span"}


def _tail_end(children: list[Node], at: int, longest: int, known: set[str]) -> int:
    """The last item has no successor: it gets as much of what the others had, and no new section."""
    allowed = known or _ALONE
    until = at + 1
    while until < len(children) and until - at <= longest:
        node = children[until]
        if (node.key if known else node.tag) not in allowed:
            break
        until += 1
    return until

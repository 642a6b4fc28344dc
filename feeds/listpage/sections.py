"""The heading over a list: the nearest one whose part of the page holds the list. Contains no I/O."""

from __future__ import annotations

from collections.abc import Callable

from feeds.listpage.candidates import Candidate
from feeds.listpage.territory import heading_inside, heading_words
from feeds.listpage.tree import HEADINGS, Node, Tree
from feeds.listpage.words import MORE_TEXT

#: A heading further up than this belongs to the page, not to the list.
_MAX_STEPS = 9
#: Blocks between a heading and its list that are looked past (introductions, filters, toolbars).
_MAX_BLOCKS = 12
_LONGEST_LABEL = 50


def headings_of(
    candidate: Candidate, tree: Tree, taken: list[tuple[int, int]], *, is_date: Callable[[str], bool]
) -> tuple[Node | None, Node | None]:
    """The heading over the candidate's first record, and the date that stands as a heading under it.

    ``taken`` are the stretches of all lists of the page.
    """
    if candidate.stretch.heading is not None:
        return heading_inside(candidate.stretch.heading, tree) or candidate.stretch.heading, None
    node = candidate.records[0].nodes[0]
    date: Node | None = None
    for _ in range(_MAX_STEPS):
        parent = node.parent
        if parent is None:
            break
        found = _before(node, parent, tree, taken)
        if found is not None and is_date(tree.words(found)):
            date = date or found
            found = _before(found, parent, tree, taken) if found.parent is parent else None
            found = None if found is not None and is_date(tree.words(found)) else found
        if found is not None:
            return found, date
        node = parent
    return None, date


def _before(node: Node, parent: Node, tree: Tree, taken: list[tuple[int, int]]) -> Node | None:
    siblings = parent.children
    at = next(number for number, each in enumerate(siblings) if each is node)
    if node.tag in {"td", "th"}:
        return _above_in_column(parent, at, tree)
    for number in range(at - 1, max(-1, at - 1 - _MAX_BLOCKS), -1):
        sibling = siblings[number]
        if sibling.tag == "#text" or any(start < sibling.end and sibling.index < end for start, end in taken):
            continue
        heading = _sole_heading(sibling, tree)
        if heading is None and number == _last_before(siblings, at):
            heading = _label(sibling, tree)
        if heading is not None:
            return _paired(heading, number, at, siblings, tree)
    return None


def _above_in_column(row: Node, column: int, tree: Tree) -> Node | None:
    """Layout tables put headings into the row above, cell over cell."""
    rows = row.parent.children if row.parent is not None else []
    at = next((number for number, each in enumerate(rows) if each is row), 0)
    if at == 0 or len(row.children) < 2 or len(rows[at - 1].children) != len(row.children):
        return None
    cell = rows[at - 1].children[column]
    return _sole_heading(cell, tree) or _label(cell, tree)


def _last_before(siblings: list[Node], at: int) -> int:
    return next((number for number in range(at - 1, -1, -1) if tree_has_words(siblings[number])), -1)


def tree_has_words(node: Node) -> bool:
    """Whether any text stands in ``node``."""
    return bool(node.text) or any(tree_has_words(child) for child in node.children)


def _sole_heading(node: Node, tree: Tree) -> Node | None:
    """The heading ``node`` is, or consists of but for a few words ("all news")."""
    heading = heading_inside(node, tree)
    if heading is None and tree.length(node) < 400:
        heading = next(
            (each for each in tree.inside(node) if each.tag in HEADINGS and tree.words(each)), None
        )
        if heading is not None and tree.length(node) > tree.length(heading) + 60:
            heading = None
    return heading if heading is not None and heading_words(heading, tree) else None


def _label(node: Node, tree: Tree) -> Node | None:
    """A few words directly over a list, in no heading's clothes, are its heading all the same."""
    words = tree.words(node)
    if (
        not 3 <= len(words) <= _LONGEST_LABEL
        or not any(map(str.isalpha, words))
        or MORE_TEXT.fullmatch(words)
    ):
        return None
    if (
        node.tag in {"ul", "ol", "form", "img", "nav"}
        or sum(each.tag == "a" for each in tree.inside(node)) > 2
    ):
        return None
    return node


def _paired(heading: Node, number: int, at: int, siblings: list[Node], tree: Tree) -> Node:
    """Columns: headings in a row over as many blocks in a row belong to each other in order."""
    row = [heading]
    back = number - 1
    while (
        back >= 0 and (other := _sole_heading(siblings[back], tree)) is not None and other.tag == heading.tag
    ):
        row.insert(0, other)
        back -= 1
    blocks = [
        each for each in siblings[number + 1 :] if each.tag not in {"#text", "br"} and tree.length(each) > 40
    ]
    follows = next((place for place, each in enumerate(blocks) if each is siblings[at]), 0)
    return row[follows] if len(row) > 1 and len(blocks) >= len(row) > follows else heading

"""The links of a page and the records they stand in: repeated pieces with one news item each.

Links in equal places (same chain of tags and lasting classes) propose records: the largest element
around each link that holds no other link of the group. Contains no I/O.
"""

from __future__ import annotations

import bisect
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from feeds.listpage.tree import HEADINGS, Node, Tree, climb
from feeds.listpage.words import MORE_TEXT, SHARE_LINK

#: More links of one kind than this are an index, not a list; the rest is not looked at.
MAX_LINKS_OF_A_KIND = 400
#: Headings further before a link than this many nodes are not its section's.
_NEAR = 300
#: Shorter link texts are buttons and rubrics more often than titles.
_SHORT = 8
#: In a container with more children only the proposed ones and those between them are looked at.
_MAX_CHILDREN = 2_000


@dataclass(slots=True, eq=False)
class Link:
    """A link to another page (or to a fragment of one)."""

    node: Node
    #: As written, without the fragment when there is anything else.
    href: str
    text: str
    is_more: bool = False


@dataclass(slots=True, eq=False)
class Record:
    """One piece of a list: neighbouring nodes that together make an item."""

    nodes: list[Node]
    root: Node

    @property
    def start(self) -> int:
        """Index of the first node."""
        return self.nodes[0].index

    @property
    def end(self) -> int:
        """Index after the last node."""
        return self.nodes[-1].end


@dataclass(slots=True, eq=False)
class Group:
    """Records in one container, in page order."""

    container: Node
    records: list[Record] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Index of the first node of the first record."""
        return self.records[0].start

    @property
    def end(self) -> int:
        """Index after the last node of the last record."""
        return self.records[-1].end


class Links:
    """All usable links of a page, answerable by stretch of the document."""

    def __init__(self, tree: Tree, *, page_url: str) -> None:
        self.tree = tree
        self.all: list[Link] = []
        for node in tree.nodes:
            if node.tag == "a" and (link := _usable(node, tree, page_url)) is not None:
                self.all.append(link)
        self._starts = [link.node.index for link in self.all]

    def between(self, start: int, end: int) -> list[Link]:
        """Links that stand in ``nodes[start:end]``."""
        return self.all[bisect.bisect_left(self._starts, start) : bisect.bisect_left(self._starts, end)]

    def of(self, record: Record) -> list[Link]:
        """Links of a record."""
        return self.between(record.start, record.end)


def propose_groups(links: Links) -> list[Group]:
    """Every set of sibling elements that could be the items of a list; they may overlap."""
    roots: dict[int, dict[int, Node]] = defaultdict(dict)
    for kind in _kinds(links.all).values():
        for root in _roots_of(kind, links.tree):
            if root.parent is not None:
                roots[root.parent.index][root.index] = root
    _add_parents(roots)
    groups = [group for members in roots.values() for group in _by_make(list(members.values()), links)]
    return sorted(groups, key=lambda group: (group.start, -group.end))


def _usable(node: Node, tree: Tree, page_url: str) -> Link | None:
    href = node.attr("href").strip()
    if not href or href.startswith("#") or SHARE_LINK.match(href):
        return None
    target, _, fragment = href.partition("#")
    if not target or target == page_url:
        return None
    # "#!/news/1" and "?goto=#post12" are addresses of their own; "/news/1#comments" is not.
    href = href if fragment.startswith("!") or fragment.isdigit() else target
    text = tree.words(node)
    return Link(node=node, href=href, text=text, is_more=bool(text) and MORE_TEXT.fullmatch(text) is not None)


def _kinds(links: Iterable[Link]) -> dict[int, list[Link]]:
    kinds: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        kinds[link.node.path].append(link)
    return {
        path: kind[:MAX_LINKS_OF_A_KIND]
        for path, kind in kinds.items()
        if len({each.href for each in kind}) > 1
    }


def _roots_of(kind: Sequence[Link], tree: Tree) -> list[Node]:
    """The largest element around each link of a kind that holds no other address of the kind."""
    holders: dict[int, set[str]] = defaultdict(set)
    for link in kind:
        for holder in (link.node, *climb(link.node)):
            holders[holder.index].add(link.href)
    roots = [_below_heading(link, _largest(link.node, holders), tree) for link in kind]
    usual = Counter(root.depth for root in roots).most_common(1)[0][0]
    return [_lowered(link.node, root, usual) for link, root in zip(kind, roots, strict=True)]


def _largest(node: Node, holders: dict[int, set[str]]) -> Node:
    root = node
    for holder in climb(node):
        if len(holders[holder.index]) > 1:
            break
        root = holder
    return root


def _below_heading(link: Link, root: Node, tree: Tree) -> Node:
    """A section with one item is taken for the item: step below the section's heading.

    A heading of the section's own is of a higher level than the link's, or directly before it.
    """
    if link.is_more or len(link.text) < 15:
        return root
    level = next((int(each.tag[1]) for each in (link.node, *climb(link.node)) if each.tag in HEADINGS), 7)
    for node in tree.nodes[max(root.index, link.node.index - _NEAR) : link.node.index]:
        if node.tag not in HEADINGS or link.node in node or int(node.tag[1]) >= level:
            continue
        words = tree.words(node)
        between = sum(len(each.text) for each in tree.nodes[node.end : link.node.index] if each.text)
        if 1 < len(words) <= 80 and between <= 40 and not words[0].isdigit():
            return next(
                each for each in reversed([link.node, *climb(link.node)]) if node not in each and each in root
            )
    return root


def is_heading_link(link: Link, tree: Tree) -> bool:
    """Whether the link is, holds or stands in a heading."""
    near = (link.node.parent, link.node.parent.parent if link.node.parent is not None else None)
    return any(each is not None and each.tag in HEADINGS for each in near) or any(
        each.tag in HEADINGS for each in tree.inside(link.node)
    )


def lone_root(link: Link, links: Links, tree: Tree, taken: Sequence[tuple[int, int]]) -> Node:
    """The largest element round a link with no other title, list or section heading in it."""
    limit = _below_heading(link, tree.root, tree)
    root = link.node
    for holder in climb(link.node):
        if holder.tag == "body" or holder is limit.parent:
            break
        others = (each for each in links.between(holder.index, holder.end) if each.href != link.href)
        if any(len(each.text) >= 20 and not each.is_more for each in others):
            break
        if any(start < holder.end and holder.index < end for start, end in taken):
            break
        if any(
            each.tag in HEADINGS and link.node not in each and each not in link.node
            for each in tree.inside(holder)
        ):
            break
        root = holder
    return root


def _lowered(node: Node, root: Node, depth: int) -> Node:
    """A lone item fills its whole section: take the element at the depth the others stand at."""
    if root.depth >= depth:
        return root
    return next((each for each in (node, *climb(node)) if each.depth == depth), root)


def _add_parents(roots: dict[int, dict[int, Node]]) -> None:
    """Where two links of one kind share an item, the item is the container: propose that too."""
    above: dict[tuple[int, int], list[Node]] = defaultdict(list)
    for members in roots.values():
        container = next(iter(members.values())).parent
        if container is not None and container.parent is not None and len(members) <= 6:
            above[container.parent.index, container.path].append(container)
    for (index, _), containers in above.items():
        if len(containers) > 1:
            roots[index].update((each.index, each) for each in containers)


def _by_make(roots: list[Node], links: Links) -> list[Group]:
    """Roots of one container as groups: one make of element, or several makes of one item list."""
    makes: dict[str, list[Node]] = defaultdict(list)
    for root in roots:
        makes[root.key].append(root)
    groups: list[tuple[list[Node], set[str], bool]] = []
    for members in sorted(makes.values(), key=len, reverse=True):
        inside = [link for root in members for link in links.between(root.index, root.end)]
        hrefs = {link.href for link in inside}
        is_titled = statistics.median(len(link.text) for link in inside) >= _SHORT
        # A featured item beside plain ones joins them; the picture links of the same items do not.
        home = next(
            (
                each
                for each in groups
                if is_titled and each[2] and each[0][0].tag == members[0].tag and not each[1] & hrefs
            ),
            None,
        )
        if home is None:
            groups.append((list(members), hrefs, is_titled))
        else:
            home[0].extend(members)
            home[1].update(hrefs)
    return [_group(members, links) for members, _, _ in groups]


def _group(roots: list[Node], links: Links) -> Group:
    """Roots of one container, with siblings of the same make that a link of another kind holds."""
    container = roots[0].parent
    assert container is not None  # noqa: S101  (propose_groups keeps only roots with a parent)
    keys = Counter(root.key for root in roots)
    chosen = {root.index for root in roots}
    children = container.children
    if len(children) > _MAX_CHILDREN:
        children = [child for child in children if roots[0].index <= child.index <= roots[-1].index]
    members = [
        child
        for child in children
        if child.index in chosen
        or (
            keys[child.key] > 1
            and child.tag not in HEADINGS
            and any(len(link.text) >= _SHORT for link in links.between(child.index, child.end))
        )
        or (child.key not in keys and child.tag == roots[0].tag and _is_lead(child, links))
    ]
    return Group(container=container, records=[Record(nodes=[each], root=each) for each in members])


def _is_lead(node: Node, links: Links) -> bool:
    """A featured item among others of another make: one address, its title in a heading."""
    if node.tag in HEADINGS:
        return False
    own = [link for link in links.between(node.index, node.end) if len(link.text) >= 20 and not link.is_more]
    return len({link.href for link in own}) == 1 and any(is_heading_link(link, links.tree) for link in own)

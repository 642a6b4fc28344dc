"""Title and link of each record: chosen by place, make and words, the same way for the whole list.

Contains no I/O.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from feeds.listpage.links import Link, Links, Record
from feeds.listpage.tree import BLOCKS, HEADINGS, Node, Tree, climb
from feeds.listpage.words import META_HINT, MORE_TEXT, TITLE_HINT

#: Longer titles are teasers; a title is cut by people at a third of this.
LONGEST_TITLE = 400
#: More pieces than this are no line of text.
_LINE = 20
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3})\s*$")
_LETTER = re.compile(r"[^\W\d_]")
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\u3040-\u30ff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The title of a record, where it stands and where it leads."""

    text: str
    href: str
    #: The element that holds the words.
    node: Node
    #: The link that was chosen (its whole text may be more than the title).
    link: Node | None


def choose_titles(records: Sequence[Record], links: Links, tree: Tree) -> list[Title | None]:
    """One title per record, ``None`` where a record has neither link nor heading."""
    own = [links.of(record) for record in records]
    repeated = _repeated(own)
    scores = [
        {id(link): _score(link, record, repeated, tree) for link in each}
        for record, each in zip(records, own, strict=True)
    ]
    favourite = _favourite(own, scores)
    return [
        _title(record, each, score, favourite, tree)
        for record, each, score in zip(records, own, scores, strict=True)
    ]


def weight_of(text: str) -> float:
    """Length of a text in Latin letters: a Chinese or Japanese character says as much as three."""
    return len(text) + 2.0 * len(_WIDE.findall(text))


def _repeated(own: Sequence[list[Link]]) -> set[str]:
    """Texts that lead to different places in several records: "Details", a rubric, an author."""
    targets: dict[str, set[str]] = defaultdict(set)
    for each in own:
        for link in each:
            targets[link.text.lower()].add(link.href)
    return {text for text, hrefs in targets.items() if text and len(hrefs) >= max(3, 0.25 * len(own))}


def _score(link: Link, record: Record, repeated: set[str], tree: Tree) -> float:
    text = link.text or link.node.attr("title")
    weight = weight_of(text)
    if weight < 4 or not _LETTER.search(text):
        return -100.0
    if link.is_more or text.lower() in repeated:
        return -80.0
    score = min(weight, 90.0) - (25.0 if not link.text else 0.0)
    if weight < 12:
        score -= 10.0
    inner_heading = any(node.tag in HEADINGS for node in tree.inside(link.node))
    chain = [link.node, *(each for each in climb(link.node) if record.start <= each.index)][:5]
    if inner_heading or any(each.tag in HEADINGS for each in chain):
        score += 70.0
    elif not _is_standalone(link, tree):
        score -= 50.0
    if weight > LONGEST_TITLE and not inner_heading:
        score -= 40.0
    return score + _hinted(chain)


def _hinted(chain: Sequence[Node]) -> float:
    score = 0.0
    for node in chain[:3]:
        hints = node.hints
        if not hints:
            continue
        if TITLE_HINT.search(hints):
            score += 25.0
            break
        if META_HINT.search(hints):
            score -= 45.0
            break
    rel = chain[0].attr("rel")
    if "bookmark" in rel:
        score += 25.0
    return score - (70.0 if "tag" in rel.split() else 0.0)


def _is_standalone(link: Link, tree: Tree) -> bool:
    """Whether the link is most of its line, not words inside a sentence."""
    node = link.node
    while node.parent is not None and node.parent.tag not in BLOCKS and node.parent.tag != "body":
        node = node.parent
    siblings = _near(node)
    length = 0
    for each in siblings:
        if each.tag == "br" or each.tag in BLOCKS:
            if each.index > node.index:
                break
            length = 0
        else:
            length += len(each.text or tree.words(each))
    return length <= 2 * len(link.text) + 60


def _near(node: Node) -> list[Node]:
    """The siblings round ``node``, not more than a line can hold."""
    siblings = node.parent.children if node.parent is not None else [node]
    if len(siblings) <= 2 * _LINE:
        return siblings
    at = bisect.bisect_left(siblings, node.index, key=lambda each: each.index)
    return siblings[max(0, at - _LINE) : at + _LINE]


def _favourite(own: Sequence[list[Link]], scores: Sequence[dict[int, float]]) -> int:
    """The kind of link that makes the best titles over all records."""
    total: Counter[int] = Counter()
    for each, score in zip(own, scores, strict=True):
        best: dict[int, float] = {}
        for link in each:
            best[link.node.path] = max(best.get(link.node.path, 0.0), score[id(link)])
        total.update({path: int(value) for path, value in best.items()})
    return total.most_common(1)[0][0] if total else 0


def _title(
    record: Record, own: Sequence[Link], scores: dict[int, float], favourite: int, tree: Tree
) -> Title | None:
    liked = [link for link in own if link.node.path == favourite and scores[id(link)] > 0]
    best = liked[0] if liked else max(own, key=lambda link: scores[id(link)], default=None)
    if best is not None and scores[id(best)] > 0:
        named = _unlinked_heading(record, best, tree) if not liked else None
        if named is None:
            return _from_link(best, tree)
    heading = _heading_of(record, tree)
    target = next((link for link in own if link.is_more), own[0] if own else None)
    if heading is None:
        return _from_link(best, tree) if best is not None and scores[id(best)] > 0 else None
    return Title(
        text=tree.text_of(heading),
        href=target.href if target is not None else "",
        node=heading,
        link=target.node if target is not None and target.node in heading else None,
    )


def _unlinked_heading(record: Record, best: Link, tree: Tree) -> Node | None:
    heading = _heading_of(record, tree)
    return heading if heading is not None and best.node not in heading and heading not in best.node else None


def _from_link(link: Link, tree: Tree) -> Title:
    node = title_part(link.node, tree)
    text = tree.text_of(node)
    full = link.node.attr("title").strip()
    if not text and full:
        return Title(text=full, href=link.href, node=link.node, link=link.node)
    stem = _ELLIPSIS.sub("", text)
    if stem != text and len(full) > len(stem) and full.lower().startswith(stem[:20].lower()):
        text = full
    return Title(text=text, href=link.href, node=node, link=link.node)


def title_part(node: Node, tree: Tree) -> Node:
    """The element inside a link round a whole card that is the title; the link itself when it is plain."""
    inside = tree.inside(node)
    for each in inside:
        if each.tag in HEADINGS and tree.words(each):
            return each
    blocks = [
        each
        for each in inside
        if each.tag in BLOCKS or (each.tag in {"span", "b", "strong", "time"} and each is not node)
    ]
    if not blocks:
        return node
    for each in blocks:
        if TITLE_HINT.search(each.hints) and weight_of(tree.words(each)) >= 10:
            return each
    whole = tree.length(node)
    strong = next(
        (each for each in inside if each.tag in {"b", "strong"} and weight_of(tree.words(each)) >= 15), None
    )
    if strong is not None:
        return strong
    parts = [each for each in blocks if weight_of(tree.words(each)) >= 12 and tree.length(each) < whole - 5]
    leaves = [each for each in parts if not any(other is not each and other in each for other in parts)]
    loose = any(child.tag == "#text" and weight_of(child.text) >= 12 for child in node.children)
    return leaves[0] if leaves and not loose else node


def _heading_of(record: Record, tree: Tree) -> Node | None:
    """A heading, bold line or titled element that is no link: the title of "read more" records."""
    inside = tree.nodes[record.start : record.end]
    for each in inside:
        if each.tag in HEADINGS and weight_of(tree.words(each)) >= 4:
            return each
    for each in inside:
        if each.tag in {"#text", "li"}:
            continue
        words = tree.words(each)
        if (
            TITLE_HINT.search(each.hints)
            and 8 <= weight_of(words) <= LONGEST_TITLE
            and not MORE_TEXT.fullmatch(words)
        ):
            return each
    return next(
        (
            each
            for each in inside
            if each.tag in {"b", "strong"} and 12 <= weight_of(tree.words(each)) <= LONGEST_TITLE
        ),
        None,
    )

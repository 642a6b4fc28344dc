"""A page as a light tree in document order, so that every question is a slice or a step.

selectolax parses; this copies what list detection needs (elements and words, no scripts) into plain
objects with an index, so containment is two comparisons. Bounded in nodes and depth. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.errors import ParseError

#: A list page of a news site has 1,000–8,000 nodes; beyond this it is not read to the end.
MAX_NODES = 30_000
#: Tree builders are quadratic in depth; real pages stay under 60, broken ones under 300.
MAX_DEPTH = 1_000
#: With fewer tags than this even the worst nesting is parsed in 0.1 s, so nobody needs to count.
_FEW_TAGS = 8_000
#: Deeper elements are read as if they stood at this depth.
_FLAT_BELOW = 250

_SKIPPED = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "select", "option", "textarea"}
    | {"iframe", "object", "embed", "head", "audio", "video", "map"}
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog"}
    | {"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2"}
    | {"h3", "h4", "h5", "h6", "header", "hgroup", "hr", "li", "main", "nav", "ol", "p", "pre"}
    | {"section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
    | {"caption"}
)
_SPACES = re.compile(r"\s+")
_LONG_TAG = re.compile(r"(<[a-zA-Z][a-zA-Z0-9]*)[^<>]{10000,}>")
_MANY_ATTRIBUTES = 500
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>")
#: Elements HTML5 closes by itself or that hold nothing; they never add depth for long.
_SELF_CLOSING = frozenset(
    {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "br", "hr"}
    | {"img", "input", "meta", "link", "base", "area", "col", "source", "wbr", "param", "embed"}
)


class Node:
    """An element, or a run of text (``tag == "#text"``)."""

    __slots__ = (
        "_hints",
        "attrs",
        "children",
        "depth",
        "end",
        "index",
        "key",
        "parent",
        "path",
        "tag",
        "text",
    )

    def __init__(self, *, tag: str, parent: Node | None, index: int, depth: int) -> None:
        self.tag = tag
        self.parent = parent
        self.index = index
        #: Index after the last node inside; ``index < other.index < end`` means "contains".
        self.end = index + 1
        self.depth = depth
        self.attrs: dict[str, str | None] = _NOTHING
        self.children: list[Node] = _NO_CHILDREN
        self.text = ""
        self._hints: str | None = None
        #: Tag with the class names that do not vary by item: equal for items of one list.
        self.key = tag
        #: Number of the chain of keys from the root: equal for equal places.
        self.path = 0

    def __contains__(self, other: Node) -> bool:
        return self.index <= other.index < self.end

    def attr(self, name: str) -> str:
        """The attribute's value, empty when missing or without value."""
        return self.attrs.get(name) or ""

    @property
    def hints(self) -> str:
        """Class, id and itemprop in lower case: where authors say what a thing is."""
        if self._hints is None:
            said = (
                (self.attrs.get("class"), self.attrs.get("id"), self.attrs.get("itemprop"))
                if self.attrs
                else ()
            )
            self._hints = " ".join(each for each in said if each).lower()
        return self._hints


_NOTHING: dict[str, str | None] = {}
_NO_CHILDREN: list[Node] = []


class Tree:
    """All nodes of a page in document order."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.root = nodes[0]
        self._words: dict[tuple[int, int], str] = {}
        #: Length of all text before each node, a space after each piece.
        self._before = [0, *accumulate(len(node.text) + 1 if node.text else 0 for node in nodes)]

    def inside(self, node: Node) -> list[Node]:
        """``node`` and everything in it, in document order."""
        return self.nodes[node.index : node.end]

    def words(self, node: Node) -> str:
        """The text of ``node`` as one line; kept, because it is asked for often."""
        span = (node.index, node.end)
        known = self._words.get(span)
        if known is None:
            known = self._words[span] = " ".join(each.text for each in self.inside(node) if each.text)
        return known

    def length(self, node: Node) -> int:
        """``len(words(node))`` without making the words."""
        return max(0, self._before[node.end] - self._before[node.index] - 1)

    def text_of(self, node: Node) -> str:
        """Like :meth:`words`, but inline elements do not put spaces into words (``<b>К</b>нига``)."""
        parts: list[str] = []
        gap = False
        for each in self.inside(node):
            if each.text:
                loose = gap or each.attrs is _SPACED or each.attrs is _SPACED_BEFORE
                parts.append(f" {each.text}" if loose else each.text)
                gap = each.attrs is _SPACED or each.attrs is _SPACED_AFTER
            elif each.tag in BLOCKS or each.tag in {"br", "img"}:
                gap = True
        return _SPACES.sub(" ", "".join(parts)).strip()


# Text nodes have no attributes; the slot says on which side white space was.
_SPACED: dict[str, str | None] = {"both": None}
_SPACED_BEFORE: dict[str, str | None] = {"before": None}
_SPACED_AFTER: dict[str, str | None] = {"after": None}
_SIDES = {
    (False, False): _NOTHING,
    (True, False): _SPACED_BEFORE,
    (False, True): _SPACED_AFTER,
    (True, True): _SPACED,
}


def parse_html(text: str, *, url: str) -> LexborHTMLParser:
    """The page parsed by HTML5's rules; :class:`ParseError` for nesting no author writes."""
    if text.count("<") > _FEW_TAGS and _counted_depth(text) > MAX_DEPTH:
        raise ParseError("too-deep", url, f"elements nest deeper than {MAX_DEPTH}: not a page for people")
    return LexborHTMLParser(_LONG_TAG.sub(_without_swarm, text))


def build_tree(parser: LexborHTMLParser, *, url: str) -> Tree:
    """The body of the page as a :class:`Tree`; :class:`ParseError` when there is none."""
    body = parser.body
    if body is None:
        raise ParseError("no-list", url, "the page has no body")
    root = Node(tag="body", parent=None, index=0, depth=0)
    root.attrs = body.attributes
    nodes = [root]
    paths: dict[tuple[int, str], int] = {}
    stack: list[tuple[LexborNode, Node]] = [(body, root)]
    cursor: LexborNode | None = body.child
    owner = root
    while len(nodes) < MAX_NODES:
        if cursor is None:
            owner.end = len(nodes)
            element, _ = stack.pop()
            if not stack:
                break
            cursor, owner = element.next, stack[-1][1]
            continue
        tag = cursor.tag or ""
        if tag == "-text":
            _add_text(cursor, owner, nodes)
        elif tag[:1] not in {"-", "!", "_"} and tag not in _SKIPPED:
            child = _add_element(cursor, tag, owner, nodes, paths)
            if child.depth < _FLAT_BELOW and (inner := cursor.child) is not None:
                stack.append((cursor, child))
                cursor, owner = inner, child
                continue
        cursor = cursor.next
    for _, left in stack:  # the limit was reached: close what is open
        left.end = len(nodes)
    return Tree(nodes)


def climb(node: Node) -> Iterator[Node]:
    """The ancestors of ``node``, nearest first."""
    while node.parent is not None:
        node = node.parent
        yield node


def _without_swarm(tag: re.Match[str]) -> str:
    """A tag with thousands of attributes costs the parser their square; a long picture address does not."""
    return tag[0] if tag[0].count("=") < _MANY_ATTRIBUTES else tag[1] + ">"


def _add_text(source: LexborNode, owner: Node, nodes: list[Node]) -> None:
    raw = source.text_content
    if not raw or raw.isspace():
        return
    text = _SPACES.sub(" ", raw)
    words = text.strip(" \u200b\ufeff")
    if not words:
        return
    node = Node(tag="#text", parent=owner, index=len(nodes), depth=owner.depth + 1)
    node.text = words
    node.attrs = _SIDES[text[0] == " ", text[-1] == " "]
    _adopt(owner, node, nodes)


def _add_element(
    source: LexborNode, tag: str, owner: Node, nodes: list[Node], paths: dict[tuple[int, str], int]
) -> Node:
    node = Node(tag=tag, parent=owner, index=len(nodes), depth=owner.depth + 1)
    node.attrs = source.attributes
    classes = node.attrs.get("class") if node.attrs else None
    node.key = f"{tag}.{_lasting(classes)}" if classes else tag
    node.path = paths.setdefault((owner.path, node.key), len(paths) + 1)
    _adopt(owner, node, nodes)
    return node


def _adopt(owner: Node, node: Node, nodes: list[Node]) -> None:
    if owner.children is _NO_CHILDREN:
        owner.children = []
    owner.children.append(node)
    nodes.append(node)


_DIGITS = re.compile(r"\d+")
#: Class names that tell items of one list apart instead of together.
_VARYING = re.compile(
    r"(?:first|last|odd|even|active|current|selected|alt|new|sticky|featured|clearfix|hentry|promoted|leaf|expanded"
    r"|collapsed|wow|animated|fade\w*|show|open|visible|hidden|no-?image|with-?image|has-.*|no-.*"
    r"|(?:post|category|cat|tag|type|status|format|author|term|node|item|id|bx|news|product|views-row|row|col|item"
    r"|topic|taxonomy|sticky|is|lang)[-_].*|.*[-_](?:first|last|odd|even|active|current|new))"
)


@lru_cache(maxsize=4096)
def _lasting(classes: str) -> str:
    kept = {_DIGITS.sub("", each) for each in classes.lower().split()[:12]}
    return ".".join(sorted(each for each in kept if each and not _VARYING.fullmatch(each)))


def _counted_depth(text: str) -> int:
    depth = deepest = 0
    for closing, name, closed in _TAG.findall(text):
        if closed or name.lower() in _SELF_CLOSING:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest

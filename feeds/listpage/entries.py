"""Records made entries: clean text, absolute addresses, believed dates. Contains no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from feeds.clean import clean_text, safe_url
from feeds.listpage.candidates import Candidate
from feeds.listpage.fields import Title
from feeds.listpage.links import Record
from feeds.listpage.moments import Clue, DateReader, clue_in_teaser, clue_in_url, year_from_url
from feeds.listpage.tree import Node, Tree
from feeds.listpage.words import META_HINT, MORE_TEXT, TEASER_HINT
from feeds.model import Entry, LanguageCode

#: A teaser is a teaser; whole articles are fetched, not listed.
LONGEST_TEASER = 1_000
_LAZY = ("data-src", "data-original", "data-lazy-src", "data-lazy", "src")
_ICON = re.compile(
    r"(?:icon|sprite|spacer|pixel|blank|bullet|arrow|avatar|logo|rss|1x1|loader|print|transparent)[\w-]*\.\w{3,4}",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(r"background(?:-image)?\s*:[^;]*url\(\s*['\"]?([^'\")]+)", re.IGNORECASE)
_EDGE = " \t-–—|:,;•·"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Where the page is, and what relative links are relative to (``<base href>``)."""

    url: str
    base: str


def make_entries(
    candidate: Candidate, tree: Tree, reader: DateReader, address: PageAddress, *, section: str
) -> tuple[Entry, ...]:
    """The candidate's records as entries, in page order, each address once."""
    entries: dict[str, Entry] = {}
    repeated = _repeated_texts(candidate, tree)
    for number, (record, title) in enumerate(zip(candidate.records, candidate.titles, strict=True)):
        if title is None:
            continue
        url = safe_url(title.href, base_url=address.base) if title.href else None
        text = clean_text(candidate.trimmed.get(number, title.text)).strip(" ").strip()
        if not text or (url is None and title.href):
            continue
        clue = candidate.clues[number]
        summary = _teaser(record, title, clue, tree, repeated)
        entry = _entry(title, text, url, _final_clue(clue, url, summary, reader), summary, reader, section)
        entry = _with_image(entry, _image(record, tree, address.base), _language(record, title))
        entries.setdefault(url or text, entry)
    return tuple(entries.values())


def _final_clue(clue: Clue | None, url: str | None, summary: str, reader: DateReader) -> Clue | None:
    if clue is not None:
        return year_from_url(clue, url or "", reader)
    return (clue_in_url(url, reader) if url else None) or clue_in_teaser(summary, reader)


def _entry(
    title: Title,
    text: str,
    url: str | None,
    clue: Clue | None,
    summary: str,
    reader: DateReader,
    section: str,
) -> Entry:
    judged = reader.judged(clue)
    return Entry(
        title=text,
        url=url,
        summary=summary,
        published=judged.when,
        published_text=clean_text(judged.text),
        published_rule=judged.rule if clue is not None else "",
        section=section,
    )


def _with_image(entry: Entry, image: str | None, language: LanguageCode | None) -> Entry:
    return Entry(
        title=entry.title,
        url=entry.url,
        summary=entry.summary,
        published=entry.published,
        published_text=entry.published_text,
        published_rule=entry.published_rule,
        section=entry.section,
        image=image,
        language=language,
    )


def _repeated_texts(candidate: Candidate, tree: Tree) -> set[str]:
    """Short texts most records share: labels and buttons, not teasers."""
    seen: dict[str, int] = {}
    for record in candidate.records:
        texts = {
            node.text.lower()
            for node in tree.nodes[record.start : record.end]
            if node.text and len(node.text) < 80
        }
        for text in texts:
            seen[text] = seen.get(text, 0) + 1
    least = max(2, 0.5 * len(candidate.records))
    return {text for text, count in seen.items() if count >= least} if len(candidate.records) > 2 else set()


def _teaser(record: Record, title: Title, clue: Clue | None, tree: Tree, repeated: set[str]) -> str:
    """The running text of a record: what is not title, date, label or button."""
    nodes = tree.nodes[record.start : record.end]
    hinted = _hinted_teaser(nodes, title, tree)
    pieces = _pieces(tree.inside(hinted) if hinted is not None else nodes, title, clue, tree, repeated)
    text = clean_text(" ".join(pieces)[: 3 * LONGEST_TEASER]).strip(_EDGE)
    if len(text) < 15 or MORE_TEXT.fullmatch(text):
        return ""
    return _shortened(text)


def _hinted_teaser(nodes: list[Node], title: Title, tree: Tree) -> Node | None:
    """An element whose class says "teaser" and that holds text but not the title."""
    for node in nodes:
        if not node.attrs or title.node in node or node in title.node:
            continue
        if TEASER_HINT.search(node.hints) and tree.length(node) >= 40:
            return node
    return None


def _pieces(
    nodes: Iterable[Node], title: Title, clue: Clue | None, tree: Tree, repeated: set[str]
) -> Iterable[str]:
    skip_to = 0
    for node in nodes:
        if node.index < skip_to:
            continue
        if node.text:
            if not _is_label(node, repeated):
                yield _without_opening_date(node, clue)
        elif node is title.node or _is_date_box(node, clue) or _is_aside(node, tree):
            skip_to = node.end


def _is_date_box(node: Node, clue: Clue | None) -> bool:
    return clue is not None and clue.where != "opening" and node is clue.node


def _is_aside(node: Node, tree: Tree) -> bool:
    """Buttons, rubrics, counters and small headings: in the item, but not its text."""
    if node.tag in {"a", "button"} and _is_button(node, tree):
        return True
    if node.tag in {"h1", "h2", "h3"}:
        return True
    return bool(node.attrs) and META_HINT.search(node.hints) is not None and tree.length(node) < 80


def _is_label(node: Node, repeated: set[str]) -> bool:
    return (
        node.text.lower() in repeated
        or MORE_TEXT.fullmatch(node.text) is not None
        or not any(map(str.isalnum, node.text))
    )


def _is_button(node: Node, tree: Tree) -> bool:
    words = tree.words(node)
    return not words or MORE_TEXT.fullmatch(words) is not None


def _without_opening_date(node: Node, clue: Clue | None) -> str:
    if clue is None or clue.where != "opening" or node is not clue.node:
        return node.text
    _, mark, rest = node.text.partition(clue.text)
    return rest.lstrip(_EDGE + ".") if mark else node.text


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEASER:
        return text
    return text[:LONGEST_TEASER].rsplit(" ", 1)[0].rstrip(_EDGE) + "…"


def _image(record: Record, tree: Tree, base: str) -> str | None:
    for node in tree.nodes[record.start : record.end]:
        if node.tag == "img" and not _is_tiny(node):
            source = (
                next((node.attr(name) for name in _LAZY if node.attr(name)), "")
                or node.attr("srcset").split(" ")[0]
            )
        elif node.attrs and "url(" in node.attr("style"):
            found = _BACKGROUND.search(node.attr("style"))
            source = found[1] if found else ""
        else:
            continue
        if source and not source.startswith("data:") and not _ICON.search(source):
            return safe_url(source, base_url=base)
    return None


def _is_tiny(node: Node) -> bool:
    return any(size.isdigit() and int(size) < 24 for size in (node.attr("width"), node.attr("height")))


def _language(record: Record, title: Title) -> LanguageCode | None:
    link = title.link
    said = (
        (link.attr("hreflang") if link is not None else "")
        or record.root.attr("lang")
        or title.node.attr("lang")
    )
    code = said.split("-")[0].strip().lower()
    return LanguageCode(code) if 2 <= len(code) <= 3 and code.isalpha() else None

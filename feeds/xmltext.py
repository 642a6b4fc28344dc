"""XML as feeds write it, made XML a parser can read: prolog looked through, common slips mended.

Done here, so that one slip does not throw the whole document to a forgiving, slower parser: DOCTYPE
taken off (and refused when it defines entities that are more than a word), HTML's named entities
resolved, bare ``&`` escaped, characters and references XML forbids removed, text after the root cut.
CDATA is left as it is. Contains no I/O.
"""

from __future__ import annotations

import html
import html.entities
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from feeds.chars import strip_illegal

#: Elements nested deeper than this are an attack; real feeds with XHTML inside stay below 60.
MAX_DEPTH = 500
#: Longest replacement text of an entity that is still a word and not a bomb.
_MAX_ENTITY = 200
_MAX_ENTITIES = 300
#: Most characters all entity references together may add.
_MAX_GROWTH = 200_000
#: Junk before the first element (PHP warnings) is looked through this far.
_MAX_PROLOG = 50_000

_NAME = re.compile(r"<([A-Za-z_][\w.-]*(?::[\w.-]+)?)(?=[\s/>])")
_ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_REFERENCE = re.compile(
    r"&(?!(?:lt|gt|amp|quot|apos);)(#[xX][0-9a-fA-F]{1,8};|#[0-9]{1,9};|[A-Za-z][\w.-]{0,63};)?"
)
_TAG = re.compile(r"<(/?)[A-Za-z_](?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
_CDATA = "<![CDATA["
_CDATA_END = "]]>"


class DtdRefusedError(ValueError):
    """The document defines entities that refer to others, to files, or are too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolog:
    """What stands before the root element."""

    #: Name of the first element, lower case, with its prefix; empty when there is no element.
    root: str
    #: Where the root element starts.
    start: int
    #: Words of the DOCTYPE, lower case; empty without one.
    doctype: str = ""
    #: Harmless entities of the internal subset.
    entities: Mapping[str, str] = field(default_factory=dict)


def read_prolog(text: str) -> Prolog:
    """Look through declarations, comments and junk up to the first element.

    Raises :class:`DtdRefusedError` for entity definitions that are more than a word, unless the
    document is an HTML page (whose reader never looks at them).
    """
    position, doctype, subset = 0, "", ""
    while 0 <= (position := text.find("<", position)) < _MAX_PROLOG:
        name = _NAME.match(text, position)
        if name is not None and not _is_junk(name.group(1)):
            is_page = doctype.startswith("html") or name.group(1).lower() == "html"
            entities = {} if is_page else _harmless(subset)
            return Prolog(root=name.group(1).lower(), start=position, doctype=doctype, entities=entities)
        if text[position : position + 9].lower() == "<!doctype":
            doctype, subset, position = _read_doctype(text, position)
        else:
            position = _after(text, position)
    if not doctype.startswith("html"):
        _harmless(subset)
    return Prolog(root="", start=0, doctype=doctype)


def mend(text: str, prolog: Prolog) -> str:
    """The root element of ``text``, well-formed as far as spelling goes.

    Raises :class:`DtdRefusedError` when the document's own entities would blow it up.
    """
    end = text.lower().rfind(f"</{prolog.root}")
    stop = text.find(">", end) + 1 if end > prolog.start else 0
    budget = [_MAX_GROWTH]

    def resolved(match: re.Match[str]) -> str:
        return _resolve(match.group(1), prolog.entities, budget)

    pieces = _outside_cdata(strip_illegal(text[prolog.start : stop or len(text)]))
    return "".join(piece if is_cdata else _REFERENCE.sub(resolved, piece) for piece, is_cdata in pieces)


def is_nested_too_deep(text: str) -> bool:
    """Whether elements outside CDATA nest deeper than :data:`MAX_DEPTH`."""
    if text.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for piece, is_cdata in _outside_cdata(text):
        for closing, single in () if is_cdata else _TAG.findall(piece):
            depth += 0 if single else (-1 if closing else 1)
            if depth > MAX_DEPTH:
                return True
    return False


def _is_junk(name: str) -> bool:
    # "<br />\n<b>Warning</b>: ..." is how PHP greets the reader of a feed.
    return name.lower() in {"br", "b", "pre", "font", "strong"}


def _after(text: str, position: int) -> int:
    """Where to look on after the comment, instruction or junk at ``position``; -1 at the end."""
    for opening, closing in (("<!--", "-->"), ("<?", "?>")):
        if text.startswith(opening, position):
            end = text.find(closing, position + len(opening))
            return end + len(closing) if end >= 0 else -1
    return position + 1


def _read_doctype(text: str, position: int) -> tuple[str, str, int]:
    """(words, internal subset, where it ends)."""
    close, bracket = text.find(">", position), text.find("[", position)
    if close < 0:
        return "", "", -1
    if not position < bracket < close:
        return text[position + 9 : close].strip().lower(), "", close + 1
    end = re.compile(r"\]\s*>").search(text, bracket)
    if end is None:
        raise DtdRefusedError("the DOCTYPE never ends")
    return text[position + 9 : bracket].strip().lower(), text[bracket + 1 : end.start()], end.end()


def _harmless(subset: str) -> dict[str, str]:
    found = {match.group(1): match.group(2) or match.group(3) or "" for match in _ENTITY.finditer(subset)}
    # Counted in words: parameter, external and unfinished definitions do not match the expression.
    if subset.upper().count("<!ENTITY") != len(found) or len(found) > _MAX_ENTITIES:
        raise DtdRefusedError("it defines entities outside the plain form")
    for value in found.values():
        if len(value) > _MAX_ENTITY or "%" in value or re.search(r"&(?!#)|<", value):
            raise DtdRefusedError("an entity is longer than a word or refers to another")
    return {name: html.unescape(value) for name, value in found.items()}


def _resolve(reference: str | None, entities: Mapping[str, str], budget: list[int]) -> str:
    """Replacement of one ``&`` reference; ``None`` for a bare ampersand."""
    if reference is None:
        return "&amp;"
    if reference.startswith("#"):
        return f"&{reference}" if _is_legal(reference) else ""
    name = reference.removesuffix(";")
    if name in entities:
        budget[0] -= len(entities[name])
        if budget[0] < 0:
            raise DtdRefusedError("its entities would blow the document up")
        return escape(entities[name])
    known = html.entities.html5.get(reference)
    return escape(known) if known is not None else f"&amp;{reference}"


def _is_legal(reference: str) -> bool:
    digits = reference[1:-1]
    point = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    return point <= 0x10FFFF and bool(strip_illegal(chr(point)))


def _outside_cdata(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of ``text`` in order, each with whether it is a CDATA section."""
    position = 0
    while (start := text.find(_CDATA, position)) >= 0:
        end = text.find(_CDATA_END, start)
        if end < 0:
            break
        yield text[position:start], False
        position = end + len(_CDATA_END)
        yield text[start:position], True
    yield text[position:], False

"""The list of all feeds as OPML 2.0 (http://opml.org/spec2.opml). Contains no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from feeds.render.model import Outline
from feeds.render.text import one_line, rfc822, unambiguous, uri


def render_opml(title: str, outlines: Sequence[Outline], *, modified: datetime) -> bytes:
    """Groups of feeds; every feed has type, text, title, xmlUrl and htmlUrl (RSStT#270).

    OPML needs at least one outline, so an empty list gets a line that says the title.
    """
    body = outlines or (Outline(title=title),)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "<head>",
        f"<title>{escape(unambiguous(one_line(title)))}</title>",
        f"<dateModified>{rfc822(modified)}</dateModified>",
        "</head>",
        "<body>",
        *_lines(body, depth=1),
        "</body>",
        "</opml>",
        "",
    ]
    return "\n".join(lines).encode()


def _lines(outlines: Iterable[Outline], *, depth: int) -> Iterable[str]:
    indent = "  " * depth
    for each in outlines:
        if each.children:
            yield f"{indent}<outline {_attributes(each)}>"
            yield from _lines(each.children, depth=depth + 1)
            yield f"{indent}</outline>"
        else:
            yield f"{indent}<outline {_attributes(each)}/>"


def _attributes(outline: Outline) -> str:
    text = unambiguous(one_line(outline.title))
    if not outline.feed:
        # A title without a type is questionable to the validator; text alone is a group.
        return f"text={quoteattr(text)}"
    named = {
        "type": "rss",
        "text": text,
        "title": text,
        "xmlUrl": uri(outline.feed),
        "htmlUrl": uri(outline.page),
        "language": outline.language or "",
    }
    return " ".join(f"{key}={quoteattr(value)}" for key, value in named.items() if value)

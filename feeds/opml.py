"""OPML 1.0 and 2.0 (http://opml.org/spec2.opml): subscription lists of other readers, read.

Contains no I/O.
"""

from __future__ import annotations

# The document has passed xmltext first: DOCTYPE gone, entities refused, depth limited.
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.clean import clean_text, safe_url
from feeds.decode import decode
from feeds.entries import language_code
from feeds.model import LanguageCode
from feeds.refusals import Refusal, refused
from feeds.xmltext import MAX_DEPTH, DtdRefusedError, is_nested_too_deep, mend, read_prolog

#: No person follows more; a longer file is not a reading list.
MAX_OUTLINES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a subscription list."""

    feed_url: str
    title: str = ""
    page_url: str | None = None
    language: LanguageCode | None = None
    #: Folders it stood in, outermost first.
    folders: tuple[str, ...] = ()


def parse_opml(body: bytes, *, name: str) -> tuple[Outline, ...]:
    """Feeds listed in ``body``, each address once, in order; ``name`` stands in errors.

    Outlines without an http(s) ``xmlUrl`` are folders or links and give no feed of their own.
    Raises :class:`ParseError` when it is no OPML.
    """
    text = decode(body).text
    try:
        prolog = read_prolog(text)
        source = mend(text, prolog) if prolog.root == "opml" else ""
    except DtdRefusedError as error:
        raise refused(Refusal.DTD, name) from error
    if not source:
        raise refused(Refusal.NOT_NEWS, name, what="it is no OPML file")
    if is_nested_too_deep(source):
        raise refused(Refusal.TOO_DEEP, name, limit=str(MAX_DEPTH))
    try:
        root = ET.fromstring(source)  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise refused(Refusal.BROKEN_FEED, name, why=str(error)) from error
    found: dict[str, Outline] = {}
    for outline in _outlines(root, ()):
        found.setdefault(outline.feed_url, outline)
        if len(found) >= MAX_OUTLINES:
            break
    return tuple(found.values())


def _outlines(element: ET.Element, folders: tuple[str, ...]) -> Iterator[Outline]:
    for child in element:
        if child.tag.lower() != "outline":
            yield from _outlines(child, folders)
            continue
        # OPML 1.0 files of the wild write xmlurl, XMLURL, xmlUrl.
        said = {key.lower(): value for key, value in child.attrib.items()}
        title = clean_text(said.get("title") or said.get("text") or "")
        feed_url = safe_url(said["xmlurl"].strip()) if said.get("xmlurl") else None
        if feed_url is not None:
            yield Outline(
                feed_url=feed_url,
                title=title,
                page_url=safe_url(said.get("htmlurl", "").strip()),
                language=language_code(said.get("language", "")),
                folders=folders,
            )
        yield from _outlines(child, (*folders, title) if title and feed_url is None else folders)

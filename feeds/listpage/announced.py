"""What JSON-LD says about the items, put beside what the page shows. Contains no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from feeds.dates import read_published
from feeds.listpage.moments import DateReader
from feeds.model import Entry, EntryList
from feeds.structured import Structured, StructuredItem
from feeds.urls import canonical_url

#: Fewer described articles than this are the page's own description, not a list.
_LEAST_LIST = 2


def completed(
    lists: Sequence[EntryList], structured: Structured, reader: DateReader
) -> tuple[EntryList, ...]:
    """``lists`` with dates, images and authors from JSON-LD; a list made of it where the page shows none."""
    if not structured.items:
        return tuple(lists)
    known = {canonical_url(item.url): item for item in structured.items}
    if not any(each.main for each in lists):
        return (*lists, *_described(structured, reader))
    return tuple(
        replace(each, entries=tuple(_filled(entry, known, reader) for entry in each.entries))
        for each in lists
    )


def _described(structured: Structured, reader: DateReader) -> tuple[EntryList, ...]:
    if len(structured.items) < _LEAST_LIST:
        return ()
    entries = tuple(
        _with_facts(Entry(title=item.title, url=item.url), item, reader) for item in structured.items
    )
    return (EntryList(entries=entries, confidence=0.9),)


def _filled(entry: Entry, known: dict[str, StructuredItem], reader: DateReader) -> Entry:
    item = known.get(canonical_url(entry.url)) if entry.url else None
    return entry if item is None else _with_facts(entry, item, reader)


def _with_facts(entry: Entry, item: StructuredItem, reader: DateReader) -> Entry:
    """JSON-LD dates have a zone and a time, so they win; words the reader sees stay as they are."""
    published = read_published(item.published, language=None, timezone=reader.timezone, now=reader.now)
    changed = read_published(item.modified, language=None, timezone=reader.timezone, now=reader.now)
    is_better = published.when is not None
    return replace(
        entry,
        summary=entry.summary or item.summary,
        published=published.when if is_better else entry.published,
        published_text=item.published if is_better else entry.published_text,
        published_rule=f"json-ld:{published.rule}" if is_better else entry.published_rule,
        updated=changed.when or entry.updated,
        image=entry.image or item.image,
        author=entry.author or item.author,
        language=entry.language or item.language,
    )

"""Which entry is which item: keys, fingerprints, and new | changed | known. Pure.

An entry has several keys, best first: its guid, its address, its title with its date. A key counts
only when it tells the entries of one document apart; keys several entries share are left out, so that
a source which gives all its entries the same guid is read by address instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from feeds.model import Entry, ItemId
from feeds.urls import canonical_url

#: Version of the fingerprint's recipe; another recipe must not make every item look edited.
_RECIPE = "1"
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What storage holds under a key."""

    #: ``None`` for a tombstone: known, deleted, must not come back.
    item_id: ItemId | None
    #: ``None`` when another source owns the item's text.
    fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entry nobody has seen."""

    entry: Entry
    keys: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A known item whose title, text or date differs materially."""

    entry: Entry
    keys: tuple[str, ...]
    fingerprint: str
    item_id: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A known item, unchanged, or a tombstone."""

    entry: Entry
    keys: tuple[str, ...]
    fingerprint: str
    item_id: ItemId | None


Match = New | Changed | Known


def entry_keys(entries: Sequence[Entry]) -> tuple[tuple[str, ...], ...]:
    """The keys of each entry that tell it apart within its document, best first."""
    raw = [_raw_keys(entry) for entry in entries]
    shared = Counter(key for keys in raw for key in set(keys))
    return tuple(
        tuple(key for key in keys if shared[key] == 1) or (_last_resort(entry),)
        for entry, keys in zip(entries, raw, strict=True)
    )


def fingerprint_of(entry: Entry) -> str:
    """Changes when title, text or address change; a date alone is often bumped without news."""
    text = entry.summary or entry.content_html
    return f"{_RECIPE}:{_hash(_folded(entry.title), _folded(text), canonical_url(entry.url or '') or '')}"


def match_entries(entries: Sequence[Entry], known: Mapping[str, KnownItem]) -> tuple[Match, ...]:
    """Decide for each entry whether it is new, changed or known; each item is matched at most once.

    Entries with the same keys (the same news listed twice) count once.
    """
    matches: list[Match] = []
    taken: set[ItemId] = set()
    seen: set[str] = set()
    for entry, keys in zip(entries, entry_keys(entries), strict=True):
        if keys[0] in seen:
            continue
        seen.add(keys[0])
        print_ = fingerprint_of(entry)
        item = next((known[key] for key in keys if key in known), None)
        if item is None:
            matches.append(New(entry=entry, keys=keys, fingerprint=print_))
        elif item.item_id is None or item.fingerprint in {None, print_} or item.item_id in taken:
            matches.append(Known(entry=entry, keys=keys, fingerprint=print_, item_id=item.item_id))
        else:
            matches.append(Changed(entry=entry, keys=keys, fingerprint=print_, item_id=item.item_id))
        if item is not None and item.item_id is not None:
            taken.add(item.item_id)
    return tuple(matches)


def is_same_news(one: str, other: str) -> bool:
    """Whether two titles under one address are the same news: equal, or one cut short."""
    first, second = _folded(one).rstrip(".… "), _folded(other).rstrip(".… ")
    return first == second or (min(len(first), len(second)) >= 20 and (first.startswith(second) or second.startswith(first)))


def _raw_keys(entry: Entry) -> list[str]:
    keys = []
    if entry.guid:
        keys.append(f"guid:{_hash(entry.guid)}")
    canonical = canonical_url(entry.url) if entry.url else None
    if canonical:
        keys.append(f"url:{_hash(canonical)}")
    if entry.title and entry.published and not canonical:
        keys.append(f"title:{_hash(_folded(entry.title), entry.published.date().isoformat())}")
    return keys


def _last_resort(entry: Entry) -> str:
    canonical = canonical_url(entry.url) if entry.url else None
    return f"all:{_hash(entry.guid or '', canonical or '', _folded(entry.title))}"


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def _hash(*parts: str) -> str:
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

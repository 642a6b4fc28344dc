"""What a document means for storage: which entries are new, changed or shared, and their labels.

The identity rules are :mod:`feeds.identity`, the labels :mod:`feeds.classify`; this module asks
storage what is known and puts the answers together. Nothing is written here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from feeds.classify import Classifier, ClassifyRequest
from feeds.identity import Changed, Known, KnownItem, Match, New, entry_keys, is_same_news, match_entries
from feeds.model import Document, Entry, ItemId, NetworkId, RegionCode, Source, SourceId
from feeds.networks import Networks
from feeds.urls import canonical_url
from storage import items
from storage.items import NewItem, TwinItem

#: Entries per document that are looked at; the longest archives seen in feeds are below.
_MOST_ENTRIES = 2_000
#: Two sources may date the same news by its day and by its minute, in different zones.
_SAME_NEWS_WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything decided about a document before the transaction begins."""

    added: Sequence[NewItem] = ()
    changed: Mapping[ItemId, NewItem] = field(default_factory=dict)
    #: More keys under which known items were seen.
    more_keys: Mapping[ItemId, Sequence[str]] = field(default_factory=dict)
    #: Items other sources own and this one shows too, with what it says about them.
    shared: Mapping[ItemId, NewItem] = field(default_factory=dict)


class Finder:
    """Compares documents with what is stored."""

    def __init__(self, *, classifier: Classifier, networks: Networks) -> None:
        self._classifier = classifier
        self._networks = networks

    async def find(self, session: AsyncSession, source: Source, document: Document) -> Findings:
        """What of ``document`` is new, changed, or shown by another source already."""
        entries = document.main_entries[:_MOST_ENTRIES]
        # Thousands of entries on first sight take a while; the event loop must not wait for them.
        keys = await asyncio.to_thread(entry_keys, entries)
        stored = await items.known_keys(session, source.id, [key for each in keys for key in each])
        known = {
            key: KnownItem(item_id=each.item_id, fingerprint=each.fingerprint if each.owned else None)
            for key, each in stored.items()
        }
        matches = await asyncio.to_thread(match_entries, entries, known)
        fresh = [each for each in matches if not isinstance(each, Known)]
        labelled = await asyncio.to_thread(self._label_all, source, document, fresh)
        borrowed = await items.borrowed_labels(session, [m.item_id for m in fresh if isinstance(m, Changed)])
        return Findings(
            added=[new for match, new in labelled if isinstance(match, New)],
            changed={
                match.item_id: self._with_borrowed(source, new, borrowed.get(match.item_id))
                for match, new in labelled
                if isinstance(match, Changed)
            },
            more_keys={
                match.item_id: [key for key in match.keys if key not in stored]
                for match in matches
                if isinstance(match, Known)
                and match.item_id is not None
                and any(k not in stored for k in match.keys)
            },
        )

    def _label_all(
        self, source: Source, document: Document, matches: Sequence[Match]
    ) -> list[tuple[Match, NewItem]]:
        return [(match, self._label(source, document, match)) for match in matches]

    def _label(self, source: Source, document: Document, match: Match) -> NewItem:
        entry = match.entry
        found = self._classifier.classify(request_for(source, document, entry))
        return NewItem(
            entry=entry,
            keys=match.keys,
            fingerprint=match.fingerprint,
            canonical_url=canonical_url(entry.url) if entry.url else None,
            classification=found,
            scopes=self._networks.scopes_of(found.networks, found.regions, source.id),
        )

    async def share(self, session: AsyncSession, source_id: SourceId, findings: Findings) -> Findings:
        """Set apart what another source has brought already: one address is one item.

        Runs in the transaction that stores the findings: passes over two sources that show the same
        news often run side by side.
        """
        urls = [new.canonical_url for new in findings.added if new.canonical_url]
        twins = await items.twins(session, urls)
        added: list[NewItem] = []
        shared: dict[ItemId, NewItem] = {}
        for new in findings.added:
            known = twins.get(new.canonical_url or "", ())
            same = next((each for each in known if _is_shown_by_both(each, new, source_id)), None)
            if same is None:
                added.append(new)
            else:
                shared[same.item_id] = new
        return replace(findings, added=added, shared=shared)

    def _with_borrowed(
        self, source: Source, new: NewItem, borrowed: tuple[list[NetworkId], list[RegionCode]] | None
    ) -> NewItem:
        """Keep the scopes that another source's labels brought to a changed item."""
        if borrowed is None:
            return new
        networks, regions = borrowed
        found = new.classification
        scopes = self._networks.scopes_of([*found.networks, *networks], [*found.regions, *regions], source.id)
        return replace(new, scopes=scopes)


def _is_shown_by_both(twin: TwinItem, new: NewItem, source_id: SourceId) -> bool:
    """Whether a new entry is the item another source has under the same address.

    A source's own items are told apart by their keys; and an address that serves different news over
    time ("/news") shows other titles or other dates.
    """
    if twin.source_id == source_id or not is_same_news(twin.title, new.entry.title):
        return False
    ours = new.entry.published
    return ours is None or twin.published is None or abs(ours - twin.published) <= _SAME_NEWS_WITHIN


def request_for(source: Source, document: Document, entry: Entry) -> ClassifyRequest:
    """What the classifier is told about an entry of a source's document."""
    return ClassifyRequest(
        title=entry.title,
        text=entry.summary,
        language=entry.language or source.language or document.language,
        url=entry.url,
        section=entry.section,
        source_network=source.network,
        source_region=source.region,
        sections=source.sections,
    )

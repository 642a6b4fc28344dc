"""Items: storing what is new, changing what changed, and finding them for feeds, pages and the bot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import (
    Classification,
    Entry,
    Item,
    ItemId,
    LanguageCode,
    NetworkId,
    RegionCode,
    SourceId,
    StoryId,
)
from feeds.networks import ALL, Scope
from storage.item_rows import item_rows, load
from storage.models import ItemKeyRow, ItemLabelRow, ItemRow, ItemScopeRow, StoryRow
from storage.revisions import touch, touched_since
from storage.sql import chunks, insert_into
from storage.state import next_revision

#: Labels from this position on were lent by another source that shows the item too.
_BORROWED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """What is stored under a key of a source."""

    #: ``None`` for a tombstone: deleted here, must not come back.
    item_id: ItemId | None
    fingerprint: str
    #: Whether this source owns the item's text; others only point at it.
    owned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An entry on its way to become an item, with all that was decided about it."""

    entry: Entry
    keys: tuple[str, ...]
    fingerprint: str
    canonical_url: str | None
    classification: Classification
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinItem:
    """An item with the same canonical address, whatever its source."""

    item_id: ItemId
    story_id: StoryId
    source_id: SourceId
    title: str
    #: ``None`` when its date is our first-seen time.
    published: datetime | None


async def known_keys(session: AsyncSession, source_id: SourceId, keys: Iterable[str]) -> dict[str, KnownKey]:
    """Which of ``keys`` the source was seen with before."""
    found: dict[str, KnownKey] = {}
    for some in chunks(sorted(set(keys))):
        rows = await session.execute(
            select(ItemKeyRow.key, ItemKeyRow.item_id, ItemRow.fingerprint, ItemRow.source_id)
            .outerjoin(ItemRow, ItemRow.id == ItemKeyRow.item_id)
            .where(ItemKeyRow.source_id == source_id, ItemKeyRow.key.in_(some))
        )
        for key, item_id, fingerprint, owner in rows:
            found[key] = KnownKey(
                item_id=ItemId(item_id) if item_id is not None else None,
                fingerprint=fingerprint or "",
                owned=owner == source_id,
            )
    return found


async def twins(session: AsyncSession, canonical_urls: Iterable[str]) -> dict[str, list[TwinItem]]:
    """Items stored under these canonical addresses, whatever their source."""
    found: dict[str, list[TwinItem]] = {}
    for some in chunks(sorted(set(canonical_urls))):
        rows = await session.scalars(
            select(ItemRow).where(ItemRow.canonical_url.in_(some)).order_by(ItemRow.id)
        )
        for row in rows:
            twin = TwinItem(
                item_id=ItemId(row.id),
                story_id=StoryId(row.story_id),
                source_id=SourceId(row.source_id),
                title=row.title,
                published=row.published if row.has_date else None,
            )
            found.setdefault(str(row.canonical_url), []).append(twin)
    return found


async def add(
    session: AsyncSession, source_id: SourceId, items: Sequence[NewItem], *, now: datetime
) -> list[ItemId]:
    """Store new items with their keys, labels and scopes, each as a story of its own.

    Returns their ids in the order given.
    """
    if not items:
        return []
    revision = await next_revision(session)
    ids: list[ItemId] = []
    for some in chunks(items, 100):
        stories = await session.scalars(
            insert(StoryRow).returning(StoryRow.id, sort_by_parameter_order=True),
            [{"created_at": now} for _ in some],
        )
        rows = [
            _columns(new, now=now)
            | {"story_id": story_id, "source_id": source_id, "first_seen": now, "revision": revision}
            for new, story_id in zip(some, stories.all(), strict=True)
        ]
        made = await session.scalars(
            insert(ItemRow).returning(ItemRow.id, sort_by_parameter_order=True), rows
        )
        ids += [ItemId(each) for each in made.all()]
    made_items = dict(zip(ids, items, strict=True))
    await _label(session, made_items)
    await _file(session, made_items, {each: new.entry.published or now for each, new in made_items.items()})
    await touch(session, ids, revision)
    await add_keys(session, source_id, {each: new.keys for each, new in made_items.items()})
    return ids


async def change(
    session: AsyncSession, source_id: SourceId, items: Mapping[ItemId, NewItem], *, now: datetime
) -> None:
    """Give items their new text, labels and scopes; ``updated`` moves, ids and stories stay."""
    before = {
        row.id: row for row in await session.scalars(select(ItemRow).where(ItemRow.id.in_(list(items))))
    }
    items = {each: new for each, new in items.items() if each in before}
    if not items:
        return
    ids = list(items)
    revision = await next_revision(session)
    await touch(session, ids, revision)
    published: dict[ItemId, datetime] = {}
    for item_id, new in items.items():
        columns = _columns(new, now=now) | {"updated": now, "revision": revision}
        if not new.entry.published:
            # The date was first-seen time or is no longer shown: it must not move.
            columns |= {"published": before[item_id].published, "has_date": before[item_id].has_date}
        published[item_id] = columns["published"]
        await session.execute(update(ItemRow).where(ItemRow.id == item_id).values(**columns))
        # Copies follow where it stays filed, as under other sources that show it.
        copies = {name: columns[name] for name in ("language", "published")}
        await session.execute(update(ItemScopeRow).where(ItemScopeRow.item_id == item_id).values(**copies))
    await session.execute(
        delete(ItemLabelRow).where(ItemLabelRow.item_id.in_(ids), ItemLabelRow.position < _BORROWED)
    )
    await _label(session, items)
    await _unfile(session, ids)
    await _file(session, items, published)
    await touch(session, ids, revision)
    await add_keys(session, source_id, {item_id: new.keys for item_id, new in items.items()})


async def borrowed_labels(
    session: AsyncSession, ids: Iterable[ItemId]
) -> dict[ItemId, tuple[list[NetworkId], list[RegionCode]]]:
    """Networks and regions that other sources lent to these items."""
    rows = await session.execute(
        select(ItemLabelRow.item_id, ItemLabelRow.role, ItemLabelRow.code).where(
            ItemLabelRow.item_id.in_(list(ids)), ItemLabelRow.position >= _BORROWED
        )
    )
    found: dict[ItemId, tuple[list[NetworkId], list[RegionCode]]] = {}
    for item_id, role, code in rows:
        networks, regions = found.setdefault(ItemId(item_id), ([], []))
        if role == "network":
            networks.append(NetworkId(code))
        else:
            regions.append(RegionCode(code))
    return found


async def add_keys(session: AsyncSession, source_id: SourceId, keys: Mapping[ItemId, Sequence[str]]) -> None:
    """Remember more keys of items; a key already taken stays with the item it has."""
    rows = [
        {"source_id": source_id, "key": key, "item_id": item_id}
        for item_id, each in keys.items()
        for key in each
    ]
    for some in chunks(rows):
        await session.execute(insert_into(session, ItemKeyRow).on_conflict_do_nothing(), list(some))


async def file_under(
    session: AsyncSession,
    additions: Mapping[ItemId, tuple[Sequence[NetworkId], Sequence[RegionCode], Sequence[Scope]]],
) -> None:
    """File items under more networks, regions and scopes: another source told more about them."""
    if not additions:
        return
    revision = await next_revision(session)
    for item_id, (networks, regions, scopes) in additions.items():
        item = await session.get(ItemRow, item_id)
        if item is None:
            continue
        item.revision = revision
        roles: dict[str, Sequence[str]] = {"network": networks, "about": regions}
        rows = [
            {"item_id": item_id, "role": role, "code": code, "position": _BORROWED + position}
            for role, codes in roles.items()
            for position, code in enumerate(codes)
        ]
        if rows:
            await session.execute(insert_into(session, ItemLabelRow).on_conflict_do_nothing(), rows)
        filed = [
            {"scope": s, "item_id": item_id, "language": item.language, "published": item.published}
            for s in scopes
        ]
        if filed:
            await session.execute(insert_into(session, ItemScopeRow).on_conflict_do_nothing(), filed)
    await session.flush()
    await touch(session, list(additions), revision)


async def scopes_of(session: AsyncSession, ids: Iterable[ItemId]) -> dict[ItemId, set[Scope]]:
    """Where each of ``ids`` is filed."""
    found: dict[ItemId, set[Scope]] = {each: set() for each in ids}
    for some in chunks(sorted(found)):
        rows = await session.execute(
            select(ItemScopeRow.item_id, ItemScopeRow.scope).where(ItemScopeRow.item_id.in_(some))
        )
        for item_id, scope in rows:
            found[ItemId(item_id)].add(Scope(scope))
    return found


async def seen_since(session: AsyncSession, ids: Sequence[ItemId], *, since: datetime) -> list[ItemId]:
    """Those of ``ids`` that were first seen after ``since``."""
    young: list[ItemId] = []
    for some in chunks(ids):
        rows = await session.scalars(
            select(ItemRow.id).where(ItemRow.id.in_(some), ItemRow.first_seen >= since)
        )
        young += [ItemId(each) for each in rows]
    return young


async def newest(
    session: AsyncSession,
    *,
    scope: Scope = ALL,
    language: LanguageCode | None = None,
    limit: int = 50,
    before: tuple[datetime, ItemId] | None = None,
    since: datetime | None = None,
) -> list[Item]:
    """Items of a scope, newest first; ``before`` continues a page, ``since`` bounds the age.

    Reads ``ix_item_scopes_newest`` or its twin with language backwards, never the whole scope.
    """
    filed = select(ItemScopeRow.item_id).where(ItemScopeRow.scope == scope)
    if language is not None:
        filed = filed.where(ItemScopeRow.language == language)
    if before is not None:
        # The type is named: left to itself a time would be bound without its zone.
        last = tuple_(literal(before[0], ItemScopeRow.published.type), literal(before[1]))
        filed = filed.where(tuple_(ItemScopeRow.published, ItemScopeRow.item_id) < last)
    if since is not None:
        filed = filed.where(ItemScopeRow.published >= since)
    ids = await session.scalars(
        filed.order_by(ItemScopeRow.published.desc(), ItemScopeRow.item_id.desc()).limit(limit)
    )
    return await by_ids(session, [ItemId(each) for each in ids])


async def by_id(session: AsyncSession, item_id: ItemId) -> Item | None:
    """One item."""
    found = await by_ids(session, [item_id])
    return found[0] if found else None


async def by_ids(session: AsyncSession, ids: Sequence[ItemId]) -> list[Item]:
    """Items in the order of ``ids``; unknown ids are left out."""
    found: dict[ItemId, Item] = {}
    for some in chunks(ids):
        found |= {item.id: item for item in await load(session, item_rows().where(ItemRow.id.in_(some)))}
    return [found[each] for each in ids if each in found]


async def by_url(session: AsyncSession, canonical_url: str) -> Item | None:
    """The newest item with this canonical address."""
    rows = await load(
        session,
        item_rows().where(ItemRow.canonical_url == canonical_url).order_by(ItemRow.id.desc()).limit(1),
    )
    return rows[0] if rows else None


async def of_story(session: AsyncSession, story_id: StoryId) -> list[Item]:
    """All items that tell a story, oldest first."""
    return await load(session, item_rows().where(ItemRow.story_id == story_id).order_by(ItemRow.id))


async def counts(
    session: AsyncSession, *, since: datetime, language: LanguageCode | None = None
) -> dict[Scope, int]:
    """How many items each scope got since a time."""
    query = select(ItemScopeRow.scope, func.count()).where(ItemScopeRow.published >= since)
    if language is not None:
        query = query.where(ItemScopeRow.language == language)
    rows = await session.execute(query.group_by(ItemScopeRow.scope))
    return {Scope(scope): number for scope, number in rows}


async def total(session: AsyncSession) -> int:
    """How many items are stored."""
    return await session.scalar(select(func.count()).select_from(ItemRow)) or 0


async def filled_scopes(session: AsyncSession) -> list[tuple[Scope, LanguageCode]]:
    """Every (scope, language) that has items."""
    rows = await session.execute(
        select(ItemScopeRow.scope, ItemScopeRow.language)
        .distinct()
        .order_by(ItemScopeRow.scope, ItemScopeRow.language)
    )
    return [(Scope(scope), LanguageCode(language)) for scope, language in rows]


async def changed_since(session: AsyncSession, revision: int) -> tuple[int, set[tuple[Scope, LanguageCode]]]:
    """The latest revision, and the (scope, language) pairs touched after ``revision``."""
    return await touched_since(session, revision)


def _columns(new: NewItem, *, now: datetime) -> dict[str, Any]:
    entry, labels = new.entry, new.classification
    return {
        "url": entry.url,
        "canonical_url": new.canonical_url,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.content_html,
        "image": entry.image,
        "author": entry.author,
        "language": labels.language,
        "published": entry.published or now,
        "updated": entry.published or now,
        "has_date": entry.published is not None,
        "published_text": entry.published_text,
        "published_rule": entry.published_rule,
        "section": entry.section,
        "fingerprint": new.fingerprint,
        "confidence": labels.confidence,
        "evidence": [asdict(each) for each in labels.evidence],
    }


async def _label(session: AsyncSession, items: Mapping[ItemId, NewItem]) -> None:
    labels = []
    for item_id, new in items.items():
        found = new.classification
        roles = {"network": found.networks, "about": found.regions, "mention": found.mentions}
        labels += [
            {"item_id": item_id, "role": role, "code": code, "position": position}
            for role, codes in roles.items()
            for position, code in enumerate(codes)
        ]
    for some in chunks(labels):
        await session.execute(insert_into(session, ItemLabelRow).on_conflict_do_nothing(), list(some))


async def _file(
    session: AsyncSession, items: Mapping[ItemId, NewItem], published: Mapping[ItemId, datetime]
) -> None:
    scopes = []
    for item_id, new in items.items():
        copies = {"language": new.classification.language, "published": published[item_id]}
        scopes += [{"scope": each, "item_id": item_id, **copies} for each in new.scopes]
    for some in chunks(scopes):
        await session.execute(insert_into(session, ItemScopeRow).on_conflict_do_nothing(), list(some))


async def _unfile(session: AsyncSession, ids: Sequence[ItemId]) -> None:
    """Take items out of their scopes, but not out of the sources that show them."""
    await session.execute(
        delete(ItemScopeRow).where(
            ItemScopeRow.item_id.in_(list(ids)), ItemScopeRow.scope.not_like("source:%")
        )
    )

"""Sources: what is configured, what is due, and how polling them went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import (
    LanguageCode,
    NetworkId,
    RegionCode,
    Selectors,
    Source,
    SourceId,
    SourceKind,
    Validators,
)
from storage.models import HostRow, ItemRow, PollRow, SourceRow
from storage.sql import alone, insert_into, rows_changed

#: ``new`` was never polled; ``failing`` answered wrongly last time; ``gone`` said 410.
SourceState = Literal["new", "active", "paused", "failing", "gone", "removed"]

#: Polls kept per source for its health card.
POLLS_KEPT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What polling a source taught us; goes into the next poll's decisions."""

    source: Source
    validators: Validators
    #: Address the validators belong to.
    validators_url: str | None
    body_hash: str | None
    #: As feeds.memory writes it.
    memory: dict[str, Any]
    document_kind: str | None
    failures: int
    last_success_at: datetime | None
    first_poll_at: datetime | None
    #: ``None`` until the first readable answer: what stood there already is not news.
    first_success_at: datetime | None
    #: Why the last poll failed; empty after a good one.
    last_error_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """How one poll went; stored in one transaction with the entries it brought."""

    source_id: SourceId
    at: datetime
    outcome: str
    status: int | None
    bytes: int
    milliseconds: int
    new: int = 0
    changed: int = 0
    error_reason: str = ""
    error: str = ""
    succeeded: bool
    gone: bool = False
    next_poll_at: datetime
    next_poll_reason: str
    failures: int
    #: Columns of polling state to store (validators, hash, memory, kind); absent ones stay.
    learnt: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """What admins and the status page see of a source."""

    source: Source
    state: SourceState
    last_poll_at: datetime | None
    last_success_at: datetime | None
    last_status: int | None
    last_error: str
    failures: int
    next_poll_at: datetime
    next_poll_reason: str
    items: int
    newest_item_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What became of the declared sources."""

    added: tuple[SourceId, ...]
    changed: tuple[SourceId, ...]
    removed: tuple[SourceId, ...]


async def declare(session: AsyncSession, sources: Sequence[Source], *, now: datetime) -> SyncResult:
    """Make the stored sources equal to those of ``config.yaml``. The id is identity.

    A new id is polled at once. A changed address starts without validators. One that left the file
    is no longer polled; its items stay, and it continues where it was when it comes back.
    Sources added by admins are left alone unless the file declares the same id.
    """
    await alone(session, "sources")
    rows = {row.id: row for row in await session.scalars(select(SourceRow))}
    added, changed = [], []
    for source in sources:
        row = rows.get(source.id)
        if row is None:
            session.add(_new_row(source, origin="config", now=now))
            added.append(source.id)
        elif _declare_again(row, source, now=now):
            changed.append(source.id)
    declared = {source.id for source in sources}
    removed = [r for r in rows.values() if r.origin == "config" and r.id not in declared and not r.removed_at]
    for row in removed:
        row.removed_at = now
    await session.flush()
    return SyncResult(
        added=tuple(added), changed=tuple(changed), removed=tuple(SourceId(row.id) for row in removed)
    )


def _declare_again(row: SourceRow, source: Source, *, now: datetime) -> bool:
    columns = _columns(source)
    changed = row.removed_at is not None or any(
        getattr(row, name) != value for name, value in columns.items()
    )
    if not changed:
        return False
    if row.url != source.url:
        row.etag = row.last_modified = row.body_hash = row.validators_url = row.document_kind = None
        row.memory, row.failures, row.next_poll_at = {}, 0, now
        # What stands at the new address now is as little news as what stood at the old one.
        row.first_poll_at = row.first_success_at = None
    elif row.interval_seconds != columns["interval_seconds"] and source.interval:
        # A shorter interval takes effect now, not after the old one has run out.
        row.next_poll_at = min(row.next_poll_at, now + source.interval)
    for name, value in columns.items():
        setattr(row, name, value)
    row.origin, row.removed_at = "config", None
    return True


async def add(session: AsyncSession, source: Source, *, now: datetime) -> bool:
    """Add a source at an admin's wish; ``False`` when the id is taken.

    One that was removed comes back, and continues where it was.
    """
    await alone(session, "sources")
    row = await session.get(SourceRow, source.id)
    if row is None:
        session.add(_new_row(source, origin="admin", now=now))
    elif row.removed_at is None:
        return False
    else:
        _declare_again(row, source, now=now)
        row.origin, row.paused = "admin", False
    await session.flush()
    return True


async def remove(session: AsyncSession, source_id: SourceId, *, now: datetime) -> bool:
    """Stop polling a source for good; its items stay. ``False`` when there is none."""
    result = await session.execute(
        update(SourceRow)
        .where(SourceRow.id == source_id, SourceRow.removed_at.is_(None))
        .values(removed_at=now)
    )
    return rows_changed(result) > 0


async def set_enabled(session: AsyncSession, source_id: SourceId, *, enabled: bool) -> bool:
    """Pause or resume polling; ``False`` when there is no such source."""
    result = await session.execute(
        update(SourceRow)
        .where(SourceRow.id == source_id, SourceRow.removed_at.is_(None))
        .values(paused=not enabled)
    )
    return rows_changed(result) > 0


async def all_sources(session: AsyncSession) -> list[Source]:
    """Every source that is not removed, by id."""
    rows = await session.scalars(
        select(SourceRow).where(SourceRow.removed_at.is_(None)).order_by(SourceRow.id)
    )
    return [_source(row) for row in rows]


async def due(session: AsyncSession, *, now: datetime, limit: int) -> list[SourceId]:
    """Ids of enabled sources whose time has come, longest waiting first."""
    rows = await session.scalars(
        select(SourceRow.id)
        .where(_POLLED, SourceRow.next_poll_at <= now)
        .order_by(SourceRow.next_poll_at)
        .limit(limit)
    )
    return [SourceId(each) for each in rows]


async def begin_polls(
    session: AsyncSession, source_ids: Sequence[SourceId], *, at_least: timedelta, now: datetime
) -> None:
    """Put on record that these are being asked: should we die meanwhile, their interval still holds.

    :func:`record_poll` overwrites it with what the poll taught.
    """
    for row in await session.scalars(select(SourceRow).where(SourceRow.id.in_(source_ids))):
        row.next_poll_at = now + max(at_least, timedelta(seconds=row.interval_seconds or 0))


async def next_due_at(session: AsyncSession) -> datetime | None:
    """When the next enabled source is due."""
    return await session.scalar(select(func.min(SourceRow.next_poll_at)).where(_POLLED))


async def poll_state(session: AsyncSession, source_id: SourceId) -> PollState | None:
    """What is known for the next poll of a source."""
    row = await session.get(SourceRow, source_id)
    if row is None:
        return None
    return PollState(
        source=_source(row),
        validators=Validators(etag=row.etag, last_modified=row.last_modified),
        validators_url=row.validators_url,
        body_hash=row.body_hash,
        memory=dict(row.memory),
        document_kind=row.document_kind,
        failures=row.failures,
        last_success_at=row.last_success_at,
        first_poll_at=row.first_poll_at,
        first_success_at=row.first_success_at,
        last_error_reason=row.last_error_reason,
    )


async def record_poll(session: AsyncSession, poll: PollOutcome) -> None:
    """Store how a poll went and when the next is due; keeps the last :data:`POLLS_KEPT` polls."""
    row = await session.get(SourceRow, poll.source_id)
    if row is None:
        return
    for name, value in poll.learnt.items():
        setattr(row, name, value)
    row.last_poll_at, row.last_status = poll.at, poll.status
    row.first_poll_at = row.first_poll_at or poll.at
    row.last_error, row.last_error_reason = poll.error, poll.error_reason
    row.next_poll_at, row.next_poll_reason = poll.next_poll_at, poll.next_poll_reason
    row.failures = poll.failures
    row.state = "gone" if poll.gone else "active" if poll.succeeded else "failing"
    if poll.succeeded:
        row.last_success_at = poll.at
        row.first_success_at = row.first_success_at or poll.at
    record = PollRow(
        source_id=poll.source_id,
        at=poll.at,
        outcome=poll.outcome,
        status=poll.status,
        bytes=poll.bytes,
        milliseconds=poll.milliseconds,
        new=poll.new,
        changed=poll.changed,
        detail=poll.error,
    )
    session.add(record)
    await session.flush()


async def trim_polls(session: AsyncSession) -> int:
    """Delete polls beyond the last :data:`POLLS_KEPT` of each source; returns how many."""
    rank = func.row_number().over(partition_by=PollRow.source_id, order_by=PollRow.id.desc())
    ranked = select(PollRow.id, rank.label("rank")).subquery()
    old = select(ranked.c.id).where(ranked.c.rank > POLLS_KEPT)
    result = await session.execute(PollRow.__table__.delete().where(PollRow.id.in_(old)))  # type: ignore[attr-defined]
    return rows_changed(result)


async def host_waits(session: AsyncSession, *, now: datetime) -> dict[str, datetime]:
    """Hosts that asked us to wait, and until when."""
    rows = await session.scalars(select(HostRow).where(HostRow.not_before > now))
    return {row.host: row.not_before for row in rows}


async def set_host_wait(session: AsyncSession, host: str, not_before: datetime, *, reason: str) -> None:
    """Remember that ``host`` asked us to wait."""
    values = {"not_before": not_before, "reason": reason}
    insert = insert_into(session, HostRow).values(host=host, **values)
    await session.execute(insert.on_conflict_do_update(index_elements=["host"], set_=values))


async def health(session: AsyncSession) -> list[SourceHealth]:
    """All sources with their state, failing ones first, then by id."""
    counted = {
        source_id: (number, newest)
        for source_id, number, newest in await session.execute(
            select(ItemRow.source_id, func.count(), func.max(ItemRow.published)).group_by(ItemRow.source_id)
        )
    }
    rows = await session.scalars(select(SourceRow).where(SourceRow.removed_at.is_(None)))
    cards = [_health(row, *counted.get(row.id, (0, None))) for row in rows]
    return sorted(cards, key=lambda card: (card.state not in {"failing", "gone"}, card.source.id))


_POLLED = SourceRow.enabled & ~SourceRow.paused & SourceRow.removed_at.is_(None)


def _health(row: SourceRow, items: int, newest: datetime | None) -> SourceHealth:
    paused = not row.enabled or row.paused
    return SourceHealth(
        source=_source(row),
        state="paused" if paused else row.state,  # type: ignore[arg-type]
        last_poll_at=row.last_poll_at,
        last_success_at=row.last_success_at,
        last_status=row.last_status,
        last_error=row.last_error,
        failures=row.failures,
        next_poll_at=row.next_poll_at,
        next_poll_reason=row.next_poll_reason,
        items=items,
        newest_item_at=newest,
    )


def _new_row(source: Source, *, origin: str, now: datetime) -> SourceRow:
    return SourceRow(id=source.id, origin=origin, next_poll_at=now, **_columns(source))


def _columns(source: Source) -> dict[str, object]:
    return {
        "url": source.url,
        "kind": source.kind.value,
        "title": source.title,
        "language": source.language,
        "network": source.network,
        "region": source.region,
        "timezone": source.timezone,
        "interval_seconds": int(source.interval.total_seconds()) if source.interval else None,
        "enabled": source.enabled,
        "sections": dict(source.sections),
        "selectors": {name: getattr(source.selectors, name) for name in Selectors.__slots__},
    }


def _source(row: SourceRow) -> Source:
    return Source(
        id=SourceId(row.id),
        url=row.url,
        kind=SourceKind(row.kind),
        title=row.title,
        language=LanguageCode(row.language) if row.language else None,
        network=NetworkId(row.network) if row.network else None,
        region=RegionCode(row.region) if row.region else None,
        timezone=row.timezone,
        interval=timedelta(seconds=row.interval_seconds) if row.interval_seconds is not None else None,
        enabled=row.enabled and not row.paused,
        sections=row.sections,
        selectors=Selectors(**row.selectors),
    )

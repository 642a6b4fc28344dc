"""The outbox: what every subscriber is still to get, and what became of it.

::

    queued ──mark_sending──▶ sending ──▶ sent
      ▲                        │  ├────▶ failed    (refused for good, reason kept)
      └────── put_back ────────┘  └────▶ unknown   (the request left, no answer came)
    queued ──▶ skipped (paused, unfollowed, forgotten)

Rows are made in the transaction that stores the item; ``sending`` is committed before the request
leaves, so after a crash we know which outcomes we do not know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    distinct,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from feeds.model import ItemId, LanguageCode, StoryId
from feeds.networks import Scope
from storage.models import ItemRow, ItemScopeRow, OutboxRow, SubscriberRow, SubscriptionRow
from storage.sql import CHUNK, chunks, insert_into, is_open, rows_changed
from storage.subscribers import ChatKind, SubscriberId

OutboxId = NewType("OutboxId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One story on its way to one chat."""

    id: OutboxId
    story_id: StoryId
    item_id: ItemId
    subscriber_id: SubscriberId
    chat_id: int
    thread_id: int
    kind: ChatKind
    language: LanguageCode
    timezone: str
    attempts: int
    possible_repeat: bool


async def fan_out(
    session: AsyncSession,
    items: Sequence[ItemId],
    *,
    now: datetime,
    scopes: Collection[Scope] | None = None,
) -> int:
    """Queue the items' stories for every active follower of any of their scopes, or only of ``scopes``.

    One set-based statement; a story someone has already been queued for is left alone, so
    following several scopes, or a story told by several items, gives one row. Returns the number queued.
    """
    queued = 0
    for some in chunks(await _by_age(session, items)):
        chosen = (
            select(
                ItemRow.story_id,
                func.min(ItemRow.id).label("item_id"),
                SubscriptionRow.subscriber_id,
                literal("queued"),
                literal(now, type_=OutboxRow.due_at.type),
                literal(now, type_=OutboxRow.created_at.type),
                literal(0),
                literal(value=False),
                literal(""),
                literal(""),
            )
            .join(ItemScopeRow, ItemScopeRow.item_id == ItemRow.id)
            .join(SubscriptionRow, SubscriptionRow.scope == ItemScopeRow.scope)
            .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
            .where(
                ItemRow.id.in_(some),
                SubscriberRow.state == "active",
                true() if scopes is None else ItemScopeRow.scope.in_(scopes),
            )
            .group_by(ItemRow.story_id, SubscriptionRow.subscriber_id)
            # Older news first: ids follow this order, and a chat reads in order of ids.
            .order_by(func.min(ItemRow.published), func.min(ItemRow.id))
        )
        columns = (
            "story_id item_id subscriber_id state due_at created_at attempts possible_repeat reason detail"
        )
        insert = insert_into(session, OutboxRow).from_select(columns.split(), chosen)
        queued += rows_changed(await session.execute(insert.on_conflict_do_nothing()))
    return queued


async def _by_age(session: AsyncSession, items: Sequence[ItemId]) -> Sequence[ItemId]:
    """``items``, oldest first where one statement is not enough for them."""
    if len(items) <= CHUNK:
        return items
    published: dict[int, datetime] = {}
    for some in chunks(items):
        rows = await session.execute(select(ItemRow.id, ItemRow.published).where(ItemRow.id.in_(some)))
        published |= {row.id: row.published for row in rows}
    return sorted((each for each in items if each in published), key=lambda each: (published[each], each))


async def heads(
    session: AsyncSession, *, now: datetime, limit: int, without: Collection[SubscriberId] = ()
) -> list[Delivery]:
    """The first open row of each subscriber that may get a message now, longest due first.

    One per subscriber: order within a chat is kept, and nobody waits behind somebody's backlog.
    ``without`` may name some thousands. Walks ``ix_outbox_state`` and stops at ``limit``: what it
    costs does not grow with the backlog.
    """
    rows = await session.execute(
        select(OutboxRow, SubscriberRow)
        .join(SubscriberRow, SubscriberRow.id == OutboxRow.subscriber_id)
        .where(
            _is_head(),
            OutboxRow.due_at <= now,
            SubscriberRow.not_before.is_(None) | (SubscriberRow.not_before <= now),
            OutboxRow.subscriber_id.not_in(list(without)),
        )
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(limit)
    )
    return [_delivery(row, subscriber) for row, subscriber in rows]


async def next_due_at(session: AsyncSession) -> datetime | None:
    """When the sender has something to do next, if at all."""
    # Two questions, each with an index that begins at its answer; one for both would read everything.
    free = await session.scalar(
        select(OutboxRow.due_at)
        .join(SubscriberRow, SubscriberRow.id == OutboxRow.subscriber_id)
        .where(
            _is_head(), SubscriberRow.not_before.is_(None) | (SubscriberRow.not_before <= OutboxRow.due_at)
        )
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(1)
    )
    head = aliased(OutboxRow)
    held = await session.scalar(
        select(func.min(SubscriberRow.not_before))
        .join(head, head.id == _first_open(SubscriberRow.id))
        .where(
            SubscriberRow.not_before.is_not(None),
            SubscriberRow.state == "active",
            head.state == "queued",
            head.due_at < SubscriberRow.not_before,
        )
    )
    return min((each for each in (free, held) if each is not None), default=None)


def _is_head() -> ColumnElement[bool]:
    """Queued for an active subscriber, and nothing of that subscriber's is open before it."""
    first = _first_open(OutboxRow.subscriber_id)
    return and_(OutboxRow.state == "queued", SubscriberRow.state == "active", OutboxRow.id == first)


def _first_open(subscriber_id: InstrumentedAttribute[int]) -> ScalarSelect[int | None]:
    """The first open row of a subscriber, asked for row by row.

    NOT EXISTS says the same, but PostgreSQL would join it with all that is queued to answer it.
    """
    row = aliased(OutboxRow)
    query = select(func.min(row.id)).where(row.subscriber_id == subscriber_id, is_open(row.state))
    return query.correlate(OutboxRow, SubscriberRow).scalar_subquery()


async def mark_sending(session: AsyncSession, ids: Sequence[OutboxId], *, now: datetime) -> set[OutboxId]:
    """Record the attempt before the request leaves; returns the rows that were still queued."""
    marked: set[OutboxId] = set()
    for some in chunks(ids):
        rows = await session.scalars(
            update(OutboxRow)
            .where(OutboxRow.id.in_(some), OutboxRow.state == "queued")
            .values(state="sending", attempts=OutboxRow.attempts + 1, attempted_at=now)
            .returning(OutboxRow.id)
        )
        marked |= {OutboxId(each) for each in rows}
    return marked


async def mark_sent(session: AsyncSession, outbox_id: OutboxId, *, message_id: int, now: datetime) -> None:
    """The chat has it."""
    await _finish(session, outbox_id, state="sent", now=now, message_id=message_id, reason="", detail="")


async def mark_all_sent(session: AsyncSession, sent: Mapping[OutboxId, int], *, now: datetime) -> None:
    """The chats have them; ``sent`` gives the message id of each row. One statement."""
    table = OutboxRow.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the type; every model has a table
    values = {"state": "sent", "finished_at": now, "reason": "", "detail": ""}
    await session.execute(
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values(message_id=bindparam("row_message_id"), **values),
        [{"row_id": each, "row_message_id": message_id} for each, message_id in sent.items()],
    )


async def mark_failed(
    session: AsyncSession, outbox_id: OutboxId, *, reason: str, detail: str, now: datetime
) -> None:
    """Telegram refused it for good; an admin can read why."""
    await _finish(session, outbox_id, state="failed", now=now, reason=reason, detail=detail)


async def mark_skipped(session: AsyncSession, outbox_id: OutboxId, *, reason: str, now: datetime) -> None:
    """It is not to be sent any more."""
    await _finish(session, outbox_id, state="skipped", now=now, reason=reason)


async def mark_unknown(session: AsyncSession, outbox_id: OutboxId, *, detail: str, now: datetime) -> None:
    """The request left and no answer came: it may have arrived. Not sent again."""
    await _finish(session, outbox_id, state="unknown", now=now, reason="unknown-outcome", detail=detail)


async def put_back(
    session: AsyncSession,
    outbox_id: OutboxId,
    *,
    due_at: datetime,
    reason: str,
    detail: str = "",
    possible_repeat: bool | None = None,
    attempt_counts: bool = True,
) -> None:
    """Queue it again for ``due_at``: it was not sent, or once more with the mark of a possible repeat."""
    values: dict[str, object] = {"state": "queued", "due_at": due_at, "reason": reason, "detail": detail}
    if possible_repeat is not None:
        values["possible_repeat"] = possible_repeat
    if not attempt_counts:
        values["attempts"] = OutboxRow.attempts - 1
    await session.execute(
        update(OutboxRow).where(OutboxRow.id == outbox_id, OutboxRow.state == "sending").values(**values)
    )


async def left_sending(session: AsyncSession) -> list[Delivery]:
    """Rows whose process died between recording the attempt and the outcome."""
    rows = await session.execute(
        select(OutboxRow, SubscriberRow)
        .join(SubscriberRow, SubscriberRow.id == OutboxRow.subscriber_id)
        .where(OutboxRow.state == "sending")
        .order_by(OutboxRow.id)
    )
    return [_delivery(row, subscriber) for row, subscriber in rows]


async def hold_chat(session: AsyncSession, chat_id: int, *, until: datetime) -> None:
    """Obey a 429 for one chat, across restarts."""
    await session.execute(
        update(SubscriberRow).where(SubscriberRow.chat_id == chat_id).values(not_before=until)
    )


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many rows are in each state."""
    rows = await session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
    return {state: number for state, number in rows}  # noqa: C416 - rows are no tuples to the type checker


async def waiting_chats(session: AsyncSession) -> int:
    """How many chats have something queued."""
    query = select(func.count(distinct(OutboxRow.subscriber_id))).where(OutboxRow.state == "queued")
    return await session.scalar(query) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What became of one item for one subscriber, for ``vestnik explain``."""

    chat_id: int
    thread_id: int
    state: str
    reason: str
    detail: str
    attempts: int
    message_id: int | None
    created_at: datetime
    finished_at: datetime | None


async def of_story(session: AsyncSession, story_id: StoryId) -> list[Trace]:
    """Everybody a story was queued for."""
    rows = await session.execute(
        select(OutboxRow, SubscriberRow)
        .join(SubscriberRow, SubscriberRow.id == OutboxRow.subscriber_id)
        .where(OutboxRow.story_id == story_id)
        .order_by(OutboxRow.id)
    )
    return [
        Trace(
            chat_id=subscriber.chat_id,
            thread_id=subscriber.thread_id,
            state=row.state,
            reason=row.reason,
            detail=row.detail,
            attempts=row.attempts,
            message_id=row.message_id,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row, subscriber in rows
    ]


async def item_of_message(session: AsyncSession, *, chat_id: int, message_id: int) -> ItemId | None:
    """Which item a message in a chat told, so that a reply to it can be understood."""
    found = await session.scalar(
        select(OutboxRow.item_id)
        .join(SubscriberRow, SubscriberRow.id == OutboxRow.subscriber_id)
        .where(SubscriberRow.chat_id == chat_id, OutboxRow.message_id == message_id)
        # A group that became a supergroup counts its messages anew.
        .order_by(OutboxRow.id.desc())
        .limit(1)
    )
    return ItemId(found) if found is not None else None


async def _finish(
    session: AsyncSession, outbox_id: OutboxId, *, state: str, now: datetime, **values: object
) -> None:
    await session.execute(
        update(OutboxRow).where(OutboxRow.id == outbox_id).values(state=state, finished_at=now, **values)
    )


def _delivery(row: OutboxRow, subscriber: SubscriberRow) -> Delivery:
    return Delivery(
        id=OutboxId(row.id),
        story_id=StoryId(row.story_id),
        item_id=ItemId(row.item_id),
        subscriber_id=SubscriberId(subscriber.id),
        chat_id=subscriber.chat_id,
        thread_id=subscriber.thread_id,
        kind=subscriber.kind,  # type: ignore[arg-type]
        language=LanguageCode(subscriber.language),
        timezone=subscriber.timezone,
        attempts=row.attempts,
        possible_repeat=row.possible_repeat,
    )

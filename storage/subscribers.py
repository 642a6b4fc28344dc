"""Subscribers and what they follow.

A subscriber is paused with a reason when Telegram refuses a message, never deleted; only
:func:`forget` deletes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import LanguageCode
from feeds.networks import Scope
from storage.models import ItemRow, ItemScopeRow, OutboxRow, SubscriberRow, SubscriptionRow
from storage.sql import insert_into, is_open, rows_changed

SubscriberId = NewType("SubscriberId", int)
ChatKind = Literal["private", "group", "supergroup", "channel"]
SubscriberState = Literal["active", "paused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A chat, or a topic of a chat, that reads us in Telegram."""

    id: SubscriberId
    chat_id: int
    #: 0 where the chat has no topics, or for its general topic.
    thread_id: int
    kind: ChatKind
    title: str
    #: Language of the interface, chosen by the reader or taken from the client at first contact.
    language: LanguageCode
    #: IANA name.
    timezone: str
    state: SubscriberState
    #: ``blocked``, ``kicked``, ``no-rights`` ...; empty while active.
    paused_reason: str
    created_at: datetime


async def get(session: AsyncSession, *, chat_id: int, thread_id: int = 0) -> Subscriber | None:
    """The subscriber of a chat (and topic), if there is one."""
    row = await session.scalar(
        select(SubscriberRow).where(SubscriberRow.chat_id == chat_id, SubscriberRow.thread_id == thread_id)
    )
    return _subscriber(row) if row else None


async def ensure(
    session: AsyncSession,
    *,
    chat_id: int,
    thread_id: int = 0,
    kind: ChatKind,
    title: str,
    language: LanguageCode,
    now: datetime,
) -> tuple[Subscriber, bool]:
    """The subscriber of a chat, made if needed; and whether it was made now.

    What an existing one chose (language, zone) is never overwritten, and a paused one stays paused.
    """
    insert = insert_into(session, SubscriberRow).values(
        chat_id=chat_id,
        thread_id=thread_id,
        kind=kind,
        title=title,
        language=language,
        timezone="UTC" if kind == "channel" else DEFAULT_TIMEZONE,
        state="active",
        paused_reason="",
        created_at=now,
    )
    result = await session.execute(insert.on_conflict_do_nothing())
    found = await get(session, chat_id=chat_id, thread_id=thread_id)
    assert found is not None  # noqa: S101 - inserted or there before, within one transaction
    return found, rows_changed(result) == 1


#: The networks' home; readers elsewhere choose theirs in /settings.
DEFAULT_TIMEZONE = "Europe/Moscow"


async def set_language(session: AsyncSession, subscriber_id: SubscriberId, language: LanguageCode) -> None:
    """Remember the language a reader chose."""
    await session.execute(
        update(SubscriberRow).where(SubscriberRow.id == subscriber_id).values(language=language)
    )


async def set_timezone(session: AsyncSession, subscriber_id: SubscriberId, timezone: str) -> None:
    """Remember the time zone (IANA name) a reader chose."""
    await session.execute(
        update(SubscriberRow).where(SubscriberRow.id == subscriber_id).values(timezone=timezone)
    )


async def pause(
    session: AsyncSession, *, chat_id: int, reason: str, now: datetime, thread_id: int | None = None
) -> int:
    """Pause a chat with all its topics, or only ``thread_id``; returns how many were active.

    What waits for it in the outbox is skipped with the same reason. Settings stay.
    """
    where = [SubscriberRow.chat_id == chat_id, SubscriberRow.state == "active"]
    if thread_id is not None:
        where.append(SubscriberRow.thread_id == thread_id)
    ids = (await session.scalars(select(SubscriberRow.id).where(*where))).all()
    if not ids:
        return 0
    await session.execute(
        update(SubscriberRow)
        .where(SubscriberRow.id.in_(ids))
        .values(state="paused", paused_reason=reason, paused_at=now)
    )
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.subscriber_id.in_(ids), is_open(OutboxRow.state), OutboxRow.state == "queued")
        .values(state="skipped", reason=f"paused:{reason}", finished_at=now)
    )
    return len(ids)


async def resume(session: AsyncSession, *, chat_id: int, now: datetime, thread_id: int | None = None) -> int:
    """Resume a chat with all its topics, or only ``thread_id``; returns how many were paused."""
    where = [SubscriberRow.chat_id == chat_id, SubscriberRow.state == "paused"]
    if thread_id is not None:
        where.append(SubscriberRow.thread_id == thread_id)
    result = await session.execute(
        update(SubscriberRow).where(*where).values(state="active", paused_reason="", paused_at=None)
    )
    return rows_changed(result)


async def forget(session: AsyncSession, *, chat_id: int, thread_id: int = 0) -> bool:
    """Delete everything about a subscriber: settings, subscriptions, outbox."""
    result = await session.execute(
        delete(SubscriberRow).where(SubscriberRow.chat_id == chat_id, SubscriberRow.thread_id == thread_id)
    )
    return rows_changed(result) > 0


async def migrate(session: AsyncSession, *, old_chat_id: int, new_chat_id: int, now: datetime) -> int:
    """Carry a group's subscribers to the supergroup it became; returns how many moved or merged.

    Where the new chat is a subscriber already, subscriptions and waiting news are merged into it.
    """
    old = (await session.scalars(select(SubscriberRow).where(SubscriberRow.chat_id == old_chat_id))).all()
    for row in old:
        twin = await get(session, chat_id=new_chat_id, thread_id=row.thread_id)
        if twin is None:
            row.chat_id, row.kind = new_chat_id, "supergroup"
            await session.flush()
            continue
        await _merge(session, SubscriberId(row.id), twin.id, now=now)
        await session.delete(row)
        await session.flush()
    return len(old)


async def _merge(session: AsyncSession, old: SubscriberId, new: SubscriberId, *, now: datetime) -> None:
    for scope in await following(session, old):
        await follow(session, new, scope, now=now)
    # What the one has read, or may have read, the other must not get again: it is the same chat.
    read = select(OutboxRow.story_id).where(
        OutboxRow.subscriber_id == old, OutboxRow.state.in_(("sent", "sending", "unknown"))
    )
    await session.execute(
        delete(OutboxRow).where(
            OutboxRow.subscriber_id == new,
            is_open(OutboxRow.state),
            OutboxRow.state == "queued",
            OutboxRow.story_id.in_(read),
        )
    )
    known = select(OutboxRow.story_id).where(OutboxRow.subscriber_id == new)
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.subscriber_id == old, OutboxRow.story_id.not_in(known))
        .values(subscriber_id=new)
    )


async def follow(session: AsyncSession, subscriber_id: SubscriberId, scope: Scope, *, now: datetime) -> bool:
    """Follow ``scope``; ``False`` when it was followed already."""
    insert = insert_into(session, SubscriptionRow).values(
        subscriber_id=subscriber_id, scope=scope, created_at=now
    )
    result = await session.execute(insert.on_conflict_do_nothing())
    return rows_changed(result) == 1


async def unfollow(session: AsyncSession, subscriber_id: SubscriberId, scope: Scope) -> bool:
    """Stop following ``scope``; ``False`` when it was not followed.

    News waiting only because of it is skipped.
    """
    result = await session.execute(
        delete(SubscriptionRow).where(
            SubscriptionRow.subscriber_id == subscriber_id, SubscriptionRow.scope == scope
        )
    )
    await _skip_unwanted(session, subscriber_id)
    return rows_changed(result) > 0


async def unfollow_all(session: AsyncSession, subscriber_id: SubscriberId) -> int:
    """Stop following everything; returns how many scopes were followed."""
    result = await session.execute(
        delete(SubscriptionRow).where(SubscriptionRow.subscriber_id == subscriber_id)
    )
    await _skip_unwanted(session, subscriber_id)
    return rows_changed(result)


async def _skip_unwanted(session: AsyncSession, subscriber_id: SubscriberId) -> None:
    """Skip what waits though none of the items that tell its story stands in a scope still followed."""
    is_wanted = (
        exists()
        .where(ItemRow.story_id == OutboxRow.story_id)
        .where(ItemScopeRow.item_id == ItemRow.id)
        .where(SubscriptionRow.scope == ItemScopeRow.scope, SubscriptionRow.subscriber_id == subscriber_id)
    )
    await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.subscriber_id == subscriber_id,
            is_open(OutboxRow.state),
            OutboxRow.state == "queued",
            ~is_wanted,
        )
        .values(state="skipped", reason="unfollowed", finished_at=func.current_timestamp())
    )


async def following(session: AsyncSession, subscriber_id: SubscriberId) -> list[Scope]:
    """Scopes a subscriber follows, in the order they were chosen."""
    rows = await session.scalars(
        select(SubscriptionRow.scope)
        .where(SubscriptionRow.subscriber_id == subscriber_id)
        .order_by(SubscriptionRow.created_at, SubscriptionRow.scope)
    )
    return [Scope(scope) for scope in rows]


async def all_subscriptions(session: AsyncSession) -> list[tuple[SubscriberId, Scope, LanguageCode]]:
    """Who follows what, and in which language they read; oldest first."""
    rows = await session.execute(
        select(SubscriptionRow.subscriber_id, SubscriptionRow.scope, SubscriberRow.language)
        .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
        .order_by(SubscriptionRow.created_at, SubscriptionRow.subscriber_id)
    )
    return [(SubscriberId(who), Scope(scope), LanguageCode(language)) for who, scope, language in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberCounts:
    """How many read us, and why some do not at the moment."""

    active: int
    paused: int
    subscriptions: int
    by_language: dict[str, int]
    by_kind: dict[str, int]
    paused_by_reason: dict[str, int]


async def counts(session: AsyncSession) -> SubscriberCounts:
    """Count subscribers by state, language, kind and reason."""

    async def grouped(column: object, *where: object) -> dict[str, int]:
        query = select(column, func.count()).where(*where).group_by(column)  # type: ignore[call-overload]
        return {str(key): number for key, number in (await session.execute(query)).all()}

    states = await grouped(SubscriberRow.state)
    return SubscriberCounts(
        active=states.get("active", 0),
        paused=states.get("paused", 0),
        subscriptions=await session.scalar(select(func.count()).select_from(SubscriptionRow)) or 0,
        by_language=await grouped(SubscriberRow.language),
        by_kind=await grouped(SubscriberRow.kind),
        paused_by_reason=await grouped(SubscriberRow.paused_reason, SubscriberRow.state == "paused"),
    )


def _subscriber(row: SubscriberRow) -> Subscriber:
    return Subscriber(
        id=SubscriberId(row.id),
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        kind=row.kind,  # type: ignore[arg-type]
        title=row.title,
        language=LanguageCode(row.language),
        timezone=row.timezone,
        state=row.state,  # type: ignore[arg-type]
        paused_reason=row.paused_reason,
        created_at=row.created_at,
    )

"""Small facts of the whole program, by key, and the item revision."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import StateRow
from storage.sql import insert_into

_REVISION = "revision"


async def value_of(session: AsyncSession, key: str) -> str | None:
    """The value stored under ``key``."""
    return await session.scalar(select(StateRow.value).where(StateRow.key == key))


async def set_value(session: AsyncSession, key: str, value: str) -> None:
    """Store ``value`` under ``key``."""
    insert = insert_into(session, StateRow).values(key=key, value=value)
    await session.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


async def revision(session: AsyncSession) -> int:
    """How many times items have changed so far."""
    return int(await value_of(session, _REVISION) or 0)


async def next_revision(session: AsyncSession) -> int:
    """Claim the next revision; writers are serial, so readers never see a later one before it."""
    await session.execute(
        insert_into(session, StateRow).values(key=_REVISION, value="0").on_conflict_do_nothing()
    )
    # PostgreSQL: the row lock makes the writers of items queue here until the other commits.
    current = await session.scalar(select(StateRow.value).where(StateRow.key == _REVISION).with_for_update())
    following = int(current or 0) + 1
    await set_value(session, _REVISION, str(following))
    return following

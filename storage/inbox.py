"""The inbox: updates from Telegram, stored before they are confirmed, deleted once handled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import InboxRow
from storage.sql import insert_into
from storage.state import set_value, value_of

_LAST = "telegram.update_id"
#: Telegram sends unconfirmed updates again, at most this many back. Ids further away are a new
#: count: after a week without updates it starts anywhere (Bot API, "Update").
_WINDOW = 10_000


async def receive(
    session: AsyncSession, updates: Mapping[int, Mapping[str, Any]], *, now: datetime
) -> list[int]:
    """Store updates by id; returns the ids that were not received before, in order."""
    last = int(await value_of(session, _LAST) or -1)
    fresh = sorted(each for each in updates if not last - _WINDOW < each <= last)
    if not fresh:
        return []
    rows = [{"update_id": each, "payload": dict(updates[each]), "received_at": now} for each in fresh]
    await session.execute(insert_into(session, InboxRow).on_conflict_do_nothing(), rows)
    await set_value(session, _LAST, str(max(fresh)))
    return fresh


async def waiting(session: AsyncSession) -> list[Mapping[str, Any]]:
    """Updates a dead process left unhandled, in order."""
    return list(await session.scalars(select(InboxRow.payload).order_by(InboxRow.update_id)))


async def handled(session: AsyncSession, update_ids: Sequence[int]) -> None:
    """Forget updates that were handled."""
    await session.execute(delete(InboxRow).where(InboxRow.update_id.in_(update_ids)))

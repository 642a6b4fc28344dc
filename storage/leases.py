"""Leases: what only one process may do at a time (deliver, poll Telegram, lead the ticks).

A lease is taken over when its time is up, or at once when its owner is a process of this very
machine that no longer lives: a restart after kill -9 need not wait.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import LeaseRow
from storage.sql import insert_into

#: Long enough for a slow commit between two renewals, short enough for a quick takeover.
LEASE_TIME = timedelta(seconds=15)


def process_owner() -> str:
    """Name this process for a lease: ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def take(session: AsyncSession, name: str, *, owner: str, now: datetime) -> bool:
    """Take or renew the lease ``name`` for ``owner`` until ``now`` + :data:`LEASE_TIME`."""
    held = await session.scalar(select(LeaseRow).where(LeaseRow.name == name).with_for_update())
    if held is not None and held.owner != owner and held.until > now and not _owner_is_dead(held.owner):
        return False
    values = {"owner": owner, "until": now + LEASE_TIME}
    insert = insert_into(session, LeaseRow).values(name=name, **values)
    await session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
    return True


async def release(session: AsyncSession, name: str, *, owner: str) -> None:
    """Give the lease back, so that another process need not wait for its end."""
    await session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner))


def _owner_is_dead(owner: str) -> bool:
    """Whether ``owner`` was a process here and is gone; never guesses about other machines."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

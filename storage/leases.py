"""Leases: what only one process may do at a time (deliver, poll Telegram, lead the ticks).

A lease is taken over when its time is up, or at once when its owner is a process of this very
machine that no longer lives: a restart after kill -9 need not wait.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import LeaseRow
from storage.sql import insert_into, rows_changed

#: Long enough for a slow commit between two renewals, short enough for a quick takeover.
LEASE_TIME = timedelta(seconds=15)


def process_owner() -> str:
    """Name this process for a lease: ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def take(session: AsyncSession, name: str, *, owner: str, now: datetime) -> bool:
    """Take or renew the lease ``name`` for ``owner`` until ``now`` + :data:`LEASE_TIME`."""
    holder = await session.scalar(select(LeaseRow.owner).where(LeaseRow.name == name))
    free = [LeaseRow.owner == owner, LeaseRow.until <= now]
    if holder is not None and is_owner_dead(holder):
        free.append(LeaseRow.owner == holder)
    values = {"owner": owner, "until": now + LEASE_TIME}
    # One statement decides: of several who find the lease free at one moment the first gets it, and
    # the others are judged by the row it left.
    insert = insert_into(session, LeaseRow).values(name=name, **values)
    taken = await session.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_=values, where=or_(*free))
    )
    return rows_changed(taken) > 0


async def release(session: AsyncSession, name: str, *, owner: str) -> None:
    """Give the lease back, so that another process need not wait for its end."""
    await session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner))


def is_owner_dead(owner: str) -> bool:
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

"""Holding leases: which of several processes does what only one may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from storage import leases
from storage.database import Database

log = structlog.get_logger(__name__)

#: A lease counts as held only until this long before its end: the work begun must fit in.
_MARGIN = timedelta(seconds=4)
#: How often to renew; three chances before :data:`leases.LEASE_TIME` is over.
RENEW_SECONDS = 4.0


class Lead:
    """One lease, renewed by :meth:`renew` as long as this process lives."""

    def __init__(self, name: str, *, database: Database, clock: Callable[[], datetime]) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._owner = leases.process_owner()
        self._until: datetime | None = None
        self._told_to_wait = False

    def is_held(self) -> bool:
        """Whether this process may go on."""
        return self._until is not None and self._clock() < self._until - _MARGIN

    async def renew(self) -> bool:
        """Take or renew; returns whether it was taken over just now.

        Raises :class:`~sqlalchemy.exc.DBAPIError` when storage fails; the lease then runs out by itself.
        """
        was_held = self.is_held()
        now = self._clock()
        async with self._database.write() as session:
            taken = await leases.take(session, self.name, owner=self._owner, now=now)
        self._until = now + leases.LEASE_TIME if taken else None
        if not taken and not self._told_to_wait:
            log.info("lease.waiting", lease=self.name, reason="another process holds it")
        self._told_to_wait = not taken
        return taken and not was_held

    async def release(self) -> None:
        """Give it back."""
        if self._until is None:
            return
        self._until = None
        async with self._database.write() as session:
            await leases.release(session, self.name, owner=self._owner)

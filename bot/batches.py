"""The same small change asked for by many at once becomes one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from storage.groupcommit import GroupCommit

Value = TypeVar("Value")
Result = TypeVar("Result")

#: Values per statement.
_MOST = 400


class Batches(Generic[Value, Result]):
    """Collects values until the next shared transaction begins, then applies ``change`` to all."""

    def __init__(
        self, commit: GroupCommit, change: Callable[[AsyncSession, list[Value]], Awaitable[Result]]
    ) -> None:
        self._commit = commit
        self._change = change
        self._open: list[Value] | None = None
        self._done: asyncio.Future[Result] | None = None

    async def add(self, value: Value) -> Result:
        """Have ``value`` changed; returns the result for the whole batch once committed.

        Cancelling the caller takes nothing back.
        """
        if self._open is None or self._done is None or len(self._open) >= _MOST:
            batch: list[Value] = []
            self._open = batch
            self._done = asyncio.ensure_future(self._commit.do(lambda session: self._apply(session, batch)))
            self._done.add_done_callback(_retrieve)
        self._open.append(value)
        return await asyncio.shield(self._done)

    async def _apply(self, session: AsyncSession, batch: list[Value]) -> Result:
        # A transaction that fails is tried again with the same values; whoever comes now is too late.
        if self._open is batch:
            self._open = None
        return await self._change(session, batch)


def _retrieve(done: asyncio.Future[Result]) -> None:
    # An error belongs to the callers; when all of them are gone it needs no report.
    if not done.cancelled():
        done.exception()

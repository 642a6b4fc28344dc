"""Many small changes, few commits: what is asked for while a commit runs shares the next one.

A sender that records every attempt before and every outcome after would otherwise wait for two
commits per message one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database

Result = TypeVar("Result")
Change = Callable[[AsyncSession], Awaitable[Any]]

#: Changes per commit; bounds how long other writers wait.
_MOST = 200


class GroupCommit:
    """Runs changes in shared transactions; each caller returns when its own is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Change, asyncio.Future[Any]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def do(self, change: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Run ``change`` in the next shared transaction; returns its result once committed.

        When the shared transaction fails every change in it is tried alone, so that one bad change
        takes nobody with it; the error reaches only its own caller.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="group-commit")
        return await done

    async def drain(self) -> None:
        """Wait until everything asked for is committed."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                results = await self._commit([change for change, _ in batch])
            except Exception as error:  # noqa: BLE001 - handed to the callers, each its own
                await self._one_by_one(batch, error)
                continue
            for (_, done), result in zip(batch, results, strict=True):
                _settle(done, result=result)

    async def _commit(self, changes: list[Change]) -> list[Any]:
        async with self._database.write() as session:
            return [await change(session) for change in changes]

    async def _one_by_one(self, batch: list[tuple[Change, asyncio.Future[Any]]], first: Exception) -> None:
        for change, done in batch:
            if len(batch) == 1:
                _settle(done, error=first)
                return
            try:
                result = await self._commit([change])
            except Exception as error:  # noqa: BLE001 - handed to the caller
                _settle(done, error=error)
            else:
                _settle(done, result=result[0])


def _settle(done: asyncio.Future[Any], *, result: Any = None, error: Exception | None = None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)

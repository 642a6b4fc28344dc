"""The collect tick: which sources are due, and a pass over each, many side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from feeds.model import SourceId
from storage import sources
from storage.database import Database
from vestnik.leading import Lead
from vestnik.pipeline import PassResult, Pipeline

log = structlog.get_logger(__name__)

#: A source whose pass could not be stored is left alone this long: its next poll is not on record,
#: and asking again at once would make our trouble the publisher's.
_STORAGE_TROUBLE = timedelta(minutes=5)


class Collector:
    """Starts passes; :meth:`tick` is called every second by the scheduler."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        database: Database,
        lead: Lead,
        concurrency: int,
        min_interval: timedelta,
        clock: Callable[[], datetime],
        on_stored: Callable[[], None],
    ) -> None:
        self._pipeline = pipeline
        self._database = database
        self._lead = lead
        self._concurrency = concurrency
        self._min_interval = min_interval
        self._clock = clock
        self._on_stored = on_stored
        self._running: dict[SourceId, asyncio.Task[None]] = {}
        self._not_before: dict[SourceId, datetime] = {}
        self._stopping = False
        self._storage_fails = False

    def is_leading(self) -> bool:
        """Whether this process is the one that collects."""
        return self._lead.is_held()

    async def tick(self) -> None:
        """Start a pass over every due source there is room for."""
        room = self._concurrency - len(self._running)
        if self._stopping or room <= 0 or not self.is_leading():
            return
        try:
            chosen = await self._choose(room)
        except DBAPIError as error:
            if not self._storage_fails:
                log.error(  # noqa: TRY400 - one line is what an admin can use
                    "collect.storage_failed",
                    error=str(error.orig),
                    advice="nobody is polled until storage works again; nothing stored is lost",
                )
            self._storage_fails = True
            return
        if self._storage_fails:
            log.info("collect.storage_works_again")
        self._storage_fails = False
        for source_id in chosen:
            self._running[source_id] = asyncio.create_task(self._pass(source_id), name=f"collect-{source_id}")

    async def _choose(self, room: int) -> list[SourceId]:
        """Due sources to poll now, put on record before anybody is asked: a restart asks nobody twice."""
        now = self._clock()
        async with self._database.read() as session:
            due = await sources.due(session, now=now, limit=room + len(self._running) + len(self._not_before))
        chosen = [
            each for each in due if each not in self._running and self._not_before.get(each, now) <= now
        ][:room]
        if chosen:
            async with self._database.write() as session:
                await sources.begin_polls(session, chosen, at_least=self._min_interval, now=now)
        return chosen

    async def stop(self, *, within: float) -> None:
        """Begin no pass; let those under way finish, then cancel: nothing of them is stored then."""
        self._stopping = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=within)
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _pass(self, source_id: SourceId) -> None:
        try:
            result = await self._pipeline.collect(source_id)
        except DBAPIError as error:
            self._not_before[source_id] = self._clock() + _STORAGE_TROUBLE
            log.error(  # noqa: TRY400 - one line is what an admin can use
                "collect.not_stored",
                source=source_id,
                error=str(error.orig),
                advice="nothing of this pass was kept; it is repeated in 5 minutes",
            )
        except Exception:
            # One source's mishap must never stop the others.
            self._not_before[source_id] = self._clock() + _STORAGE_TROUBLE
            log.exception("collect.crashed", source=source_id)
        else:
            self._not_before.pop(source_id, None)
            _report(result)
            if result.new or result.changed:
                self._on_stored()
        finally:
            self._running.pop(source_id, None)


def _report(result: PassResult) -> None:
    if result.error:
        log.warning(
            "collect.failed",
            source=result.source_id,
            outcome=result.outcome,
            reason=result.error_reason,
            error=result.error,
            next=result.next_poll,
        )
    elif result.new or result.changed:
        log.info(
            "collect.stored",
            source=result.source_id,
            new=result.new,
            changed=result.changed,
            queued=result.queued,
        )
    else:
        log.debug("collect.nothing_new", source=result.source_id, outcome=result.outcome)

"""The service: its parts by role, started together, stopped in order.

One process plays every role by default; with ``--role`` several processes share the work, and
leases decide which one collects, polls Telegram and delivers.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from storage import outbox, sources
from storage.database import Database, DBAPIError, StorageError, describe_failure
from vestnik.collector import Collector
from vestnik.config import Configuration
from vestnik.context import make_fetcher, make_finder, open_storage, utc_now
from vestnik.leading import RENEW_SECONDS, Lead
from vestnik.metrics import Metrics
from vestnik.parsing import ParsingPool
from vestnik.pipeline import Pipeline
from vestnik.telegram import TelegramPart
from vestnik.ticks import Ticks
from vestnik.webserver import WebPart

log = structlog.get_logger(__name__)

#: Seconds everything under way is given to finish after SIGTERM; all of it ends below 10.
_GRACE = 5.0


class Role(enum.StrEnum):
    """What a process does."""

    COLLECT = "collect"
    DELIVER = "deliver"
    BOT = "bot"
    WEB = "web"


@dataclass(slots=True)
class Parts:
    """What runs in this process; a part that is not ours stays ``None``."""

    collector: Collector | None = None
    telegram: TelegramPart | None = None
    web: WebPart | None = None
    leads: list[Lead] = field(default_factory=list)


class Service:
    """Runs until told to stop."""

    def __init__(self, config: Configuration, roles: Sequence[Role]) -> None:
        self._config = config
        self._roles = frozenset(roles)
        self._stop = asyncio.Event()
        self._metrics = Metrics()
        self._failure: Exception | None = None

    def stop(self) -> None:
        """Begin the orderly end."""
        self._stop.set()

    async def run(self, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
        """Start all parts, tell ``on_ready`` our address, and serve until :meth:`stop` or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        async with self._started() as parts:
            on_ready(parts.web.address if parts.web else "")
            log.info(
                "service.ready", roles=sorted(self._roles), address=parts.web.address if parts.web else ""
            )
            await self._stop.wait()
            log.info("service.stopping")
        log.info("service.stopped")

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Parts]:
        """Open in the order of need; the stack closes in the opposite one."""
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_storage(self._config))
            database, parts = opened.database, Parts()
            log.info(
                "sources.declared",
                added=len(opened.synced.added),
                changed=len(opened.synced.changed),
                removed=len(opened.synced.removed),
            )
            if self._roles & {Role.BOT, Role.DELIVER}:
                parts.telegram = await self._start_telegram(stack, database, parts)
            if Role.WEB in self._roles:
                parts.web = await self._start_web(stack, database, parts)
            if Role.COLLECT in self._roles:
                parts.collector = await self._start_collector(stack, database, parts)
            await self._start_ticks(stack, database, parts)
            yield parts

    def _lead(self, name: str, database: Database, parts: Parts) -> Lead:
        lead = Lead(name, database=database, clock=utc_now)
        parts.leads.append(lead)
        return lead

    async def _start_telegram(
        self, stack: AsyncExitStack, database: Database, parts: Parts
    ) -> TelegramPart | None:
        if not self._config.token:
            log.warning(
                "telegram.no_token",
                advice="set VESTNIK_TELEGRAM__TOKEN or VESTNIK_TELEGRAM__TOKEN_FILE; all else runs without",
            )
            return None
        part = TelegramPart(
            self._config,
            database=database,
            poll_lead=self._lead("telegram-poll", database, parts) if Role.BOT in self._roles else None,
            deliver_lead=self._lead("deliver", database, parts) if Role.DELIVER in self._roles else None,
            clock=utc_now,
        )
        await part.start()
        stack.push_async_callback(part.stop, within=_GRACE)
        return part

    async def _start_web(self, stack: AsyncExitStack, database: Database, parts: Parts) -> WebPart:
        part = WebPart(
            self._config,
            database=database,
            metrics=self._metrics,
            bot_username=lambda: parts.telegram.username if parts.telegram else None,
            readiness=lambda: self._readiness(parts),
            clock=utc_now,
        )
        await part.start()
        stack.push_async_callback(part.stop, within=_GRACE)
        return part

    async def _start_collector(self, stack: AsyncExitStack, database: Database, parts: Parts) -> Collector:
        pool = ParsingPool()
        stack.push_async_callback(pool.close)
        fetcher = await stack.enter_async_context(make_fetcher(self._config))
        async with database.read() as session:
            fetcher.pace.restore(await sources.host_waits(session, now=utc_now()))

        def stored() -> None:
            if parts.telegram is not None:
                parts.telegram.wake()

        collector = Collector(
            pipeline=Pipeline(
                database=database,
                fetcher=fetcher,
                parser=pool,
                finder=make_finder(self._config),
                min_interval=self._config.settings.fetch.min_interval,
                clock=utc_now,
                metrics=self._metrics,
            ),
            database=database,
            lead=self._lead("collect", database, parts),
            concurrency=self._config.settings.fetch.concurrency,
            min_interval=self._config.settings.fetch.min_interval,
            clock=utc_now,
            on_stored=stored,
        )
        stack.push_async_callback(collector.stop, within=_GRACE)
        return collector

    async def _start_ticks(self, stack: AsyncExitStack, database: Database, parts: Parts) -> None:
        """Take the leases, then let time run."""
        for lead in parts.leads:
            stack.push_async_callback(_release, lead)
            try:
                await lead.renew()
            except DBAPIError as error:
                raise StorageError(describe_failure(error, self._config.settings.storage.url)) from error
        if parts.telegram is not None:
            await parts.telegram.begin()
        ticks = Ticks()
        ticks.every(RENEW_SECONDS, "leases", partial(self._renew, parts))
        ticks.every(3600, "housekeeping", partial(self._keep_house, database, parts))
        ticks.every(15, "gauges", partial(self._gauge, database, parts))
        if parts.collector is not None:
            ticks.every(1, "collect", parts.collector.tick, at_once=True)
        if parts.telegram is not None:
            ticks.every(2, "deliver", partial(_wake, parts.telegram))
        ticks.start()
        stack.push_async_callback(ticks.stop)

    async def _renew(self, parts: Parts) -> None:
        for lead in parts.leads:
            if await lead.renew() and parts.telegram is not None:
                await parts.telegram.taken_over(lead.name)

    async def _keep_house(self, database: Database, parts: Parts) -> None:
        if parts.collector is None or not parts.collector.is_leading():
            return
        async with database.write() as session:
            trimmed = await sources.trim_polls(session)
        log.info("housekeeping.done", polls_trimmed=trimmed)

    async def _gauge(self, database: Database, parts: Parts) -> None:
        async with database.read() as session:
            rows = await outbox.counts(session)
            health = await sources.health(session)
        for state in ("queued", "sending", "sent", "unknown", "failed", "skipped"):
            self._metrics.outbox.labels(state).set(rows.get(state, 0))
        for state in ("new", "active", "paused", "failing", "gone"):
            self._metrics.sources.labels(state).set(sum(card.state == state for card in health))
        if parts.telegram is not None:
            self._metrics.floods.set(parts.telegram.floods)
            self._metrics.unknown.set(parts.telegram.unknown)

    def _readiness(self, parts: Parts) -> dict[str, bool | str]:
        found: dict[str, bool | str] = {"storage": True}
        if parts.collector is not None:
            found["collect"] = True if parts.collector.is_leading() else "another process collects"
        if parts.telegram is not None:
            found["telegram"] = parts.telegram.is_connected()
        elif self._roles & {Role.BOT, Role.DELIVER}:
            found["telegram"] = "no token"
        return found


async def _wake(telegram: TelegramPart) -> None:
    telegram.wake()


async def _release(lead: Lead) -> None:
    # Storage may be the very thing that is broken; a lease ends by itself.
    with contextlib.suppress(Exception):
        await lead.release()

"""Is every host treated politely? A scripted world over virtual days, judged from the servers' side.

The real pipeline, storage (SQLite) and HTTP client run against real sockets on loopback; only the
clock is virtual: whenever nothing is under way, time jumps to the next timer. Half-way the process
is "killed" and everything is opened again from disk.

    python bench/politeness.py [--days 30] [--only both,busy] [--verbose]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import selectors
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiosqlite
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from politeness_checks import Verdict, judge_all
from politeness_hosts import DOWNTIME, OUTAGE, RESTART, make_hosts
from politeness_world import DAY, Host, Server, World
from sqlalchemy import select

from feeds.fetch import Fetcher
from feeds.model import Classification, Document, Source, SourceId, SourceKind
from feeds.networks import Networks
from feeds.pace import HostPace
from feeds.parse import parse_document
from feeds.regions import load_catalogue
from storage import migrate, sources
from storage.database import Database
from storage.models import SourceRow
from vestnik.collector import Collector
from vestnik.findings import Finder
from vestnik.metrics import Metrics
from vestnik.pipeline import Pipeline

#: Durability is not judged here, so the disk need not work.
_MEMORY = Path("/dev/shm")
MIN_INTERVAL = timedelta(minutes=15)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
#: Real time given to sockets before time jumps; loopback needs far less.
_GRACE = 0.002


class JumpingSelector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    """Waits for real events only briefly; instead of sleeping it moves the virtual clock."""

    now = 0.0
    #: Whether requests are under way that will soon be an event.
    is_busy = True
    #: Calls to the database's threads not answered yet.
    calls = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if self.calls or timeout is None:
            return super().select(1)
        if self.is_busy:
            events = super().select(_GRACE)
        if not events:
            self.now += timeout
        return events

    def watch_database(self) -> None:
        """Count the calls under way, so that time stands still while the database works."""
        execute = aiosqlite.Connection._execute

        async def counted(connection: Any, function: Any, *args: Any, **options: Any) -> Any:
            self.calls += 1
            try:
                return await execute(connection, function, *args, **options)
            finally:
                self.calls -= 1

        aiosqlite.Connection._execute = counted  # type: ignore[method-assign]


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now

    def run_in_executor(self, _executor: Any, function: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Do the work here and now: time must not pass meanwhile."""
        done = self.create_future()
        done.set_result(function(*args))
        return done

    def clock(self) -> datetime:
        return BEGIN + timedelta(seconds=self.jumping.now)


class LoopbackResolver(AbstractResolver):
    """Every name of the world lives on loopback, unless our own network is down."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if not self._server.is_reachable:
            raise OSError(-3, "Temporary failure in name resolution")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


class InlineParser:
    """The real parser, in this process: worker processes know no virtual time."""

    async def parse(self, body: bytes, **options: Any) -> Document:
        return parse_document(body, **options)


class NoLabels:
    """Politeness does not depend on what an item is about."""

    def classify(self, _request: object) -> Classification:
        return Classification()


class AlwaysLeading:
    def is_held(self) -> bool:
        return True


class Process:
    """What one run of the service does to collect; opened again from disk after the kill."""

    def __init__(self, loop: VirtualLoop, folder: Path, declared: list[Source], server: Server) -> None:
        self._loop = loop
        self._url = f"sqlite:///{folder / 'bench.db'}"
        self._declared = declared
        self._server = server

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        clock = self._loop.clock
        self.database = Database.open(self._url)
        self._stack.push_async_callback(self.database.close)
        await migrate.upgrade(self.database)
        async with self.database.write() as session:
            await sources.declare(session, self._declared, now=clock())
        fetcher = Fetcher(
            user_agent="Vestnik/0.0 (+https://example.org/about-our-bot)",
            clock=clock,
            allow_private=["127.0.0.1/32"],
            # To the pace all hosts are other people's, though they live on loopback.
            pace=HostPace(clock=clock),
            resolver=LoopbackResolver(self._server),
        )
        await self._stack.enter_async_context(fetcher)
        async with self.database.read() as session:
            fetcher.pace.restore(await sources.host_waits(session, now=clock()))
        networks = Networks(catalogue=load_catalogue(), networks={})
        self._pipeline = Pipeline(
            database=self.database,
            fetcher=fetcher,
            parser=InlineParser(),  # type: ignore[arg-type]
            finder=Finder(classifier=NoLabels(), networks=networks),  # type: ignore[arg-type]
            min_interval=MIN_INTERVAL,
            clock=clock,
            metrics=Metrics(),
            jitter=random.Random(7).random,
        )
        self.collector = Collector(
            pipeline=self._pipeline,
            database=self.database,
            lead=AlwaysLeading(),  # type: ignore[arg-type]
            concurrency=20,
            min_interval=MIN_INTERVAL,
            clock=clock,
            on_stored=lambda: None,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.collector.stop(within=0)
        await self._stack.aclose()

    async def run(self, until: datetime) -> None:
        """Tick whenever a source falls due or a pass has ended."""
        while (now := self._loop.clock()) < until:
            await self.collector.tick()
            running = self.collector._running
            due = [at for each, at in (await self.planned()).items() if each not in running]
            pause = (min([*due, until]) - now).total_seconds()
            if self.collector._not_before:
                raise RuntimeError(f"passes crashed: {sorted(self.collector._not_before)}")
            self._loop.jumping.is_busy = bool(running)
            if running:
                tasks = list(running.values())
                await asyncio.wait(tasks, timeout=max(pause, 1), return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(max(pause, 0.1))
            self._loop.jumping.is_busy = True

    async def planned(self) -> dict[SourceId, datetime]:
        async with self.database.read() as session:
            rows = await session.execute(select(SourceRow.id, SourceRow.next_poll_at))
            return {SourceId(each): at for each, at in rows}

    async def states(self) -> dict[str, str]:
        async with self.database.read() as session:
            rows = await session.execute(select(SourceRow.id, SourceRow.last_error_reason))
            return {str(each): str(reason) for each, reason in rows}


def declare(host: Host, port: int) -> list[Source]:
    def source(name: str, path: str) -> Source:
        url = f"{host.scheme}://{host.name}:{port}{path}"
        return Source(id=SourceId(name), url=url, kind=SourceKind(host.kind), interval=host.interval)

    more = [source(f"{host.name}{path}", path) for path in host.more_paths]
    return [source(host.name, host.path), *more]


async def simulate(loop: VirtualLoop, days: int, folder: Path, only: set[str]) -> World:
    strays: list[str] = []

    async def stray(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        strays.append("a connection to a private listener")
        writer.close()

    private = await asyncio.start_server(stray, "127.0.0.2", 0)
    hosts: dict[str, Host] = {}
    server = Server(hosts, loop.clock)
    public = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = public.sockets[0].getsockname()[1]
    made = make_hosts(BEGIN, port, private.sockets[0].getsockname()[1])
    made = [host for host in made if not only or host.name.removesuffix(".example") in only]
    hosts.update({host.name: host for host in made})
    declared = [source for host in made for source in declare(host, port)]
    end = BEGIN + days * DAY
    outage = asyncio.create_task(_play_outage(server))
    async with Process(loop, folder, declared, server) as process:
        await process.run(BEGIN + RESTART)
        planned = await process.planned()
    await asyncio.sleep(DOWNTIME.total_seconds())
    async with Process(loop, folder, declared, server) as process:
        await process.run(end)
        states = await process.states()
    outage.cancel()
    for each in (public, private):
        each.close()
    return World(
        begin=BEGIN,
        end=end,
        hosts=hosts,
        states=states,
        planned={name: at for name, at in planned.items() if name in hosts},
        strays=strays + server.strays,
    )


async def _play_outage(server: Server) -> None:
    await asyncio.sleep(OUTAGE[0].total_seconds())
    server.is_reachable = False
    await asyncio.sleep((OUTAGE[1] - OUTAGE[0]).total_seconds())
    server.is_reachable = True


def print_table(world: World, verdicts: list[Verdict], *, seconds: float, verbose: bool) -> None:
    visits = sum(len(host.records) for host in world.hosts.values())
    days = (world.end - world.begin) / DAY
    print(
        f"{len(world.hosts)} hosts, {days:g} virtual days, {visits} requests, {seconds:.0f} s of real time\n"
    )
    print(f"{'check':<24} {'hosts':>5} {'passed':>6}  promise")
    for verdict in verdicts:
        passed = verdict.hosts - len({host for host, _ in verdict.faults})
        print(f"{verdict.check.name:<24} {verdict.hosts:>5} {passed:>6}  {verdict.check.promise}")
        for host, fault in verdict.faults[: None if verbose else 3]:
            print(f"{'':<24} {'':>5} {'':>6}  ! {host}: {fault}")
    judged = sum(verdict.hosts for verdict in verdicts)
    failed = sum(len({host for host, _ in verdict.faults}) for verdict in verdicts)
    print(f"\n{judged - failed} of {judged} checks passed: {100 * (judged - failed) / judged:.1f} %")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only", default="", help="names of hosts, with commas, instead of all")
    parser.add_argument("--verbose", action="store_true", help="show every fault")
    options = parser.parse_args()
    if options.days * DAY <= OUTAGE[1] + DAY:
        parser.error("the world needs at least 23 days: its restart and outage come late")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    started = time.monotonic()
    loop = VirtualLoop()
    loop.jumping.watch_database()
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        try:
            world = loop.run_until_complete(
                simulate(loop, options.days, Path(folder), set(options.only.split(",")) - {""})
            )
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
    verdicts = judge_all(world)
    print_table(world, verdicts, seconds=time.monotonic() - started, verbose=options.verbose)
    return 1 if any(verdict.faults for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())

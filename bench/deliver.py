"""How fast and how politely we deliver, measured against the Bot API emulator over real HTTP.

The emulator runs in a process of its own, so that CPU time is ours alone. Two runs:

* strict: the emulator refuses the 31st message of any second; goal: >= 0.97 of the cap, no 429;
* lifted: no limits; goal: >= 1 000 messages/s and <= 1.5 ms CPU a message.

python-telegram-bot with its own ``AIORateLimiter`` runs beside where ``aiolimiter`` is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, ExtBot

from bot.deliver import Deliverer
from bot.deps import BotDeps
from bot.i18n import load_translations
from bot.limiter import Priority, Turns
from bot.pace import Rates
from bot.transport import AiohttpRequest
from feeds.model import Classification, Entry, Evidence, LanguageCode, NetworkId, RegionCode, Source, SourceId
from feeds.networks import ALL, Network, Networks
from feeds.regions import load_catalogue
from storage import items, outbox, sources, subscribers
from storage.database import Database
from storage.models import Base
from vestnik.demo.botapi import DEFAULT_TOKEN, Emulator, Limits

#: The strict server's cap, messages a second.
CAP = 30
FIRST_USER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name: str
    messages: int
    seconds: float
    cpu_ms: float
    floods: int
    violations: int
    peak: int

    def line(self, *, cap: int) -> str:
        rate = (self.messages - 1) / self.seconds
        share = f"{rate / cap:.3f} of the cap, " if cap else ""
        return (
            f"{self.name:<34} {self.messages:>5} messages, {rate:7.1f}/s, {share}"
            f"{self.cpu_ms:.2f} ms CPU each, 429: {self.floods}, violations: {self.violations}, "
            f"most in any second: {self.peak}"
        )


def serve(pipe: Connection, people: int, *, strict: bool) -> None:
    """The emulator's process: tell the address, wait, tell what was seen."""

    async def run() -> None:
        limits = Limits(per_token=CAP) if strict else Limits.off()
        async with Emulator(limits=limits) as telegram:
            for number in range(people):
                telegram.user(f"Reader {number}", user_id=FIRST_USER + number, started=True)
            pipe.send(telegram.base_url)
            await asyncio.to_thread(pipe.recv)
            times = [each.at for each in telegram.ledger.messages()]
            seconds = max(times, default=0.0) - min(times, default=0.0)
            refused = telegram.engine.counts["sendMessage 429"]
            pipe.send((len(times), seconds, refused, len(telegram.violations), telegram.ledger.peak(1.0)))

    asyncio.run(run())


@contextlib.asynccontextmanager
async def emulator(people: int, *, strict: bool) -> AsyncIterator[tuple[str, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, people), kwargs={"strict": strict}, daemon=True
    )
    process.start()
    try:
        yield await asyncio.to_thread(ours.recv), ours
    finally:
        process.terminate()
        process.join()


def networks() -> Networks:
    catalogue = load_catalogue()
    network = Network(
        id=NetworkId("regional"),
        titles={LanguageCode("en"): "Regional network"},
        regions=catalogue.expand("RU"),
    )
    return Networks(catalogue=catalogue, networks={network.id: network})


async def fill(database: Database, known: Networks, *, people: int, news: int) -> None:
    """``people`` followers of everything, ``news`` items of which each gets one."""
    now = datetime.now(UTC)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    source = Source(id=SourceId("lib"), url="https://lib.example.org/feed", title="The Library")
    found = Classification(
        language=LanguageCode("en"),
        networks=(NetworkId("regional"),),
        regions=(RegionCode("RU-PNZ"),),
        evidence=(Evidence(code="RU-PNZ", words="Penza", where="title", weight=2.0, rule="name"),),
    )
    async with database.write() as session:
        await sources.declare(session, [source], now=now)
        for number in range(people):
            reader, _ = await subscribers.ensure(
                session,
                chat_id=FIRST_USER + number,
                kind="private",
                title=f"Reader {number}",
                language=LanguageCode("en"),
                now=now,
            )
            await subscribers.follow(session, reader.id, ALL, now=now)
        new = [
            items.NewItem(
                entry=Entry(
                    title=f"A reading room opens in Penza, part {number}",
                    url=f"https://lib.example.org/{number}",
                    summary="The library opens its doors on Saturday at ten. Everybody is welcome.",
                    published=now,
                ),
                keys=(f"n{number}",),
                fingerprint=f"n{number}",
                canonical_url=f"https://lib.example.org/{number}",
                classification=found,
                scopes=known.scopes_of(found.networks, found.regions, SourceId("lib")),
            )
            for number in range(news)
        ]
        ids = await items.add(session, SourceId("lib"), new, now=now)
        await outbox.fan_out(session, ids, now=now)


async def ours(messages: int, *, strict: bool, rate: float) -> Result:
    known = networks()
    news = 10 if not strict and messages >= 1000 else 1
    people = messages // news
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{Path(folder)}/bench.db")
        await fill(database, known, people=people, news=news)
        async with emulator(people, strict=strict) as (address, pipe):
            rates = Rates(messages_per_second=rate, private_chat_per_second=1.0 if strict else 1e6)
            turns = Turns(rates, clock=time.monotonic)
            bot: ExtBot[Priority] = ExtBot(
                DEFAULT_TOKEN, base_url=address + "/bot", request=AiohttpRequest(), rate_limiter=turns
            )
            deps = BotDeps(
                database=database,
                networks=known,
                translations=load_translations(),
                admins={},
                base_url="https://news.example.org",
                clock=lambda: datetime.now(UTC),
            )
            deliverer = Deliverer(
                bot=bot, deps=deps, turns=turns, may_send=lambda: True, on_token_refused=print
            )
            await bot.initialize()
            await turns.initialize()
            before = cpu_seconds()
            running = asyncio.create_task(deliverer.run())
            while deliverer.counts.sent < messages:  # noqa: ASYNC110 - the bench only looks on
                await asyncio.sleep(0.05)
            spent = cpu_seconds() - before
            await deliverer.stop(within=5)
            await running
            result = finish("vestnik", pipe, spent)
            await bot.shutdown()
            await turns.shutdown()
        await database.close()
    return result


async def library(messages: int, *, strict: bool) -> Result:
    """python-telegram-bot alone: its transport, its limiter, no database."""
    async with emulator(messages, strict=strict) as (address, pipe):
        limiter = AIORateLimiter(max_retries=5) if strict else None
        bot = ExtBot(DEFAULT_TOKEN, base_url=address + "/bot", rate_limiter=limiter)
        await bot.initialize()
        before = cpu_seconds()
        gate = asyncio.Semaphore(100)

        async def send(chat_id: int) -> None:
            async with gate:
                with contextlib.suppress(TelegramError):
                    await bot.send_message(chat_id, "<b>A reading room opens in Penza</b>", parse_mode="HTML")

        await asyncio.gather(*(send(FIRST_USER + number) for number in range(messages)))
        result = finish("python-telegram-bot alone", pipe, cpu_seconds() - before)
        await bot.shutdown()
        return result


def finish(name: str, pipe: Connection, spent: float) -> Result:
    pipe.send("done")
    sent, seconds, floods, violations, peak = pipe.recv()
    return Result(
        name=name,
        messages=sent,
        seconds=seconds,
        cpu_ms=spent / sent * 1000,
        floods=floods,
        violations=violations,
        peak=peak,
    )


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=600, help="in the strict run, e.g. 3000")
    parser.add_argument("--lifted", type=int, default=5000, help="messages with the cap lifted")
    parser.add_argument("--only", choices=["strict", "lifted"])
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    if arguments.only != "lifted":
        print((await ours(arguments.messages, strict=True, rate=Rates().messages_per_second)).line(cap=CAP))
        with contextlib.suppress(RuntimeError):  # aiolimiter is not installed
            print((await library(arguments.messages, strict=True)).line(cap=CAP))
    if arguments.only != "strict":
        print((await ours(arguments.lifted, strict=False, rate=10_000.0)).line(cap=0))
        print((await library(min(arguments.lifted, 3000), strict=False)).line(cap=0))


if __name__ == "__main__":
    asyncio.run(main())

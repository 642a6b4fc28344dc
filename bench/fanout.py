"""How long one story takes to reach 100,000 outboxes, and what readers and the sender feel of it.

    python bench/fanout.py [--followers 100000] [--stories 3] [--url sqlite:////tmp/fanout.db]

SQLite in a temporary folder unless ``--url`` names another (empty) database. Goals for 100,000
followers on SQLite: the transaction within 3 s, no reader waiting for it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from feeds.model import Classification, Entry, LanguageCode, Source, SourceId
from feeds.networks import ALL, Scope
from storage import items, outbox, sources
from storage.database import Database
from storage.items import NewItem
from storage.migrate import upgrade
from storage.models import SubscriberRow, SubscriptionRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GOAL_SECONDS = 3.0
#: Every follower follows the place; every third one the network as well.
PLACE, NETWORK = Scope("regional/RU-PNZ"), Scope("regional")


async def main(followers: int, stories: int, url: str) -> int:
    database = Database.open(url)
    await upgrade(database)
    await _subscribe(database, followers)
    print(f"{followers:,} followers, {stories} stories, {url.partition(':')[0]}")
    slowest = 0.0
    for number in range(stories):
        slowest = max(slowest, await _fan_out(database, number))
    if not database.is_sqlite:
        # What autovacuum does within a minute; without statistics PostgreSQL reads the whole queue.
        async with database.write() as session:
            await session.execute(text("ANALYZE"))
    await _send(database)
    await database.close()
    if not database.is_sqlite:
        return 0
    print(f"slowest transaction {slowest:.2f} s, goal {GOAL_SECONDS} s: {_verdict(slowest)}")
    return int(slowest > GOAL_SECONDS)


def _verdict(seconds: float) -> str:
    return "met" if seconds <= GOAL_SECONDS else "MISSED"


async def _subscribe(database: Database, followers: int) -> None:
    source = Source(id=SourceId("lib"), url="https://lib.example/feed")
    chats = [
        {
            "chat_id": 1000 + number, "thread_id": 0, "kind": "private", "title": "", "language": "en",
            "timezone": "UTC", "state": "active", "paused_reason": "", "created_at": NOW,
        }
        for number in range(followers)
    ]  # fmt: skip
    async with database.write() as session:
        await sources.declare(session, [source], now=NOW)
        for start in range(0, followers, 5000):
            made = await session.scalars(
                insert(SubscriberRow).returning(SubscriberRow.id), chats[start : start + 5000]
            )
            wishes = [(each, PLACE) for each in made]
            wishes += [(each, NETWORK) for each, _ in wishes[::3]]
            rows = [{"subscriber_id": who, "scope": scope, "created_at": NOW} for who, scope in wishes]
            await session.execute(insert(SubscriptionRow), rows)


async def _fan_out(database: Database, number: int) -> float:
    """One story to all, in one transaction, while a reader keeps asking for the newest items."""
    new = NewItem(
        entry=Entry(title=f"Story {number}", published=NOW),
        keys=(f"key:{number}",),
        fingerprint="",
        canonical_url=None,
        classification=Classification(language=LanguageCode("en")),
        scopes=(ALL, NETWORK, PLACE),
    )
    waits: list[float] = []
    reader = asyncio.create_task(_keep_reading(database, waits))
    began = time.perf_counter()
    async with database.write() as session:
        added = await items.add(session, SourceId("lib"), [new], now=NOW)
        queued = await outbox.fan_out(session, added, now=NOW)
    seconds = time.perf_counter() - began
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    print(
        f"  story {number + 1}: {queued:,} queued and committed in {seconds:.2f} s; {len(waits)} reads "
        f"meanwhile, median {statistics.median(waits) * 1000:.1f} ms, longest {max(waits) * 1000:.1f} ms"
    )
    return seconds


async def _keep_reading(database: Database, waits: list[float]) -> None:
    while True:
        began = time.perf_counter()
        async with database.read() as session:
            await items.newest(session, scope=PLACE, limit=50)
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)


async def _send(database: Database) -> None:
    """What the sender asks over and over while this backlog lasts."""
    soon = NOW + timedelta(seconds=1)

    async def heads() -> object:
        async with database.read() as session:
            return await outbox.heads(session, now=soon, limit=60)

    async def next_due_at() -> object:
        async with database.read() as session:
            return await outbox.next_due_at(session)

    async def record() -> object:
        async with database.write() as session:
            (head,) = await outbox.heads(session, now=soon, limit=1)
            await outbox.mark_sending(session, [head.id], now=soon)
            return await outbox.mark_sent(session, head.id, message_id=1, now=soon)

    for name, ask in {"heads": heads, "next_due_at": next_due_at, "record an attempt": record}.items():
        print(f"  {name}: {await _median(ask) * 1000:.1f} ms")


async def _median(ask: Callable[[], Awaitable[object]], times: int = 9) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--followers", type=int, default=100_000)
    parser.add_argument("--stories", type=int, default=3)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = given.url or f"sqlite:///{Path(folder, 'fanout.db')}"
        raise SystemExit(asyncio.run(main(given.followers, given.stories, where)))

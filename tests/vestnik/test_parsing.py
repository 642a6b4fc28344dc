"""The pool of parsers: one bad document costs nobody else anything."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from feeds.errors import ParseError
from feeds.model import Document, Selectors, SourceKind
from vestnik.parsing import ParsingPool

pytestmark = pytest.mark.slow

FEED = b"<rss version='2.0'><channel><title>T</title><item><title>One</title><link>https://a.example/1</link></item></channel></rss>"


@pytest.fixture
async def pool() -> AsyncIterator[ParsingPool]:
    pool = ParsingPool()
    yield pool
    await pool.close()


async def read(pool: ParsingPool, body: bytes, **other: Any) -> Document:
    return await pool.parse(
        body,
        url="https://a.example/feed",
        content_type="",
        kind=SourceKind.AUTO,
        language=None,
        timezone="UTC",
        selectors=Selectors(),
        now=datetime(2026, 11, 1, tzinfo=UTC),
        **other,
    )


async def test_unreadable_documents_say_why_and_leave_the_readable_ones_alone(pool: ParsingPool) -> None:
    bodies = [bytes(range(256)) * 100, FEED] * 6
    results = await asyncio.gather(*(read(pool, body) for body in bodies), return_exceptions=True)
    for bad, good in zip(results[::2], results[1::2], strict=True):
        assert isinstance(bad, ParseError)
        assert bad.reason not in {"parse-crash", "parse-timeout"}
        assert isinstance(good, Document)
        assert good.main_entries[0].title == "One"


async def test_a_killed_worker_costs_no_document(pool: ParsingPool) -> None:
    assert (await read(pool, FEED)).title == "T"
    reading = [asyncio.create_task(read(pool, FEED)) for _ in range(8)]
    await asyncio.sleep(0)
    assert pool._pool is not None
    for process in list(pool._pool._processes.values()):
        os.kill(process.pid or 0, signal.SIGKILL)
    documents = await asyncio.gather(*reading)
    assert all(each.title == "T" for each in documents)


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ParseError("no-list", "https://a.example", "nothing there")))
    assert (error.reason, error.subject, error.detail) == ("no-list", "https://a.example", "nothing there")
    assert isinstance(error, ParseError)

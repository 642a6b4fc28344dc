"""Updates: stored before they are confirmed, handled once and in order, nobody held up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Update
from telegram.ext import Application, ApplicationBuilder, ExtBot, TypeHandler

from bot import poller as poller_module
from bot.poller import Poller
from bot.transport import AiohttpRequest
from storage import inbox
from storage.database import Database
from vestnik.demo.botapi import Emulator, Fault, Limits

Handle = Callable[[Update], Awaitable[None]]


@dataclass(slots=True)
class Desk:
    """The receiving half of the bot."""

    telegram: Emulator
    database: Database
    handled: list[str] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    poller: Poller | None = None
    application: Application | None = None
    running: asyncio.Task[None] | None = None
    slow: Handle | None = None

    async def start(self) -> None:
        bot: ExtBot[None] = ExtBot(
            self.telegram.token,
            base_url=self.telegram.base_url + "/bot",
            request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(read_timeout=5),
        )
        self.application = ApplicationBuilder().bot(bot).updater(None).build()
        self.application.add_handler(TypeHandler(Update, self._handle))
        await bot._request[0].initialize()
        await bot._request[1].initialize()
        self.application._initialized = True
        self.poller = Poller(
            application=self.application,
            database=self.database,
            clock=lambda: datetime.now(UTC),
            timeout=timedelta(seconds=1),
            may_poll=lambda: True,
            on_token_refused=self.refused.append,
        )
        self.running = asyncio.create_task(self.poller.run())

    async def _handle(self, update: Update, _context: object) -> None:
        if self.slow is not None:
            await self.slow(update)
        self.handled.append(update.message.text)

    async def stop(self, *, within: float = 1.0) -> None:
        if self.running is None:
            return
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.poller.stop(within=within)
        for request in self.application.bot._request:
            await request.shutdown()
        self.running = None

    async def until(self, done: Callable[[], bool], within: float = 6.0) -> None:
        async with asyncio.timeout(within):
            while not done():
                await asyncio.sleep(0.01)

    async def left(self) -> int:
        async with self.database.read() as session:
            return len(await inbox.waiting(session))

    async def until_empty(self) -> None:
        async with asyncio.timeout(5):
            while await self.left():
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(poller_module, "_FIRST_WAIT", 0.05)
    async with Emulator(limits=Limits.off()) as telegram:
        made = Desk(telegram=telegram, database=database)
        with capture_logs() as logs:
            made.logs = logs
            yield made
            await made.stop()


def events(desk: Desk) -> list[str]:
    return [entry["event"] for entry in desk.logs]


async def test_updates_of_a_chat_are_handled_once_and_in_order(desk: Desk) -> None:
    people = [desk.telegram.user(f"P{number}") for number in range(5)]
    await desk.start()
    for number in range(10):
        for each in people:
            each.send(f"{each.id} {number}")
    await desk.until(lambda: len(desk.handled) >= 50)
    await desk.until_empty()
    assert len(desk.handled) == len(set(desk.handled)) == 50
    for each in people:
        assert [t for t in desk.handled if t.startswith(str(each.id))] == [
            f"{each.id} {n}" for n in range(10)
        ]


async def test_one_slow_chat_holds_up_no_other_and_keeps_its_order(desk: Desk) -> None:
    slow, quick = desk.telegram.user("Slow"), desk.telegram.user("Quick")
    gate = asyncio.Event()

    async def wait(update: Update) -> None:
        if update.effective_chat.id == slow.id:
            await gate.wait()

    desk.slow = wait
    await desk.start()
    slow.send("slow 1")
    slow.send("slow 2")
    quick.send("quick")
    await desk.until(lambda: desk.handled == ["quick"])
    gate.set()
    await desk.until(lambda: desk.handled == ["quick", "slow 1", "slow 2"])


async def test_updates_are_stored_before_they_are_confirmed_and_a_new_start_handles_them(desk: Desk) -> None:
    anna = desk.telegram.user()

    async def never(_update: Update) -> None:
        await asyncio.Event().wait()

    desk.slow = never
    await desk.start()
    anna.send("one")
    await desk.until(lambda: len(desk.telegram.engine.updates) == 0)  # confirmed
    assert await desk.left() == 1
    await desk.stop(within=0.0)
    assert (await desk.left(), desk.handled) == (1, [])
    anna.send("two")
    desk.slow = None
    await desk.start()
    await desk.until(lambda: len(desk.handled) >= 2)
    await desk.until_empty()
    assert desk.handled == ["one", "two"]


async def test_updates_that_cannot_be_stored_stay_with_telegram(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    store, failures = inbox.receive, 2

    async def receive(*args: Any, **values: Any) -> list[int]:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("INSERT", {}, Exception("disk is full"))
        return await store(*args, **values)

    monkeypatch.setattr(inbox, "receive", receive)
    anna = desk.telegram.user()
    await desk.start()
    anna.send("kept")
    await desk.until(lambda: desk.handled == ["kept"])
    assert "telegram.updates_not_stored" in events(desk)


async def test_a_handler_that_fails_stops_nobody(desk: Desk) -> None:
    anna = desk.telegram.user()

    async def fail(update: Update) -> None:
        if update.message.text == "bad":
            raise ValueError("a bug")

    desk.slow = fail
    await desk.start()
    anna.send("bad")
    anna.send("good")
    await desk.until(lambda: desk.handled == ["good"])
    await desk.until_empty()


async def test_a_second_poller_is_reported_in_words(desk: Desk) -> None:
    desk.telegram.faults.add(Fault(kind="error", method="getUpdates", error="conflict"))
    await desk.start()
    await desk.until(lambda: "telegram.conflict" in events(desk))
    [entry] = [each for each in desk.logs if each["event"] == "telegram.conflict"]
    assert "another program uses this bot's token" in entry["advice"]
    assert desk.poller.is_connected is False


async def test_a_refused_token_is_reported(desk: Desk) -> None:
    desk.telegram.faults.add(Fault(kind="error", method="getUpdates", error="unauthorized"))
    await desk.start()
    await desk.until(lambda: len(desk.refused) == 1)
    assert desk.poller.is_connected is False


async def test_telegram_away_and_back_loses_no_update(desk: Desk) -> None:
    anna = desk.telegram.user()
    await desk.start()
    anna.send("before")
    await desk.until(lambda: desk.handled == ["before"])
    await desk.telegram.stop()
    await desk.until(lambda: "telegram.unreachable" in events(desk))
    assert desk.poller.is_connected is False
    anna.send("meanwhile")
    await desk.telegram.start()
    await desk.until(lambda: desk.handled == ["before", "meanwhile"])
    await desk.until(lambda: "telegram.connected_again" in events(desk))
    assert desk.poller.is_connected is True

"""Turns to send: order within a chat, people before news, waits obeyed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from telegram.error import RetryAfter
from telegram.ext import ExtBot

from bot import limiter
from bot.limiter import Priority, Turns
from bot.pace import Rates
from bot.transport import AiohttpRequest
from vestnik.demo.botapi import Emulator, Fault, Limits

QUICK = Rates(messages_per_second=2000.0, private_chat_per_second=2000.0, group_per_minute=1000.0)


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    made = Turns(QUICK, clock=time.monotonic)
    await made.initialize()
    yield made
    await made.shutdown()


async def send(turns: Turns, chat: int, name: str, sent: list, *, priority: Priority = Priority.NEWS) -> None:
    async with turns.turn(chat, is_group=chat < 0, priority=priority) as turn:
        await turn.slot()
        sent.append(name)


async def test_messages_of_one_chat_leave_in_the_order_asked_for_and_one_at_a_time(turns: Turns) -> None:
    sent: list[int] = []
    busy: list[int] = []

    async def one(number: int) -> None:
        async with turns.turn(7, is_group=False, priority=Priority.NEWS) as turn:
            busy.append(number)
            assert len(busy) == 1
            await turn.slot()
            sent.append(number)
            await asyncio.sleep(0.0005 * (number % 3))
            busy.remove(number)

    await asyncio.gather(*(one(number) for number in range(60)))
    assert sent == list(range(60))


async def test_a_person_is_answered_before_news_that_waits_in_many_chats() -> None:
    turns = Turns(Rates(messages_per_second=100.0), clock=time.monotonic)
    await turns.initialize()
    sent: list[str] = []
    news = [asyncio.create_task(send(turns, chat, "news", sent)) for chat in range(60)]
    await asyncio.sleep(0.05)
    await send(turns, 999, "answer", sent, priority=Priority.ANSWER)
    assert len(sent) < 15
    await asyncio.gather(*news)
    await turns.shutdown()


async def test_a_person_is_answered_before_news_that_waits_in_the_same_chat() -> None:
    turns = Turns(Rates(messages_per_second=500.0, private_chat_per_second=20.0), clock=time.monotonic)
    await turns.initialize()
    sent: list[str] = []
    news = [asyncio.create_task(send(turns, 7, f"news {number}", sent)) for number in range(4)]
    await asyncio.sleep(0.02)
    answer = asyncio.create_task(send(turns, 7, "answer", sent, priority=Priority.ANSWER))
    await asyncio.gather(*news, answer)
    assert sent == ["news 0", "answer", "news 1", "news 2", "news 3"]
    await turns.shutdown()


async def test_a_chat_that_must_wait_holds_up_no_other(turns: Turns) -> None:
    turns.flooded(1, is_group=False, seconds=60.0)
    waiting = [asyncio.create_task(send(turns, 1, "held", [])) for _ in range(50)]
    sent: list[str] = []
    async with asyncio.timeout(1):
        await asyncio.gather(*(send(turns, chat, "free", sent) for chat in range(2, 40)))
    assert len(sent) == 38
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_few_have_a_turn_and_no_slot_however_many_wait() -> None:
    """What is recorded as begun and has not left would be unknown after kill -9."""
    turns = Turns(Rates(messages_per_second=40.0), clock=time.monotonic)
    await turns.initialize()
    ahead, most = 0, 0

    async def one(chat: int) -> None:
        nonlocal ahead, most
        async with turns.turn(chat, is_group=False, priority=Priority.NEWS) as turn:
            ahead += 1
            most = max(most, ahead)
            await turn.slot()
            ahead -= 1

    await asyncio.gather(*(one(chat) for chat in range(25)))
    assert most <= 40 * 0.15 + 1
    await turns.shutdown()


async def test_slots_stay_even_when_commits_take_their_time_by_turns() -> None:
    turns = Turns(Rates(messages_per_second=100.0), clock=time.monotonic)
    await turns.initialize()
    times: list[float] = []

    async def one(chat: int) -> None:
        async with turns.turn(chat, is_group=False, priority=Priority.NEWS) as turn:
            await asyncio.sleep(0.08 if chat % 10 == 0 else 0.0)  # the commit
            await turn.slot()
            times.append(time.monotonic())

    await asyncio.gather(*(one(chat) for chat in range(40)))
    for first, fifth in zip(times, times[10:], strict=False):
        assert fifth - first >= 10 / 100 - 0.021
    await turns.shutdown()


async def test_cancelled_waiters_are_passed_over(turns: Turns) -> None:
    turns.flooded(5, is_group=False, seconds=0.05)
    sent: list[str] = []
    tasks = [asyncio.create_task(send(turns, 5, str(number), sent)) for number in range(6)]
    await asyncio.sleep(0.01)
    for number in (0, 1, 3):
        tasks[number].cancel()
    async with asyncio.timeout(2):
        await asyncio.gather(*tasks, return_exceptions=True)
        await send(turns, 5, "last", sent)
    assert sent == ["2", "4", "5", "last"]


async def test_floods_in_two_chats_hold_the_whole_bot_and_one_does_not(turns: Turns) -> None:
    assert not turns.flooded(1, is_group=False, seconds=1.0)
    assert not turns.flooded(1, is_group=False, seconds=1.0)
    assert not turns.is_held()
    assert turns.flooded(2, is_group=False, seconds=1.0)
    assert turns.is_held()
    assert turns.floods == 3


async def test_sweeping_idle_chats_never_drops_one_that_is_held_or_waited_for(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "_SWEEP_AT", 50)
    turns._sweep_at = 50
    # Floods in two chats would hold the whole bot, and nobody would be swept before they end.
    now = time.monotonic()
    turns._chat(1, is_group=False).pace.hold(now, 60.0)
    turns._chat(2, is_group=False).pace.hold(now, 5.0)
    sent: list[str] = []
    waiting = asyncio.create_task(send(turns, 2, "waited", sent))
    for chat in range(100, 400):
        await send(turns, chat, "other", [])
    assert 1 in turns._chats
    assert 2 in turns._chats
    assert len(turns._chats) < 300
    held = asyncio.create_task(send(turns, 1, "held", sent))
    await waiting
    assert sent == ["waited"]
    assert not held.done()
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)


async def test_answers_refused_with_429_are_tried_again_in_their_order() -> None:
    async with Emulator(limits=Limits.off()) as telegram:
        anna = telegram.user("Anna", started=True)
        turns = Turns(QUICK, clock=time.monotonic)
        bot: ExtBot[Priority] = ExtBot(
            telegram.token, base_url=telegram.base_url + "/bot", request=AiohttpRequest(), rate_limiter=turns
        )
        await bot.initialize()
        telegram.faults.add(Fault(kind="flood", chat_id=anna.id, retry_after=1))
        started = time.monotonic()
        await asyncio.gather(*(bot.send_message(anna.id, f"answer {number}") for number in range(4)))
        assert time.monotonic() - started >= 1.0
        assert telegram.ledger.texts(anna.id) == [f"answer {number}" for number in range(4)]
        assert telegram.violations == []
        assert turns.floods == 1
        await bot.shutdown()
        await turns.shutdown()


async def test_answers_are_not_tried_for_ever(turns: Turns) -> None:
    calls = 0

    async def refused(**_: object) -> None:
        nonlocal calls
        calls += 1
        raise RetryAfter(0)

    with pytest.raises(RetryAfter):
        await turns.process_request(refused, (), {}, "sendMessage", {"chat_id": 5}, None)
    assert calls == 3


@pytest.mark.parametrize("endpoint", ["getMe", "answerCallbackQuery", "sendChatAction", "getUpdates"])
async def test_what_is_no_message_waits_for_nothing(turns: Turns, endpoint: str) -> None:
    turns.hold_bot(60.0)

    async def answered(**_: object) -> str:
        return "done"

    async with asyncio.timeout(0.5):
        assert await turns.process_request(answered, (), {}, endpoint, {"chat_id": 5}, None) == "done"

"""Limits on a virtual clock: what is too early, how long to wait, and what impatience costs."""

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.demo.botapi import Emulator, Limits, VirtualClock
from vestnik.demo.botapi.pace import Pace


def _decide(pace, now, chat, *, is_edit=False, is_paid=False):
    return pace.decide(now, chat, is_edit=is_edit, is_paid=is_paid)


def test_thirty_messages_a_second_pass_and_the_next_does_not():
    pace = Pace(Limits())
    assert all(_decide(pace, 0.0, chat) is None for chat in range(1, 31))
    flood = _decide(pace, 0.5, 31)
    assert (flood.scope, flood.retry_after, flood.impatient) == ("token", 1, False)
    assert _decide(pace, 1.2, 32).impatient, "before the second told to wait is over"
    assert _decide(pace, 1.5, 32) is None


def test_a_private_chat_takes_a_short_burst_and_then_one_a_second():
    pace = Pace(Limits(private_burst=3))
    assert [_decide(pace, 0.0, 1) for _ in range(3)] == [None] * 3
    assert _decide(pace, 0.1, 1).scope == "chat"
    assert _decide(pace, 0.2, 2) is None, "another chat is not held up"
    assert _decide(pace, 1.1, 1) is None
    assert _decide(pace, 1.3, 1).scope == "chat"


def test_a_group_takes_twenty_a_minute_and_edits_are_counted_apart():
    pace = Pace(Limits())
    assert all(_decide(pace, float(n), -1) is None for n in range(20))
    assert _decide(pace, 21.0, -1, is_edit=True) is None
    flood = _decide(pace, 22.0, -1)
    assert (flood.scope, flood.retry_after) == ("chat", 38)
    assert _decide(pace, 60.0, -1) is None


def test_paid_broadcast_has_a_limit_of_its_own():
    pace = Pace(Limits(private_burst=0))
    assert all(_decide(pace, 0.0, chat, is_paid=True) is None for chat in range(1, 1001))
    assert _decide(pace, 0.0, 1001, is_paid=True).scope == "token"


@given(st.lists(st.floats(0, 0.2), min_size=40, max_size=200))
def test_no_window_ever_holds_more_than_the_limit(gaps):
    pace, now, taken = Pace(Limits(per_token=10, private_burst=0)), 0.0, []
    for chat, gap in enumerate(gaps, start=1):
        now += gap
        if _decide(pace, now, chat) is None:
            taken.append(now)
    assert all(sum(t <= other < t + 0.999 for other in taken) <= 10 for t in taken)


async def test_a_flood_is_answered_429_counted_and_undelivered(paced, clock):
    reader = paced.user(started=True)
    address = f"{paced.base_url}/bot{paced.token}/sendMessage"
    async with aiohttp.ClientSession() as session:
        for number in range(4):
            answer = await session.post(address, json={"chat_id": reader.id, "text": str(number)})
        assert answer.status == 429
        assert await answer.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        }
        assert (await session.post(address, json={"chat_id": reader.id, "text": "early"})).status == 429
        clock.advance(1.0)
        assert (await session.post(address, json={"chat_id": reader.id, "text": "in time"})).status == 200
    assert paced.ledger.texts(reader.id) == ["0", "1", "2", "in time"]
    assert [violation.kind for violation in paced.violations] == ["flood", "impatient"]


@pytest.mark.slow
async def test_ten_thousand_readers_on_pace_see_no_429():
    clock = VirtualClock()
    async with Emulator(clock=clock) as server, aiohttp.ClientSession() as session:
        address = f"{server.base_url}/bot{server.token}/sendMessage"
        for number in range(10_000):
            reader = server.user(user_id=number + 1, started=True)
            answer = await session.post(address, json={"chat_id": reader.id, "text": "news"})
            assert answer.status == 200
            clock.advance(1 / 30 + 1e-9)
        assert server.violations == []
        assert server.ledger.peak(1.0) <= 30
        assert len(server.ledger.messages()) == 10_000

"""How fast we may send: never above a limit, hardly ever below it."""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pace import BotPace, ChatPace, Rates

CAP = 30
LATE = st.floats(0.0, 0.02)


def send_all(pace: BotPace, delays: list[float], *, answers: list[float] | None = None) -> list[float]:
    """Send one after another as soon as the pace allows, waking up late each time.

    ``answers`` are the seconds each answer takes.
    """
    now, times, open_flights = 0.0, [], []
    for number, late in enumerate(delays):
        while True:
            now = land(pace, open_flights, now)
            wait = pace.wait(now)
            if wait <= 0:
                break
            now += wait + late
        flight = pace.take(now)
        times.append(now)
        open_flights.append((now + (answers[number % len(answers)] if answers else 0.003), flight))
    return times


def land(pace: BotPace, open_flights: list, now: float) -> float:
    for answered, flight in list(open_flights):
        if answered <= now:
            pace.landed(flight, answered)
            open_flights.remove((answered, flight))
    return now


def most_in(times: list[float], window: float) -> int:
    return max(bisect_left(times, start + window - 1e-9) - number for number, start in enumerate(times))


@settings(max_examples=60, deadline=None)
@given(late=st.lists(LATE, min_size=1, max_size=12))
def test_no_second_ever_sees_more_than_the_rate_and_one(late: list[float]) -> None:
    times = send_all(BotPace(Rates()), [late[n % len(late)] for n in range(150)])
    assert most_in(times, 1.0) <= CAP


@settings(max_examples=40, deadline=None)
@given(
    idle=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=6),
    rate=st.floats(1.0, 200.0),
)
def test_idleness_earns_no_burst(idle: list[float], rate: float) -> None:
    pace, now, times = BotPace(Rates(messages_per_second=rate)), 0.0, []
    for pause in idle:
        now += pause
        for _ in range(40):
            while (wait := pace.wait(now)) > 0:
                now += wait
            pace.landed(pace.take(now), now)
            times.append(now)
    assert most_in(times, 1.0) <= rate * 1.02 + 1


@settings(max_examples=40, deadline=None)
@given(answers=st.lists(st.floats(0.001, 0.2), min_size=1, max_size=40), seed=st.integers(0, 10_000))
def test_a_server_that_counts_while_answering_never_sees_31_in_a_second(
    answers: list[float], seed: int
) -> None:
    """However requests bunch up on the way: each is counted somewhere between leaving and answer."""
    taken, chance = answers, random.Random(seed)
    times = send_all(BotPace(Rates()), [0.0] * 120, answers=taken)
    # The fastest answer is all way: half there, half back. Slower ones were held up there or back.
    fastest = min(taken)
    counted = sorted(
        left + fastest / 2 + chance.random() * (taken[n % len(taken)] - fastest)
        for n, left in enumerate(times)
    )
    assert most_in(counted, 1.0) <= CAP


@pytest.mark.parametrize("late", [0.0, 0.001, 0.005, 0.01, 0.02])
def test_waking_up_late_costs_no_throughput(late: float) -> None:
    times = send_all(BotPace(Rates()), [late] * 3000)
    assert (len(times) - 1) / (times[-1] - times[0]) >= 0.97 * CAP


@pytest.mark.parametrize("seed", range(10))
def test_waking_up_late_now_and_then_costs_no_throughput(seed: int) -> None:
    late = random.Random(seed)
    times = send_all(BotPace(Rates()), [late.uniform(0, 0.02) for _ in range(1500)])
    assert (len(times) - 1) / (times[-1] - times[0]) >= 0.97 * CAP


def test_a_thousand_a_second_are_reached_with_timers_of_a_millisecond() -> None:
    times = send_all(BotPace(Rates(messages_per_second=970.0)), [0.001] * 3000)
    assert len(times) / times[-1] >= 960


def test_a_silent_server_stops_nobody_for_long() -> None:
    times = send_all(BotPace(Rates()), [0.0] * 120, answers=[30.0])
    assert times[-1] < 6.0


@settings(max_examples=60, deadline=None)
@given(waits=st.lists(st.floats(0.0, 40.0), min_size=25, max_size=90))
def test_a_group_gets_20_in_any_minute_and_one_in_any_second(waits: list[float]) -> None:
    chat, now, times = ChatPace(is_group=True, rates=Rates()), 0.0, []
    for pause in waits:
        now += pause * (pause > 20)
        now += chat.wait(now)
        assert chat.wait(now) == pytest.approx(0.0, abs=1e-9)
        chat.take(now)
        times.append(now)
        chat.answered(now + 0.05)
    assert most_in(times, 60.0) <= 20
    assert most_in(times, 1.0) == 1


def test_a_group_with_a_backlog_gets_its_20_each_minute() -> None:
    chat, now = ChatPace(is_group=True, rates=Rates()), 0.0
    for _ in range(200):
        now += chat.wait(now)
        chat.take(now)
        chat.answered(now)
    assert now == pytest.approx(9 * 60 + 19, abs=1)


@settings(max_examples=40, deadline=None)
@given(way=st.lists(st.floats(0.0, 0.9), min_size=2, max_size=30))
def test_a_private_chat_gets_one_a_second_by_the_servers_count(way: list[float]) -> None:
    """Messages take their time on the way; the server counts them anywhere between."""
    chat, now, counted = ChatPace(is_group=False, rates=Rates()), 0.0, []
    for seconds in way:
        now += chat.wait(now)
        chat.take(now)
        counted.append(now + seconds)
        now += seconds
        chat.answered(now)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in itertools.pairwise(counted))


@given(now=st.floats(0, 1e6), seconds=st.floats(0.1, 900), later=st.floats(0, 1))
def test_a_hold_is_obeyed_to_its_end(now: float, seconds: float, later: float) -> None:
    chat, bot = ChatPace(is_group=False, rates=Rates()), BotPace(Rates())
    chat.hold(now, seconds)
    bot.hold(now, seconds)
    bot.wait_until(now)  # a shorter one does not lift it
    chat.hold(now, 0.0)
    moment = now + seconds * later
    assert chat.wait(moment) == pytest.approx(now + seconds - moment, abs=1e-6)
    assert bot.wait(moment) == pytest.approx(now + seconds - moment, abs=1e-6)


def test_after_a_flood_the_bot_is_slower_and_recovers_in_a_minute() -> None:
    pace = BotPace(Rates())
    pace.hold(100.0, 5.0)
    assert pace.speed(105.0) == pytest.approx(0.8)
    assert pace.speed(135.0) == pytest.approx(0.9)
    assert pace.speed(165.0) == 1.0


def test_many_refusals_of_one_flood_slow_down_once() -> None:
    pace = BotPace(Rates())
    for _ in range(30):
        pace.hold(100.0, 5.0)
    assert pace.speed(105.0) == pytest.approx(0.8)


def test_flood_after_flood_never_stops_the_bot() -> None:
    pace, now = BotPace(Rates()), 0.0
    for _ in range(50):
        pace.hold(now, 1.0)
        now += 1.1
    assert pace.speed(now) >= 0.25


def test_a_chat_is_forgotten_only_when_nothing_is_to_be_remembered() -> None:
    group, reader = (ChatPace(is_group=is_group, rates=Rates()) for is_group in (True, False))
    for chat in (group, reader):
        assert chat.is_idle(0.0)
        chat.take(0.0)
        assert not chat.is_idle(0.5)
    assert reader.is_idle(1.01)
    assert not group.is_idle(59.0)
    assert group.is_idle(60.01)
    reader.hold(2.0, 100.0)
    assert not reader.is_idle(101.0)
    assert reader.is_idle(102.01)

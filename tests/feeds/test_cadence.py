"""When to ask again, and why: every rule on its own, then together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.cadence import (
    BACKOFF_CAP,
    FRESHNESS_CAP,
    GONE_RETRY,
    PollEnd,
    PollFacts,
    PollReason,
    back_off,
    decide_next_poll,
    leave_skipped,
    measure_rhythm,
    say_duration,
)
from feeds.model import PollHints

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # a Sunday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def every(gap: timedelta, count: int = 10, *, newest: timedelta = timedelta(0)) -> tuple[datetime, ...]:
    return tuple(NOW - newest - n * gap for n in range(count))


RULES = [
    # Without a configured interval: what publishers ask for.
    ("with validators an hour", {"has_validators": True}, HOUR, PollReason.POLITE),
    ("without validators a day", {}, DAY, PollReason.NO_VALIDATORS),
    (
        "a larger minimum counts",
        {"has_validators": True, "min_interval": 3 * HOUR},
        3 * HOUR,
        PollReason.POLITE,
    ),
    (
        "half the rhythm",
        {"has_validators": True, "publications": every(6 * HOUR)},
        3 * HOUR,
        PollReason.RHYTHM,
    ),
    ("not below the floor", {"has_validators": True, "publications": every(MINUTE)}, HOUR, PollReason.POLITE),
    (
        "a slow one twice a day",
        {"has_validators": True, "publications": every(9 * DAY, 3)},
        12 * HOUR,
        PollReason.RHYTHM,
    ),
    (
        "a silent one daily",
        {"has_validators": True, "publications": every(DAY, newest=31 * DAY)},
        DAY,
        PollReason.SILENT,
    ),
    ("ttl is heard", {"has_validators": True, "hints": PollHints(ttl=4 * HOUR)}, 4 * HOUR, PollReason.TTL),
    (
        "but not taken literally",
        {"has_validators": True, "hints": PollHints(ttl=30 * DAY)},
        6 * HOUR,
        PollReason.TTL,
    ),
    # A configured interval.
    ("is honoured", {"interval": 30 * MINUTE}, 30 * MINUTE, PollReason.CONFIGURED),
    ("floored by the minimum", {"interval": MINUTE}, 15 * MINUTE, PollReason.CONFIGURED),
    ("as short as a second", {"interval": SECOND, "min_interval": SECOND}, SECOND, PollReason.CONFIGURED),
    (
        "hints do not move it",
        {"interval": HOUR, "hints": PollHints(ttl=5 * HOUR)},
        HOUR,
        PollReason.CONFIGURED,
    ),
    # The server's wishes win over both.
    ("max-age", {"interval": HOUR, "fresh_for": 2 * DAY}, 2 * DAY, PollReason.FRESH),
    (
        "max-age of a year is capped",
        {"interval": HOUR, "fresh_for": 365 * DAY},
        FRESHNESS_CAP,
        PollReason.FRESH,
    ),
    (
        "a shorter max-age changes nothing",
        {"interval": HOUR, "fresh_for": MINUTE},
        HOUR,
        PollReason.CONFIGURED,
    ),
    ("Retry-After", {"interval": SECOND, "retry_after": 30 * DAY}, 30 * DAY, PollReason.RETRY_AFTER),
    ("the host's wish", {"interval": HOUR, "host_not_before": NOW + 3 * HOUR}, 3 * HOUR, PollReason.HOST),
    # Failures.
    ("the first waits as usual", {"end": PollEnd.FAILED, "failures": 1}, HOUR, PollReason.BACKOFF),
    ("then doubles", {"end": PollEnd.FAILED, "failures": 4}, 8 * HOUR, PollReason.BACKOFF),
    ("to a day", {"end": PollEnd.FAILED, "failures": 400}, BACKOFF_CAP, PollReason.BACKOFF),
    ("a refusal counts double twice", {"end": PollEnd.REFUSED, "failures": 1}, 4 * HOUR, PollReason.BACKOFF),
    ("useless whole bodies are not hourly", {"end": PollEnd.SOFT, "failures": 1}, DAY, PollReason.BACKOFF),
    (
        "a mishap is forgiven once",
        {"end": PollEnd.SOFT, "failures": 2, "has_validators": True},
        HOUR,
        PollReason.BACKOFF,
    ),
    (
        "a one-second source recovers quickly",
        {"end": PollEnd.FAILED, "failures": 5, "interval": SECOND, "min_interval": SECOND},
        16 * SECOND,
        PollReason.BACKOFF,
    ),
    (
        "a slow one is not asked sooner",
        {"end": PollEnd.FAILED, "failures": 1, "interval": 3 * DAY},
        3 * DAY,
        PollReason.BACKOFF,
    ),
    ("throttled without a time", {"end": PollEnd.THROTTLED, "failures": 1}, 2 * HOUR, PollReason.BACKOFF),
    (
        "throttled with a longer time",
        {"end": PollEnd.THROTTLED, "failures": 1, "retry_after": 5 * HOUR},
        5 * HOUR,
        PollReason.RETRY_AFTER,
    ),
    (
        "dead for two weeks: weekly",
        {"end": PollEnd.FAILED, "failures": 20, "failing_since": NOW - 14 * DAY},
        7 * DAY,
        PollReason.DEAD,
    ),
    (
        "dead for long: monthly",
        {"end": PollEnd.REFUSED, "failures": 30, "failing_since": NOW - 50 * DAY},
        30 * DAY,
        PollReason.DEAD,
    ),
    ("gone", {"end": PollEnd.GONE, "interval": SECOND}, GONE_RETRY, PollReason.GONE),
    ("our own outage: soon", {"end": PollEnd.OUTAGE, "failures": 7}, 5 * MINUTE, PollReason.OUTAGE),
    (
        "held: when the hold ends",
        {"end": PollEnd.HELD, "host_not_before": NOW + 9 * MINUTE},
        9 * MINUTE,
        PollReason.HOST,
    ),
]


@pytest.mark.parametrize(("rule", "facts", "wait", "reason"), RULES)
def test_each_rule(rule: str, facts: dict[str, object], wait: timedelta, reason: PollReason) -> None:
    decided = decide_next_poll(PollFacts(**{"end": PollEnd.OK, **facts}), now=NOW, jitter=0.0)
    assert (decided.at - NOW, decided.reason) == (wait, reason), rule


def test_the_reason_is_a_sentence_for_people() -> None:
    decided = decide_next_poll(PollFacts(end=PollEnd.OK, interval=HOUR, fresh_for=2 * DAY), now=NOW, jitter=0)
    assert decided.text == (
        "next poll at 2026-11-24 12:00:00 UTC because the server asked to wait (max-age or Expires: 2 days)"
    )


@pytest.mark.parametrize("facts", [facts for _, facts, _, _ in RULES])
def test_every_reason_finds_words(facts: dict[str, object]) -> None:
    text = decide_next_poll(PollFacts(**{"end": PollEnd.OK, **facts}), now=NOW, jitter=1.0).text
    assert text.startswith("next poll at 20")
    assert "{" not in text


SKIPS = [
    ("a skipped hour moves to the next", {"skip_hours": {13, 14}}, timedelta(hours=3)),
    ("a skipped weekend day moves to Monday", {"skip_days": {6}}, timedelta(hours=12)),
    ("skipping everything cannot be meant", {"skip_hours": set(range(24))}, HOUR),
    ("nor every day", {"skip_days": set(range(7))}, HOUR),
    ("other hours do not matter", {"skip_hours": {2, 3}}, HOUR),
]


@pytest.mark.parametrize(("rule", "hints", "wait"), SKIPS)
def test_skip_hours_and_days_are_hints_with_bounds(rule, hints, wait) -> None:
    facts = PollFacts(
        end=PollEnd.OK,
        has_validators=True,
        hints=PollHints(**{key: frozenset(v) for key, v in hints.items()}),
    )
    assert decide_next_poll(facts, now=NOW, jitter=0).at - NOW == wait, rule


def test_a_configured_interval_is_not_moved_by_skip_hours() -> None:
    facts = PollFacts(end=PollEnd.OK, interval=HOUR, hints=PollHints(skip_hours=frozenset({13})))
    assert decide_next_poll(facts, now=NOW, jitter=0).at == NOW + HOUR


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda when: 1900 < when.year < 9000),
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
)
def test_leaving_skipped_times_never_goes_back_and_never_far(when, hours, days) -> None:
    moved = leave_skipped(when, PollHints(skip_hours=hours, skip_days=days))
    assert when <= moved <= when + 2 * DAY
    assert moved == when or (moved.hour not in hours and moved.weekday() not in days)


def test_jitter_only_adds_and_a_little() -> None:
    for interval in (SECOND, HOUR, 30 * DAY):
        facts = PollFacts(end=PollEnd.OK, interval=interval, min_interval=SECOND)
        waits = [decide_next_poll(facts, now=NOW, jitter=j / 10).at - NOW for j in range(-2, 13)]
        assert min(waits) == interval
        assert max(waits) <= min(interval * 1.05, interval + timedelta(minutes=10))


def test_a_year_of_jittered_polls_does_not_drift() -> None:
    facts, now, waits = PollFacts(end=PollEnd.OK, has_validators=True), NOW, []
    for n in range(9000):
        then = decide_next_poll(facts, now=now, jitter=(n * 0.618) % 1).at
        waits.append(then - now)
        now = then
    assert min(waits) >= HOUR
    assert max(waits) <= 63 * MINUTE


DURATIONS = st.timedeltas(timedelta(0), timedelta(days=400))
MAYBE = st.none() | DURATIONS
FACTS = st.builds(
    PollFacts,
    end=st.sampled_from(PollEnd),
    interval=st.none() | st.timedeltas(SECOND, timedelta(days=30)),
    min_interval=st.timedeltas(SECOND, DAY),
    has_validators=st.booleans(),
    fresh_for=MAYBE,
    retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=31)),
    host_not_before=st.none() | DURATIONS.map(lambda wait: NOW - DAY + wait),
    failures=st.integers(0, 10_000),
    failing_since=st.none() | DURATIONS.map(lambda ago: NOW - ago),
    publications=st.lists(DURATIONS.map(lambda ago: NOW + DAY - ago), max_size=12),
)


@given(FACTS, st.floats(0, 1))
def test_no_wish_of_a_server_is_ever_cut_short(facts: PollFacts, jitter: float) -> None:
    at = decide_next_poll(facts, now=NOW, jitter=jitter).at
    assert at >= NOW
    assert facts.retry_after is None or at >= NOW + facts.retry_after
    assert facts.fresh_for is None or at >= NOW + min(facts.fresh_for, FRESHNESS_CAP)
    assert facts.host_not_before is None or at >= facts.host_not_before


@given(FACTS, st.floats(0, 1))
def test_the_promised_pace_is_never_exceeded(facts: PollFacts, jitter: float) -> None:
    at = decide_next_poll(facts, now=NOW, jitter=jitter).at
    if facts.end in (PollEnd.HELD, PollEnd.OUTAGE):
        return
    floor = max(facts.interval, facts.min_interval) if facts.interval else HOUR
    if facts.interval is None and facts.end is PollEnd.OK and not facts.has_validators:
        floor = DAY
    assert at - NOW >= min(floor, 7 * DAY)


@given(FACTS)
def test_a_longer_wish_never_gives_an_earlier_poll(facts: PollFacts) -> None:
    from dataclasses import replace

    longer = replace(facts, fresh_for=(facts.fresh_for or timedelta(0)) + DAY)
    assert decide_next_poll(longer, now=NOW, jitter=0).at >= decide_next_poll(facts, now=NOW, jitter=0).at


def test_rhythm_is_measured_on_the_past_and_recent_only() -> None:
    assert measure_rhythm(every(6 * HOUR, 3), now=NOW) == 6 * HOUR
    assert measure_rhythm((*every(6 * HOUR, 3), NOW + 9 * DAY), now=NOW) == 6 * HOUR
    assert measure_rhythm((*every(HOUR, 10), NOW - 900 * DAY), now=NOW) == HOUR
    assert measure_rhythm(every(HOUR, 1), now=NOW) is None
    assert measure_rhythm(every(HOUR, newest=31 * DAY), now=NOW) is None
    days_only = [NOW - (n // 5) * DAY for n in range(10)]
    assert measure_rhythm(days_only, now=NOW) == DAY / 9


def test_back_off_doubles_to_a_day_and_stays_there() -> None:
    assert [back_off(HOUR, n) / HOUR for n in range(7)] == [1, 2, 4, 8, 16, 24, 24]
    assert back_off(SECOND, 10**9) == DAY
    assert back_off(9 * DAY, 5) == 9 * DAY


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (SECOND, "1 s"),
        (MINUTE, "60 s"),
        (15 * MINUTE, "15 min"),
        (HOUR, "60 min"),
        (6.5 * HOUR, "6.5 h"),
        (2 * DAY, "2 days"),
    ],
)
def test_durations_are_said_as_people_say_them(length: timedelta, words: str) -> None:
    assert say_duration(length) == words

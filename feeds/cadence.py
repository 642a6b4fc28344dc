"""When to ask a source again, and why. Pure: no clock, no randomness, no I/O.

Several reasons to wait compete (configured interval, rhythm, freshness, Retry-After, back-off); the
longest wins and is the one shown to people. A wait is never shortened afterwards: jitter only adds, so
the distance between two polls neither falls below the promise nor drifts.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from feeds.model import PollHints

NO_HINTS = PollHints()

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

#: What publishers ask of readers (facts: Kroll's score project): an hour with conditional requests,
#: a day when each poll downloads everything.
FLOOR_WITH_VALIDATORS = HOUR
FLOOR_WITHOUT_VALIDATORS = DAY
#: A living source is asked at least this often, a silent one daily.
_LONGEST_RHYTHM = timedelta(hours=12)
_SILENT_AFTER = timedelta(days=30)
#: ttl is a hint: 720 minutes taken literally annoyed readers (iovxw/rssbot#63).
_TTL_CAP = timedelta(hours=6)
#: Sites misconfigure max-age by a year; a week costs no news that matters less than a month's silence.
FRESHNESS_CAP = timedelta(days=7)
#: skipHours and skipDays may move a poll at most this far (a weekend).
_SKIP_CAP = timedelta(days=2)
BACKOFF_CAP = DAY
#: Dead sources: a surprising number come back, so they are tried for ever, but rarely.
_DEAD_LADDER = ((timedelta(days=45), timedelta(days=30)), (timedelta(days=14), timedelta(days=7)))
GONE_RETRY = timedelta(days=30)
#: While our own network is down nobody is bothered by trying soon.
_OUTAGE_RETRY = timedelta(minutes=5)
_JITTER_SHARE = 0.05
_JITTER_CAP = timedelta(minutes=10)
#: Recent publications that make the rhythm.
_RHYTHM_ITEMS = 10


class PollEnd(enum.StrEnum):
    """How the last poll ended, as far as the next one is concerned."""

    OK = "ok"  # 200 or 304, and we could read it
    SOFT = "soft"  # an answer, but nothing usable in it (no items, unreadable)
    FAILED = "failed"
    REFUSED = "refused"  # 401, 403, 404, challenge: the server means us
    THROTTLED = "throttled"  # 429, 503
    HELD = "held"  # nothing was sent: the host asked us earlier to wait
    GONE = "gone"  # 410
    OUTAGE = "outage"  # our own network is down


class PollReason(enum.StrEnum):
    """Why the next poll is when it is; each has words in :func:`explain`."""

    CONFIGURED = "configured"
    RHYTHM = "rhythm"
    SILENT = "silent"
    POLITE = "polite"
    NO_VALIDATORS = "no-validators"
    TTL = "ttl"
    SKIP = "skip"
    FRESH = "fresh"
    RETRY_AFTER = "retry-after"
    HOST = "host"
    BACKOFF = "backoff"
    DEAD = "dead"
    GONE = "gone"
    OUTAGE = "outage"


_WORDS = {
    PollReason.CONFIGURED: "its configured interval is {wait}",
    PollReason.RHYTHM: "it publishes about every {rhythm}",
    PollReason.SILENT: "it published nothing for 30 days",
    PollReason.POLITE: "we ask nobody more often than every {wait} unless an interval is configured",
    PollReason.NO_VALIDATORS: "it offers no ETag or Last-Modified, so every poll downloads everything",
    PollReason.TTL: "the feed asks readers to wait {wait} (ttl)",
    PollReason.SKIP: "the feed names hours or days in which nothing comes (skipHours, skipDays)",
    PollReason.FRESH: "the server asked to wait (max-age or Expires: {wait})",
    PollReason.RETRY_AFTER: "the server asked to wait {wait} (Retry-After)",
    PollReason.HOST: "its host asked us to wait (Retry-After)",
    PollReason.BACKOFF: "it failed {failures} times in a row",
    PollReason.DEAD: "it has been failing for {failing} days",
    PollReason.GONE: "the publisher says it is gone (410)",
    PollReason.OUTAGE: "our own network seems to be down",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """Everything the decision rests on, after a poll has ended."""

    end: PollEnd
    #: Configured for the source; ``None`` leaves it to us.
    interval: timedelta | None = None
    #: ``fetch.min_interval``: the floor of configured intervals.
    min_interval: timedelta = timedelta(minutes=15)
    has_validators: bool = False
    #: Time the answer still stays fresh.
    fresh_for: timedelta | None = None
    #: What this answer asked for.
    retry_after: timedelta | None = None
    #: Until when the host asked to be left alone, by whichever of its sources.
    host_not_before: datetime | None = None
    #: Failures in a row, this one included; 0 after a success.
    failures: int = 0
    failing_since: datetime | None = None
    hints: PollHints = NO_HINTS
    #: When its items were published, in any order.
    publications: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """When to ask again, and why in words for people."""

    at: datetime
    reason: PollReason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    length: timedelta
    reason: PollReason


def decide_next_poll(facts: PollFacts, *, now: datetime, jitter: float) -> NextPoll:
    """When to ask again. ``jitter`` in 0..1 spreads sources; it only ever adds time.

    The wishes of the server win over a configured interval; without one the defaults are those
    publishers ask for.
    """
    waits = (_own_wait(facts, now), *_server_wishes(facts, now))
    longest = max(waits, key=lambda wait: wait.length)
    at = now + longest.length + _spread(longest.length, jitter)
    if facts.interval is None and facts.end is PollEnd.OK:
        moved = leave_skipped(at, facts.hints)
        if moved != at:
            at, longest = moved, _Wait(length=moved - now, reason=PollReason.SKIP)
    text = explain(longest.reason, at, longest.length, facts, now)
    return NextPoll(at=at, reason=longest.reason, text=text)


def _spread(length: timedelta, jitter: float) -> timedelta:
    return min(length * _JITTER_SHARE, _JITTER_CAP) * min(max(jitter, 0.0), 1.0)


def _own_wait(facts: PollFacts, now: datetime) -> _Wait:
    if facts.end is PollEnd.GONE:
        return _Wait(length=GONE_RETRY, reason=PollReason.GONE)
    if facts.end is PollEnd.OUTAGE:
        return _Wait(length=min(_configured(facts) or _OUTAGE_RETRY, _OUTAGE_RETRY), reason=PollReason.OUTAGE)
    if facts.end is PollEnd.HELD:
        # The host's hold, if still running, is the longer wait; after it the turn is ours.
        return _Wait(length=timedelta(seconds=1), reason=PollReason.HOST)
    if facts.end is PollEnd.OK:
        return _rhythm_wait(facts, now)
    return _failure_wait(facts, now)


def _configured(facts: PollFacts) -> timedelta | None:
    return None if facts.interval is None else max(facts.interval, facts.min_interval)


def _rhythm_wait(facts: PollFacts, now: datetime) -> _Wait:
    configured = _configured(facts)
    if configured is not None:
        return _Wait(length=configured, reason=PollReason.CONFIGURED)
    floor = _Wait(length=FLOOR_WITHOUT_VALIDATORS, reason=PollReason.NO_VALIDATORS)
    if facts.has_validators:
        floor = _Wait(length=max(FLOOR_WITH_VALIDATORS, facts.min_interval), reason=PollReason.POLITE)
    hint = _Wait(length=min(facts.hints.ttl or timedelta(0), _TTL_CAP), reason=PollReason.TTL)
    return max((floor, _publishing_wait(facts.publications, now), hint), key=lambda wait: wait.length)


def _publishing_wait(publications: Sequence[datetime], now: datetime) -> _Wait:
    """Half the average distance of the last publications, so that news is found half-way at worst."""
    gap = measure_rhythm(publications, now=now)
    if gap is None:
        silent = bool(publications) and max(publications) <= now - _SILENT_AFTER
        return _Wait(length=DAY if silent else timedelta(0), reason=PollReason.SILENT)
    return _Wait(length=min(gap / 2, _LONGEST_RHYTHM), reason=PollReason.RHYTHM)


def measure_rhythm(publications: Sequence[datetime], *, now: datetime) -> timedelta | None:
    """Average distance between the latest publications; ``None`` when silent or too few to tell.

    Times in the future (announcements, wrong clocks) do not count. Items of a page that shows days
    only share a time, which an average survives and a median would not.
    """
    times = sorted((when for when in publications if when <= now), reverse=True)[:_RHYTHM_ITEMS]
    if len(times) < 2 or times[0] <= now - _SILENT_AFTER:
        return None
    return (times[0] - times[-1]) / (len(times) - 1)


def _failure_wait(facts: PollFacts, now: datetime) -> _Wait:
    dead_for = now - facts.failing_since if facts.failing_since else timedelta(0)
    for failing, retry in _DEAD_LADDER:
        if dead_for >= failing:
            return _Wait(length=retry, reason=PollReason.DEAD)
    base = _configured(facts) or max(FLOOR_WITH_VALIDATORS, facts.min_interval)
    if facts.end is PollEnd.SOFT and facts.interval is None and not facts.has_validators:
        # It answered with a whole body again; that is what the daily floor is about.
        base = FLOOR_WITHOUT_VALIDATORS
    return _Wait(length=back_off(base, _steps(facts)), reason=PollReason.BACKOFF)


#: Steps of back-off beyond the count: a refusal is meant for us, an unreadable page may be its mishap.
_EXTRA_STEPS = {PollEnd.REFUSED: 2, PollEnd.THROTTLED: 1, PollEnd.SOFT: -1}


def _steps(facts: PollFacts) -> int:
    return max(facts.failures - 1 + _EXTRA_STEPS.get(facts.end, 0), 0)


def back_off(base: timedelta, steps: int) -> timedelta:
    """``base`` doubled ``steps`` times, a day at most, but never below ``base``."""
    # 2^17 seconds exceed a day already; more would only overflow.
    doubled: timedelta = base * 2 ** min(steps, 17)
    return max(base, min(doubled, BACKOFF_CAP))


def _server_wishes(facts: PollFacts, now: datetime) -> tuple[_Wait, ...]:
    wishes = []
    if facts.fresh_for is not None:
        wishes.append(_Wait(length=min(facts.fresh_for, FRESHNESS_CAP), reason=PollReason.FRESH))
    if facts.retry_after is not None:
        wishes.append(_Wait(length=facts.retry_after, reason=PollReason.RETRY_AFTER))
    if facts.host_not_before is not None:
        wishes.append(_Wait(length=facts.host_not_before - now, reason=PollReason.HOST))
    return tuple(wishes)


def leave_skipped(at: datetime, hints: PollHints) -> datetime:
    """Move a time out of the hours and days a feed asks to skip (GMT), by a weekend at most.

    A feed that skips everything cannot mean it.
    """
    moved = at.astimezone(UTC)
    while moved - at <= _SKIP_CAP:
        if moved.weekday() not in hints.skip_days and moved.hour not in hints.skip_hours:
            return moved
        # The minute stays, so that sources do not meet at the full hour.
        moved += HOUR
    return at


def explain(reason: PollReason, at: datetime, wait: timedelta, facts: PollFacts, now: datetime) -> str:
    """The decision as one English sentence for ``sources test`` and ``/status``."""
    rhythm = measure_rhythm(facts.publications, now=now) or timedelta(0)
    failing = (now - facts.failing_since).days if facts.failing_since else 0
    words = _WORDS[reason].format(
        wait=say_duration(wait), rhythm=say_duration(rhythm), failures=facts.failures, failing=failing
    )
    return f"next poll at {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC because {words}"


def say_duration(length: timedelta) -> str:
    """A duration as people say it: ``45 s``, ``15 min``, ``6.5 h``, ``2 days``."""
    seconds = length.total_seconds()
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 86_400:.3g} days"

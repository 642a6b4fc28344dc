"""What a source's polls teach us for the next one, and the next request made from it.

Pure. :class:`PollMemory` is kept with the source as JSON; :func:`remember` renews it after each poll,
:func:`plan_request` and :func:`gather_facts` use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from feeds.cadence import NO_HINTS, PollEnd, PollFacts
from feeds.freshness import parse_http_date
from feeds.model import PollHints, Validators
from feeds.outcomes import (
    NETWORK_REASONS,
    NO_VALIDATORS,
    FailReason,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    Gone,
    NotModified,
    Throttled,
)

#: A permanent redirect is believed after so many sightings (NewsBlur: 10), or fewer over a week.
_REDIRECT_SIGHTINGS = 10
_REDIRECT_SIGHTINGS_SLOW = 5
_REDIRECT_SLOW = timedelta(days=7)
#: A remembered address that fails so often is left for the configured one.
_REDIRECT_FAILURES = 3
#: A plan for answers that say 304 for ever (FreshRSS#1020): everything anew this long after the last 200,
#: sooner when Last-Modified lies in the future.
_FULL_EVERY = timedelta(days=60)
_FULL_EVERY_SUSPECT = timedelta(days=7)
_PUBLICATIONS_KEPT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectMemory:
    """Permanent redirects seen lately, and the address believed."""

    #: Asked instead of the configured address; empty when there is none.
    adopted: str = ""
    #: Seen, but not often enough yet.
    candidate: str = ""
    sightings: int = 0
    since: datetime | None = None


#: Ends that say nothing about the source itself.
NOBODYS_FAULT = frozenset({PollEnd.HELD, PollEnd.OUTAGE})
NO_REDIRECT = RedirectMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class PollMemory:
    """What we keep of a source's answers besides its validators."""

    #: Freshness lifetime the server last stated; a bare 304 renews it.
    lifetime: timedelta | None = None
    hints: PollHints = NO_HINTS
    publications: tuple[datetime, ...] = ()
    #: When a whole body last came.
    last_full_at: datetime | None = None
    failing_since: datetime | None = None
    redirect: RedirectMemory = NO_REDIRECT


def remember(
    memory: PollMemory,
    outcome: FetchOutcome,
    end: PollEnd,
    *,
    now: datetime,
    hints: PollHints | None = None,
    publications: Sequence[datetime] | None = None,
) -> PollMemory:
    """Renew the memory after a poll; pass ``hints`` and ``publications`` when a document was read."""
    if isinstance(outcome, Fetched | NotModified):
        memory = replace(memory, lifetime=outcome.freshness.lifetime)
    if isinstance(outcome, Fetched):
        memory = replace(memory, last_full_at=now)
    if end is PollEnd.OK:
        asked, permanent = outcome.exchange.url, outcome.exchange.permanent_url
        redirect = note_redirect(memory.redirect, asked, permanent, now=now)
        memory = replace(memory, failing_since=None, redirect=redirect)
    elif end not in NOBODYS_FAULT:
        memory = replace(memory, failing_since=memory.failing_since or now)
    if hints is not None:
        memory = replace(memory, hints=hints)
    if publications is not None:
        latest = tuple(sorted(publications, reverse=True)[:_PUBLICATIONS_KEPT])
        memory = replace(memory, publications=latest)
    return memory


def is_held(outcome: FetchOutcome) -> bool:
    """Whether nothing was sent to the host that would not be asked."""
    return isinstance(outcome, Throttled) and outcome.exchange.status is None


def note_redirect(
    memory: RedirectMemory, asked: str, permanent_url: str | None, *, now: datetime
) -> RedirectMemory:
    """Count one successful answer with (or without) a permanent redirect."""
    if permanent_url is None:
        # The remembered address answered itself, or the configured one no longer redirects.
        return RedirectMemory(adopted=memory.adopted if asked == memory.adopted else "")
    if permanent_url == memory.adopted:
        return RedirectMemory(adopted=memory.adopted)
    seen = memory.sightings + 1 if permanent_url == memory.candidate else 1
    since = memory.since if seen > 1 and memory.since else now
    noted = replace(memory, candidate=permanent_url, sightings=seen, since=since)
    return RedirectMemory(adopted=permanent_url) if decide_redirect(noted, now=now) else noted


def decide_redirect(memory: RedirectMemory, *, now: datetime) -> bool:
    """Whether the candidate has been seen often and long enough to be believed."""
    if memory.sightings >= _REDIRECT_SIGHTINGS:
        return True
    slow = memory.since is not None and now - memory.since >= _REDIRECT_SLOW
    return slow and memory.sightings >= _REDIRECT_SIGHTINGS_SLOW


def plan_request(
    url: str,
    memory: PollMemory,
    validators: Validators,
    *,
    validators_url: str | None,
    failures: int,
    now: datetime,
) -> FetchRequest:
    """The next request to a source configured as ``url``."""
    adopted = memory.redirect.adopted
    # Every second try goes back to the configured address once the remembered one fails.
    use_adopted = bool(adopted) and (failures < _REDIRECT_FAILURES or failures % 2 == 0)
    return FetchRequest(
        url=adopted if use_adopted else url,
        validators=NO_VALIDATORS if wants_everything(memory, validators, now=now) else validators,
        validators_url=validators_url or "",
        lifetime=memory.lifetime,
    )


def wants_everything(memory: PollMemory, validators: Validators, *, now: datetime) -> bool:
    """Whether it is time to ask without conditions, on a fixed and rare plan."""
    if memory.last_full_at is None:
        return False
    modified = parse_http_date(validators.last_modified or "")
    suspect = modified is not None and modified > now
    return now - memory.last_full_at >= (_FULL_EVERY_SUSPECT if suspect else _FULL_EVERY)


def count_failures(failures: int, end: PollEnd) -> int:
    """Failures in a row after this poll; our own outage and a held host count for nobody."""
    if end is PollEnd.OK:
        return 0
    return failures if end in NOBODYS_FAULT else failures + 1


def judge_end(outcome: FetchOutcome, *, own_outage: bool = False, is_usable: bool = True) -> PollEnd:
    """How the poll ended for the cadence; ``is_usable`` is false when the body gave nothing."""
    match outcome:
        case Fetched():
            return PollEnd.OK if is_usable else PollEnd.SOFT
        case NotModified():
            return PollEnd.OK
        case Gone():
            return PollEnd.GONE
        case Throttled():
            return PollEnd.HELD if is_held(outcome) else PollEnd.THROTTLED
        case FetchFailed():
            return _judge_failure(outcome, own_outage=own_outage)


_REFUSALS = frozenset(
    {FailReason.HTTP_401, FailReason.HTTP_403, FailReason.HTTP_404, FailReason.HTTP_4XX, FailReason.CHALLENGE}
)
#: A body came, in part at least, and was of no use.
_SPOILT = frozenset(
    {
        FailReason.TOO_LARGE,
        FailReason.TRUNCATED,
        FailReason.BAD_ENCODING,
        FailReason.EMPTY,
        FailReason.BAD_ANSWER,
    }
)


def _judge_failure(outcome: FetchFailed, *, own_outage: bool) -> PollEnd:
    if own_outage and outcome.reason in NETWORK_REASONS:
        return PollEnd.OUTAGE
    if outcome.reason in _REFUSALS:
        return PollEnd.REFUSED
    return PollEnd.SOFT if outcome.reason in _SPOILT else PollEnd.FAILED


def gather_facts(
    outcome: FetchOutcome,
    end: PollEnd,
    memory: PollMemory,
    *,
    failures: int,
    validators: Validators,
    interval: timedelta | None,
    min_interval: timedelta,
    host_not_before: datetime | None = None,
) -> PollFacts:
    """Put together what :func:`feeds.cadence.decide_next_poll` needs.

    ``memory``, ``failures`` and ``validators`` are those after this poll.
    """
    return PollFacts(
        end=end,
        interval=interval,
        min_interval=min_interval,
        has_validators=validators != NO_VALIDATORS,
        fresh_for=None if isinstance(outcome, Gone) else outcome.freshness.fresh_for,
        retry_after=outcome.retry_after if isinstance(outcome, Throttled | FetchFailed) else None,
        host_not_before=host_not_before,
        failures=failures,
        failing_since=memory.failing_since,
        hints=memory.hints,
        publications=memory.publications,
    )


def dump_memory(memory: PollMemory) -> dict[str, Any]:
    """The memory as JSON-able values; what is empty is left out."""
    redirect = memory.redirect
    values = {
        "lifetime": memory.lifetime.total_seconds() if memory.lifetime is not None else None,
        "ttl": memory.hints.ttl.total_seconds() if memory.hints.ttl is not None else None,
        "skip_hours": sorted(memory.hints.skip_hours),
        "skip_days": sorted(memory.hints.skip_days),
        "publications": [when.isoformat() for when in memory.publications],
        "last_full_at": memory.last_full_at and memory.last_full_at.isoformat(),
        "failing_since": memory.failing_since and memory.failing_since.isoformat(),
        "redirect_adopted": redirect.adopted,
        "redirect_candidate": redirect.candidate,
        "redirect_sightings": redirect.sightings,
        "redirect_since": redirect.since and redirect.since.isoformat(),
    }
    return {name: value for name, value in values.items() if value is not None and value not in ([], "")}


def load_memory(values: Mapping[str, Any]) -> PollMemory:
    """Read what :func:`dump_memory` wrote; an empty mapping is a source never polled."""
    hints = PollHints(
        ttl=_duration(values.get("ttl")),
        skip_hours=frozenset(values.get("skip_hours", ())),
        skip_days=frozenset(values.get("skip_days", ())),
    )
    redirect = RedirectMemory(
        adopted=values.get("redirect_adopted", ""),
        candidate=values.get("redirect_candidate", ""),
        sightings=values.get("redirect_sightings", 0),
        since=_moment(values.get("redirect_since")),
    )
    return PollMemory(
        lifetime=_duration(values.get("lifetime")),
        hints=hints,
        publications=tuple(datetime.fromisoformat(each) for each in values.get("publications", ())),
        last_full_at=_moment(values.get("last_full_at")),
        failing_since=_moment(values.get("failing_since")),
        redirect=redirect,
    )


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

"""What one poll teaches the next: requests planned, redirects believed, failures counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.cadence import PollEnd
from feeds.freshness import Freshness
from feeds.memory import (
    NO_REDIRECT,
    PollMemory,
    RedirectMemory,
    count_failures,
    dump_memory,
    gather_facts,
    judge_end,
    load_memory,
    note_redirect,
    plan_request,
    remember,
    wants_everything,
)
from feeds.model import PollHints, Validators
from feeds.outcomes import (
    Exchange,
    FailReason,
    Fetched,
    FetchFailed,
    FetchOutcome,
    Gone,
    NotModified,
    Throttled,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
URL, NEW = "http://a.example/feed", "https://b.example/feed"
VALIDATORS = Validators(etag='"1"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT")


def exchange(status: int | None = 200, *, url: str = URL, permanent: str | None = None) -> Exchange:
    return Exchange(url=url, final_url=permanent or url, status=status, permanent_url=permanent)


def fetched(lifetime: timedelta | None = None, **options: object) -> Fetched:
    freshness = Freshness(lifetime=lifetime, stated=lifetime is not None)
    return Fetched(
        exchange=exchange(**options), body=b"x", content_type="", validators=VALIDATORS, freshness=freshness
    )


def failed(reason: FailReason = FailReason.HTTP_5XX) -> FetchFailed:
    return FetchFailed(exchange=exchange(500), reason=reason, detail="", retryable=True)


HELD = Throttled(exchange=exchange(None), host="a.example", detail="", retry_after=HOUR)
THROTTLED = Throttled(exchange=exchange(429), host="a.example", detail="")
UNCHANGED = NotModified(exchange=exchange(304), validators=VALIDATORS, freshness=Freshness(lifetime=HOUR))


ENDS: list[tuple[FetchOutcome, dict[str, bool], PollEnd, int]] = [
    (fetched(), {}, PollEnd.OK, 0),
    (fetched(), {"is_usable": False}, PollEnd.SOFT, 4),
    (UNCHANGED, {}, PollEnd.OK, 0),
    (Gone(exchange=exchange(410), detail=""), {}, PollEnd.GONE, 4),
    (THROTTLED, {}, PollEnd.THROTTLED, 4),
    (HELD, {}, PollEnd.HELD, 3),
    (failed(), {}, PollEnd.FAILED, 4),
    (failed(FailReason.HTTP_404), {}, PollEnd.REFUSED, 4),
    (failed(FailReason.CHALLENGE), {}, PollEnd.REFUSED, 4),
    (failed(FailReason.TRUNCATED), {}, PollEnd.SOFT, 4),
    (failed(FailReason.DNS), {}, PollEnd.FAILED, 4),
    (failed(FailReason.DNS), {"own_outage": True}, PollEnd.OUTAGE, 3),
    (failed(FailReason.HTTP_5XX), {"own_outage": True}, PollEnd.FAILED, 4),
]


@pytest.mark.parametrize(("outcome", "options", "end", "failures"), ENDS)
def test_each_outcome_counts_as_it_should_after_three_failures(outcome, options, end, failures) -> None:
    assert judge_end(outcome, **options) is end
    assert count_failures(3, end) == failures


def test_a_failing_source_knows_since_when_and_forgets_when_it_recovers() -> None:
    memory = PollMemory()
    for hours, (outcome, end) in enumerate(
        [
            (failed(), PollEnd.FAILED),
            (failed(), PollEnd.FAILED),
            (HELD, PollEnd.HELD),
            (failed(), PollEnd.OUTAGE),
        ]
    ):
        memory = remember(memory, outcome, end, now=NOW + hours * HOUR)
    assert memory.failing_since == NOW
    assert remember(memory, UNCHANGED, PollEnd.OK, now=NOW + DAY).failing_since is None
    assert remember(PollMemory(), failed(), PollEnd.OUTAGE, now=NOW).failing_since is None


def test_hints_and_publications_stay_until_a_document_brings_new_ones() -> None:
    hints = PollHints(ttl=HOUR)
    memory = remember(
        PollMemory(), fetched(), PollEnd.OK, now=NOW, hints=hints, publications=[NOW - DAY, NOW]
    )
    memory = remember(memory, UNCHANGED, PollEnd.OK, now=NOW + HOUR)
    assert memory.hints == hints
    assert memory.publications == (NOW, NOW - DAY)
    assert memory.lifetime == HOUR


def see(memory: RedirectMemory, count: int, *, every: timedelta, target: str = NEW) -> RedirectMemory:
    for n in range(count):
        memory = note_redirect(memory, URL, target, now=NOW + n * every)
    return memory


def test_a_permanent_redirect_is_believed_after_ten_sightings_or_five_over_a_week() -> None:
    assert see(NO_REDIRECT, 9, every=HOUR).adopted == ""
    assert see(NO_REDIRECT, 10, every=HOUR).adopted == NEW
    assert see(NO_REDIRECT, 4, every=7 * DAY).adopted == ""
    assert see(NO_REDIRECT, 5, every=2 * DAY).adopted == NEW


def test_a_redirect_that_changes_or_stops_is_counted_anew() -> None:
    seen = see(NO_REDIRECT, 9, every=HOUR)
    assert note_redirect(seen, URL, "https://c.example/", now=NOW).sightings == 1
    assert note_redirect(seen, URL, None, now=NOW) == NO_REDIRECT


def test_an_adopted_address_is_asked_instead_until_it_keeps_failing() -> None:
    memory = PollMemory(redirect=RedirectMemory(adopted=NEW))

    def asked(failures: int) -> str:
        return plan_request(URL, memory, VALIDATORS, validators_url=NEW, failures=failures, now=NOW).url

    assert [asked(n) for n in range(6)] == [NEW, NEW, NEW, URL, NEW, URL]
    assert note_redirect(memory.redirect, NEW, None, now=NOW).adopted == NEW
    assert note_redirect(memory.redirect, URL, NEW, now=NOW).adopted == NEW
    assert note_redirect(memory.redirect, URL, None, now=NOW).adopted == ""


def test_a_plain_request_carries_validators_and_lifetime() -> None:
    memory = PollMemory(lifetime=HOUR, last_full_at=NOW - DAY)
    request = plan_request(URL, memory, VALIDATORS, validators_url=None, failures=0, now=NOW)
    assert (request.url, request.validators, request.lifetime) == (URL, VALIDATORS, HOUR)


def test_everything_is_asked_for_anew_on_a_rare_and_fixed_plan() -> None:
    def wants(days: int, modified: str) -> bool:
        memory = PollMemory(last_full_at=NOW - days * DAY)
        return wants_everything(memory, Validators(etag='"1"', last_modified=modified), now=NOW)

    past, future = "Sun, 22 Nov 2026 10:00:00 GMT", "Tue, 01 Jan 2041 00:00:00 GMT"
    assert not wants(59, past)
    assert wants(60, past)
    assert not wants(6, future)
    assert wants(7, future)
    assert not wants_everything(PollMemory(), VALIDATORS, now=NOW)


def test_the_facts_of_a_poll_are_put_together() -> None:
    memory = PollMemory(hints=PollHints(ttl=HOUR), publications=(NOW,), failing_since=NOW)
    options = {"validators": VALIDATORS, "interval": None, "min_interval": HOUR}
    facts = gather_facts(UNCHANGED, PollEnd.OK, memory, failures=0, **options)
    assert (facts.fresh_for, facts.has_validators, facts.hints.ttl) == (HOUR, True, HOUR)
    facts = gather_facts(HELD, PollEnd.HELD, memory, failures=2, host_not_before=NOW + HOUR, **options)
    assert (facts.retry_after, facts.host_not_before, facts.failures) == (HOUR, NOW + HOUR, 2)
    assert (
        gather_facts(
            Gone(exchange=exchange(410), detail=""), PollEnd.GONE, memory, failures=1, **options
        ).fresh_for
        is None
    )


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.none() | st.integers(0, 10**9).map(lambda seconds: timedelta(seconds=seconds))
MEMORIES = st.builds(
    PollMemory,
    lifetime=LENGTHS,
    hints=st.builds(
        PollHints,
        ttl=LENGTHS,
        skip_hours=st.frozensets(st.integers(0, 23)),
        skip_days=st.frozensets(st.integers(0, 6)),
    ),
    publications=st.lists(MOMENTS, max_size=12).map(tuple),
    last_full_at=st.none() | MOMENTS,
    failing_since=st.none() | MOMENTS,
    redirect=st.builds(
        RedirectMemory,
        adopted=st.text(),
        candidate=st.text(),
        sightings=st.integers(0, 9),
        since=st.none() | MOMENTS,
    ),
)


@given(MEMORIES)
def test_a_memory_survives_storage_as_json(memory: PollMemory) -> None:
    assert load_memory(json.loads(json.dumps(dump_memory(memory)))) == memory


def test_a_source_never_polled_has_an_empty_memory() -> None:
    assert dump_memory(PollMemory()) == {"redirect_sightings": 0}
    assert load_memory({}) == PollMemory()

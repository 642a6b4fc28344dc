"""The page where feeds meets storage: one pass over one source, start to finish.

::

    plan → fetch → parse → find what is new → save

Every decision is a pure function of :mod:`feeds`; every fact comes from and goes to
:mod:`storage`. A pass is stored in one transaction: items, outbox rows, validators, next poll.
Whatever goes wrong with a source ends as a named outcome with words for an admin.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy.ext.asyncio import AsyncSession

from feeds.cadence import PollEnd, decide_next_poll
from feeds.errors import ParseError
from feeds.fetch import Fetched, Fetcher, FetchFailed, FetchOutcome, Gone, NotModified, Throttled
from feeds.memory import (
    PollMemory,
    count_failures,
    dump_memory,
    gather_facts,
    is_held,
    judge_end,
    load_memory,
    plan_request,
    remember,
)
from feeds.model import Document, DocumentKind, Entry, ItemId, SourceId, SourceKind, Validators
from feeds.networks import Scope
from feeds.outcomes import Exchange, FailReason
from feeds.pace import Sight, is_own_outage
from feeds.robots import RobotsCache
from feeds.wire import host_key
from storage import items, outbox, sources
from storage.database import Database
from storage.sources import PollOutcome, PollState
from vestnik.findings import Finder, Findings
from vestnik.metrics import Metrics
from vestnik.parsing import ParsingPool

#: An item is pushed to followers of places it was filed under later only while it is this young.
_STILL_NEWS = timedelta(days=3)
#: The page could be read and showed nothing.
_EMPTY_BEFORE = frozenset({"no-list", "selector-empty", "empty"})
#: Ends of requests remembered for telling our own outage from other people's.
_SIGHTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """What one pass did."""

    source_id: SourceId
    #: ``fetched``, ``unchanged``, ``not-modified``, ``gone``, ``throttled``, ``failed``.
    outcome: str
    new: int = 0
    changed: int = 0
    queued: int = 0
    error_reason: str = ""
    error: str = ""
    next_poll: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What came of an answer: a document, or why there is none."""

    outcome: str
    document: Document | None = None
    body_hash: str | None = None
    error_reason: str = ""
    error: str = ""


class Pipeline:
    """Passes over sources; safe to run many side by side, one at a time per source."""

    def __init__(
        self,
        *,
        database: Database,
        fetcher: Fetcher,
        parser: ParsingPool,
        finder: Finder,
        min_interval: timedelta,
        clock: Callable[[], datetime],
        metrics: Metrics,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._robots = RobotsCache(fetcher=fetcher, clock=clock)
        self._parser = parser
        self._finder = finder
        self._min_interval = min_interval
        self._clock = clock
        self._metrics = metrics
        self._jitter = jitter
        # One collector leads at a time; within it, what one pass stores the next one must see.
        self._saving = asyncio.Lock()
        self._sights: deque[Sight] = deque(maxlen=_SIGHTS)

    async def collect(self, source_id: SourceId) -> PassResult:
        """Make one pass and store it. Raises only when storage fails; then nothing of it is kept."""
        async with self._database.read() as session:
            state = await sources.poll_state(session, source_id)
        if state is None:
            return PassResult(source_id=source_id, outcome="failed", error="there is no such source")
        memory = load_memory(state.memory)
        outcome = await self._fetch(state, memory)
        reading = await self._read(state, outcome)
        findings = Findings()
        if reading.document is not None:
            async with self._database.read() as session:
                findings = await self._finder.find(session, state.source, reading.document)
        async with self._saving, self._database.write() as session:
            findings = await self._finder.share(session, source_id, findings)
            result = await self._save(session, state, memory, outcome, reading, findings)
        self._count(result, outcome)
        return result

    async def _fetch(self, state: PollState, memory: PollMemory) -> FetchOutcome:
        request = plan_request(
            state.source.url,
            memory,
            state.validators,
            validators_url=state.validators_url,
            failures=state.failures,
            now=self._clock(),
        )
        is_page = state.source.kind is SourceKind.LIST or state.document_kind == DocumentKind.LIST
        # Own servers are ours to read; only other people's pages are asked for leave.
        if is_page and not self._fetcher.pace.is_own(host_key(request.url)):
            verdict = await self._robots.check(request.url)
            if not verdict.allowed:
                exchange = Exchange(url=request.url, final_url=request.url)
                return FetchFailed(
                    exchange=exchange, reason=FailReason.ROBOTS, detail=verdict.detail, retryable=True
                )
        outcome = await self._fetcher.fetch(request)
        if not is_held(outcome):  # nothing was sent, so nothing was learnt about the network
            reason = outcome.reason if isinstance(outcome, FetchFailed) else None
            self._sights.append(Sight(host=host_key(request.url), at=self._clock(), reason=reason))
        return outcome

    async def _read(self, state: PollState, outcome: FetchOutcome) -> _Reading:
        match outcome:
            case FetchFailed():
                return _Reading(outcome="failed", error_reason=outcome.reason.value, error=outcome.detail)
            case Throttled():
                reason = "host-waits" if is_held(outcome) else "throttled"
                return _Reading(outcome="throttled", error_reason=reason, error=outcome.detail)
            case Gone():
                return _Reading(outcome="gone", error_reason="gone", error=outcome.detail)
            case NotModified():
                return _Reading(outcome="not-modified")
            case Fetched():
                return await self._parse(state, outcome)

    async def _parse(self, state: PollState, fetched: Fetched) -> _Reading:
        body_hash = blake2b(fetched.body, digest_size=16).hexdigest()
        if body_hash == state.body_hash:
            return _Reading(outcome="unchanged", body_hash=body_hash)
        source = state.source
        try:
            document = await self._parser.parse(
                fetched.body,
                url=fetched.exchange.final_url,
                content_type=fetched.content_type,
                kind=source.kind,
                language=source.language,
                timezone=source.timezone,
                selectors=source.selectors,
                now=self._clock(),
            )
        except ParseError as error:
            return _Reading(outcome="failed", error_reason=error.reason, error=error.detail)
        return _Reading(outcome="fetched", document=document, body_hash=body_hash)

    async def _save(
        self,
        session: AsyncSession,
        state: PollState,
        memory: PollMemory,
        outcome: FetchOutcome,
        reading: _Reading,
        findings: Findings,
    ) -> PassResult:
        """One transaction: what came, who is to get it, the validators, the next poll."""
        now = self._clock()
        source_id = state.source.id
        added = await items.add(session, source_id, findings.added, now=now)
        refiled = await self._refile(session, source_id, findings, now=now)
        is_known = state.first_success_at is not None
        news = [
            i for i, new in zip(added, findings.added, strict=True) if is_known or is_news(new.entry, state)
        ]
        queued = await outbox.fan_out(session, news, now=now)
        if is_known:
            for item_id, scopes in refiled.items():
                queued += await outbox.fan_out(session, [item_id], now=now, scopes=scopes)
        result = PassResult(
            source_id=source_id,
            outcome=reading.outcome,
            new=len(added),
            changed=len(findings.changed),
            queued=queued,
            error_reason=reading.error_reason,
            error=reading.error,
        )
        next_poll = await self._record(session, state, memory, outcome, reading, result)
        return PassResult(
            **{name: getattr(result, name) for name in PassResult.__slots__} | {"next_poll": next_poll}
        )

    async def _refile(
        self, session: AsyncSession, source_id: SourceId, findings: Findings, *, now: datetime
    ) -> dict[ItemId, set[Scope]]:
        """Store changed and shared items; returns the scopes each young one newly stands in."""
        touched = [*findings.changed, *findings.shared]
        before = await items.scopes_of(session, touched)
        await items.change(session, source_id, findings.changed, now=now)
        await items.add_keys(session, source_id, findings.more_keys)
        await items.add_keys(session, source_id, {i: new.keys for i, new in findings.shared.items()})
        await items.file_under(
            session,
            {
                item_id: (new.classification.networks, new.classification.regions, new.scopes)
                for item_id, new in findings.shared.items()
            },
        )
        after = await items.scopes_of(session, touched)
        young = await items.seen_since(session, touched, since=now - _STILL_NEWS)
        return {each: after[each] - before[each] for each in young if after[each] - before[each]}

    async def _record(
        self,
        session: AsyncSession,
        state: PollState,
        memory: PollMemory,
        outcome: FetchOutcome,
        reading: _Reading,
        result: PassResult,
    ) -> str:
        now = self._clock()
        own_outage = is_own_outage(self._sights, now=now)
        end = judge_end(outcome, own_outage=own_outage, is_usable=not reading.error_reason)
        failures = count_failures(state.failures, end)
        document = reading.document
        entries = document.main_entries if document else ()
        memory = remember(
            memory,
            outcome,
            end,
            now=now,
            hints=document.hints if document else None,
            publications=[each.published for each in entries if each.published] if document else None,
        )
        learnt = _learn(state, outcome, reading, end) | {"memory": dump_memory(memory)}
        host = host_key(outcome.exchange.final_url) if outcome.exchange.final_url else ""
        held = self._fetcher.pace.held_until(host)
        if held is not None and not is_held(outcome):
            await sources.set_host_wait(session, host, held, reason=reading.error or "Retry-After")
        facts = gather_facts(
            outcome,
            # A page that can be read and shows nothing is asked at its usual pace: news may come any time.
            PollEnd.OK if reading.error_reason in _EMPTY_BEFORE else end,
            memory,
            failures=failures,
            validators=Validators(etag=learnt.get("etag"), last_modified=learnt.get("last_modified")),  # type: ignore[arg-type]
            interval=state.source.interval,
            min_interval=self._min_interval,
            host_not_before=held,
        )
        next_poll = decide_next_poll(facts, now=now, jitter=self._jitter())
        await sources.record_poll(
            session,
            PollOutcome(
                source_id=state.source.id,
                at=now,
                outcome=result.outcome,
                status=outcome.exchange.status,
                bytes=outcome.exchange.raw_bytes,
                milliseconds=int(outcome.exchange.elapsed.total_seconds() * 1000),
                new=result.new,
                changed=result.changed,
                error_reason=reading.error_reason,
                error=reading.error,
                succeeded=end is PollEnd.OK,
                gone=end is PollEnd.GONE,
                next_poll_at=next_poll.at,
                next_poll_reason=next_poll.text,
                failures=failures,
                learnt=learnt,
            ),
        )
        return next_poll.text

    def _count(self, result: PassResult, outcome: FetchOutcome) -> None:
        self._metrics.polls.labels(result.outcome).inc()
        self._metrics.poll_seconds.observe(outcome.exchange.elapsed.total_seconds())
        self._metrics.items.labels("new").inc(result.new)
        self._metrics.items.labels("changed").inc(result.changed)
        self._metrics.queued.inc(result.queued)


def is_news(entry: Entry, state: PollState) -> bool:
    """Whether an entry of a source's first readable answer is to be pushed, not only published.

    What stood there at the first sight is not news. But a page that was empty or out of reach when we
    first asked has had its first sight: what it shows now with a later date is news, and without a
    date too if we saw the page empty.
    """
    if state.first_poll_at is None:
        return False
    if entry.published is None:
        return state.last_error_reason in _EMPTY_BEFORE
    # Most pages show days only, and a day begins before the hour at which we asked.
    return entry.published >= state.first_poll_at - timedelta(days=1)


def _learn(state: PollState, outcome: FetchOutcome, reading: _Reading, end: PollEnd) -> dict[str, object]:
    """What to store about the source's answers. Validators advance only with what they brought."""
    learnt: dict[str, object] = {
        "etag": state.validators.etag,
        "last_modified": state.validators.last_modified,
    }
    if end is not PollEnd.OK or not isinstance(outcome, Fetched | NotModified):
        return learnt
    learnt |= {"etag": outcome.validators.etag, "last_modified": outcome.validators.last_modified}
    if isinstance(outcome, Fetched):
        learnt |= {"body_hash": reading.body_hash, "validators_url": outcome.exchange.final_url}
    if reading.document is not None:
        learnt["document_kind"] = reading.document.kind.value
    return learnt

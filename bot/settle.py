"""What became of a delivery goes into the database, however long that takes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.batches import Batches
from bot.outage import retry_wait
from bot.outcomes import Act, Verdict
from storage import outbox, state, subscribers
from storage.database import Database, DBAPIError
from storage.groupcommit import GroupCommit
from storage.outbox import Delivery, OutboxId

log = structlog.get_logger(__name__)

#: A message Telegram fails on while others go through is tried this often before an admin must look.
_SERVER_TROUBLE_TRIES = 12
#: A possible repeat waits this long: whatever broke the connection may still be going on.
_REPEAT_AFTER = timedelta(seconds=5)
#: Longest wait between tries to record an outcome.
_LONGEST_STORAGE_WAIT = 16.0
#: Telegram asked the whole bot to wait until then.
_HOLD = "telegram.not_before"


@dataclass(slots=True)
class DeliveryCounts:
    """What happened since the start, for metrics and ``/health``."""

    sent: int = 0
    unknown: int = 0
    failed: int = 0
    floods: int = 0


class Settler:
    """Records attempts before and outcomes after."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._commit = GroupCommit(database)
        self._attempts = Batches(self._commit, self._mark_sending)
        self._arrivals = Batches(self._commit, self._mark_sent)
        self.counts = DeliveryCounts()

    async def attempt(self, delivery: Delivery) -> bool:
        """Record that a request is about to leave; ``False`` when the row is not to be sent any more."""
        return delivery.id in await self._attempts.add(delivery.id)

    async def sent(self, delivery: Delivery, message_id: int) -> None:
        """The chat has it."""
        self.counts.sent += 1
        await self._insist(lambda: self._arrivals.add((delivery.id, message_id)))

    async def not_begun(self, delivery: Delivery) -> None:
        """Nothing has left us after all: as if it had never been tried."""
        await self._insist(partial(self._commit.do, partial(self._not_begun, delivery=delivery)))

    async def cannot_compose(self, delivery: Delivery, *, detail: str) -> None:
        """There is no message to send: our own fault, or the item is gone."""
        if detail:
            self.counts.failed += 1
        await self._insist(
            partial(self._commit.do, partial(self._cannot_compose, delivery=delivery, detail=detail))
        )

    async def refused(self, delivery: Delivery, verdict: Verdict, *, wait: float, to_blame: bool) -> None:
        """Telegram refused it, or nobody knows; ``wait`` and ``to_blame`` are about trying again."""
        change = partial(self._refused, delivery=delivery, verdict=verdict, wait=wait, to_blame=to_blame)
        await self._insist(partial(self._commit.do, change))

    async def hold_bot(self, seconds: float) -> None:
        """Remember across restarts that the whole bot must wait."""
        until = self._clock() + timedelta(seconds=seconds)
        await self._insist(partial(self._commit.do, partial(_store_hold, until=until)))

    async def held_for(self) -> float:
        """How many seconds the whole bot must still wait, by what was remembered."""
        async with self._database.read() as session:
            stored = await state.value_of(session, _HOLD)
        if not stored:
            return 0.0
        return max(0.0, (datetime.fromisoformat(stored) - self._clock()).total_seconds())

    async def recover(self, *, in_flight: Collection[OutboxId]) -> int:
        """Settle rows a dead process left in ``sending``; returns how many there were."""
        async with self._database.write() as session:
            left = [each for each in await outbox.left_sending(session) if each.id not in in_flight]
            for delivery in left:
                await self._settle_unknown(session, delivery, "the process ended while sending")
        if left:
            log.warning("deliver.recovered", unknown=len(left))
        return len(left)

    async def drain(self) -> None:
        """Wait until everything asked for is committed."""
        await self._commit.drain()

    async def _insist(self, change: Callable[[], Awaitable[object]]) -> None:
        """Record what has happened, however long storage is in trouble: forgetting it would double."""
        for attempt in itertools.count(1):
            try:
                await change()
            except DBAPIError as error:
                log.error("deliver.outcome_not_stored", attempt=attempt, error=str(error.orig))  # noqa: TRY400
                await asyncio.sleep(min(_LONGEST_STORAGE_WAIT, retry_wait(attempt)))
            else:
                return

    async def _mark_sending(self, session: AsyncSession, ids: list[OutboxId]) -> set[OutboxId]:
        return await outbox.mark_sending(session, ids, now=self._clock())

    async def _mark_sent(self, session: AsyncSession, sent: list[tuple[OutboxId, int]]) -> None:
        await outbox.mark_all_sent(session, dict(sent), now=self._clock())

    async def _not_begun(self, session: AsyncSession, *, delivery: Delivery) -> None:
        await outbox.put_back(
            session, delivery.id, due_at=self._clock(), reason="not-begun", attempt_counts=False
        )

    async def _cannot_compose(self, session: AsyncSession, *, delivery: Delivery, detail: str) -> None:
        now = self._clock()
        # Through ``sending``, so that a row unfollowed or paused meanwhile keeps its own reason.
        if not await outbox.mark_sending(session, [delivery.id], now=now):
            return
        if detail:
            await outbox.mark_failed(session, delivery.id, reason="not-composed", detail=detail, now=now)
        else:
            await outbox.mark_skipped(session, delivery.id, reason="item-gone", now=now)

    async def _refused(
        self, session: AsyncSession, *, delivery: Delivery, verdict: Verdict, wait: float, to_blame: bool
    ) -> None:
        now = self._clock()
        later = now + timedelta(seconds=wait)
        match verdict.act:
            case Act.WAIT:
                await outbox.hold_chat(session, delivery.chat_id, until=later)
                await self._again(session, delivery, verdict, later, attempt_counts=False)
            case Act.RETRY if to_blame and delivery.attempts + 1 >= _SERVER_TROUBLE_TRIES:
                await self._fail(session, delivery, verdict)
            case Act.RETRY | Act.STOP:
                await self._again(session, delivery, verdict, later, attempt_counts=to_blame)
            case Act.UNKNOWN:
                await self._settle_unknown(session, delivery, verdict.detail)
            case Act.PAUSE_CHAT | Act.PAUSE_TOPIC:
                await self._pause(session, delivery, verdict)
            case Act.MIGRATE:
                await self._again(session, delivery, verdict, now, attempt_counts=False)
                await subscribers.migrate(
                    session, old_chat_id=delivery.chat_id, new_chat_id=verdict.new_chat_id, now=now
                )
            case Act.PLAIN | Act.FAIL:
                await self._fail(session, delivery, verdict)

    async def _again(
        self,
        session: AsyncSession,
        delivery: Delivery,
        verdict: Verdict,
        due_at: datetime,
        *,
        attempt_counts: bool,
    ) -> None:
        await outbox.put_back(
            session,
            delivery.id,
            due_at=due_at,
            reason=verdict.reason,
            detail=verdict.detail,
            attempt_counts=attempt_counts,
        )

    async def _fail(self, session: AsyncSession, delivery: Delivery, verdict: Verdict) -> None:
        self.counts.failed += 1
        await outbox.mark_failed(
            session, delivery.id, reason=verdict.reason, detail=verdict.detail, now=self._clock()
        )

    async def _pause(self, session: AsyncSession, delivery: Delivery, verdict: Verdict) -> None:
        now = self._clock()
        await outbox.mark_failed(session, delivery.id, reason=verdict.reason, detail=verdict.detail, now=now)
        thread = delivery.thread_id if verdict.act is Act.PAUSE_TOPIC else None
        await subscribers.pause(
            session, chat_id=delivery.chat_id, thread_id=thread, reason=verdict.reason, now=now
        )

    async def _settle_unknown(self, session: AsyncSession, delivery: Delivery, detail: str) -> None:
        self.counts.unknown += 1
        now = self._clock()
        if delivery.kind == "private" and not delivery.possible_repeat:
            await outbox.put_back(
                session,
                delivery.id,
                due_at=now + _REPEAT_AFTER,
                reason="unknown-outcome",
                detail=detail,
                possible_repeat=True,
            )
        else:
            await outbox.mark_unknown(session, delivery.id, detail=detail, now=now)


async def _store_hold(session: AsyncSession, *, until: datetime) -> None:
    await state.set_value(session, _HOLD, until.isoformat())

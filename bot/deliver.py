"""Delivery: outbox rows become messages, each once.

The order is always: wait for the chat's turn, commit ``sending``, send, commit the outcome. A
process killed in between leaves rows in ``sending``; the next start knows their outcome is unknown
and applies the policy: a private chat gets it once more, marked as a possible repeat; a group or
channel does not, because a double there is public.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Message
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.deps import BotDeps
from bot.limiter import Priority, Turns
from bot.messages import OutgoingMessage, as_plain, news_message
from bot.outcomes import Act, Verdict, judge
from storage import items, outbox, subscribers
from storage.database import DBAPIError
from storage.groupcommit import GroupCommit
from storage.outbox import Delivery
from storage.subscribers import SubscriberId

log = structlog.get_logger(__name__)

#: Chats worked on side by side; their messages wait in memory for a slot.
_AT_ONCE = 100
#: Refill before the last one is done.
_REFILL_BELOW = 50
#: Waits between tries, in seconds, doubling.
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 300.0
#: An explicit refusal by a server in trouble is tried this often before an admin must look.
_SERVER_TROUBLE_TRIES = 12
#: A possible repeat waits this long: whatever broke the connection may still be going on.
_REPEAT_AFTER = timedelta(seconds=5)
#: Without a wake-up the outbox is looked at this often.
_IDLE_SECONDS = 30.0


@dataclass(slots=True)
class DeliveryCounts:
    """What happened since the start, for metrics and ``/health``."""

    sent: int = 0
    unknown: int = 0
    failed: int = 0
    floods: int = 0


class Deliverer:
    """Sends what the outbox holds. One per database: the caller holds the lease."""

    def __init__(
        self,
        *,
        bot: ExtBot[Priority],
        deps: BotDeps,
        turns: Turns,
        may_send: Callable[[], bool],
        on_token_refused: Callable[[str], None],
    ) -> None:
        self._bot = bot
        self._deps = deps
        self._turns = turns
        self._may_send = may_send
        self._on_token_refused = on_token_refused
        self._commit = GroupCommit(deps.database)
        self._working: dict[SubscriberId, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._stopping = False
        self._outage = 0
        self.counts = DeliveryCounts()

    def wake(self) -> None:
        """Say that the outbox may hold something new."""
        self._news.set()

    async def recover(self) -> int:
        """Settle rows a dead process left in ``sending``; returns how many there were."""
        async with self._deps.database.write() as session:
            left = await outbox.left_sending(session)
            for delivery in left:
                await self._settle_unknown(session, delivery, "the process ended while sending")
        if left:
            log.warning("deliver.recovered", unknown=len(left))
        return len(left)

    async def run(self) -> None:
        """Deliver until :meth:`stop`."""
        while not self._stopping:
            self._news.clear()
            try:
                await self._refill()
            except Exception:
                log.exception("deliver.refill_failed")
                await asyncio.sleep(_FIRST_RETRY)
                continue
            await self._pause()

    async def stop(self, *, within: float) -> None:
        """Begin nothing new, and give requests under way ``within`` seconds to be answered."""
        self._stopping = True
        self._news.set()
        if self._working:
            await asyncio.wait(self._working.values(), timeout=within)
        for task in list(self._working.values()):
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)
        await self._commit.drain()

    async def _refill(self) -> None:
        if len(self._working) >= _REFILL_BELOW or not self._may_send():
            return
        async with self._deps.database.read() as session:
            heads = await outbox.heads(
                session, now=self._deps.clock(), limit=_AT_ONCE, without=self._working.keys()
            )
        for delivery in heads[: _AT_ONCE - len(self._working)]:
            task = asyncio.create_task(self._deliver_safely(delivery), name=f"deliver-{delivery.id}")
            self._working[delivery.subscriber_id] = task
            task.add_done_callback(partial(self._done, delivery.subscriber_id))

    def _done(self, subscriber_id: SubscriberId, _task: asyncio.Task[None]) -> None:
        self._working.pop(subscriber_id, None)
        self._news.set()

    async def _pause(self) -> None:
        async with self._deps.database.read() as session:
            due = await outbox.next_due_at(session)
        seconds = _IDLE_SECONDS
        if due is not None:
            seconds = min(seconds, max(0.2, (due - self._deps.clock()).total_seconds()))
        try:
            await asyncio.wait_for(self._news.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def _deliver_safely(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except asyncio.CancelledError:
            raise
        except Exception:
            # The row stays in ``sending`` or ``queued``; nothing else may suffer.
            log.exception("deliver.failed", outbox_id=delivery.id)
            await asyncio.sleep(_FIRST_RETRY)

    async def _deliver(self, delivery: Delivery) -> None:
        message = await self._compose(delivery)
        is_group = delivery.kind != "private"
        async with self._turns.turn(delivery.chat_id, is_group=is_group, priority=Priority.NEWS):
            if self._stopping or not self._may_send():
                return
            marked = await self._commit.do(
                lambda session: outbox.mark_sending(session, [delivery.id], now=self._deps.clock())
            )
            if not marked:
                return  # unfollowed, paused or forgotten while it waited
            if message is None:
                await self._commit.do(
                    lambda session: outbox.mark_skipped(
                        session, delivery.id, reason="item-gone", now=self._deps.clock()
                    )
                )
                return
            await self._send(delivery, message)

    async def _compose(self, delivery: Delivery) -> OutgoingMessage | None:
        async with self._deps.database.read() as session:
            item = await items.by_id(session, delivery.item_id)
            if item is None:
                return None
            siblings = await items.of_story(session, item.story_id)
        return news_message(
            item,
            translator=self._deps.translations.to(delivery.language),
            timezone=delivery.timezone,
            networks=self._deps.networks,
            base_url=self._deps.base_url,
            siblings=[each for each in siblings if each.id != item.id],
            possible_repeat=delivery.possible_repeat,
        )

    async def _send(self, delivery: Delivery, message: OutgoingMessage) -> None:
        answer = await self._request(delivery, message)
        if isinstance(answer, Verdict) and answer.act is Act.PLAIN and message.parse_mode is not None:
            log.error("deliver.sent_as_plain", outbox_id=delivery.id, detail=answer.detail)
            # Refused means not sent, so a second request within this attempt can't double.
            is_group = delivery.kind != "private"
            await self._turns.again(delivery.chat_id, is_group=is_group, priority=Priority.NEWS)
            answer = await self._request(delivery, as_plain(message))
        if isinstance(answer, Verdict):
            await self._act(delivery, answer)
        else:
            self._outage = 0
            self.counts.sent += 1
            await self._insist(partial(self._record_sent, delivery=delivery, message_id=answer.message_id))
            log.info(
                "deliver.sent", outbox_id=delivery.id, item_id=delivery.item_id, story_id=delivery.story_id
            )

    async def _request(self, delivery: Delivery, message: OutgoingMessage) -> Message | Verdict:
        try:
            return await self._bot.send_message(
                chat_id=delivery.chat_id,
                text=message.text,
                parse_mode=message.parse_mode,
                reply_markup=message.keyboard,
                link_preview_options=message.link_preview,
                message_thread_id=delivery.thread_id or None,
                rate_limit_args=Priority.NEWS,
            )
        except TelegramError as error:
            return judge(error)

    async def _insist(self, change: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Record what has happened, however long storage is in trouble: forgetting it would double."""
        for attempt in itertools.count(1):
            try:
                await self._commit.do(change)
            except DBAPIError as error:
                log.error("deliver.outcome_not_stored", attempt=attempt, error=str(error.orig))  # noqa: TRY400
                await asyncio.sleep(_backoff(min(attempt, 5)))
            else:
                return

    async def _record_sent(self, session: AsyncSession, *, delivery: Delivery, message_id: int) -> None:
        await outbox.mark_sent(session, delivery.id, message_id=message_id, now=self._deps.clock())

    async def _act(self, delivery: Delivery, verdict: Verdict) -> None:
        """Carry out what an answer means: first what the world must wait for, then the row."""
        log.info(
            "deliver.refused",
            outbox_id=delivery.id,
            act=verdict.act.value,
            reason=verdict.reason,
            detail=verdict.detail,
        )
        if verdict.act is Act.WAIT:
            self.counts.floods += 1
            self._turns.flooded(
                delivery.chat_id, is_group=delivery.kind != "private", seconds=verdict.seconds
            )
        elif verdict.act is Act.STOP:
            self._on_token_refused(verdict.detail)
        elif verdict.act is Act.RETRY and verdict.reason == "unreachable":
            self._outage += 1
            self._turns.hold_bot(_backoff(self._outage))
        await self._insist(partial(self._record, delivery=delivery, verdict=verdict))

    async def _record(self, session: AsyncSession, *, delivery: Delivery, verdict: Verdict) -> None:
        now = self._deps.clock()
        match verdict.act:
            case Act.WAIT:
                until = now + timedelta(seconds=verdict.seconds)
                await outbox.hold_chat(session, delivery.chat_id, until=until)
                await outbox.put_back(
                    session, delivery.id, due_at=until, reason=verdict.reason, attempt_counts=False
                )
            case Act.RETRY | Act.STOP:
                await self._record_retry(session, delivery, verdict)
            case Act.UNKNOWN:
                await self._settle_unknown(session, delivery, verdict.detail)
            case Act.PAUSE_CHAT | Act.PAUSE_TOPIC:
                thread = delivery.thread_id if verdict.act is Act.PAUSE_TOPIC else None
                await outbox.mark_failed(
                    session, delivery.id, reason=verdict.reason, detail=verdict.detail, now=now
                )
                await subscribers.pause(
                    session, chat_id=delivery.chat_id, thread_id=thread, reason=verdict.reason, now=now
                )
            case Act.MIGRATE:
                await outbox.put_back(
                    session, delivery.id, due_at=now, reason=verdict.reason, attempt_counts=False
                )
                await subscribers.migrate(
                    session, old_chat_id=delivery.chat_id, new_chat_id=verdict.new_chat_id, now=now
                )
            case _:
                self.counts.failed += 1
                await outbox.mark_failed(
                    session, delivery.id, reason=verdict.reason, detail=verdict.detail, now=now
                )

    async def _record_retry(self, session: AsyncSession, delivery: Delivery, verdict: Verdict) -> None:
        now = self._deps.clock()
        # ``attempts`` was read before this one was recorded.
        attempt = delivery.attempts + 1
        if verdict.reason == "server-trouble" and attempt >= _SERVER_TROUBLE_TRIES:
            self.counts.failed += 1
            await outbox.mark_failed(
                session, delivery.id, reason=verdict.reason, detail=verdict.detail, now=now
            )
            return
        counts = verdict.reason == "server-trouble"
        wait = timedelta(seconds=_backoff(attempt if counts else self._outage))
        await outbox.put_back(
            session,
            delivery.id,
            due_at=now + wait,
            reason=verdict.reason,
            detail=verdict.detail,
            attempt_counts=counts,
        )

    async def _settle_unknown(self, session: AsyncSession, delivery: Delivery, detail: str) -> None:
        self.counts.unknown += 1
        now = self._deps.clock()
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


def _backoff(attempt: int) -> float:
    return min(_LONGEST_RETRY, _FIRST_RETRY * 2.0 ** max(0, attempt - 1))

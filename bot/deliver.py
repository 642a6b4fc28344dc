"""Delivery: outbox rows become messages, each once.

The order is always: wait for the chat's turn, commit ``sending``, wait for the slot, send, commit
the outcome. A process killed in between leaves rows in ``sending``; the next start knows their
outcome is unknown and applies the policy: a private chat gets it once more, marked as a possible
repeat; a group or channel does not, because a double there is public.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from telegram import Message
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.deps import BotDeps
from bot.limiter import Priority, Turn, Turns
from bot.messages import OutgoingMessage, as_plain, news_message
from bot.outage import FIRST_RETRY, Outage, retry_wait
from bot.outcomes import Act, Verdict, judge
from bot.settle import DeliveryCounts, Settler
from storage import items, outbox
from storage.database import DBAPIError
from storage.outbox import Delivery, OutboxId
from storage.subscribers import SubscriberId

log = structlog.get_logger(__name__)

#: Chats waiting in memory. Chats that may not get a message yet wait here too: so many that they
#: leave nobody out, even at a thousand messages a second.
_AT_ONCE = 1_000
#: Refill before the last one is done.
_REFILL_BELOW = 500
#: While chats wait in memory the outbox is not asked again for each that is done, but after half of
#: them may be; with few in memory almost at once.
_SHORTEST_GAP, _LONGEST_GAP = 0.05, 1.0
_SOONEST_LOOK = 0.2
#: Without a wake-up the outbox is looked at this often.
_IDLE_SECONDS = 30.0
#: While we may not send: how soon to see whether we may again.
_FORBIDDEN_SECONDS = 1.0

_ComposeKey = tuple[int, str, str, bool]


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
        self._settler = Settler(deps.database, clock=deps.clock)
        self._working: dict[SubscriberId, asyncio.Task[None]] = {}
        self._in_flight: dict[OutboxId, asyncio.Task[None] | None] = {}
        self._composed: dict[_ComposeKey, asyncio.Task[OutgoingMessage | None]] = {}
        self._outage = Outage()
        self._news = asyncio.Event()
        self._stopping = False
        self._storage_fails = False

    @property
    def counts(self) -> DeliveryCounts:
        """What happened since the start."""
        return self._settler.counts

    def wake(self) -> None:
        """Say that the outbox may hold something new."""
        self._news.set()

    async def recover(self) -> int:
        """Settle rows a dead process left in ``sending``; returns how many there were."""
        return await self._settler.recover(in_flight=self._in_flight.keys())

    async def run(self) -> None:
        """Deliver until :meth:`stop`."""
        self._turns.hold_bot(await self._settler.held_for())
        while not self._stopping:
            self._news.clear()
            try:
                seconds = await self._refill()
            except Exception:
                log.exception("deliver.refill_failed")
                await asyncio.sleep(FIRST_RETRY)
                continue
            await self._wait_for_news(seconds)

    async def stop(self, *, within: float) -> None:
        """Begin nothing new, and give requests under way ``within`` seconds to be answered."""
        self._stopping = True
        self._news.set()
        tasks = set(self._working.values())
        under_way = {task for task in self._in_flight.values() if task is not None}
        for task in tasks - under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=within)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._settler.drain()

    async def _refill(self) -> float:
        """Take up what is due; returns the seconds until there may be more without a wake-up."""
        if not self._may_send():
            return _FORBIDDEN_SECONDS
        if len(self._working) >= _REFILL_BELOW:
            return _IDLE_SECONDS
        self._composed.clear()
        now = self._deps.clock()
        room = _AT_ONCE - len(self._working)
        async with self._deps.database.read() as session:
            heads = await outbox.heads(session, now=now, limit=room, without=self._working.keys())
            due = None if heads else await outbox.next_due_at(session)
        for delivery in heads:
            task = asyncio.create_task(self._deliver_safely(delivery), name=f"deliver-{delivery.id}")
            self._working[delivery.subscriber_id] = task
            task.add_done_callback(partial(self._done, delivery.subscriber_id))
        if due is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(_SOONEST_LOOK, (due - now).total_seconds()))

    def _done(self, subscriber_id: SubscriberId, _task: asyncio.Task[None]) -> None:
        self._working.pop(subscriber_id, None)
        self._news.set()

    async def _wait_for_news(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), timeout=seconds)
        except TimeoutError:
            return
        if self._working and not self._stopping:
            half = len(self._working) / 2 / self._turns.messages_per_second
            await asyncio.sleep(min(_LONGEST_GAP, max(_SHORTEST_GAP, half)))

    async def _deliver_safely(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
            self._storage_fails = False
        except asyncio.CancelledError:
            raise
        except DBAPIError as error:
            # One trouble is said once, however many rows meet it; all of them stay queued.
            if not self._storage_fails:
                log.error("deliver.storage_failed", error=str(error.orig))  # noqa: TRY400
            self._storage_fails = True
            await asyncio.sleep(FIRST_RETRY)
        except Exception:
            # Nothing else may suffer.
            log.exception("deliver.failed", outbox_id=delivery.id)
            await asyncio.sleep(FIRST_RETRY)

    async def _deliver(self, delivery: Delivery) -> None:
        is_group = delivery.kind != "private"
        async with self._turns.turn(delivery.chat_id, is_group=is_group, priority=Priority.NEWS) as turn:
            if self._stopping or not self._may_send():
                return
            message = await self._compose_safely(delivery)
            if message is None:
                return
            self._in_flight[delivery.id] = asyncio.current_task()
            try:
                if await self._begin(delivery, turn):
                    await self._send(delivery, message, turn)
            finally:
                del self._in_flight[delivery.id]

    async def _begin(self, delivery: Delivery, turn: Turn) -> bool:
        """Record the attempt and wait for the slot; ``False`` when nothing is to be sent."""
        try:
            if not await self._settler.attempt(delivery):
                return False  # unfollowed, paused or forgotten while it waited
            await turn.slot()
        except (asyncio.CancelledError, DBAPIError):
            # A commit that reported an error, or whose caller was cancelled, may still have happened.
            await self._settler.not_begun(delivery)
            raise
        if self._stopping or not self._may_send():
            await self._settler.not_begun(delivery)
            return False
        return True

    async def _compose_safely(self, delivery: Delivery) -> OutgoingMessage | None:
        """The message; ``None`` when there is none, which is recorded."""
        key = (delivery.item_id, delivery.language, delivery.timezone, delivery.possible_repeat)
        composing = self._composed.get(key)
        if composing is None:
            composing = self._composed[key] = asyncio.create_task(self._compose(delivery))
        try:
            message = await asyncio.shield(composing)
        except DBAPIError:
            self._composed.pop(key, None)
            raise
        except Exception as error:
            log.exception("deliver.not_composed", outbox_id=delivery.id, item_id=delivery.item_id)
            await self._settler.cannot_compose(delivery, detail=f"{type(error).__name__}: {error}")
            return None
        if message is None:
            await self._settler.cannot_compose(delivery, detail="")
        return message

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

    async def _send(self, delivery: Delivery, message: OutgoingMessage, turn: Turn) -> None:
        answer = await self._request(delivery, message)
        turn.answered()
        if isinstance(answer, Verdict) and answer.act is Act.PLAIN and message.parse_mode is not None:
            log.error("deliver.sent_as_plain", outbox_id=delivery.id, detail=answer.detail)
            # Refused means not sent, so a second request within this attempt can't double.
            await turn.slot()
            answer = await self._request(delivery, as_plain(message))
            turn.answered()
        if isinstance(answer, Verdict):
            await self._act(delivery, answer)
            return
        self._outage.went_through()
        await self._settler.sent(delivery, answer.message_id)
        log.info("deliver.sent", outbox_id=delivery.id, item_id=delivery.item_id, story_id=delivery.story_id)

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
        except Exception as error:
            # An answer the library stumbled over: it was an answer, so Telegram may have acted.
            log.exception("deliver.answer_not_understood", outbox_id=delivery.id)
            return Verdict(act=Act.UNKNOWN, reason="unknown-outcome", detail=repr(error))

    async def _act(self, delivery: Delivery, verdict: Verdict) -> None:
        """Carry out what an answer means: first what the world must wait for, then the row."""
        log.info(
            "deliver.refused",
            outbox_id=delivery.id,
            act=verdict.act.value,
            reason=verdict.reason,
            detail=verdict.detail,
        )
        wait, to_blame = FIRST_RETRY, False
        if verdict.act is Act.WAIT:
            wait = verdict.seconds
            await self._flooded(delivery, wait)
        elif verdict.act is Act.STOP:
            self._on_token_refused(verdict.detail)
        elif verdict.reason == "unreachable":
            wait = self._outage.unreachable(is_held=self._turns.is_held())
            self._turns.hold_bot(wait)
        elif verdict.act is Act.RETRY:
            to_blame = self._outage.is_to_blame(delivery.chat_id)
            wait = self._trouble(delivery, to_blame=to_blame)
        elif verdict.act is not Act.UNKNOWN:
            # Any other answer came from a Telegram that works.
            self._outage.went_through()
        await self._settler.refused(delivery, verdict, wait=wait, to_blame=to_blame)

    async def _flooded(self, delivery: Delivery, seconds: float) -> None:
        self.counts.floods += 1
        is_group = delivery.kind != "private"
        if self._turns.flooded(delivery.chat_id, is_group=is_group, seconds=seconds):
            await self._settler.hold_bot(seconds)

    def _trouble(self, delivery: Delivery, *, to_blame: bool) -> float:
        """The wait after a 5xx: of this message, or of everybody when nothing goes through."""
        if to_blame:
            return retry_wait(delivery.attempts + 1)
        wait = self._outage.unreachable(is_held=self._turns.is_held())
        if self._outage.concerns_all():
            self._turns.hold_bot(wait)
        return wait

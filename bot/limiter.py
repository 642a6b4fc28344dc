"""Turns to send: the one gate all messages of the bot pass, answers to people before news.

python-telegram-bot's ``AIORateLimiter`` sends in bursts, knows no limit for private chats and lifts
a halt too early; decisions here are :mod:`bot.pace`, and this module only waits.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
import itertools
import math
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.pace import BotPace, ChatPace, Flight, Rates

# The library's coming type of every duration; without it each 429 raises a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

log = structlog.get_logger(__name__)

#: A person waits for an answer: try again after a 429 this often.
_ANSWER_TRIES = 3
#: 429s in two chats within this many seconds concern the bot, not the chats.
_BOT_WIDE_SECONDS = 5.0
#: News that has a turn and no slot yet: enough to fill this many seconds of slow commits.
_AHEAD_SECONDS = 0.15
_LEAST_AHEAD = 2
#: Chats remembered before idle ones are swept out.
_SWEEP_AT = 5_000
_MESSAGE_METHODS = ("send", "edit", "copy", "forward")
_NOT_MESSAGES = frozenset({"sendChatAction"})


class Priority(enum.IntEnum):
    """Who goes first when all wait for a slot."""

    ANSWER = 0
    NEWS = 1
    DIGEST = 2
    BROADCAST = 3


@dataclass(order=True, slots=True)
class _Wish:
    """Somebody who wants to go on: into a chat, or to the moment of sending."""

    priority: Priority
    order: int
    granted: asyncio.Future[None] = field(compare=False)
    chat: _Chat = field(compare=False)


@dataclass(slots=True)
class _Chat:
    """One chat: its pace, whether somebody has its turn, and who waits for that."""

    pace: ChatPace
    is_taken: bool = False
    line: list[_Wish] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    #: Turns asked for and not ended.
    turns: int = 0


class Turn:
    """The right to send to a chat; :meth:`slot` gives the moment."""

    def __init__(self, turns: Turns, chat: _Chat, priority: Priority) -> None:
        self._turns = turns
        self._chat = chat
        self._priority = priority
        self.is_ahead = priority is not Priority.ANSWER
        self.flight: Flight | None = None

    async def slot(self) -> None:
        """Wait for the moment to send one message; each further message needs a slot of its own."""
        await self._turns._slot(self, self._chat, self._priority)  # noqa: SLF001 - two halves of one thing

    def answered(self) -> None:
        """Say that the answer has come (or none will); the end of the turn says so too."""
        if self.flight is not None:
            self._turns._landed(self._chat, self.flight)  # noqa: SLF001 - as above
            self.flight = None


class Turns(BaseRateLimiter[Priority]):
    """Grants turns to send; plugged into the bot it also paces every answer by itself.

    First a chat's turn, then the slot: between the two, news records its attempt, so that the time
    a commit takes does not bunch up requests that were spaced evenly. Few may be between the two,
    because a process killed there does not know that nothing has left.

    ``clock`` gives seconds of a monotonic clock.
    """

    def __init__(self, rates: Rates, *, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._bot = BotPace(rates)
        self._chats: dict[int | str, _Chat] = {}
        self._sweep_at = _SWEEP_AT
        self._order = itertools.count()
        #: Wishes for a turn that may be grantable, and for a slot.
        self._ready: list[_Wish] = []
        self._slots: list[_Wish] = []
        self._ahead = 0
        self._most_ahead = max(_LEAST_AHEAD, math.ceil(rates.messages_per_second * _AHEAD_SECONDS))
        self._wake = asyncio.Event()
        self._granter: asyncio.Task[None] | None = None
        self._end_of_hold: asyncio.TimerHandle | None = None
        self._last_flood: tuple[int | str, float] | None = None
        self.floods = 0

    async def initialize(self) -> None:
        """Start granting."""
        if self._granter is None:
            self._granter = asyncio.create_task(self._grant(), name="telegram-turns")

    async def shutdown(self) -> None:
        """Stop granting; whoever still waits is cancelled by its owner."""
        if self._granter is not None:
            self._granter.cancel()
            await asyncio.gather(self._granter, return_exceptions=True)
            self._granter = None

    @asynccontextmanager
    async def turn(self, chat_id: int | str, *, is_group: bool, priority: Priority) -> AsyncIterator[Turn]:
        """Wait until ``chat_id`` may get a message, then hold the chat until the body is done.

        Within a chat turns come by priority, then in the order asked for, one at a time. The body
        asks for a slot before each message.
        """
        chat = self._chat(chat_id, is_group=is_group)
        chat.turns += 1
        try:
            wish = self._wish(chat, priority)
            heapq.heappush(self._ready, wish)
            self._admit()
            try:
                await wish.granted
            except asyncio.CancelledError:
                if wish.granted.done() and not wish.granted.cancelled():
                    self._leave(chat, ahead=priority is not Priority.ANSWER)
                raise
            turn = Turn(self, chat, priority)
            try:
                yield turn
            finally:
                turn.answered()
                self._leave(chat, ahead=turn.is_ahead)
        finally:
            chat.turns -= 1

    def flooded(self, chat_id: int | str, *, is_group: bool, seconds: float) -> bool:
        """Note a 429; returns whether the whole bot now waits, not only the chat."""
        self.floods += 1
        now = self._clock()
        self._chat(chat_id, is_group=is_group).pace.hold(now, seconds)
        last, self._last_flood = self._last_flood, (chat_id, now)
        bot_wide = last is not None and last[0] != chat_id and now - last[1] <= _BOT_WIDE_SECONDS
        if bot_wide:
            self._bot.hold(now, seconds)
        return bot_wide

    @property
    def messages_per_second(self) -> float:
        """The bot's full rate."""
        return self._rates.messages_per_second

    def hold_bot(self, seconds: float) -> None:
        """Let nobody send for a while: Telegram can't be reached, or said so before a restart."""
        self._bot.wait_until(self._clock() + seconds)

    def is_held(self) -> bool:
        """Whether the whole bot waits."""
        return self._bot.is_held(self._clock())

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Priority | None,
    ) -> Any:
        """Pace one request of the bot (called by python-telegram-bot). News paces itself."""
        chat_id = data.get("chat_id")
        if rate_limit_args is not None or chat_id is None or not _is_message(endpoint):
            return await callback(*args, **kwargs)
        is_group = not isinstance(chat_id, int) or chat_id < 0
        # Within one turn: a later answer must not overtake one that was asked to wait.
        async with self.turn(chat_id, is_group=is_group, priority=Priority.ANSWER) as turn:
            for attempt in itertools.count(1):
                await turn.slot()
                try:
                    return await callback(*args, **kwargs)
                except RetryAfter as error:
                    turn.answered()
                    seconds = seconds_of(error)
                    self.flooded(chat_id, is_group=is_group, seconds=seconds)
                    log.warning("telegram.flooded", chat_id=chat_id, endpoint=endpoint, retry_after=seconds)
                    if attempt >= _ANSWER_TRIES:
                        raise
        raise AssertionError("unreachable")

    def _wish(self, chat: _Chat, priority: Priority) -> _Wish:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return _Wish(priority, next(self._order), granted, chat)

    def _admit(self) -> None:
        """Grant turns to all who may have them now."""
        while self._ready:
            now = self._clock()
            wish = self._ready[0]
            chat = wish.chat
            if wish.granted.done():
                heapq.heappop(self._ready)
                self._advance(chat)
                continue
            if wish.priority is not Priority.ANSWER and not self._may_go_ahead(now):
                return
            heapq.heappop(self._ready)
            if chat.is_taken or chat.pace.wait(now) > 0:
                heapq.heappush(chat.line, wish)
                self._advance(chat)
                continue
            chat.is_taken = True
            self._ahead += wish.priority is not Priority.ANSWER
            wish.granted.set_result(None)

    def _may_go_ahead(self, now: float) -> bool:
        if not self._bot.is_held(now):
            return self._ahead < self._most_ahead
        if self._end_of_hold is None:
            seconds = self._bot.held_until - now
            self._end_of_hold = asyncio.get_running_loop().call_later(seconds, self._hold_ended)
        return False

    def _hold_ended(self) -> None:
        self._end_of_hold = None
        self._admit()

    def _advance(self, chat: _Chat) -> None:
        """Let the next in a free chat's line come forward, as soon as the chat may get a message."""
        while chat.line and chat.line[0].granted.done():
            heapq.heappop(chat.line)
        if not chat.line or chat.is_taken or chat.timer is not None:
            return
        seconds = chat.pace.wait(self._clock())
        if seconds > 0:
            chat.timer = asyncio.get_running_loop().call_later(seconds, self._ripe, chat)
        else:
            heapq.heappush(self._ready, heapq.heappop(chat.line))

    def _ripe(self, chat: _Chat) -> None:
        chat.timer = None
        self._advance(chat)
        self._admit()

    def _leave(self, chat: _Chat, *, ahead: bool) -> None:
        """End a turn."""
        self._ahead -= ahead
        chat.is_taken = False
        self._advance(chat)
        self._admit()

    async def _slot(self, turn: Turn, chat: _Chat, priority: Priority) -> None:
        while (seconds := chat.pace.wait(self._clock())) > 0:  # noqa: ASYNC110 - waits for time itself
            await asyncio.sleep(seconds)
        wish = self._wish(chat, priority)
        heapq.heappush(self._slots, wish)
        self._wake.set()
        await wish.granted
        turn.answered()
        now = self._clock()
        turn.flight = self._bot.take(now)
        chat.pace.take(now)
        if turn.is_ahead:
            turn.is_ahead = False
            self._ahead -= 1
            self._admit()

    def _landed(self, chat: _Chat, flight: Flight) -> None:
        now = self._clock()
        chat.pace.answered(now)
        self._bot.landed(flight, now)

    async def _grant(self) -> None:
        while True:
            while not self._slots:
                self._wake.clear()
                await self._wake.wait()
            # Looking again after the wait: somebody more urgent may have come.
            if (seconds := self._bot.wait(self._clock())) > 0:
                await asyncio.sleep(seconds)
                continue
            granted = heapq.heappop(self._slots).granted
            if not granted.done():
                # The one woken takes the slot itself, in its own moment; let it.
                granted.set_result(None)
                await asyncio.sleep(0)

    def _chat(self, chat_id: int | str, *, is_group: bool) -> _Chat:
        if len(self._chats) > self._sweep_at:
            self._sweep()
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _Chat(ChatPace(is_group=is_group, rates=self._rates))
        return chat

    def _sweep(self) -> None:
        now = self._clock()
        for chat_id in [each for each, chat in self._chats.items() if not chat.turns]:
            if self._chats[chat_id].pace.is_idle(now):
                del self._chats[chat_id]
        # Looking through all of them costs; do it once they have doubled.
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._chats))


def seconds_of(error: RetryAfter) -> float:
    """How long a 429 asks us to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(_MESSAGE_METHODS) and endpoint not in _NOT_MESSAGES

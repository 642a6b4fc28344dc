"""Turns to send: the one gate all messages of the bot pass, answers to people before news.

python-telegram-bot's ``AIORateLimiter`` sends in bursts, knows no limit for private chats and lifts
a halt too early; decisions here are :mod:`bot.pace`, and this module only waits.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.pace import BotPace, ChatPace, Rates

log = structlog.get_logger(__name__)

#: A person waits for an answer: try again after a 429 this often.
_ANSWER_TRIES = 3
#: 429s in two chats within this many seconds concern the bot, not the chats.
_BOT_WIDE_SECONDS = 5.0
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


class Turns(BaseRateLimiter[Priority]):
    """Grants turns to send; plugged into the bot it also paces every answer by itself.

    ``clock`` gives seconds of a monotonic clock.
    """

    def __init__(self, rates: Rates, *, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._bot = BotPace(rates)
        self._chats: dict[int | str, ChatPace] = {}
        self._locks: dict[int | str, asyncio.Lock] = {}
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._granter: asyncio.Task[None] | None = None
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
    async def turn(self, chat_id: int | str, *, is_group: bool, priority: Priority) -> AsyncIterator[None]:
        """Wait until ``chat_id`` may get a message, then hold the chat until the body is done.

        Within a chat turns come in the order asked for, one at a time.
        """
        async with self._lock(chat_id):
            await self.again(chat_id, is_group=is_group, priority=priority)
            yield

    async def again(self, chat_id: int | str, *, is_group: bool, priority: Priority) -> None:
        """Wait for one more message to a chat whose turn the caller holds already."""
        chat = self._chat(chat_id, is_group=is_group)
        while (seconds := chat.wait(self._clock())) > 0:  # noqa: ASYNC110 - waits for time itself
            await asyncio.sleep(seconds)
        await self._slot(priority)
        chat.take(self._clock())

    def flooded(self, chat_id: int | str, *, is_group: bool, seconds: float) -> bool:
        """Note a 429; returns whether the whole bot now waits, not only the chat."""
        self.floods += 1
        now = self._clock()
        self._chat(chat_id, is_group=is_group).hold(now, seconds)
        last, self._last_flood = self._last_flood, (chat_id, now)
        bot_wide = last is not None and last[0] != chat_id and now - last[1] <= _BOT_WIDE_SECONDS
        if bot_wide:
            self._bot.hold(now, seconds)
        return bot_wide

    def hold_bot(self, seconds: float) -> None:
        """Let nobody send for a while: Telegram can't be reached, or said so before a restart."""
        self._bot.held_until = max(self._bot.held_until, self._clock() + seconds)

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
        for attempt in itertools.count(1):
            try:
                async with self.turn(chat_id, is_group=is_group, priority=Priority.ANSWER):
                    return await callback(*args, **kwargs)
            except RetryAfter as error:
                seconds = seconds_of(error)
                self.flooded(chat_id, is_group=is_group, seconds=seconds)
                log.warning("telegram.flooded", chat_id=chat_id, endpoint=endpoint, retry_after=seconds)
                if attempt >= _ANSWER_TRIES:
                    raise
        raise AssertionError("unreachable")

    async def _slot(self, priority: Priority) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), granted))
        self._wake.set()
        await granted

    async def _grant(self) -> None:
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            # Looking again after the wait: somebody more urgent may have come.
            if (seconds := self._bot.wait(self._clock())) > 0:
                await asyncio.sleep(seconds)
                continue
            _, _, granted = heapq.heappop(self._waiting)
            if not granted.done():
                self._bot.take(self._clock())
                granted.set_result(None)

    def _lock(self, chat_id: int | str) -> asyncio.Lock:
        return self._locks.setdefault(chat_id, asyncio.Lock())

    def _chat(self, chat_id: int | str, *, is_group: bool) -> ChatPace:
        if len(self._chats) > _SWEEP_AT:
            self._sweep()
        return self._chats.setdefault(chat_id, ChatPace(is_group=is_group, rates=self._rates))

    def _sweep(self) -> None:
        now = self._clock()
        for chat_id in [each for each, chat in self._chats.items() if chat.is_idle(now)]:
            lock = self._locks.get(chat_id)
            if lock is None or not lock.locked():
                del self._chats[chat_id]
                self._locks.pop(chat_id, None)


def seconds_of(error: RetryAfter) -> float:
    """How long a 429 asks us to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(_MESSAGE_METHODS) and endpoint not in _NOT_MESSAGES

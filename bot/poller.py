"""Asking Telegram for updates, none lost.

python-telegram-bot's own updater confirms updates to Telegram as soon as they are read into memory;
a process killed then has lost what people pressed. Here updates go into the inbox first; asking for
the next ones confirms them to Telegram; once handled they leave the inbox. Chats are handled side
by side, so that one waiting for its turn to be answered holds up nobody; updates of one chat stay
in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application

from bot.limiter import seconds_of
from bot.transport import NotSent
from storage import inbox
from storage.database import Database, DBAPIError
from storage.groupcommit import GroupCommit

log = structlog.get_logger(__name__)

#: Everything we have handlers for; ``my_chat_member`` comes only when named.
ALLOWED_UPDATES = [
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "inline_query",
]

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
#: Chats with updates in memory before we stop asking for more.
_MOST_CHATS = 1_000


class Poller:
    """Long polling. One per token: the caller holds the lease."""

    def __init__(
        self,
        *,
        application: Application[Any, Any, Any, Any, Any, Any],
        database: Database,
        clock: Callable[[], datetime],
        timeout: timedelta,
        may_poll: Callable[[], bool],
        on_token_refused: Callable[[str], None],
    ) -> None:
        self._application = application
        self._database = database
        self._clock = clock
        self._timeout = timeout
        self._may_poll = may_poll
        self._on_token_refused = on_token_refused
        self._commit = GroupCommit(database)
        self._offset: int | None = None
        self._last_update_at = clock()
        self._queues: dict[int | None, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Whether Telegram answered last time; ``None`` before the first answer.
        self.is_connected: bool | None = None

    async def run(self) -> None:
        """Poll until cancelled; begins with what a dead process left unhandled."""
        async with self._database.read() as session:
            left = await inbox.waiting(session)
        self._dispatch([Update.de_json(dict(each), self._application.bot) for each in left])
        failures = 0
        while True:
            if not self._may_poll() or len(self._queues) >= _MOST_CHATS:
                await asyncio.sleep(_FIRST_WAIT)
                continue
            try:
                updates = await self._ask()
                await self.receive(updates)
            except TelegramError as error:
                failures += 1
                self._report(error, failures)
                await asyncio.sleep(_wait_after(error, failures))
                continue
            except DBAPIError as error:
                # Not stored, so not confirmed: Telegram keeps them for us.
                failures += 1
                log.error("telegram.updates_not_stored", error=str(error.orig))  # noqa: TRY400
                await asyncio.sleep(_wait_after(TelegramError(""), failures))
                continue
            if failures:
                log.info("telegram.connected_again", after_failures=failures)
            failures, self.is_connected = 0, True

    async def receive(self, updates: Sequence[Update]) -> None:
        """Store updates, then have them handled; those received before are left out."""
        if not updates:
            return
        payloads = {each.update_id: each.to_dict() for each in updates}
        fresh = set(await self._commit.do(partial(self._store, payloads=payloads)))
        self._offset = max(payloads) + 1
        self._last_update_at = self._clock()
        self._dispatch([each for each in updates if each.update_id in fresh])

    async def stop(self, *, within: float) -> None:
        """Give handlers under way ``within`` seconds; what they do not finish stays in the inbox."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._commit.drain()

    async def _ask(self) -> tuple[Update, ...]:
        # After a week of silence ids may start anywhere, even lower: ask without an offset then.
        is_stale = self._clock() - self._last_update_at > timedelta(days=1)
        updates: tuple[Update, ...] = await self._application.bot.get_updates(
            offset=None if is_stale else self._offset,
            timeout=self._timeout,
            read_timeout=self._timeout.total_seconds() + 10,
            allowed_updates=ALLOWED_UPDATES,
        )
        return updates

    async def _store(self, session: AsyncSession, *, payloads: dict[int, dict[str, Any]]) -> list[int]:
        return await inbox.receive(session, payloads, now=self._clock())

    def _dispatch(self, updates: Sequence[Update | None]) -> None:
        for update in updates:
            if update is None:
                continue
            who = update.effective_chat or update.effective_user
            key = who.id if who else None
            queue = self._queues.get(key)
            if queue is not None:
                queue.append(update)
                continue
            self._queues[key] = deque([update])
            task = asyncio.create_task(self._handle_chat(key), name=f"updates-{key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _handle_chat(self, key: int | None) -> None:
        queue = self._queues[key]
        try:
            while queue:
                await self._handle(queue[0])
                queue.popleft()
        finally:
            del self._queues[key]

    async def _handle(self, update: Update) -> None:
        try:
            await self._application.process_update(update)
        except Exception:
            log.exception("telegram.update_failed", update_id=update.update_id)
        try:
            await self._commit.do(lambda session: inbox.handled(session, [update.update_id]))
        except DBAPIError as error:
            log.error("telegram.update_not_cleared", update_id=update.update_id, error=str(error.orig))  # noqa: TRY400

    def _report(self, error: TelegramError, failures: int) -> None:
        if failures == 1 or not isinstance(error, NotSent):
            self.is_connected = False
        if isinstance(error, InvalidToken):
            self._on_token_refused(error.message)
        elif isinstance(error, Conflict):
            log.error(
                "telegram.conflict",
                detail=error.message,
                advice="another program uses this bot's token: stop it, or give this one its own token",
            )
        elif failures in {1, 10} or failures % 100 == 0:
            log.warning("telegram.unreachable", failures=failures, detail=error.message)


def _wait_after(error: TelegramError, failures: int) -> float:
    if isinstance(error, RetryAfter):
        return seconds_of(error)
    if isinstance(error, Conflict | InvalidToken):
        return min(_LONGEST_WAIT, 5.0 * failures)
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(failures - 1, 10))

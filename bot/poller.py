"""Asking Telegram for updates, one after another, none lost.

python-telegram-bot's own updater confirms updates to Telegram as soon as they are read into memory;
a process killed then has lost what people pressed. Here an update is confirmed (by asking for the
next offset) only after it was handled, and the last handled one is remembered, so that one handled
just before a kill is not handled twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application

from bot.limiter import seconds_of
from bot.transport import NotSent
from storage.database import Database
from storage.state import set_value, value_of

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

_OFFSET = "telegram.update_id"
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
#: Updates of different chats handled side by side; those of one chat stay in order.
_AT_ONCE = 16


class Poller:
    """Long polling. One per token: the caller holds the lease."""

    def __init__(
        self,
        *,
        application: Application[Any, Any, Any, Any, Any, Any],
        database: Database,
        timeout: timedelta,
        may_poll: Callable[[], bool],
        on_token_refused: Callable[[str], None],
    ) -> None:
        self._application = application
        self._database = database
        self._timeout = timeout
        self._may_poll = may_poll
        self._on_token_refused = on_token_refused
        self._handled = 0
        #: When Telegram last answered; ``None`` before the first answer. For readiness.
        self.is_connected: bool | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        async with self._database.read() as session:
            self._handled = int(await value_of(session, _OFFSET) or 0)
        failures = 0
        while True:
            if not self._may_poll():
                await asyncio.sleep(_FIRST_WAIT)
                continue
            try:
                updates = await self._application.bot.get_updates(
                    offset=self._handled + 1 if self._handled else None,
                    timeout=self._timeout,
                    read_timeout=self._timeout.total_seconds() + 10,
                    allowed_updates=ALLOWED_UPDATES,
                )
            except TelegramError as error:
                failures += 1
                self._report(error, failures)
                await asyncio.sleep(_wait_after(error, failures))
                continue
            if failures:
                log.info("telegram.connected_again", after_failures=failures)
            failures, self.is_connected = 0, True
            await self._handle_all(updates)

    async def _handle_all(self, updates: tuple[Update, ...]) -> None:
        """Handle a batch: chats side by side, updates of one chat in order; then remember the last."""
        by_chat: dict[int | None, list[Update]] = {}
        for update in updates:
            # After a kill Telegram sends what we had not confirmed; what we had handled we know.
            if update.update_id > self._handled:
                chat = update.effective_chat or update.effective_user
                by_chat.setdefault(chat.id if chat else None, []).append(update)
        if not by_chat:
            return
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._handle_chat(batch, gate) for batch in by_chat.values()))
        self._handled = max(update.update_id for update in updates)
        async with self._database.write() as session:
            await set_value(session, _OFFSET, str(self._handled))

    async def _handle_chat(self, updates: list[Update], gate: asyncio.Semaphore) -> None:
        async with gate:
            for update in updates:
                await self._application.process_update(update)

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

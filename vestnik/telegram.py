"""The Telegram part of the service: bot, poller and deliverer on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.application import build_application, publish_commands
from bot.deliver import Deliverer
from bot.deps import BotDeps
from bot.i18n import load_translations
from bot.limiter import Priority, Turns
from bot.pace import Rates
from bot.poller import Poller
from bot.transport import AiohttpRequest
from storage.database import Database, DBAPIError
from vestnik.config import Configuration
from vestnik.errors import BadSetup
from vestnik.leading import Lead

log = structlog.get_logger(__name__)

#: After Telegram refused the token we ask again this often, in seconds.
_TOKEN_RETRY = 60.0
_FIRST_CONTACT_SECONDS = 5.0


class TelegramPart:
    """Connects to Telegram whenever it can be reached; the rest of the service does not wait."""

    def __init__(
        self,
        config: Configuration,
        *,
        database: Database,
        poll_lead: Lead | None,
        deliver_lead: Lead | None,
        clock: Callable[[], datetime],
    ) -> None:
        settings = config.settings.telegram
        rate = settings.rate
        self._poll_lead, self._deliver_lead = poll_lead, deliver_lead
        self._token_refused_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._translations = load_translations()
        self._admins = {admin.id: admin.role for admin in config.settings.admins}
        self._turns = Turns(
            Rates(
                messages_per_second=rate.messages_per_second,
                private_chat_per_second=rate.private_chat_per_second,
                group_per_minute=rate.group_per_minute,
            ),
            clock=time.monotonic,
        )
        timeout = settings.request_timeout.total_seconds()
        self._bot: ExtBot[Priority] = ExtBot(
            config.token,
            base_url=f"{settings.api_base_url}/bot",
            base_file_url=f"{settings.api_base_url}/file/bot",
            request=AiohttpRequest(read_timeout=timeout),
            get_updates_request=AiohttpRequest(read_timeout=timeout),
            rate_limiter=self._turns,
        )
        deps = BotDeps(
            database=database,
            networks=config.networks,
            translations=self._translations,
            admins=self._admins,
            base_url=config.settings.web.base_url,
            clock=clock,
        )
        self._application = build_application(deps, bot=self._bot)
        self._poller = Poller(
            application=self._application,
            database=database,
            clock=clock,
            timeout=settings.poll_timeout,
            may_poll=lambda: poll_lead is not None and poll_lead.is_held() and self._token_is_good(),
            on_token_refused=self._token_refused,
        )
        self._deliverer = Deliverer(
            bot=self._bot,
            deps=deps,
            turns=self._turns,
            may_send=lambda: deliver_lead is not None and deliver_lead.is_held() and self._token_is_good(),
            on_token_refused=self._token_refused,
        )
        self._connected = asyncio.Event()

    @property
    def username(self) -> str | None:
        """The bot's name, once Telegram told it."""
        return self._bot.username if self._connected.is_set() else None

    @property
    def floods(self) -> int:
        """Answers 429 since the start."""
        return self._turns.floods

    @property
    def unknown(self) -> int:
        """Sends with unknown outcome since the start."""
        return self._deliverer.counts.unknown

    def is_connected(self) -> bool:
        """Whether Telegram knows us and answered last time it was asked."""
        return self._token_is_good() and self._connected.is_set() and self._poller.is_connected is not False

    async def start(self) -> None:
        """Try to reach Telegram once. Raises :class:`BadSetup` when it refuses the token."""
        await self._turns.initialize()
        try:
            async with asyncio.timeout(_FIRST_CONTACT_SECONDS):
                await self._connect()
        except InvalidToken as error:
            await self._close()
            raise BadSetup(
                # The library's own text repeats the token: it must not reach a log.
                "Telegram refused the bot's token. "
                "Check VESTNIK_TELEGRAM__TOKEN; @BotFather shows the right one."
            ) from error
        except (TelegramError, TimeoutError) as error:
            log.warning(
                "telegram.unreachable_at_start", detail=str(error), advice="trying on in the background"
            )

    async def begin(self) -> None:
        """Begin polling and delivering; needs the leases to have been asked for."""
        self._tasks.append(asyncio.create_task(self._work(), name="telegram"))

    async def stop(self, *, within: float) -> None:
        """End politely: nothing new is begun, what is under way may finish."""
        if self._poller_task is not None:
            self._poller_task.cancel()
        await asyncio.gather(self._deliverer.stop(within=within), self._poller.stop(within=within))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close()

    def wake(self) -> None:
        """Say that the outbox may hold something new."""
        self._deliverer.wake()

    async def taken_over(self, lease: str) -> None:
        """Settle what the former holder of the lease left behind."""
        if self._deliver_lead is not None and lease == self._deliver_lead.name:
            await self._recover()

    _poller_task: asyncio.Task[None] | None = None

    async def _work(self) -> None:
        while not self._connected.is_set():
            try:
                await self._connect()
            except InvalidToken:
                self._token_refused("Unauthorized")
                await asyncio.sleep(_TOKEN_RETRY)
            except TelegramError as error:
                log.debug("telegram.unreachable", detail=error.message)
                await asyncio.sleep(_FIRST_CONTACT_SECONDS)
        if self._deliver_lead is not None:
            if self._deliver_lead.is_held():
                await self._recover()
            self._tasks.append(asyncio.create_task(self._deliverer.run(), name="deliver"))
        if self._poll_lead is not None:
            self._poller_task = asyncio.create_task(self._poller.run(), name="telegram-poll")
            self._tasks.append(self._poller_task)
            await self._publish()

    async def _recover(self) -> None:
        """Settle what a dead process left, however long storage is in trouble: nothing is sent before."""
        for attempt in itertools.count(1):
            try:
                await self._deliverer.recover()
            except DBAPIError as error:
                if attempt == 1:
                    log.error("deliver.recovery_waits", error=str(error.orig))  # noqa: TRY400 - one line
                await asyncio.sleep(_FIRST_CONTACT_SECONDS)
            else:
                return

    async def _connect(self) -> None:
        await self._bot.initialize()
        await self._application.initialize()
        self._connected.set()
        log.info("telegram.connected", bot=self._bot.username)

    async def _publish(self) -> None:
        # Nice to have: the bot works without its command menu.
        try:
            await publish_commands(self._bot, self._translations, self._admins)
        except TelegramError as error:
            log.warning("telegram.commands_not_published", detail=error.message)

    def _token_is_good(self) -> bool:
        return time.monotonic() >= self._token_refused_until

    def _token_refused(self, detail: str) -> None:
        if self._token_is_good():
            log.error(
                "telegram.token_refused",
                detail=detail,
                advice="check VESTNIK_TELEGRAM__TOKEN; nothing is sent until it is right, nothing is lost",
            )
        self._token_refused_until = time.monotonic() + _TOKEN_RETRY

    async def _close(self) -> None:
        with contextlib.suppress(TelegramError, RuntimeError):
            await self._application.shutdown()
        with contextlib.suppress(TelegramError, RuntimeError):
            await self._bot.shutdown()
        await self._turns.shutdown()

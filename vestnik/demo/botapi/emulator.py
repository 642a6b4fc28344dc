"""The Bot API server for tests and the demo: start it, point a bot at it, move the people.

async with Emulator() as telegram:
    bot = Bot(telegram.token, base_url=telegram.base_url + "/bot")
    anna = telegram.user("Anna", language_code="ru")
    anna.send("/start")
    await telegram.wait_for(anna, "Welcome")
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from aiohttp import web

from .clock import Clock, RealClock
from .engine import Call, Engine, Violation
from .faults import Faults
from .ledger import Delivery, Ledger, Predicate
from .pace import Limits
from .people import Group, Person
from .server import BODY_LIMIT, BotApiServer
from .world import User, World

DEFAULT_TOKEN = "700000001:AAdemo-token-of-the-emulator-000000"  # noqa: S105 - opens nothing
_BOT_ID = 700_000_001

#: Adds pages to the server's application, e.g. the chat page or the control interface.
Mount = Callable[[web.Application, "Emulator"], None]


class Emulator:
    """A Bot API server on loopback with its people; an async context manager."""

    def __init__(  # noqa: PLR0913 - each a switch of a test
        self,
        *,
        token: str = DEFAULT_TOKEN,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        limits: Limits | None = None,
        strict: bool = True,
        ledger_file: Path | None = None,
        bot_name: str = "Vestnik",
        bot_username: str = "vestnik_demo_bot",
        mounts: Sequence[Mount] = (),
    ) -> None:
        number = token.partition(":")[0]
        bot = User(
            id=int(number) if number.isdigit() else _BOT_ID,
            first_name=bot_name,
            username=bot_username,
            is_bot=True,
        )
        self.engine = Engine(
            token=token, bot=bot, clock=clock or RealClock(), limits=limits or Limits(), strict=strict
        )
        self.host = host
        self.port = port
        self._ledger_file = ledger_file
        self._open_ledger: TextIO | None = None
        self._mounts = mounts
        self._runner: web.AppRunner | None = None
        self._pusher: asyncio.Task[None] | None = None

    # -- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen; with port 0 a free one is chosen and kept for a later start."""
        if self._ledger_file:
            self._open_ledger = self._ledger_file.open("a", encoding="utf-8")
            self.ledger.file = self._open_ledger
        server = BotApiServer(self.engine)
        app = web.Application(client_max_size=BODY_LIMIT)
        server.add_routes(app)
        for mount in self._mounts:
            mount(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._pusher = asyncio.create_task(server.push_to_webhook(), name="webhook")

    async def stop(self) -> None:
        """Stop listening; open connections are cut."""
        if self._pusher:
            self._pusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pusher
            self._pusher = None
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
        if self._open_ledger:
            self._open_ledger.close()
            self.ledger.file = self._open_ledger = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- what it knows --------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The one token that opens it."""
        return self.engine.token

    @property
    def base_url(self) -> str:
        """For ``telegram.api_base_url``; client libraries want ``base_url + "/bot"``."""
        return f"http://{self.host}:{self.port}"

    @property
    def ledger(self) -> Ledger:
        """What every reader saw."""
        return self.engine.ledger

    @property
    def faults(self) -> Faults:
        """What is to go wrong, and what did."""
        return self.engine.faults

    @property
    def violations(self) -> list[Violation]:
        """What a careful bot never does."""
        return self.engine.violations

    @property
    def calls(self) -> deque[Call]:
        """The latest requests and how they were answered."""
        return self.engine.calls

    def calls_to(self, chat: Person | Group | int, *, refused: bool | None = None) -> list[Call]:
        """The latest requests about one chat; ``refused`` keeps only those (not) answered with an error."""
        chat_id = chat if isinstance(chat, int) else chat.id
        return [c for c in self.calls if c.chat_id == chat_id and refused in (None, c.code >= 400)]

    @property
    def world(self) -> World:
        """Users, chats and messages as they are."""
        return self.engine.world

    # -- people ---------------------------------------------------------------------------------

    def user(
        self,
        first_name: str = "Anna",
        *,
        user_id: int | None = None,
        username: str = "",
        language_code: str = "",
        is_bot: bool = False,
        started: bool = False,
    ) -> Person:
        """Somebody new; ``started`` spares the first message that lets the bot write."""
        user = self.world.add_user(
            user_id,
            first_name=first_name,
            username=username,
            language_code=language_code,
            is_bot=is_bot,
            started=started,
        )
        return Person(self.engine, user)

    def person(self, user_id: int) -> Person:
        """Somebody already there; raises :class:`LookupError` for another id."""
        user = self.world.users.get(user_id)
        if user is None:
            msg = f"there is no user {user_id}"
            raise LookupError(msg)
        return Person(self.engine, user)

    def group_of(self, chat_id: int) -> Group:
        """A group or channel already there; raises :class:`LookupError` for another id."""
        chat = self.world.chats.get(chat_id)
        owner = next((m.user for m in chat.members.values() if m.status == "creator"), None) if chat else None
        if chat is None or owner is None:
            msg = f"there is no group {chat_id}"
            raise LookupError(msg)
        return Group(self.engine, chat, owner)

    def group(
        self,
        title: str = "Readers",
        *,
        kind: str = "supergroup",
        username: str = "",
        is_forum: bool = False,
        owner: Person | None = None,
        members: Sequence[Person] = (),
        bot: str = "member",
        chat_id: int | None = None,
    ) -> Group:
        """A new group or channel; ``bot`` is the bot's standing: member, administrator, or empty for none."""
        chat = self.world.add_chat(chat_id, type=kind, title=title, username=username, is_forum=is_forum)
        group = Group(self.engine, chat, (owner or self.user("Owner")).user)
        group.join(*members)
        if bot == "administrator":
            group.promote_bot()
        elif bot:
            group.set_bot(bot)
        return group

    def channel(
        self,
        title: str = "News",
        *,
        username: str = "",
        owner: Person | None = None,
        bot: str = "administrator",
    ) -> Group:
        """A new channel where the bot may post."""
        return self.group(title, kind="channel", username=username, owner=owner, bot=bot)

    async def wait_for(
        self,
        chat: Person | Group | int | None,
        wanted: Predicate | str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error tells what came instead
        *,
        since: int = 0,
    ) -> Delivery:
        """The first fitting delivery to a chat (``None``: to any) from ledger index ``since`` on.

        ``wanted`` is a predicate or words of the text. Raises :class:`TimeoutError`, saying
        what came instead.
        """
        chat_id = chat if chat is None or isinstance(chat, int) else chat.id
        return await self.ledger.wait_for(chat_id, wanted, timeout=timeout, since=since)

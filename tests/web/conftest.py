"""A published instance over real SQLite: two networks, three places, a handful of news."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

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
from storage.items import NewItem
from storage.migrate import upgrade
from storage.models import ItemRow
from vestnik.web import WebDeps, build_web

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOURCE = SourceId("prlib-en")


@pytest.fixture(scope="session")
def networks() -> Networks:
    def titles(en: str, ru: str) -> dict[LanguageCode, str]:
        return {LanguageCode("en"): en, LanguageCode("ru"): ru}

    catalogue = load_catalogue()
    regional, foreign = NetworkId("regional"), NetworkId("foreign")
    return Networks(
        catalogue=catalogue,
        networks={
            regional: Network(
                id=regional,
                titles=titles("Regional network", "Региональная сеть"),
                regions=catalogue.expand("RU"),
            ),
            foreign: Network(
                id=foreign,
                titles=titles("Foreign network", "Зарубежная сеть"),
                regions=tuple(RegionCode(code) for code in ("MN", "FI")),
            ),
        },
    )


@dataclass
class Instance:
    """A running application and the means to give it news."""

    database: Database
    networks: Networks
    app: Starlette
    client: httpx.AsyncClient
    parts: dict[str, bool | str] = field(default_factory=dict)
    added: int = 0

    async def add(
        self,
        title: str = "A reading room opened in Penza",
        *,
        language: str = "en",
        network: str = "regional",
        code: str = "RU-PNZ",
        story_of: ItemId | None = None,
        **entry: Any,
    ) -> ItemId:
        self.added += 1
        url = f"https://www.prlib.ru/news/{self.added}"
        when = NOON + timedelta(minutes=self.added)
        values: dict[str, Any] = {
            "url": url,
            "summary": "Open every day.",
            "content_html": "<p>Open <b>every</b> day.</p>",
            "published": when,
        }
        new = NewItem(
            entry=Entry(title=title, **(values | entry)),
            keys=(url,),
            fingerprint=str(self.added),
            canonical_url=url,
            classification=Classification(
                language=LanguageCode(language),
                networks=(NetworkId(network),),
                regions=(RegionCode(code),),
                evidence=(
                    Evidence(code=code, words="Penza", where="title", weight=3.0, rule="name"),
                    Evidence(
                        code=f"network:{network}",
                        words="Network",
                        where="section",
                        weight=2.0,
                        rule="section",
                    ),
                ),
                confidence=0.9,
            ),
            scopes=self.networks.scopes_of([NetworkId(network)], [RegionCode(code)], SOURCE),
        )
        async with self.database.write() as session:
            (item_id,) = await items.add(session, SOURCE, [new], now=when)
            if story_of is not None:
                kept, mine = await session.get_one(ItemRow, story_of), await session.get_one(ItemRow, item_id)
                mine.story_id = kept.story_id
        return item_id

    async def see(self) -> None:
        """Make the application look for changes now instead of within a second."""
        self.app.state.web.watch._looked_at = float("-inf")
        await self.app.state.web.watch.look()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET with plain headers (underscores for hyphens)."""
        return await self.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def make_deps(database: Database, networks: Networks, **changes: Any) -> WebDeps:
    values: dict[str, Any] = {
        "database": database,
        "networks": networks,
        "base_url": "https://news.example.org",
        "site_title": {LanguageCode("en"): "Vestnik", LanguageCode("ru"): "Вестник"},
        "bot_username": lambda: "vestnik_bot",
        "clock": lambda: NOON + timedelta(days=1),
        "readiness": dict,
        "registry": CollectorRegistry(),
    }
    return WebDeps(**(values | changes))


def make_client(app: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(
        transport=transport, base_url="https://news.example.org", headers={"Accept-Encoding": "identity"}
    )


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with one source; tests get copies, migrating takes longer than testing."""
    path = tmp_path_factory.mktemp("blank") / "news.db"

    async def make() -> None:
        opened = Database.open(f"sqlite:///{path}")
        await upgrade(opened)
        source = Source(id=SOURCE, url="https://www.prlib.ru/en/networknews", title="Presidential Library")
        async with opened.write() as session:
            await sources.declare(session, [source], now=NOON)
        await opened.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(tmp_path: Path, blank: Path) -> AsyncIterator[Database]:
    shutil.copy(blank, tmp_path / "news.db")
    opened = Database.open(f"sqlite:///{tmp_path}/news.db")
    yield opened
    await opened.close()


@pytest.fixture
async def instance(database: Database, networks: Networks) -> AsyncIterator[Instance]:
    parts: dict[str, bool | str] = {}
    app = build_web(make_deps(database, networks, readiness=lambda: parts))
    async with make_client(app) as client:
        yield Instance(database=database, networks=networks, app=app, client=client, parts=parts)


@pytest.fixture
def another(database: Database, networks: Networks) -> Callable[..., httpx.AsyncClient]:
    """A second application over the same database, with other settings."""

    def make(**changes: Any) -> httpx.AsyncClient:
        return make_client(build_web(make_deps(database, networks, **changes)))

    return make


@pytest.fixture
def titles() -> Callable[[str], Sequence[str]]:
    """Titles of a feed's entries, as a reader finds them."""
    import feedparser

    return lambda body: [entry.title for entry in feedparser.parse(body, sanitize_html=False).entries]

"""``vestnik demo``: the whole job on one machine, offline, with the real program.

A recorded network site and a Bot API server run on loopback; the service collects from the one and
talks through the other, exactly as it would with the real ones. Whoever follows a region in the
simulated chat sees a new item about it arrive some seconds later: the site publishes it, the next
poll finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from aiohttp import web

from feeds.model import LanguageCode, NetworkId, RegionCode
from feeds.networks import ALL, Networks, Scope
from storage import items, sources, subscribers
from storage.database import Database
from vestnik.app import Role, Service
from vestnik.config import Configuration, load_config
from vestnik.context import utc_now
from vestnik.demo.botapi import Emulator
from vestnik.demo.chat import add_chat
from vestnik.demo.site.config import demo_config, write_demo_config
from vestnik.demo.site.recorded import RecordedSite
from vestnik.demo.site.server import SITE, build_site, serve_site
from vestnik.errors import Failed
from vestnik.logs import set_up_logs
from vestnik.terminal import errors, out

log = structlog.get_logger(__name__)

#: After somebody followed a place the site publishes news of it this many seconds later.
_PUBLISH_AFTER = 6.0
_FIRST_PASS_SECONDS = 60.0


async def run_demo(port: int) -> None:
    """Run until Ctrl-C or SIGTERM; everything it wrote is gone afterwards."""
    set_up_logs("warning", "console")
    with tempfile.TemporaryDirectory(prefix="vestnik-demo-") as folder:
        async with _world() as (site_url, recorded, telegram):
            config = _configure(Path(folder), site_url, telegram, port)
            errors.print("1/4  a recorded network site and a Bot API server run on loopback", markup=False)
            service = Service(config, list(Role))
            guide = asyncio.create_task(_guide(config, recorded, telegram, site_url, service))
            try:
                await service.run()
            finally:
                guide.cancel()
                await asyncio.gather(guide, return_exceptions=True)


@asynccontextmanager
async def _world() -> AsyncIterator[tuple[str, RecordedSite, Emulator]]:
    app: web.Application = build_site(utc_now)
    token = f"700000001:{secrets.token_urlsafe(26)}"
    async with serve_site(app) as site_url, Emulator(token=token, mounts=[add_chat]) as telegram:
        yield site_url, app[SITE], telegram


def _configure(folder: Path, site_url: str, telegram: Emulator, port: int) -> Configuration:
    settings = demo_config(
        site_url,
        storage_url=f"sqlite:///{folder / 'demo.db'}",
        telegram_url=telegram.base_url,
        telegram_token=telegram.token,
        web_port=_free_port(port),
    )
    # The visitor's own environment (a real token!) must not leak into the demo.
    return load_config(write_demo_config(folder / "config.yaml", settings), environment={})


def _free_port(wanted: int) -> int:
    """The wanted port, or any other when it is taken: a demo must start."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    raise Failed("no free port on 127.0.0.1 for the pages; close some programs and try again.")


async def _guide(
    config: Configuration, recorded: RecordedSite, telegram: Emulator, site_url: str, service: Service
) -> None:
    """Tell what happens, then publish for whoever follows."""
    try:
        database = Database.open(config.settings.storage.url)
        try:
            await _tell_progress(database, config)
            _tell_addresses(config, telegram, site_url)
            await _publish_for_followers(database, config.networks, recorded)
        finally:
            await database.close()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("demo.guide_failed")
        service.stop()


async def _tell_progress(database: Database, config: Configuration) -> None:
    async with asyncio.timeout(_FIRST_PASS_SECONDS):
        while await _unread(database, config):  # noqa: ASYNC110 - another task writes what we wait for
            await asyncio.sleep(0.1)
    async with database.read() as session:
        number = await items.total(session)
        filled = await items.filled_scopes(session)
    languages = {language for _, language in filled}
    places = {scope for scope, _ in filled if "/" in scope and "district:" not in scope}
    errors.print(f"2/4  {len(config.sources)} sources read, {number} items stored", markup=False)
    errors.print(
        f"3/4  classified: {len(places)} regions and countries, {len(languages)} languages", markup=False
    )
    errors.print("4/4  published as pages and feeds; the bot listens", markup=False)


async def _unread(database: Database, config: Configuration) -> int:
    async with database.read() as session:
        with contextlib.suppress(Exception):  # the tables may not be there yet
            cards = await sources.health(session)
            return sum(card.state == "new" for card in cards) if cards else len(config.sources)
    return len(config.sources)


def _tell_addresses(config: Configuration, telegram: Emulator, site_url: str) -> None:
    base = config.settings.web.base_url
    out.print()
    out.print(f"  Chat with the bot   {telegram.base_url}/chat", markup=False)
    out.print(f"  Pages and feeds     {base}/", markup=False)
    out.print(f"  The recorded site   {site_url}/", markup=False)
    out.print()
    out.print("  In the chat: send /start, choose a region to follow, and wait a few seconds:", markup=False)
    out.print("  the site publishes news of it, and the bot brings it. Ctrl-C ends the demo.", markup=False)


async def _publish_for_followers(database: Database, networks: Networks, recorded: RecordedSite) -> None:
    """Publish one item for every place somebody begins to follow."""
    served: set[tuple[subscribers.SubscriberId, Scope]] = set()
    while True:
        async with database.read() as session:
            wishes = await subscribers.all_subscriptions(session)
        fresh = [each for each in wishes if each[:2] not in served]
        if fresh:
            await asyncio.sleep(_PUBLISH_AFTER)
        for who, scope, language in fresh:
            served.add((who, scope))
            _publish_about(_codes_of(scope, networks), language, recorded)
        await asyncio.sleep(0.5)


def _publish_about(codes: list[RegionCode], language: LanguageCode, recorded: RecordedSite) -> None:
    """Publish about the first of ``codes`` there is news of, in the reader's language where it exists."""
    for languages in ((language,), (LanguageCode("en"),)):
        if any(recorded.publish_about(code, languages=languages) for code in codes):
            return


def _codes_of(scope: Scope, networks: Networks) -> list[RegionCode]:
    """Regions of which news would reach a follower of ``scope``."""
    if scope == ALL:
        return [code for each in networks.networks.values() for code in each.regions]
    network, _, rest = scope.partition("/")
    if NetworkId(network) not in networks.networks:
        return []
    if rest.startswith("district:"):
        districts = networks.districts(NetworkId(network))
        return [r.code for d, regions in districts if f"district:{d.id}" == rest for r in regions]
    return [RegionCode(rest)] if rest else list(networks.networks[NetworkId(network)].regions)

"""A network site on loopback that tests publish on, break and watch: RSS, Atom and a list page."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from aiohttp import web

FEED_PATHS = ("/rss.xml", "/atom.xml")
LIST_PATH = "/news"
PATHS = (*FEED_PATHS, LIST_PATH)

#: Region code -> network and the words that name it.
PLACES = {
    "RU-PNZ": ("regional", "Penza"),
    "RU-OMS": ("regional", "Omsk"),
    "RU-TOM": ("regional", "Tomsk"),
    "MN": ("foreign", "Mongolia"),
    "FI": ("foreign", "Finland"),
}
#: The first feed tells of the one network, the second of the other, the page of both.
NETWORKS = {"/rss.xml": "regional", "/atom.xml": "foreign", LIST_PATH: None}
CODES = {
    path: [code for code, (network, _) in PLACES.items() if own in (None, network)]
    for path, own in NETWORKS.items()
}
_HEADINGS = {"regional": "Regional network", "foreign": "Foreign network"}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One piece of news the site published."""

    number: int
    path: str
    code: str
    at: datetime

    @property
    def network(self) -> str:
        return PLACES[self.code][0]

    @property
    def mark(self) -> str:
        """Words no other news has."""
        return f"№{self.number:04d}"

    @property
    def title(self) -> str:
        return f"Evening {self.mark} of the Presidential Library held in {PLACES[self.code][1]}"

    def url(self, base: str) -> str:
        return f"{base}/item/{self.number}"

    @property
    def summary(self) -> str:
        return f"Guests of evening {self.mark} heard about old maps and new books."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as the site saw it."""

    path: str
    at: float
    if_none_match: str
    status: int
    etag: str


@dataclass(slots=True)
class Site:
    """What is published, what is broken, and who asked for what."""

    base: str = ""
    news: list[News] = field(default_factory=list)
    log: list[Asked] = field(default_factory=list)
    #: path -> "500", "410", "garbage", "page", "reset", "slow"
    broken: dict[str, str] = field(default_factory=dict)
    #: ETag -> numbers of the news that stood in the document it names.
    versions: dict[str, frozenset[int]] = field(default_factory=dict)
    _rounds: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _served: asyncio.Condition = field(default_factory=asyncio.Condition)

    def publish(self, path: str, code: str) -> News:
        """Put a new piece of news on top of one of the documents."""
        found = News(number=next(self._numbers), path=path, code=code, at=datetime.now(UTC))
        self.news.append(found)
        return found

    def publish_round(self) -> list[News]:
        """One piece of news in every document, places in turn."""
        self._rounds += 1
        return [self.publish(path, codes[self._rounds % len(codes)]) for path, codes in CODES.items()]

    def asked(self, path: str) -> list[Asked]:
        return [each for each in self.log if each.path == path]

    async def next_served(self, path: str, *, status: int = 200, within: float = 20.0) -> Asked:
        """Wait until ``path`` is answered with ``status`` once more."""
        seen = len(self.log)
        async with asyncio.timeout(within), self._served:
            while True:
                for each in self.log[seen:]:
                    if each.path == path and each.status == status:
                        return each
                seen = len(self.log)
                await self._served.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        answer = await self._broken_answer(request) or self._document(request)
        self.log.append(
            Asked(
                path=path,
                at=time.monotonic(),
                if_none_match=request.headers.get("If-None-Match", ""),
                status=answer.status,
                etag=answer.headers.get("ETag", ""),
            )
        )
        async with self._served:
            self._served.notify_all()
        return answer

    async def _broken_answer(self, request: web.Request) -> web.Response | None:
        match self.broken.get(request.path, request.match_info.get("trouble")):
            case None:
                return None
            case "slow":
                await asyncio.sleep(60)
                return web.Response(status=500)
            case "reset":
                _reset(request)
                return web.Response(status=500)
            case "garbage":
                return web.Response(body=bytes(range(256)) * 40, content_type="application/rss+xml")
            case "page":
                return web.Response(
                    text="<html><title>Log in</title><p>Please log in.", content_type="text/html"
                )
            case status:
                return web.Response(status=int(status), text="no")

    def _document(self, request: web.Request) -> web.Response:
        path = request.path
        shown = [each for each in reversed(self.news) if each.path == path]
        if path == LIST_PATH:
            body, kind = self._list(shown), "text/html"
        elif path == "/rss.xml":
            body, kind = self._rss(shown), "application/rss+xml"
        else:
            body, kind = self._atom(shown), "application/atom+xml"
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
        self.versions[etag] = frozenset(each.number for each in shown)
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(text=body, content_type=kind, charset="utf-8", headers={"ETag": etag})

    def _rss(self, shown: list[News]) -> str:
        items = "".join(
            f"<item><title>{escape(n.title)}</title><link>{n.url(self.base)}</link>"
            f"<guid>{n.url(self.base)}</guid><pubDate>{format_datetime(n.at)}</pubDate>"
            f"<description>{escape(n.summary)}</description></item>"
            for n in shown
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Library news</title>'
            f"<link>{self.base}/</link><description>News</description><language>en</language>{items}"
            "</channel></rss>"
        )

    def _atom(self, shown: list[News]) -> str:
        items = "".join(
            f"<entry><title>{escape(n.title)}</title><link href='{n.url(self.base)}'/>"
            f"<id>{n.url(self.base)}</id><updated>{n.at.isoformat()}</updated>"
            f"<summary>{escape(n.summary)}</summary></entry>"
            for n in shown
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
            f"<title>Branch news</title><id>{self.base}/atom</id><updated>2026-01-01T00:00:00Z</updated>"
            f"{items}</feed>"
        )

    def _list(self, shown: list[News]) -> str:
        parts = "".join(
            f'<section><h2>{heading}</h2><div class="news-list">{self._cards(shown, network)}</div></section>'
            for network, heading in _HEADINGS.items()
        )
        return (
            '<!DOCTYPE html><html lang="en"><head><title>News of the network</title></head><body>'
            f'<nav><a href="/about">About</a><a href="/help">Help</a></nav><main>{parts}</main></body></html>'
        )

    def _cards(self, shown: list[News], network: str) -> str:
        return "".join(
            f'<div class="news-item"><span class="date">{n.at:%d %B %Y}</span>'
            f'<h3><a href="{n.url(self.base)}">{escape(n.title)}</a></h3><p>{escape(n.summary)}</p></div>'
            for n in shown
            if n.network == network
        )


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is not None:
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


@asynccontextmanager
async def serve_site() -> AsyncIterator[Site]:
    """Serve a site with a few old news on a free port of loopback."""
    site = Site()
    app = web.Application()
    for path in PATHS:
        app.router.add_get(path, site.answer)
    app.router.add_get("/broken/{trouble}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    # Old news: list pages are recognised by their repetition, and what is seen first is not pushed.
    for path, codes in CODES.items():
        for code in codes:
            site.publish(path, code)
    try:
        yield site
    finally:
        await runner.cleanup()

"""Real loopback servers that answer exactly the bytes a test wrote, and a fetcher for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from feeds.fetch import Fetcher
from feeds.guard import parse_networks
from feeds.pace import HostPace, PaceRules

LOOPBACK = ("127.0.0.0/8", "::1/128")

#: What a route gives: bytes to write, or a function of the request head that writes them itself.
Answer = bytes | Callable[[str], bytes]


@dataclass
class RawSite:
    """An HTTP server that writes raw bytes and remembers each connection and request."""

    routes: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    #: Routes that never answer.
    hang: set[str] = field(default_factory=set)
    host: str = "127.0.0.1"
    port: int = 0
    keep_open: bool = False

    def url(self, path: str = "/") -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [request.split()[1] for request in self.requests]

    def header(self, name: str, index: int = -1) -> str | None:
        for line in self.requests[index].split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
                self.requests.append(head)
                path = head.split()[1]
                if path in self.hang:
                    await asyncio.sleep(3600)
                answer = self.routes.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                writer.write(answer(head) if callable(answer) else answer)
                await writer.drain()
                if not self.keep_open:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


def reply(body: bytes = b"<rss/>", *headers: str, status: str = "200 OK") -> bytes:
    """A well-formed HTTP/1.1 answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + body


@pytest.fixture
def answer() -> Callable[..., bytes]:
    return reply


StartSite = Callable[..., Awaitable[RawSite]]


@pytest.fixture
async def start_site() -> AsyncIterator[StartSite]:
    """Start raw sites on loopback; all are stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(host: str = "127.0.0.1", **routes: Answer) -> RawSite:
            site = RawSite(host=host, routes={f"/{name}": value for name, value in routes.items()})
            server = await asyncio.start_server(site.serve, host, 0)
            site.port = server.sockets[0].getsockname()[1]
            stack.callback(server.close)
            return site

        yield start


@pytest.fixture
async def start_fetcher() -> AsyncIterator[Callable[..., Awaitable[Fetcher]]]:
    """Start fetchers that may reach loopback unless told otherwise; all are closed after the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: object) -> Fetcher:
            clock = options.get("clock") or (lambda: datetime.now(UTC))
            allowed = parse_networks(options.get("allow_private", LOOPBACK))
            settings = {
                "user_agent": "Vestnik/1.0 (+https://example.org/bot)",
                "clock": clock,
                "allow_private": LOOPBACK,
                "pace": HostPace(clock=clock, rules=PaceRules(gap=timedelta(0)), allowed=allowed),
                **options,
            }
            return await stack.enter_async_context(Fetcher(**settings))

        yield start

"""A scripted world of web servers: each host behaves in one way, and remembers who came when.

What a polite client must do next is written down beside each answer by hand (``fresh``, ``retry``,
``validators``), never computed with the code under test.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: A pair of ETag and Last-Modified as they must come back.
Pair = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    #: Virtual time before the answer begins.
    delay: timedelta = timedelta(0)
    #: Written as it is instead of all the above.
    raw: bytes | None = None
    #: What the next request must carry; ``None`` leaves it as it was.
    validators: Pair | None = None
    #: Nobody should come back before.
    fresh: timedelta = timedelta(0)
    #: Nobody should come to this host before.
    retry: timedelta = timedelta(0)

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        length = () if self.status == 304 else (("Content-Length", str(len(self.body))),)
        lines = [
            f"HTTP/1.1 {self.status} Whatever",
            *(f"{k}: {v}" for k, v in (*self.headers, *length)),
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + self.body


@dataclass(frozen=True, slots=True)
class Visit:
    at: datetime
    host: str
    path: str
    headers: dict[str, str]
    #: How many of this host's requests were under way, this one included.
    parallel: int

    @property
    def conditions(self) -> Pair:
        return self.headers.get("if-none-match"), self.headers.get("if-modified-since")


@dataclass(slots=True)
class Record:
    """A visit and what it got."""

    visit: Visit
    answer: Answer


Script = Callable[[Visit], Answer]


@dataclass(slots=True)
class Host:
    name: str
    script: Script
    #: Asked for as the source's address; the fragment must never arrive.
    path: str = "/feed.xml"
    kind: str = "feed"
    interval: timedelta | None = None
    scheme: str = "http"
    #: Constant word the source's state must show at the end; empty for a healthy one.
    ends_as: str = ""
    #: Several sources on one host, at these paths.
    more_paths: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)
    running: int = 0

    def polls(self) -> list[Record]:
        """Visits to the source's own address, first hops only."""
        return [each for each in self.records if each.visit.path == self.path.partition("#")[0]]


def http_date(when: datetime) -> str:
    return format_datetime(when, usegmt=True)


def rss(start: datetime, count: int, every: timedelta, channel: str = "") -> bytes:
    """A feed of the last ten of ``count`` items published since ``start``."""
    items = "".join(
        f"<item><title>News {n}</title><link>http://x.example/{n}</link><guid>{n}</guid>"
        f"<pubDate>{http_date(start + n * every)}</pubDate></item>"
        for n in range(count - 1, max(count - 11, -1), -1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{channel}{items}</channel></rss>'.encode()


@dataclass(frozen=True, slots=True)
class Publisher:
    """An honest server: publishes every so often, answers 304 where the validators still fit."""

    begin: datetime
    every: timedelta = DAY
    etag: str | None = '"v{}"'
    modified: bool = True
    #: Sent with 200 and 304; those after the second with one of them only.
    headers: tuple[tuple[str, str], ...] = ()
    headers_200: tuple[tuple[str, str], ...] = ()
    headers_304: tuple[tuple[str, str], ...] = ()
    fresh: timedelta = timedelta(0)
    channel: str = ""
    bare_304: bool = False
    body: bytes | None = None
    etag_every: timedelta | None = None

    def __call__(self, visit: Visit) -> Answer:
        count = 30 + (visit.at - self.begin) // self.every
        newest = self.begin + (count - 31) * self.every
        version = count if self.etag_every is None else (visit.at - self.begin) // self.etag_every
        etag = self.etag.format(version) if self.etag else None
        modified = http_date(newest) if self.modified else None
        given: Pair = (etag, modified)
        named = tuple((k, v) for k, v in (("ETag", etag), ("Last-Modified", modified)) if v)
        if self._is_current(visit.conditions, given):
            extra = () if self.bare_304 else (*named, *self.headers, *self.headers_304)
            return Answer(status=304, headers=extra, validators=given, fresh=self.fresh)
        body = self.body or rss(self.begin - 30 * self.every, count, self.every, self.channel)
        headers = (("Content-Type", "application/rss+xml"), *named, *self.headers, *self.headers_200)
        return Answer(headers=headers, body=body, validators=given, fresh=self.fresh)

    def _is_current(self, asked: Pair, given: Pair) -> bool:
        # If-None-Match wins over If-Modified-Since (RFC 9110 §13.1.3).
        if asked[0] is not None:
            return asked[0] == given[0]
        return asked[1] is not None and asked[1] == given[1]


def throttled(
    script: Script, *, every: int, status: int, value: Callable[[Visit], str], wait: timedelta
) -> Script:
    """Refuse each ``every``-th request with a Retry-After."""
    count = 0

    def answer(visit: Visit) -> Answer:
        nonlocal count
        count += 1
        if count % every:
            return script(visit)
        headers = (("Retry-After", value(visit)), ("Date", http_date(visit.at)))
        return Answer(status=status, headers=headers, retry=wait)

    return answer


def between(begin: datetime, end: datetime, inside: Script, outside: Script) -> Script:
    return lambda visit: (inside if begin <= visit.at < end else outside)(visit)


def always(answer: Answer) -> Script:
    return lambda _visit: answer


def redirects(routes: dict[str, tuple[int, str]], target: Script) -> Script:
    """Redirect some paths, serve the others."""

    def answer(visit: Visit) -> Answer:
        if visit.path in routes:
            status, location = routes[visit.path]
            return Answer(status=status, headers=(("Location", location),))
        return target(visit)

    return answer


def with_robots(robots: Answer, page: Script) -> Script:
    return lambda visit: robots if visit.path == "/robots.txt" else page(visit)


def packed(script: Script) -> Script:
    def answer(visit: Visit) -> Answer:
        plain = script(visit)
        if plain.status != 200:
            return plain
        headers = (*plain.headers, ("Content-Encoding", "gzip"))
        return replace(plain, headers=headers, body=gzip.compress(plain.body))

    return answer


def bomb() -> Answer:
    return Answer(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(b"0" * 40_000_000))


def page(links: int = 12) -> bytes:
    """A list page in the making of half the web."""
    rows = "".join(
        f'<li class="n"><a href="/news/{n}">A headline long enough to be one, number {n}</a>'
        f"<span>{1 + n % 28:02}.09.2026</span><p>What happened, told in a sentence or two.</p></li>"
        for n in range(links)
    )
    return f"<!doctype html><html lang=en><title>News</title><h1>News</h1><ul>{rows}</ul></html>".encode()


class Server:
    """Serves all hosts by name on one loopback port."""

    def __init__(self, hosts: dict[str, Host], clock: Callable[[], datetime]) -> None:
        self._hosts = hosts
        self._clock = clock
        #: False while our own network is down: no name resolves and no request arrives.
        self.is_reachable = True
        #: Requests that no host of ours should ever get.
        self.strays: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
                if not self.is_reachable or not await self._answer(head, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> bool:
        request, *lines = head.split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
        host = self._hosts.get(headers.get("host", "").partition(":")[0])
        if host is None:
            self.strays.append(request)
            return False
        host.running += 1
        try:
            visit = Visit(self._clock(), host.name, request.split()[1], headers, host.running)
            answer = host.script(visit)
            host.records.append(Record(visit, answer))
            if answer.delay:
                await asyncio.sleep(answer.delay.total_seconds())
            writer.write(answer.encode())
            await writer.drain()
        finally:
            host.running -= 1
        return answer.raw is None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that was seen."""

    begin: datetime
    end: datetime
    hosts: Mapping[str, Host]
    #: Constant word of each source's last error, by host; empty when healthy.
    states: Mapping[str, str]
    #: Planned time of each source's next poll just before the kill.
    planned: Mapping[str, datetime]
    #: Requests that reached nobody we know, private listeners included.
    strays: list[str]

"""The published site as files: asks the application for everything it links to, byte for byte.

The walk begins at the home pages and at every feed that has items and follows our own links, so an
exported page never leads to a page that was not exported. Addresses become names that web servers
understand: ``/en/`` is ``en/index.html``, ``/en/foreign/MN`` is ``en/foreign/MN.html``, and a query stands
behind ``@``: ``en/foreign/MN@only=1.html`` (docs/nginx.md tells a server so).
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.types import Message

from bot.i18n import INTERFACE_LANGUAGES
from feeds.model import LanguageCode
from feeds.networks import ALL
from feeds.render import FeedFormat
from feeds.render.text import uri
from storage import items
from vestnik.errors import Failed
from vestnik.web.addresses import ISO_639_1, Site, publishable
from vestnik.web.export_folder import ExportFolder, Outcome
from vestnik.web.page_query import ListQuery
from vestnik.web.state import Web

#: Asked side by side: rendering and compressing leave the event loop, more would only wait.
_SIDE_BY_SIDE = 8

#: First parts of addresses that belong into an export; probes, metrics and administration do not.
_PUBLIC = frozenset({"", "feeds", "feeds.opml", "static", "status", "robots.txt", *INTERFACE_LANGUAGES})
#: Links to elsewhere carry one of these; what news text links to is not ours to walk, wherever it leads.
_ELSEWHERE = {"nofollow", "noopener", "external"}
#: Queries that make a page of its own.
_QUERY = re.compile(r"lang=[a-z]{2}|only=1|(?:only=1&)?before=[0-9A-Za-z%.~+-]+")


@dataclass(slots=True, kw_only=True)
class Exported:
    """What an export did."""

    new: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    #: Addresses we link to that had nothing to show: news withdrawn in the meantime.
    missing: list[str] = field(default_factory=list)
    #: Of the files without their twins.
    bytes: int = 0

    @property
    def files(self) -> int:
        """Published addresses."""
        return self.new + self.changed + self.same

    def count(self, outcome: Outcome, size: int) -> None:
        """Take note of one file."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.bytes += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application said to a GET without conditions and codings."""

    status: int
    content_type: str
    modified: datetime | None
    body: bytes


class Exporter:
    """Walks an application and writes what it finds into a folder."""

    def __init__(
        self,
        app: Starlette,
        folder: ExportFolder,
        *,
        oldest: datetime | None = None,
        progress: Callable[[int, int], None] = lambda _done, _found: None,
    ) -> None:
        """``oldest`` bounds how far back lists are followed; ``progress`` gets done and known addresses."""
        self._app = app
        self._web: Web = app.state.web
        parts = urlsplit(uri(self._web.deps.base_url))
        self._site = Site(origin=f"{parts.scheme}://{parts.netloc}", root=parts.path.rstrip("/"))
        self._folder = folder
        self._oldest = oldest
        self._progress = progress
        self._now = self._web.deps.clock()

    async def run(self) -> Exported:
        """Export everything. Raises :class:`Failed`; nothing published has changed then."""
        done = Exported()
        waiting = deque(dict.fromkeys(await self._beginnings()))
        found, count = set(waiting), 0
        while waiting:
            batch = [waiting.popleft() for _ in range(min(_SIDE_BY_SIDE, len(waiting)))]
            for each in await self._together(batch, done):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
            count += len(batch)
            self._progress(count, len(found))
        done.removed = len(await asyncio.to_thread(self._folder.commit, _rank))
        return done

    async def _beginnings(self) -> list[str]:
        """What to ask for first: pages nobody may link to, and all feeds with items."""
        async with self._web.deps.database.read() as session:
            filled = await items.filled_scopes(session)
        pairs = {(scope, language if language in ISO_639_1 else None) for scope, language in filled}
        pairs |= {(scope, None) for scope, _ in filled} | {(ALL, None)}
        feeds = [
            self._site.feed(language, scope, kind)
            for scope, language in sorted(pairs, key=lambda pair: (pair[0], pair[1] or ""))
            if publishable(self._web.deps.networks, scope)
            for kind in FeedFormat
        ]
        root = self._site.root
        pages = [f"{root}/", f"{root}/status", f"{root}/robots.txt", self._site.opml()]
        pages += [self._site.page(LanguageCode(each), ALL) for each in INTERFACE_LANGUAGES]
        static = [f"{root}/static/{name}" for name in self._web.static]
        return [address.removeprefix(root) for address in (*static, *pages, *feeds)]

    async def _together(self, batch: Sequence[str], done: Exported) -> list[str]:
        """Export some addresses and return where they lead; all have ended when one fails."""
        ended = await asyncio.gather(*(self._one(each, done) for each in batch), return_exceptions=True)
        links: list[str] = []
        for each in ended:
            if isinstance(each, BaseException):
                raise each
            links += each
        return links

    async def _one(self, address: str, done: Exported) -> list[str]:
        """Ask for one address, write the answer aside, return where it leads."""
        answer = await ask(self._app, address)
        if answer.status in {404, 410}:
            done.missing.append(address)
            return []
        if answer.status != 200:
            raise Failed(
                f"export: {address} was answered with {answer.status}; nothing was changed. "
                "'vestnik db check' tells whether the database is well."
            )
        name = file_name(address, answer.content_type)
        outcome = await asyncio.to_thread(
            self._folder.stage, name, answer.body, modified=answer.modified, now=self._now
        )
        done.count(outcome, len(answer.body))
        if not answer.content_type.startswith("text/html"):
            return []
        return [each for each in self._links(answer.body) if self._is_recent(each)]

    def _links(self, body: bytes) -> Iterator[str]:
        """Addresses of our own site that a page refers to, without the site's prefix."""
        base = self._site.origin + self._site.root
        for node in LexborHTMLParser(body.decode()).css("a[href], link[href], script[src], img[src]"):
            if _ELSEWHERE & set((node.attributes.get("rel") or "").split()):
                continue
            link = node.attributes.get("href") or node.attributes.get("src") or ""
            path = link.removeprefix(self._site.origin)
            if path == self._site.root or not (self._site.origin + path).startswith(f"{base}/"):
                continue
            address = public_address(path.removeprefix(self._site.root))
            if address is not None:
                yield address

    def _is_recent(self, address: str) -> bool:
        before = parse_qs(address.partition("?")[2]).get("before")
        if self._oldest is None or before is None:
            return True
        place = ListQuery.read({"before": before[0]}).before
        return place is not None and place[0] >= self._oldest


def public_address(link: str) -> str | None:
    """A link as the address to export: without fragment and version; ``None`` if it has no place there."""
    path, _, query = link.partition("#")[0].partition("?")
    if path.split("/")[1] not in _PUBLIC or "/." in unquote(path):
        return None
    return f"{path}?{query}" if _QUERY.fullmatch(query) else path


def file_name(address: str, content_type: str) -> str:
    """The name an address is stored by, relative to the folder."""
    path, _, query = address.partition("?")
    name = unquote(path).removeprefix("/")
    name += "index" if name.endswith("/") or not name else ""
    # The query as it is sent: a server compares it letter by letter.
    name += f"@{query}" if query else ""
    return f"{name}.html" if content_type.startswith("text/html") else name


async def ask(app: Starlette, address: str) -> Answer:
    """GET an address of the application, without a network in between."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html, */*")],
        "client": None,
        "server": None,
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
    modified = headers.get("last-modified")
    return Answer(
        status=said[0]["status"],
        content_type=headers.get("content-type", ""),
        modified=parsedate_to_datetime(modified) if modified else None,
        body=b"".join(each.get("body", b"") for each in said[1:]),
    )


def _rank(name: str) -> int:
    """What others link to comes first: static files, news, lists, then the ways in."""
    if name.startswith("static/"):
        return 0
    if "/items/" in name:
        return 1
    return 3 if name.startswith(("index", "feeds")) or name.endswith("/index.html") else 2

"""Ready answers in memory, dropped exactly when what they show has changed."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from feeds.model import LanguageCode
from feeds.networks import Scope
from feeds.render import FeedFormat
from storage import items
from storage.database import Database, DBAPIError
from vestnik.web.representation import Representation

_log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Build = Callable[[], Awaitable[Representation]]

#: Feeds kept ready: all of a network of 300 regions in three formats and a few languages.
FEED_BYTES = 96 * 2**20
PAGE_BYTES = 32 * 2**20
#: An answer is made anew after this many seconds even if nobody told us of a change: a change that
#: takes an item out of a scope is not among the pairs storage reports.
_OLDEST = 60.0


@dataclass(slots=True)
class _Kept:
    representation: Representation
    made_at: float
    stale: bool = False


@dataclass(slots=True)
class _Building:
    task: asyncio.Task[Representation]
    stale: bool = False


class RepresentationCache(Generic[Key]):
    """Answers by key, least recently used dropped first. One build per key at a time."""

    def __init__(self, *, limit: int, clock: Callable[[], datetime]) -> None:
        self._limit = limit
        self._clock = clock
        self._size = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._building: dict[Key, _Building] = {}

    async def get(self, key: Key, build: Build) -> Representation:
        """The ready answer, or the one ``build`` makes; many who wait for it build it once."""
        kept = self._kept.get(key)
        if kept and not kept.stale and time.monotonic() - kept.made_at < _OLDEST:
            self._kept.move_to_end(key)
            return kept.representation
        running = self._building.get(key)
        if running is None or running.stale:
            running = self._building[key] = _Building(task=asyncio.create_task(self._build(key, build)))
            running.task.add_done_callback(_take_note)
        try:
            # A client that goes away must not take the build from the others.
            return await asyncio.shield(running.task)
        except DBAPIError:
            if kept is None:
                raise
            return kept.representation  # yesterday's news beats none

    def mark_stale(self, is_stale: Callable[[Key], bool]) -> int:
        """Have the answers that ``is_stale`` picks made anew when next asked for; returns how many."""
        found = [kept for key, kept in self._kept.items() if not kept.stale and is_stale(key)]
        for kept in found:
            kept.stale = True
        for key, running in self._building.items():
            # Its build may have read the old state already.
            running.stale = running.stale or is_stale(key)
        return len(found)

    async def _build(self, key: Key, build: Build) -> Representation:
        mine = asyncio.current_task()
        try:
            made = self._dated(key, await build())
            running = self._building.get(key)
            self._keep(key, made, stale=running is None or running.task is not mine or running.stale)
            return made
        finally:
            running = self._building.get(key)
            if running is not None and running.task is mine:
                del self._building[key]

    def _dated(self, key: Key, made: Representation) -> Representation:
        """Keep an unchanged answer, and never let changed content keep its old modification time."""
        before = self._kept.get(key)
        if before is None or made.last_modified is None or before.representation.last_modified is None:
            return made
        if made.tag == before.representation.tag:
            return made.changed_at(before.representation.last_modified)
        if made.last_modified <= before.representation.last_modified:
            return made.changed_at(self._clock())
        return made

    def _keep(self, key: Key, made: Representation, *, stale: bool) -> None:
        before = self._kept.pop(key, None)
        if before is not None:
            self._size -= before.representation.size
        self._kept[key] = _Kept(made, time.monotonic(), stale=stale)
        self._size += made.size
        while self._size > self._limit and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size -= dropped.representation.size


def _take_note(task: asyncio.Task[Representation]) -> None:
    """Look at the outcome, as the client who would have been told of a failure may have gone."""
    if not task.cancelled():
        task.exception()


class FeedKey(NamedTuple):
    """What a feed depends on."""

    scope: Scope
    #: ``None`` for all languages.
    language: LanguageCode | None
    kind: FeedFormat
    #: The address it names itself by.
    base: str


class FeedCache:
    """Feeds by scope, language and format."""

    def __init__(self, *, clock: Callable[[], datetime], limit: int = FEED_BYTES) -> None:
        self._kept: RepresentationCache[FeedKey] = RepresentationCache(limit=limit, clock=clock)

    async def get(self, key: FeedKey, build: Build) -> Representation:
        """The ready feed, or the one ``build`` makes."""
        return await self._kept.get(key, build)

    def invalidate(self, pairs: Iterable[tuple[Scope, LanguageCode]]) -> int:
        """Drop the feeds these pairs are in: the language's own and that of all languages.

        Returns how many ready feeds were dropped.
        """
        touched: set[tuple[Scope, LanguageCode | None]] = set()
        for scope, language in pairs:
            touched |= {(scope, language), (scope, None)}
        return self._kept.mark_stale(lambda key: (key.scope, key.language) in touched)


class RevisionWatch:
    """Follows the database's revision, so that changes by other processes are seen too."""

    def __init__(
        self,
        database: Database,
        on_change: Callable[[set[tuple[Scope, LanguageCode]]], None],
        *,
        interval: float = 1.0,
    ) -> None:
        self._database = database
        self._on_change = on_change
        self._interval = interval
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()
        #: The newest revision seen; ``None`` before the first look.
        self.revision: int | None = None

    async def look(self) -> None:
        """Drop what has changed; asks the database at most once per ``interval`` seconds.

        Nothing is cached before the first look, so that one only learns where we stand.
        """
        if time.monotonic() - self._looked_at < self._interval:
            return
        async with self._lock:
            if time.monotonic() - self._looked_at < self._interval:
                return
            try:
                await self._catch_up()
            except DBAPIError as error:
                # What is ready can still be served; the next look tries again.
                _log.warning("revision_unknown", extra={"reason": type(error).__name__})
            self._looked_at = time.monotonic()

    async def _catch_up(self) -> None:
        known = sys.maxsize if self.revision is None else self.revision
        async with self._database.read() as session:
            latest, pairs = await items.changed_since(session, known)
        self.revision = latest
        if pairs:
            self._on_change(pairs)

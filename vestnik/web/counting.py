"""News per scope of the last days, counted at most once per change."""

from __future__ import annotations

import time
from datetime import timedelta

from feeds.networks import Scope
from storage import items
from vestnik.web.maps import MAP_DAYS
from vestnik.web.state import Web

#: Seconds after which news leaves the window although nothing changed.
_OLDEST = 300.0


async def recent_counts(web: Web) -> dict[Scope, int]:
    """How many news items each scope got in the days the maps show."""
    memo, now = web.counts, time.monotonic()
    if memo.counts is not None and memo.revision == web.watch.revision and now - memo.counted_at < _OLDEST:
        return memo.counts
    revision = web.watch.revision
    async with web.deps.database.read() as session:
        counts = await items.counts(session, since=web.deps.clock() - timedelta(days=MAP_DAYS))
    memo.revision, memo.counted_at, memo.counts = revision, now, counts
    return counts

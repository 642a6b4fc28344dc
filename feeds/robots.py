"""robots.txt for HTML pages (RFC 9309); feeds are made for robots and are not asked about.

Protego reads the rules; here are what to believe when the file is missing or its server in trouble,
and a cache that asks each site at most once a day, with our own User-Agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from feeds.fetch import Fetcher
from feeds.model import Validators
from feeds.outcomes import (
    NO_VALIDATORS,
    FailReason,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    Gone,
    NotModified,
)
from feeds.wire import host_key, wire_url

#: RFC 9309 §2.4: not older than a day.
_KEEP = timedelta(days=1)
#: A site in trouble is asked again sooner.
_KEEP_TROUBLE = timedelta(hours=1)
#: RFC 9309 §2.3.1.4: after 30 days without an answer the file counts as missing.
_TROUBLE_ENDS = timedelta(days=30)
#: RFC 9309 §2.5: at least 500 KiB must be read; more is not needed.
_MAX_BYTES = 500 * 1024
#: Characters beyond which the rules are read beside the event loop.
_LARGE = 32_768
#: A longer crawl delay than this would be a ban in disguise; a disallow says it honestly.
_CRAWL_DELAY_CAP = timedelta(seconds=60)
#: robots.txt answers these when it is simply not there.
_MISSING = frozenset(
    {
        FailReason.HTTP_401,
        FailReason.HTTP_403,
        FailReason.HTTP_404,
        FailReason.HTTP_4XX,
        FailReason.EMPTY,
        FailReason.TOO_MANY_REDIRECTS,
        FailReason.REDIRECT_LOOP,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsFile:
    """What we know of one site's robots.txt."""

    #: Its text; empty allows everything.
    text: str = ""
    validators: Validators = NO_VALIDATORS
    #: When the site last answered about it; ``None`` when it never did.
    answered_at: datetime | None = None
    #: Since when the site cannot say; ``None`` when it can.
    trouble_since: datetime | None = None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """Whether a page may be read."""

    allowed: bool
    #: Why not, for people; empty when allowed.
    detail: str = ""
    #: Pause between requests the site asks for.
    crawl_delay: timedelta | None = None


def decide_file(known: RobotsFile | None, outcome: FetchOutcome, *, now: datetime) -> RobotsFile:
    """What to believe after asking for robots.txt (RFC 9309 §2.3.1)."""
    match outcome:
        case Fetched():
            text = _first_lines(outcome.body).decode("utf-8-sig", errors="replace")
            validators = outcome.validators
            return RobotsFile(text=text, validators=validators, answered_at=now, expires_at=now + _KEEP)
        case NotModified() if known is not None:
            renewed = replace(known, validators=outcome.validators, expires_at=now + _KEEP)
            return replace(renewed, answered_at=now, trouble_since=None)
        case Gone() | FetchFailed(reason=FailReason.CHALLENGE):
            return RobotsFile(answered_at=now, expires_at=now + _KEEP)
        case FetchFailed(reason=reason) if reason in _MISSING:
            return RobotsFile(answered_at=now, expires_at=now + _KEEP)
    # Unreachable (5xx, 429, network): an older copy still speaks, without one everything is forbidden.
    known = known or RobotsFile(expires_at=now)
    return replace(known, trouble_since=known.trouble_since or now, expires_at=now + _KEEP_TROUBLE)


def _first_lines(body: bytes) -> bytes:
    """As much as we must read, in whole lines: half a rule (``Disallow: /``) may forbid everything."""
    if len(body) <= _MAX_BYTES:
        return body
    return body[: body.rfind(b"\n", 0, _MAX_BYTES) + 1]


def decide_verdict(file: RobotsFile, url: str, user_agent: str, *, now: datetime) -> RobotsVerdict:
    """Whether ``user_agent`` may read the page at ``url``."""
    if file.answered_at is None:
        since = file.trouble_since or now
        if now - since >= _TROUBLE_ENDS:
            return RobotsVerdict(allowed=True)
        return RobotsVerdict(allowed=False, detail="robots.txt of the site cannot be read now, so we wait")
    rules = _parse(file.text)
    product = user_agent.partition("/")[0]
    seconds = rules.crawl_delay(product)
    delay = min(timedelta(seconds=min(seconds, 86_400.0)), _CRAWL_DELAY_CAP) if seconds else None
    if rules.can_fetch(url, product):
        return RobotsVerdict(allowed=True, crawl_delay=delay)
    detail = f"robots.txt asks {product} not to read this page; ask the publisher, or use a feed of theirs"
    return RobotsVerdict(allowed=False, detail=detail, crawl_delay=delay)


@lru_cache(maxsize=64)
def _parse(text: str) -> Protego:
    return Protego.parse(text)


@dataclass(slots=True)
class RobotsCache:
    """Asks each site's robots.txt when needed; one object serves the whole process."""

    fetcher: Fetcher
    clock: Callable[[], datetime]
    _files: dict[str, RobotsFile] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def check(self, url: str) -> RobotsVerdict:
        """Whether the page may be read; asks the site first when we do not know or it is long ago."""
        try:
            url = wire_url(url)
        except ValueError as error:
            return RobotsVerdict(allowed=False, detail=str(error))
        file = await self._file(robots_url(url))
        judge = partial(decide_verdict, file, url, self.fetcher.user_agent, now=self.clock())
        # 500 kB of rules take 0.25 s to read (measured), which would hold up everybody else.
        verdict = await asyncio.to_thread(judge) if len(file.text) > _LARGE else judge()
        if verdict.crawl_delay is not None:
            self.fetcher.pace.slow_down(host_key(url), verdict.crawl_delay)
        return verdict

    async def _file(self, address: str) -> RobotsFile:
        async with self._locks.setdefault(address, asyncio.Lock()):
            known = self._files.get(address)
            if known is not None and known.expires_at > self.clock():
                return known
            validators = known.validators if known else NO_VALIDATORS
            request = FetchRequest(url=address, validators=validators, accept="text/plain, */*;q=0.1")
            outcome = await self.fetcher.fetch(request)
            self._files[address] = decide_file(known, outcome, now=self.clock())
            return self._files[address]

    def dump(self) -> dict[str, dict[str, Any]]:
        """The cache as JSON-able values, so that a restart asks nobody anew."""
        return {address: _dump_file(file) for address, file in self._files.items()}

    def restore(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Take up what :meth:`dump` wrote."""
        self._files.update({address: _load_file(each) for address, each in values.items()})


def robots_url(url: str) -> str:
    """Where the rules for a wire address are."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/robots.txt", "", ""))


def _dump_file(file: RobotsFile) -> dict[str, Any]:
    return {
        "text": file.text,
        "etag": file.validators.etag,
        "last_modified": file.validators.last_modified,
        "answered_at": file.answered_at and file.answered_at.isoformat(),
        "trouble_since": file.trouble_since and file.trouble_since.isoformat(),
        "expires_at": file.expires_at.isoformat(),
    }


def _load_file(values: Mapping[str, Any]) -> RobotsFile:
    answered, trouble = values.get("answered_at"), values.get("trouble_since")
    return RobotsFile(
        text=values.get("text", ""),
        validators=Validators(etag=values.get("etag"), last_modified=values.get("last_modified")),
        answered_at=datetime.fromisoformat(answered) if answered else None,
        trouble_since=datetime.fromisoformat(trouble) if trouble else None,
        expires_at=datetime.fromisoformat(values["expires_at"]),
    )

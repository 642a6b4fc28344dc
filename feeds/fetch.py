"""One client for everything we fetch: feeds, pages, robots.txt, pictures' heads, discovery.

Never raises for what servers, networks and admins' addresses do; see :mod:`feeds.outcomes`.
The parts: :mod:`feeds.transport` speaks HTTP behind the guard, :mod:`feeds.pace` waits for our turn at
the host, :mod:`feeds.answers` decides what an answer means, :mod:`feeds.unpack` unpacks.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from aiohttp.abc import AbstractResolver

from feeds.answers import (
    Answer,
    Follow,
    ReadBody,
    choose_validators,
    decide_answer,
    fail,
    is_conditional,
    make_fetched,
    make_held,
)
from feeds.freshness import condition_headers
from feeds.guard import parse_networks
from feeds.outcomes import (
    Exchange,
    FailReason,
    Fetched,
    FetchFailed,
    FetchLimits,
    FetchOutcome,
    FetchRequest,
    Gone,
    NotModified,
    Throttled,
)
from feeds.pace import HostPace
from feeds.transport import HttpTransport, Reply, Transport, TransportFailure
from feeds.unpack import ACCEPT_ENCODING, CutShortError, TooLargeError, Unpacker, UnpackError
from feeds.wire import host_key, wire_url

__all__ = [
    "FailReason",
    "FetchFailed",
    "FetchLimits",
    "FetchOutcome",
    "FetchRequest",
    "Fetched",
    "Fetcher",
    "Gone",
    "NotModified",
    "Throttled",
]


@dataclass(slots=True)
class _Chain:
    """A request on its way through redirects."""

    asked: str
    url: str
    redirects: list[tuple[int, str]] = field(default_factory=list)
    permanent_url: str | None = None
    all_permanent: bool = True
    raw_bytes: int = 0
    requests: int = 0
    #: Of the answer being read; ``None`` while there is none from this address.
    status: int | None = None
    #: Network time of the hops before, and loop time at which the present one began.
    spent: float = 0.0
    started: float | None = None

    def begin_hop(self) -> None:
        self.started = asyncio.get_running_loop().time()

    def end_hop(self) -> None:
        self.spent, self.started = self.elapsed(), None

    def elapsed(self) -> float:
        if self.started is None:
            return self.spent
        return self.spent + asyncio.get_running_loop().time() - self.started

    def exchange(self) -> Exchange:
        return Exchange(
            url=self.asked,
            final_url=self.url,
            status=self.status,
            redirects=tuple(self.redirects),
            permanent_url=self.permanent_url,
            raw_bytes=self.raw_bytes,
            elapsed=timedelta(seconds=self.elapsed()),
            requests=self.requests,
        )

    def follow(self, status: int, step: Follow) -> None:
        self.redirects.append((status, step.url))
        self.all_permanent = self.all_permanent and step.permanent
        if self.all_permanent:
            self.permanent_url = step.url
        self.url, self.status = step.url, None


class Fetcher:
    """Async context manager around one HTTP client; safe to share between tasks.

    ``user_agent`` names us honestly: ``Vestnik/<version> (+contact)``. ``allow_private`` lists CIDRs
    the guard opens (``ValueError`` for a bad one). ``clock`` returns aware UTC.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Callable[[], datetime],
        allow_private: Sequence[str] = (),
        limits: FetchLimits | None = None,
        pace: HostPace | None = None,
        transport: Callable[[], Transport] | None = None,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        allowed = parse_networks(allow_private)
        self.limits = limits or FetchLimits()
        self.pace = pace or HostPace(clock=clock, allowed=allowed)
        self.user_agent = user_agent
        self._clock = clock
        self._open = transport or (
            lambda: HttpTransport(
                limits=self.limits, allowed=allowed, resolver=resolver, ssl_context=ssl_context
            )
        )
        self._transport: Transport | None = None

    async def __aenter__(self) -> Self:
        self._transport = self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Ask for one address, following redirects, within the limits; waits for our turn at each host."""
        try:
            chain = _Chain(asked=request.url, url=wire_url(request.url))
        except ValueError as error:
            exchange = Exchange(url=request.url, final_url=request.url)
            return fail(exchange, FailReason.BAD_ADDRESS, f"{error}; correct the address")
        visited = {chain.url}
        while True:
            step = await self._hop(request, chain)
            if not isinstance(step, Follow):
                return step
            if step.url in visited:
                detail = (
                    f"the redirects lead in a circle back to {step.url}; perhaps the site insists on cookies"
                )
                return fail(chain.exchange(), FailReason.REDIRECT_LOOP, detail)
            if len(visited) > self.limits.redirects:
                detail = f"more than {self.limits.redirects} redirects, the last to {step.url}"
                return fail(chain.exchange(), FailReason.TOO_MANY_REDIRECTS, detail)
            visited.add(step.url)

    async def _hop(self, request: FetchRequest, chain: _Chain) -> Follow | FetchOutcome:
        """One request, once it is our turn and nobody on this host asked us to wait."""
        host = host_key(chain.url)
        async with self.pace.turn(host):
            until = self.pace.held_until(host)
            if until is not None:
                return make_held(host, until, chain.exchange(), now=self._clock())
            step = await self._timed(request, chain, host)
            if isinstance(step, Throttled) and (step.retry_after is not None or step.exchange.status == 429):
                self.pace.hold_for(host, step.retry_after)
            return step

    async def _timed(self, request: FetchRequest, chain: _Chain, host: str) -> Follow | FetchOutcome:
        chain.begin_hop()
        try:
            async with asyncio.timeout(self.limits.total.total_seconds() - chain.spent):
                return await self._ask(request, chain, host)
        except TransportFailure as failure:
            return fail(chain.exchange(), failure.reason, failure.detail)
        except TimeoutError:
            detail = f"no complete answer within {self.limits.total.total_seconds():g} s; the server is slow"
            return fail(chain.exchange(), FailReason.TIMEOUT, detail)
        finally:
            chain.end_hop()

    async def _ask(self, request: FetchRequest, chain: _Chain, host: str) -> Follow | FetchOutcome:
        if self._transport is None:
            raise RuntimeError("use the Fetcher inside 'async with'")
        validators = choose_validators(request, chain.url, first=not chain.redirects)
        headers = {
            "User-Agent": self.user_agent,
            "Accept": request.accept,
            "Accept-Encoding": ACCEPT_ENCODING,
            **condition_headers(validators),
        }
        chain.requests += 1
        async with self._transport.send(chain.url, headers) as reply:
            if reply.address:
                self.pace.note_address(host, reply.address)
            chain.status = reply.status
            answer = Answer(
                status=reply.status,
                headers=reply.headers,
                url=chain.url,
                conditional=is_conditional(validators),
            )
            step = decide_answer(answer, request, chain.exchange(), now=self._clock())
            if isinstance(step, Follow):
                chain.follow(reply.status, step)
                return step
            if not isinstance(step, ReadBody):
                return step
            body = await self._read_body(reply, chain)
            return make_fetched(answer, chain.exchange(), body)

    async def _read_body(self, reply: Reply, chain: _Chain) -> bytes:
        announced = reply.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self.limits.raw_bytes:
            raise _too_large(f"{announced[:20]} bytes are announced", self.limits.raw_bytes)
        parts = []
        try:
            unpacker = Unpacker(reply.headers.get("content-encoding", ""), limit=self.limits.body_bytes)
            async with aclosing(reply.chunks) as chunks:
                async for chunk in chunks:
                    chain.raw_bytes += len(chunk)
                    if chain.raw_bytes > self.limits.raw_bytes:
                        raise _too_large("more bytes came", self.limits.raw_bytes)
                    parts.append(unpacker.unpack(chunk))
            unpacker.finish()
        except TooLargeError as error:
            raise TransportFailure(FailReason.TOO_LARGE, str(error)) from error
        except CutShortError as error:
            raise TransportFailure(FailReason.TRUNCATED, str(error)) from error
        except UnpackError as error:
            raise TransportFailure(FailReason.BAD_ENCODING, str(error)) from error
        return b"".join(parts)


def _too_large(what: str, limit: int) -> TransportFailure:
    return TransportFailure(FailReason.TOO_LARGE, f"{what}, our limit is {limit}")

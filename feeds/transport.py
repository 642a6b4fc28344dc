"""The only file that speaks to aiohttp: one guarded GET, no redirects, no cookies, no proxies.

Everything aiohttp raises ends here as :class:`TransportFailure`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from feeds.freshness import Headers, read_headers
from feeds.guard import Network, Sightings, current_sightings, guard_sockets, watch_guard
from feeds.outcomes import FailReason, FetchLimits

#: Names resolved lately are not asked for again; the guard judges the address at each connect.
_DNS_TTL = 60
#: aiohttp reads ahead this much; a bomb stops within one piece.
_READ_BUFFER = 65_536
_MAX_HEADERS = 128


class TransportFailure(Exception):
    """No whole answer came; ``reason`` is constant, the text is for people."""

    def __init__(self, reason: FailReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer whose body has not been read yet."""

    status: int
    headers: Headers
    #: Still packed, as on the wire; raises :class:`TransportFailure`.
    chunks: AsyncGenerator[bytes]
    #: The address connected to; empty when an open connection was used again.
    address: str = ""


class Transport(Protocol):
    """Sends one GET."""

    def send(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Reply]:
        """Ask for a wire address; raises :class:`TransportFailure`."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class HttpTransport:
    """aiohttp with the address guard; make it inside a running loop."""

    def __init__(
        self,
        *,
        limits: FetchLimits,
        allowed: Sequence[Network] = (),
        connections: int = 100,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        connector = aiohttp.TCPConnector(
            socket_factory=guard_sockets(allowed=allowed),
            limit=connections,
            ttl_dns_cache=_DNS_TTL,
            resolver=resolver,
            ssl=ssl_context or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect.total_seconds()),
            read_bufsize=_READ_BUFFER,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=_MAX_HEADERS,
            middlewares=(_send_once,),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    @asynccontextmanager
    async def send(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[Reply]:
        """Ask for a wire address; raises :class:`TransportFailure`."""
        seen = watch_guard()
        try:
            response = await self._session.get(URL(url, encoded=True), headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, seen) from error
        try:
            yield Reply(
                status=response.status,
                headers=read_headers(response.raw_headers),
                chunks=_read_chunks(response),
                address=seen.passed[-1] if seen.passed else "",
            )
        finally:
            response.release()


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Stop aiohttp from asking again when a host hangs up on a new connection.

    It may ask again when a connection from the pool turned out to be closed: nobody saw that request.
    """
    seen = current_sightings()
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if not seen.passed:
            raise
        raise TransportFailure(FailReason.DISCONNECTED, "the server hung up before it answered") from error


async def _read_chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except aiohttp.ClientPayloadError as error:
        raise TransportFailure(FailReason.TRUNCATED, f"the body ended early ({error})") from error
    except (aiohttp.ClientError, OSError) as error:
        raise TransportFailure(
            FailReason.DISCONNECTED, f"the connection broke while reading ({error})"
        ) from error


def _failure(error: Exception, seen: Sightings) -> TransportFailure:
    """Name what went wrong, from the most particular class to the least."""
    if seen.refused and not seen.passed:
        return TransportFailure(FailReason.REFUSED_ADDRESS, "; ".join(dict.fromkeys(seen.refused)))
    for kind, reason, hint in _FAILURES:
        if isinstance(error, kind):
            return TransportFailure(reason, f"{hint} ({_first_line(error)})")
    return TransportFailure(
        FailReason.BAD_ANSWER, f"the address or the answer is unusable ({_first_line(error)})"
    )


_FAILURES: tuple[tuple[type[Exception], FailReason, str], ...] = (
    (aiohttp.InvalidURL, FailReason.BAD_ADDRESS, "the address is not written as it should be"),
    (aiohttp.ClientConnectorDNSError, FailReason.DNS, "the host name does not resolve; check its spelling"),
    (
        aiohttp.ClientConnectorCertificateError,
        FailReason.TLS,
        "the certificate is not valid for this host; the publisher must renew it",
    ),
    (aiohttp.ClientSSLError, FailReason.TLS, "the encrypted connection could not be set up"),
    (ssl.SSLError, FailReason.TLS, "the encrypted connection could not be set up"),
    (aiohttp.ServerTimeoutError, FailReason.TIMEOUT, "no connection in time"),
    (asyncio.TimeoutError, FailReason.TIMEOUT, "no connection in time"),
    (aiohttp.ClientResponseError, FailReason.BAD_ANSWER, "the answer is not HTTP we understand"),
    (aiohttp.ServerDisconnectedError, FailReason.DISCONNECTED, "the server hung up before it answered"),
    (aiohttp.ClientConnectorError, FailReason.CONNECT, "nobody answers at this address"),
    (OSError, FailReason.CONNECT, "nobody answers at this address"),
)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

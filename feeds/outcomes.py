"""What a fetch is asked for and how it can end. Values only; contains no I/O.

::

    FetchRequest ─> Fetched       200 with a whole body
                    NotModified   304, nothing new
                    Gone          410, the publisher says it is over
                    Throttled     429 or 503, or the host asked us to wait earlier (nothing was sent)
                    FetchFailed   everything else, with a constant reason and words for people
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from feeds.freshness import Freshness
from feeds.model import Validators

NO_VALIDATORS = Validators()
NO_FRESHNESS = Freshness()

#: Feeds first, pages after, anything as a last resort: some servers choose by it.
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, text/html;q=0.7, application/json;q=0.6, */*;q=0.1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much one fetch may cost; every bound stops the transfer while it runs."""

    #: Network time of the whole chain of redirects; waiting for our turn at a host is not counted.
    total: timedelta = timedelta(seconds=30)
    connect: timedelta = timedelta(seconds=10)
    #: Bytes on the wire. The largest feeds seen are about 2 MB.
    raw_bytes: int = 5_000_000
    #: Bytes after decompression.
    body_bytes: int = 10_000_000
    #: One header line; real ones (CSP, Link) stay below 8 kB.
    header_bytes: int = 16_384
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One address to ask for. The fragment is never sent."""

    url: str
    validators: Validators = NO_VALIDATORS
    #: The final address the validators came from; empty when unknown. They are sent there and to the
    #: first hop on the same host, not to a new place a redirect leads to.
    validators_url: str = ""
    #: Freshness lifetime stored with the validators; a bare 304 renews it.
    lifetime: timedelta | None = None
    accept: str = ACCEPT


class FailReason(enum.StrEnum):
    """Why no usable answer came; constant words for logs, metrics and storage."""

    BAD_ADDRESS = "bad-address"  # not an http(s) address, or no host
    REFUSED_ADDRESS = "refused-address"  # the guard refused every address of the host
    DNS = "dns"  # the name does not resolve
    CONNECT = "connect"  # nobody answers there
    TLS = "tls"  # certificate or handshake
    TIMEOUT = "timeout"  # too slow to connect or to finish
    DISCONNECTED = "disconnected"  # hung up before an answer
    BAD_ANSWER = "bad-answer"  # not HTTP, or headers beyond our limit
    TOO_LARGE = "too-large"  # more bytes than the limit, packed or unpacked
    BAD_ENCODING = "bad-encoding"  # Content-Encoding unknown or broken
    TRUNCATED = "truncated"  # the body ended before its announced end
    EMPTY = "empty"  # success without a body
    TOO_MANY_REDIRECTS = "too-many-redirects"
    REDIRECT_LOOP = "redirect-loop"
    BAD_REDIRECT = "bad-redirect"  # no target, or one we cannot use
    CHALLENGE = "challenge"  # a bot check stands before the content
    ROBOTS = "robots"  # robots.txt asks us not to read this page
    NOT_MODIFIED_UNASKED = "not-modified-unasked"  # 304 to an unconditional request
    HTTP_401 = "http-401"
    HTTP_403 = "http-403"
    HTTP_404 = "http-404"
    HTTP_4XX = "http-4xx"
    HTTP_5XX = "http-5xx"
    HTTP_OTHER = "http-other"  # a status that makes no sense here


#: May be the fault of our own network, so they never count against a source during an outage.
NETWORK_REASONS = frozenset({FailReason.DNS, FailReason.CONNECT, FailReason.TIMEOUT, FailReason.DISCONNECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What happened on the wire, whatever the outcome."""

    #: The address asked for, as given.
    url: str
    #: The address that answered last, as sent (no fragment).
    final_url: str
    #: Status of the last answer; ``None`` when there was none.
    status: int | None = None
    #: Each redirect taken: status and the address it led to.
    redirects: tuple[tuple[int, str], ...] = ()
    #: Where the leading run of 301/308 led to; ``None`` when the first hop is not permanent.
    permanent_url: str | None = None
    #: Body bytes on the wire.
    raw_bytes: int = 0
    #: Network time.
    elapsed: timedelta = timedelta(0)
    #: Requests sent, redirects included; 0 when we held back.
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole body, unpacked."""

    exchange: Exchange
    body: bytes
    content_type: str
    #: Of this answer, both together; store them with what the body brought.
    validators: Validators
    freshness: Freshness
    #: Lower-case names, as in :data:`feeds.freshness.Headers`.
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """Nothing new since the validators we sent."""

    exchange: Exchange
    #: The stored ones renewed by this answer; store them even though nothing else changed.
    validators: Validators
    freshness: Freshness
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """410: the publisher took it down on purpose."""

    exchange: Exchange
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """The host wants to be left alone for a while; applies to every source on it."""

    exchange: Exchange
    #: Key of the host, as :func:`feeds.pace.host_key` writes it.
    host: str
    detail: str
    #: What it asked for; ``None`` when it gave no readable time.
    retry_after: timedelta | None = None
    freshness: Freshness = NO_FRESHNESS


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """No usable answer."""

    exchange: Exchange
    reason: FailReason
    #: What was wrong and what to do, for an admin.
    detail: str
    #: Whether the same request may succeed later without anybody changing something.
    retryable: bool
    retry_after: timedelta | None = None
    freshness: Freshness = NO_FRESHNESS


FetchOutcome = Fetched | NotModified | Gone | Throttled | FetchFailed

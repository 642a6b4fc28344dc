"""What the head of an answer means: read on, follow, or stop here. Contains no I/O.

RFC 9110 §15 for the status codes. Every expected end is a value of :mod:`feeds.outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from feeds.freshness import (
    Headers,
    condition_headers,
    read_freshness,
    read_retry_after,
    read_validators,
    renew_freshness,
    renew_validators,
)
from feeds.model import Validators
from feeds.outcomes import (
    Exchange,
    FailReason,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    Gone,
    NotModified,
    Throttled,
)
from feeds.wire import follow_location, host_key

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
#: 203 is a 200 that passed a transforming proxy.
_WITH_BODY = frozenset({200, 203})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBody:
    """The body is what we came for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Ask there instead."""

    url: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The head of one answer, and under which conditions it was asked for."""

    status: int
    headers: Headers
    url: str
    conditional: bool


def choose_validators(request: FetchRequest, hop_url: str, *, first: bool) -> Validators:
    """The validators to send to this hop: to where they came from, and to the first hop on that host.

    A date from one server would make another server answer 304 for a page we never read. The query is
    not compared: signed addresses change it at each redirect.
    """
    came_from = request.validators_url
    if not came_from or _without_query(came_from) == _without_query(hop_url):
        return request.validators
    if first and host_key(came_from) == host_key(hop_url):
        return request.validators
    return Validators()


def _without_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def decide_answer(
    answer: Answer, request: FetchRequest, exchange: Exchange, *, now: datetime
) -> ReadBody | Follow | FetchOutcome:
    """What to do with this answer; ``exchange`` goes into the outcome, if it is one."""
    guard_name = find_challenge(answer.status, answer.headers)
    if guard_name is not None:
        return _challenge(guard_name, answer, exchange, now)
    if answer.status in _WITH_BODY:
        return ReadBody()
    if answer.status in _REDIRECTS:
        return _decide_redirect(answer, exchange)
    if answer.status == 304:
        return _not_modified(answer, request, exchange)
    return _decide_refusal(answer, exchange, now)


def _decide_refusal(answer: Answer, exchange: Exchange, now: datetime) -> Gone | Throttled | FetchFailed:
    if answer.status == 410:
        detail = "the publisher says it is gone for good (410); remove it or find its new place"
        return Gone(exchange=exchange, detail=detail)
    if answer.status in (429, 503):
        return _throttled(answer, exchange, now)
    reason, words = _STATUS_WORDS.get(answer.status) or _status_class(answer.status)
    wait = read_retry_after(answer.headers, now=now)
    failure = fail(exchange, reason, f"{words} ({answer.status})", retry_after=wait)
    return replace(failure, freshness=read_freshness(answer.headers))


def make_fetched(answer: Answer, exchange: Exchange, body: bytes) -> Fetched | FetchFailed:
    """The outcome of a body read to its end."""
    if not body.strip():
        return fail(exchange, FailReason.EMPTY, "the server answered with success but sent nothing")
    return Fetched(
        exchange=exchange,
        body=body,
        content_type=answer.headers.get("content-type", ""),
        validators=read_validators(answer.headers),
        freshness=read_freshness(answer.headers),
        headers=answer.headers,
    )


def _not_modified(answer: Answer, request: FetchRequest, exchange: Exchange) -> NotModified | FetchFailed:
    if not answer.conditional:
        return fail(
            exchange,
            FailReason.NOT_MODIFIED_UNASKED,
            "the server says 'not modified' though we asked for everything",
        )
    return NotModified(
        exchange=exchange,
        validators=renew_validators(request.validators, answer.headers),
        freshness=renew_freshness(request.lifetime, read_freshness(answer.headers)),
        headers=answer.headers,
    )


def _throttled(answer: Answer, exchange: Exchange, now: datetime) -> Throttled:
    wait = read_retry_after(answer.headers, now=now)
    wish = f"for {wait}" if wait is not None else "without saying for how long"
    return Throttled(
        exchange=exchange,
        host=host_key(answer.url),
        detail=f"the server asked us to stay away {wish} ({answer.status})",
        retry_after=wait,
        freshness=read_freshness(answer.headers),
    )


def make_held(host: str, until: datetime, exchange: Exchange, *, now: datetime) -> Throttled:
    """The outcome when the host asked us earlier to wait; nothing is sent."""
    return Throttled(
        exchange=exchange,
        host=host,
        detail=f"{host} asked us earlier to wait until {until:%Y-%m-%d %H:%M} UTC",
        retry_after=until - now,
    )


def _decide_redirect(answer: Answer, exchange: Exchange) -> Follow | FetchFailed:
    location = answer.headers.get("location", "")
    if not location:
        return fail(
            exchange, FailReason.BAD_REDIRECT, f"the server redirects ({answer.status}) without saying where"
        )
    try:
        target = follow_location(answer.url, location)
    except ValueError as error:
        detail = f"the server redirects ({answer.status}) to {location[:120]!r}: {error}"
        return fail(exchange, FailReason.BAD_REDIRECT, detail)
    # What was encrypted is never remembered as plain.
    downgrade = urlsplit(answer.url).scheme == "https" and urlsplit(target).scheme == "http"
    return Follow(url=target, permanent=answer.status in _PERMANENT and not downgrade)


_STATUS_WORDS = {
    401: (FailReason.HTTP_401, "the server wants a user name and password; put them into the address"),
    403: (FailReason.HTTP_403, "the server refuses us; ask the publisher to let our User-Agent in"),
    404: (FailReason.HTTP_404, "nothing at this address; look for its new place on the site"),
}


def _status_class(status: int) -> tuple[FailReason, str]:
    if 500 <= status < 600:
        return FailReason.HTTP_5XX, "the server is in trouble; we try again later"
    if 400 <= status < 500:
        return FailReason.HTTP_4XX, "the server does not accept our request"
    return FailReason.HTTP_OTHER, "a status that answers no plain request"


def find_challenge(status: int, headers: Headers) -> str | None:
    """Who put a bot check before the content, judged by headers only; ``None`` when nobody did."""
    for name, header, is_match in _CHALLENGES:
        if header in headers and is_match(status, headers[header].lower()):
            return name
    return None


#: Documented marks of bot checks. The last two mark every answer, so only a refusal counts.
_CHALLENGES: tuple[tuple[str, str, Callable[[int, str], bool]], ...] = (
    ("Cloudflare", "cf-mitigated", lambda _status, value: value == "challenge"),
    ("AWS WAF", "x-amzn-waf-action", lambda _status, value: value in ("challenge", "captcha")),
    ("DDoS-Guard", "server", lambda status, value: value == "ddos-guard" and status in (403, 503)),
    ("DataDome", "x-datadome", lambda status, _value: status in (401, 403)),
)


def _challenge(name: str, answer: Answer, exchange: Exchange, now: datetime) -> FetchFailed:
    detail = (
        f"{name} stands before the site with a check for browsers ({answer.status}); "
        "ask the publisher to let our User-Agent through, or to offer the feed without it"
    )
    wait = read_retry_after(answer.headers, now=now)
    return fail(exchange, FailReason.CHALLENGE, detail, retry_after=wait)


#: Nothing changes here until somebody changes something.
_FINAL = frozenset(
    {FailReason.BAD_ADDRESS, FailReason.REFUSED_ADDRESS, FailReason.BAD_REDIRECT, FailReason.HTTP_401}
)


def fail(
    exchange: Exchange, reason: FailReason, detail: str, *, retry_after: timedelta | None = None
) -> FetchFailed:
    """A failure with its reason; whether a later try may help follows from the reason."""
    return FetchFailed(
        exchange=exchange,
        reason=reason,
        detail=detail,
        retryable=reason not in _FINAL,
        retry_after=retry_after,
    )


def is_conditional(validators: Validators) -> bool:
    """Whether a request with these validators may be answered 304."""
    return bool(condition_headers(validators))

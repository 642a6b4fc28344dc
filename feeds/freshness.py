"""What HTTP headers say about time: validators, freshness, Retry-After. Contains no I/O.

RFC 9110 (conditional requests, Retry-After §10.2.3), RFC 9111 (freshness §4.2, update by a 304
§3.2 and §4.3.4). Servers write garbage here daily, so nothing raises: garbage says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from feeds.model import Validators

#: Lower-case names; repeated list headers joined by commas.
Headers = Mapping[str, str]

#: A second value of these would not extend the first; the first one counts (RFC 9111 §4.2.1).
_SINGLE = frozenset(
    {
        "age",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "location",
        "retry-after",
    }
)
#: Sent back byte for byte or not at all, so bytes we cannot represent are dropped, never repaired.
_OPAQUE = frozenset({"etag", "last-modified"})
#: RFC 9111 §1.2.2: numbers too large to hold count as 2^31 seconds.
_FOREVER = 2**31
#: Beyond a month a Retry-After is a mistake; no news source is ours to lose for longer.
RETRY_AFTER_CAP = timedelta(days=31)
_NUMBER = re.compile(r"[0-9]+")
_DIRECTIVE = re.compile(r'([a-z0-9_-]+)\s*(?:=\s*(?:"([^"]*)"|([^,"]*)))?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long the server says its answer stays fresh."""

    #: max-age, or Expires − Date; ``None`` when the server states no time.
    lifetime: timedelta | None = None
    #: Time it already spent in caches on the way.
    age: timedelta = timedelta(0)
    #: False when no header spoke about freshness at all (a bare 304 keeps what we knew).
    stated: bool = False

    @property
    def fresh_for(self) -> timedelta | None:
        """Time left from the moment of the answer; ``None`` when nothing was promised."""
        return None if self.lifetime is None else max(self.lifetime - self.age, timedelta(0))


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case the names, join what was repeated; an opaque value that is not UTF-8 is left out."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1").lower()
        value = _decode_value(raw_value, opaque=name in _OPAQUE)
        if value is None or (name in headers and name in _SINGLE):
            continue
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _decode_value(raw: bytes, *, opaque: bool) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None if opaque else raw.decode("latin-1")


def read_validators(headers: Headers) -> Validators:
    """Take both validators of one answer, as they are; an empty one is none."""
    return Validators(etag=_opaque(headers, "etag"), last_modified=_opaque(headers, "last-modified"))


def _opaque(headers: Headers, name: str) -> str | None:
    value = headers.get(name, "")
    # A control character would be a header injection when sent back.
    return value if value and value.isprintable() else None


def renew_validators(stored: Validators, headers: Headers) -> Validators:
    """What to store after a 304 (RFC 9111 §4.3.4): its fields replace ours, the others stay.

    A 304 that names another ETag speaks of another version, so nothing old is kept beside it.
    """
    got = read_validators(headers)
    if got.etag is not None and got.etag != stored.etag:
        return got
    return Validators(etag=stored.etag, last_modified=got.last_modified or stored.last_modified)


def condition_headers(validators: Validators) -> dict[str, str]:
    """The conditional request for these validators; empty when there is none."""
    headers = {}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    return headers


def read_freshness(headers: Headers) -> Freshness:
    """Freshness lifetime and age of an answer (RFC 9111 §4.2.1, §4.2.3)."""
    control = parse_cache_control(headers.get("cache-control", ""))
    age = timedelta(seconds=_seconds(headers.get("age", "").split(",")[0]) or 0)
    stated = any(name in control for name in ("max-age", "no-cache", "no-store")) or "expires" in headers
    # no-cache="field" speaks of one header only (RFC 9111 §5.2.2.4).
    if "no-store" in control or control.get("no-cache") == "":
        return Freshness(age=age, stated=True)
    if "max-age" in control:
        # A max-age nobody can read counts as already stale.
        seconds = _seconds(control["max-age"])
        return Freshness(lifetime=timedelta(seconds=seconds or 0), age=age, stated=True)
    return Freshness(lifetime=_expires_lifetime(headers), age=age, stated=stated)


def renew_freshness(stored: timedelta | None, got: Freshness) -> Freshness:
    """After a 304: what it states replaces the stored lifetime, a bare 304 renews the stored one."""
    if got.stated:
        return got
    return Freshness(lifetime=stored, age=got.age)


def _expires_lifetime(headers: Headers) -> timedelta | None:
    if "expires" not in headers:
        return None
    expires, date = parse_http_date(headers["expires"]), parse_http_date(headers.get("date", ""))
    if expires is None or date is None:
        # "Expires: 0" and other invalid dates mean "already stale" (RFC 9111 §5.3).
        return timedelta(0)
    return min(max(expires - date, timedelta(0)), timedelta(seconds=_FOREVER))


def parse_cache_control(value: str) -> dict[str, str]:
    """Directives by lower-case name; of a repeated one the first counts."""
    directives: dict[str, str] = {}
    for match in _DIRECTIVE.finditer(value):
        name, quoted, bare = match.groups()
        directives.setdefault(name.lower(), quoted if quoted is not None else (bare or "").strip())
    return directives


def _seconds(text: str) -> int | None:
    """Delta seconds; ``None`` for anything but digits. Capped so that it fits a timedelta."""
    text = text.strip()
    if not text.isascii() or not _NUMBER.fullmatch(text):
        return None
    return _FOREVER if len(text) > 10 else min(int(text), _FOREVER)


def parse_http_date(value: str) -> datetime | None:
    """Read an HTTP date (RFC 9110 §5.6.7, obsolete forms too) as aware UTC; ``None`` for garbage."""
    try:
        when = parsedate_to_datetime(value.strip())
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def read_retry_after(headers: Headers, *, now: datetime) -> timedelta | None:
    """How long the server asks us to stay away; ``None`` when it does not say or writes garbage.

    Capped at :data:`RETRY_AFTER_CAP`. A date is measured from the server's own Date where it sends
    one, so that a wrong clock on either side does not matter.
    """
    value = headers.get("retry-after", "").strip()
    seconds = _seconds(value)
    if seconds is not None:
        return min(timedelta(seconds=seconds), RETRY_AFTER_CAP)
    when = parse_http_date(value)
    if when is None:
        return None
    start = parse_http_date(headers.get("date", "")) or now
    return min(max(when - start, timedelta(0)), RETRY_AFTER_CAP)

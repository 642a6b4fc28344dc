"""One answer in all its encodings, and the conditional requests about it (RFC 9110).

The tag is strong: it is made from the bytes, and each encoding has its own (§8.8.3.3).
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b

import brotli
from starlette.requests import Request
from starlette.responses import Response

#: Quality for answers that are made once and sent often; higher costs more than it saves.
_GZIP_LEVEL = 6
_BROTLI_QUALITY = 5

_IDENTITY = "identity"
#: Preferred first.
_CODINGS = ("br", "gzip")

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Bytes ready to be sent, plain and compressed."""

    body: bytes
    #: With charset.
    content_type: str
    #: Opaque part of the entity tag.
    tag: str
    encoded: Mapping[str, bytes]
    #: Whole seconds.
    last_modified: datetime | None = None
    #: Sent with the body and with 304 (Link, CORS).
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return len(self.body) + sum(len(each) for each in self.encoded.values())

    def changed_at(self, when: datetime) -> Representation:
        """The same content with another modification time."""
        return replace(self, last_modified=when.replace(microsecond=0))


async def make_representation(
    body: bytes,
    content_type: str,
    *,
    last_modified: datetime | None = None,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Representation:
    """Compress once, off the event loop."""
    encoded = await asyncio.to_thread(compress, body)
    return prepared(
        body, content_type, encoded=encoded, last_modified=last_modified, headers=headers, status=status
    )


def prepared(
    body: bytes,
    content_type: str,
    *,
    encoded: Mapping[str, bytes],
    last_modified: datetime | None = None,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Representation:
    """A representation whose encodings are known already."""
    return Representation(
        body=body,
        content_type=content_type,
        tag=blake2b(body, digest_size=16).hexdigest(),
        encoded=encoded,
        last_modified=last_modified.replace(microsecond=0) if last_modified else None,
        headers=headers or {},
        status=status,
    )


def compress(body: bytes) -> dict[str, bytes]:
    """The body in every coding we offer; the same bytes every time."""
    return {
        "br": brotli.compress(body, quality=_BROTLI_QUALITY),
        "gzip": gzip.compress(body, _GZIP_LEVEL, mtime=0),
    }


def choose_coding(accept_encoding: str) -> str:
    """The coding a client likes best (RFC 9110 §12.5.3); ours decides between equals."""
    wishes: dict[str, float] = {}
    for part in accept_encoding.split(","):
        name, _, parameters = part.strip().partition(";")
        if name:
            wishes[name.strip().lower().replace("x-gzip", "gzip")] = _quality(parameters)
    liked = {each: wishes.get(each, wishes.get("*", 0.0)) for each in _CODINGS}
    best = max(_CODINGS, key=lambda each: liked[each])
    return best if liked[best] > 0 and liked[best] >= wishes.get(_IDENTITY, 0.0) else _IDENTITY


def _quality(parameters: str) -> float:
    for each in parameters.split(";"):
        key, _, value = each.strip().partition("=")
        if key.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def is_not_modified(request: Request, tag: str, last_modified: datetime | None) -> bool:
    """Whether the client's copy is still right; If-None-Match wins over If-Modified-Since (§13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or tag in _TAG.findall(known)
    since = request.headers.get("if-modified-since")
    if since is None or last_modified is None:
        return False
    try:
        when = parsedate_to_datetime(since)
    except ValueError:
        return False  # §13.1.3: a date that is no date is ignored
    return last_modified <= (when if when.tzinfo else when.replace(tzinfo=UTC))


def respond(
    request: Request, representation: Representation, *, cache_control: str, vary: str = "Accept-Encoding"
) -> Response:
    """The answer to GET or HEAD. Range is ignored, as §14.2 allows: ``Accept-Ranges`` says so."""
    coding = choose_coding(request.headers.get("accept-encoding", ""))
    body = representation.encoded.get(coding, representation.body)
    tag = representation.tag if coding == _IDENTITY else f"{representation.tag}-{coding}"
    headers = {
        **representation.headers,
        "ETag": f'"{tag}"',
        "Cache-Control": cache_control,
        "Vary": vary,
    }
    modified = representation.last_modified
    if modified is not None:
        headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    if representation.status == 200 and is_not_modified(request, tag, modified):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Type": representation.content_type, "Accept-Ranges": "none"}
    if coding != _IDENTITY:
        headers["Content-Encoding"] = coding
    headers["Content-Length"] = str(len(body))
    content = b"" if request.method == "HEAD" else body
    return Response(content, status_code=representation.status, headers=headers)

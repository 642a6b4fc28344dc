"""Undo Content-Encoding while the body streams in, never beyond a size. Contains no I/O.

aiohttp could do it, but (measured, 3.14.5) it accepts a gzip body cut short without a word, refuses
one with padding after its end, and leaves ``x-gzip`` and double codings packed. A gzip body that was
announced plain and a plain one announced as gzip are both common, so gzip is recognised by its magic.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from typing import Any, Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    try:
        from backports import zstd
    except ImportError:  # aiohttp[speedups] brings it; without it we do not offer zstd
        zstd = None  # type: ignore[assignment]

ACCEPT_ENCODING = "gzip, deflate, br" + (", zstd" if zstd else "")

_GZIP_MAGIC = b"\x1f\x8b"
#: Labels seen in the wild that pack nothing.
_PLAIN = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit"})
_GZIP = frozenset({"gzip", "x-gzip"})
#: Each member costs a copy of what follows; real bodies have one, rarely a few.
_MAX_MEMBERS = 256
#: RFC 9659: a zstd content coding needs no window above 8 MB.
_ZSTD_WINDOW_LOG = 23
#: A chain longer than this is a bomb, not a feed.
_MAX_CODINGS = 2


class UnpackError(Exception):
    """The body cannot be unpacked; the text says why."""


class TooLargeError(UnpackError):
    """The unpacked body exceeds its limit."""


class CutShortError(UnpackError):
    """The packed stream ended before its end mark."""


class _Decoder(Protocol):
    def unpack(self, chunk: bytes, room: int) -> bytes:
        """Unpack a chunk; may stop early once more than ``room`` bytes are made."""
        ...

    def finish(self) -> None:
        """Raise :class:`CutShortError` when the stream is not complete."""
        ...


class Unpacker:
    """Feeds chunks through the codings of one answer and counts what comes out."""

    def __init__(self, content_encoding: str, *, limit: int) -> None:
        self._decoders = _choose_decoders(content_encoding)
        self._room = limit
        self._limit = limit

    def unpack(self, chunk: bytes) -> bytes:
        """Unpacked bytes of this chunk; raises :class:`UnpackError`."""
        for decoder in self._decoders:
            try:
                chunk = decoder.unpack(chunk, self._room)
            except (zlib.error, brotli.error, *_ZSTD_ERRORS) as error:
                raise UnpackError(f"the packed body is broken ({error})") from error
            if len(chunk) > self._room:
                raise TooLargeError(f"the unpacked body exceeds {self._limit} bytes")
        self._room -= len(chunk)
        return chunk

    def finish(self) -> None:
        """Check that every stream came to its end; raises :class:`CutShortError`."""
        for decoder in self._decoders:
            decoder.finish()


_ZSTD_ERRORS: tuple[type[Exception], ...] = (zstd.ZstdError,) if zstd else ()


def _choose_decoders(content_encoding: str) -> Sequence[_Decoder]:
    names = [
        name for name in (each.strip().lower() for each in content_encoding.split(",")) if name not in _PLAIN
    ]
    if len(names) > _MAX_CODINGS:
        raise UnpackError(f"Content-Encoding {content_encoding[:80]!r} packs more than twice")
    # The last coding was applied last, so it comes off first.
    return [_decoder(name) for name in reversed(names)] or [_Gzip()]


def _decoder(name: str) -> _Decoder:
    if name in _GZIP:
        return _Gzip()
    if name == "deflate":
        return _Deflate()
    if name == "br":
        return _Brotli()
    if name == "zstd" and zstd:
        return _Zstd()
    raise UnpackError(f"Content-Encoding {name[:40]!r} is unknown to us and we did not ask for it")


class _Gzip:
    """Gzip members one after another, padding after them ignored; plain bytes pass through."""

    def __init__(self) -> None:
        self._member: Any = None
        self._members = 0
        self._undecided = b""
        self._plain = False
        self._over = False

    def unpack(self, chunk: bytes, room: int) -> bytes:
        if self._plain or self._over:
            return chunk if self._plain else b""
        parts: list[bytes] = []
        chunk, self._undecided = self._undecided + chunk, b""
        while chunk and room >= 0:
            if self._member is None and not chunk.startswith(_GZIP_MAGIC):
                parts.append(self._leave(chunk))
                break
            if self._member is None:
                self._begin()
            parts.append(self._member.decompress(chunk, room + 1))
            room -= len(parts[-1])
            chunk = self._member.unconsumed_tail or self._member.unused_data
            if self._member.eof:
                self._member = None
        return b"".join(parts)

    def _begin(self) -> None:
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise UnpackError(f"the body is made of more than {_MAX_MEMBERS} gzip members")
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def _leave(self, chunk: bytes) -> bytes:
        """Bytes that start no member: half a magic to wait with, a plain body, or padding."""
        if chunk == _GZIP_MAGIC[:1]:
            self._undecided = chunk
            return b""
        self._plain, self._over = self._members == 0, self._members > 0
        return chunk if self._plain else b""

    def finish(self) -> None:
        if self._member is not None:
            raise CutShortError("the gzip body ends before its end mark")


class _Deflate:
    """RFC 1950 as the name demands, or the raw stream many servers send instead."""

    def __init__(self) -> None:
        self._stream: Any = None

    def unpack(self, chunk: bytes, room: int) -> bytes:
        if self._stream is None and chunk:
            is_zlib = chunk[0] & 0x0F == 8 and (len(chunk) < 2 or int.from_bytes(chunk[:2], "big") % 31 == 0)
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        if self._stream is None or self._stream.eof:
            return b""
        unpacked: bytes = self._stream.decompress(chunk, room + 1)
        return unpacked

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise CutShortError("the deflate body ends before its end mark")


class _Brotli:
    def __init__(self) -> None:
        self._stream: Any = None

    def unpack(self, chunk: bytes, room: int) -> bytes:
        if self._stream is None and chunk:
            self._stream = brotli.Decompressor()
        if self._stream is None or self._stream.is_finished():
            return b""
        parts = [self._stream.process(chunk, output_buffer_limit=room + 1)]
        room -= len(parts[0])
        while room >= 0 and not self._stream.can_accept_more_data():
            parts.append(self._stream.process(b"", output_buffer_limit=room + 1))
            room -= len(parts[-1])
        return b"".join(parts)

    def finish(self) -> None:
        if self._stream is not None and not self._stream.is_finished():
            raise CutShortError("the brotli body ends before its end mark")


class _Zstd:
    """Zstandard frames one after another."""

    def __init__(self) -> None:
        self._frame: Any = None
        self._frames = 0

    def unpack(self, chunk: bytes, room: int) -> bytes:
        parts: list[bytes] = []
        while chunk and room >= 0:
            if self._frame is None:
                self._begin()
            parts.append(self._frame.decompress(chunk, room + 1))
            room -= len(parts[-1])
            chunk = b""
            if self._frame.eof:
                chunk, self._frame = self._frame.unused_data, None
        return b"".join(parts)

    def _begin(self) -> None:
        self._frames += 1
        if self._frames > _MAX_MEMBERS:
            raise UnpackError(f"the body is made of more than {_MAX_MEMBERS} zstd frames")
        options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
        self._frame = zstd.ZstdDecompressor(options=options)

    def finish(self) -> None:
        if self._frame is not None:
            raise CutShortError("the zstd body ends before its end mark")

"""Unpacking while streaming: whole, broken, cut, too large, in pieces of any size."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import unpack
from feeds.unpack import ACCEPT_ENCODING, CutShortError, TooLargeError, Unpacker, UnpackError

BODY = b"".join(b"<item>%d</item>" % n for n in range(3000))


def pack(body: bytes, coding: str) -> bytes:
    if coding == "gzip":
        return gzip.compress(body)
    if coding == "deflate":
        return zlib.compress(body)
    if coding == "br":
        return brotli.compress(body)
    compressed: bytes = unpack.zstd.compress(body)
    return compressed


CODINGS = ["gzip", "deflate", "br", *(["zstd"] if unpack.zstd else [])]


def run(encoding: str, packed: bytes, *, limit: int = 10_000_000, piece: int = 1000) -> bytes:
    unpacker = Unpacker(encoding, limit=limit)
    body = b"".join(unpacker.unpack(packed[n : n + piece]) for n in range(0, len(packed), piece))
    unpacker.finish()
    return body


def test_we_offer_exactly_what_we_unpack() -> None:
    assert ACCEPT_ENCODING.split(", ") == CODINGS


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.binary(max_size=4000), piece=st.integers(1, 300))
@settings(max_examples=40)
def test_what_was_packed_comes_out_whatever_the_pieces(coding: str, body: bytes, piece: int) -> None:
    assert run(coding, pack(body, coding), piece=piece) == body


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_body_cut_short_is_noticed(coding: str, lost: int) -> None:
    with pytest.raises(UnpackError):
        run(coding, pack(BODY, coding)[:-lost])


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_exact(coding: str) -> None:
    packed = pack(BODY, coding)
    assert run(coding, packed, limit=len(BODY)) == BODY
    with pytest.raises(TooLargeError):
        run(coding, packed, limit=len(BODY) - 1)


@pytest.mark.parametrize("coding", CODINGS)
def test_garbage_is_named(coding: str) -> None:
    with pytest.raises(UnpackError):
        run(coding, (b"\x1f\x8b" if coding == "gzip" else b"") + b"\xff" * 99)


def test_two_codings_come_off_in_reverse_order_and_three_are_refused() -> None:
    assert run("deflate, gzip", gzip.compress(zlib.compress(BODY))) == BODY
    with pytest.raises(UnpackError, match="more than twice"):
        Unpacker("gzip, gzip, gzip", limit=1)


def test_a_bomb_inside_a_bomb_stops_at_the_limit() -> None:
    inner = gzip.compress(b"0" * 20_000_000)
    with pytest.raises(TooLargeError):
        run("gzip, gzip", gzip.compress(inner), limit=100_000)


def test_gzip_members_join_and_padding_after_them_is_ignored() -> None:
    assert run("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 512, piece=7) == b"one two"


def test_a_flood_of_empty_members_is_refused() -> None:
    with pytest.raises(UnpackError, match="members"):
        run("gzip", gzip.compress(b"") * 1000)


def test_raw_deflate_is_read_too() -> None:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert run("deflate", stream.compress(BODY) + stream.flush()) == BODY


@pytest.mark.parametrize("label", ["", "identity", "none", "UTF-8", "gzip"])
def test_plain_bytes_pass_even_when_announced_as_gzip(label: str) -> None:
    assert run(label, BODY, piece=1) == BODY


def test_gzip_that_nobody_announced_is_unpacked() -> None:
    assert run("", gzip.compress(BODY), piece=1) == BODY


def test_an_unknown_coding_is_refused_before_a_byte_is_read() -> None:
    with pytest.raises(UnpackError, match="compress"):
        Unpacker("compress", limit=1)


def test_the_end_of_an_empty_body_is_no_cut() -> None:
    for coding in CODINGS:
        Unpacker(coding, limit=1).finish()
    with pytest.raises(CutShortError):
        run("gzip", gzip.compress(BODY)[:-1])

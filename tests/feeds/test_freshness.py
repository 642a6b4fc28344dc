"""What headers say about time, in every form servers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.freshness import (
    RETRY_AFTER_CAP,
    Freshness,
    condition_headers,
    parse_http_date,
    read_freshness,
    read_headers,
    read_retry_after,
    read_validators,
    renew_freshness,
    renew_validators,
)
from feeds.model import Validators

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
LATER = "Sun, 22 Nov 2026 13:00:00 GMT"
HOUR = timedelta(hours=1)

FRESHNESS = [
    ({}, None),
    ({"cache-control": "max-age=3600"}, HOUR),
    ({"cache-control": 'max-age="3600"'}, HOUR),
    ({"cache-control": "MAX-AGE = 3600"}, HOUR),
    ({"cache-control": "public,max-age=3600,stale-while-revalidate=60"}, HOUR),
    ({"cache-control": "max-age=3600, max-age=60"}, HOUR),
    ({"cache-control": "max-age=0"}, timedelta(0)),
    ({"cache-control": "max-age=-5"}, timedelta(0)),
    ({"cache-control": "max-age=soon"}, timedelta(0)),
    ({"cache-control": "max-age=3600.5"}, timedelta(0)),
    ({"cache-control": "max-age"}, timedelta(0)),
    ({"cache-control": "max-age=٣٦٠٠"}, timedelta(0)),
    ({"cache-control": "max-age=" + "9" * 400}, timedelta(seconds=2**31)),
    ({"cache-control": "no-store, max-age=3600"}, None),
    ({"cache-control": "max-age=3600, no-cache"}, None),
    ({"cache-control": 'max-age=3600, no-cache="set-cookie"'}, HOUR),
    ({"cache-control": "s-maxage=9, private"}, None),
    ({"cache-control": 'x="max-age=9", max-age=3600'}, HOUR),
    ({"cache-control": "max-age=3600", "expires": "0"}, HOUR),
    ({"cache-control": "max-age=3600", "age": "600"}, timedelta(minutes=50)),
    ({"cache-control": "max-age=3600", "age": "7200"}, timedelta(0)),
    ({"cache-control": "max-age=3600", "age": "old"}, HOUR),
    ({"cache-control": "max-age=3600", "age": "-3"}, HOUR),
    ({"expires": LATER, "date": DATE}, HOUR),
    ({"expires": LATER, "date": DATE, "age": "60"}, timedelta(minutes=59)),
    ({"expires": DATE, "date": LATER}, timedelta(0)),
    ({"expires": "0"}, timedelta(0)),
    ({"expires": "-1", "date": DATE}, timedelta(0)),
    ({"expires": "Sunday, 22-Nov-26 13:00:00 GMT", "date": "Sun Nov 22 12:00:00 2026"}, HOUR),
    ({"expires": LATER}, timedelta(0)),
]


@pytest.mark.parametrize(("headers", "fresh_for"), FRESHNESS)
def test_freshness_follows_rfc_9111(headers: dict[str, str], fresh_for: timedelta | None) -> None:
    assert read_freshness(headers).fresh_for == fresh_for


def test_a_bare_304_begins_the_stored_lifetime_anew_and_a_stated_one_replaces_it() -> None:
    assert renew_freshness(HOUR, read_freshness({"age": "60"})).fresh_for == timedelta(minutes=59)
    assert renew_freshness(HOUR, read_freshness({"cache-control": "max-age=60"})).fresh_for == timedelta(
        minutes=1
    )
    assert renew_freshness(HOUR, read_freshness({"cache-control": "no-cache"})).fresh_for is None
    assert renew_freshness(None, Freshness()).fresh_for is None


RETRY = [
    ("120", timedelta(minutes=2)),
    (" 120 ", timedelta(minutes=2)),
    ("0", timedelta(0)),
    (LATER, HOUR),
    ("Sunday, 22-Nov-26 13:00:00 GMT", HOUR),
    ("Sun Nov 22 13:00:00 2026", HOUR),
    ("Sat, 21 Nov 2026 00:00:00 GMT", timedelta(0)),
    ("", None),
    ("soon", None),
    ("-5", None),
    ("1.5", None),
    ("120, 60", None),
    (str(30 * 86400), timedelta(days=30)),
    ("99999999999999999999", RETRY_AFTER_CAP),
    ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_CAP),
]


@pytest.mark.parametrize(("value", "wait"), RETRY)
def test_retry_after_in_every_form(value: str, wait: timedelta | None) -> None:
    assert read_retry_after({"retry-after": value}, now=NOW) == wait


def test_a_retry_date_is_measured_by_the_clock_of_the_server() -> None:
    skewed = {"retry-after": "Sun, 22 Nov 2026 03:30:00 GMT", "date": "Sun, 22 Nov 2026 03:00:00 GMT"}
    assert read_retry_after(skewed, now=NOW) == timedelta(minutes=30)


A, B = Validators(etag='"a"', last_modified=DATE), Validators(etag='"b"', last_modified=LATER)

RENEWALS = [
    ("a bare 304 keeps both", A, {}, A),
    (
        "the same ETag and a moved date: the date moves",
        A,
        {"etag": '"a"', "last-modified": LATER},
        ('"a"', LATER),
    ),
    (
        "a moved date alone: If-None-Match was answered, so the ETag stays",
        A,
        {"last-modified": LATER},
        ('"a"', LATER),
    ),
    ("another ETag alone: the old date is not kept beside it", A, {"etag": '"b"'}, ('"b"', None)),
    ("another ETag with its date", A, {"etag": '"b"', "last-modified": LATER}, B),
    ("an ETag where we had none", Validators(last_modified=DATE), {"etag": '"b"'}, ('"b"', None)),
    ("empty values are none", A, {"etag": "", "last-modified": ""}, A),
]


@pytest.mark.parametrize(("promise", "stored", "headers", "expected"), RENEWALS)
def test_a_304_renews_validators(promise, stored, headers, expected) -> None:
    if isinstance(expected, tuple):
        expected = Validators(etag=expected[0], last_modified=expected[1])
    assert renew_validators(stored, headers) == expected, promise


def test_a_200_never_mixes_its_validators_with_older_ones() -> None:
    assert read_validators({"last-modified": LATER}) == Validators(last_modified=LATER)
    assert condition_headers(Validators()) == {}


def test_repeated_headers_join_except_those_of_which_one_counts() -> None:
    raw = [
        (b"Cache-Control", b"public"),
        (b"cache-control", b"max-age=5"),
        (b"ETag", b'"1"'),
        (b"etag", b'"2"'),
    ]
    assert read_headers(raw) == {"cache-control": "public, max-age=5", "etag": '"1"'}


def test_a_control_character_is_never_sent_back() -> None:
    assert read_validators({"etag": '"a\r\nX: y"', "last-modified": "a\x00"}) == Validators()


@given(
    st.dictionaries(
        st.sampled_from(["cache-control", "age", "expires", "date", "retry-after"]), st.text(max_size=60)
    )
)
def test_no_header_however_strange_raises_or_gives_a_negative_time(headers: dict[str, str]) -> None:
    fresh_for = read_freshness(headers).fresh_for
    assert fresh_for is None or fresh_for >= timedelta(0)
    wait = read_retry_after(headers, now=NOW)
    assert wait is None or timedelta(0) <= wait <= RETRY_AFTER_CAP


@given(st.integers(0, 7_000_000_000))
def test_an_http_date_is_read_as_written(seconds: int) -> None:
    when = datetime.fromtimestamp(seconds, UTC)
    assert parse_http_date(format_datetime(when, usegmt=True)) == when

"""What the head of an answer means, where no server is needed to tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feeds.answers import Answer, Follow, ReadBody, choose_validators, decide_answer, find_challenge
from feeds.model import Validators
from feeds.outcomes import NO_VALIDATORS, Exchange, FetchRequest, Gone, NotModified, Throttled
from feeds.wire import follow_location, wire_url

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOTH = Validators(etag='"1"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT")
URL = "https://a.example/feed"


def decide(status: int, *, url: str = URL, conditional: bool = True, **headers: str) -> object:
    request = FetchRequest(url=url, validators=BOTH)
    exchange = Exchange(url=url, final_url=url, status=status)
    answer = Answer(status=status, headers=headers, url=url, conditional=conditional)
    return decide_answer(answer, request, exchange, now=NOW)


@pytest.mark.parametrize(
    ("url", "status", "location", "target", "permanent"),
    [
        ("http://a.example/", 301, "https://a.example/", "https://a.example/", True),
        ("http://a.example/x/y", 308, "../z?q#f", "http://a.example/z?q", True),
        ("http://a.example/", 302, "/b", "http://a.example/b", False),
        ("http://a.example/", 307, "//b.example", "http://b.example/", False),
        # What was encrypted is followed, but never remembered as plain.
        ("https://a.example/", 301, "http://a.example/", "http://a.example/", False),
        (
            "http://a.example/",
            301,
            "/новости",
            "http://a.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8",
            True,
        ),
    ],
)
def test_where_a_redirect_leads_and_whether_for_good(url, status, location, target, permanent) -> None:
    assert decide(status, url=url, location=location) == Follow(url=target, permanent=permanent)


@pytest.mark.parametrize(
    ("came_from", "hop", "first", "sent"),
    [
        ("", URL, True, True),
        ("", "https://b.example/x", False, True),
        (URL, URL, True, True),
        (URL + "?token=2", URL + "?token=1", False, True),
        ("https://a.example/new", URL, True, True),
        ("https://a.example/new", URL, False, False),
        ("https://b.example/new", URL, True, False),
        ("https://b.example/new", "https://b.example/new", False, True),
        ("https://b.example/new", "https://b.example/other", False, False),
    ],
)
def test_validators_go_to_where_they_came_from(came_from, hop, first, sent) -> None:
    request = FetchRequest(url=URL, validators=BOTH, validators_url=came_from)
    assert choose_validators(request, hop, first=first) == (BOTH if sent else NO_VALIDATORS)


def test_each_kind_of_answer_is_told_apart() -> None:
    assert isinstance(decide(200), ReadBody)
    assert isinstance(decide(203), ReadBody)
    assert isinstance(decide(304), NotModified)
    assert isinstance(decide(410), Gone)
    assert isinstance(decide(429), Throttled)
    assert isinstance(decide(503), Throttled)


def test_challenges_are_known_by_their_headers_only() -> None:
    assert find_challenge(403, {"cf-mitigated": "challenge"}) == "Cloudflare"
    assert find_challenge(403, {"cf-mitigated": "other"}) is None
    assert find_challenge(403, {"server": "cloudflare"}) is None
    assert find_challenge(200, {"server": "ddos-guard"}) is None


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("HTTP://A.Example:80", "http://a.example/"),
        ("https://a.example:443/?", "https://a.example/"),
        ("http://a.example:8080/a%2Fb%7e/../c?d=%20+e#f", "http://a.example:8080/a%2Fb%7e/../c?d=%20+e"),
        ("  http://a.example/a b|c{d}\n", "http://a.example/a%20b%7Cc%7Bd%7D"),
        ("http://новости.рф/", "http://xn--b1amnebsh.xn--p1ai/"),
        ("http://a.example./", "http://a.example./"),
        ("http://[2606:4700::1111]:81/", "http://[2606:4700::1111]:81/"),
        ("http://u:p%40@a.example/", "http://u:p%40@a.example/"),
    ],
)
def test_an_address_is_sent_as_written_where_it_may_be(url, sent) -> None:
    assert wire_url(url) == sent
    assert wire_url(sent) == sent


@pytest.mark.parametrize(
    "location", ["http://a b/", "mailto:x@y", "http://[", "javascript:alert(1)", "ftp://x/"]
)
def test_a_redirect_nowhere_is_refused(location) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        follow_location(URL, location)

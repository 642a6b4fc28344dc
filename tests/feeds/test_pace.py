"""Few requests at a time, a pause between starts, holds obeyed; in virtual time where it matters."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from feeds.guard import parse_networks
from feeds.outcomes import FailReason
from feeds.pace import HostPace, PaceRules, Sight, is_own_outage
from feeds.wire import host_key

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def take_turns(pace: HostPace, host: str, count: int, length: float = 0.0) -> tuple[list[float], int]:
    """Start times, and how many ran side by side at most."""
    loop = asyncio.get_running_loop()
    starts: list[float] = []
    running, most = 0, 0

    async def one() -> None:
        nonlocal running, most
        async with pace.turn(host):
            starts.append(loop.time())
            running += 1
            most = max(most, running)
            await asyncio.sleep(length)
            running -= 1

    await asyncio.gather(*(one() for _ in range(count)))
    return starts, most


def make_pace(**rules: object) -> HostPace:
    return HostPace(clock=lambda: NOW, rules=PaceRules(**rules), allowed=parse_networks(["127.0.0.0/8"]))


async def test_starts_at_a_public_host_keep_their_distance() -> None:
    starts, most = await take_turns(make_pace(gap=timedelta(milliseconds=20)), "news.example", 6)
    assert all(later - earlier >= 0.019 for earlier, later in pairwise(starts))
    assert most <= 2


async def test_at_most_two_run_side_by_side_however_long_they_take() -> None:
    _, most = await take_turns(make_pace(gap=timedelta(0)), "news.example", 8, length=0.01)
    assert most == 2


async def test_hosts_do_not_wait_for_each_other() -> None:
    pace = make_pace(gap=timedelta(seconds=30))
    runs = await asyncio.wait_for(
        asyncio.gather(*(take_turns(pace, f"h{n}.example", 1) for n in range(50))), 2
    )
    assert len(runs) == 50


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.5.5.5", "localhost:9"])
async def test_own_servers_get_no_pause_and_more_connections(host: str) -> None:
    pace = make_pace(gap=timedelta(seconds=30), own_parallel=5)
    _, most = await asyncio.wait_for(take_turns(pace, host, 20, length=0.005), 2)
    assert most == 5


async def test_a_name_that_leads_to_an_own_server_is_learnt() -> None:
    pace = make_pace(gap=timedelta(seconds=30))
    pace.note_address("intra.example", "127.0.0.9")
    pace.note_address("public.example", "8.8.8.8")
    await asyncio.wait_for(take_turns(pace, "intra.example", 10), 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take_turns(pace, "public.example", 2), 0.05)


async def test_a_crawl_delay_lengthens_the_pause_and_never_shortens_it() -> None:
    pace = make_pace(gap=timedelta(milliseconds=10))
    pace.slow_down("a.example", timedelta(milliseconds=40))
    pace.slow_down("b.example", timedelta(milliseconds=1))
    slow, _ = await take_turns(pace, "a.example", 2)
    quick, _ = await take_turns(pace, "b.example", 2)
    assert slow[1] - slow[0] >= 0.039
    assert quick[1] - quick[0] >= 0.009


def test_a_hold_ends_by_itself_and_is_never_shortened() -> None:
    time = [NOW]
    pace = HostPace(clock=lambda: time[0])
    pace.hold_for("a.example", timedelta(hours=2))
    pace.hold_for("a.example", timedelta(minutes=1))
    assert pace.held_until("a.example") == NOW + timedelta(hours=2)
    assert pace.held_until("b.example") is None
    other = HostPace(clock=lambda: time[0])
    other.restore(pace.holds())
    assert other.held_until("a.example") == NOW + timedelta(hours=2)
    time[0] += timedelta(hours=2)
    assert other.held_until("a.example") is None
    assert pace.holds() == {}


def test_a_429_without_a_time_rests_a_public_host_only() -> None:
    pace = make_pace()
    pace.hold_for("news.example", None)
    pace.hold_for("127.0.0.1:80", None)
    assert pace.holds() == {"news.example": NOW + timedelta(minutes=5)}


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://News.Example/feed", "news.example"),
        ("https://news.example:443/feed", "news.example"),
        ("http://user:pw@news.example:8080/x", "news.example:8080"),
        ("http://новости.рф/", "xn--b1amnebsh.xn--p1ai"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("nonsense", ""),
    ],
)
def test_a_host_has_one_name(url: str, key: str) -> None:
    assert host_key(url) == key


def sights(*seen: tuple[str, FailReason | None]) -> list[Sight]:
    """One minute apart, the last one now."""
    return [
        Sight(host=host, at=NOW - timedelta(minutes=len(seen) - 1 - n), reason=reason)
        for n, (host, reason) in enumerate(seen)
    ]


OK, DNS, LOST = None, FailReason.DNS, FailReason.CONNECT
OUTAGES = [
    ("nothing asked", [], False),
    (
        "three fall silent at once",
        [("a", OK), ("b", OK), ("a", DNS), ("b", LOST), ("c", FailReason.TIMEOUT)],
        True,
    ),
    ("two may be a coincidence", [("a", OK), ("a", DNS), ("b", DNS)], False),
    ("one host is one host", [("a", DNS)] * 9, False),
    ("somebody answers: not us", [("a", DNS), ("b", DNS), ("c", DNS), ("d", OK)], False),
    ("an error page is an answer", [("a", DNS), ("b", DNS), ("c", DNS), ("d", FailReason.HTTP_5XX)], False),
    (
        "dead hosts prove nothing",
        [("a", DNS), ("b", DNS), ("c", DNS), ("d", OK), ("a", DNS), ("b", DNS), ("c", DNS)],
        False,
    ),
    (
        "a dead host that came back counts again",
        [("a", DNS), ("a", OK), ("a", DNS), ("b", DNS), ("c", DNS)],
        True,
    ),
    ("a long outage stays one", [("a", OK), *[(host, DNS) for _ in range(50) for host in "abc"]], True),
    ("a start without network", [("a", DNS), ("b", DNS), ("c", DNS)], True),
]


@pytest.mark.parametrize(("promise", "seen", "expected"), OUTAGES)
def test_our_own_outage_is_told_from_theirs(promise, seen, expected) -> None:
    assert is_own_outage(sights(*seen), now=NOW) is expected, promise


def test_what_was_seen_yesterday_is_forgotten() -> None:
    assert not is_own_outage(sights(("a", DNS), ("b", DNS), ("c", DNS)), now=NOW + timedelta(days=2))

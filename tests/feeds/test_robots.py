"""robots.txt: what to believe in each case of RFC 9309, and how seldom to ask."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from feeds.model import Validators
from feeds.pace import HostPace, PaceRules
from feeds.robots import RobotsCache, RobotsFile, decide_verdict, robots_url

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = b"User-agent: *\nDisallow: /private\n\nUser-agent: Vestnik\nDisallow: /no-vestnik\nCrawl-delay: 7\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
TROUBLE = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(start_site):
    return await start_site()


@pytest.fixture
async def cache(start_fetcher, clock):
    return RobotsCache(fetcher=await start_fetcher(clock=clock), clock=clock)


async def test_our_own_group_counts_and_its_delay_is_heard(cache, site, answer):
    site.routes["/robots.txt"] = answer(RULES)
    assert (await cache.check(site.url("/private/news"))).allowed
    verdict = await cache.check(site.url("/no-vestnik/news"))
    assert not verdict.allowed
    assert "Vestnik" in verdict.detail
    assert verdict.crawl_delay == timedelta(seconds=7)
    assert site.paths() == ["/robots.txt"]
    assert site.header("User-Agent") == "Vestnik/1.0 (+https://example.org/bot)"


async def test_the_file_is_kept_a_day_then_asked_for_conditionally(cache, clock, site, answer):
    site.routes["/robots.txt"] = lambda head: (
        b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
        if "If-None-Match" in head
        else answer(RULES, 'ETag: "1"')
    )
    await cache.check(site.url("/a"))
    clock.now += timedelta(hours=23)
    await cache.check(site.url("/a"))
    assert len(site.requests) == 1
    clock.now += timedelta(hours=2)
    assert not (await cache.check(site.url("/no-vestnik"))).allowed
    assert site.header("If-None-Match") == '"1"'
    assert len(site.requests) == 2


async def test_a_restart_asks_nobody_anew(cache, clock, start_fetcher, site, answer):
    site.routes["/robots.txt"] = answer(RULES)
    await cache.check(site.url("/a"))
    other = RobotsCache(fetcher=await start_fetcher(clock=clock), clock=clock)
    other.restore(json.loads(json.dumps(cache.dump())))
    assert not (await other.check(site.url("/no-vestnik"))).allowed
    assert len(site.requests) == 1


@pytest.mark.parametrize("raw", [MISSING, MISSING.replace(b"404", b"403"), MISSING.replace(b"404", b"410")])
async def test_a_missing_file_allows_everything(raw, cache, site):
    site.routes["/robots.txt"] = raw
    assert (await cache.check(site.url("/private"))).allowed


async def test_an_empty_file_allows_everything(cache, site, answer):
    site.routes["/robots.txt"] = answer(b"")
    assert (await cache.check(site.url("/private"))).allowed


async def test_a_site_in_trouble_is_left_alone_then_asked_again_hourly(cache, clock, site, answer):
    site.routes["/robots.txt"] = TROUBLE
    verdict = await cache.check(site.url("/a"))
    assert not verdict.allowed
    assert "robots.txt" in verdict.detail
    await cache.check(site.url("/a"))
    assert len(site.requests) == 1
    clock.now += timedelta(hours=1, seconds=1)
    site.routes["/robots.txt"] = answer(RULES)
    assert (await cache.check(site.url("/a"))).allowed


async def test_trouble_of_thirty_days_counts_as_a_missing_file(cache, clock, site):
    site.routes["/robots.txt"] = TROUBLE
    assert not (await cache.check(site.url("/a"))).allowed
    clock.now += timedelta(days=30)
    assert (await cache.check(site.url("/a"))).allowed


async def test_in_trouble_an_older_copy_still_speaks(cache, clock, site, answer):
    site.routes["/robots.txt"] = answer(RULES)
    await cache.check(site.url("/a"))
    site.routes["/robots.txt"] = TROUBLE
    clock.now += timedelta(days=2)
    assert (await cache.check(site.url("/a"))).allowed
    assert not (await cache.check(site.url("/no-vestnik"))).allowed


async def test_a_redirected_file_is_followed(cache, site, answer):
    site.routes["/robots.txt"] = answer(b"", "Location: /rules.txt", status="301 Moved")
    site.routes["/rules.txt"] = answer(RULES)
    assert not (await cache.check(site.url("/no-vestnik"))).allowed


async def test_many_pages_at_once_ask_once(cache, site, answer):
    site.routes["/robots.txt"] = answer(RULES)
    await asyncio.gather(*(cache.check(site.url(f"/{n}")) for n in range(20)))
    assert len(site.requests) == 1


async def test_a_huge_file_is_read_to_500_kib_beside_the_loop(cache, site, answer):
    lines = b"User-agent: *\n" + b"".join(b"Disallow: /x%05d\n" % n for n in range(60_000))
    site.routes["/robots.txt"] = answer(lines)
    assert not (await cache.check(site.url("/x00007"))).allowed
    assert (await cache.check(site.url("/x59999"))).allowed


async def test_the_crawl_delay_slows_the_host_down(start_fetcher, clock, site, answer):
    pace = HostPace(clock=clock, rules=PaceRules(gap=timedelta(milliseconds=1)))
    fetcher = await start_fetcher(clock=clock, pace=pace)
    site.routes["/robots.txt"] = answer(RULES.replace(b"7", b"0.05"))
    cache = RobotsCache(fetcher=fetcher, clock=clock)
    await cache.check(site.url("/a"))
    loop = asyncio.get_running_loop()
    starts = []
    for _ in range(2):
        async with pace.turn(f"127.0.0.1:{site.port}"):
            starts.append(loop.time())
    assert starts[1] - starts[0] >= 0.049


def test_garbage_allows_everything() -> None:
    for text in ("<html>login</html>", "\x00\xff", "Disallow: /", "User-agent\nDisallow /"):
        file = RobotsFile(text=text, answered_at=NOW, expires_at=NOW)
        assert decide_verdict(file, "http://a.example/x", "Vestnik/1.0", now=NOW).allowed


def test_an_absurd_crawl_delay_is_capped() -> None:
    file = RobotsFile(text="User-agent: *\nCrawl-delay: 86400\n", answered_at=NOW, expires_at=NOW)
    verdict = decide_verdict(file, "http://a.example/x", "Vestnik/1.0", now=NOW)
    assert verdict.crawl_delay == timedelta(minutes=1)


async def test_an_address_that_cannot_be_fetched_is_no_question_for_robots(cache) -> None:
    verdict = await cache.check("ftp://a.example/")
    assert not verdict.allowed
    assert "scheme" in verdict.detail


def test_the_rules_live_at_the_root_of_the_origin() -> None:
    assert robots_url("https://user:pw@a.example:8443/x/y?z") == "https://a.example:8443/robots.txt"
    assert RobotsFile(expires_at=NOW).validators == Validators()

"""One fetch against real servers on loopback: what is sent, what is believed, where it stops."""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import ssl
import subprocess
import zlib
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from feeds.fetch import (
    FailReason,
    Fetched,
    FetchFailed,
    FetchLimits,
    FetchRequest,
    Gone,
    NotModified,
    Throttled,
)
from feeds.model import Validators
from feeds.pace import HostPace, PaceRules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOTH = Validators(etag='W/"a-1"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT")


async def ask(fetcher, site, path="/", **options):
    return await fetcher.fetch(FetchRequest(url=site.url(path), **options))


@pytest.fixture
async def fetcher(start_fetcher):
    return await start_fetcher(clock=lambda: NOW)


@pytest.fixture
async def site(start_site):
    return await start_site()


# What we send


async def test_a_plain_request_names_us_and_carries_nothing_else(fetcher, site, answer):
    site.routes["/feed?a=%2F&b=%D0%BF"] = answer()
    outcome = await ask(fetcher, site, "/feed?a=%2F&b=%D0%BF#comments")
    assert isinstance(outcome, Fetched)
    names = {line.partition(":")[0].lower() for line in site.requests[0].split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}
    assert site.header("User-Agent") == "Vestnik/1.0 (+https://example.org/bot)"
    assert "gzip" in site.header("Accept-Encoding")
    assert site.requests[0].startswith("GET /feed?a=%2F&b=%D0%BF HTTP/1.1\r\n")


async def test_only_what_may_not_stand_in_a_request_line_is_quoted(fetcher, site, answer):
    path = "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/a%20b/..;x=~'%7e"
    site.routes[path] = answer()
    outcome = await ask(fetcher, site, "/новости/a b/..;x=~'%7e")
    assert isinstance(outcome, Fetched)
    assert site.paths() == [path]


@pytest.mark.parametrize(
    ("etag", "modified"),
    [
        ('W/"a-1"', "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("no quotes at all", None),
        ('"é; , \\"', None),
        (None, "yesterday, more or less"),
        ('"x--gzip"', "1"),
    ],
)
async def test_validators_travel_byte_for_byte_from_answer_to_request(etag, modified, fetcher, site, answer):
    headers = [f"ETag: {etag}"] * bool(etag) + [f"Last-Modified: {modified}"] * bool(modified)
    site.routes["/"] = answer(b"<rss/>", *headers)
    first = await ask(fetcher, site)
    await ask(fetcher, site, validators=first.validators)
    assert site.header("If-None-Match", 0) is None
    assert site.header("If-Modified-Since", 0) is None
    assert site.header("If-None-Match") == etag
    assert site.header("If-Modified-Since") == modified


async def test_an_etag_we_could_not_repeat_exactly_is_not_kept(fetcher, site, answer):
    site.routes["/"] = answer(
        b"<rss/>", 'ETag: "\udcff\udce9"', "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT"
    )
    outcome = await ask(fetcher, site)
    assert outcome.validators == Validators(last_modified="Sun, 22 Nov 2026 10:00:00 GMT")


async def test_cookies_are_never_sent_back(fetcher, site, answer):
    site.routes["/"] = answer(b"<rss/>", "Set-Cookie: session=1; Path=/")
    await ask(fetcher, site)
    await ask(fetcher, site)
    assert site.header("Cookie") is None


# What we believe


async def test_a_body_comes_with_all_its_facts(fetcher, site, answer):
    site.routes["/"] = answer(
        "<rss>новости</rss>".encode(),
        "Content-Type: application/rss+xml; charset=utf-8",
        'ETag: "e"',
        "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT",
        "Cache-Control: public, max-age=3600",
        "Age: 600",
        "Link: <https://hub.example/>; rel=hub",
        "Link: </self>; rel=self",
    )
    outcome = await ask(fetcher, site)
    assert outcome.body.decode() == "<rss>новости</rss>"
    assert outcome.content_type == "application/rss+xml; charset=utf-8"
    assert outcome.validators == Validators(etag='"e"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT")
    assert outcome.freshness.lifetime == timedelta(hours=1)
    assert outcome.freshness.fresh_for == timedelta(minutes=50)
    assert outcome.headers["link"] == "<https://hub.example/>; rel=hub, </self>; rel=self"
    exchange = outcome.exchange
    assert (exchange.status, exchange.requests, exchange.redirects) == (200, 1, ())
    assert exchange.raw_bytes == len(outcome.body)
    assert exchange.elapsed > timedelta(0)


async def test_a_304_renews_validators_and_freshness(fetcher, site):
    site.routes["/"] = (
        b"HTTP/1.1 304 Not Modified\r\nLast-Modified: Sun, 22 Nov 2026 11:00:00 GMT\r\n"
        b'ETag: W/"a-1"\r\nCache-Control: max-age=7200\r\n\r\n'
    )
    outcome = await ask(fetcher, site, validators=BOTH)
    assert isinstance(outcome, NotModified)
    assert outcome.validators == Validators(etag='W/"a-1"', last_modified="Sun, 22 Nov 2026 11:00:00 GMT")
    assert outcome.freshness.fresh_for == timedelta(hours=2)


async def test_a_bare_304_keeps_validators_and_begins_the_stored_lifetime_anew(fetcher, site):
    site.routes["/"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    outcome = await ask(fetcher, site, validators=BOTH, lifetime=timedelta(days=2))
    assert outcome.validators == BOTH
    assert outcome.freshness.fresh_for == timedelta(days=2)


async def test_a_304_nobody_asked_for_is_a_failure(fetcher, site):
    site.routes["/"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    outcome = await ask(fetcher, site)
    assert outcome.reason is FailReason.NOT_MODIFIED_UNASKED


async def test_http_1_0_without_a_length_is_read_to_its_end(fetcher, site):
    site.routes["/"] = b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss/>"
    assert (await ask(fetcher, site)).body == b"<rss/>"


async def test_a_chunked_body_is_put_together(fetcher, site):
    site.routes["/"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<rss\r\n2\r\n/>\r\n0\r\n\r\n"
    )
    assert (await ask(fetcher, site)).body == b"<rss/>"


STATUSES = [
    ("401 Unauthorized", FailReason.HTTP_401),
    ("403 Forbidden", FailReason.HTTP_403),
    ("404 Not Found", FailReason.HTTP_404),
    ("418 Teapot", FailReason.HTTP_4XX),
    ("500 Oops", FailReason.HTTP_5XX),
    ("502 Bad Gateway", FailReason.HTTP_5XX),
    ("206 Partial", FailReason.HTTP_OTHER),
    ("300 Choices", FailReason.HTTP_OTHER),
]


@pytest.mark.parametrize(("status", "reason"), STATUSES)
async def test_each_refusal_has_its_name_and_words(status, reason, fetcher, site, answer):
    site.routes["/"] = answer(b"x", status=status)
    outcome = await ask(fetcher, site)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason is reason
    assert outcome.exchange.status == int(status[:3])
    assert status[:3] in outcome.detail


async def test_410_is_its_own_end(fetcher, site, answer):
    site.routes["/"] = answer(b"", status="410 Gone")
    assert isinstance(await ask(fetcher, site), Gone)


CHALLENGES = [
    ("403 Forbidden", "cf-mitigated: challenge"),
    ("503 Busy", "CF-Mitigated: challenge"),
    ("202 Accepted", "x-amzn-waf-action: challenge"),
    ("403 Forbidden", "Server: ddos-guard"),
    ("403 Forbidden", "X-DataDome: protected"),
]


@pytest.mark.parametrize(("status", "header"), CHALLENGES)
async def test_a_bot_check_is_not_taken_for_a_plain_refusal(status, header, fetcher, site, answer):
    site.routes["/"] = answer(b"<html>", header, status=status)
    assert (await ask(fetcher, site)).reason is FailReason.CHALLENGE


async def test_a_site_behind_ddos_guard_that_lets_us_in_is_just_read(fetcher, site, answer):
    site.routes["/"] = answer(b"<rss/>", "Server: ddos-guard")
    assert isinstance(await ask(fetcher, site), Fetched)


# Throttling


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
async def test_retry_after_holds_the_whole_host_without_another_request(status, fetcher, site, answer):
    site.routes["/a"] = answer(b"", "Retry-After: 120", "Cache-Control: max-age=60", status=status)
    site.routes["/b"] = answer()
    first = await ask(fetcher, site, "/a")
    assert isinstance(first, Throttled)
    assert first.retry_after == timedelta(seconds=120)
    assert first.freshness.fresh_for == timedelta(seconds=60)
    second = await ask(fetcher, site, "/b")
    assert isinstance(second, Throttled)
    assert (second.exchange.status, second.exchange.requests) == (None, 0)
    assert second.host == f"127.0.0.1:{site.port}"
    assert site.paths() == ["/a"]


async def test_a_restored_hold_is_obeyed_after_a_restart(start_fetcher, site, answer):
    site.routes["/"] = answer()
    time = [NOW]
    pace = HostPace(clock=lambda: time[0], rules=PaceRules(gap=timedelta(0)))
    pace.restore({f"127.0.0.1:{site.port}": NOW + timedelta(hours=1)})
    fetcher = await start_fetcher(clock=lambda: time[0], pace=pace)
    assert isinstance(await ask(fetcher, site), Throttled)
    time[0] = NOW + timedelta(hours=1, seconds=1)
    assert isinstance(await ask(fetcher, site), Fetched)
    assert pace.holds() == {}


# Redirects


async def test_redirects_are_followed_without_referer_and_remembered(fetcher, site, answer):
    site.routes["/a"] = answer(b"", "Location: /b#x", status="301 Moved")
    site.routes["/b"] = answer(b"", f"Location: {site.url('/c')}", status="308 Permanent")
    site.routes["/c"] = answer(b"<rss/>")
    outcome = await ask(fetcher, site, "/a", validators=BOTH)
    assert outcome.exchange.final_url == site.url("/c")
    assert outcome.exchange.permanent_url == site.url("/c")
    assert outcome.exchange.redirects == ((301, site.url("/b")), (308, site.url("/c")))
    assert outcome.exchange.requests == 3
    assert not any("referer" in request.lower() for request in site.requests)


@pytest.mark.parametrize("status", ["302 Found", "303 See", "307 Temporary"])
async def test_a_temporary_redirect_is_not_remembered_but_a_permanent_one_before_it_is(
    status, fetcher, site, answer
):
    site.routes["/old"] = answer(b"", "Location: /new", status="301 Moved")
    site.routes["/new"] = answer(b"", "Location: /mirror", status=status)
    site.routes["/mirror"] = answer()
    assert (await ask(fetcher, site, "/new")).exchange.permanent_url is None
    assert (await ask(fetcher, site, "/old")).exchange.permanent_url == site.url("/new")


async def test_a_loop_and_an_endless_chain_are_stopped(fetcher, site, answer):
    site.routes["/a"] = answer(b"", "Location: /b", status="302 Found")
    site.routes["/b"] = answer(b"", "Location: /a", status="302 Found")
    for n in range(20):
        site.routes[f"/{n}"] = answer(b"", f"Location: /{n + 1}", status="302 Found")
    assert (await ask(fetcher, site, "/a")).reason is FailReason.REDIRECT_LOOP
    assert len(site.requests) == 2
    endless = await ask(fetcher, site, "/0")
    assert endless.reason is FailReason.TOO_MANY_REDIRECTS
    assert endless.exchange.requests == 6


@pytest.mark.parametrize(
    "location", ["", "Location: ", "Location: ftp://x/", "Location: http://[", "Location: javascript:1"]
)
async def test_a_redirect_to_nowhere_is_named(location, fetcher, site, answer):
    site.routes["/"] = answer(b"", *[location] * bool(location), status="302 Found")
    assert (await ask(fetcher, site)).reason is FailReason.BAD_REDIRECT


async def test_validators_of_one_place_are_not_sent_to_another(fetcher, start_site, site, answer):
    old, new = await start_site(), await start_site()
    site.routes["/"] = answer(b"", f"Location: {new.url('/feed')}", status="302 Found")
    new.routes["/feed"] = answer()
    await ask(fetcher, site, validators=BOTH, validators_url=old.url("/feed"))
    assert new.header("If-None-Match") is None
    await ask(fetcher, site, validators=BOTH, validators_url=new.url("/feed?token=1"))
    assert new.header("If-None-Match") == BOTH.etag


async def test_credentials_a_redirect_invents_are_not_sent_to_another_host(fetcher, start_site, site, answer):
    other = await start_site("127.0.0.2")
    other.routes["/"] = answer()
    site.routes["/"] = answer(b"", f"Location: http://user:pass@127.0.0.2:{other.port}/", status="302 Found")
    assert isinstance(await ask(fetcher, site), Fetched)
    assert other.header("Authorization") is None


async def test_credentials_of_the_configured_address_are_sent(fetcher, site, answer):
    site.routes["/"] = answer()
    outcome = await fetcher.fetch(FetchRequest(url=site.url().replace("http://", "http://user:p%40ss@")))
    assert isinstance(outcome, Fetched)
    assert site.header("Authorization") == "Basic dXNlcjpwQHNz"


# Limits


def encode(body: bytes, coding: str) -> bytes:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return {
        "gzip": lambda: gzip.compress(body),
        "x-gzip": lambda: gzip.compress(body),
        "deflate": lambda: zlib.compress(body),
        "raw deflate": lambda: raw.compress(body) + raw.flush(),
        "br": lambda: brotli.compress(body),
    }[coding]()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "br"])
async def test_a_packed_body_is_unpacked(coding, fetcher, site, answer):
    body = b"<rss>" + b"news " * 9000 + b"</rss>"
    packed = encode(body, coding)
    site.routes["/"] = answer(packed, f"Content-Encoding: {coding.removeprefix('raw ')}")
    outcome = await ask(fetcher, site)
    assert outcome.body == body
    assert outcome.exchange.raw_bytes == len(packed)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_bomb_stops_at_the_limit(coding, start_fetcher, site, answer):
    fetcher = await start_fetcher(limits=FetchLimits(body_bytes=100_000))
    site.routes["/"] = answer(encode(b"0" * 50_000_000, coding), f"Content-Encoding: {coding}")
    outcome = await ask(fetcher, site)
    assert outcome.reason is FailReason.TOO_LARGE
    assert "100000" in outcome.detail


async def test_a_body_announced_or_sent_too_large_is_not_read_on(start_fetcher, site, answer):
    fetcher = await start_fetcher(limits=FetchLimits(raw_bytes=1000))
    site.routes["/announced"] = answer(b"x" * 1001)
    site.routes["/sent"] = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500_000
    for path in ("/announced", "/sent"):
        outcome = await ask(fetcher, site, path)
        assert outcome.reason is FailReason.TOO_LARGE
        assert outcome.exchange.raw_bytes <= 200_000


BROKEN = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss", FailReason.TRUNCATED),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n<rss", FailReason.TRUNCATED),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FailReason.EMPTY),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n \r\n", FailReason.EMPTY),
    (b"HTTP/1.1 204 No Content\r\n\r\n", FailReason.HTTP_OTHER),
    (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: compress\r\nContent-Length: 3\r\n\r\nabc",
        FailReason.BAD_ENCODING,
    ),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n" + b"\xff" * 99, FailReason.BAD_ENCODING),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\n\r\nabc", FailReason.BAD_ANSWER),
    (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 2000 + b"\r\nabc", FailReason.BAD_ANSWER),
    (b"SSH-2.0-OpenSSH_9.6\r\n", FailReason.BAD_ANSWER),
    (b"", FailReason.DISCONNECTED),
]


@pytest.mark.parametrize(("raw", "reason"), BROKEN)
async def test_a_broken_answer_ends_as_a_named_failure(raw, reason, fetcher, site):
    site.routes["/"] = raw
    outcome = await ask(fetcher, site)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason is reason
    assert outcome.exchange.status is None or f" {outcome.exchange.status} ".encode() in raw
    assert len(site.requests) == 1, "a failure must not be asked for again at once"


async def test_a_packed_body_cut_short_is_not_taken_for_whole(fetcher, site, answer):
    for coding in ("gzip", "deflate", "br"):
        packed = encode(b"".join(b"%d " % (n * n) for n in range(9000)), coding)
        site.routes["/"] = answer(packed[:-40], f"Content-Encoding: {coding}")
        assert (await ask(fetcher, site)).reason is FailReason.TRUNCATED


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_a_slow_server_costs_no_more_than_the_limit(stage, start_fetcher, start_site, answer):
    site = await start_site()
    if stage == "head":
        site.hang.add("/")
    else:
        site.keep_open = True
        site.routes["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    fetcher = await start_fetcher(limits=FetchLimits(total=timedelta(milliseconds=150)))
    outcome = await ask(fetcher, site)
    assert outcome.reason is FailReason.TIMEOUT
    assert timedelta(milliseconds=100) < outcome.exchange.elapsed < timedelta(seconds=2)


async def test_slow_redirects_share_one_limit(start_fetcher, start_site, answer):
    site = await start_site()
    site.hang.add("/b")
    site.routes["/a"] = answer(b"", "Location: /b", status="302 Found")
    fetcher = await start_fetcher(limits=FetchLimits(total=timedelta(milliseconds=150)))
    outcome = await ask(fetcher, site, "/a")
    assert outcome.reason is FailReason.TIMEOUT
    assert outcome.exchange.final_url == site.url("/b")


# Reaching the server


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", FailReason.BAD_ADDRESS),
        ("example.org/feed", FailReason.BAD_ADDRESS),
        ("ftp://example.org/", FailReason.BAD_ADDRESS),
        ("http://", FailReason.BAD_ADDRESS),
        ("http://a b/", FailReason.BAD_ADDRESS),
        ("http://[::1/", FailReason.BAD_ADDRESS),
        ("http://" + "a" * 70 + ".example/", FailReason.BAD_ADDRESS),
        ("http://no-such-host.invalid/", FailReason.DNS),
    ],
)
async def test_an_address_that_leads_nowhere_says_so(url, reason, fetcher):
    outcome = await fetcher.fetch(FetchRequest(url=url))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason is reason


async def test_a_closed_port_is_a_failure_to_connect(fetcher, start_site):
    site = await start_site()
    closed = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    outcome = await ask(fetcher, site)
    assert outcome.reason is FailReason.CONNECT
    assert outcome.retryable


async def test_a_connection_from_the_pool_that_died_is_tried_once_more(fetcher, start_site, answer):
    """Nobody saw the first request, so asking again is not impolite."""
    site = await start_site()
    site.keep_open = True
    site.routes["/"] = answer()
    assert isinstance(await ask(fetcher, site), Fetched)
    assert isinstance(await ask(fetcher, site), Fetched)
    assert site.connections == 1


async def test_a_certificate_we_cannot_trust_is_named(fetcher, site, tmp_path, start_fetcher, answer):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl program to make a certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-keyout",
        key,
        "-out",
        cert,
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    site.routes["/"] = answer()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    outcome = await fetcher.fetch(FetchRequest(url=url))
    assert outcome.reason is FailReason.TLS
    trusting = await start_fetcher(ssl_context=ssl.create_default_context(cafile=cert))
    assert isinstance(await trusting.fetch(FetchRequest(url=url)), Fetched)
    server.close()


async def test_every_reason_has_words_an_admin_can_use(fetcher, site):
    site.routes["/"] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    outcome = await ask(fetcher, site)
    assert re.search(r"new place", outcome.detail)


async def test_many_fetches_at_once_share_one_client(fetcher, site, answer):
    site.routes["/"] = answer()
    outcomes = await asyncio.gather(*(ask(fetcher, site) for _ in range(50)))
    assert all(isinstance(each, Fetched) for each in outcomes)


async def test_cancelling_a_fetch_frees_its_turn(start_fetcher, start_site, answer):
    site = await start_site()
    site.hang.add("/slow")
    site.routes["/"] = answer()
    clock = lambda: NOW  # noqa: E731
    pace = HostPace(clock=clock, rules=PaceRules(parallel=1, gap=timedelta(0)))
    fetcher = await start_fetcher(clock=clock, pace=pace)
    task = asyncio.create_task(ask(fetcher, site, "/slow"))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert isinstance(await asyncio.wait_for(ask(fetcher, site), 2), Fetched)

"""The hosts of the scripted world: every behaviour a publisher's server is known for."""

from __future__ import annotations

from datetime import datetime, timedelta

from politeness_world import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Answer,
    Host,
    Publisher,
    Script,
    Visit,
    always,
    between,
    bomb,
    http_date,
    packed,
    page,
    redirects,
    rss,
    throttled,
    with_robots,
)

#: Our network is unreachable for ten hours on the 21st day.
OUTAGE = (20 * DAY, 20 * DAY + 10 * HOUR)
#: kill -9 in the middle, and back ten minutes later.
RESTART, DOWNTIME = 15 * DAY, 10 * MINUTE


def make_hosts(begin: datetime, port: int, closed_port: int) -> list[Host]:
    """All hosts; ``port`` serves them, nobody listens on ``closed_port``."""
    return [
        *_calm(begin),
        *_caching(begin),
        *_throttling(begin),
        *_moving(begin, port, closed_port),
        *_ailing(begin),
        *_broken(begin),
        *_hinting(begin),
        *_pages(begin),
    ]


def _host(name: str, script: Script, **options: object) -> Host:
    return Host(f"{name}.example", script, **options)  # type: ignore[arg-type]


def _calm(begin: datetime) -> list[Host]:
    return [
        _host("both", Publisher(begin)),
        _host("static", Publisher(begin, every=400 * DAY)),
        _host("busy", Publisher(begin, every=HOUR)),
        _host("etag-only", Publisher(begin, modified=False)),
        _host("modified-only", Publisher(begin, etag=None)),
        _host("weak-etag", Publisher(begin, etag='W/"{}-gzip, \\;"')),
        _host("bare-etag", Publisher(begin, etag="{}--no quotes")),
        _host("utf8-etag", Publisher(begin, etag='"версия-{}"')),
        _host("odd-date", _odd_date(begin)),
        _host("etag-moves", Publisher(begin, every=400 * DAY, etag_every=HOUR)),
        _host("date-moves", _date_moves(begin)),
        _host("no-validators", Publisher(begin, etag=None, modified=False)),
        _host("cookies", Publisher(begin, headers=(("Set-Cookie", "id=1; Path=/"),))),
        _host("packed", packed(Publisher(begin))),
        _host("exact", Publisher(begin), path="/feed.php?a=%2f&b=%D0%9F;c=~'&d#latest"),
        _host("http10", _http10(begin)),
        _host("future-date", _future_date(begin)),
    ]


def _odd_date(begin: datetime) -> Script:
    publisher = Publisher(begin, etag=None, modified=False)

    def answer(visit: Visit) -> Answer:
        stamp = f"day {(visit.at - begin) // DAY}, roughly"
        if visit.conditions[1] == stamp:
            return Answer(status=304, validators=(None, stamp))
        full = publisher(visit)
        return Answer(headers=(("Last-Modified", stamp),), body=full.body, validators=(None, stamp))

    return answer


def _date_moves(begin: datetime) -> Script:
    """Last-Modified moves with each 304 though the ETag stays (RFC 9111 §4.3.4)."""

    def answer(visit: Visit) -> Answer:
        given = ('"same"', http_date(visit.at))
        headers = (("ETag", given[0]), ("Last-Modified", given[1]))
        if visit.conditions[0] == given[0]:
            return Answer(status=304, headers=headers, validators=given)
        return Answer(headers=headers, body=rss(begin, 5, DAY), validators=given)

    return answer


def _http10(begin: datetime) -> Script:
    body = rss(begin, 5, DAY)
    return always(Answer(raw=b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" + body, body=body))


def _future_date(begin: datetime) -> Script:
    stamp = "Tue, 01 Jan 2041 00:00:00 GMT"

    def answer(visit: Visit) -> Answer:
        if visit.conditions[1] is not None:
            return Answer(status=304, validators=(None, stamp))
        return Answer(headers=(("Last-Modified", stamp),), body=rss(begin, 5, DAY), validators=(None, stamp))

    return answer


def _caching(begin: datetime) -> list[Host]:
    def control(value: str) -> tuple[tuple[str, str], ...]:
        return (("Cache-Control", value),)

    return [
        _host("max-age-2d", Publisher(begin, headers=control("max-age=172800"), fresh=2 * DAY)),
        _host(
            "max-age-bare-304",
            Publisher(
                begin, every=400 * DAY, headers=control("max-age=172800"), fresh=2 * DAY, bare_304=True
            ),
        ),
        _host("max-age-304", Publisher(begin, headers_304=control("public, max-age=10800"), fresh=HOUR)),
        # A year is a mistake; a week of it is believed.
        _host("max-age-1y", Publisher(begin, headers=control("max-age=31536000"), fresh=7 * DAY)),
        _host("aged", Publisher(begin, headers=(*control("max-age=14400"), ("Age", "3600")), fresh=3 * HOUR)),
        _host("no-store", Publisher(begin, etag=None, modified=False, headers=control("no-store"))),
        _host("expires", _expires(begin, 5 * HOUR)),
        _host("expires-0", Publisher(begin, headers=(("Expires", "0"),))),
        _host("interval", Publisher(begin), interval=15 * MINUTE),
        _host(
            "interval-max-age",
            Publisher(begin, headers=control("max-age=7200"), fresh=2 * HOUR),
            interval=15 * MINUTE,
        ),
        _host("interval-plain", Publisher(begin, etag=None, modified=False), interval=2 * HOUR),
    ]


def _expires(begin: datetime, length: timedelta) -> Script:
    publisher = Publisher(begin, fresh=length)

    def answer(visit: Visit) -> Answer:
        found = publisher(visit)
        when = (("Date", http_date(visit.at)), ("Expires", http_date(visit.at + length)))
        return Answer(
            found.status, (*found.headers, *when), found.body, validators=found.validators, fresh=length
        )

    return answer


def _throttling(begin: datetime) -> list[Host]:
    def every_fifth(status: int, value: str, wait: timedelta) -> Script:
        return throttled(Publisher(begin), every=5, status=status, value=lambda _: value, wait=wait)

    def dated(visit: Visit) -> str:
        return http_date(visit.at + 8 * HOUR)

    shared = throttled(Publisher(begin), every=19, status=429, value=lambda _: "43200", wait=12 * HOUR)
    return [
        _host("retry-seconds", every_fifth(429, "21600", 6 * HOUR)),
        _host("retry-date", throttled(Publisher(begin), every=5, status=503, value=dated, wait=8 * HOUR)),
        _host("retry-garbage", every_fifth(429, "in a while", 5 * MINUTE)),
        _host("retry-none", every_fifth(503, "", timedelta(0))),
        _host(
            "retry-30d",
            between(
                begin + 3 * DAY,
                begin + 40 * DAY,
                always(Answer(status=503, headers=(("Retry-After", "2592000"),), retry=30 * DAY)),
                Publisher(begin),
            ),
            ends_as="throttled",
        ),
        _host("retry-max-age", _throttled_by_max_age(begin)),
        _host("shared", shared, more_paths=tuple(f"/feed-{n}.xml" for n in range(7))),
    ]


def _throttled_by_max_age(begin: datetime) -> Script:
    headers = (("Cache-Control", "max-age=36000"),)
    refused = Answer(status=429, headers=headers, fresh=10 * HOUR)
    count = 0

    def answer(visit: Visit) -> Answer:
        nonlocal count
        count += 1
        return refused if count % 6 == 0 else Publisher(begin)(visit)

    return answer


def _moving(begin: datetime, port: int, closed_port: int) -> list[Host]:
    feed = Publisher(begin)
    chain = {"/feed.xml": (301, "/b"), "/b": (308, "/c.xml")}
    late = {"/feed.xml": (301, "/new.xml")}
    return [
        _host("moved-chain", redirects(chain, feed)),
        _host("moved-308", redirects({"/feed.xml": (308, "/new.xml?x=1")}, feed)),
        _host("moved-late", between(begin, begin + 12 * DAY, feed, redirects(late, feed))),
        _host("mirror-302", redirects({"/feed.xml": (302, "/mirror.xml")}, feed)),
        _host("mirror-307", redirects({"/feed.xml": (307, "/mirror.xml")}, feed)),
        _host(
            "loop",
            redirects({"/feed.xml": (301, "/b"), "/b": (302, "/feed.xml")}, feed),
            ends_as="redirect-loop",
        ),
        _host(
            "endless",
            lambda visit: Answer(status=302, headers=(("Location", visit.path + "x"),)),
            ends_as="too-many-redirects",
        ),
        _host(
            "to-private",
            always(Answer(status=301, headers=(("Location", f"http://127.0.0.2:{closed_port}/"),))),
            ends_as="refused-address",
        ),
        _host(
            "to-metadata",
            always(Answer(status=302, headers=(("Location", "http://169.254.169.254/latest/meta-data/"),))),
            ends_as="refused-address",
        ),
        _host("to-other", redirects({"/feed.xml": (301, f"http://both.example:{port}/other.xml")}, feed)),
        _host("nowhere", always(Answer(status=302)), ends_as="bad-redirect"),
    ]


def _ailing(begin: datetime) -> list[Host]:
    def status(code: int) -> Script:
        return always(Answer(status=code))

    feed = Publisher(begin)
    return [
        _host("gone", status(410), ends_as="gone"),
        _host("gone-later", between(begin, begin + 5 * DAY, feed, status(410)), ends_as="gone"),
        _host("lost", status(404), ends_as="http-404"),
        _host("lost-and-back", between(begin + 2 * DAY, begin + 6 * DAY, status(404), feed)),
        _host("forbidden", status(403), ends_as="http-403"),
        _host("ill", between(begin + 4 * DAY, begin + 7 * DAY, status(500), feed)),
        _host("ill-for-ever", status(502), ends_as="http-5xx"),
        _host(
            "challenge",
            always(Answer(status=403, headers=(("cf-mitigated", "challenge"),), body=b"<html>")),
            ends_as="challenge",
        ),
    ]


def _broken(begin: datetime) -> list[Host]:
    body = rss(begin, 20, DAY)
    short = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 500) + body
    long = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) // 2) + body
    return [
        _host("slow", lambda visit: _slow(Publisher(begin)(visit), 20 * SECOND)),
        _host("never", always(Answer(body=body, delay=10 * MINUTE)), ends_as="timeout"),
        _host("truncated", always(Answer(raw=short)), ends_as="truncated"),
        _host("wrong-length", always(Answer(raw=long)), ends_as="bad-answer"),
        _host("bomb", always(bomb()), ends_as="too-large"),
        _host(
            "bad-gzip",
            always(Answer(headers=(("Content-Encoding", "br"),), body=b"\xff" * 99)),
            ends_as="bad-encoding",
        ),
        _host("empty", always(Answer()), ends_as="empty"),
        _host("hangs-up", always(Answer(raw=b"")), ends_as="disconnected"),
        _host("not-http", always(Answer(raw=b"220 ftp ready\r\n\r\n")), ends_as="bad-answer"),
        _host("unasked-304", always(Answer(status=304)), ends_as="not-modified-unasked"),
    ]


def _slow(answer: Answer, delay: timedelta) -> Answer:
    return Answer(answer.status, answer.headers, answer.body, delay=delay, validators=answer.validators)


def _hinting(begin: datetime) -> list[Host]:
    skip = "".join(f"<hour>{hour}</hour>" for hour in range(6))
    return [
        _host("ttl-3h", Publisher(begin, every=HOUR, channel="<ttl>180</ttl>")),
        _host("ttl-30d", Publisher(begin, every=HOUR, channel="<ttl>43200</ttl>")),
        _host("skip-hours", Publisher(begin, every=HOUR, channel=f"<skipHours>{skip}</skipHours>")),
        _host("skip-days", Publisher(begin, every=HOUR, channel="<skipDays><day>Sunday</day></skipDays>")),
    ]


def _pages(begin: datetime) -> list[Host]:
    news = Publisher(begin, every=400 * DAY, body=page())
    forbid = Answer(body=b"User-agent: *\nDisallow: /news\n")
    ours = Answer(body=b"User-agent: *\nDisallow: /\n\nUser-agent: Vestnik\nDisallow:\nCrawl-delay: 3\n")
    trouble = Answer(status=500)
    return [
        _host("page", with_robots(ours, news), kind="list", path="/news"),
        _host("page-free", with_robots(Answer(status=404), news), kind="list", path="/news"),
        _host("page-forbidden", with_robots(forbid, news), kind="list", path="/news", ends_as="robots"),
        _host("page-trouble", with_robots(trouble, news), kind="list", path="/news", ends_as="robots"),
    ]

"""Feeds over HTTP: addresses, conditional requests, encodings, and caches that never lie."""

from __future__ import annotations

import gzip
import json
from xml.etree import ElementTree as ET

import brotli
import pytest

TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
FEED = "/feeds/en/regional/RU-PNZ.rss"


@pytest.mark.parametrize("scope", ["all", "regional", "regional/RU-PNZ"])
@pytest.mark.parametrize("language", ["all", "en"])
@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
async def test_an_item_is_in_every_feed_it_belongs_to(instance, titles, language, scope, kind):
    await instance.add("Reading room & <b>map</b> open")
    answer = await instance.get(f"/feeds/{language}/{scope}.{kind}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[kind]
    if kind == "json":
        assert json.loads(answer.content)["items"][0]["title"] == "Reading room & <b>map</b> open"
    else:
        assert len(titles(answer.content)) == 1


@pytest.mark.parametrize("path", ["/feeds/ru/all", "/feeds/uk/foreign/MN", "/feeds/ar/regional/UA-43"])
async def test_a_known_scope_without_news_is_an_empty_feed(instance, titles, path):
    answer = await instance.get(f"{path}.atom")
    assert answer.status_code == 200
    assert titles(answer.content) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/feeds/xx/all.rss", "two-letter code"),
        ("/feeds/eng/all.rss", "two-letter code"),
        ("/feeds/en/nowhere.rss", "No such network"),
        ("/feeds/en/regional/RU-XXX.rss", "No such network"),
        ("/feeds/en/regional/MN.rss", "No such network"),
        ("/feeds/en/source:prlib-en.rss", "No such network"),
        ("/feeds/en/all.xml", ".rss, .atom or .json"),
        ("/feeds/en/all", ".rss, .atom or .json"),
    ],
)
async def test_an_unknown_address_says_what_is_wrong(instance, path, words):
    answer = await instance.get(path)
    assert answer.status_code == 404
    assert words in answer.text
    page = await instance.get(path, Accept="text/html", Accept_Language="ru")
    assert page.status_code == 404
    assert '<html lang="ru"' in page.text


async def test_a_client_that_takes_only_other_formats_is_told_so(instance):
    assert (await instance.get(FEED, Accept="image/png")).status_code == 406
    assert (await instance.get(FEED, Accept="application/json")).status_code == 406
    for usual in ("*/*", "application/rss+xml, application/atom+xml;q=0.9", "text/html,*/*;q=0.1"):
        assert (await instance.get(FEED, Accept=usual)).status_code == 200


async def test_the_tag_is_strong_stable_and_changes_with_the_content(instance):
    await instance.add()
    first = (await instance.get(FEED)).headers["etag"]
    assert first.startswith('"')
    assert (await instance.get(FEED)).headers["etag"] == first
    await instance.add("Second")
    await instance.see()
    assert (await instance.get(FEED)).headers["etag"] != first


async def test_a_304_has_no_body_and_the_headers_of_the_200(instance):
    await instance.add()
    full = await instance.get(FEED)
    again = await instance.get(FEED, If_None_Match=full.headers["etag"])
    assert again.status_code == 304
    assert again.content == b""
    for name in ("etag", "last-modified", "cache-control", "vary", "link", "access-control-allow-origin"):
        assert again.headers[name] == full.headers[name]
    assert "content-type" not in again.headers


@pytest.mark.parametrize(
    ("none_match", "since", "status"),
    [
        ("TAG", None, 304),
        ('W/"other", TAG', None, 304),
        ("*", None, 304),
        ('"other"', "SAME", 200),  # If-None-Match wins
        ("TAG", "Thu, 01 Jan 1970 00:00:00 GMT", 304),
        (None, "SAME", 304),
        (None, "Fri, 01 Jan 2100 00:00:00 GMT", 304),
        (None, "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        (None, "yesterday", 200),
    ],
)
async def test_conditional_requests_follow_rfc_9110(instance, none_match, since, status):
    await instance.add()
    full = await instance.get(FEED)
    headers = {}
    if none_match:
        headers["If-None-Match"] = none_match.replace("TAG", full.headers["etag"])
    if since:
        headers["If-Modified-Since"] = since.replace("SAME", full.headers["last-modified"])
    assert (await instance.client.get(FEED, headers=headers)).status_code == status


async def test_head_says_what_get_would_without_a_body(instance):
    await instance.add()
    full, head = await instance.get(FEED), await instance.client.head(FEED)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "last-modified"):
        assert head.headers[name] == full.headers[name]


async def test_range_is_ignored(instance):
    await instance.add()
    full, part = await instance.get(FEED), await instance.get(FEED, Range="bytes=0-9")
    assert part.status_code == 200
    assert part.content == full.content
    assert part.headers["accept-ranges"] == "none"


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("*", "br"),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("", None),
    ],
)
async def test_the_best_encoding_is_sent_with_its_own_tag(instance, accept, coding):
    await instance.add()
    plain = await instance.get(FEED)
    async with instance.client.stream("GET", FEED, headers={"Accept-Encoding": accept}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (answer.headers["etag"] == plain.headers["etag"]) is (coding is None)
    unpack = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[coding]
    assert unpack(raw) == plain.content


async def test_feeds_may_be_read_by_scripts_of_other_sites(instance):
    answer = await instance.get(FEED)
    assert answer.headers["access-control-allow-origin"] == "*"
    before = await instance.client.options(FEED)
    assert before.status_code == 204
    assert "If-None-Match" in before.headers["access-control-allow-headers"]


async def test_headers_name_the_feed_its_page_and_its_formats(instance):
    link = (await instance.get(FEED)).headers["link"]
    assert f'<https://news.example.org{FEED}>; rel="self"' in link
    assert '<https://news.example.org/en/regional/RU-PNZ>; rel="alternate"; type="text/html"' in link
    assert 'type="application/atom+xml"' in link
    cache = (await instance.get(FEED)).headers["cache-control"]
    assert "public" in cache
    assert "stale-while-revalidate" in cache


async def test_without_a_base_address_the_request_gives_it(instance, another):
    await instance.add()
    async with another(base_url="") as client:
        body = (await client.get(FEED, headers={"Host": "10.0.0.7:8080"})).text
        assert 'href="https://10.0.0.7:8080/feeds/en/regional/RU-PNZ.rss" rel="self"' in body
        assert "tag:10.0.0.7,2026:item/" in body
        evil = (await client.get(FEED, headers={"Host": 'x"><script>'})).text
        assert "<script" not in evil
        assert "https://localhost/" in evil


async def test_a_base_address_with_a_path_is_kept_in_every_link(instance, another):
    await instance.add()
    async with another(base_url="https://example.org/news/") as client:
        body = (await client.get(FEED)).text
        assert "https://example.org/news/feeds/en/regional/RU-PNZ.rss" in body
        assert 'href="/news/en/regional/RU-PNZ"' in (await client.get("/en/regional/")).text


async def test_a_change_drops_exactly_the_feeds_it_is_in(instance):
    """Language's own feeds and those of all languages, of all its scopes; no other is made anew."""
    await instance.add(language="ru", code="RU-PNZ")
    paths = [
        f"/feeds/{language}/{scope}.rss"
        for language in ("all", "en", "ru")
        for scope in ("all", "regional", "regional/RU-PNZ", "regional/RU-SAR", "foreign")
    ]
    for path in paths:
        assert (await instance.get(path)).status_code == 200
    pairs = [("all", "en"), ("regional", "en"), ("regional/RU-SAR", "en")]
    cache = instance.app.state.web.feeds
    assert cache.invalidate(pairs) == 6
    stale = {(k.language, k.scope) for k, kept in cache._kept._kept.items() if kept.stale}
    scopes = ("all", "regional", "regional/RU-SAR")
    assert stale == {(language, scope) for language in (None, "en") for scope in scopes}


async def test_news_stored_by_another_process_is_served_within_a_second(instance, titles):
    await instance.add("First")
    assert titles((await instance.get(FEED)).content) == ["First"]
    await instance.add("Second")
    assert titles((await instance.get(FEED)).content) == ["First"]  # asked again at most once a second
    await instance.see()
    assert titles((await instance.get(FEED)).content) == ["Second", "First"]


async def test_an_old_item_found_late_moves_the_modification_time(instance):
    await instance.add()
    before = (await instance.get(FEED)).headers["last-modified"]
    await instance.add("Late", published=None)
    await instance.see()
    answer = await instance.get(FEED, If_Modified_Since=before)
    assert answer.status_code == 200


async def test_a_feed_holds_a_hundred_entries_or_fourteen_days(instance, titles):
    for number in range(103):
        await instance.add(f"News {number}")
    assert len(titles((await instance.get("/feeds/en/regional.rss")).content)) == 103


async def test_the_list_of_feeds_has_those_with_items_and_no_others(instance):
    await instance.add(language="ru", code="RU-PNZ")
    answer = await instance.get("/feeds.opml")
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    feeds = {node.get("xmlUrl") for node in ET.fromstring(answer.content).iter("outline")} - {None}
    site = "https://news.example.org/feeds"
    scopes = ("all", "regional", "regional/RU-PNZ")
    assert feeds == {f"{site}/{language}/{scope}.rss" for language in ("all", "ru") for scope in scopes}

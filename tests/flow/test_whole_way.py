"""From the sites' pages to feeds, pages and chats: every piece of news once to whoever follows it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import httpx
import pytest

from .program import until
from .site import PATHS, PLACES
from .world import World

pytestmark = pytest.mark.slow

_ATOM = {"a": "http://www.w3.org/2005/Atom"}


async def _readers(world: World) -> None:
    await world.follow("Anna", "RU-PNZ")
    await world.follow("Boris", "regional")
    await world.follow("Clara", "foreign", "MN")
    await world.follow("Dmitri", "all")
    await world.follow("Elena", "RU-OMS", "FI")
    await world.follow("Nobody")
    olga = world.telegram.user("Olga", language_code="en")
    group = world.telegram.group("Readers", owner=olga)
    forum = world.telegram.group("Forum", is_forum=True, owner=olga)
    channel = world.telegram.channel("News", owner=olga)
    topic = forum.topic("Tomsk")
    await world.telegram.wait_for(group, "Hello!", timeout=20)
    await world.follow_in(group, olga, "MN")
    await world.follow_in(forum, olga, "RU-TOM", thread_id=topic.id)
    await world.follow_in(channel, olga, "regional")


async def test_news_arrive_once_at_every_follower_and_stand_in_feeds_and_pages(world):
    await world.program.start()
    await world.first_pass()
    await _readers(world)
    assert not world.told(), "what was there at first sight is not news"
    fresh = [news for _ in range(4) for news in world.site.publish_round()]
    await world.all_told(fresh)
    more = world.site.publish_round()
    await world.all_told([*fresh, *more])
    world.check_once([*fresh, *more])
    assert world.telegram.violations == []
    assert world.program.query("select distinct state from outbox") == [("sent",)]
    await _check_feeds(world)
    await _check_pages(world)
    assert await world.program.stop() < 10
    assert world.program.process.returncode == 0
    assert "Traceback" not in world.program.stderr


async def _check_feeds(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.program.address, trust_env=False) as web:
        for scope in ("all", "regional", "foreign", *(f"{net}/{code}" for code, (net, _) in PLACES.items())):
            expected = {
                n.url(world.site.base)
                for n in world.site.news
                if scope in {"all", n.network, f"{n.network}/{n.code}"}
            }
            assert await _links(web, scope) == {"rss": expected, "atom": expected, "json": expected}, scope
        await _check_caching(web, "/feeds/en/foreign/MN.rss")
        opml = (await web.get("/feeds.opml")).text
        assert all(f"/{net}/{code}." in opml for code, (net, _) in PLACES.items())
        assert (await web.get("/feeds/en/foreign/XX.rss")).status_code == 404


async def _links(web: httpx.AsyncClient, scope: str) -> dict[str, set[str | None]]:
    rss = ET.fromstring((await web.get(f"/feeds/en/{scope}.rss")).content)
    atom = ET.fromstring((await web.get(f"/feeds/all/{scope}.atom")).content)
    feed = json.loads((await web.get(f"/feeds/en/{scope}.json")).content)
    links = "a:entry/a:link[@rel='alternate']"
    return {
        "rss": {each.findtext("link") for each in rss.iter("item")},
        "atom": {each.get("href") for each in atom.findall(links, _ATOM)},
        "json": {each["url"] for each in feed["items"]},
    }


async def _check_caching(web: httpx.AsyncClient, path: str) -> None:
    first = await web.get(path)
    head = await web.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]
    for headers in (
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        again = await web.get(path, headers=headers)
        assert (again.status_code, again.content) == (304, b"")


async def _check_pages(world: World) -> None:
    news = next(n for n in world.site.news if n.code == "MN")
    ((item_id,),) = world.program.query(f"select id from items where title like '%{news.mark}%'")
    async with httpx.AsyncClient(base_url=world.program.address, trust_env=False) as web:
        for path in ("/", "/en/", "/en/foreign/", "/en/foreign/MN", "/ru/foreign/MN"):
            page = await web.get(path, follow_redirects=True)
            assert page.status_code == 200, path
            assert news.title in page.text or path == "/", path
        page = (await web.get(f"/en/items/{item_id}")).text
        assert news.title in page
        assert "Mongolia" in page
        # Why it stands where it stands: the words that decided, and its source.
        assert world.site.base in page
        status = (await web.get("/status")).text
        assert all(path.strip("/").replace(".", "-") in status for path in PATHS)
        assert (await web.get("/healthz")).status_code == 200
        await until_ready(web)


async def until_ready(web: httpx.AsyncClient) -> None:
    answer = await web.get("/readyz")
    assert answer.status_code == 200, answer.text


async def test_news_of_the_time_before_following_stay_in_latest(world):
    await world.program.start()
    await world.first_pass()
    anna = await world.follow("Anna", "MN")
    since = len(world.telegram.ledger)
    anna.send("/latest")
    mongolian = [n for n in world.site.news if n.code == "MN"]
    await until(
        lambda: any(n.mark in d.text for n in mongolian for d in world.telegram.ledger.deliveries[since:]),
        what="/latest to show old news",
    )

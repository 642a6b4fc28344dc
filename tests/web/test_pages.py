"""Pages for people: right words, right links, nothing a source could smuggle in."""

from __future__ import annotations

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from storage.models import ItemRow

LANGUAGES = ("en", "ru", "de", "fr", "es", "sr", "zh", "ar")
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


async def page(instance, path, status=200, **headers):
    answer = await instance.get(path, **headers)
    assert answer.status_code == status, answer.text
    return LexborHTMLParser(answer.text)


def links(tree, css):
    return [node.attributes["href"] for node in tree.css(css)]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_exists_in_every_language(instance, language):
    number = await instance.add()
    for path in ("/", "/regional/", "/regional/RU-PNZ", f"/items/{number}"):
        tree = await page(instance, f"/{language}{path}")
        root = tree.css_first("html")
        assert root.attributes["lang"] == language
        assert root.attributes["dir"] == ("rtl" if language == "ar" else "ltr")
        assert len(tree.css("h1")) == 1
        assert {a.attributes["hreflang"] for a in tree.css("details.languages a")} == set(LANGUAGES)


async def test_the_language_switch_keeps_the_page(instance):
    tree = await page(instance, "/ru/regional/RU-PNZ?only=1")
    assert "/de/regional/RU-PNZ?only=1" in links(tree, "details.languages a")
    alternates = {a.attributes["hreflang"]: a.attributes["href"] for a in tree.css("link[hreflang]")}
    assert alternates["ar"] == "https://news.example.org/ar/regional/RU-PNZ?only=1"
    assert alternates["x-default"].startswith("https://news.example.org/en/regional/RU-PNZ")
    assert links(tree, "link[rel=canonical]") == ["https://news.example.org/ru/regional/RU-PNZ"]
    status = await page(instance, "/status?lang=ru")
    assert "/status?lang=de" in links(status, "details.languages a")


@pytest.mark.parametrize(
    ("wish", "language"),
    [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("xx, ar;q=0.3", "ar"), ("de;q=0, fr;q=0.1", "fr"), ("", "en")],
)
async def test_home_speaks_the_browsers_language(instance, wish, language):
    answer = await instance.get("/", Accept_Language=wish)
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]


async def test_a_page_announces_its_feeds(instance):
    tree = await page(instance, "/ru/foreign/MN")
    found = {(a.attributes["type"], a.attributes["href"]) for a in tree.css("link[rel=alternate][type]")}
    site = "https://news.example.org/feeds"
    assert ("application/rss+xml", f"{site}/ru/foreign/MN.rss") in found
    assert ("application/atom+xml", f"{site}/all/foreign/MN.atom") in found
    assert ("application/feed+json", f"{site}/ru/foreign/MN.json") in found
    shown = {node.attributes["value"] for node in tree.css(".subscribe input")}
    assert shown == {href for _, href in found}


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/en/", "https://t.me/vestnik_bot"),
        ("/en/foreign/", "https://t.me/vestnik_bot?start=f_foreign"),
        ("/en/regional/RU-PNZ", "https://t.me/vestnik_bot?start=f_RU-PNZ"),
    ],
)
async def test_telegram_follows_what_the_page_shows(instance, another, path, link):
    assert links(await page(instance, path), ".subscribe a.button") == [link]
    async with another(bot_username=lambda: None) as client:
        assert "t.me" not in (await client.get(path)).text


async def test_what_a_source_wrote_can_never_act(instance):
    number = await instance.add(
        HOSTILE,
        summary=HOSTILE,
        author=HOSTILE,
        content_html=f'<p onclick="x()">{HOSTILE}<a href="javascript:x()">a</a><iframe src="/"></iframe></p>',
        image="https://example.org/a.jpg",
    )
    for path in ("/en/", "/en/regional/", "/en/regional/RU-PNZ", f"/en/items/{number}"):
        tree = await page(instance, path)
        assert all("/static/vestnik.js" in (s.attributes.get("src") or "") for s in tree.css("script"))
        assert not tree.css("img, iframe, object, embed, form, style, base")
        for node in tree.css("*"):
            names = node.attributes
            assert not any(name.startswith("on") or name == "style" for name in names)
            assert not (names.get("href") or "").lower().startswith(("javascript:", "data:"))
    heading = (await page(instance, f"/en/items/{number}")).css_first("h1").text()
    assert heading == HOSTILE


async def test_pages_call_no_foreign_host_and_set_no_cookie(instance):
    number = await instance.add(image="https://example.org/a.jpg")
    for path in ("/en/", f"/en/items/{number}", "/status"):
        answer = await instance.get(path)
        assert "set-cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        tree = LexborHTMLParser(answer.text)
        loaded = links(tree, "link[rel=stylesheet], link[rel=icon]")
        loaded += [node.attributes["src"] for node in tree.css("[src]")]
        assert loaded
        assert all(each.startswith("/static/") for each in loaded)
        assert len(tree.css("link[rel=stylesheet]")) == 1


async def test_the_map_and_its_table_tell_the_same(instance):
    await instance.add(code="RU-PNZ")
    await instance.add(code="RU-PNZ")
    await instance.add(code="RU-SAR")
    tree = await page(instance, "/en/regional/")
    tiles = {a.attributes["href"]: a for a in tree.css(".map a")}
    rows = {
        row.css_first("a").attributes["href"]: int(row.css_first("td").text())
        for row in tree.css(".twin tbody tr")
    }
    assert len(tiles) == len(instance.networks.networks["regional"].regions)
    assert tiles.keys() == rows.keys()
    assert rows["/en/regional/RU-PNZ"] == 2
    assert "Penza Oblast: 2 news stories" in tiles["/en/regional/RU-PNZ"].text()
    assert "s2" in tiles["/en/regional/RU-PNZ"].attributes["class"].split()
    assert "s0" in tiles["/en/regional/RU-MOW"].attributes["class"].split()
    places = [node.attributes["class"] for node in tree.css(".map li")]
    assert len(set(places)) == len(places)


async def test_one_story_is_one_card_in_the_readers_language(instance):
    english = await instance.add("Exhibition opened", language="en")
    russian = await instance.add("Открылась выставка", language="ru", story_of=english)
    for reader, title, other in (("en", "Exhibition opened", russian), ("ru", "Открылась выставка", english)):
        tree = await page(instance, f"/{reader}/regional/RU-PNZ")
        cards = tree.css("article.card")
        assert [card.css_first("h2").text(strip=True) for card in cards] == [title]
        assert links(cards[0], ".others a") == [f"/{reader}/items/{other}"]


async def test_a_reader_may_ask_for_one_language_only(instance):
    await instance.add("English", language="en")
    await instance.add("Русский", language="ru")
    every = await page(instance, "/en/regional/")
    assert len(every.css("article.card")) == 2
    toggle = links(every, ".toggle a")[0]
    only = await page(instance, toggle)
    assert [node.text(strip=True) for node in only.css("article.card h2")] == ["English"]


async def test_older_news_continue_without_gap_or_repeat(instance):
    for number in range(65):
        await instance.add(f"News {number}")
    path, seen = "/en/regional/RU-PNZ", []
    while path:
        tree = await page(instance, path)
        seen += [node.text(strip=True) for node in tree.css("article.card h2")]
        path = next(iter(links(tree, "a[rel=next]")), None)
    assert seen == [f"News {number}" for number in reversed(range(65))]


@pytest.mark.parametrize("query", ["?before=x", "?before=2026-13-01~1", "?before=2026-01-01~-5", "?only=7"])
async def test_a_broken_query_shows_the_beginning(instance, query):
    await instance.add()
    assert (await page(instance, f"/en/regional/{query}")).css("article.card")


async def test_an_item_says_where_it_is_from_and_why_it_is_here(instance):
    number = await instance.add(author="A. Ivanova", image="https://example.org/é.jpg")
    tree = await page(instance, f"/ru/items/{number}")
    text = tree.css_first("main").text()
    assert "Почему это здесь?" in text
    assert "в заголовке" in text
    assert "Пензенская область" in text
    assert "Presidential Library" in text
    assert "20 ноября 2026" in text
    found = links(tree, ".actions a")
    assert found == ["https://www.prlib.ru/news/1", "https://example.org/%C3%A9.jpg"]
    assert tree.css_first("article.story h1").attributes["lang"] == "en"
    assert tree.css_first('meta[property="og:title"]').attributes["content"].startswith("A reading room")


@pytest.mark.parametrize(
    "path",
    [
        "/xx/",
        "/en/nowhere/",
        "/en/regional/RU-XXX",
        "/en/regional/MN",
        "/en/items/99",
        "/en/all/",
        "/a/b/c/d",
    ],
)
async def test_an_unknown_page_explains_itself(instance, path):
    tree = await page(instance, path, 404, Accept="text/html")
    assert len(tree.css_first("main").text(strip=True)) > 40
    assert tree.css_first('meta[name="robots"]').attributes["content"] == "noindex"


async def test_huge_numbers_are_only_unknown(instance):
    await page(instance, "/en/items/99999999999999999999999", 404)


async def test_a_withdrawn_item_is_gone(instance):
    number = await instance.add()
    async with instance.database.write() as session:
        (await session.get_one(ItemRow, number)).withdrawn = True
    assert (await instance.get(f"/en/items/{number}")).status_code == 410


async def test_news_appear_on_pages_as_soon_as_they_are_seen(instance):
    assert "No news yet" in (await instance.get("/en/regional/RU-PNZ")).text
    await instance.add("Fresh")
    await instance.see()
    assert "Fresh" in (await instance.get("/en/regional/RU-PNZ")).text


async def test_pages_answer_conditional_requests(instance):
    first = await instance.get("/en/")
    assert (await instance.get("/en/", If_None_Match=first.headers["etag"])).status_code == 304
    assert re.match(r"public, max-age=\d+", first.headers["cache-control"])


async def test_addresses_without_the_last_slash_lead_on(instance):
    assert (await instance.get("/ru")).status_code == 307
    assert (await instance.client.get("/ru/regional", follow_redirects=True)).status_code == 200

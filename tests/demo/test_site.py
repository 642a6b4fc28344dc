"""The recorded network site: it serves what it says, and a live publication is visible at once."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.classify import Classifier, ClassifyRequest, build_classifier
from feeds.model import LanguageCode, RegionCode
from feeds.regions import Catalogue, load_catalogue
from vestnik.config import default_config, load_config
from vestnik.demo.site.config import demo_config, demo_sources, write_demo_config
from vestnik.demo.site.content import NewsItem, SiteContent, load_content
from vestnik.demo.site.recorded import RecordedSite
from vestnik.demo.site.server import SITE, build_site, serve_site

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LISTS = (
    "/prlib/en/networknews",
    "/prlib/networknews",
    "/prlib/regional_events",
    "/prlib/en/news",
    "/prlib/news",
    "/penza/",
    "/penza/rss.xml",
    "/tyumen/",
    "/tyumen/atom.xml",
    "/belgrade/vesti",
    "/berlin/aktuelles",
    "/paris/actualites",
    "/casas-rusas/noticias",
    "/beijing/news",
    "/cairo/news",
)
EN, RU = LanguageCode("en"), LanguageCode("ru")
PENZA, MONGOLIA = RegionCode("RU-PNZ"), RegionCode("MN")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="module")
def content() -> SiteContent:
    return load_content()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def recorded(content: SiteContent, catalogue: Catalogue) -> RecordedSite:
    return RecordedSite(content, catalogue=catalogue, clock=Clock())


@pytest.fixture
async def site_url(recorded: RecordedSite) -> AsyncIterator[str]:
    async with serve_site(build_site(recorded._clock, recorded=recorded)) as url:
        yield url


@pytest.fixture
async def http(site_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(site_url) as session:
        yield session


# --- the content ---------------------------------------------------------------------------------


def test_there_is_as_much_news_as_promised(content: SiteContent) -> None:
    languages = {language for item in content.items for language in item.texts}
    regions = {code for item in content.items for code in item.regions}
    assert len(content.items) >= 60
    assert languages == {"ru", "en", "de", "fr", "es", "sr", "zh", "ar"}
    assert len(regions) >= 25


def test_every_region_named_is_in_the_catalogue(content: SiteContent, catalogue: Catalogue) -> None:
    named = {code for item in content.items for code in item.regions} | {p.region for p in content.prepared}
    assert named <= set(catalogue.regions)


def test_regions_agree_with_the_network_an_item_is_labelled_with(
    content: SiteContent, catalogue: Catalogue
) -> None:
    kinds = {"regional": "subject", "foreign": "country"}
    for item in content.items:
        if item.network in kinds:
            assert {catalogue.regions[code].kind for code in item.regions} == {kinds[item.network]}, item.id


def test_numbers_are_unique_within_an_institution(content: SiteContent) -> None:
    keys = [(item.institution, item.id) for item in content.items]
    assert len(keys) == len(set(keys))


def test_recorded_news_lies_in_the_past(content: SiteContent) -> None:
    assert max(item.published for item in content.items) < START
    assert min(item.published for item in content.items).year >= 2017


def test_news_is_prepared_for_ten_regions_in_both_networks(content: SiteContent) -> None:
    assert len({each.region for each in content.prepared}) >= 10
    assert {each.network for each in content.prepared} == {"regional", "foreign"}
    assert all({EN} <= set(each.texts) for each in content.prepared)


# --- pages and feeds -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_and_feed_answers(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        assert answer.status == 200
        assert await answer.read()


async def test_every_item_linked_from_a_list_has_its_page(http: aiohttp.ClientSession) -> None:
    for path in LISTS:
        if path.endswith(".xml"):
            continue
        page = await _html(http, path)
        links = {a.attributes["href"] for a in page.css("main h2 a, main h3 a, main a.card-link")}
        assert links, path
        for link in links:
            async with http.get(str(link)) as answer:
                assert answer.status == 200, link


async def test_network_page_has_its_two_headings_with_their_own_news(
    http: aiohttp.ClientSession, content: SiteContent
) -> None:
    page = await _html(http, "/prlib/en/networknews")
    found = {
        _one(pane, "h2").text(strip=True): {a.text(strip=True) for a in pane.css("h3 a")}
        for pane in page.css("main section")
    }
    for network, heading in (("regional", "Regional network"), ("foreign", "Foreign network")):
        wanted = {i.texts[EN].title for i in content.items if i.network == network and EN in i.texts}
        assert found[heading] == {" ".join(title.split()) for title in wanted}


async def test_russian_regional_page_writes_days_in_russian_and_only_regional_news(
    http: aiohttp.ClientSession,
) -> None:
    page = await _html(http, "/prlib/regional_events")
    days = [node.text(strip=True) for node in page.css("main .node-date")]
    assert days[0] == "17 февраля 2026"
    assert "Бухаресте" not in _one(page, "main").text()


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/belgrade/vesti", "9. јун 2022."),
        ("/berlin/aktuelles", "5. Juli 2024"),
        ("/paris/actualites", "4 octobre 2021"),
        ("/casas-rusas/noticias", "13 de julio de 2025"),
        ("/beijing/news", "2025年9月28日"),
        ("/cairo/news", "15 يوليو 2025"),
    ],
)
async def test_houses_write_days_as_people_there_do(http: aiohttp.ClientSession, path: str, day: str) -> None:
    assert day in _one(await _html(http, path), "main").text()


async def test_an_item_has_a_russian_and_an_english_page_under_one_number(
    http: aiohttp.ClientSession,
) -> None:
    english, russian = await _html(http, "/prlib/en/news/763965"), await _html(http, "/prlib/news/763965")
    assert "Nefteyugansk" in _one(english, "h1").text()
    assert "Нефтеюганске" in _one(russian, "h1").text()
    alias = await _html(http, "/prlib/en/node/763965")
    assert _one(alias, "h1").text() == _one(english, "h1").text()


async def test_some_item_pages_show_no_date(http: aiohttp.ClientSession) -> None:
    assert _one(await _html(http, "/prlib/en/news/1279798"), ".node-date") is not None
    main = _one(await _html(http, "/prlib/en/news/1157940"), "main")
    assert main.css_first(".node-date") is None


@pytest.mark.parametrize(
    "path", ["/prlib/en/news/1", "/prlib/en/news/675150", "/prlib/en/", "/penza/news/x", "/nowhere/at/all"]
)
async def test_what_is_not_there_is_404(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        assert answer.status == 404


async def test_rss_is_windows_1251_and_reads_as_russian(http: aiohttp.ClientSession, site_url: str) -> None:
    async with http.get("/penza/rss.xml") as answer:
        body = await answer.read()
        assert answer.content_type == "application/rss+xml"
    assert "Кузнецке".encode("windows-1251") in body
    assert "Кузнецке".encode() not in body
    items = ET.fromstring(body).findall("channel/item")
    assert len(items) == 6
    assert items[0].findtext("title") == "«Память жива»: исторический турнир для учеников школы № 64"
    assert str(items[0].findtext("link")).startswith(f"{site_url}/penza/news/")
    assert parsedate_to_datetime(str(items[0].findtext("pubDate"))).date().isoformat() == "2025-01-28"


async def test_atom_is_complete(http: aiohttp.ClientSession) -> None:
    async with http.get("/tyumen/atom.xml") as answer:
        feed = ET.fromstring(await answer.read())
    atom = "{http://www.w3.org/2005/Atom}"
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == 5
    for entry in entries:
        assert datetime.fromisoformat(str(entry.findtext(f"{atom}updated"))).tzinfo is not None
        assert str(entry.findtext(f"{atom}content")).startswith("<p>")


# --- validators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*LISTS, "/prlib/en/news/763965", "/belgrade/vesti/1811"])
async def test_unchanged_pages_answer_304_to_either_validator(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as first:
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for header in ({"If-None-Match": etag}, {"If-Modified-Since": modified}, {"If-None-Match": f"W/{etag}"}):
        async with http.get(path, headers=header) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert (again.headers["ETag"], again.headers["Last-Modified"]) == (etag, modified)


async def test_an_old_etag_wins_over_a_matching_date(http: aiohttp.ClientSession) -> None:
    async with http.head("/penza/rss.xml") as first:
        modified = first.headers["Last-Modified"]
    old = {"If-None-Match": '"old"', "If-Modified-Since": modified}
    async with http.get("/penza/rss.xml", headers=old) as answer:
        assert answer.status == 200


async def test_an_older_date_gets_the_page(http: aiohttp.ClientSession) -> None:
    header = {"If-Modified-Since": format_datetime(datetime(2015, 1, 1, tzinfo=UTC), usegmt=True)}
    async with http.get("/prlib/en/networknews", headers=header) as answer:
        assert answer.status == 200


# --- publishing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "heading"), [(PENZA, "Regional network"), (MONGOLIA, "Foreign network")])
async def test_published_news_stands_first_under_its_heading_at_once(
    http: aiohttp.ClientSession, recorded: RecordedSite, code: RegionCode, heading: str
) -> None:
    path = "/prlib/en/networknews"
    async with http.get(path) as before:
        validators = {
            "If-None-Match": before.headers["ETag"],
            "If-Modified-Since": before.headers["Last-Modified"],
        }
        modified = parsedate_to_datetime(before.headers["Last-Modified"])
    published = recorded.publish_about(code)
    assert published is not None
    async with http.get(path, headers=validators) as after:
        assert after.status == 200
        assert after.headers["ETag"] != validators["If-None-Match"]
        assert parsedate_to_datetime(after.headers["Last-Modified"]) > modified
        page = LexborHTMLParser(await after.text())
    panes = {_one(pane, "h2").text(strip=True): pane for pane in page.css("main section")}
    first = _one(panes[heading], "h3 a")
    assert first.text(strip=True) == published.item.texts[EN].title
    assert first.attributes["href"] == published.paths[0]
    assert "22 November 2026" in _one(panes[heading], ".node-date").text()
    assert _one(await _html(http, published.paths[0]), "h1").text() == published.item.texts[EN].title


@pytest.mark.parametrize("path", ["/penza/rss.xml", "/tyumen/atom.xml", "/belgrade/vesti"])
async def test_news_published_at_an_institution_changes_its_own_page_only(
    http: aiohttp.ClientSession, recorded: RecordedSite, content: SiteContent, path: str
) -> None:
    tags = {each: await _etag(http, each) for each in LISTS}
    name = path.split("/")[1]
    model = next(item for item in content.items if item.institution == name)
    recorded.publish(_again(model, number=99_999, published=START))
    changed = {each for each in LISTS if await _etag(http, each) != tags[each]}
    assert changed == {each for each in LISTS if each.startswith(f"/{name}/")}
    async with http.get(path) as answer:
        assert b"99999" in await answer.read()


def test_news_about_a_region_never_repeats_and_ends(recorded: RecordedSite) -> None:
    titles = []
    while (published := recorded.publish_about(PENZA)) is not None:
        titles.append(published.item.texts[EN].title)
    assert len(titles) == len(set(titles)) >= 3


def test_any_region_of_the_catalogue_has_something_to_publish(
    recorded: RecordedSite, catalogue: Catalogue
) -> None:
    for code, region in catalogue.regions.items():
        published = recorded.publish_about(code)
        assert published is not None
        assert published.item.regions == (code,)
        assert published.item.network == ("regional" if region.kind == "subject" else "foreign")
        assert "{" not in published.item.texts[EN].title


def test_an_unknown_region_publishes_nothing(recorded: RecordedSite) -> None:
    assert recorded.publish_about(RegionCode("XX-NO")) is None


def test_both_languages_share_a_number(recorded: RecordedSite) -> None:
    published = recorded.publish_about(RegionCode("RU-KR"), languages=(EN, RU))
    assert published is not None
    number = published.item.id
    assert published.paths == (f"/prlib/en/news/{number}", f"/prlib/news/{number}")
    assert all(recorded.document(path) is not None for path in published.paths)


async def test_the_visitor_publishes_by_a_button(http: aiohttp.ClientSession) -> None:
    front = await _html(http, "/")
    codes = [button.attributes["value"] for button in front.css("button[name=region]")]
    assert len(codes) >= 10
    async with http.post("/_demo/publish", data={"region": codes[0]}) as answer:
        assert (answer.status, answer.url.path) == (200, "/prlib/en/news/2100001")
    async with http.post("/_demo/publish", data={"region": "nowhere"}) as answer:
        assert answer.status == 404


async def test_two_sites_do_not_share_what_they_published(catalogue: Catalogue) -> None:
    one, other = build_site(Clock()), build_site(Clock())
    assert one[SITE].publish_about(PENZA) is not None
    assert len(one[SITE].items("prlib")) == len(other[SITE].items("prlib")) + 1


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    shipped = load_config(default_config(), environment={})
    return build_classifier(shipped.networks, languages=(EN, RU))


@pytest.mark.parametrize("language", [EN, RU])
def test_prepared_news_is_filed_under_its_region_and_network_from_its_text_alone(
    content: SiteContent, classifier: Classifier, language: LanguageCode
) -> None:
    for news in content.prepared:
        if language not in news.texts:
            continue
        words = news.texts[language]
        request = ClassifyRequest(title=words.title, text=words.teaser, language=language)
        label = classifier.classify(request)
        assert label.regions == (news.region,), words.title
        # The library's own city is the exception: there only the heading tells.
        assert label.networks == ((news.network,) if news.region != "RU-SPE" else ()), words.title


@pytest.mark.parametrize("code", ["RU-SPE", "RU-MUR", "RU-AL", "UA-40", "VN", "IT", "JO"])
def test_whatever_is_published_about_a_region_is_filed_there_under_its_heading(
    recorded: RecordedSite, classifier: Classifier, code: RegionCode
) -> None:
    published = recorded.publish_about(code)
    assert published is not None
    words, network = published.item.texts[EN], published.item.network
    heading = {"regional": "Regional network", "foreign": "Foreign network"}[network]
    label = classifier.classify(
        ClassifyRequest(title=words.title, text=words.teaser, language=EN, section=heading)
    )
    assert (label.networks, label.regions) == ((network,), (code,))


# --- settings ------------------------------------------------------------------------------------


def test_every_source_of_the_demo_is_served(recorded: RecordedSite) -> None:
    sources = demo_sources("http://127.0.0.1:8090")
    assert len({each["id"] for each in sources}) == len(sources) >= 12
    for source in sources:
        assert recorded.document(source["url"].removeprefix("http://127.0.0.1:8090")) is not None


def test_demo_settings_are_valid_and_know_the_shipped_networks(tmp_path: Path) -> None:
    settings = demo_config(
        "http://127.0.0.1:8090",
        storage_url="sqlite:///demo.db",
        telegram_url="http://127.0.0.1:8081",
        telegram_token="1:demo",
        web_port=8080,
    )
    path = write_demo_config(tmp_path / "config.yaml", settings)
    read = load_config(path, environment={})
    assert set(read.networks.networks) == {"regional", "foreign"}
    assert len(read.sources) == len(settings["sources"])


# --- helpers -------------------------------------------------------------------------------------


async def _html(http: aiohttp.ClientSession, path: str) -> LexborHTMLParser:
    async with http.get(path) as answer:
        assert answer.status == 200, path
        return LexborHTMLParser(await answer.text())


async def _etag(http: aiohttp.ClientSession, path: str) -> str:
    async with http.head(path) as answer:
        return answer.headers["ETag"]


def _again(model: NewsItem, *, number: int, published: datetime) -> NewsItem:
    return dataclasses.replace(model, id=number, published=published)


def _one(node: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    found = node.css_first(selector)
    assert found is not None, selector
    return found

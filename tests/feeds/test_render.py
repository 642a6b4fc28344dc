"""Published feeds: what is stored comes out whole, in every format, and nothing else does."""

from __future__ import annotations

import html
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.model import Item, ItemId, LanguageCode, NetworkId, RegionCode, SourceId, StoryId
from feeds.networks import Network, Networks, region_scope
from feeds.regions import Catalogue, District, DistrictId, Region
from feeds.render import (
    MEDIA_TYPES,
    RENDERERS,
    FeedFormat,
    FeedInfo,
    FeedTranslation,
    Outline,
    feed_updated,
    render_atom,
    render_json,
    render_opml,
    render_rss,
)
from feeds.render.text import as_html, has_markup, one_line, unambiguous, uri, xml_text

GOLDEN = Path(__file__).parent / "golden"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SITE = "https://news.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

PENZA = Region(
    code=RegionCode("RU-PNZ"),
    kind="subject",
    names={LanguageCode("en"): "Penza Oblast", LanguageCode("ru"): "Пензенская область"},
    district=DistrictId("volga"),
    latitude=53.2,
    longitude=45.0,
    tile=(1, 1),
)
NETWORKS = Networks(
    catalogue=Catalogue(
        regions={PENZA.code: PENZA},
        districts={
            DistrictId("volga"): District(
                id=DistrictId("volga"),
                group="RU",
                names={LanguageCode("en"): "Volga", LanguageCode("ru"): "Приволжский округ"},
            )
        },
    ),
    networks={
        NetworkId("regional"): Network(
            id=NetworkId("regional"),
            titles={LanguageCode("en"): "Regional network", LanguageCode("ru"): "Региональная сеть"},
            regions=(PENZA.code,),
        )
    },
)


def addresses(language: str) -> dict[FeedFormat, str]:
    return {each: f"{SITE}/feeds/{language}/regional/RU-PNZ.{each}" for each in FeedFormat}


def make_info(language: str | None = "ru", **changes: Any) -> FeedInfo:
    words = language or "en"
    values: dict[str, Any] = {
        "authority": "news.example.org",
        "scope": region_scope(NetworkId("regional"), PENZA.code),
        "language": language,
        "label_language": words,
        "title": "Пензенская область: новости",
        "description": "Новости библиотек",
        "publisher": "Вестник",
        "publisher_url": f"{SITE}/",
        "page": f"{SITE}/{words}/regional/RU-PNZ",
        "addresses": addresses(language or "all"),
        "translations": tuple(
            FeedTranslation(
                language=LanguageCode(each),
                page=f"{SITE}/{each}/regional/RU-PNZ",
                addresses=addresses(each),
            )
            for each in ("en", "ru", "ar")
        ),
        "item_page": f"{SITE}/{words}/items/{{id}}",
        "language_names": {LanguageCode("ru"): "русский"},
    }
    return FeedInfo(**(values | changes))


def make_item(number: int = 1, **changes: Any) -> Item:
    values: dict[str, Any] = {
        "id": ItemId(number),
        "story_id": StoryId(number),
        "source_id": SourceId("prlib-ru"),
        "source_title": "Президентская библиотека",
        "source_url": "https://www.prlib.ru/regional_events",
        "url": f"https://www.prlib.ru/news/{number}",
        "title": "В Пензе открыли читальный зал",
        "summary": "Зал работает каждый день.",
        "content_html": '<p>Зал работает <a href="https://www.prlib.ru/?a=1&amp;b=2">каждый день</a>.</p>',
        "image": None,
        "author": "",
        "language": LanguageCode("ru"),
        "published": NOON,
        "updated": NOON,
        "first_seen": NOON,
        "has_date": True,
        "section": "",
        "networks": (NetworkId("regional"),),
        "regions": (PENZA.code,),
        "mentions": (),
    }
    return Item(**(values | changes))


def read(body: bytes) -> Any:
    """What a reader that changes nothing sees."""
    found = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo, found.bozo_exception
    return found


SAMPLE = [
    make_item(
        3,
        title='Выставка "Пенза & <Сура>"',
        image="https://www.prlib.ru/img/зал.png",
        author="А. Иванова",
        published=NOON + timedelta(hours=1),
        updated=NOON + timedelta(hours=2),
    ),
    make_item(2, language=LanguageCode("ar"), title="افتتاح قاعة القراءة", summary="", regions=()),
    make_item(1, language=LanguageCode("und"), url=None, content_html="", summary="", networks=()),
]


@pytest.mark.parametrize("kind", list(FeedFormat))
def test_a_feed_is_byte_for_byte_the_golden_one(kind):
    """Set VESTNIK_UPDATE_GOLDEN=1 to write the files anew after a wanted change."""
    body = RENDERERS[kind](make_info(), SAMPLE, NETWORKS)
    path = GOLDEN / f"sample.{kind}"
    if os.environ.get("VESTNIK_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    assert body == path.read_bytes()


@pytest.mark.parametrize("kind", list(FeedFormat))
def test_the_same_items_give_the_same_bytes_whenever_they_are_rendered(kind):
    assert RENDERERS[kind](make_info(), SAMPLE, NETWORKS) == RENDERERS[kind](make_info(), SAMPLE, NETWORKS)


def is_not_mojibake(text: str) -> bool:
    """One reader, feedparser, decodes anew what looks like UTF-8 read as Latin-1 ("Â¡")."""
    try:
        return text.encode("latin-1").decode() == text
    except UnicodeError:
        return True


clean_lines = st.text(max_size=80).map(one_line).filter(bool).filter(is_not_mojibake)
clean_texts = st.text(max_size=200).map(lambda s: xml_text(s).strip()).filter(is_not_mojibake)


@settings(max_examples=150, deadline=None)
@given(title=clean_lines, summary=clean_texts, author=clean_lines)
def test_any_unicode_survives_the_way_through_a_feed_reader(title, summary, author):
    item = make_item(title=title, summary=summary, author=author, content_html=f"<p>{as_html(summary)}</p>")
    info = make_info(title=title)
    rss = read(render_rss(info, [item], NETWORKS)).entries[0]
    atom = read(render_atom(info, [item], NETWORKS)).entries[0]
    plain = json.loads(render_json(info, [item], NETWORKS))["items"][0]

    assert rss.title == unambiguous(title)
    assert (html.unescape(atom.title) if atom.title_detail.type == "text/html" else atom.title) == title
    assert plain["title"] == title
    assert rss.author == atom.author == plain["authors"][0]["name"] == author
    assert rss.content[0].value == atom.content[0].value == plain["content_html"] == item.content_html
    if summary:
        assert html.unescape(rss.summary) == summary
        is_html = atom.summary_detail.type == "text/html"
        assert (html.unescape(atom.summary) if is_html else atom.summary) == summary
        assert plain["summary"] == summary


@given(st.text())
def test_cleaning_for_xml_is_a_fixpoint_and_legal(text):
    clean = xml_text(text)
    assert xml_text(clean) == clean
    assert ET.fromstring(f"<a>{html.escape(clean)}</a>").text in (clean, None)


@given(st.text())
def test_text_that_is_escaped_for_html_comes_back_whole(text):
    assert html.unescape(as_html(text)) == html.unescape(html.escape(text, quote=False))


@given(st.text(alphabet="<>&;ab/#!x1é "))
def test_a_title_can_never_become_a_tag(text):
    assert not has_markup(unambiguous(text)) or "<" not in unambiguous(text)


@pytest.mark.parametrize(
    ("title", "in_rss"),
    [
        ("AT&T и R&D", "AT&T и R&D"),
        ("5 < 7", "5 < 7"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a &amp; b", "a &amp;amp; b"),
    ],
)
def test_an_rss_title_is_escaped_only_where_it_could_be_taken_for_markup(title, in_rss):
    assert read(render_rss(make_info(), [make_item(title=title)], NETWORKS)).entries[0].title == in_rss


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("https://www.prlib.ru/a?b=c%20d#e", "https://www.prlib.ru/a?b=c%20d#e"),
        ("https://президентская-библиотека.рф/новости", None),
        ("https://example.org/a b|c", "https://example.org/a%20b%7Cc"),
        ("https://example.org/%D0?q=é", "https://example.org/%D0?q=%C3%A9"),
    ],
)
def test_addresses_are_ascii_in_feeds(given_url, expected):
    found = uri(given_url)
    assert found.isascii()
    assert uri(found) == found
    if expected:
        assert found == expected


def test_ids_are_tags_that_do_not_depend_on_the_address():
    moved = make_info(
        addresses=addresses("xx"), page="https://elsewhere.example/", item_page="https://e/{id}"
    )
    for render in (render_rss, render_atom):
        here, there = read(render(make_info(), SAMPLE, NETWORKS)), read(render(moved, SAMPLE, NETWORKS))
        assert [e.id for e in here.entries] == [e.id for e in there.entries]
        assert here.entries[0].id == "tag:news.example.org,2026:item/3"
    atom = read(render_atom(make_info(), [], NETWORKS))
    assert atom.feed.id == "tag:news.example.org,2026:feed/regional/RU-PNZ/ru"
    assert make_info(None).id.endswith(":feed/regional/RU-PNZ/all")


def test_atom_links_are_unique_per_relation_type_and_language():
    """RFC 4287 §4.1.1 and §4.1.2."""
    for language in (None, "ru", "ar"):
        tree = ET.fromstring(render_atom(make_info(language), SAMPLE, NETWORKS))
        for holder in (tree, *tree.iter(f"{ATOM}entry")):
            keys = [(x.get("rel"), x.get("type"), x.get("hreflang")) for x in holder.findall(f"{ATOM}link")]
            assert len(keys) == len(set(keys))
        rels = {link.get("rel") for link in tree.findall(f"{ATOM}link")}
        assert rels == {"self", "alternate"}


def test_a_feed_names_itself_its_page_its_formats_and_its_languages():
    links = read(render_rss(make_info(hubs=("https://hub.example/",)), SAMPLE, NETWORKS)).feed.links
    found = {(link.rel, link.get("type"), link.get("hreflang"), link.href) for link in links}
    assert ("self", MEDIA_TYPES[FeedFormat.RSS], "ru", addresses("ru")[FeedFormat.RSS]) in found
    assert ("alternate", MEDIA_TYPES[FeedFormat.JSON], "ru", addresses("ru")[FeedFormat.JSON]) in found
    assert ("alternate", MEDIA_TYPES[FeedFormat.RSS], "ar", addresses("ar")[FeedFormat.RSS]) in found
    assert ("alternate", "text/html", "en", f"{SITE}/en/regional/RU-PNZ") in found
    assert ("hub", "https://hub.example/") in {(rel, href) for rel, _, _, href in found}
    channel = ET.fromstring(render_rss(make_info(), SAMPLE, NETWORKS)).find("channel")
    assert channel.findtext("link") == f"{SITE}/ru/regional/RU-PNZ"


def test_each_entry_says_its_language_unless_nobody_knows_it():
    for tree, path in (
        (ET.fromstring(render_rss(make_info(), SAMPLE, NETWORKS)), "channel/item"),
        (ET.fromstring(render_atom(make_info(), SAMPLE, NETWORKS)), f"{ATOM}entry"),
    ):
        assert tree.get(LANG) == "ru"
        assert [entry.get(LANG) for entry in tree.findall(path)] == ["ru", "ar", None]


def test_labels_have_a_scheme_per_axis_and_speak_the_feeds_language():
    entry = read(render_atom(make_info(), SAMPLE[:1], NETWORKS)).entries[0]
    assert {(tag.term, tag.scheme, tag.label) for tag in entry.tags} == {
        ("regional", "tag:news.example.org,2026:scheme/network", "Региональная сеть"),
        ("volga", "tag:news.example.org,2026:scheme/district", "Приволжский округ"),
        ("RU-PNZ", "urn:iso:std:iso:3166:-2", "Пензенская область"),
        ("ru", "urn:ietf:bcp:47", "русский"),
    }
    english = read(render_atom(make_info("en"), SAMPLE[:1], NETWORKS)).entries[0]
    assert "Penza Oblast" in {tag.label for tag in english.tags}


def test_an_entry_carries_its_place_its_source_and_its_picture():
    atom = ET.fromstring(render_atom(make_info(), SAMPLE[:1], NETWORKS)).find(f"{ATOM}entry")
    geo = "{http://www.georss.org/georss}"
    assert atom.findtext(f"{geo}point") == "53.2 45.0"
    assert atom.findtext(f"{geo}featureName") == "Пензенская область"
    assert atom.findtext(f"{ATOM}source/{ATOM}title") == "Президентская библиотека"
    enclosure = next(link for link in atom.findall(f"{ATOM}link") if link.get("rel") == "enclosure")
    assert enclosure.attrib == {
        "rel": "enclosure",
        "href": "https://www.prlib.ru/img/%D0%B7%D0%B0%D0%BB.png",
        "type": "image/png",
        "length": "0",
    }
    rss = ET.fromstring(render_rss(make_info(), SAMPLE[:1], NETWORKS)).find("channel/item")
    assert rss.find("source").attrib == {"url": "https://www.prlib.ru/regional_events"}
    assert rss.find("enclosure").get("type") == "image/png"


def test_a_feed_without_entries_is_valid_and_always_the_same():
    rss, atom = (read(render(make_info(), [], NETWORKS)) for render in (render_rss, render_atom))
    assert rss.entries == atom.entries == []
    assert atom.feed.updated == "2026-01-01T00:00:00+00:00"
    assert json.loads(render_json(make_info(), [], NETWORKS))["items"] == []


def test_a_feed_moves_when_an_old_item_is_found_late():
    late = make_item(9, published=NOON - timedelta(days=90), updated=NOON - timedelta(days=90))
    assert feed_updated([late]) == NOON


def test_withdrawn_items_are_not_published():
    for render in (render_rss, render_atom):
        assert read(render(make_info(), [make_item(withdrawn=True)], NETWORKS)).entries == []
    assert json.loads(render_json(make_info(), [make_item(withdrawn=True)], NETWORKS))["items"] == []


def test_every_entry_has_what_its_format_requires_even_from_a_bare_item():
    bare = make_item(title="", summary="", content_html="", url=None, author="", networks=(), regions=())
    rss = ET.fromstring(render_rss(make_info(), [bare], NETWORKS)).find("channel/item")
    assert rss.findtext("title") == rss.findtext("description") == "Президентская библиотека"
    assert rss.findtext("link") == f"{SITE}/ru/items/1"
    atom = ET.fromstring(render_atom(make_info(), [bare], NETWORKS)).find(f"{ATOM}entry")
    assert atom.findtext(f"{ATOM}summary") == "Президентская библиотека"
    plain = json.loads(render_json(make_info(), [bare], NETWORKS))["items"][0]
    assert plain["content_text"]
    assert plain["url"] == f"{SITE}/ru/items/1"


def test_json_feed_says_version_language_and_own_fields():
    feed = json.loads(render_json(make_info(None), SAMPLE, NETWORKS))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{SITE}/feeds/all/regional/RU-PNZ.json"
    first, second, third = feed["items"]
    assert isinstance(first["id"], str)
    assert first["language"] == "ru"
    assert "language" not in third
    assert first["_vestnik"]["regions"][0]["code"] == "RU-PNZ"
    assert second["content_html"]


def test_opml_gives_every_feed_an_address_for_people_and_one_for_machines():
    group = Outline(
        title="Сеть <1>",
        children=(
            Outline(title="Пенза & Ко", feed=f"{SITE}/f.rss", page=f"{SITE}/é", language=LanguageCode("ru")),
        ),
    )
    tree = ET.fromstring(render_opml("Вестник", [group], modified=NOON))
    assert tree.findtext("head/dateModified") == "Fri, 20 Nov 2026 12:00:00 +0000"
    outer = tree.find("body/outline")
    assert outer.attrib == {"text": "Сеть <1>"}
    assert outer.find("outline").attrib == {
        "type": "rss",
        "text": "Пенза & Ко",
        "title": "Пенза & Ко",
        "xmlUrl": f"{SITE}/f.rss",
        "htmlUrl": f"{SITE}/%C3%A9",
        "language": "ru",
    }
    assert ET.fromstring(render_opml("V", [], modified=NOON)).find("body/outline") is not None

"""News as messages: complete, in the reader's language, within the limits, and never spoofed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import INTERFACE_LANGUAGES, load_translations
from bot.messages import as_plain, news_message
from bot.text import FSI, MESSAGE_LIMIT
from feeds.model import Item
from vestnik.demo.botapi.formatted import read_formatted

TRANSLATIONS = load_translations()
ITEM = Item(
    id=7,
    story_id=3,
    source_id="lib",
    source_title="Penza Library",
    source_url="https://lib.example.org/feed",
    url="https://lib.example.org/news/7?a=1&b=2",
    title="В Пензе открылся читальный зал",
    summary="Зал принял первых читателей. Он рассчитан на 40 мест.",
    content_html="",
    image=None,
    author="",
    language="ru",
    published=datetime(2026, 11, 22, 11, 5, tzinfo=UTC),
    updated=datetime(2026, 11, 22, 11, 5, tzinfo=UTC),
    first_seen=datetime(2026, 11, 22, 11, 5, tzinfo=UTC),
    has_date=True,
    section="",
    networks=("regional",),
    regions=("RU-PNZ",),
    mentions=(),
)


KEPT = {}


@pytest.fixture(autouse=True, scope="module")
def kept(networks):
    """For properties: Hypothesis writes all arguments into its reports, and the networks are large."""
    KEPT["networks"] = networks


def made(networks, item=ITEM, *, language="ru", timezone="Europe/Moscow", **options):
    return news_message(
        item,
        translator=TRANSLATIONS.to(language),
        timezone=timezone,
        networks=networks,
        base_url="https://news.example.org",
        **options,
    )


def seen(message):
    """The message as the server shows it, with all entities it finds."""
    return read_formatted(message.text, message.parse_mode or "", None)


@pytest.mark.parametrize(
    ("language", "timezone", "lines"),
    [
        (
            "ru",
            "Europe/Moscow",
            [
                "📍 Региональная сеть · Пензенская область",
                "#Пензенская_область #Региональная_сеть",
                "Penza Library, 22 ноября 2026\u202fг., 14:05",
            ],
        ),
        (
            "en",
            "America/New_York",
            [
                "📍 Regional network · Penza Oblast",
                "#Penza_Oblast #Regional_network",
                "Penza Library, November 22, 2026, 06:05",
            ],
        ),
        (
            "zh",
            "Asia/Shanghai",
            ["📍 地区网络 · 奔萨州", "#奔萨州 #地区网络", "Penza Library, 2026年11月22日 19:05"],
        ),
    ],
)
def test_labels_hashtags_source_and_date_speak_the_readers_language(networks, language, timezone, lines):
    text = seen(made(networks, language=language, timezone=timezone)).text
    assert text.splitlines() == [ITEM.title, "", ITEM.summary, "", *lines]


def test_an_arabic_message_isolates_what_is_written_the_other_way(networks):
    lines = seen(made(networks, language="ar")).text.splitlines()
    assert lines[0].startswith(FSI)
    assert lines[2].startswith(FSI)
    assert "\u2068#" in lines[5]
    assert lines[6].startswith(f"{FSI}Penza Library\u2069،")


def test_the_title_is_bold_and_linked_and_the_preview_shows_the_news(networks):
    message = made(networks)
    kinds = {each["type"]: each for each in seen(message).entities}
    assert kinds["text_link"]["url"] == ITEM.url
    assert kinds["bold"]["length"] == len(ITEM.title)
    assert message.link_preview.url == ITEM.url
    assert message.keyboard.inline_keyboard[0][0].url == ITEM.url


def test_other_languages_of_the_story_are_one_button_each(networks):
    english = replace(ITEM, id=8, language="en", url="https://lib.example.org/en/8")
    twin = replace(ITEM, id=9, url="https://lib.example.org/9")
    message = made(networks, siblings=[ITEM, english, twin, replace(english, id=10)])
    buttons = [button for row in message.keyboard.inline_keyboard for button in row]
    assert [b.text for b in buttons] == ["Открыть", "Почему?", "⋯", "🌐 English"]
    assert buttons[3].url == english.url


def test_a_possible_repeat_says_so_in_the_readers_language(networks):
    assert "повтор" not in made(networks).text
    assert "Возможно, это повтор" in made(networks, possible_repeat=True).text
    assert "Wiederholung" in made(networks, possible_repeat=True, language="de").text


def test_a_day_without_a_time_stays_that_day_everywhere(networks):
    item = replace(ITEM, published=datetime(2026, 11, 21, 21, 0, tzinfo=UTC))
    for timezone in ("Europe/Moscow", "America/New_York", "Asia/Tokyo"):
        assert seen(made(networks, item, timezone=timezone)).text.endswith("22 ноября 2026\u202fг.")


def test_without_an_address_our_own_page_is_linked(networks):
    message = made(networks, replace(ITEM, url="javascript:alert(1)"))
    assert message.keyboard.inline_keyboard[0][0].url == "https://news.example.org/ru/items/7"


def test_a_summary_that_repeats_the_title_is_left_out(networks):
    text = seen(made(networks, replace(ITEM, summary=ITEM.title + "…"))).text
    assert text.count(ITEM.title) == 1


def test_many_places_are_counted_not_listed(networks):
    codes = networks.networks["regional"].regions[:40]
    text = seen(made(networks, replace(ITEM, regions=codes))).text
    assert "+35" in text
    assert text.count("#") == 6


def test_plain_text_says_the_same_without_entities(networks):
    item = replace(ITEM, title="<b>5 > 3 & more")
    plain = as_plain(made(networks, item))
    assert plain.parse_mode is None
    assert plain.text.startswith("<b>5 > 3 & more\n\n")
    assert plain.text == seen(made(networks, item)).text


WORDS = st.text(st.characters(codec=None), max_size=200) | st.sampled_from(
    [
        "</a></b><a href='tg://x'>",
        "/forget",
        "@admin",
        "#тег",
        "&lt;b&gt;",
        "&amp;amp;",
        "\u202e\u2069\u2069",
        "x" * 9000,
        "👨\u200d👩\u200d👧" * 400,
        "Слово. " * 900,
        "\x00\x01",
        "́" * 300,
        "\n\n📍 Fake network",
        "https://evil.example/",
    ]
)


@given(
    title=WORDS,
    summary=WORDS,
    source=WORDS,
    url=WORDS | st.none(),
    language=st.sampled_from(INTERFACE_LANGUAGES),
)
def test_whatever_a_source_writes_the_message_parses_fits_and_cannot_be_spoofed(
    title, summary, source, url, language
):
    item = replace(ITEM, title=title, summary=summary, source_title=source, url=url)
    message = made(KEPT["networks"], item, language=language, possible_repeat=True)
    shown = seen(message)
    assert 1 <= len(shown.text) <= MESSAGE_LIMIT
    kinds = {each["type"] for each in shown.entities}
    assert kinds <= {"bold", "italic", "text_link", "hashtag", "url"}
    assert sum(each["type"] == "hashtag" for each in shown.entities) <= 2
    links = [each["url"] for each in shown.entities if each["type"] == "text_link"]
    assert len(links) == 1, "only our own link"
    # Title, teaser, labels, hashtags, source, note and the blanks between: no line more.
    assert len(shown.text.split("\n")) <= 9
    read_formatted(as_plain(message).text, "", None)


@given(title=WORDS)
def test_a_message_is_the_same_for_the_same_news(title):
    item = replace(ITEM, title=title)
    assert made(KEPT["networks"], item) == made(KEPT["networks"], item)

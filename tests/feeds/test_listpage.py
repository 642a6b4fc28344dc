"""List pages are read without selectors: the right items, under the right headings, with right dates.

``pages/*.html`` are our own pages in the markup of many content systems; the leading comment of each
holds what a reader would say is on it.
"""

from __future__ import annotations

import json
import os
import pickle
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.listpage import parse_list_page
from feeds.model import Document, DocumentKind, Entry, LanguageCode, Selectors

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
URL = "https://lib.example/news/"


def load(path: Path) -> tuple[str, dict[str, Any]]:
    text = path.read_text("utf-8")
    return text, json.loads(text[len("<!-- ") : text.index(" -->\n")])


def read(text: str, *, url: str = URL, language: str | None = None, **options: Any) -> Document:
    code = LanguageCode(language) if language else None
    return parse_list_page(text, url=url, language=code, now=options.pop("now", NOW), **options)


def day_of(entry: Entry) -> str | None:
    return entry.published.date().isoformat() if entry.published else None


def seen(document: Document) -> list[tuple[str, list[list[str | None]]]]:
    return [
        (
            each.heading,
            [
                [entry.title, entry.url, entry.published and entry.published.date().isoformat()]
                for entry in each.entries
            ],
        )
        for each in document.lists
        if each.main
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_main_lists_of_a_page_are_read_as_a_reader_would(path: Path) -> None:
    text, expected = load(path)
    document = read(text, url=expected["url"])
    found = seen(document)
    wanted = [each for each in expected["lists"] if each["main"]]
    assert [items for _, items in found] == [each["items"] for each in wanted]
    for (heading, _), each in zip(found, wanted, strict=True):
        assert each["heading"] in (None, heading)
    assert list(document.feeds) == expected.get("feeds", [])
    assert document.kind is DocumentKind.LIST


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_entries_carry_the_heading_they_stand_under(path: Path) -> None:
    text, expected = load(path)
    for each in read(text, url=expected["url"]).lists:
        assert {entry.section for entry in each.entries} <= {each.heading, ""}


def test_teasers_hold_no_date_no_title_and_no_button() -> None:
    text, expected = load(Path(__file__).parent / "pages" / "bitrix_newslist.html")
    for entry in read(text, url=expected["url"]).main_entries:
        assert entry.summary.endswith(".")
        assert entry.title not in entry.summary
        assert "2018" not in entry.summary


def test_images_are_absolute_and_icons_are_left_out() -> None:
    text, expected = load(Path(__file__).parent / "pages" / "german_card_grid.html")
    assert [entry.image for entry in read(text, url=expected["url"]).main_entries] == [
        f"https://lib.example/img/{number}.jpg" for number in range(100, 104)
    ]


def test_selectors_win_over_detection() -> None:
    text = """<ul><li class=x><b>Short</b> <a href=/1>go</a> <i>25 мая 2018</i><p>Text</p><img src=p.png></li>
        <li class=x><b>Other</b> <a href=/2>go</a> <i>24 мая 2018</i></li></ul>"""
    chosen = Selectors(item="li.x", title="b", link="a", date="i", summary="p")
    document = read(text, language="ru", selectors=chosen)
    assert seen(document) == [
        (
            "",
            [
                ["Short", "https://lib.example/1", "2018-05-25"],
                ["Other", "https://lib.example/2", "2018-05-24"],
            ],
        )
    ]
    assert document.main_entries[0].summary == "Text"
    assert document.main_entries[0].image == "https://lib.example/news/p.png"


@pytest.mark.parametrize(
    ("selectors", "reason", "words"),
    [
        (Selectors(item="li..x"), "selector-invalid", "li..x"),
        (Selectors(item=".gone"), "selector-empty", ".gone"),
        (Selectors(item="p", title=".none"), "selector-empty", "none"),
    ],
)
def test_a_wrong_selector_is_named(selectors: Selectors, reason: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        read("<p>Nothing to see</p>", selectors=selectors)
    assert caught.value.reason == reason
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no text"),
        ("<html><body><script>render()</script></body></html>", "no text"),
        ("<h1>Just a moment...</h1><p>Checking your browser before accessing the site.</p>", "browser check"),
        ("<p>" + "A long article about one thing. " * 40 + "</p>", "no repeated block"),
    ],
)
def test_a_page_without_a_list_says_what_it_is_instead(text: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    assert caught.value.reason == "no-list"
    assert words in caught.value.detail


def items(*dates: str, start: int = 1) -> str:
    return "".join(
        f"<li><span class=date>{date}</span> <a href=/n/{number}>A piece of news that is number {number}</a></li>"
        for number, date in enumerate(dates, start)
    )


def days(document: Document) -> list[str | None]:
    return [
        entry.published.date().isoformat() if entry.published else None for entry in document.main_entries
    ]


def test_one_unmistakable_date_decides_the_order_of_all() -> None:
    page = "<ul>" + items("05/06/2018", "05/22/2018", "04/07/2018") + "</ul>"
    assert days(read(page, language="ru")) == ["2018-05-06", "2018-05-22", "2018-04-07"]


def test_english_numeric_dates_follow_the_country_of_the_page() -> None:
    page = "<html lang={}><body><ul>" + items("05/06/2018", "04/07/2018") + "</ul></body></html>"
    assert days(read(page.format("en-US"))) == ["2018-05-06", "2018-04-07"]
    assert days(read(page.format("en-GB"))) == ["2018-06-05", "2018-07-04"]
    assert days(read(page.format("en"), url="https://library.co.uk/")) == ["2018-06-05", "2018-07-04"]


def test_dates_without_a_year_are_near_the_newest_full_date_of_an_old_page() -> None:
    page = "<h2>Новости</h2><ul>" + items("05.12", "04.12", "28.11") + "</ul><h2>Документы</h2><ul>"
    page += items("03.12.2014", "02.12.2014", start=20) + "</ul>"
    assert days(read(page, language="ru")) == ["2014-12-05", "2014-12-04", "2014-11-28"]


def test_dates_without_a_year_are_recent_on_a_page_that_names_this_year() -> None:
    page = "<h2>News</h2><ul>" + items("21 ноября", "20 ноября") + "</ul><p>© 2005–2026</p>"
    assert days(read(page, language="ru")) == ["2026-11-21", "2026-11-20"]


def test_an_impossible_date_is_dropped_and_says_why() -> None:
    page = "<ul>" + items("21 March 1825", "25 May 2041", "25 May 2018") + "</ul>"
    found = read(page, language="en").main_entries
    assert [entry.published_rule for entry in found] == [
        "dropped:before-web",
        "dropped:future",
        "month-name:en",
    ]
    assert [entry.published_text for entry in found][:2] == ["21 March 1825", "25 May 2041"]


def test_a_list_page_survives_the_way_to_another_process() -> None:
    document = read("<ul>" + items("25 May 2018", "24 May 2018") + "</ul>")
    assert pickle.loads(pickle.dumps(document)) == document


def test_nothing_from_the_page_is_active() -> None:
    page = (
        "<ul><li><a href='javascript:alert(1)'>A link that must not be followed at all</a></li>"
        "<li><a href='/1'>A title with &lt;script&gt;alert(1)&lt;/script&gt; inside of it</a>"
        "<img src='javascript:x'></li>"
        "<li><a href='/2'>Another title that is long enough<img src='data:image/png;base64,AA'></a></li></ul>"
    )
    for entry in read(page).main_entries:
        assert entry.url is not None
        assert entry.url.startswith("https://lib.example/")
        assert "<" not in entry.title
        assert entry.image is None


HOSTILE = {
    "nested divs": "<div>" * 100_000 + "x",
    "nested links": "<a href=/x>" * 50_000,
    "nested bold": "<p><b>" * 50_000,
    "nested tables": "<table><tr><td>" * 30_000 + "<a href=/1>A title long enough</a>",
    "nested lists": "<ul><li><a href=/1>A title long enough for a list</a>" * 3_000,
    "flat links": "".join(f"<a href=/{n}>A title long enough {n}</a>" for n in range(30_000)),
    "flat items": "".join(
        f"<li><a href=/{n}>A title long enough {n}</a> 25 May 2018</li>" for n in range(15_000)
    ),
    "one huge text": "<p>" + "25 мая 2018 года и " * 60_000,
    "digits": "<li><a href=/1>A title long enough</a>"
    + "1.1.1.1-" * 50_000
    + "</li><li><a href=/2>Another title</a></li>",
    "spaces": "<li><a href=/1>A title"
    + " " * 500_000
    + "end</a></li><li><a href=/2>Another title of news</a></li>",
    "attributes": "<li " + "".join(f"a{n}=1 " for n in range(40_000)) + "><a href=/1>A title</a>",
    "classes": "".join(
        f"<div class='c{n} {'x' * 200}'><a href=/{n}>A title long {n}</a></div>" for n in range(3_000)
    ),
    "no end": "<ul><li><a href='/1" + "x" * 400_000,
    "headings": "".join(
        f"<h2>Heading {n}</h2><a href=/{n}>A title long enough {n}</a>" for n in range(8_000)
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_pages_are_read_or_refused_within_a_second(page: str) -> None:
    read("<ul>" + items("25 Foo 2018", "24 May 2018") + "</ul>")  # month names of all languages are loaded
    start = time.process_time()
    assert reason_or_nothing(page) in {"", "no-list", "too-deep"}
    assert time.process_time() - start < 1.0


def reason_or_nothing(page: str) -> str:
    try:
        document = read(page)
    except ParseError as error:
        return error.reason
    for each in document.lists:
        assert each.entries
        assert all(entry.title for entry in each.entries)
    return ""


FRAGMENTS = [
    *(
        "<ul>",
        "</ul>",
        "<li>",
        "</li>",
        "<div class=item>",
        "</div>",
        "<h2>",
        "</h2>",
        "<p>",
        "<br>",
        "<table><tr><td>",
    ),
    *(
        "<a href=/1>",
        "<a href=/2>",
        "</a>",
        "A title that is long enough",
        "Новости",
        "25 мая 2018",
        "05/06/18",
    ),
    *(
        "<time datetime=0>",
        "</table>",
        "<b>",
        "&lt;",
        "<a href='//['>",
        "12:30",
        "<base href='http://[::1'>",
        "年月",
    ),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join))
def test_any_page_is_read_or_refused_with_a_reason(page: str) -> None:
    assert reason_or_nothing(page) in {"", "no-list", "too-deep"}


@pytest.mark.corpora
def test_labelled_real_pages_reach_the_figures() -> None:
    root = os.environ.get("VESTNIK_CORPORA")
    if not root:
        pytest.skip("VESTNIK_CORPORA is not set")
    folder = Path(root) / "listpages"
    wrong = []
    for row in map(json.loads, (folder / "truth.jsonl").read_text("utf-8").splitlines()):
        text = (folder / f"{row['id']}.html").read_text("utf-8", errors="replace")
        document = read(text, url=row["base_url"], language=row["lang"])
        ours = {entry.url for entry in document.main_entries}
        mains = [{item["href"] for item in each["items"]} for each in row["lists"] if each["main"]]
        best = max(len(ours & main) / len(ours | main) for main in (*mains, set().union(*mains)))
        if best < 0.95:
            wrong.append((row["id"], round(best, 2)))
    assert not wrong

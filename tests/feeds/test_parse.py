"""A body becomes a document, whatever it is; what is no news is refused in words."""

import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import opml, parse_feed
from feeds.entries import Place
from feeds.errors import ParseError
from feeds.model import Document, DocumentKind, Entry, LanguageCode, SourceKind
from feeds.opml import parse_opml
from feeds.parse import MAX_BODY, parse_document
from feeds.refusals import Refusal

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://lib.example/feeds/news.xml"
RU = LanguageCode("ru")


def parse(text: str | bytes, **values: object) -> Document:
    body = text if isinstance(text, bytes) else text.encode()
    return parse_document(body, url=URL, now=NOW, **values)  # type: ignore[arg-type]


def rss(items: str = "", channel: str = "", attributes: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {attributes}'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f"<channel><title>Вестник</title><link>https://lib.example/</link>{channel}{items}</channel></rss>"
    )


def only(document: Document) -> Entry:
    (entry,) = document.main_entries
    return entry


def item(inside: str, **values: object) -> Entry:
    return only(parse(rss(f"<item><title>Т</title>{inside}</item>"), **values))


def test_rss_item_in_full() -> None:
    document = parse(
        rss(
            """<item><title>Выставка &amp;laquo;Пенза&amp;raquo;</title><link>/news/1</link>
            <guid isPermaLink="false">n-1</guid><pubDate>Sun, 01 Nov 2026 12:00:00 MSK</pubDate>
            <description>Коротко &lt;b&gt;о&lt;/b&gt; главном</description><dc:creator>И. Петров</dc:creator>
            <category>Выставки</category><category>Выставки</category><category>Пенза</category>
            <content:encoded><![CDATA[<p onclick="x()">Текст <img src="/i/1.jpg"></p><script>x()</script>]]>
            </content:encoded></item>""",
            channel="<language>ru-RU</language><ttl>90</ttl>",
        ),
    )
    assert document.kind is DocumentKind.RSS
    assert (document.title, document.language) == ("Вестник", "ru")
    assert document.hints.ttl == timedelta(minutes=90)
    assert only(document) == Entry(
        title="Выставка «Пенза»",
        url="https://lib.example/news/1",
        guid="n-1",
        summary="Коротко о главном",
        content_html='<p>Текст <img src="https://lib.example/i/1.jpg"></p>',
        published=datetime(2026, 11, 1, 9, tzinfo=UTC),
        published_text="Sun, 01 Nov 2026 12:00:00 MSK",
        published_rule=only(document).published_rule,
        author="И. Петров",
        image="https://lib.example/i/1.jpg",
        categories=("Выставки", "Пенза"),
    )
    assert only(document).published_rule


def test_atom_entry_in_full() -> None:
    document = parse(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://lib.example/en/">
        <title type="html">News &amp;amp; events</title><link rel="self" href="http://localhost/feed"/>
        <entry xml:lang="mn"><title>Номын сан</title><id>tag:lib.example,2026:1</id>
        <link rel="alternate" href="news/1"/><link rel="enclosure" type="image/png" href="/i.png"/>
        <published>2026-11-01T10:00:00+08:00</published><updated>2026-11-02T00:00:00Z</updated>
        <author><name>Бат</name><email>bat@lib.example</email></author>
        <category term="news" label="Мэдээ"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Текст</p></div></content>
        </entry></feed>"""
    )
    assert (document.kind, document.title, document.language) == (DocumentKind.ATOM, "News & events", "en")
    entry = only(document)
    assert entry.url == "https://lib.example/en/news/1"
    assert entry.guid == "tag:lib.example,2026:1"
    assert entry.language == "mn"
    assert entry.published == datetime(2026, 11, 1, 2, tzinfo=UTC)
    assert entry.updated == datetime(2026, 11, 2, tzinfo=UTC)
    assert (entry.author, entry.categories) == ("Бат", ("Мэдээ",))
    assert entry.content_html == "<p>Текст</p>"
    assert entry.summary == "Текст"
    assert entry.image == "https://lib.example/i.png"


def test_rdf_takes_its_date_from_dublin_core() -> None:
    document = parse(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://lib.example/"><title>R</title>
        </channel><item rdf:about="https://lib.example/1"><title>Один</title><link>https://lib.example/1</link>
        <dc:date>2026-11-01T12:00:00+03:00</dc:date></item></rdf:RDF>"""
    )
    assert document.kind is DocumentKind.RDF
    assert only(document).published == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert only(document).guid == "https://lib.example/1"


def test_json_feed_in_full() -> None:
    document = parse(
        """{"version": "https://jsonfeed.org/version/1.1", "title": "Вестник", "language": "ru",
        "authors": [{"name": "Редакция"}], "items": [
        {"id": 7, "url": "/n/7", "title": "Первая", "content_html": "<p>Текст<script>x()</script></p>",
         "date_published": "2026-11-01T12:00:00+03:00", "tags": ["Пенза", 3],
         "attachments": [{"url": "/a.mp3", "mime_type": "audio/mpeg"}, {"url": "/i.png", "mime_type": "image/png"}]},
        "no object", {"id": "8", "content_text": "1 < 2 без заголовка.\\n\\nДальше", "language": "en-GB"}]}"""
    )
    first, second = document.main_entries
    assert (document.kind, document.title, document.language) == (DocumentKind.JSON, "Вестник", "ru")
    assert (first.guid, first.url, first.author) == ("7", "https://lib.example/n/7", "Редакция")
    assert first.content_html == "<p>Текст</p>"
    assert first.published == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert first.categories == ("Пенза",)
    assert first.image == "https://lib.example/i.png"
    assert second.title == "1 < 2 без заголовка."
    assert second.content_html == "<p>1 &lt; 2 без заголовка.</p><p>Дальше</p>"
    assert second.language == "en"


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ("<link>https://lib.example/1?a=1&b=2</link>", "https://lib.example/1?a=1&b=2"),
        ("<link><![CDATA[https://lib.example/1?a=1&b=2]]></link>", "https://lib.example/1?a=1&b=2"),
        ("<link>https://lib.example/1?a=1&amp;copy=2</link>", "https://lib.example/1?a=1&copy=2"),
        ("<link> \n/1 </link>", "https://lib.example/1"),
        ("<link>1.html</link>", "https://lib.example/feeds/1.html"),
        ("<guid>https://lib.example/g</guid>", "https://lib.example/g"),
        ('<guid isPermaLink="false">https://lib.example/g</guid>', None),
        ("<link>javascript:alert(1)</link>", None),
        ("<link></link>", None),
    ],
)
def test_the_link_of_an_item(inside: str, url: str | None) -> None:
    assert item(inside).url == url


def test_a_plain_guid_keeps_its_words_whatever_the_address_of_the_feed() -> None:
    assert item("<guid>12345</guid><link>/1</link>").guid == "12345"


@pytest.mark.parametrize(
    ("date", "when"),
    [
        ("Вс, 01 ноя 2026 12:00:00 +0300", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("Sun, 01 Nov 2026 12:00:00 +0300", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("2016/6/29 15:07:41", datetime(2016, 6, 29, 12, 7, 41, tzinfo=UTC)),
        ("2026-11-01 12:00", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("1 ноября 2026", datetime(2026, 10, 31, 21, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_the_zone_and_language_of_the_source(date: str, when: datetime) -> None:
    entry = item(f"<pubDate>{date}</pubDate>", language=RU, timezone="Europe/Moscow")
    assert (entry.published, entry.published_text) == (when, date)


@pytest.mark.parametrize(
    ("date", "rule"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", "dropped:epoch"),
        ("2041-01-01T00:00:00Z", "dropped:future"),
        ("Tue, 01 Dec 2026 00:00:00 GMT", "dropped:future"),
        ("soon", "dropped:unreadable"),
    ],
)
def test_insane_dates_are_dropped_with_the_reason(date: str, rule: str) -> None:
    entry = item(f"<pubDate>{date}</pubDate>")
    assert (entry.published, entry.published_rule, entry.published_text) == (None, rule, date)


def test_a_second_date_helps_where_the_first_is_insane() -> None:
    entry = item("<pubDate>1970-01-01</pubDate><dc:date>2026-11-01T00:00:00Z</dc:date>")
    assert entry.published == datetime(2026, 11, 1, tzinfo=UTC)
    assert entry.published_rule.startswith("updated:")


def test_dates_of_the_channel_are_never_those_of_an_entry() -> None:
    channel = "<lastBuildDate>Sun, 01 Nov 2026 12:00:00 GMT</lastBuildDate><pubDate>2026-11-01</pubDate>"
    entry = only(parse(rss("<item><title>Т</title></item>", channel=channel)))
    assert (entry.published, entry.updated, entry.published_rule) == (None, None, "")


SKIPPED = """<skipHours><hour>0</hour><hour> 23 </hour><hour>24</hour><hour>99</hour></skipHours>
<skipDays><day>Saturday</day><day>sunday</day><day>Someday</day></skipDays>"""


@pytest.mark.parametrize(
    ("channel", "ttl", "hours", "days"),
    [
        ("", None, set(), set()),
        ("<ttl>60</ttl>", timedelta(hours=1), set(), set()),
        ("<ttl>-5</ttl>", None, set(), set()),
        ("<ttl>999999</ttl>", None, set(), set()),
        ("<ttl>soon</ttl>", None, set(), set()),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            timedelta(hours=6),
            set(),
            set(),
        ),
        (
            "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            timedelta(hours=1),
            set(),
            set(),
        ),
        (
            SKIPPED,
            None,
            {0, 23},
            {5, 6},
        ),
    ],
)
def test_poll_hints(channel: str, ttl: timedelta | None, hours: set[int], days: set[int]) -> None:
    hints = parse(rss("<item><title>Т</title></item>", channel=channel)).hints
    assert (hints.ttl, hints.skip_hours, hints.skip_days) == (ttl, hours, days)


@pytest.mark.parametrize(
    ("inside", "image"),
    [
        (
            '<media:content url="/s.jpg" width="100" medium="image"/><media:content url="/l.jpg" width="900"/>',
            "/l.jpg",
        ),
        ('<media:thumbnail url="/t.jpg"/>', "/t.jpg"),
        ('<media:group><media:content url="/g.png" type="image/png"/></media:group>', "/g.png"),
        ('<media:content url="/v.mp4" type="video/mp4"/><media:thumbnail url="/t.jpg"/>', "/t.jpg"),
        ('<enclosure url="/e.jpg" type="image/jpeg" length="1"/>', "/e.jpg"),
        ('<enclosure url="/a.mp3" type="audio/mpeg" length="1"/>', None),
        ('<description>&lt;p&gt;&lt;img src="/d.jpg?a=1&amp;amp;b=2"&gt;</description>', "/d.jpg?a=1&b=2"),
        ('<description>&lt;img src="/p.gif" width="1" height="1"&gt;x</description>', None),
        ('<enclosure url="javascript:x" type="image/png"/>', None),
    ],
)
def test_the_picture_of_an_item(inside: str, image: str | None) -> None:
    assert item(inside).image == (f"https://lib.example{image}" if image else None)


@pytest.mark.parametrize(
    ("source", "titles"),
    [
        (rss("<item><title>AT&T</title></item>"), ["AT&T"]),
        (rss("<item><title>a&nbsp;b &copy; &unknown;</title></item>"), ["a b © &unknown;"]),
        (rss("<item><title>a\x0bb&#11;c&#xFFFE;</title></item>"), ["abc"]),
        (rss("<item><title>don&#146;t</title></item>"), ["don’t"]),
        (rss("<item><title>А</title></item>") + "<!-- 0.3 s --><script>x</script>", ["А"]),
        ("\n\n " + rss("<item><title>А</title></item>"), ["А"]),
        ("<br />\n<b>Warning</b>: x in <b>y</b><br />" + rss("<item><title>А</title></item>"), ["А"]),
        (rss("<item><title>А</title></item><item><title>Б"), ["А"]),
        (rss("<item></item><item><title></title></item><item><title>Б</title></item>"), ["Б"]),
        (rss("<item><description>Без заголовка. И дальше</description></item>"), ["Без заголовка."]),
        (rss("<item><foo:title>x</foo:title><title>А</title></item>"), ["А"]),
        (rss("<item><title><![CDATA[A & B <i>c</i>]]></title></item>"), ["A & B c"]),
        (rss("<item><title>&lt;script&gt;alert(1)&lt;/script&gt;А</title></item>"), ["А"]),
        (rss(), []),
        (rss("<item><title>А</title></item>").replace("UTF-8", "windows-1251"), ["А"]),
    ],
    ids=range(15),
)
def test_slips_of_real_feeds_cost_nothing(source: str, titles: list[str]) -> None:
    assert [entry.title for entry in parse(source).main_entries] == titles


def test_an_entry_of_unheard_shape_skips_only_itself() -> None:
    """What the library gives is not ours to trust: what is no entry is passed over."""
    place = Place(url=URL, language=None, timezone="UTC", now=NOW)
    shapes = [
        object(),
        {"title": "А"},
        {"title": 5, "links": "x", "tags": [None], "content": [3]},
        {"title": "Б"},
    ]
    assert [entry.title for entry in parse_feed._entries(shapes, place, None)] == ["А", "Б"]


def test_a_parser_that_breaks_is_a_broken_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("unexpected call to parse_comment()")

    monkeypatch.setattr(parse_feed.feedparser, "parse", broken)
    with pytest.raises(ParseError) as caught:
        parse(rss())
    assert caught.value.reason == Refusal.BROKEN_FEED


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ('<link href="/en" hreflang="en"/><link href="/ru" hreflang="ru"/>', "https://lib.example/ru"),
        ('<link href="/en" hreflang="en"/><link href="/de" hreflang="de"/>', "https://lib.example/en"),
        (
            '<link href="/a" type="application/pdf"/><link href="/b" type="text/html"/>',
            "https://lib.example/b",
        ),
        ('<link rel="enclosure" href="/a"/>', None),
        (
            """<link href="http://feedproxy.example/~3/x"/><f:origLink
            xmlns:f="http://rssnamespace.org/feedburner/ext/1.0">https://lib.example/o</f:origLink>""",
            "https://lib.example/o",
        ),
    ],
)
def test_the_link_of_an_atom_entry(links: str, url: str | None) -> None:
    entry = only(
        parse(
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ru"><title>x</title>'
            f"<entry><title>А</title>{links}</entry></feed>"
        )
    )
    assert entry.url == url


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("editor@lib.example (И. Петров)", "И. Петров"),
        ("И. Петров &lt;editor@lib.example&gt;", "И. Петров"),
        ("editor@lib.example", ""),
        ("И. Петров", "И. Петров"),
    ],
)
def test_mail_addresses_of_authors_do_not_pass(author: str, name: str) -> None:
    assert item(f"<author>{author}</author>").author == name


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("ru-RU", "ru"),
        ("en_us", "en"),
        ("rus", "ru"),
        ("UA", "uk"),
        ("zxx", None),
        ("", None),
        ("русский", None),
        ("sah", None),
    ],
)
def test_languages_are_named_by_their_code(tag: str, code: str | None) -> None:
    assert parse(rss(channel=f"<language>{tag}</language>")).language == code


def test_half_an_entry_at_the_end_of_a_broken_answer_waits_for_the_next_poll() -> None:
    whole = rss("<item><title>А</title><link>/1</link></item><item><title>Б</title><link>/2</link></item>")
    cut = whole[: whole.index("<link>/2")]
    assert [entry.title for entry in parse(cut).main_entries] == ["А"]


def test_an_archive_of_years_gives_its_first_entries() -> None:
    entries = parse(rss("".join(f"<item><title>{n}</title></item>" for n in range(2500)))).main_entries
    assert [entry.title for entry in entries] == [str(n) for n in range(2000)]


def test_a_doctype_without_entities_is_taken_off_and_word_entities_are_resolved() -> None:
    body = rss("<item><title>&who; и &amp;</title></item>")
    head, root = body.split("?>", 1)
    external = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    inside = '<!DOCTYPE rss [ <!ENTITY who "Пенза"> ]>'
    assert only(parse(f"{head}?>{external}{root}")).title == "&who; и &"
    assert only(parse(f"{head}?>{inside}{root}")).title == "Пенза и &"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY a "1234567890"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY a PUBLIC "x" "http://lib.example/">]>',
        '<!DOCTYPE rss [<!ENTITY % a "x"> %a;]>',
        f'<!DOCTYPE rss [<!ENTITY a "{"B" * 1000}">]>',
        '<!DOCTYPE rss [<!ENTITY a "<b>">]>',
        "<!DOCTYPE rss [",
    ],
)
def test_entity_bombs_are_refused(doctype: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(f"{doctype}<rss><channel><item><title>&a;</title></item></channel></rss>")
    assert caught.value.reason == Refusal.DTD


def test_many_references_to_a_short_entity_are_refused() -> None:
    with pytest.raises(ParseError) as caught:
        parse(
            f'<!DOCTYPE rss [<!ENTITY a "{"B" * 190}">]><rss><channel><title>{"&a;" * 5000}</title></channel></rss>'
        )
    assert caught.value.reason == Refusal.DTD


PAGE = "<!DOCTYPE html><html><head><title>{}</title>{}</head><body>{}</body></html>"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", Refusal.EMPTY),
        (" \n\x00", Refusal.EMPTY),
        ("\ufeff", Refusal.EMPTY),
        ("a" * (MAX_BODY + 1), Refusal.TOO_LARGE),
        ("just words", Refusal.NOT_NEWS),
        ("%PDF-1.4", Refusal.NOT_NEWS),
        ("<catalog><book/></catalog>", Refusal.NOT_NEWS),
        ("<rss></rss>", Refusal.BROKEN_FEED),
        ("<lib-app></lib-app>", Refusal.NO_LIST),
        (PAGE.format("Вход", "", '<a href="/x">x</a>' * 30 + "<p>g-recaptcha</p>"), Refusal.NO_LIST),
        ('{"error": "not found"}', Refusal.NOT_NEWS),
        ("[1, 2]", Refusal.NOT_NEWS),
        ('{"items": [', Refusal.BROKEN_FEED),
        ("[" * 100_000, Refusal.BROKEN_FEED),
        ('<opml version="2.0"><body/></opml>', Refusal.OPML),
        ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>', Refusal.SITEMAP),
        ("<rss><channel>" + "<a>" * 2000, Refusal.TOO_DEEP),
        ("<html><body>" + "<div>" * 2000, Refusal.TOO_DEEP),
        (PAGE.format("Just a moment...", "", '<div id="cf-wrapper"></div>'), Refusal.CHALLENGE),
        (PAGE.format("", '<script src="/cdn-cgi/challenge-platform/h/b"></script>', ""), Refusal.CHALLENGE),
        (
            PAGE.format("DDoS-Guard", '<script src="https://check.ddos-guard.net/check.js">', ""),
            Refusal.CHALLENGE,
        ),
        (PAGE.format("", "<script>document.cookie='a=1';location.reload();</script>", ""), Refusal.CHALLENGE),
        (PAGE.format("lib.example", "", "<h1>This domain is for sale</h1>"), Refusal.PARKED),
        (PAGE.format("Домен", "", "<p>Домен lib.example продаётся. Домен припаркован</p>"), Refusal.PARKED),
        (PAGE.format("Вход", "", '<form><input name=l><input type="password"></form>'), Refusal.LOGIN),
        (PAGE.format("О нас", "", "<p>Библиотека работает с 1830 года.</p>"), Refusal.NO_LIST),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, Refusal) else "",
)
def test_what_is_no_news_is_refused_by_name_and_in_words(body: str, reason: Refusal) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert caught.value.reason == reason
    assert caught.value.subject == URL
    assert len(caught.value.detail) > 10
    assert "{" not in caught.value.detail


def test_a_page_is_no_feed_and_the_feed_it_announces_is_named() -> None:
    links = '<link rel="icon" href="/i"><link rel="alternate" type="application/rss+xml" href="/rss">'
    page = PAGE.format("Н", links, "<p>текст</p>")
    with pytest.raises(ParseError) as caught:
        parse(page, kind=SourceKind.FEED)
    assert caught.value.reason == Refusal.HTML_INSTEAD
    assert "https://lib.example/rss" in caught.value.detail


def test_a_page_without_a_feed_is_refused_without_a_hint() -> None:
    with pytest.raises(ParseError) as caught:
        parse(PAGE.format("Н", '<link rel="icon" href="/i">', ""), kind=SourceKind.FEED)
    assert caught.value.detail.endswith("expected")


def test_an_article_about_robot_checks_is_no_robot_check() -> None:
    links = "".join(
        f'<li><a href="/n/{n}">Новость номер {n} о DDoS и g-recaptcha</a> <span>{n + 1} ноября 2026</span></li>'
        for n in range(12)
    )
    words = "слово " * 200
    document = parse(
        PAGE.format("Новости", "", f"<h1>Новости</h1><ul>{links}</ul><p>{words}</p>"), language=RU
    )
    assert document.kind is DocumentKind.LIST
    assert len(document.main_entries) == 12


def test_a_source_of_lists_that_turns_into_a_feed_is_read_as_one() -> None:
    assert parse(rss("<item><title>А</title></item>"), kind=SourceKind.LIST).kind is DocumentKind.RSS


def test_documents_and_errors_cross_process_borders() -> None:
    document = parse(rss("<item><title>А</title></item>"))
    assert pickle.loads(pickle.dumps(document)) == document


@pytest.mark.slow
def test_parsing_runs_in_a_process_pool() -> None:
    with ProcessPoolExecutor(max_workers=1) as pool:
        assert pool.submit(parse, rss("<item><title>А</title></item>")).result().kind is DocumentKind.RSS


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        rss("<item><title>x</title></item>" * 20_000),
        rss("<item><title>x" * 20_000),
        "<rss><channel><item><description>" + "&lt;div&gt;" * 100_000,
        "<rss>" + "<![CDATA[" * 100_000,
        "<rss>" + "<!--" * 100_000,
        "<!--" * 100_000,
        "<?" * 100_000,
        "<!DOCTYPE " * 100_000,
        "<rss>" + "&" * 500_000,
        "<rss>" + "<a b='" * 50_000,
        "<rss " + "a=1 " * 100_000,
        "\n" * 500_000 + "<rss/>",
        '{"items": [' + "{}," * 200_000 + "{}]}",
    ],
    ids=range(13),
)
def test_hostile_documents_take_little_time(source: str) -> None:
    started = time.process_time()
    with suppress(ParseError):
        parse(source)
    assert time.process_time() - started < 2.0


_WORDS = """
<rss> </rss> <channel> <item> </item> <title> </title> <link> <![CDATA[ ]]> <!-- --> <feed> <entry> <html>
<content:encoded> <a:b <media:content <guid> &amp; & &#0; &lt; <pubDate> 2026-11-01 { [ ] } "items" : <updated>
<category <author> <enclosure <?xml <!DOCTYPE <!ENTITY ]> ?> SYSTEM 'b' ж
"""
_PIECES = st.sampled_from(
    [*_WORDS.split(), "\x00", "\ufeff", " ", "\n", '<feed xmlns="http://www.w3.org/2005/Atom">']
)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=30).map("".join).map(str.encode)))
def test_any_bytes_give_a_document_or_a_parse_error(body: bytes) -> None:
    try:
        document = parse(body)
    except ParseError:
        return
    assert all(entry.title for entry in document.main_entries)


def test_opml_lists_each_feed_once_with_its_folders() -> None:
    outlines = parse_opml(
        """<?xml version="1.0" encoding="UTF-8"?><opml version="2.0"><head><title>x</title></head><body>
        <outline text="Библиотеки"><outline text="Пенза & Орёл" type="rss" xmlUrl="https://lib.example/rss"
        htmlUrl="https://lib.example/" language="ru-RU"/><outline title="B" xmlurl="https://b.example/atom"/>
        </outline><outline text="again" xmlUrl="https://lib.example/rss"/><outline text="bad" xmlUrl="file:///x"/>
        </body></opml>""".encode(),
        name="list.opml",
    )
    assert [(each.feed_url, each.title, each.folders) for each in outlines] == [
        ("https://lib.example/rss", "Пенза & Орёл", ("Библиотеки",)),
        ("https://b.example/atom", "B", ("Библиотеки",)),
    ]
    assert (outlines[0].page_url, outlines[0].language) == ("https://lib.example/", "ru")


def test_opml_stops_at_a_length_no_person_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opml, "MAX_OUTLINES", 3)
    lines = "".join(f'<outline xmlUrl="https://lib.example/{n}"/>' for n in range(9))
    assert len(parse_opml(f"<opml><body>{lines}</body></opml>".encode(), name="x")) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Refusal.NOT_NEWS),
        (b"<rss/>", Refusal.NOT_NEWS),
        (b"<opml><body><outline></opml>", Refusal.BROKEN_FEED),
        (b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///x">]><opml><body/></opml>', Refusal.DTD),
        (b"<opml><body>" + b"<outline>" * 2000, Refusal.TOO_DEEP),
    ],
)
def test_what_is_no_opml_is_refused(body: bytes, reason: Refusal) -> None:
    with pytest.raises(ParseError) as caught:
        parse_opml(body, name="list.opml")
    assert caught.value.reason == reason

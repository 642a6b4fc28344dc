"""Feeds are found where pages announce them; guesses are made only when asked."""

from __future__ import annotations

import json

from selectolax.lexbor import LexborHTMLParser

from feeds.discover import FeedLink, discover_feeds, likely_addresses
from feeds.structured import read_json_ld

URL = "https://lib.example/news/"


def found(text: str, **options: bool) -> list[tuple[str, str]]:
    return [(feed.rule, feed.url) for feed in discover_feeds(text, url=URL, **options)]


def test_announced_feeds_come_first_and_comment_feeds_last() -> None:
    page = """<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
        <link rel="alternate" type="application/rss+xml; charset=UTF-8" title="News &amp; more" href="/feed/">
        <link rel="ALTERNATE" type="application/atom+xml" href="atom.xml">
        <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
        <link rel="feed" href="/all"><a href="/rss/all.xml">RSS</a>"""
    assert found(page) == [
        ("link", "https://lib.example/feed/"),
        ("link", "https://lib.example/news/atom.xml"),
        ("link", "https://cdn.example/feed.json"),
        ("link", "https://lib.example/all"),
        ("link", "https://lib.example/comments/feed/"),
        ("anchor", "https://lib.example/rss/all.xml"),
    ]
    assert discover_feeds(page, url=URL)[0].title == "News & more"


def test_what_is_no_feed_is_not_announced() -> None:
    page = """<link rel="alternate" hreflang="en" href="/en/">
        <link rel="alternate stylesheet" type="text/css" href="/a.css">
        <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
        <link rel="alternate" type="text/xml+oembed" href="/oembed">
        <link rel="alternate" type="text/xml" href="/wp-json/oembed/1.0/embed?format=xml">
        <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
        <a href="https://other.example/feed/">elsewhere</a><a href="/feedback">Write to us</a>"""
    assert found(page) == []


def test_relative_addresses_follow_the_base_element() -> None:
    page = (
        """<base href="https://lib.example/en/"><link rel=alternate type=application/rss+xml href=rss.xml>"""
    )
    assert found(page) == [("link", "https://lib.example/en/rss.xml")]


def test_likely_addresses_only_when_asked() -> None:
    assert found("<p>nothing</p>") == []
    guesses = found("<p>nothing</p>", guess=True)
    assert {rule for rule, _ in guesses} == {"guess"}
    addresses = [address for _, address in guesses]
    assert addresses[0] == "https://lib.example/news/feed/"
    assert "https://lib.example/rss.xml" in addresses
    assert len(addresses) == len(set(addresses)) <= 20
    assert likely_addresses("https://lib.example")[0] == "https://lib.example/feed/"


def test_json_ld_names_feeds() -> None:
    block = json.dumps({"@type": "DataFeed", "url": "/data.atom"})
    assert found(f'<script type="application/ld+json">{block}</script>') == [
        ("json-ld", "https://lib.example/data.atom")
    ]


def articles(block: object) -> list[tuple[str, str, str]]:
    text = block if isinstance(block, str) else json.dumps(block)
    parser = LexborHTMLParser(f'<body><script type="application/ld+json">{text}</script>')
    return [(item.url, item.title, item.published) for item in read_json_ld(parser, base_url=URL).items]


def test_json_ld_articles_are_read_in_every_shape() -> None:
    article = {
        "@type": "NewsArticle",
        "url": "/1",
        "headline": "One &amp; two",
        "datePublished": "2018-05-25",
    }
    wanted = [("https://lib.example/1", "One & two", "2018-05-25")]
    assert articles(article) == wanted
    assert articles([article]) == wanted
    assert articles({"@graph": [{"@type": "WebSite"}, article]}) == wanted
    assert articles(
        {"@type": ["Article", "Thing"], "@id": "/1", "name": "One", "datePublished": ["2018-05-25"]}
    ) == [("https://lib.example/1", "One", "2018-05-25")]
    listed = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": article}]}
    assert articles(listed) == wanted
    named = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "url": "/1", "name": "One"}]}
    assert articles(named) == [("https://lib.example/1", "One", "")]
    blog = {"@type": "Blog", "blogPost": [article | {"mainEntityOfPage": {"@id": "/9"}}]}
    assert articles(blog) == wanted


def test_json_ld_as_authors_break_it_does_not_break_us() -> None:
    assert articles("{not json") == []
    assert articles("<!-- {} -->") == []
    assert articles('{"@type":"Article","url":"/1","headline":"Two\nlines"}') == [
        ("https://lib.example/1", "Two lines", "")
    ]
    assert articles("[" * 5_000) == []
    assert articles({"@type": "Article", "url": "javascript:alert(1)", "headline": "x"}) == []
    assert articles({"@type": "Article", "url": 7, "headline": {"a": 1}}) == []


def test_a_feed_link_says_how_it_was_found() -> None:
    assert FeedLink(url=URL).rule == "link"

"""Addresses: shown ones are safe and absolute, canonical ones fold what means the same page."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.urls import absolute_url, canonical_url, host_of

BASE = "https://lib.example/news/index.html"


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://lib.example/a?b=1#c", "https://lib.example/a?b=1#c"),
        ("https://lib.example/%d0%bd?x=%7E", "https://lib.example/%d0%bd?x=%7E"),
        ("1.html", "https://lib.example/news/1.html"),
        ("/1", "https://lib.example/1"),
        ("//other.example/1", "https://other.example/1"),
        ("?id=5", "https://lib.example/news/index.html?id=5"),
        ("../up", "https://lib.example/up"),
        (" \n/a\tb ", "https://lib.example/ab"),
        ("/новости 1", "https://lib.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8%201"),
        ("/100%", "https://lib.example/100%25"),
        (
            "http://президентская-библиотека.рф/x",
            "http://xn----7sbbzgabrckc9a3adkczb3s3a.xn--p1ai/x",
        ),
        ("http:\\\\lib.example\\a", "http://lib.example/a"),
        ("http:////lib.example/a", "http://lib.example/a"),
        ("HTTP://LIB.example:8080", "http://lib.example:8080/"),
        ("http://[2001:db8::1]/a", "http://[2001:db8::1]/a"),
    ],
)
def test_a_link_becomes_absolute_and_keeps_its_spelling(href: str, expected: str) -> None:
    if "президентская" in href:
        expected = "http://" + "президентская-библиотека.рф".encode("idna").decode() + "/x"
    assert absolute_url(href, base_url=BASE) == expected


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "mailto:a@b.example",
        "tel:+7",
        "file:///etc/passwd",
        "ftp://lib.example/",
        "http://user:secret@evil.example/",
        "https://www.prlib.ru@evil.example/",
        "http://",
        "http:///",
        "http://[::1",
        "http://a:99999999/",
        "http://a b/",
        "http://" + "ж" * 70 + ".example/",
        "http://" + "a" * 300 + ".example/",
        "https://lib.example/" + "a" * 5000,
    ],
)
def test_what_is_no_safe_web_address_is_refused(href: str) -> None:
    assert absolute_url(href, base_url=BASE) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://lib.example/a", "https://lib.example/a"),
        ("https://www.lib.example/a", "https://lib.example/a"),
        ("https://lib.example/a/", "https://lib.example/a"),
        ("https://lib.example", "https://lib.example/"),
        ("https://LIB.example./a", "https://lib.example/a"),
        ("http://lib.example:80/a", "https://lib.example:443/a"),
        ("https://lib.example/a#top", "https://lib.example/a"),
        ("https://lib.example/a?utm_source=x&utm_medium=y", "https://lib.example/a"),
        ("https://lib.example/a?fbclid=1&id=5", "https://lib.example/a?id=5"),
        ("https://lib.example/a?id=5&yclid=1", "https://lib.example/a?id=5"),
        ("https://lib.example/a?from=rss", "https://lib.example/a"),
        ("https://lib.example/a?_openstat=z&gclid=q", "https://lib.example/a"),
        ("https://lib.example/a?b=2&a=1", "https://lib.example/a?a=1&b=2"),
        ("https://lib.example/a?q=x%20y", "https://lib.example/a?q=x+y"),
        ("https://lib.example/%7euser", "https://lib.example/~user"),
        ("https://lib.example/%d0%bd", "https://lib.example/н"),
        ("https://lib.example/x/.././a", "https://lib.example/a"),
        ("https://lib.example/a;jsessionid=1F", "https://lib.example/a"),
        ("https://библиотека.рф/a", "https://xn--80abwmlfhb3c4a.xn--p1ai/a"),
    ],
)
def test_addresses_of_one_page_fold_to_one_key(one: str, other: str) -> None:
    if "библиотека.рф" in one:
        other = "https://" + "библиотека.рф".encode("idna").decode() + "/a"
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://lib.example/a", "https://lib.example/b"),
        ("https://lib.example/a?id=1", "https://lib.example/a?id=2"),
        ("https://lib.example/A", "https://lib.example/a"),
        ("https://lib.example/a?from=2018", "https://lib.example/a?from=2019"),
        ("https://lib.example:8080/a", "https://lib.example/a"),
        ("https://news.lib.example/a", "https://lib.example/a"),
        ("https://lib.example/#!/news/1", "https://lib.example/#!/news/2"),
        ("https://lib.example/a%2Fb", "https://lib.example/a/b"),
        ("https://www.ru/a", "https://ru/a"),
        ("tag:lib.example,2018:1", "tag:lib.example,2018:2"),
    ],
)
def test_addresses_of_two_pages_stay_apart(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


def test_a_long_host_of_dots_is_judged_in_time() -> None:
    started = time.process_time()
    for host in ("a." * 1500, "a-" * 1500, "." * 3000):
        absolute_url(f"https://{host}!/")
    assert time.process_time() - started < 0.2


def test_the_fragment_is_kept_on_request() -> None:
    assert canonical_url("http://lib.example/a/#n1", keep_fragment=True) == "https://lib.example/a#n1"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.Lib.example:8080/a", "lib.example"),
        ("http://библиотека.рф/", "библиотека.рф".encode("idna").decode()),
        ("not an address", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_host_is_folded(url: str, host: str) -> None:
    assert host_of(url) == host


_WORDS = """
http:// https:// www. lib.example / // .. . ? & a=1 utm_x=2 # %2f % %41 ж \\ :80 :443 :x @ ;jsessionid=1 ! +
%20 [ ]
"""
_PIECES = st.sampled_from([*_WORDS.split(), " ", "\x00"])


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=12).map("".join)))
def test_folding_twice_is_folding_once(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once


@given(st.lists(_PIECES, max_size=12).map("".join), st.lists(_PIECES, max_size=6).map("".join))
def test_an_absolute_address_is_ascii_and_stays_itself(href: str, base: str) -> None:
    url = absolute_url(href, base_url=base)
    if url is not None:
        assert url.isascii()
        assert url.startswith(("http://", "https://"))
        assert absolute_url(url, base_url="https://elsewhere.example/") == url

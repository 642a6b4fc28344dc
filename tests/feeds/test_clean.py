"""Nothing active, invisible or illegal passes the cleaner, and cleaning twice is cleaning once."""

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from feeds.clean import (
    MAX_DEPTH,
    clean_html,
    clean_html_to_text,
    clean_text,
    html_to_text,
    is_too_deep,
    safe_url,
)

BASE = "https://lib.example/news/1"
CORPORA = os.environ.get("VESTNIK_CORPORA", "")


def active_parts(html: str) -> list[str]:
    """What a browser would run or load from elsewhere than http(s), judged by an HTML5 parser."""
    found = []
    for node in LexborHTMLParser(html).css("*"):
        if node.tag in {
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "form",
            "base",
            "meta",
        }:
            found.append(node.tag)
        for name, value in node.attributes.items():
            folded = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name in {"style", "srcdoc", "formaction", "xlink:href"}:
                found.append(f"{node.tag}@{name}")
            if name in {"href", "src", "action"} and not folded.startswith(("http://", "https://")):
                found.append(f"{node.tag}@{name}={folded}")
    return found


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("  Новые\n поступления\t ", "Новые поступления"),
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("AT&T", "AT&T"),
        ("&amp;amp;quot;Вестник&amp;amp;quot;", '"Вестник"'),
        ("&laquo;Вестник&raquo; &#8212; &#x2014;", "«Вестник» — —"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("&lt;b&gt;Жирно&lt;/b&gt;", "Жирно"),
        ("&amp;lt;p&amp;gt;a&amp;lt;/p&amp;gt;&amp;lt;p&amp;gt;b", "a b"),
        ("<p>a</p><p>b</p>", "a b"),
        ("Н<b>о</b>вости", "Новости"),
        ("1 < 2 и 3 > 2", "1 < 2 и 3 > 2"),
        ("1 &lt; 2", "1 < 2"),
        ("<Новости> дня", "<Новости> дня"),
        ("a<br/>b", "a b"),
        ("x<script>alert(1)</script>y", "xy"),
        ("x<style>p{}</style><!-- c -->y", "xy"),
        ("don\x92t &#146; &#8217;", "don’t ’ ’"),
        ("a\x00b\x0bc\ufffe\ud800d", "abcd"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("evil\u202egpj.exe\u2066", "evilgpj.exe"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ли\u200cса", "лиса"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("и\u0306", "й"),
        ("a\u00a0\u2028b", "a b"),
        ("&nbsp;", ""),
        ("", ""),
    ],
)
def test_plain_text_says_what_a_reader_would_read(given_text: str, expected: str) -> None:
    assert clean_text(given_text) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Первый</p><p>второй</p>", "Первый второй"),
        ("Н<b>о</b>вости<br>дня", "Новости дня"),
        ("<ul><li>a<li>b</ul>", "a b"),
        ("<td>1</td><td>2</td>", "1 2"),
        ("<div><script>x()</script>тело<style>p{}</style></div>", "тело"),
        ("plain &amp; simple", "plain & simple"),
        ("a &lt; b", "a < b"),
        ("<p>&amp;lt;b&amp;gt;c", "c"),
        ("<p" + "a" * 10, ""),
    ],
)
def test_html_becomes_the_words_a_browser_shows(source: str, expected: str) -> None:
    assert html_to_text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<p onclick="x()">a</p>', "<p>a</p>"),
        ('<a href="/x" target="_top" style="a">q</a>', '<a href="https://lib.example/x">q</a>'),
        ('<a href="java\tscript:alert(1)">q</a>', "<a>q</a>"),
        ('<a href="data:text/html,x">q</a>', "<a>q</a>"),
        ('<img src="data:image/png;base64,aa" alt="x">', ""),
        ('<img src="a.jpg" alt="b" onerror="x">', '<img src="https://lib.example/news/a.jpg" alt="b">'),
        ('<img src="//t.example/p.gif" width="1" height="1">', ""),
        ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
        ("<h1>T</h1><section>a</section>", "<h2>T</h2><p>a</p>"),
        ("<p></p><p>a</p><p> </p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("<svg><text>x</text></svg>y", "y"),
        ("<iframe src='https://x.example'>a</iframe>b", "b"),
        ("<span class=x>a</span>", "a"),
        ("a\x00\u202eb", "ab"),
        ('<td colspan="2" rowspan="x">a</td>', "a"),
    ],
)
def test_html_keeps_only_the_allow_list(source: str, expected: str) -> None:
    assert clean_html(source, base_url=BASE) == expected


def test_tables_and_figures_survive() -> None:
    source = (
        '<figure><img src="https://lib.example/i.png"><figcaption>c</figcaption></figure>'
        '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>'
    )
    assert clean_html(source, base_url=BASE) == source


def test_unsafe_addresses_are_refused() -> None:
    assert safe_url("javascript:alert(1)", base_url=BASE) is None
    assert safe_url("/a", base_url=BASE) == "https://lib.example/a"


_WORDS = """
<p> </p> <div> </div> <b> </b> <i> <a_href='/x'> </a> <a_href=javascript:x> <img_src=x> <img> <table> <tr>
<td> </table> <ul> <li> </li> </ul> <pre> </pre> <script> </script> <style> <!-- --> <svg> </svg> <math>
<mtext> <title> <h1> </h1> <h2> </h2> <blockquote> <figure> <code> <br> <template> <select> <option>
<noscript> <frameset> <caption> <p_onx=1> text _ &lt; &amp; &gt; &#60;b&#62; & < > " ' = / ж
"""
_PIECES = st.sampled_from([*_WORDS.split(), "\n", "\x00", "\u202e", "\u200d"])
_MARKUP = st.one_of(
    st.text(max_size=80), st.lists(_PIECES, max_size=25).map("".join).map(lambda text: text.replace("_", " "))
)


@given(_MARKUP)
@example("<<b>b>")
@example("&am\u200bp;lt;")
def test_cleaning_text_twice_is_cleaning_once(source: str) -> None:
    once = clean_text(source)
    assert clean_text(once) == once


@given(_MARKUP)
@example("<H1><C><H1>0")
@example("<li><section><li>x")
def test_cleaning_html_twice_is_cleaning_once_and_nothing_active_is_left(source: str) -> None:
    once = clean_html(source, base_url=BASE)
    assert active_parts(once) == []
    assert clean_html(once, base_url="https://elsewhere.example/") == once


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 200_000,
        "<div>" * 100_000 + "</div>" * 100_000,
        "<blockquote>" * 50_000,
        "<b><p>" * 50_000,
        "<<b>b>" * 30_000,
        "<b" * 60_000 + ">" * 60_000,
        "&amp;" * 40_000,
        "&" + "amp;" * 40_000,
        "<script>" * 20_000,
        "<!--" * 40_000,
        "<a '" * 40_000,
    ],
    ids=lambda source: source[:12],
)
def test_hostile_nesting_costs_little_time(source: str) -> None:
    started = time.process_time()
    clean_html(source, base_url=BASE)
    clean_text(source)
    html_to_text(source)
    assert time.process_time() - started < 2.0


def test_wrapping_in_many_layers_comes_to_nothing() -> None:
    once = clean_text("&#38;" + "#38;" * 30 + "lt;b")
    assert clean_text(once) == once
    assert not set("<>&") & set(once)


def test_misplaced_table_content_settles_and_empty_shells_go() -> None:
    assert clean_html("<LI><TABLE><LI>0", base_url=BASE).count("0") == 1
    assert clean_html("<b><i><em>" * 2 + "</em></i></b>" * 2, base_url=BASE) == ""
    shells = clean_html("<b>" * 12 + "</b>" * 12, base_url=BASE)
    assert clean_html(shells, base_url=BASE).count("<b>") <= shells.count("<b>")


def test_text_of_clean_html_is_text_of_the_html() -> None:
    source = "<p>Н<b>о</b>вости &amp; <a href='/x'>ссылка</a></p><ul><li>1 &lt; 2</li></ul>"
    assert clean_html_to_text(clean_html(source, base_url=BASE)) == html_to_text(source)


@pytest.mark.parametrize("tag", ["iframe", "object", "video", "select", "textarea", "svg", "title"])
def test_an_element_nobody_closes_swallows_nothing(tag: str) -> None:
    for source in (f"a<{tag} src='x'/> <p>b</p>", f"a<{tag}><p>b</p>"):
        assert html_to_text(source) == "a b"
        assert "<p>b</p>" in clean_html(source, base_url=BASE)


def test_depth_is_counted_over_balanced_tags() -> None:
    assert is_too_deep("<div>" * (MAX_DEPTH + 1) + "</div>" * (MAX_DEPTH + 1))
    assert not is_too_deep("<div>a</div><br><img>" * 1000)


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA, reason="VESTNIK_CORPORA is not set")
def test_no_public_payload_stays_active() -> None:
    payloads = [
        line
        for path in sorted(Path(CORPORA, "hostile", "xss").glob("*.txt"))
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    assert len(payloads) > 250
    wrapped = [
        form.format(p)
        for p in payloads
        for form in ("{}", "<p>{}</p>", '<a href="{}">x</a>', "<img src='{}'>")
    ]
    assert [p for p in wrapped if active_parts(clean_html(p, base_url=BASE))] == []
    # Plain text is only safe escaped, but must not read as markup even where somebody forgets.
    assert [p for p in payloads if active_parts(clean_text(p))] == []

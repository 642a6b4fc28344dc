"""HTML as Telegram reads it: text, entities and error texts of the real parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.demo.botapi.formatted import read_formatted
from vestnik.demo.botapi.markup import MarkupError, parse_html, utf16_length

SURROGATE = (
    "Text contains invalid Unicode characters after decoding HTML entities, "
    "check for unmatched surrogate code units"
)
PREFIX = "🏟 🏟&lt;"  # 13 bytes that are 6 letters: offsets in errors are bytes of the source


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (PREFIX + "<abacaba", "Unclosed start tag at byte offset 13"),
        (PREFIX + "<abac aba>", 'Unsupported start tag "abac" at byte offset 13'),
        ("<p>text</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("a<br/>b", 'Unsupported start tag "br/" at byte offset 1'),
        ("5 < 6", 'Unsupported start tag "" at byte offset 2'),
        (PREFIX + "<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
        ('<a href="x""">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        (PREFIX + "<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
        (PREFIX + "<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        ("<a href=http://x.org>y</a>", "Unexpected end of name token at byte offset 8"),
        (PREFIX + '<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (PREFIX + "</", "Unexpected end tag at byte offset 13"),
        (PREFIX + "<b></b></", "Unexpected end tag at byte offset 20"),
        (PREFIX + "<i>a</i   ", "Unclosed end tag at byte offset 17"),
        (
            PREFIX + "<i>a</em   >",
            'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"',
        ),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
        (
            "&#57311;",
            SURROGATE,
        ),
    ],
)
def test_what_the_server_refuses_is_refused_in_its_words(source, error):
    with pytest.raises(MarkupError) as caught:
        parse_html(source)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("no markup", "no markup", []),
        ("&ge;&lt;&gt;&amp;&quot;&laquo;&#12345678;", '&ge;<>&"&laquo;&#12345678;', []),
        ("&nbsp;&#8211;&#x2013", "&nbsp;––", []),
        ("😀<b>жир</b>", "😀жир", [("bold", 2, 3)]),
        ("<B><i>x</I></b>", "x", [("bold", 0, 1), ("italic", 0, 1)]),
        ("<i    aba>x</i>", "x", [("italic", 0, 1)]),
        ("<b>x</>y", "xy", [("bold", 0, 1)]),
        ("a<b></b>c", "ac", []),
        ("<a href='http://Пример.рф'>x</a>", "x", [("text_link", 0, 1)]),
        ("<a>example.org</a>", "example.org", [("text_link", 0, 11)]),
        ('<a href="javascript:alert(1)">x</a>', "x", []),
        ('<a href="http://localhost/x">x</a>', "x", []),
        ('<a href="tg://user?id=5">x</a>', "x", [("text_mention", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
        ('<tg-time unix="1700000000">then</tg-time>', "then", [("date_time", 0, 4)]),
        ('<tg-time format="r">then</tg-time>', "then", []),
    ],
)
def test_markup_becomes_text_and_entities_in_utf16_units(source, text, entities):
    found_text, found = parse_html(source)
    assert found_text == text
    assert [(e["type"], e["offset"], e["length"]) for e in found] == entities


def test_a_link_keeps_its_decoded_address_and_gets_a_path():
    _, found = parse_html('<a href="HTTPS://Example.org?a=1&amp;b=2">x</a>')
    assert found[0]["url"] == "https://example.org/?a=1&b=2"


_words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.text(st.sampled_from("<>/&;=\"' abi#x1\u0436\U0001f600\x00"), max_size=40))
def test_the_parser_answers_or_refuses_but_never_fails(source):
    try:
        text, entities = parse_html(source)
    except MarkupError:
        return
    assert all(e["offset"] >= 0 and e["length"] > 0 for e in entities)
    assert all(e["offset"] + e["length"] <= utf16_length(text) for e in entities)


@given(st.lists(st.tuples(st.sampled_from(["b", "i", "u", "s", "code", "tg-spoiler"]), _words), max_size=6))
def test_the_ledgers_html_reads_back_to_the_same(parts):
    source = " ".join(
        f"<{tag}>{text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</{tag}>"
        for tag, text in parts
    )
    once = read_formatted(f"– {source} –", "HTML", None)
    again = read_formatted(once.html, "HTML", None)
    assert (again.text, list(again.entities)) == (once.text, list(once.entities))

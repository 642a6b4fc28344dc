"""Bytes become the text their writer meant, by one order of evidence that is on record."""

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.decode import decode
from feeds.labels import encoding_of_label, encodings_of
from feeds.model import LanguageCode
from feeds.mojibake import repair_mojibake

RU = LanguageCode("ru")
CORPORA = os.environ.get("VESTNIK_CORPORA", "")
NEWS = (
    "Новости библиотеки: в Пензе открылся удалённый электронный читальный зал. Читателям доступны "
    "редкие издания, архивные документы и фильмы, рассказали сотрудники областной библиотеки."
)
FEED = f'<?xml version="1.0"?><rss><channel><title>{NEWS}</title></channel></rss>'


def declared(encoding: str) -> str:
    return FEED.replace('"1.0"', f'"1.0" encoding="{encoding}"')


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "rule"),
    [
        (b"\xef\xbb\xbf" + FEED.encode(), "", "utf-8", "bom"),
        (b"\xff\xfe" + FEED.encode("utf-16-le"), "text/xml; charset=utf-8", "utf-16-le", "bom"),
        (b"\x00\x00\xfe\xff" + FEED.encode("utf-32-be"), "", "utf-32-be", "bom"),
        (FEED.encode("utf-16-be"), "", "utf-16-be", "first-bytes"),
        (FEED.encode(), "", "utf-8", "utf-8"),
        (FEED.encode(), "text/xml; charset=windows-1251", "utf-8", "utf-8-not-cp1251"),
        (declared("windows-1251").encode(), "", "utf-8", "utf-8-not-cp1251"),
        (FEED.encode("cp1251"), 'text/xml; charset="windows-1251"', "cp1251", "http"),
        (FEED.encode("cp1251"), "text/xml;charset=cp-1251", "cp1251", "http"),
        (declared("windows-1251").encode("cp1251"), "", "cp1251", "declared"),
        (declared("cp-1251").encode("cp1251"), "", "cp1251", "declared"),
        (declared("Win-1251").encode("cp1251"), "", "cp1251", "declared"),
        (declared("KOI8-R").encode("koi8-r"), "text/xml", "koi8-r", "declared"),
        (declared("utf-8").encode("cp1251"), "", "cp1251", "detected-not-utf-8"),
        (declared("koi8-r").encode("cp1251"), "", "cp1251", "detected-not-koi8-r"),
        (FEED.encode("koi8-r"), "text/xml; charset=windows-1251", "koi8-r", "detected-not-cp1251"),
        (FEED.encode("cp1251"), "", "cp1251", "detected"),
        (FEED.encode("cp866"), "", "cp866", "detected"),
        (FEED.encode("iso8859-5"), "", "iso8859-5", "detected"),
        (f'<meta charset="windows-1251"><p>{NEWS}'.encode("cp1251"), "", "cp1251", "declared"),
        (
            f'<meta content="text/html; charset=koi8-r" http-equiv=x><p>{NEWS}'.encode("koi8-r"),
            "text/html",
            "koi8-r",
            "declared",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_order_of_evidence(body: bytes, content_type: str, encoding: str, rule: str) -> None:
    decoded = decode(body, content_type=content_type, language=RU)
    assert (decoded.encoding, decoded.rule) == (encoding, rule)
    assert NEWS in decoded.text


@pytest.mark.parametrize(
    ("body", "content_type", "text", "rule"),
    [
        (b"", "", "", "ascii"),
        (b"plain", "text/plain; charset=koi8-r", "plain", "ascii"),
        (b"plain", "text/plain; charset=nonsense", "plain", "ascii"),
        ("日本語".encode("iso2022_jp"), "text/html; charset=iso-2022-jp", "日本語", "declared"),
        (b"caf\xe9 na\xefve", "text/html; charset=iso-8859-1", "café naïve", "http"),
        (b"caf\xe9 na\xefve", "", "café naïve", "detected"),
        (b"it\x92s", "text/html; charset=us-ascii", "it’s", "http"),
    ],
)
def test_short_and_foreign_texts(body: bytes, content_type: str, text: str, rule: str) -> None:
    decoded = decode(body, content_type=content_type)
    assert (decoded.text, decoded.rule) == (text, rule)


@pytest.mark.parametrize("label", ["utf-8", ""])
def test_one_bad_byte_costs_one_character(label: str) -> None:
    body = FEED.encode().replace("зал".encode(), b"\xff" + "зал".encode())
    decoded = decode(body, content_type=f"text/xml; charset={label}" if label else "", language=RU)
    assert decoded.text == FEED.replace("зал", "\ufffdзал")
    assert decoded.rule == "utf-8+bad-bytes"


def test_stray_windows_punctuation_in_utf8_keeps_its_meaning() -> None:
    body = b"\x93" + FEED.encode() + b"\x94 \x96 \xa0"
    assert decode(body).text == f"“{FEED}” – \xa0"


def test_a_document_cut_inside_a_character_stays_utf8() -> None:
    decoded = decode(FEED.encode()[: FEED.encode().index("Пензе".encode()) + 3])
    assert decoded.encoding == "utf-8"
    assert decoded.text.endswith("в П\ufffd")


@pytest.mark.parametrize(
    ("read_as", "rule"), [("cp1251", "utf8-as-1251"), ("latin-1", "utf8-as-1252"), ("cp1252", "utf8-as-1252")]
)
@pytest.mark.parametrize("text", [NEWS, "В Пензе и Орле — «Вечер истории»", "Сірий рік: Дід Мороз у Києві"])
def test_utf8_decoded_twice_is_read_back(read_as: str, rule: str, text: str) -> None:
    spoilt = "".join(bytes([b]).decode(read_as, errors="ignore") or chr(b) for b in text.encode())
    assert repair_mojibake(spoilt) == (text, rule)
    assert decode(spoilt.encode()).rule == f"utf-8+{rule}"


@pytest.mark.parametrize(("true", "rule"), [("cp1251", "1251-as-1252"), ("koi8-r", "koi8-as-1252")])
def test_cyrillic_code_pages_read_as_western_are_read_back(true: str, rule: str) -> None:
    decoded = decode(NEWS.encode(true), content_type="text/xml; charset=iso-8859-1")
    assert decoded.text == NEWS
    assert decoded.rule.endswith(rule)


@pytest.mark.parametrize(
    "honest",
    [
        NEWS,
        "Сірий рік, Дід РНБ, ГАРФ и РГБ",
        "MENÜ“ und „ÄRGER“, DÉJÀ » vu, ESPAÑA",
        "Þæði öðru Íslandi, été, çà et là, naïveté",
        "Ça coûte très cher à l’État",
        "Đặng Ân ăn ở Đà Nẵng",
        "ÀÉÈÙ Ö Å Æ",
        "北京 图书馆 ジョン",
    ],
)
def test_honest_text_is_left_alone(honest: str) -> None:
    assert repair_mojibake(honest) == (honest, "")


def test_a_spoilt_passage_does_not_spoil_the_rest() -> None:
    spoilt = "Новости".encode().decode("cp1251", errors="replace")
    text, _ = repair_mojibake(f"Верно: {spoilt} и ещё «раз»")
    assert text == "Верно: Новости и ещё «раз»"


@pytest.mark.parametrize(
    "label", ["base64", "idna", "rot13", "unicode_escape", "utf-7", "zlib", "", "x" * 99]
)
def test_labels_that_are_no_text_encoding_are_unknown(label: str) -> None:
    assert encoding_of_label(label) is None


@pytest.mark.parametrize(
    "language", ["ru", "uk", "kk", "sr", "de", "pl", "el", "tr", "ar", "zh", "ja", "ko", None]
)
def test_every_language_has_encodings_python_knows(language: str | None) -> None:
    names = encodings_of(LanguageCode(language) if language else None)
    assert names
    assert all("x".encode(name) for name in names)


@pytest.mark.parametrize(
    ("body", "content_type", "language", "encoding", "rule"),
    [
        (b"\x81\x8d\x8f\x90\x9d" * 30, "", "en", "cp1252", "assumed+bad-bytes"),
        (b"\x81\x8d\x8f\x90\x9d" * 30, "a; charset=windows-1252", "en", "cp1252", "declared+bad-bytes"),
        (b"\xff\xfe\x00", "", "en", "utf-16-le", "bom+bad-bytes"),
        (b"caf\xe9", "", "ru", "cp1252", "detected"),
        (b"za\xbf\xf3\xb3\xe6", "", "pl", "cp1250", "detected"),
    ],
)
def test_bytes_that_are_hardly_text_still_become_some(
    body: bytes, content_type: str, language: str, encoding: str, rule: str
) -> None:
    decoded = decode(body, content_type=content_type, language=LanguageCode(language))
    assert (decoded.encoding, decoded.rule) == (encoding, rule)


@pytest.mark.parametrize(
    "text",
    [
        "Рѕ одно",
        "ñòñòñò ÿÿÿÿ",
        "ÐÐÐ Ð",
        "õõõõ øøøø öööö ñò éééé ÿÿÿÿ",
        "Рѕ ÐÑ ñò",
        "РРРѕРРѕРРѕРРѕ",
        "Ã à\x80\x80à\x80\x80à\x80\x80",
    ],
)
def test_what_cannot_be_read_back_stays(text: str) -> None:
    assert repair_mojibake(text) == (text, "")


@given(
    st.binary(max_size=400),
    st.sampled_from(["", "text/xml; charset=utf-8", "a; charset=koi8-r", "charset=gbk"]),
)
def test_any_bytes_become_text_that_can_be_stored(body: bytes, content_type: str) -> None:
    decoded = decode(body, content_type=content_type)
    assert decoded.text.encode("utf-8") is not None
    assert decode(body, content_type=content_type) == decoded


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\ufeff\x00"), min_size=1, max_size=80)
)
def test_utf8_is_read_as_written_unless_it_was_spoilt(text: str) -> None:
    decoded = decode(text.encode())
    assert decoded.encoding == "utf-8"
    if "+" not in decoded.rule:
        assert decoded.text == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"a" * 3_000_000 + b"\xe9",
        b"\xd0" * 500_000,
        "РІ ".encode() * 300_000,
        "Ð¿ ".encode() * 300_000,
        b"<meta " * 200_000 + b"\xff",
        ("Рѕ" * 400_000).encode(),
        "ñò".encode() * 400_000,
    ],
    ids=range(7),
)
def test_hostile_bodies_are_decoded_in_time(body: bytes) -> None:
    started = time.process_time()
    decode(body)
    assert time.process_time() - started < 2.0


_TRUE = {
    "KOI8-R": "koi8-r",
    "MacCyrillic": "mac-cyrillic",
    "iso-8859-5-russian": "iso8859-5",
    "utf-8": "utf-8",
    "windows-1251-russian": "cp1251",
    "windows-1252": "cp1252",
}


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA, reason="VESTNIK_CORPORA is not set")
@pytest.mark.parametrize("mode", ["as it is", "no label", "wrong label"])
def test_real_documents_are_read_right(mode: str) -> None:
    """At least 95 % of the encodings corpus, also without its labels and with wrong ones."""
    files = [path for path in sorted(Path(CORPORA, "encodings").glob("*/*")) if path.is_file()]
    wrong = []
    for path in files:
        body, true = path.read_bytes(), _TRUE[path.parent.name]
        if mode != "as it is":
            body = re.sub(rb'encoding="[^"]*"', b"", body, count=1)
        label = "koi8-r" if true != "koi8-r" else "windows-1251"
        content_type = f"text/xml; charset={label}" if mode == "wrong label" else "text/xml"
        decoded = decode(body, content_type=content_type)
        if decoded.text != body.decode(true, errors="replace").removeprefix("\ufeff"):
            wrong.append(f"{path.parent.name}/{path.name}: {decoded.encoding} by {decoded.rule}")
    print(f"{mode}: {len(files) - len(wrong)} of {len(files)} right", *wrong, sep="\n  ")
    assert len(wrong) <= 0.05 * len(files)

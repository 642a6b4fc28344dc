"""Text from sources: harmless, cut where a reader would, measured as Telegram measures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import (
    FSI,
    PDI,
    cut,
    cut_words,
    defang,
    escape,
    has_rtl,
    hashtag,
    is_linkable,
    isolate,
    tidy,
    unescape,
    visible_length,
)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  a\r\n\tb  ", "a b"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Пенза\u200b\u00ad", "Пенза"),
        ("a\ud800b", "ab"),
        ("\u3164\u115f", ""),
        ("семья 👨\u200d👩\u200d👧", "семья 👨\u200d👩\u200d👧"),
        ("Z" + "\u0301" * 40, "Ź" + "\u0301" * 3),
    ],
)
def test_tidy_keeps_what_is_read_and_drops_what_tricks(said, kept):
    assert tidy(said) == kept


@given(st.text(st.characters(codec=None)))
def test_tidy_is_idempotent_and_always_encodable(text):
    once = tidy(text)
    assert tidy(once) == once
    once.encode()


@pytest.mark.parametrize("said", ["/forget", "see /start now", "@durov", "(#news)", "tg://resolve?domain=x"])
def test_nothing_from_a_source_can_be_tapped(said):
    assert defang(said) != said
    assert defang(said).replace("\u2060", "") == said


@pytest.mark.parametrize("said", ["and/or", "info@prlib.ru", "https://a.example/b/c", "1/2", "C# 5"])
def test_ordinary_signs_stay_as_they_are(said):
    assert defang(said) == said


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("One. Two. Three.", 100, "One. Two. Three."),
        ("First sentence. Second sentence. Third.", 34, "First sentence. Second sentence."),
        ("В г. Пенза и на ул. Мира открылась библиотека имени М. Ю. Лермонтова сегодня", 60, None),
        ("第一句。第二句。第三句。", 9, "第一句。第二句。"),
        ("خبر أول؟ خبر ثان طويل جدا", 12, "خبر أول؟"),
        ("No sentence ends here at all so words are cut", 20, "No sentence ends…"),
        ("Неделимоедлинноеслово", 8, "Неделим…"),
    ],
)
def test_cut_ends_a_sentence_or_a_word(text, limit, kept):
    found = cut(text, limit)
    assert len(found) <= limit
    if kept is None:
        assert found.endswith("…"), "an abbreviation or an initial ends no sentence"
    else:
        assert found == kept


@given(st.text(), st.integers(min_value=1, max_value=80))
def test_cut_never_exceeds_its_limit(text, limit):
    assert len(cut(text, limit)) <= limit
    assert len(cut_words(text, limit)) <= limit


def test_cut_does_not_tear_a_family_apart():
    family = "👨\u200d👩\u200d👧"
    for limit in range(2, 12):
        assert not cut_words("ab" + family * 3, limit).removesuffix("…").endswith("\u200d")


@given(st.text())
def test_escaped_text_reads_as_it_was(text):
    assert unescape(escape(text)) == text
    assert visible_length(f"<b>{escape(text)}</b>") == len(text)
    assert not set(escape(text)) & set('<>"')


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Пензенская область", "#Пензенская_область"),
        ("Саха (Якутия)", "#Саха_Якутия"),
        ("Côte d’Ivoire", "#Côte_d_Ivoire"),
        ("أَلمانيا", "#ألمانيا"),
        ("蒙古", "#蒙古"),
        ("2026", ""),
        ("—", ""),
    ],
)
def test_hashtags_are_one_word_of_letters(name, tag):
    assert hashtag(name) == tag


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://www.prlib.ru/news/1", True),
        ("http://127.0.0.1:8080/x?a=1&b=2", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", False),
        ("javascript:alert(1)", False),
        ("ftp://a.example/x", False),
        ("https://bank.example@evil.example/", False),
        ("https://a.example/a b", False),
        ('https://a.example/"onclick', False),
        ("https://a.example:99999/", False),
        ("https://a.example/" + "x" * 3000, False),
        (None, False),
        ("", False),
    ],
)
def test_only_addresses_telegram_takes_are_linked(url, fits):
    assert is_linkable(url) is fits


def test_isolates_stand_only_where_directions_may_mix():
    assert isolate("Penza", rtl=False) == "Penza"
    assert isolate("Penza", rtl=True) == f"{FSI}Penza{PDI}"
    assert isolate("منغوليا", rtl=False) == f"{FSI}منغوليا{PDI}"
    assert has_rtl("a ש")
    assert not has_rtl("蒙古")

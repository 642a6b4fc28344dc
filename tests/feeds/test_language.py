"""Languages are named among those configured; the source's word counts unless the text contradicts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.language import Detector, main_script
from feeds.model import UNDETERMINED, LanguageCode

CONFIGURED = tuple(
    map(LanguageCode, ("ru", "en", "de", "fr", "es", "sr", "zh", "ar", "it", "pl", "bg", "uk", "be", "fi"))
)
DETECTOR = Detector(CONFIGURED)

SENTENCES = {
    "ru": "В библиотеке открылась выставка, которая рассказывает об истории города и его жителях.",
    "en": "The exhibition opened in the library and tells about the history of the town.",
    "de": "Die Ausstellung in der Bibliothek ist bis Ende Mai für alle geöffnet.",
    "fr": "La bibliothèque accueille une exposition sur les manuscrits dans la grande salle.",
    "es": "La biblioteca presenta una exposición sobre los libros antiguos para los lectores.",
    "it": "La biblioteca ha inaugurato una mostra che racconta la storia della città.",
    "pl": "W bibliotece otwarto wystawę, która opowiada o historii miasta i jego mieszkańcach.",
    "sr": "У библиотеци је отворена изложба која говори о историји града и његовим људима.",
    "bg": "В библиотеката беше открита изложба, която разказва за историята на града.",
    "uk": "У бібліотеці відкрилася виставка, яка розповідає про історію міста та його мешканців.",
    "be": "У бібліятэцы адкрылася выстава, якая расказвае пра гісторыю горада і яго жыхароў.",
    "fi": "Kirjastossa avattiin näyttely, joka kertoo kaupungin historiasta ja sen asukkaista.",
    "zh": "图书馆举办了关于城市历史的展览。",
    "ar": "افتتح معرض في المكتبة عن تاريخ المدينة",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_named_without_help(language: str):
    assert DETECTOR.detect(SENTENCES[language]).code == language


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("wrong", ["ru", "en", "sr"])
def test_a_wrong_prior_does_not_mislead(language: str, wrong: str):
    """A feed declared Russian that carries a German item gives a German item."""
    assert DETECTOR.detect(SENTENCES[language], prior=LanguageCode(wrong)).code == language


def test_a_short_text_keeps_its_prior():
    """A word or two say nothing against the source."""
    assert DETECTOR.detect("Библиотека", prior=LanguageCode("bg")).code == "bg"
    assert DETECTOR.detect("Biblioteca", prior=LanguageCode("es")).code == "es"


def test_a_prior_beyond_the_configured_languages_is_possible():
    """The source knows its language even when the configuration does not list it."""
    text = "Үндэсний номын санд хотын түүхийн тухай үзэсгэлэн нээгдлээ, энэ нь шинэ юм байна."
    assert DETECTOR.detect(text, prior=LanguageCode("mn")).code == "mn"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", ""), ("123 — !", ""), ("Penza", "Latn"), ("Пенза", "Cyrl"), ("图书馆 PRLIB", "Hani"),
        ("サンクトペテルブルク図書館", "Kana"), ("مكتبة", "Arab"), ("도서관", "Hang"), ("ბიბლიოთეკა", "Geor"),
    ],
)  # fmt: skip
def test_the_main_script_is_told(text: str, script: str):
    assert main_script(text)[0] == script


def test_scripts_of_one_language_need_no_configuration():
    assert DETECTOR.detect("大統領図書館が開館する").code == "ja"
    assert DETECTOR.detect("대통령 도서관").code == "ko"


def test_nothing_to_read_is_undetermined():
    """No letters: the prior, or nothing, with little confidence."""
    assert DETECTOR.detect("2024 / 11").code == UNDETERMINED
    found = DETECTOR.detect("2024 / 11", prior=LanguageCode("de"))
    assert (found.code, found.confidence < 0.5) == ("de", True)


def test_an_unknown_script_is_undetermined():
    assert DETECTOR.detect("ሞስኮ ቤተ መጻሕፍት").code == UNDETERMINED


@given(st.text(max_size=300), st.sampled_from([None, *CONFIGURED]))
def test_any_text_gets_an_answer_and_always_the_same(text: str, prior: LanguageCode | None):
    found = DETECTOR.detect(text, prior=prior)
    assert 0.0 <= found.confidence <= 1.0
    assert found == DETECTOR.detect(text, prior=prior)

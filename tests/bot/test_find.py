"""Which place a reader means."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.find import build_finder, read_aliases


@pytest.fixture(scope="module")
def finder(networks):
    return build_finder(networks, everything=["Все новости", "Everything"], aliases=read_aliases())


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("RU-PNZ", "regional/RU-PNZ"),
        ("ru-pnz", "regional/RU-PNZ"),
        ("MN", "foreign/MN"),
        ("regional", "regional"),
        ("Региональная сеть", "regional"),
        ("all", "all"),
        ("все новости", "all"),
        ("Пенза", "regional/RU-PNZ"),
        ("пензинская", "regional/RU-PNZ"),
        ("Пензенской области", "regional/RU-PNZ"),
        ("в Пензе", "regional/RU-PNZ"),
        ("Penza obl", "regional/RU-PNZ"),
        ("Mongolia", "foreign/MN"),
        ("Mongolei", "foreign/MN"),
        ("Монголии", "foreign/MN"),
        ("蒙古", "foreign/MN"),
        ("منغوليا", "foreign/MN"),
        ("Srbija", "foreign/RS"),
        ("Србија", "foreign/RS"),
        ("Moscow", "regional/RU-MOW"),
        ("Московская область", "regional/RU-MOS"),
        ("Якутия", "regional/RU-SA"),
        ("Ямал", "regional/RU-YAN"),
        ("Чаде", "foreign/TD"),
        ("Nizhni Novgorod", "regional/RU-NIZ"),
        ("Kasachstan", "foreign/KZ"),
        ("Казань", "regional/RU-TA"),
        ("в Казани", "regional/RU-TA"),
        ("Kazan", "regional/RU-TA"),
        ("Питер", "regional/RU-SPE"),
        ("в Петербурге", "regional/RU-SPE"),
        ("Башкирия", "regional/RU-BA"),
        ("США", "foreign/US"),
        ("USA", "foreign/US"),
        ("Великобритания", "foreign/GB"),
        ("ОАЭ", "foreign/AE"),
        ("Старый Оскол", "regional/RU-BEL"),
        ("Томской", "regional/RU-TOM"),
        ("Korea", "foreign/KR"),
        ("volga", "regional/district:volga"),
        ("Central Asia", "foreign/district:central-asia"),
    ],
)
def test_a_place_is_understood_in_any_language_and_form(finder, query, scope):
    assert finder.meaning(query).chosen == (scope,)


@pytest.mark.parametrize(
    ("query", "among"),
    [
        ("Алтай", {"regional/RU-AL", "regional/RU-ALT"}),
        ("Europe", {"foreign/district:eastern-europe", "foreign/district:western-europe"}),
        ("Pneza", {"regional/RU-PNZ"}),
    ],
)
def test_what_may_mean_several_places_is_offered_not_chosen(finder, query, among):
    meaning = finder.meaning(query)
    assert meaning.chosen == ()
    assert among <= set(meaning.offered)


@pytest.mark.parametrize(
    "query", ["", " ", "x", "hello", "hallo", "привет", "спасибо", "qwertyuiop", "что нового?", "🙂", "/"]
)
def test_what_means_no_place_finds_none(finder, query):
    assert finder.meaning(query).chosen == ()


@given(query=st.text(max_size=300))
def test_any_words_are_answered(finder, query):
    for match in finder.find(query):
        assert 0 < match.score <= 1


def test_an_answer_takes_milliseconds(finder):
    began = time.perf_counter()
    for query in ("пензинская область", "north asia region", "Mongolei", "a" * 64):
        finder.find(query)
    assert time.perf_counter() - began < 0.25


def test_the_nearest_region_is_found_across_the_date_line(finder):
    assert finder.nearest(latitude=53.2, longitude=45.0)[0] == "regional/RU-PNZ"
    assert finder.nearest(latitude=66.0, longitude=-179.9)[0] == "regional/RU-CHU"

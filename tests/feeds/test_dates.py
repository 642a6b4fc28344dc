"""Dates are read as people of the source's language mean them, or not at all.

Most forms come from CLDR through Babel's own formatter, so the grammar is tested against an
independent writer; the rest are forms found in real feeds and pages.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date, format_datetime, format_timedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.date_plain import normalise
from feeds.dates import (
    DateOrder,
    find_dates,
    judge_published,
    parse_date,
    read_published,
    why_insane,
)
from feeds.model import LanguageCode

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOSCOW = "Europe/Moscow"

LOCALES = (
    *(
        "ru",
        "en",
        "en_GB",
        "de",
        "de_AT",
        "fr",
        "es",
        "it",
        "pt",
        "pt_PT",
        "sr_Cyrl",
        "sr_Latn",
        "uk",
        "be",
        "kk",
    ),
    *(
        "pl",
        "cs",
        "bg",
        "fi",
        "hu",
        "zh",
        "zh_Hant",
        "ja",
        "ar",
        "ar_SY",
        "ar_DZ",
        "mn",
        "az",
        "tr",
        "ro",
        "nl",
    ),
    *(
        "sv",
        "da",
        "nb",
        "sk",
        "sl",
        "mk",
        "el",
        "lt",
        "lv",
        "et",
        "hy",
        "ka",
        "he",
        "uz",
        "ko",
        "id",
        "ca_ES",
    ),
)
DAYS = (date(2018, 5, 25), date(2021, 2, 3), date(2024, 9, 30), date(2019, 12, 1))


def written() -> list[tuple[str, str, date]]:
    """Every locale × format × day as Babel writes it, where the form holds day, month and year."""
    forms = []
    for locale in LOCALES:
        if locale == "ca_ES":
            continue
        for style in ("short", "medium", "long", "full"):
            for number, day in enumerate(DAYS):
                forms.append(
                    (f"{locale} {style} {number}", locale, format_date(day, style, locale=locale), day)
                )
    return [(locale, text, day) for _, locale, text, day in forms]


def language_of(locale: str) -> LanguageCode:
    return LanguageCode({"nb": "no"}.get(locale.split("_", maxsplit=1)[0], locale.split("_", maxsplit=1)[0]))


def read(
    text: str, language: str | None = "ru", *, timezone: str = "UTC", order: DateOrder | None = None
) -> str | None:
    code = LanguageCode(language) if language else None
    found = parse_date(text, language=code, timezone=timezone, now=NOW, order=order)
    return None if found is None else found.when.strftime("%Y-%m-%d %H:%M" if found.has_time else "%Y-%m-%d")


CLDR_FORMS = written()


def test_the_table_has_hundreds_of_forms() -> None:
    assert len({text for _, text, _ in CLDR_FORMS}) >= 300


@pytest.mark.parametrize(("locale", "text", "day"), CLDR_FORMS, ids=[f"{a}-{b}" for a, b, _ in CLDR_FORMS])
def test_dates_as_cldr_writes_them(locale: str, text: str, day: date) -> None:
    # English writes 25/05 in Britain and 5/25 in America; the caller knows which.
    order: DateOrder | None = "DMY" if locale == "en_GB" else None
    found = parse_date(
        text, language=language_of(locale), timezone="UTC", now=NOW, order=order, last_resort=False
    )
    assert found is not None
    assert found.when.date() == day


@pytest.mark.parametrize(
    "locale", ["ru", "en", "de", "fr", "es", "it", "pl", "uk", "bg", "fi", "kk", "az", "zh", "ja"]
)
def test_dates_with_times_as_cldr_writes_them(locale: str) -> None:
    moment = datetime(2018, 5, 25, 14, 5, tzinfo=UTC)
    for style in ("short", "medium"):
        text = format_datetime(moment, style, locale=locale)
        assert read(text, language_of(locale)) == "2018-05-25 14:05", text


@pytest.mark.parametrize(
    "locale",
    ["ru", "en", "de", "fr", "es", "it", "sr_Cyrl", "sr_Latn", "uk", "be", "kk", "pl", "cs", "bg", "fi"],
)
@pytest.mark.parametrize(
    "age",
    [timedelta(minutes=5), timedelta(hours=2), timedelta(hours=21), timedelta(days=3), timedelta(days=14)],
    ids=str,
)
def test_ages_as_cldr_writes_them(locale: str, age: timedelta) -> None:
    text = format_timedelta(-age, add_direction=True, locale=locale, threshold=1)
    found = parse_date(text, language=language_of(locale), timezone="UTC", now=NOW, last_resort=False)
    assert found is not None, text
    assert found.when == NOW - age


FOUND_IN_THE_WILD = [
    ("25 May 2018", "en", "2018-05-25"),
    ("24 May – 1 November 2021", "en", "2021-05-24"),
    ("31 May – 2 June 2021", "en", "2021-05-31"),
    ("14–18 March 2022", "en", "2022-03-14"),
    ("28 December – 3 January 2021", "en", "2020-12-28"),
    ("December 28, 2020 – January 3, 2021", "en", "2020-12-28"),
    ("May 25–27, 2018", "en", "2018-05-25"),
    ("7–21 марта 2018", "ru", "2018-03-07"),
    ("15 марта – 12 апреля 2018", "ru", "2018-03-15"),
    ("с 5 по 10 мая 2018 года", "ru", "2018-05-05"),
    ("5 и 6 мая 2018", "ru", "2018-05-05"),
    ("vom 3. bis 5. Mai 2018", "de", "2018-05-03"),
    ("du 3 au 5 mai 2018", "fr", "2018-05-03"),
    ("del 3 al 5 de mayo de 2018", "es", "2018-05-03"),
    ("1–5.02.2018", "ru", "2018-02-01"),
    ("28.12–03.01.2018", "ru", "2017-12-28"),
    ("01.02.2018 - 05.02.2018", "ru", "2018-02-01"),
    ("27 февраля 2017", "ru", "2017-02-27"),
    ("25 мая 2018 г.", "ru", "2018-05-25"),
    ("25 мая 2018 года", "ru", "2018-05-25"),
    ("25-го мая 2018", "ru", "2018-05-25"),
    ("25мая2018", "ru", "2018-05-25"),
    ("25 авг. 2021", "ru", "2021-08-25"),
    ("25 сент. 2021", "ru", "2021-09-25"),
    ("16 мая 2024 г.", "ru", "2024-05-16"),
    ("Пятница, 25 мая 2018", "ru", "2018-05-25"),
    ("Опубликовано: 25.05.2018", "ru", "2018-05-25"),
    ("05.12.2014+5", "ru", "2014-12-05"),
    ("25.05.18", "ru", "2018-05-25"),
    ("25/05/2018", "ru", "2018-05-25"),
    ("25-05-2018", "ru", "2018-05-25"),
    ("25. 5. 2018", "cs", "2018-05-25"),
    ("Publié le 02/12/2015", "fr", "2015-12-02"),
    ("(05/23/13)", "en", "2013-05-23"),
    ("Friday 20th of July, 2012", "en", "2012-07-20"),
    ("July 20th, 2012", "en", "2012-07-20"),
    ("1st August 2016", "en", "2016-08-01"),
    ("Sept. 3, 2016", "en", "2016-09-03"),
    ("25-May-2018", "en", "2018-05-25"),
    ("25 May '18", "en", "2018-05-25"),
    ("1er mai 2018", "fr", "2018-05-01"),
    ("25 de mayo de 2018", "es", "2018-05-25"),
    ("mayo 25, 2018", "es", "2018-05-25"),
    ("25 de Março de 2018", "pt", "2018-03-25"),
    ("25. maja 2018.", "sr", "2018-05-25"),
    ("25. маја 2018.", "sr", "2018-05-25"),
    ("25. мај 2018. године", "sr", "2018-05-25"),
    ("25. Jänner 2018", "de", "2018-01-25"),
    ("2018. május 25., péntek", "hu", "2018-05-25"),
    ("2018. gada 25. maijs", "lv", "2018-05-25"),
    ("2018 m. gegužės 25 d.", "lt", "2018-05-25"),
    ("2018 оны 5-р сарын 25", "mn", "2018-05-25"),
    ("2018 оны тавдугаар сарын 25", "mn", "2018-05-25"),
    ("2018 жылғы 25 мамыр", "kk", "2018-05-25"),
    ("25 Мамыр, 2018", "kk", "2018-05-25"),
    ("2018年5月25日", "zh", "2018-05-25"),
    ("2018年05月25日 星期五", "zh", "2018-05-25"),
    ("[2018-05-25]", "zh", "2018-05-25"),
    ("二〇一八年五月二十五日", "zh", "2018-05-25"),
    ("平成30年5月25日", "ja", "2018-05-25"),
    ("令和元年5月1日", "ja", "2019-05-01"),
    ("2018년 5월 25일", "ko", "2018-05-25"),
    ("25 tháng 5, 2018", "vi", "2018-05-25"),
    ("٢٥ مايو ٢٠١٨", "ar", "2018-05-25"),
    ("25 كانون الثاني 2018", "ar", "2018-01-25"),
    ("25 جانفي 2018", "ar", "2018-01-25"),
    ("۲۰۱۸/۰۵/۲۵", "fa", "2018-05-25"),
    ("2018/5/25", "en", "2018-05-25"),
    ("2018.05.25", "en", "2018-05-25"),
    ("2018-05-25", "zh", "2018-05-25"),
    ("date 2019-05-21", "en", "2019-05-21"),
    ("20180525", "en", "2018-05-25"),
    ("May 2018", "en", "2018-05-01"),
    # With a time of day
    ("16:25 | 19.04.2013", "ru", "2013-04-19 16:25"),
    ("06/22/2017 - 17:45", "de", "2017-06-22 17:45"),
    ("2016/6/29 15:07:41", "zh", "2016-06-29 15:07"),
    ("04.12.2015 14:23", "ru", "2015-12-04 14:23"),
    ("25 мая 2018 г. в 09:00", "ru", "2018-05-25 09:00"),
    ("25 мая, 2018, 12:30", "ru", "2018-05-25 12:30"),
    ("25. Mai 2018, 12.30 Uhr", "de", "2018-05-25 12:30"),
    ("25 mai 2018 à 12h30", "fr", "2018-05-25 12:30"),
    ("May 25th, 2018 10:30 PM", "en", "2018-05-25 22:30"),
    ("5:45 p.m. May 25, 2018", "en", "2018-05-25 17:45"),
    ("2018年5月25日 下午3:05", "zh", "2018-05-25 15:05"),
    ("Fri Dec  4 14:23:00 2015", "en", "2015-12-04 14:23"),
    ("20180525T101530Z", "en", "2018-05-25 10:15"),
    ("1342742400", "en", "2012-07-20 00:00"),
    ("1342742400000", "en", "2012-07-20 00:00"),
    ("2018-05-25T10:00:00.123Z", "en", "2018-05-25 10:00"),
    ("2018-05-25T10:00:00+03:00", "en", "2018-05-25 07:00"),
    ("2018-05-25 10:00:00 +0300", "en", "2018-05-25 07:00"),
    ("Fri, 25 May 2018 10:00:00 GMT", "en", "2018-05-25 10:00"),
    ("Fri, 25 May 2018 10:00:00 EST", "en", "2018-05-25 15:00"),
    ("25 May 18 10:00 GMT", "en", "2018-05-25 10:00"),
    ("Sun, 01 Nov 2026 12:00:00 MSK", "ru", "2026-11-01 09:00"),
    ("Вс, 01 ноя 2026 12:00:00 +0300", "ru", "2026-11-01 09:00"),
    ("25 мая 2018 г. в 09:00 МСК", "ru", "2018-05-25 06:00"),
    ("25.05.2018 09:00 (МСК+2)", "ru", "2018-05-25 04:00"),
    ("25.05.2018 09:00 UTC+5", "ru", "2018-05-25 04:00"),
    ("sab, 07 gen 2023", "it", "2023-01-07"),
    # Relative
    ("сегодня", "ru", "2026-11-22"),
    ("вчера в 12:30", "ru", "2026-11-21 12:30"),
    ("позавчера, 10:15", "ru", "2026-11-20 10:15"),
    ("Сегодня, 09:05", "ru", "2026-11-22 09:05"),
    ("2 часа назад", "ru", "2026-11-22 10:00"),
    ("час назад", "ru", "2026-11-22 11:00"),
    ("полчаса назад", "ru", "2026-11-22 11:30"),
    ("Только что", "ru", "2026-11-22 12:00"),
    ("Опубликовано 5 минут назад", "ru", "2026-11-22 11:55"),
    ("an hour ago", "en", "2026-11-22 11:00"),
    ("Yesterday at 5:30 pm", "en", "2026-11-21 17:30"),
    ("gestern, 12:30 Uhr", "de", "2026-11-21 12:30"),
    ("vor einer Stunde", "de", "2026-11-22 11:00"),
    ("Ontem, 21:55", "pt", "2026-11-21 21:55"),
    ("hier à 12h30", "fr", "2026-11-21 12:30"),
    ("ayer 12:30", "es", "2026-11-21 12:30"),
    ("juče u 12:30", "sr", "2026-11-21 12:30"),
    ("јуче у 12:30", "sr", "2026-11-21 12:30"),
    ("вчора о 12:30", "uk", "2026-11-21 12:30"),
    ("昨天 12:30", "zh", "2026-11-21 12:30"),
    ("3小时前", "zh", "2026-11-22 09:00"),
    ("أمس 12:30", "ar", "2026-11-21 12:30"),
    ("01:12", "pt", "2026-11-22 01:12"),
    ("23:18", "pt", "2026-11-21 23:18"),
    # Without a year
    ("21 мая", "ru", "2026-05-21"),
    ("May 21", "en", "2026-05-21"),
    ("5 декабря", "ru", "2026-12-05"),
    ("21 февраля, 10:00", "ru", "2026-02-21 10:00"),
    ("05.12", "ru", "2026-12-05"),
    ("21.02", "ru", "2026-02-21"),
    ("29 февраля", "ru", "2024-02-29"),
    ("ST. PETERSBURG, November 15 /TASS/", "en", "2026-11-15"),
    ("5月25日", "zh", "2026-05-25"),
]


@pytest.mark.parametrize(
    ("text", "language", "wanted"), FOUND_IN_THE_WILD, ids=[row[0] for row in FOUND_IN_THE_WILD]
)
def test_dates_as_people_write_them(text: str, language: str, wanted: str) -> None:
    assert read(text, language) == wanted


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "ru"),
        ("12 человек", "ru"),
        ("Новости", "ru"),
        ("32.13.2018", "ru"),
        ("30 февраля 2018", "ru"),
        ("29.02.2018", "ru"),
        ("1.2.3.4", "en"),
        ("192.168.10.20", "en"),
        ("8 (800) 555-35-35", "ru"),
        ("№ 326-рп", "ru"),
        ("в 400 библиотеках 27 стран", "ru"),
        ("1825", "en"),
    ],
)
def test_what_is_no_date_is_none(text: str, language: str) -> None:
    assert read(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "order", "wanted"),
    [
        ("05/06/2018", "ru", None, "2018-06-05"),
        ("05/06/2018", None, None, "2018-06-05"),
        ("05/06/2018", "de", None, "2018-06-05"),
        ("05/06/2018", "en", None, "2018-05-06"),
        ("05/06/2018", "en", "DMY", "2018-06-05"),
        ("05/06/2018", "ru", "MDY", "2018-05-06"),
        ("05.06.2018", "en", None, "2018-06-05"),
        ("05/22/2018", "ru", None, "2018-05-22"),
        ("22/05/2018", "en", "MDY", "2018-05-22"),
    ],
)
def test_numeric_order_follows_language_then_source_then_reason(
    text: str, language: str | None, order: DateOrder | None, wanted: str
) -> None:
    assert read(text, language, order=order) == wanted


def test_a_day_without_a_zone_is_the_sources_day() -> None:
    assert read("25 мая 2018", timezone=MOSCOW) == "2018-05-24"
    found = parse_date("25 мая 2018 10:00", language=LanguageCode("ru"), timezone="Asia/Vladivostok", now=NOW)
    assert found is not None
    assert found.when.astimezone(ZoneInfo("Asia/Vladivostok")).hour == 10


def test_yesterday_is_the_sources_yesterday() -> None:
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)  # already the 23rd in Vladivostok
    found = parse_date("вчера", language=LanguageCode("ru"), timezone="Asia/Vladivostok", now=late)
    assert found is not None
    assert found.when.astimezone(ZoneInfo("Asia/Vladivostok")).date() == date(2026, 11, 22)


def test_an_unknown_zone_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="Europe/Atlantis"):
        parse_date("25 мая 2018", language=None, timezone="Europe/Atlantis", now=NOW)


def test_the_last_resort_reads_what_the_grammar_does_not() -> None:
    text = "2 недели и 3 дня назад"
    found = parse_date(text, language=LanguageCode("ru"), timezone="UTC", now=NOW)
    assert found is not None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("25 мая 2018", "month-name:ru"),
        ("25 May 2018", "month-name:en"),
        ("7–21 марта 2018", "month-name:ru:range"),
        ("21 мая", "month-name:ru:no-year"),
        ("2018-05-25", "iso"),
        ("25.05.2018", "numeric:dmy"),
        ("05/22/2018", "numeric:mdy"),
        ("вчера", "day-word:ru"),
        ("2 часа назад", "relative:ru"),
        ("12:30", "time-only"),
        ("2018年5月25日", "east-asian"),
    ],
)
def test_the_rule_that_read_a_date_is_named(text: str, rule: str) -> None:
    found = parse_date(text, language=LanguageCode("ru"), timezone="UTC", now=NOW)
    assert found is not None
    assert found.rule == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("21 March 1825", "dropped:before-web"),
        ("1 January 1970", "dropped:epoch"),
        ("25 May 2041", "dropped:future"),
        ("2026-11-25", "dropped:future"),
        ("2026-11-24", "iso"),
        ("no date at all", "none"),
    ],
)
def test_insane_publication_dates_are_dropped_with_a_reason(text: str, rule: str) -> None:
    assert read_published(text, language=LanguageCode("en"), timezone="UTC", now=NOW).rule == rule


def test_a_date_that_would_be_in_the_future_is_read_the_other_way_round() -> None:
    published = read_published("05/12/2026", language=LanguageCode("ru"), timezone="UTC", now=NOW)
    assert published.when == datetime(2026, 5, 12, tzinfo=UTC)


def test_a_publication_without_a_year_is_never_ahead() -> None:
    published = read_published("5 декабря", language=LanguageCode("ru"), timezone="UTC", now=NOW)
    assert published.when == datetime(2025, 12, 5, tzinfo=UTC)


def test_sanity_knows_its_edges() -> None:
    assert why_insane(NOW + timedelta(days=2), now=NOW) == ""
    assert why_insane(NOW + timedelta(days=2, seconds=1), now=NOW) == "future"
    assert judge_published(None, now=NOW).rule == "none"


def test_every_date_of_a_longer_text_is_found_in_order() -> None:
    text = (
        "24 мая 2018 года открылась выставка, посвящённая событиям 12.04.1961; она продлится до 30 июня 2018. "
        "Её увидели 400 человек из 27 стран, вход с 10:00."
    )
    found = find_dates(text, language=LanguageCode("ru"), timezone="UTC", now=NOW)
    assert [each.when.date().isoformat() for each in found] == ["2018-05-24", "1961-04-12", "2018-06-30"]
    assert [normalise(text)[each.start : each.end] for each in found] == [each.text for each in found]


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=80)
    | st.from_regex(r"[0-9./:\- ]{0,30}( (мая|May|月|сарын) [0-9]{1,4})?", fullmatch=True)
)
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = parse_date(text, language=LanguageCode("ru"), timezone="UTC", now=NOW, last_resort=False)
    assert found is None or found.when.tzinfo is UTC
    find_dates(text, language=None, timezone="UTC", now=NOW)


@settings(max_examples=200, deadline=None)
@given(
    st.dates(min_value=date(1993, 1, 2), max_value=date(2026, 11, 20)),
    st.sampled_from(["ru", "en", "de", "uk", "pl"]),
)
def test_every_day_is_read_back(day: date, language: str) -> None:
    for style in ("long", "full", "medium"):
        assert read(format_date(day, style, locale=language), language) == day.isoformat()

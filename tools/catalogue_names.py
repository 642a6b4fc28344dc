# ruff: noqa: INP001, SIM905 - a script: prints its result; long lists read better as one string
"""Names of federal subjects and countries for the catalogue build (tables and CLDR through Babel)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from babel import Locale

#: Languages news about a network may come in; Russian and English are read in any text.
LANGUAGES = (
    "en ru de fr es sr zh ar it pt pl cs sk sl hr bs bg mk uk be fi et lv lt hu ro sq el tr az kk ky uz tg tk "
    "hy ka mn ja ko vi id fa he hi nl sv da nb is ca tt"
).split()
INTERFACE = ("de", "fr", "es", "sr", "zh", "ar")
#: English names of the kinds of subjects, as different sites write them.
_OBLAST = ("Oblast", "Region", "Area", "Province", "Governorate")
_KRAI = ("Krai", "Territory", "Region", "Kray")


def subject_names(row: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """``(language, phrase, kind)`` of a federal subject."""
    for language in ("ru", "en", *INTERFACE):
        if "Oblast" in row["en"] or "Krai" in row["en"] or "Okrug" in row["en"]:
            kind = "region"
        else:
            kind = "town" if row["code"] in {"RU-MOW", "RU-SPE", "UA-40"} else "name"
        yield language, row[language], kind
    yield from _english(row["en"].split(" – ")[0])
    yield from _russian(row["ru"].split(" – ")[0])
    yield from _short(row)


def _english(name: str) -> Iterator[tuple[str, str, str]]:
    base, _, head = name.rpartition(" ")
    for word in {"Oblast": _OBLAST, "Krai": _KRAI}.get(head, ()):
        yield "en", f"{base} {word}", "region"
        yield "en", f"{word} of {base}", "region"


def _russian(name: str) -> Iterator[tuple[str, str, str]]:
    adjective, _, head = name.rpartition(" ")
    if head in {"область", "край"} and " " not in adjective:
        base = adjective[:-2]
        for word in (f"{base}ий регион", f"{base}ая земля", f"{base}ая губерния", f"{base}ое областное"):
            if (
                base not in {"Московск", "Ленинградск", "Свердловск", "Кировск", "Приморск"}
                or "регион" in word
            ):
                yield "ru", word, "region"
        yield "ru", f"{base}ая обл", "region"


def _short(row: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Chinese and Arabic everyday names leave out the kind of the subject."""
    chinese = row["zh"]
    for tail in ("共和国", "边疆区", "自治区", "自治州", "州"):
        if (
            chinese.endswith(tail)
            and len(chinese) - len(tail) >= 2
            and row["code"] not in {"RU-LEN", "RU-MOS"}
        ):
            yield "zh", chinese.removesuffix(tail), "name"
            break
    arabic = row["ar"]
    if arabic.startswith(("مقاطعة ", "إقليم ", "جمهورية ")) and row["code"] not in {"RU-LEN", "RU-MOS"}:
        yield "ar", arabic.partition(" ")[2], "name"


def country_names(code: str) -> Iterator[tuple[str, str]]:
    """``(language, name)`` of a country in every language of :data:`LANGUAGES`."""
    for language in LANGUAGES:
        name = Locale.parse(language).territories.get(code)
        if not name:
            continue
        yield language, name
        plain = name.partition(" (")[0].replace(" & ", " and ")
        if plain != name:
            yield language, plain
    if code in {"HK", "MO"}:
        yield "en", {"HK": "Hong Kong", "MO": "Macao"}[code]
        yield "ru", {"HK": "Гонконг", "MO": "Макао"}[code]

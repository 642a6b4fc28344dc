"""What the words around a place say about it: a person, a street, a patron, a passing mention. Pure.

Each rule looks at a short window left and right of a hit and answers with a factor for its weight and
the rule's name; 0 means "no place at all". Rules are general: each holds for any place of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from feeds.classify.gazetteer import Hit, Mark, Sense
from feeds.classify.text import Reading

#: Characters looked at on either side of a hit.
WINDOW = 34
#: Kinds believed only after a word of place, since most such spellings also mean something else.
_NEEDS_PLACE_WORD = frozenset({"village", "city"})
#: Kinds that are whole phrases or names of areas; street and patron rules do not concern them.
_SURE_KINDS = frozenset({"region", "inst", "federal", "abbr", "patron"})
_ADJECTIVES = frozenset({"adj", "townadj", "ethnic", "hadj"})
#: Districts and streets called by these say nothing: half the country has one.
_COMMON_ADJECTIVES = frozenset({"RU-MOW", "RU-SVE", "RU-KIR", "RU-LEN", "RU-SPE", "RU-ULY", "RU-PRI", "RU-KGD"})

_PATRON = re.compile(
    r"(?:\bимен[иаем]+|\bим\.?|\bnamed after|\bnamed for|\bin memory of|\bin honou?r of|\bпамяти)\s+"
    r"(?:[\w\-]{1,12}\.\s*){0,3}$"
)
#: How far a library may stand from the name it bears.
PATRON_WINDOW = 46
_LIBRARY = re.compile(r"библиотек|\blibrar|bibliothe|bibliote[ck]|кни[гж]")
_INITIAL = re.compile(r"(?:^|[\s(])[^\W\d_]\.\s?$")
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
_DISTRICT_AFTER = re.compile(r"\s+(?:муниципальн\w+\s+)?(?:район\w*|district\w*|округ\w*\s+город\w*|поселени\w*)")
_RAION_AFTER = re.compile(r"\s+(?:муниципальн\w+\s+|городск\w+\s+)?(?:район\w*|округ\w*|центральн\w+|межпоселенч\w+|цбс\b|црб\b)")
#: Nouns and adjectives that make an adjective the name of a subject: "Кировская областная", "Московский регион".
_HEAD_AFTER = re.compile(r"\s+(?:государственн\w+\s+)?(?:област|обл\b|кра[йяюе]|регион|губерн|автоном|округ)")
_EMBASSY_BEFORE = re.compile(
    r"\b(?:посольств\w*|консульств\w*|генконсульств\w*|embassy of(?: the)?|embassies of(?: the)?|consulate of(?: the)?|"
    r"language of(?: the)?|languages of(?: the)?|citizens of(?: the)?|president of(?: the)?|war (?:with|against)(?: the)?)\s+$"
)
_EMBASSY_AFTER = re.compile(
    r"\s+(?:embass\w+|consulate\w*|посольств\w*|консульств\w*|язык\w*|language\w*|читальн\w+\s+зал\w*\s+библ|literature|"
    r"литератур\w*|культурн\w*\s+центр\w*|кухн\w*|cuisine)"
)
_SUCH_AS = re.compile(r"(?:в том числе|включая|такие как|таких как|например|including|such as|e\.g\.|among them|compared? (?:to|with)|"
    r"сравнени\w+ с|как и|unlike|darunter|notamment|tra cui|entre ellos|võrdlus|между|среди них)[\s:«\"]+(?:[\w'-]+\s+){0,3}$")
_FROM = re.compile(r"\b(?:из|from|aus|z|iz|из города|from the city of|guests? from|гост\w+ из|ближе)\s+(?:the\s+)?$")
_PLACE_WORD = re.compile(
    r"(?:^|[\s(«\"])(?:в|во|из|под|близ|около|возле|до|г\.|гор\.|город\w*|поселк\w*|поселок|п\.|с\.|сел[оаеу]|деревн\w*|"
    r"станиц\w*|пгт|аул\w*|хутор\w*|in|at|near|from|city of|town of|village of|city|town|village|en|à|a|in der stadt|"
    r"nach|aus|w|we|we wsi|v|ve|u|у|във|от|село|град|граду|grad\w*|miasto|mieście)\s+[«\"]?$"
)
_PLACE_WORD_AFTER = re.compile(
    r"\s*(?:город\w*|district\b|region\b|city\b|town\b|village\b|municipal\w*|район\w*|,\s*(?:[\w\-]+(?:ая|ой|ий|ого|ом)\s+"
    r"(?:област|кра|обл)|republic|russia))|[‐-]?\s*(?:市|县)"
)
_NAME_AFTER = re.compile(r"\s+(?:[A-ZА-ЯЁ][\w’'\-]+)")
_NAME_BEFORE = re.compile(r"(?:^|[^.!?»\"“”\s]\s)([A-ZА-ЯЁ][a-zа-яё’'\-]+)\s$")
_TITLE_BEFORE = re.compile(
    r"\b(?:королев\w*|цар[ьяюе]\w*|княз\w*|княгин\w*|принцесс\w*|принц\w*|святой|святого|queen|king|prince|princess|saint|st\.|"
    r"president|mr\.?|mrs\.?|ms\.?|sir|lady)\s+$"
)
_QUOTED = re.compile(r"«[^«»]{1,110}»|\"[^\"«»\n]{1,110}\"|[“„][^“”„]{1,110}[”“]")
_CITY_IN_BRACKETS = re.compile(r"\((?:[^()]{0,25}\s)?$")


#: Of several readings of one spelling the first counts for the rules here.
RANK = {
    "region": 0, "inst": 1, "name": 2, "country": 2, "adj": 3, "headadj": 3, "town": 4, "capital": 4, "townadj": 5, "demonym": 5,
    "hist": 6, "hadj": 6, "patron": 6, "ethnic": 6, "federal": 7, "weak": 7, "village": 8, "raion": 8,
}  # fmt: skip


class Judged(NamedTuple):
    """A hit with the factor its surroundings leave it and the rule that said so."""

    hit: Hit
    senses: tuple[Sense, ...]
    factor: float
    rule: str


def judge(hits: Iterable[Hit], marks: Iterable[Mark], reading: Reading) -> list[Judged]:
    """Every hit that may be a place, with its factor; enumerations come last, over what is left."""
    stops = [m for m in marks if m.label == "stop"]
    topics = [m for m in marks if m.label == "topic"]
    quoted = [match.span() for match in _QUOTED.finditer(reading.original)]
    judged = []
    for hit in hits:
        if any(m.start < hit.end and hit.start < m.end for m in stops):
            continue
        one = _judge_one(hit, reading)
        if one is None:
            continue
        if any(start < hit.start and hit.end <= end for start, end in quoted) and one.senses[0].kind not in {"region", "inst"}:
            one = Judged(one.hit, one.senses, one.factor * 0.35, "quoted")
        if any(m.start < hit.end and hit.start < m.end for m in topics):
            one = Judged(one.hit, one.senses, 0.12, "topic")
        judged.append(one)
    return _damp_enumerations(judged, reading)


def _judge_one(hit: Hit, reading: Reading) -> Judged | None:
    left = reading.folded[max(0, hit.start - WINDOW) : hit.start]
    right = reading.folded[hit.end : hit.end + WINDOW]
    senses = tuple(s for s in hit.senses if _is_believable(s, hit, left, right, reading))
    if not senses:
        return None
    senses = tuple(sorted(senses, key=lambda s: RANK.get(s.kind, 9)))
    kind = senses[0].kind
    if kind not in _SURE_KINDS and (_PATRON.search(left) or _is_street(left, right)):
        return None
    factor, rule = _factor(hit, senses, left, right, reading)
    return Judged(hit, senses, factor, rule) if factor else None


def _is_street(left: str, right: str) -> bool:
    return bool(_STREET_BEFORE.search(left) or _STREET_AFTER.match(right))


def _is_believable(sense: Sense, hit: Hit, left: str, right: str, reading: Reading) -> bool:
    if sense.kind == "raion":
        return bool(_RAION_AFTER.match(right))
    if sense.kind == "headadj":
        return bool(_HEAD_AFTER.match(right))
    if sense.kind == "patron":
        return _is_library_patron(hit, reading)
    if not (sense.guarded or sense.kind in _NEEDS_PLACE_WORD) or sense.kind == "region":
        return not (sense.kind in {"town", "capital", "country", "name"} and _is_person(hit, left, reading))
    if _is_person(hit, left, reading):
        return False
    return bool(_PLACE_WORD.search(left) or _PLACE_WORD_AFTER.match(right))


def _is_library_patron(hit: Hit, reading: Reading) -> bool:
    around = reading.folded[max(0, hit.start - PATRON_WINDOW) : hit.end + PATRON_WINDOW]
    return bool(_LIBRARY.search(around))


def _is_person(hit: Hit, left: str, reading: Reading) -> bool:
    """After an initial or a title of persons: "И. Ржев", "queen Sofia"."""
    if not reading.original[hit.start].isalpha():
        return False
    return bool(_INITIAL.search(left) or _TITLE_BEFORE.search(left))


def _factor(hit: Hit, senses: tuple[Sense, ...], left: str, right: str, reading: Reading) -> tuple[float, str]:
    sense = senses[0]
    code = sense.codes[0][0]
    if sense.kind in _ADJECTIVES and _DISTRICT_AFTER.match(right):
        return (0.0, "") if code in _COMMON_ADJECTIVES else (0.6, "district")
    if sense.kind not in _SURE_KINDS and (_EMBASSY_BEFORE.search(left) or _EMBASSY_AFTER.match(right)):
        return 0.25, "representation"
    if sense.kind in {"town", "capital", "country", "city"} and _CITY_IN_BRACKETS.search(left):
        return 0.5, "brackets"
    if sense.kind in {"adj", "headadj"} and _HEAD_AFTER.match(right):
        return 1.3, "region"
    if _FROM.search(left):
        return 0.4, "origin"
    if _SUCH_AS.search(left):
        return 0.2, "example"
    if _PLACE_WORD.search(left):
        return 1.15, sense.kind
    return 1.0, sense.kind


#: What may stand between two members of an enumeration.
_BETWEEN = re.compile(
    r"[\s»\"”)]*(?:region\w*|oblast\w*|krai|territor\w+|republic\w*|област\w+|кра\w+)?[\s»\"”)]*"
    r"(?:,|;|、|،|/|\bи\b|\band\b|\bund\b|\bet\b|\by\b|\be\b|\bи\b|\bi\b|\bja\b|和|و)"
    r"[\s«\"“(]*(?:и\s+|and\s+|а также\s+|as well as\s+)?(?:in\s+|в\s+|во\s+|из\s+|from\s+|the\s+|с\s+|with\s+)?"
    r"(?:(?:республик\w+|republic of|город\w*|г\.)\s+)?[«\"“(]*"
)
#: So many different places in a row are a list, not a subject.
ENUMERATION = 3


def _damp_enumerations(judged: list[Judged], reading: Reading) -> list[Judged]:
    runs: list[list[int]] = []
    for index, one in enumerate(judged):
        if runs and _follows(judged[runs[-1][-1]].hit, one.hit, reading):
            runs[-1].append(index)
        else:
            runs.append([index])
    listed = {index for run in runs if _is_enumeration(run, judged) for index in run}
    return [
        Judged(one.hit, one.senses, one.factor * 0.15, "enumeration") if index in listed else one
        for index, one in enumerate(judged)
    ]


def _follows(before: Hit, after: Hit, reading: Reading) -> bool:
    gap = reading.folded[before.end : after.start]
    return len(gap) < 40 and bool(_BETWEEN.fullmatch(gap))


def _is_enumeration(run: list[int], judged: list[Judged]) -> bool:
    codes = {judged[index].senses[0].codes[0][0] for index in run}
    return len(codes) >= ENUMERATION or (len(codes) == ENUMERATION - 1 and len(run) > ENUMERATION)

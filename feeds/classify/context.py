"""Which hits are places, and how much each may count: traps, quotes, persons, enumerations. Pure.

Every rule answers with a factor for the weight of a hit and its own name, so that a decision can be
explained. Rules are general: each holds for any place of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from feeds.classify.gazetteer import Hit, Mark, Sense
from feeds.classify.surroundings import (
    After,
    Before,
    is_list_gap,
    look_after,
    look_before,
    words_after,
    words_before,
)
from feeds.classify.text import Reading

#: Kinds believed only after a word of place, since most such spellings also mean something else.
_NEEDS_PLACE_WORD = frozenset({"village", "city"})
#: Kinds that are whole phrases or names of bodies; street and patron rules do not concern them.
_SURE_KINDS = frozenset({"region", "inst", "federal", "abbr", "patron"})
_TOWN_LIKE = frozenset({"town", "capital", "country", "name", "city"})
#: Districts and streets called after these say nothing: half the country has one.
_COMMON_DISTRICTS = frozenset(
    {"RU-MOW", "RU-SVE", "RU-KIR", "RU-LEN", "RU-SPE", "RU-ULY", "RU-PRI", "RU-KGD"}
)
#: How far a library may stand from the name it bears.
_PATRON_WINDOW = 46
_LIBRARY = re.compile(r"библиотек|\blibrar|bibliothe|bibliote[ck]")
_LIBRARY_BEFORE = re.compile(r"библиотек\w*\s+(?:\w\.\s*){0,2}$")
_LIBRARY_AFTER = re.compile(r"(?:(?!presidential)[\w\s'-]){0,40}?\b(?:librar|библиотек)")
_QUOTED = re.compile(r"«[^«»]{1,110}»|\"[^\"«»\n]{1,110}\"|[“„][^“”„]{1,110}[”“]")
#: Of several readings of one spelling the first counts for the rules here.
_RANK = {
    "region": 0, "inst": 1, "name": 2, "country": 2, "adj": 3, "headadj": 3, "town": 4, "capital": 4, "townadj": 5,
    "demonym": 5, "hist": 6, "hadj": 6, "patron": 6, "ethnic": 6, "federal": 7, "weak": 7, "village": 8, "raion": 8,
}  # fmt: skip
#: Factors of the rules.
_QUOTE, _TOPIC, _LISTED = 0.35, 0.12, 0.15
#: So many different places in a row are a list, not a subject.
ENUMERATION = 3


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
    quoted = _quoted(reading.original)
    judged = []
    for hit in hits:
        if any(m.start < hit.end and hit.start < m.end for m in stops):
            continue
        one = _judge_one(hit, reading)
        if one is None:
            continue
        if any(m.start < hit.end and hit.start < m.end for m in topics):
            one = one._replace(factor=_TOPIC, rule="topic")
        elif one.senses[0].kind not in {"region", "inst"} and any(
            a < hit.start and hit.end <= b for a, b in quoted
        ):
            one = one._replace(factor=one.factor * _QUOTE, rule="quoted")
        judged.append(one)
    return _damp_enumerations(judged, reading)


def _quoted(text: str) -> list[tuple[int, int]]:
    if '"' in text or "«" in text or "“" in text or "„" in text:
        return [match.span() for match in _QUOTED.finditer(text)]
    return []


def _judge_one(hit: Hit, reading: Reading) -> Judged | None:
    before = look_before(words_before(reading.folded, hit.start))
    after = look_after(words_after(reading.folded, hit.end))
    person = before.person or _follows_initial(hit, reading)
    senses = tuple(s for s in hit.senses if _is_believable(s, hit, before, after, reading, person=person))
    if len(senses) > 1:
        senses = tuple(sorted(senses, key=lambda s: _RANK.get(s.kind, 9)))
    if not senses or (senses[0].kind not in _SURE_KINDS and (before.patron or before.street or after.street)):
        return None
    factor, rule = _factor(senses[0], before, after)
    return Judged(hit, senses, factor, rule) if factor else None


def _is_believable(
    sense: Sense, hit: Hit, before: Before, after: After, reading: Reading, *, person: bool
) -> bool:
    kind = sense.kind
    if kind == "raion":
        return after.raion
    if kind == "headadj":
        return after.head
    if kind == "patron":
        return _is_library_patron(hit, before, reading)
    if person and (kind in _TOWN_LIKE or kind == "village"):
        return False
    if kind in _NEEDS_PLACE_WORD or (sense.guarded and kind != "region"):
        return before.place_word or after.place_word
    return True


def _is_library_patron(hit: Hit, before: Before, reading: Reading) -> bool:
    """Beside its library: "библиотека им. Югова", "D. I. Mendeleev Tyumen Regional Library"."""
    left = reading.folded[max(0, hit.start - _PATRON_WINDOW) : hit.start]
    right = reading.folded[hit.end : hit.end + _PATRON_WINDOW]
    if before.patron:
        return bool(_LIBRARY.search(left) or _LIBRARY.search(right))
    return bool(_LIBRARY_BEFORE.search(left) or _LIBRARY_AFTER.match(right))


def _follows_initial(hit: Hit, reading: Reading) -> bool:
    """After a capital and a full stop: "И. Ржев"; not after "г." (town) or the end of a sentence."""
    left = reading.original[max(0, hit.start - 4) : hit.start].rstrip()
    return len(left) > 1 and left[-1] == "." and left[-2].isupper() and not left[-3:-2].isalnum()


def _factor(sense: Sense, before: Before, after: After) -> tuple[float, str]:
    kind = sense.kind
    if kind == "ethnic" and after.body:
        return 1.6, "body-of-country"
    if kind in {"adj", "headadj"} and after.head:
        return 1.3, "region"
    passing = None if kind in _SURE_KINDS else _in_passing(sense, before, after)
    return passing or _by_preposition(kind, before)


def _in_passing(sense: Sense, before: Before, after: After) -> tuple[float, str] | None:
    if after.district and sense.kind != "raion":
        return (0.0, "") if sense.codes[0][0] in _COMMON_DISTRICTS else (0.6, "district")
    if before.days_of:
        return 0.35, "days-of"
    if before.representation or after.representation:
        return 0.25, "representation"
    if before.brackets and sense.kind in _TOWN_LIKE:
        return 0.5, "brackets"
    return None


def _by_preposition(kind: str, before: Before) -> tuple[float, str]:
    if before.origin:
        return 0.4, "origin"
    if before.example:
        return 0.2, "example"
    if before.about:
        return 0.6, "about"
    return (1.15 if before.place_word else 1.0), kind


def _damp_enumerations(judged: list[Judged], reading: Reading) -> list[Judged]:
    runs: list[list[int]] = []
    for index, one in enumerate(judged):
        if runs and is_list_gap(reading.folded[judged[runs[-1][-1]].hit.end : one.hit.start]):
            runs[-1].append(index)
        else:
            runs.append([index])
    listed = {index for run in runs if _is_enumeration(run, judged) for index in run}
    return [
        one._replace(factor=one.factor * _LISTED, rule="enumeration") if index in listed else one
        for index, one in enumerate(judged)
    ]


def _is_enumeration(run: list[int], judged: list[Judged]) -> bool:
    codes = {judged[index].senses[0].codes[0][0] for index in run}
    return len(codes) >= ENUMERATION or (len(codes) == ENUMERATION - 1 and len(run) > ENUMERATION)

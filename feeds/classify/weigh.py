"""From places in a text to what it is about: weights by place, homonyms, thresholds. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from feeds.classify.context import Judged
from feeds.classify.gazetteer import Sense
from feeds.classify.text import Reading
from feeds.model import Evidence, RegionCode

#: How much a place counts by where it stands.
PLACE = {"title": 3.0, "lead": 2.0, "body": 1.2, "tail": 0.5, "dateline": 0.2}
#: How much by what kind of word it is.
KIND = {
    "region": 1.3, "inst": 1.2, "name": 1.15, "country": 1.15, "town": 1.0, "capital": 1.0, "adj": 0.9, "headadj": 0.9,
    "townadj": 0.85, "demonym": 0.85, "raion": 0.8, "village": 0.8, "city": 0.75, "hist": 0.6, "hadj": 0.4,
    "ethnic": 0.5, "weak": 0.35, "federal": 0.5, "abbr": 0.4, "patron": 0.9,
}  # fmt: skip
#: A name of a whole region is meant before any town of the same name.
_SETTLED = frozenset({"region", "adj", "headadj"})
#: Words that name a people, a body or a patron rather than the place.
SOFT = frozenset({"ethnic", "weak", "federal", "patron", "abbr", "hadj"})
#: A repeated name in the same place adds this share, at most so often.
_REPEAT, _REPEATS = 0.3, 3
#: Below this an item is about no place; below this share of the heaviest, a place is a mention.
ABOUT, SHARE = 0.95, 0.5
#: Where the title names a place by this weight, another place of the text must weigh nearly as much.
TITLED, SHARE_BESIDE_TITLE = 2.0, 0.8
#: Of two towns of one name the larger is meant when it is so many times larger.
_DOMINANT = 4
#: What a source's default region weighs beside the words of the item.
SOURCE_WEIGHT = 1.0
#: The least weight of a subject in the news of the institution itself: without work in places it takes a title.
ABOUT_NAMED, ABOUT_HEADQUARTERS = 1.7, 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Codes by weight, heaviest first, split into subject and mention."""

    regions: tuple[RegionCode, ...]
    mentions: tuple[RegionCode, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    totals: Mapping[RegionCode, float]


def weigh(
    judged: Iterable[Judged],
    reading: Reading,
    *,
    home: frozenset[RegionCode],
    source_region: RegionCode | None,
    about: float = ABOUT,
) -> Weighed:
    """What the item is about. ``home`` places weigh little: the institution itself sits there.

    ``about`` is the least weight of a subject; more is asked of an institution's own news, which name
    places in passing.
    """
    evidence, kinds = _resolve(list(judged), reading, source_region)
    damped = [_at_home(each) if each.code in home else each for each in evidence]
    if source_region is not None:
        damped.append(
            Evidence(
                code=source_region, words="", where="source", weight=SOURCE_WEIGHT, rule="source-default"
            )
        )
    totals = _totals(damped)
    ranked = sorted(totals, key=lambda code: (-totals[code], code))
    soft = _soft(kinds, totals)
    regions = _subjects(ranked, totals, _weights_in(damped, "title"), soft, about)
    mentions = [c for c in ranked if c not in regions]
    return Weighed(
        regions=tuple(regions),
        mentions=tuple(mentions),
        evidence=tuple(sorted(damped, key=lambda e: (-e.weight, e.code, e.words))),
        confidence=_confidence(totals, regions),
        totals=totals,
    )


def _at_home(evidence: Evidence) -> Evidence:
    return Evidence(
        code=evidence.code, words=evidence.words, where=evidence.where,
        weight=round(evidence.weight * 0.15, 3), rule="headquarters",
    )  # fmt: skip


def _subjects(
    ranked: list[RegionCode],
    totals: Mapping[RegionCode, float],
    titled: Mapping[str, float],
    soft: set[RegionCode],
    about: float,
) -> list[RegionCode]:
    """The codes heavy enough to be what the item is about."""
    top = totals[ranked[0]] if ranked else 0.0
    in_title = any(weight >= TITLED and code not in soft for code, weight in titled.items())
    beside_title = SHARE_BESIDE_TITLE if in_title else SHARE
    return [
        code
        for code in ranked
        if (totals[code] >= about or titled.get(code, 0.0) >= ABOUT)
        and totals[code] >= (SHARE if code in titled else beside_title) * top
        and code not in soft
    ]


def _soft(kinds: Mapping[str, set[str]], totals: Mapping[RegionCode, float]) -> set[RegionCode]:
    """Places named only by soft words, where another place is named by a hard one and weighs about as much."""
    hard = max((totals[RegionCode(code)] for code, found in kinds.items() if found - SOFT), default=0.0)
    return {
        RegionCode(c)
        for c, found in kinds.items()
        if not found - SOFT and hard >= 0.6 * totals[RegionCode(c)]
    }


def _weights_in(evidence: Iterable[Evidence], where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in evidence:
        if each.where == where:
            found[each.code] = max(each.weight, found.get(each.code, 0.0))
    return found


def _resolve(
    judged: list[Judged], reading: Reading, source_region: RegionCode | None
) -> tuple[list[Evidence], dict[str, set[str]]]:
    """One code for every hit: a homonym takes the code the rest of the text speaks for."""
    support: dict[RegionCode, float] = defaultdict(float)
    if source_region is not None:
        support[source_region] += 1
    for one in judged:
        first = one.senses[0]
        code = first.codes[0][0]
        sure = first.kind in _SETTLED and len(first.codes) == 1
        if sure or all(each == code for sense in one.senses for each, _ in sense.codes):
            support[code] += KIND[first.kind] * one.factor
    found = []
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in judged:
        sense, code, certainty = _choose(one.senses, support)
        if not support.get(code) and (
            sense.kind == "abbr" or (sense.kind == "patron" and len(sense.codes) > 1)
        ):
            continue
        kinds[code].add("body" if one.rule == "body-of-country" else sense.kind)
        hit = one.hit
        where = reading.place(hit.start)
        weight = KIND[sense.kind] * PLACE[where] * one.factor * certainty
        found.append(
            Evidence(
                code=code,
                words=reading.original[hit.start : hit.end],
                where=where,
                weight=round(weight, 3),
                rule=one.rule if certainty == 1 else "homonym",
            )
        )
    return found, kinds


def _choose(
    senses: tuple[Sense, ...], support: Mapping[RegionCode, float]
) -> tuple[Sense, RegionCode, float]:
    if len(senses) == 1 and len(senses[0].codes) == 1:
        return senses[0], senses[0].codes[0][0], 1.0
    pairs = [(sense, code, people) for sense in senses for code, people in sense.codes]
    if len({code for _, code, _ in pairs}) > 1:
        spoken_for = [p for p in pairs if support.get(p[1])]
        if spoken_for:
            sense, code, _ = max(spoken_for, key=lambda p: (support[p[1]], KIND[p[0].kind], p[2]))
            return sense, code, 1.0
    best = max(pairs, key=lambda p: (KIND[p[0].kind] if p[0].kind != "capital" else 1.0, p[2]))
    if best[0].kind in _SETTLED:
        return best[0], best[1], 1.0
    rivals = [p for p in pairs if p[1] != best[1] and KIND[p[0].kind] >= KIND[best[0].kind] - 0.05]
    if any(p[2] * _DOMINANT > best[2] for p in rivals):
        return best[0], best[1], 0.5
    return best[0], best[1], 1.0


def _totals(evidence: Iterable[Evidence]) -> dict[RegionCode, float]:
    by_place: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in evidence:
        by_place[each.code, each.where].append(each.weight)
    totals: dict[RegionCode, float] = defaultdict(float)
    for (code, _), weights in by_place.items():
        heaviest, *others = sorted(weights, reverse=True)
        totals[RegionCode(code)] += heaviest + _REPEAT * sum(others[:_REPEATS])
    return {code: round(total, 3) for code, total in totals.items()}


def _confidence(totals: Mapping[RegionCode, float], regions: list[RegionCode]) -> float:
    """0..1: how far the chosen places stand above the others and above nothing."""
    if not totals:
        return 0.6
    ranked = sorted(totals.values(), reverse=True)
    top = ranked[0]
    if not regions:
        return max(0.3, min(0.9, 1 - top))
    lowest = min(totals[code] for code in regions)
    highest_left = max((w for c, w in totals.items() if c not in regions), default=0.0)
    gap = (lowest - highest_left) / top
    strength = min(1.0, lowest / 3)
    return round(max(0.05, min(0.99, 0.35 + 0.35 * strength + 0.3 * gap)), 3)

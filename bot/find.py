"""Which network, district or region a reader means: any language, any form, misspelt.

Names and queries are folded into one coarse Latin spelling, so that "Пенза", "Penza obl" and
"в Пензенской области" all meet "Penza Oblast". A bigram index narrows some thousand names to a few
before they are compared. Only :func:`read_aliases` does I/O, once at start.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from feeds.model import RegionCode
from feeds.networks import ALL, Networks, Scope, district_scope, network_scope, region_scope
from feeds.regions import DATA, Region, read_table

#: A match at least this good is acted on at once (there is an undo button) ...
SURE = 0.8
#: ... unless another place is closer to it than this.
_MARGIN = 0.02
#: A place of which only a part was named is rarely the only one meant.
_MARGIN_OF_PARTS = 0.08
#: Offered together: no worse than the best by more than this.
_SPREAD = 0.15
#: No score of a part is higher.
_PART = 0.9
#: Below this a match isn't worth a button.
_WORTH_SHOWING = 0.7
_ALIAS_KINDS = frozenset({"name", "abbr", "town"})
_QUERY_LIMIT = 64
#: Names compared in full after the bigram index has chosen them.
_COMPARED = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A scope a query may mean, with 0..1 for how well it fits."""

    scope: Scope
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a query means: surely ``chosen`` (one place, perhaps in several networks), else ``offered``."""

    chosen: tuple[Scope, ...] = ()
    offered: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFinder:
    """Names of all scopes of the networks, folded and indexed."""

    networks: Networks
    #: As written, folded -> scopes ("московская область", "ru-pnz").
    full: Mapping[str, tuple[Scope, ...]]
    #: Without generic words, in coarse Latin -> scopes ("moskovskaia").
    coarse: Mapping[str, tuple[Scope, ...]]
    bigrams: Mapping[str, frozenset[str]]

    def find(self, query: str, *, limit: int = 6) -> list[Match]:
        """Scopes that ``query`` may mean, best first; empty when nothing is near."""
        query = query[:_QUERY_LIMIT]
        best: dict[Scope, float] = {}
        for scope in self.full.get(_fold(query), ()):
            best[scope] = 1.0
        wanted = coarse(query)
        for name in self._near(wanted):
            score = similarity(wanted, name)
            for scope in self.coarse[name] if score >= _WORTH_SHOWING else ():
                best[scope] = max(best.get(scope, 0.0), score)
        ranked = sorted(best.items(), key=lambda each: (-each[1], _rank(each[0]), each[0]))
        return [Match(scope=scope, score=score) for scope, score in ranked[:limit]]

    def meaning(self, query: str, *, limit: int = 6) -> Meaning:
        """What to do about ``query``: act at once, or offer a choice."""
        matches = self.find(query, limit=limit)
        if not matches:
            return Meaning()
        best = matches[0].score
        margin = _MARGIN if best > _PART else _MARGIN_OF_PARTS
        rivals = [each.scope for each in matches if each.score > best - margin]
        if best >= SURE and len({_place(each) for each in rivals}) == 1:
            others = [m.scope for m in matches if m.score >= SURE and m.scope not in rivals]
            return Meaning(chosen=tuple(rivals), offered=tuple(others))
        return Meaning(offered=tuple(each.scope for each in matches if each.score > best - _SPREAD))

    def nearest(self, *, latitude: float, longitude: float, limit: int = 3) -> list[Scope]:
        """Scopes of the regions whose centres are nearest to a point in degrees."""
        regions = {code for network in self.networks.networks.values() for code in network.regions}
        known = [
            self.networks.catalogue.regions[code]
            for code in regions
            if code in self.networks.catalogue.regions
        ]
        known.sort(key=lambda region: (_distance(region, latitude, longitude), region.code))
        return [
            region_scope(network, region.code)
            for region in known[:limit]
            for network in self.networks.of_region(region.code)
        ]

    def _near(self, wanted: str) -> list[str]:
        shared: Counter[str] = Counter()
        for bigram in set(_bigrams(wanted)):
            shared.update(self.bigrams.get(bigram, ()))
        # Share of the name's own bigrams too, or long names would crowd out short ones.
        ranked = sorted(shared, key=lambda name: (-shared[name] / (len(name) + len(wanted)), name))
        return ranked[:_COMPARED]


def read_aliases(path: Path = DATA / "aliases.tsv") -> dict[RegionCode, tuple[str, ...]]:
    """What else people call the regions: everyday names, abbreviations, and their towns."""
    found: dict[RegionCode, tuple[str, ...]] = {}
    for _, row in read_table(path):
        if row["kind"] in _ALIAS_KINDS:
            code = RegionCode(row["code"])
            words = (word.strip() for word in row["words"].split(";"))
            found[code] = (*found.get(code, ()), *(word for word in words if word))
    return found


def build_finder(
    networks: Networks,
    *,
    everything: Iterable[str] = (),
    aliases: Mapping[RegionCode, Sequence[str]] | None = None,
) -> PlaceFinder:
    """Index the names of all scopes of ``networks``.

    ``everything`` are words for the scope of all news, ``aliases`` more words for regions.
    """
    aliases = aliases or {}
    full: defaultdict[str, set[Scope]] = defaultdict(set)
    short: defaultdict[str, set[Scope]] = defaultdict(set)
    for scope, names in _named_scopes(networks, everything):
        full[_fold(scope)].add(scope)
        for name in names:
            full[_fold(name)].add(scope)
            short[coarse(name)].add(scope)
        for name in aliases.get(RegionCode(scope.partition("/")[2]), ()):
            short[coarse(name)].add(scope)
    # "(США)" behind islands says whose they are: a part that names another place is no name of this.
    whole = frozenset(short)
    for scope, names in _named_scopes(networks, everything):
        for part in (coarse(part) for name in names for part in _parts(name)):
            if part not in whole:
                short[part].add(scope)
    short.pop("", None)
    bigrams: defaultdict[str, set[str]] = defaultdict(set)
    for name in short:
        for bigram in _bigrams(name):
            bigrams[bigram].add(name)
    return PlaceFinder(
        networks=networks,
        full={name: tuple(sorted(scopes)) for name, scopes in full.items()},
        coarse={name: tuple(sorted(scopes)) for name, scopes in short.items()},
        bigrams={bigram: frozenset(names) for bigram, names in bigrams.items()},
    )


def all_scopes(networks: Networks) -> list[Scope]:
    """Every scope of the networks, widest first; sources have none here."""
    return [scope for scope, _ in _named_scopes(networks, ())]


def _named_scopes(networks: Networks, everything: Iterable[str]) -> Iterable[tuple[Scope, Sequence[str]]]:
    yield ALL, ["all", "everything", *everything]
    for network in networks.networks.values():
        yield network_scope(network.id), [network.id, *network.titles.values()]
        for district, regions in networks.districts(network.id):
            yield district_scope(network.id, district.id), [district.id, *district.names.values()]
            for region in regions:
                names = [region.code, *region.names.values(), *region.aliases]
                yield region_scope(network.id, region.code), names


def similarity(wanted: str, name: str) -> float:
    """0..1 for two coarse names: the same word, an inflection of it, a part of it, or a slip."""
    if wanted == name:
        return 0.97
    if _is_cjk(wanted):
        return 0.9 if len(wanted) > 1 and (wanted in name or (name in wanted and len(name) > 1)) else 0.0
    scores = [SequenceMatcher(None, wanted, name, autojunk=False).ratio() * 0.95]
    words, named = wanted.split(), name.split()
    if len(words) == len(named):
        scores.append(min(_inflected(a, b) for a, b in zip(words, named, strict=True)))
    elif len(words) < len(named) and words:
        # "Korea" of "South Korea": surer the more of the name was said.
        inside = min(max(_inflected(a, b) for b in named) for a in words)
        scores.append(inside * (0.8 + 0.1 * len(words) / len(named)) if inside else 0.0)
    return max(scores)


def _inflected(one: str, other: str) -> float:
    """Whether two words differ in their endings only; 0 when they do not even begin alike."""
    if one == other:
        return 0.97
    common = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rests = (len(one) - common, len(other) - common)
    is_stem = common >= 4 or (common == 3 and min(rests) == 0 and max(rests) <= 2)
    if not is_stem or max(rests) > (2 if common == 3 else min(4, common - 3)):
        return 0.0
    return 0.95 - 0.04 * max(rests)


def _rank(scope: Scope) -> int:
    """Regions before districts before networks among equals."""
    return 0 if "/" in scope and "district:" not in scope else 1 if "/" in scope else 2


def _place(scope: Scope) -> str:
    """What two networks' scopes of one place have in common."""
    return scope.partition("/")[2] or scope


def _distance(region: Region, latitude: float, longitude: float) -> float:
    """Angle between a region's centre and a point (haversine), in radians."""
    a, b = math.radians(region.latitude), math.radians(latitude)
    h = math.sin((b - a) / 2) ** 2
    h += math.cos(a) * math.cos(b) * math.sin(math.radians(longitude - region.longitude) / 2) ** 2
    return 2 * math.asin(math.sqrt(min(1.0, h)))


# Words that say what kind of place it is, in any of our languages, already coarse; and small words.
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        "oblast oblasti obl oblastu oblastiu kraj krai kraia krae krajem region regiona regione respublika"
        " respubliki respublike resp rep republik republic republike republica republique republika"
        " autonomous okrug okruga okruge avtonomnii avtonomnaia avtonomni autonomo autonoma autonome"
        " autonomer federalnii federalni federal federalnogo district distrito krug foderationskreis fo ao"
        " v vo na iz po o ob u s in im of the en de del der die das le la les el du des d l aus fur from to"
        " مقاطعه جمهوريه اقليم كراي منطقه فدراليه",
    )
)
_CYRILLIC = str.maketrans(
    dict(zip("абвгдезиклмнопрстуфхыэ", "abvgdeziklmnoprstufhie", strict=True))
    | {"ж": "z", "ц": "c", "ч": "c", "ш": "s", "щ": "s", "ъ": "", "ь": "", "ю": "iu", "я": "ia"}
    | {"ј": "i", "љ": "li", "њ": "ni", "ђ": "di", "ћ": "c", "џ": "dz", "і": "i", "є": "e", "ґ": "g"}
)
# Spellings of the same sound; applied in this order, after diacritics are gone.
_SOUNDS: tuple[tuple[str, str], ...] = (
    *(("tsch", "c"), ("sch", "s"), ("shch", "s"), ("zh", "z"), ("kh", "h"), ("ch", "c"), ("sh", "s")),
    *(("ts", "c"), ("w", "v"), ("j", "i"), ("y", "i"), ("ß", "ss"), ("đ", "di"), ("ı", "i"), ("ł", "l")),
)
# Cases and genders of Slavic adjectives: "пензенской" and "пензенская" are one word.
_ADJECTIVE = re.compile(r"([sc]k)(?:aia|oi|ii|uiu|om|ogo|omu|oe|oie|im|ie|ih|a|e|u|og)\Z")
_ARABIC = str.maketrans({"ى": "ي", "ة": "ه", "ـ": "", "ٱ": "ا", "ی": "ي", "ک": "ك"})


@lru_cache(maxsize=16_384)  # all names of the catalogue: building again costs a tenth
def coarse(text: str) -> str:
    """The coarse Latin spelling of a name or query, without generic and small words."""
    folded = _fold(text).translate(_CYRILLIC).translate(_ARABIC)
    for spelling, sound in _SOUNDS:
        folded = folded.replace(spelling, sound)
    words = [_ADJECTIVE.sub(r"\1", re.sub(r"\Aال(?=.{3})", "", word)) for word in folded.split()]
    telling = [word for word in words if word not in _GENERIC]
    return " ".join(telling or words)


@lru_cache(maxsize=16_384)
def _fold(text: str) -> str:
    """Lower case without diacritics and punctuation, words one space apart."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if unicodedata.category(char) != "Mn")
    return " ".join(re.sub(r"[^\w]+|_", " ", plain).split())


def _parts(name: str) -> list[str]:
    """What else a name says: "Саха (Якутия)", "Ханты-Мансийский округ — Югра"."""
    return [part for part in re.split(r"[()/]|\s[—–-]\s", name) if part.strip() and part != name]


def _bigrams(text: str) -> Iterable[str]:
    return (text[start : start + 2] for start in range(max(1, len(text) - 1)))


def _is_cjk(text: str) -> bool:
    return any("\u3400" <= char <= "\u9fff" for char in text)

# ruff: noqa: SIM905 - long lists of endings and codes read better as one string
"""Every spelling the classifier knows, in one automaton: places, traps and the networks' own words.

Reads ``feeds/data/forms.tsv`` and ``traps.tsv`` once, when built. Matching is pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from feeds.classify.text import Reading, fold, space
from feeds.model import RegionCode
from feeds.regions import DATA, Catalogue, read_table

_FORMS = "forms.tsv"
_TRAPS = "traps.tsv"
#: Endings of adjectives after their stem: Russian, and the other Slavic languages in Cyrillic.
_ADJECTIVE_ENDINGS = frozenset(
    (
        "ий ый ая яя ое ее ие ые ого его ой ей ому ему ую юю им ым ом ем их ых ими ыми ою ею ия ият ите ата ото ата "
        "а о и у е і ої ою ій ому им а га му"
    ).split()
)
#: Endings of names in Slavic languages beside the base form; surnames ("-ић", "-ов") are left out.
_SLAVIC_ENDINGS = frozenset(
    (
        "а е и у о ом ем ой ою ој ама има я ю і ї ею єю ам ах ами ів ови еві ци ці це цы "
        "a e i u o om em oj ama ima y ę ą owi ie ou ě ům ách ech ami ů omu ov ovi ach iem iu ji ju jom jem jo ih"
    ).split()
)
_SLAVIC = frozenset("sr bs hr sl mk bg cs sk pl uk be".split())
#: Other languages whose names change their ending; in the rest a name is matched as it stands.
_INFLECTING = frozenset("lt lv fi et hu tr az kk ky uz tt tg tk mn hy ka el ro sq de sv da nb nl is".split())
_LOWER_CASE_KINDS = frozenset({"adj", "headadj", "townadj", "ethnic", "demonym", "raion", "hadj", "region"})
#: Before this letter every script separates words.
_FIRST_JOINING = "\u0590"
#: A name this long is no accident.
_LONG = 6
_WRITTEN_OUT = frozenset({"ru", "en"})
_LETTERS = re.compile(r"\w+")
_ARABIC_PREFIXES = frozenset("وبلكفاسي")


class Sense(NamedTuple):
    """One thing a spelling may mean."""

    kind: str
    #: Codes with the population behind them in thousands, largest first.
    codes: tuple[tuple[RegionCode, int], ...]
    tail: str
    #: Empty: any language.
    languages: frozenset[str]
    #: Believed only beside a word of place.
    guarded: bool


class Cue(NamedTuple):
    """A phrase that is no place: a trap of ours or a word of a network."""

    label: str
    rest: re.Pattern[str]


class Hit(NamedTuple):
    """A spelling found in a text."""

    start: int
    end: int
    senses: tuple[Sense, ...]


class Mark(NamedTuple):
    """A phrase found in a text; ``label`` says whose it is."""

    start: int
    end: int
    label: str


class Pattern(NamedTuple):
    """What a pattern of the automaton means and how it must stand in the text."""

    senses: tuple[Sense, ...]
    cues: tuple[Cue, ...]
    #: It may begin inside a run of letters (scripts without spaces, Arabic particles).
    joining: bool
    #: As a place it begins with a capital letter.
    capital: bool
    #: An abbreviation keeps its case; empty for other patterns.
    exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """The automaton and what its patterns mean."""

    automaton: AhoCorasick
    patterns: tuple[Pattern, ...]

    def find(self, reading: Reading, language: str) -> tuple[list[Hit], list[Mark]]:
        """Places and marks of a text, longest first where they overlap, in order of position."""
        text, original = reading.folded, reading.original
        hits: list[Hit] = []
        marks: list[Mark] = []
        # The text to match is one space longer at the front, and so is a pattern: a position in the
        # one is that of the word in the other.
        for index, start, after in self.automaton.find_matches_as_indexes(reading.spaced, overlapping=True):
            pattern = self.patterns[index]
            end = after - 1
            if pattern.joining:
                start -= 1  # noqa: PLW2901 - these patterns have no space in front
                if start and text[start - 1].isalnum() and not _joins(text, start):
                    continue
            for cue in pattern.cues:
                rest = cue.rest.match(text, end)
                if rest:
                    marks.append(Mark(start, rest.end(), cue.label))
            # Most matches are everyday words that look like a name but for the capital letter.
            if pattern.senses and not (pattern.capital and not _may_begin_name(original[start])):
                stop = _word_end(text, end)
                fitting = [s for s in pattern.senses if _fits(s, text, start, end, stop, language)]
                if fitting and (not pattern.exact or original[start:end] == pattern.exact):
                    hits.append(Hit(start, stop, tuple(fitting)))
        return _longest(hits), marks


def _fits(sense: Sense, text: str, start: int, end: int, stop: int, language: str) -> bool:
    if not _tail_fits(sense, text[end:stop], end - start, language):
        return False
    # A name of another language is believed when it is long, and never in the two languages whose
    # forms are all written out.
    if not sense.languages or language in sense.languages:
        return True
    return end - start >= _LONG and language not in _WRITTEN_OUT


def _may_begin_name(letter: str) -> bool:
    # Georgian has capitals in Unicode that nobody writes.
    return not letter.islower() or "\u10d0" <= letter <= "\u10ff"


def _tail_fits(sense: Sense, tail: str, length: int, language: str) -> bool:
    expected = sense.tail
    if expected == "-":
        return not tail
    if expected == "adj":
        return tail in _ADJECTIVE_ENDINGS
    if tail == ("" if expected == "+" else expected):
        return True
    if language in _SLAVIC:
        return tail in _SLAVIC_ENDINGS
    # Russian has its case forms written out in the table.
    return language in _INFLECTING and tail.isalpha() and len(tail) <= (2 if length <= 4 else 4)


def _joins(text: str, start: int) -> bool:
    """Whether a word may begin in the middle of letters: CJK always, Arabic after its particles."""
    first = text[start]
    if "\u2e80" <= first <= "\u9fff" or "\uf900" <= first <= "\ufaff":
        return True
    if not "\u0590" <= first <= "\u06ff":
        return False
    begin = start
    while begin and text[begin - 1].isalpha() and start - begin < 4:
        begin -= 1
    return start - begin < 4 and all(each in _ARABIC_PREFIXES for each in text[begin:start])


def _word_end(text: str, end: int) -> int:
    if "\u2e80" <= text[end - 1] <= "\ud7af":
        return end
    rest = _LETTERS.match(text, end)
    return rest.end() if rest else end


def _longest(hits: list[Hit]) -> list[Hit]:
    """Of overlapping hits the longest; same span: senses together."""
    spans: dict[tuple[int, int], Hit] = {}
    for hit in hits:
        key = (hit.start, hit.end)
        known = spans.get(key)
        spans[key] = hit if known is None else Hit(hit.start, hit.end, known.senses + hit.senses)
    chosen: list[Hit] = []
    for hit in sorted(spans.values(), key=lambda h: (h.start, -h.end)):
        if not chosen or hit.start >= chosen[-1].end:
            chosen.append(hit)
        elif hit.end - hit.start > chosen[-1].end - chosen[-1].start:
            chosen[-1] = hit
    return chosen


def build_gazetteer(catalogue: Catalogue, phrases: Mapping[str, Iterable[str]]) -> Gazetteer:
    """The automaton over the catalogue's forms, the shipped traps and ``phrases`` by label.

    A phrase may hold ``*`` for the rest of a word. Forms of codes the catalogue lacks are left out.
    """
    senses: dict[str, tuple[Sense, ...]] = {}
    for form, sense in _forms(DATA / _FORMS, catalogue):
        senses[form] = (*senses.get(form, ()), sense)
    cues: dict[str, tuple[Cue, ...]] = {}
    for label, words in (*_traps(DATA / _TRAPS), *phrases.items()):
        for phrase in words:
            prefix, cue = _cue(label, phrase)
            cues[prefix] = (*cues.get(prefix, ()), cue)
    forms = tuple(dict.fromkeys([*senses, *cues]))
    patterns = tuple(_pattern(form, senses.get(form, ()), cues.get(form, ())) for form in forms)
    return Gazetteer(
        automaton=AhoCorasick(
            [_spaced(fold(form)) for form in forms],
            implementation=Implementation.ContiguousNFA,
            store_patterns=False,
        ),
        patterns=patterns,
    )


def _pattern(form: str, senses: tuple[Sense, ...], cues: tuple[Cue, ...]) -> Pattern:
    return Pattern(
        senses=senses,
        cues=cues,
        joining=form[0] >= _FIRST_JOINING,
        capital=all(sense.kind not in _LOWER_CASE_KINDS for sense in senses),
        exact=form if any(sense.kind == "abbr" for sense in senses) else "",
    )


def _spaced(pattern: str) -> str:
    """A pattern as it stands in :attr:`Reading.spaced`."""
    spaced = space(pattern)
    return spaced[1:] if pattern[0] >= _FIRST_JOINING else spaced


def _forms(path: Path, catalogue: Catalogue) -> Iterator[tuple[str, Sense]]:
    known: dict[tuple[str, str, str, str, str], Sense | None] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line[0] == "#" or line.startswith("form\t"):
                continue
            form, *rest = line.rstrip("\n").split("\t")
            key = (rest[0], rest[1], rest[2], rest[3], rest[4])
            if key not in known:
                known[key] = _sense(*key, catalogue=catalogue)
            sense = known[key]
            if sense is not None:
                yield form, sense
    for region in catalogue.regions.values():
        for word in region.aliases:
            yield fold(word), Sense("name", ((region.code, 0),), "+", frozenset(), guarded=False)


def _sense(
    tail: str, kind: str, codes: str, languages: str, mark: str, *, catalogue: Catalogue
) -> Sense | None:
    found = []
    for each in codes.split(","):
        code, _, thousands = each.partition(":")
        if RegionCode(code) in catalogue.regions:
            found.append((RegionCode(code), int(thousands)))
    spoken = frozenset(languages.split(",")) if languages else frozenset[str]()
    return Sense(kind, tuple(found), tail, spoken, guarded=mark == "guard") if found else None


def _traps(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for _, row in read_table(path):
        yield row["kind"], (row["words"],)


def _cue(label: str, phrase: str) -> tuple[str, Cue]:
    folded = fold(phrase.strip())
    prefix, star, rest = folded.partition("*")
    pattern = "".join(_piece(each) for each in re.split(r"(\*|\s+)", star + rest))
    last = folded[-1]
    border = "" if last == "*" or "\u2e80" <= last <= "\ud7af" else r"(?!\w)"
    return prefix, Cue(label, re.compile(pattern + border))


def _piece(part: str) -> str:
    if part == "*":
        return r"\w*"
    return r"[\s«»\"“”„'-]+" if part.isspace() else re.escape(part)

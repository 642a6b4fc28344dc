# ruff: noqa: INP001 - a script: prints its result; long lists read better as one string
"""Russian word forms for the catalogue build: cases of names, adjectives of towns (pymorphy3)."""

from __future__ import annotations

from functools import cache

import pymorphy3

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
#: Neuter town names that Russian both declines and leaves alone ("в Пушкино", "в Пушкине").
_NEUTER = ("ово", "ево", "ёво", "ино", "ыно")
_NEUTER_ENDINGS = ("о", "а", "у", "ом", "е")
#: A form the dictionary lacks is taken for a surname or an adjective when it ends like one.
_NAME_LIKE = (
    "ов",
    "ев",
    "ёв",
    "ин",
    "ын",
    "ова",
    "ева",
    "ина",
    "ым",
    "ый",
    "ий",
    "ой",
    "ое",
    "ая",
    "ские",
    "ова",
    "ому",
    "ого",
)
_WORDS = frozenset({"NOUN", "ADJF", "ADJS", "VERB", "INFN", "ADVB", "PREP", "CONJ", "NPRO", "GRND", "PRTF"})


@cache
def _analyzer() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()


@cache
def cases(phrase: str) -> tuple[str, ...]:
    """``phrase`` in all six cases, lower case, the base form first.

    Words after a genitive or a preposition stay as they are: only the leading adjectives and the
    first noun are inflected ("Еврейская автономная область", "Ростов-на-Дону", "библиотека имени Югова").
    """
    words = phrase.split()
    count = _inflected_words(words)
    found = [phrase.lower()]
    for case in CASES:
        found.extend(
            " ".join([*start, *(w.lower() for w in words[count:])])
            for start in _variants(words[:count], case)
        )
    return tuple(dict.fromkeys(found))


def _inflected_words(words: list[str]) -> int:
    for place, word in enumerate(words):
        if _choose(word).tag.POS == "NOUN":
            # What follows the noun is an apposition or a genitive: "Саха (Якутия)", "Марий Эл".
            return place + 1
    return len(words)


def _choose(word: str) -> pymorphy3.analyzer.Parse:
    """The reading as a name in the nominative, if there is one."""
    low = word.lower()
    parses = _analyzer().parse(low)
    nominative = [p for p in parses if "nomn" in p.tag] or parses
    named = [p for p in nominative if "Geox" in p.tag] or [p for p in nominative if p.normal_form == low]
    return (named or nominative)[0]


def _variants(words: list[str], case: str) -> list[list[str]]:
    if len(words) == 1 and words[0].lower().endswith(_NEUTER) and len(words[0]) > 4:
        return [[words[0].lower()[:-1] + each] for each in _NEUTER_ENDINGS]
    if len(words) == 1 and not is_in_dictionary(words[0]):
        return [[each] for each in _regular(words[0].lower())]
    inflected = [_inflect(word, case) for word in words]
    variants = [inflected]
    if case == "accs" and len(words) > 1:
        variants.append([_inflect(word, "nomn") for word in words])
    return variants


def _regular(low: str) -> list[str]:
    """Case forms of a name no dictionary has: by its last letter; most foreign names never change."""
    if low[-1] in "оеёиуюыэ" or " " in low:
        return [low]
    if low.endswith(("а", "я")):
        soft = low[-1] == "я" or low[-2] in "гкхжчшщ"
        base, first = low[:-1], "и" if soft else "ы"
        return [
            low,
            base + first,
            base + "е",
            base + ("ю" if low[-1] == "я" else "у"),
            base + ("ей" if low[-1] == "я" else "ой"),
        ]
    if low.endswith("ь"):
        return [low, *(low[:-1] + each for each in ("я", "ю", "ем", "е", "и"))]
    if low.endswith("й"):
        return [low, *(low[:-1] + each for each in ("я", "ю", "ем", "е"))]
    return [low, *(low + each for each in ("а", "у", "ом", "е"))]


def is_in_dictionary(word: str) -> bool:
    """Whether the dictionary has the word itself, hyphenated parts and all."""
    return any(
        p.normal_form == word.lower().replace("ё", "е") or p.normal_form == word.lower()
        for p in _analyzer().parse(word.lower())
    ) and bool(_analyzer().word_is_known(word.lower()))


def is_known_place(name: str) -> bool:
    """Whether the dictionary has the name as that of a place."""
    low = name.lower()
    return bool(_analyzer().word_is_known(low)) and any(
        "Geox" in p.tag and "nomn" in p.tag for p in _analyzer().parse(low)
    )


def _inflect(word: str, case: str) -> str:
    head, separator, rest = word.partition("-на-")
    if separator:
        return _inflect(head, case) + separator + rest.lower()
    parse = _choose(word)
    if "Surn" in parse.tag and case == "ablt" and word.lower().endswith(("ов", "ев", "ёв", "ин", "ын")):
        return word.lower() + "ом"
    form = parse.inflect({case, "plur"} if "plur" in parse.tag else {case})
    if form is None:
        return word.lower()
    return str(form.word)


@cache
def is_guarded_word(form: str) -> bool:
    """Whether a form of a name is also a person's name or an everyday word ("Королёва", "Свободный")."""
    if " " in form or "-" in form:
        return False
    analyzer = _analyzer()
    if not analyzer.word_is_known(form.lower()):
        return form.lower().endswith(_NAME_LIKE)
    return any("Geox" not in p.tag and p.tag.POS in _WORDS for p in analyzer.parse(form.lower()))


@cache
def adjective_stem(name: str, *, well_known: bool) -> str:
    """Stem of the adjective of a town ("пензенск"), or nothing when the language has no sure one.

    A derived adjective of a town must be in the dictionary; for small places, whose adjectives are
    only read before "район", the regular derivation is enough.
    """
    low = name.lower()
    if " " in low or "-на-" in low:
        return ""
    derived = list(_derivations(low))
    if well_known:
        return next((d for d in derived if d == low or _analyzer().word_is_known(d + "ий")), "")
    return derived[0] if derived else ""


def _derivations(low: str) -> list[str]:
    if low.endswith(("ская", "ский", "ское", "цкая", "цкий", "цкое")):
        return [low[:-2]]
    if low.endswith(("ск", "цк")):
        return [low]
    if low.endswith(("ово", "ево", "ино", "ыно")):
        return [low[:-1] + "ск"]
    base = low.rstrip("аяоеиыьй")
    if len(base) < 3:
        return []
    found = [base + "ск", base + "енск", base + "инск"]
    if low.endswith(("ка", "ки")):
        found.insert(0, low[:-2] + "ецк")
        found.append(low[:-2] + "овск")
    if low.endswith("ль"):
        found.insert(0, low + "ск")
    return found

"""Russian word forms for the catalogue build: cases of names, adjectives of towns (pymorphy3)."""

from __future__ import annotations

from functools import cache

import pymorphy3

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
#: Neuter town names that Russian both declines and leaves alone ("в Пушкино", "в Пушкине").
_NEUTER = ("ово", "ево", "ёво", "ино", "ыно")
_NEUTER_ENDINGS = ("о", "а", "у", "ом", "е")


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
        for ending in _variants(words[:count], case):
            found.append(" ".join([*ending, *(w.lower() for w in words[count:])]))
    return tuple(dict.fromkeys(found))


def _inflected_words(words: list[str]) -> int:
    for place, word in enumerate(words):
        if _tag(word, "NOUN") and not _tag(word, "ADJF"):
            # "Саха (Якутия)", "Марий Эл", "Мари Эл": an apposition is left alone
            return place + 1
    return len(words)


def _tag(word: str, pos: str) -> bool:
    return _choose(word).tag.POS == pos


def _choose(word: str) -> pymorphy3.analyzer.Parse:
    """The reading as a name in the nominative, if there is one."""
    parses = _analyzer().parse(word.lower())
    nominative = [p for p in parses if "nomn" in p.tag] or parses
    geographic = [p for p in nominative if "Geox" in p.tag]
    return (geographic or nominative)[0]


def _variants(words: list[str], case: str) -> list[list[str]]:
    if len(words) == 1 and words[0].lower().endswith(_NEUTER) and len(words[0]) > 4:
        return [[words[0].lower()[:-1] + each] for each in _NEUTER_ENDINGS]
    inflected = [_inflect(word, case) for word in words]
    variants = [inflected]
    if case == "accs" and len(words) > 1:
        variants.append([_inflect(word, "nomn") for word in words])
    return variants


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
def is_guarded_word(name: str) -> bool:
    """Whether the name is also a person's name or an everyday word ("Королёв", "Свободный")."""
    if " " in name or "-" in name:
        return False
    analyzer = _analyzer()
    if not analyzer.word_is_known(name.lower()):
        return name.lower().endswith(("ов", "ев", "ёв", "ин", "ый", "ий", "ой", "ое", "ая"))
    return any(
        not {"Geox"} & set(p.tag.grammemes) and p.tag.POS in {"NOUN", "ADJF", "ADJS", "VERB", "INFN", "ADVB"}
        for p in analyzer.parse(name.lower())
    )


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
        return next((d for d in derived if _analyzer().word_is_known(d + "ий")), "")
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

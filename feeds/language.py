"""The language of a text: by script, by everyday words and letters, and by py3langid where these leave doubt.

Only configured languages are answered (and the prior, whatever it is): a short title in one of fifteen
languages is named right far more often than one in a hundred. Deterministic; no download. The model of
py3langid is a data file of the package, read only when a text is too short for its words to tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from feeds.model import UNDETERMINED, LanguageCode
from feeds.regions import DATA, read_table

_WORDS = "function_words.tsv"
#: Characters looked at; more would cost time and change nothing.
SAMPLE = 200
#: Fewer letters than this say nothing against a prior.
FEW_LETTERS = 12
#: Words that must speak for a language more than for the next before the model need not be asked.
CLEAR = 2
#: How much likelier than the prior another language must look to the model before it wins.
PRIOR_ODDS = 2.5

#: Scripts by what to look for (ISO 15924); Latin first, ASCII has no other.
_SCRIPTS = tuple(
    (name, re.compile(f"[{letters}]+"))
    for name, letters in (
        ("Latn", "a-zA-Z\u00c0-\u024f\u1e00-\u1eff"), ("Cyrl", "\u0400-\u052f"), ("Hani", "\u4e00-\u9fff"),
        ("Kana", "\u3040-\u30ff"), ("Arab", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff"), ("Hang", "\uac00-\ud7af"),
        ("Grek", "\u0370-\u03ff\u1f00-\u1fff"), ("Hebr", "\u0590-\u05ff"), ("Armn", "\u0530-\u058f"),
        ("Geor", "\u10a0-\u10ff"), ("Deva", "\u0900-\u097f"), ("Thai", "\u0e00-\u0e7f"), ("Beng", "\u0980-\u09ff"),
    )
)  # fmt: skip
_SCRIPTS_OF_LANGUAGE = {
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "mn", "kk", "ky", "tg", "tt", "ba"), ("Cyrl",)),
    **dict.fromkeys(("sr", "bs", "uz"), ("Cyrl", "Latn")),
    **dict.fromkeys(("ar", "fa", "ur", "ps"), ("Arab",)),
    "zh": ("Hani",), "ja": ("Kana", "Hani"), "ko": ("Hang",), "el": ("Grek",), "he": ("Hebr",), "hy": ("Armn",),
    "ka": ("Geor",), "hi": ("Deva",), "ne": ("Deva",), "bn": ("Beng",), "th": ("Thai",),
}  # fmt: skip
#: Scripts of one language for our purpose, whatever is configured.
_SCRIPT_TELLS = {
    "Kana": "ja", "Hang": "ko", "Grek": "el", "Hebr": "he", "Armn": "hy", "Geor": "ka", "Thai": "th", "Hani": "zh",
}  # fmt: skip
_KANA = re.compile("[\u3040-\u30ff]{2}")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """A language and how sure we are of it."""

    code: LanguageCode
    #: 0..1.
    confidence: float


@dataclass(frozen=True, slots=True)
class Detector:
    """Names languages among those configured."""

    languages: tuple[LanguageCode, ...]

    def detect(self, text: str, *, prior: LanguageCode | None = None) -> Detected:
        """The language of ``text``; ``prior`` is what its source says, kept unless the text speaks against it.

        :data:`~feeds.model.UNDETERMINED` when there are no letters and no prior, or no configured
        language is written in the script of the text.
        """
        sample = text[:SAMPLE]
        script, letters = main_script(sample)
        if not script:
            return Detected(code=prior or UNDETERMINED, confidence=0.3 if prior else 0.0)
        candidates = _candidates(self.languages, prior, script)
        if not candidates:
            return _by_script(script, prior)
        if len(candidates) == 1:
            return Detected(code=candidates[0], confidence=0.97)
        if prior in candidates and letters < FEW_LETTERS:
            return Detected(code=prior, confidence=0.6)
        return _by_words(sample, candidates, prior) or _by_model(sample, candidates, prior)


@lru_cache(maxsize=512)
def _candidates(
    languages: tuple[LanguageCode, ...], prior: LanguageCode | None, script: str
) -> tuple[LanguageCode, ...]:
    expected = dict.fromkeys((*languages, prior) if prior else languages)
    return tuple(each for each in expected if script in _SCRIPTS_OF_LANGUAGE.get(each, ("Latn",)))


def main_script(text: str) -> tuple[str, int]:
    """The script most letters are in (ISO 15924) and how many letters it has; kana make a text Japanese.

    An ideograph counts three times: it says what three letters say, and names of firms stay in Latin.
    """
    counts: dict[str, int] = {}
    for name, pattern in _SCRIPTS[:1] if text.isascii() else _SCRIPTS:
        found = sum(map(len, pattern.findall(text)))
        if found:
            counts[name] = found
            if found * 4 > len(text) * 3:
                break
    if not counts:
        return "", 0
    if "Kana" in counts or ("Hani" in counts and _KANA.search(text)):
        return "Kana", sum(counts.values())
    best = max(counts, key=lambda name: (counts[name] * (3 if name == "Hani" else 1), name))
    return best, counts[best]


def _by_script(script: str, prior: LanguageCode | None) -> Detected:
    told = _SCRIPT_TELLS.get(script)
    if told:
        return Detected(code=LanguageCode(told), confidence=0.9)
    return Detected(code=prior or UNDETERMINED, confidence=0.2 if prior else 0.0)


@lru_cache(maxsize=64)
def _tables(
    candidates: tuple[LanguageCode, ...],
) -> tuple[Mapping[str, tuple[int, ...]], Mapping[str, tuple[int, ...]]]:
    """Positions of the candidates that a word, or a letter, speaks for."""
    words: dict[str, tuple[int, ...]] = {}
    letters: dict[str, tuple[int, ...]] = {}
    for _, row in read_table(DATA / _WORDS):
        if row["language"] not in candidates:
            continue
        place = candidates.index(LanguageCode(row["language"]))
        for word in dict.fromkeys(row["words"].split()):
            words[word] = (*words.get(word, ()), place)
        for letter in row["letters"]:
            letters[letter] = (*letters.get(letter, ()), place)
    return words, letters


def _by_words(text: str, candidates: tuple[LanguageCode, ...], prior: LanguageCode | None) -> Detected | None:
    """The language most everyday words and telling letters speak for, or nothing when it is close."""
    words, letters = _tables(candidates)
    low = text.lower()
    votes = [0] * len(candidates)
    for word in _WORD.findall(low):
        for place in words.get(word, ()):
            votes[place] += 1
    for letter in letters.keys() & set(low):
        for place in letters[letter]:
            votes[place] += 1
    best = max(votes)
    second = sorted(votes)[-2]
    place = votes.index(best)
    if best - second >= CLEAR:
        return Detected(code=candidates[place], confidence=round(min(0.99, 0.8 + 0.03 * (best - second)), 3))
    if prior in candidates and votes[candidates.index(prior)] == best:
        return Detected(code=prior, confidence=0.7)
    return None


def _by_model(text: str, candidates: tuple[LanguageCode, ...], prior: LanguageCode | None) -> Detected:
    probabilities = _probabilities(text, candidates)
    best = max(candidates, key=lambda each: (probabilities.get(each, 0.0), each))
    if prior in candidates and probabilities.get(prior, 0.0) * PRIOR_ODDS >= probabilities.get(best, 0.0):
        best = prior
    return Detected(code=best, confidence=round(min(0.99, probabilities.get(best, 0.5)), 3))


def _probabilities(text: str, candidates: tuple[str, ...]) -> dict[str, float]:
    """Probability per candidate, among the candidates; empty when the model knows none of them."""
    scores = {each: score for each, score in _model().rank(text) if each in candidates}
    if not scores:
        return {}
    # py3langid's own temperature: the square root of the length keeps short texts modest.
    cool = math.sqrt(len(text.encode()) or 1)
    top = max(scores.values())
    weights = {each: math.exp((score - top) / cool) for each, score in scores.items()}
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items()}


@lru_cache(maxsize=1)
def _model() -> Any:
    # Imported here: the model takes half a second and 90 MB, and most texts never need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE)

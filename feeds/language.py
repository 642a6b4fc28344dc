"""The language of a text: by script where that settles it, else by py3langid over the languages expected.

Only configured languages are answered (and the prior, whatever it is): a short title in one of fifteen
languages is named right far more often than one in a hundred. Deterministic; no download; the model
is a data file of the package, read when first needed and cut down to the configured languages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from feeds.model import UNDETERMINED, LanguageCode

#: Characters looked at; more would cost time and change nothing.
SAMPLE = 260
#: Fewer letters than this say nothing against a prior.
FEW_LETTERS = 12
#: How much likelier than the prior another language must look before it wins.
PRIOR_ODDS = 2.5

#: First code point of blocks and the script that begins there; ``""`` for no letters of interest.
_BLOCKS = (
    (0x0041, "Latn"), (0x0370, "Grek"), (0x0400, "Cyrl"), (0x0530, "Armn"), (0x0590, "Hebr"), (0x0600, "Arab"),
    (0x0780, ""), (0x0900, "Deva"), (0x0980, "Beng"), (0x0A00, ""), (0x0E00, "Thai"), (0x0E80, ""), (0x10A0, "Geor"),
    (0x1100, "Hang"), (0x1200, ""), (0x1E00, "Latn"), (0x1F00, "Grek"), (0x2000, ""), (0x3040, "Kana"), (0x3100, ""),
    (0x4E00, "Hani"), (0xA000, ""), (0xAC00, "Hang"), (0xD800, ""), (0xFB50, "Arab"), (0xFE00, ""),
)  # fmt: skip
_SCRIPT_OF_LANGUAGE = {
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "mn", "kk", "ky", "tg", "tt", "ba"), ("Cyrl",)),
    **dict.fromkeys(("sr", "bs", "uz"), ("Cyrl", "Latn")),
    **dict.fromkeys(("ar", "fa", "ur", "ps"), ("Arab",)),
    "zh": ("Hani",), "ja": ("Kana", "Hani"), "ko": ("Hang",), "el": ("Grek",), "he": ("Hebr",), "hy": ("Armn",),
    "ka": ("Geor",), "hi": ("Deva",), "ne": ("Deva",), "bn": ("Beng",), "th": ("Thai",),
}  # fmt: skip
#: Written in a script of one language only, whatever is configured.
_SCRIPT_TELLS = {"Kana": "ja", "Hang": "ko", "Grek": "el", "Hebr": "he", "Armn": "hy", "Geor": "ka", "Thai": "th", "Hani": "zh"}


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
        expected = dict.fromkeys((*self.languages, *([prior] if prior else ())))
        candidates = tuple(each for each in expected if script in _scripts(each))
        if not candidates:
            return _by_script(script, prior)
        if len(candidates) == 1:
            return Detected(code=candidates[0], confidence=0.97)
        if prior in candidates and letters < FEW_LETTERS:
            return Detected(code=prior, confidence=0.6)
        return _choose(_probabilities(sample, candidates), candidates, prior)


def main_script(text: str) -> tuple[str, int]:
    """The script most letters are in (ISO 15924) and how many letters there are; kana make it Japanese."""
    counts = Counter(_script(ord(each)) for each in text if each.isalpha())
    counts.pop("", None)
    if not counts:
        return "", 0
    if counts["Kana"] and counts["Hani"] + counts["Kana"] >= max(counts.values()):
        return "Kana", counts.total()
    if counts["Hani"] * 3 >= max(counts.values()):
        # One ideograph says what three letters say; names of firms stay in Latin.
        return "Hani", counts.total()
    return max(counts, key=lambda script: (counts[script], script)), counts.total()


@lru_cache(maxsize=4096)
def _script(point: int) -> str:
    found = ""
    for first, script in _BLOCKS:
        if first > point:
            break
        found = script
    return found


def _scripts(language: str) -> tuple[str, ...]:
    return _SCRIPT_OF_LANGUAGE.get(language, ("Latn",))


def _by_script(script: str, prior: LanguageCode | None) -> Detected:
    told = _SCRIPT_TELLS.get(script)
    if told:
        return Detected(code=LanguageCode(told), confidence=0.9)
    return Detected(code=prior or UNDETERMINED, confidence=0.2 if prior else 0.0)


def _choose(
    probabilities: Mapping[str, float], candidates: tuple[LanguageCode, ...], prior: LanguageCode | None
) -> Detected:
    best = max(candidates, key=lambda each: (probabilities.get(each, 0.0), each))
    if prior in candidates and probabilities.get(prior, 0.0) * PRIOR_ODDS >= probabilities.get(best, 0.0):
        best = prior
    return Detected(code=best, confidence=round(min(0.99, probabilities.get(best, 0.5)), 3))


def _probabilities(text: str, candidates: tuple[str, ...]) -> dict[str, float]:
    """Probability per candidate, among the candidates; empty when the model knows none of them."""
    model = _model()
    scores = {each: score for each, score in model.rank(text) if each in candidates}
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
    # Imported here: the model takes half a second and 70 MB, and a process that only serves pages needs neither.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE)

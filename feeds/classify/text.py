"""One text as the classifier reads it: folded letter by letter, cut into title, lead, body. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Beyond this many characters a text only repeats itself; keeps the cost of a long page bounded.
MAX_TEXT = 6000
#: The first sentence, at most this long, is the lead.
MAX_LEAD = 280
#: After this many characters of text a place counts half.
BODY_END = 1600

_SENTENCE_END = re.compile(r"(?<![\s.(]\w)[.!?؟;:][\s»\"”]|[.!?؟]$|[。！？；]|\n")
#: "КАЗАНЬ, 1 ноя –", "St. Petersburg, November 15 /TASS/", "Dateline Kazan, 4 May:".
_DATELINE = re.compile(
    r"\s*(?:dateline\b|датирован\w*)[^.;]{0,40}"
    r"|\s*[A-ZА-ЯЁ][\w .\-]{2,30}(?:\([^)]{2,30}\))?,\s*(?:\d{1,2}\s+\w+|\w+\s+\d{1,2})\.?,?\s*(?:[/(–—:-]|/?\w+/)",
    re.IGNORECASE,
)
#: Blocks of a page that speak of other things; what follows is not the text.
_NOISE = re.compile(
    r"\n\s*(?:читайте также|смотрите также|похожие новости|другие новости|материалы по теме|публикации|"
    r"publications|see also|related (?:news|articles|posts)|read also|read more|lesen sie auch|à lire aussi|"
    r"lea también)\b",
    re.IGNORECASE,
)


#: What may stand directly before a word.
_MARKS = "\n-(\"«.,'/„“[:;‘\u00a0\t|*>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A title and its text as one string, with the borders of its parts."""

    original: str
    #: ``folded`` with every mark a word may stand behind as a space, and a space in front: where to match.
    spaced: str
    #: ``original`` in lower case with ``ё``, dashes and apostrophes folded; same length.
    folded: str
    title_end: int
    lead_end: int
    body_end: int
    #: Where the dateline ends; ``title_end`` when there is none.
    dateline_end: int

    def place(self, position: int) -> str:
        """``title``, ``dateline``, ``lead``, ``body`` or ``tail``."""
        if position < self.title_end:
            return "title"
        if position < self.dateline_end:
            return "dateline"
        if position < self.lead_end:
            return "lead"
        return "body" if position < self.body_end else "tail"


def read(title: str, text: str) -> Reading:
    """``title`` and ``text`` cut into parts; blocks about other news are left out."""
    noise = _NOISE.search(text[:MAX_TEXT])
    body = text[: noise.start()] if noise else text[:MAX_TEXT]
    original = f"{title}\n{body}"
    start = len(title) + 1
    dateline = _DATELINE.match(body[:120])
    ending = _SENTENCE_END.search(body, 40 if len(body) > 40 else 0)
    lead = min(ending.end() if ending else len(body), MAX_LEAD)
    folded = fold(original)
    return Reading(
        original=original,
        spaced=space(folded),
        folded=folded,
        title_end=start,
        lead_end=start + lead,
        body_end=start + BODY_END,
        dateline_end=start + (dateline.end() if dateline else 0),
    )


def fold(text: str) -> str:
    """Lower case with ``ё`` as ``е``, curly apostrophes and long dashes plain; length never changes."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    return low.replace("ё", "е").replace("’", "'").replace("–", "-").replace("—", "-")


def space(folded: str) -> str:
    """A folded text in which every word has a space before it: one character longer at the front."""
    for mark in _MARKS:
        if mark in folded:
            folded = folded.replace(mark, " ")
    return " " + folded

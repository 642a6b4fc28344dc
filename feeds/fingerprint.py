"""What an entry materially says, as a short hash: the same words, the same fingerprint.

Versioned: ``1:<128 bits of title, page and text>:<d if dated>``. Contains no I/O.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from feeds.clean import clean_html_to_text
from feeds.model import Entry
from feeds.urls import canonical_url

#: Raised when the hash means something else; old fingerprints then say "unchanged", not "all changed".
VERSION = "1"
#: Words beyond this many characters of text do not make an edit.
_TEXT = 20_000
_WORDS = re.compile(r"\w+")
# Counters and clocks that tick on every fetch: "Просмотров: 17", "17 views", "2 hours ago".
_NOISE = re.compile(
    r"(?:просмотр\w*|комментари\w*|views?|comments?|likes?|hits)\s*[:(]?\s*\d+\)?"
    r"|\d+\s*(?:просмотр\w*|комментари\w*|views?\b|comments?\b|likes?\b)"
    r"|\d+\s*(?:секунд\w*|минут\w*|час\w*|дн\w*|день|недел\w*)\s+назад"
    r"|\d+\s*(?:seconds?|minutes?|hours?|days?|weeks?)\s+ago",
)
_SIGNS = ("просмотр", "комментари", "назад", "view", "comment", "like", "hits", "ago")


def digest(*parts: str) -> str:
    """128 bits of ``parts``, in hexadecimal; no two lists of parts share their encoding."""
    encoded = "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", errors="replace")
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def fold_words(text: str) -> str:
    """Words alone, in one case and one form: punctuation, spaces, quotes and ``ё`` tell nothing apart."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return " ".join(_WORDS.findall(folded))


def fingerprint(entry: Entry) -> str:
    """Fingerprint of title, page and text. The date is in it only as given or not: sources bump dates."""
    text = clean_html_to_text(entry.content_html) if entry.content_html else entry.summary
    page = canonical_url(entry.url) if entry.url else ""
    words = fold_words(_without_noise(text[:_TEXT]))
    return f"{VERSION}:{digest(fold_words(entry.title), page, words)}:{'d' if entry.published else '-'}"


def _without_noise(text: str) -> str:
    lowered = text.lower()
    return _NOISE.sub(" ", lowered) if any(sign in lowered for sign in _SIGNS) else text


def has_changed(stored: str, current: str) -> bool:
    """Whether ``current`` says something ``stored`` did not; a date that went away is no change."""
    version, _, before = stored.partition(":")
    if version != VERSION or stored == current:
        return False
    old_words, _, old_date = before.partition(":")
    _, words, date = current.split(":")
    return words != old_words or (old_date == "-" and date == "d")

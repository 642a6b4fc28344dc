"""Characters that may not pass: illegal in XML, invisible, or turning text around. Contains no I/O."""

from __future__ import annotations

import re
import unicodedata

# XML 1.0 §2.2 and Unicode's noncharacters (which XML only discourages, but nothing good needs).
_PLANES = "".join(f"{chr(end - 1)}{chr(end)}" for end in range(0x1FFFF, 0x110000, 0x10000))
_ILLEGAL = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{_PLANES}]")

# Windows-1252 characters that came as C1 controls ("&#146;"), as browsers read them (HTML §13.2.5.80).
_C1_MEANING = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0)}
_C1 = re.compile("[\x80-\x9f]")

# Embeddings, overrides and isolates reorder what stands around them (Trojan Source); zero-width and
# tag characters hide words. Marks (LRM, RLM, ALM) only order their neighbours and stay.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]",
)
# Joiners are spelling in Persian and Indic scripts and in emoji; anywhere else they only hide.
_JOINED = "\u0600-\u1fff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_LOOSE_JOINER = re.compile(f"(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])")


# One look for all of the above: most texts have none of it.
_SUSPECT = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{_PLANES}"
    "\u00ad\u180e\u200b-\u200d\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def strip_illegal(text: str) -> str:
    """``text`` without characters XML 1.0 refuses."""
    return _ILLEGAL.sub("", text)


def strip_hidden(text: str) -> str:
    """``text`` without illegal, invisible and reordering characters; stray C1 controls get their meaning."""
    if _SUSPECT.search(text) is None:
        return text
    text = _C1.sub(lambda match: _C1_MEANING[ord(match.group())], text)
    text = _INVISIBLE.sub("", _ILLEGAL.sub("", text))
    return _LOOSE_JOINER.sub("", text)


def fold_line(text: str) -> str:
    """One line: composed characters (NFC), every run of white space one space, ends trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())

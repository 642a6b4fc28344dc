"""Encoding labels as servers and pages write them, and the encodings a language is written in.

After the WHATWG Encoding Standard §4.2, with the misspellings seen in feeds (``cp-1251``). A label
means the encoding browsers use for it: ``iso-8859-1`` is windows-1252. Contains no I/O.
"""

from __future__ import annotations

import codecs
import re

from feeds.model import LanguageCode

# Python names. An allow-list: codecs also knows "base64", "idna", "unicode_escape" ...
_CYRILLIC = ("cp1251", "koi8-r", "iso8859-5", "mac-cyrillic", "cp866", "cp855")
_WESTERN = ("cp1252", "iso8859-15")
_CENTRAL = ("cp1250", "iso8859-2")
_KNOWN = frozenset(
    {*_CYRILLIC, *_WESTERN, *_CENTRAL, "koi8-u", "koi8-t", "kz1048", "ptcp154", "cp850", "cp852", "cp437"}
    | {f"iso8859-{part}" for part in (3, 4, 6, 7, 8, 10, 13, 14, 16)}
    | {f"cp{page}" for page in (874, 932, 949, 1253, 1254, 1255, 1256, 1257, 1258)}
    | {
        "utf-8",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "gb18030",
        "big5hkscs",
    }
    | {
        "euc_jp",
        "iso2022_jp",
        "johab",
        "mac-roman",
        "mac-greek",
        "mac-turkish",
        "mac-latin2",
        "mac-iceland",
        "hz",
    }
)
_AS_BROWSERS_READ = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949",
    "shift_jis": "cp932", "big5": "big5hkscs", "iso8859-9": "cp1254", "iso8859-11": "cp874",
    "tis-620": "cp874", "shift_jis_2004": "cp932",
}  # fmt: skip
# What codecs.lookup does not know after lower-casing and unifying the separators.
_MISSPELT = {
    "1251": "cp1251", "win1251": "cp1251", "win-1251": "cp1251", "cp-1251": "cp1251", "x-cp1251": "cp1251",
    "windows1251": "cp1251", "windows-cp1251": "cp1251", "ansi-1251": "cp1251", "window-1251": "cp1251",
    "koi8": "koi8-r", "koi": "koi8-r", "koi8r": "koi8-r", "koi-8": "koi8-r", "koi-8-r": "koi8-r",
    "cskoi8r": "koi8-r", "koi8-ru": "koi8-u", "koi8u": "koi8-u",
    "x-mac-cyrillic": "mac-cyrillic", "x-mac-ukrainian": "mac-cyrillic", "maccyrillic": "mac-cyrillic",
    "dos-866": "cp866", "866": "cp866", "csibm866": "cp866", "cp-866": "cp866",
    "win-1252": "cp1252", "win1252": "cp1252", "cp-1252": "cp1252", "x-cp1252": "cp1252",
    "windows1252": "cp1252", "ansi": "cp1252", "win-1250": "cp1250", "cp-1250": "cp1250",
    "windows1250": "cp1250", "win-1254": "cp1254", "cp-1254": "cp1254", "windows1254": "cp1254",
    "win-1256": "cp1256", "cp-1256": "cp1256",
    "utf": "utf-8", "unicode": "utf-8", "utf8mb4": "utf-8", "utf-8-sig": "utf-8",
    "unicode-1-1-utf-8": "utf-8", "x-unicode20utf8": "utf-8",
    "x-gbk": "gb18030", "gb-2312": "gb18030", "x-sjis": "cp932", "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949", "ks-c-5601-1987": "cp949", "windows-949": "cp949", "x-euc-jp": "euc_jp",
    "logical": "iso8859-8", "visual": "iso8859-8", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",
    "x-mac-roman": "mac-roman", "macintosh": "mac-roman", "windows-874": "cp874", "dos-874": "cp874",
    "windows-1251-1": "cp1251",
}  # fmt: skip

_CYRILLIC_LANGUAGES = frozenset(
    {
        "ru",
        "uk",
        "be",
        "bg",
        "mk",
        "sr",
        "kk",
        "ky",
        "mn",
        "tg",
        "tt",
        "ba",
        "cv",
        "os",
        "ce",
        "av",
        "kv",
        "sah",
    }
)
_OF_LANGUAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("en de fr es it pt nl sv da no nb nn fi is ga ca gl eu af id ms sw", _WESTERN),
    ("pl cs sk hu ro sl hr bs sq", (*_CENTRAL, "cp852")),
    ("lt lv et", ("cp1257", "iso8859-13", "iso8859-4")),
    ("el", ("cp1253", "iso8859-7")),
    ("tr az uz tk", ("cp1254", "iso8859-3")),
    ("he yi", ("cp1255", "iso8859-8")),
    ("ar fa ur ps ug", ("cp1256", "iso8859-6")),
    ("vi", ("cp1258",)),
    ("th", ("cp874",)),
    ("zh", ("gb18030", "big5hkscs")),
    ("ja", ("cp932", "euc_jp")),
    ("ko", ("cp949", "johab")),
)
_BY_LANGUAGE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_CYRILLIC_LANGUAGES, _CYRILLIC),
    **{code: names for codes, names in _OF_LANGUAGES for code in codes.split()},
    "uk": (*_CYRILLIC, "koi8-u"),
    "kk": (*_CYRILLIC, "kz1048", "ptcp154"),
    "sr": (*_CYRILLIC, *_CENTRAL),
    "tg": (*_CYRILLIC, "koi8-t"),
}
#: Where the language is unknown: what pages about Russia are most often written in, world-wide.
_ANY_LANGUAGE = (
    *_CYRILLIC[:5],
    "cp1252",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "gb18030",
    "cp932",
    "cp949",
)


def encoding_of_label(label: str) -> str | None:
    """Python's name of the encoding a browser would use for ``label``; ``None`` when unknown."""
    name = re.sub(r"[^a-z0-9_:.()+-]", "", label.lower()).strip("-_.:;")
    name = _MISSPELT.get(name) or _MISSPELT.get(name.replace("_", "-"), name)
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    found = _AS_BROWSERS_READ.get(found, found)
    return found if found in _KNOWN else None


def encodings_of(language: LanguageCode | None) -> tuple[str, ...]:
    """Legacy encodings texts in ``language`` come in, the likeliest first."""
    return _BY_LANGUAGE.get(language or "", _ANY_LANGUAGE)


def is_cyrillic_language(language: LanguageCode | None) -> bool:
    """Whether ``language`` is written in Cyrillic letters."""
    return language in _CYRILLIC_LANGUAGES

"""Text decoded once too often: found and read back.

=====================  ==========================  ==================
what happened          looks like                  rule
=====================  ==========================  ==================
UTF-8 read as 1251     ``РќРѕРІРѕСЃС‚Рё``          ``utf8-as-1251``
UTF-8 read as 1252     ``ÐÐ¾Ð²Ð¾ÑÑ‚Ð¸``          ``utf8-as-1252``
1251 read as 1252      ``Íîâîñòè``                 ``1251-as-1252``
KOI8-R read as 1252    ``îÏ×ÏÓÔÉ``                 ``koi8-as-1252``
=====================  ==========================  ==================

Only passages that cannot be honest text change, so a page with one spoilt title keeps the rest.
Contains no I/O.
"""

from __future__ import annotations

import re


def _reverse(encoding: str) -> dict[str, int]:
    """Character -> byte of a legacy encoding; bytes it leaves out come through as C1 controls."""
    table = {chr(byte): byte for byte in range(0x80, 0x100)} if encoding == "cp1252" else {}
    for byte in range(0x80, 0x100):
        character = bytes([byte]).decode(encoding, errors="ignore")
        table[character or chr(byte)] = byte
    return table


_BYTE_1251 = {**_reverse("cp1251"), "\ufffd": 0x98}  # the one byte 1251 has no character for
_BYTE_1252 = _reverse("cp1252")


def _class(table: dict[str, int], first: int, last: int) -> str:
    return re.escape("".join(sorted(char for char, byte in table.items() if first <= byte <= last)))


def _units(table: dict[str, int]) -> str:
    """One UTF-8 sequence of two or three bytes, as written with ``table`` (RFC 3629 §4)."""
    tail = f"[{_class(table, 0x80, 0xBF)}]"
    return f"[{_class(table, 0xC2, 0xDF)}]{tail}|[{_class(table, 0xE0, 0xEF)}]{tail}{tail}"


def _cyrillic_run(table: dict[str, int]) -> re.Pattern[str]:
    """Three or more Cyrillic letters in a row, each written as two characters, and their punctuation."""
    lead = f"[{_class(table, 0xD0, 0xD1)}]"
    unit = f"{lead}[{_class(table, 0x80, 0xBF)}]"
    other = _units(table)
    # Short words before it ("В Пензе") belong to it; bounded, so that no input makes it slow.
    before = rf"(?:(?:{other}){{1,2}}[ -;=?-@]*){{0,4}}"
    return re.compile(rf"{before}(?:{unit}){{3,}}(?:[ -;=?-@]*(?:{other}))*")


_RUN_1251 = _cyrillic_run(_BYTE_1251)
_RUN_1252 = _cyrillic_run(_BYTE_1252)
_UNITS_1252 = re.compile(f"(?:{_units(_BYTE_1252)})+")
# Letters that make up most Russian words, as they come out: a cheap look before any expression runs.
_SIGNS_1251 = ("Рѕ", "Р°", "Рё", "РЅ")
_SIGNS_1252 = ("Ð", "Ã", "Â", "â€")
_SIGNS_LEGACY = ("ñò", "íà", "ïð", "îâ", "ÎÁ", "ÓÔ", "ÐÒ", "Ï×")

_HIGH_WORD = re.compile(r"(?<![A-Za-zÀ-ÿ])[À-ÿ¸¨]{4,}(?![A-Za-zÀ-ÿ])")
_HIGH_LETTER = re.compile(r"[À-ÿ]")
_MIN_WORDS = 3
_MIN_UNITS = 3
_SHARE = 0.6
_COMMON = re.compile(r"[оеаинтсрвлОЕАИНТСРВЛ]")
_CYRILLIC = re.compile(r"[А-яЁё]")
_CASE_BREAK = re.compile(r"[а-яё][А-ЯЁ]")


def repair_mojibake(text: str) -> tuple[str, str]:
    """``text`` with twice-decoded passages read back, and the rule used; empty when nothing was wrong."""
    if text.isascii():
        return text, ""
    if any(sign in text for sign in _SIGNS_1251):
        repaired = _RUN_1251.sub(lambda match: _reread(match.group(), _BYTE_1251), text)
        if repaired != text:
            return repaired, "utf8-as-1251"
    if any(sign in text for sign in _SIGNS_1252):
        repaired = _reread_1252(text)
        if repaired != text:
            return repaired, "utf8-as-1252"
    if any(sign in text for sign in _SIGNS_LEGACY):
        return _reread_legacy(text)
    return text, ""


def is_plausible_cyrillic(text: str) -> bool:
    """Whether the Cyrillic letters of ``text`` look like words and not like a wrong code page.

    True for text with hardly any Cyrillic: nothing to judge by.
    """
    letters = len(_CYRILLIC.findall(text))
    if letters < 20:
        return True
    common = len(_COMMON.findall(text)) / letters
    breaks = len(_CASE_BREAK.findall(text)) / letters
    return common > 0.42 and breaks < 0.06


def _reread(passage: str, table: dict[str, int]) -> str:
    """``passage`` as the UTF-8 it was, or unchanged when it was not."""
    try:
        return bytes(table.get(char) or ord(char) for char in passage).decode("utf-8")
    except ValueError:
        return passage


def _reread_1252(text: str) -> str:
    repaired = _RUN_1252.sub(lambda match: _reread(match.group(), _BYTE_1252), text)
    passages: list[str] = _UNITS_1252.findall(repaired)
    spoilt = sum(map(len, passages))
    high = sum(1 for char in repaired if char > "\x7f")
    # "MENÜ“" and "DÉJÀ »" are honest; only a text spoilt throughout is read back passage by passage.
    if spoilt < 2 * _MIN_UNITS or spoilt < _SHARE * high:
        return repaired
    return _UNITS_1252.sub(lambda match: _reread(match.group(), _BYTE_1252), repaired)


def _reread_legacy(text: str) -> tuple[str, str]:
    """Words of four and more accented letters only exist in no language: a Cyrillic code page."""
    words = _HIGH_WORD.findall(text)
    if len(words) < _MIN_WORDS or sum(map(len, words)) < _SHARE * len(_HIGH_LETTER.findall(text)):
        return text, ""
    for encoding, rule in (("cp1251", "1251-as-1252"), ("koi8-r", "koi8-as-1252")):
        repaired = text.translate(
            {ord(char): bytes([byte]).decode(encoding, errors="replace") for char, byte in _BYTE_1252.items()}
        )
        if _CYRILLIC.search(repaired) and is_plausible_cyrillic(repaired):
            return repaired, rule
    return text, ""

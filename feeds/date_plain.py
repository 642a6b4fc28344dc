"""Text made plain for the patterns of dates: ASCII digits, single spaces, no invisible marks. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SPACES = re.compile(r"\s+")
_CHINESE_DATE = re.compile(
    r"[〇零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日?"
)
_CHINESE_DIGITS = {letter: value for value, letter in enumerate("〇一二三四五六七八九")} | {"零": 0}


def _plain_digits() -> Mapping[int, str | None]:
    table: dict[int, str | None] = {}
    for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10):  # Arabic, Persian, Hindi, Bengali, full width
        table |= {zero + digit: str(digit) for digit in range(10)}
    # Invisible direction marks stand inside Arabic and Hebrew dates; joiners inside others.
    table |= dict.fromkeys([0x200E, 0x200F, 0x061C, 0x200B, 0x200C, 0x200D, 0xFEFF, 0xAD])
    table |= dict.fromkeys(range(0x202A, 0x202F)) | dict.fromkeys(range(0x2066, 0x206A))
    return table | {0xFF0F: "/", 0xFF0E: ".", 0x2215: "/", 0x2010: "-", 0x2011: "-", 0x060C: ",", 0xFF0C: ","}


_PLAIN = _plain_digits()


def normalise(text: str) -> str:
    """``text`` with ASCII digits, single spaces and no invisible marks; positions refer to this form."""
    plain = _SPACES.sub(" ", text.translate(_PLAIN)).strip()
    return _CHINESE_DATE.sub(lambda found: _arabic_digits(found[0]), plain) if "年" in plain else plain


def _arabic_digits(date: str) -> str:
    year, rest = date.split("年")
    month, _, day = rest.strip("日").partition("月")
    digits = "".join(str(_CHINESE_DIGITS[letter]) for letter in year)
    return f"{digits}年{_chinese_number(month)}月{_chinese_number(day)}日"


def _chinese_number(written: str) -> int:
    tens, mark, ones = written.rpartition("十")
    if not mark:
        return _CHINESE_DIGITS.get(written, 0)
    return (_CHINESE_DIGITS[tens] if tens else 1) * 10 + (_CHINESE_DIGITS[ones] if ones else 0)

"""Finding days in text: ``25 мая 2018``, ``May 25–27, 2018``, ``2018 оны 5-р сарын 25``, ``25.05.18``.

Works on folded text (:func:`feeds.date_words.fold`). A range gives its first day. Contains no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feeds.date_words import NumericOrder

#: Month word -> (number, language it was known in), or ``None``.
MonthLookup = Callable[[str], tuple[int, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A calendar day as written; ``year`` is ``None`` where the text has none."""

    year: int | None
    month: int
    day: int
    start: int
    end: int
    rule: str
    #: False when day and month could change places (``05/06/2018``).
    certain: bool = True


_WORD = r"(?:арван\s)?[^\W\d_]+׳?(?:['’][^\W\d_]+)?(?:\s(?:الثاني|الأول|сар\w*))?"
_DASH = r"[-–—‒−~～]"
_TO = rf"\s*(?:{_DASH}|\b(?:до|по|to|till|until|bis|au|al|a|do|și|y|e|i|и|і|und|and|et|até|до)\b|bis zum)\s*"
_ORD = r"(?:\.|[ºª°]|-?(?:st|nd|rd|th|er|re|го|ого|е|ое|й|те|ти|ва|а|de|d)\b)?"
_LINK = r"[\s.,/\-–]*(?:(?:of|de|del|do|di|den|of the)\s+|d['’]\s?)?"
_YEAR_LINK = r"[\s.,/\-–]*(?:(?:of|de|del|do|di)\s+)?"
_YEAR = r"(?:(?:1[5-9]|2[01])\d\d(?!\d)|['’]\d\d(?!\d)|\d\d(?=\s*$|,?\s+\d{1,2}:\d\d))"

_DMY = re.compile(
    rf"(?<![\d.,:/])(?:(?P<d0>\d{{1,2}}){_ORD}{_TO})?(?P<d>\d{{1,2}}){_ORD}(?!\d)"
    rf"{_LINK}(?P<w>{_WORD})\.?(?:{_YEAR_LINK}(?P<y>{_YEAR}))?"
)
_RANGE_TAIL = re.compile(
    rf"{_TO}(?P<d>\d{{1,2}}){_ORD}{_LINK}(?P<w>{_WORD})\.?(?:{_YEAR_LINK}(?P<y>{_YEAR}))"
)
_MDY = re.compile(
    rf"(?<!\w)(?P<w>{_WORD})\.?\s+(?:the\s)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]|\.\d)"
    rf"(?P<to>\s*{_DASH}\s*(?:{_WORD}\.?\s)?\d{{1,2}}(?:st|nd|rd|th)?(?![\d:]))?"
    r"(?:\s\d{1,2}:\d\d(?::\d\d)?(?:\s[a-z]{1,5})?(?=\s\d{4}))?"
    r"(?:[\s,.]*(?:(?:of|de|del)\s)?(?P<y>(?:1[5-9]|2[01])\d\d(?![\d:])|['’]\d\d(?!\d)))?"
)
_YEAR_FIRST = r"(?<![\d.,:/-])(?P<y>(?:1[5-9]|2[01])\d\d)[\s.,/\-–]*(?:(?!\d)[^\W\d_]+[\s.,\-–]+)?"
_YDM = re.compile(rf"{_YEAR_FIRST}(?P<d>\d{{1,2}})(?!\d)[\s.\-–]*(?P<w>{_WORD})")
_YMD = re.compile(rf"{_YEAR_FIRST}(?P<w>{_WORD})[\s.,/\-–]*(?P<d>\d{{1,2}})(?![\d:])")

_CJK = re.compile(
    r"(?:(?P<era>令和|平成|昭和|民國|民国)\s?(?P<ey>\d{1,3}|元)\s?年|(?P<y>\d{4})\s*[年년][도]?)?"
    r"\s*(?<!\d)(?P<m>\d{1,2})\s*[月월]\s*(?P<d>\d{1,2})\s*(?:[日号號일])?"
)
_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}
_MONGOLIAN = re.compile(
    r"(?:(?P<y>\d{4})\s*о?н?\w*\.?,?\s+)?(?P<m>\d{1,2})[\s-]*(?:р|дугаар|дүгээр)?\s*сар\w*\.?\s*(?P<d>\d{1,2})"
)
_VIETNAMESE = re.compile(r"(?P<d>\d{1,2})\s*tháng\s*(?P<m>\d{1,2})(?:[\s,]*(?:năm\s)?(?P<y>\d{4}))?")

_ISO = re.compile(
    r"(?<![\d.,:/-])(?P<y>(?:1[5-9]|2[01])\d\d)(?P<s>[-./])\s?(?P<m>\d{1,2})(?P=s)\s?(?P<d>\d{1,2})(?!\d)"
)
_NUMERIC = re.compile(
    rf"(?<![\d.,:/-])(?:(?P<a0>\d{{1,2}})(?:[./](?P<b0>\d{{1,2}}))?\.?\s*{_DASH}\s*)?"
    r"(?P<a>\d{1,2})\s?(?P<s>[./-])\s?(?P<b>\d{1,2})\s?(?P=s)\s?(?P<y>\d{4}|\d{2})(?!\d)(?![./-]\d)"
)
#: Two-digit years first: 18/5/25 in Chinese, 18. 5. 25. in Korean.
_SHORT_YEAR_FIRST = re.compile(
    r"(?<![\d.,:/-])(?P<y>\d\d)(?:(?P<s>[/-])|\.\s)(?P<m>\d{1,2})(?(s)(?P=s)|\.\s)(?P<d>\d{1,2})(?(s)|\.)(?![\d/-])"
)
_SHORT_NUMERIC = re.compile(r"\W*(?P<a>\d{1,2})(?P<s>[./])(?P<b>\d{1,2})\.?(?![./]?\d)")
_COMPACT = re.compile(r"\s*(?P<y>20\d\d|19\d\d)(?P<m>[01]\d)(?P<d>[0-3]\d)(?=t|\s|$|\d{6}\b)")
_MONTH_YEAR = re.compile(rf"\W*(?P<w>{_WORD})\.?[\s.,/]*(?:de\s)?(?P<y>(?:19|20)\d\d)\b")


def days_in(text: str, *, lookup: MonthLookup, order: NumericOrder) -> Iterator[Day]:
    """Every day written in ``text``, in order, never overlapping."""
    found = [*_iso(text), *_numeric(text, order), *_east_asian(text), *_named(text, lookup)]
    found.sort(key=lambda day: (day.start, day.year is None, -day.end))
    end = -1
    for day in found:
        if day.start >= end:
            end = day.end
            yield day


def short_day(text: str, *, lookup: MonthLookup, order: NumericOrder) -> Day | None:
    """A day too terse to trust inside longer text: ``05.12``, ``20180525``, ``May 2018``."""
    compact = _COMPACT.match(text)
    if compact is not None:
        return _checked(int(compact["y"]), int(compact["m"]), int(compact["d"]), compact, "compact")
    numeric = _SHORT_NUMERIC.match(text)
    if numeric is not None:
        month, day, certain = _ordered(int(numeric["a"]), int(numeric["b"]), order=order, mark=numeric["s"])
        return _checked(None, month, day, numeric, "numeric:no-year", certain=certain)
    named = _MONTH_YEAR.match(text)
    known = lookup(named["w"]) if named else None
    if named is None or known is None:
        return None
    return _checked(int(named["y"]), known[0], 1, named, f"month-year:{known[1]}")


def _iso(text: str) -> Iterator[Day]:
    for found in _ISO.finditer(text):
        day = _checked(int(found["y"]), int(found["m"]), int(found["d"]), found, "iso")
        if day is not None:
            yield day


def _numeric(text: str, order: NumericOrder) -> Iterator[Day]:
    if order == "YMD":
        for found in _SHORT_YEAR_FIRST.finditer(text):
            yield from _one(
                _checked(_full_year(found["y"]), int(found["m"]), int(found["d"]), found, "numeric:ymd")
            )
    for found in _NUMERIC.finditer(text):
        first, second, mark = int(found["a"]), int(found["b"]), found["s"]
        year = _full_year(found["y"])
        month, number, certain = _ordered(first, second, order=order, mark=mark)
        rule = "numeric:mdy" if (month, number) == (first, second) and month != number else "numeric:dmy"
        if found["a0"]:  # a range: 1–5.02.2018 or 28.12–03.01.2018
            number, last = int(found["a0"]), month
            month = int(found["b0"] or month)
            year -= month > last
            rule += ":range"
        checked = _checked(year, month, number, found, rule, certain=certain)
        if checked is not None:
            yield checked


def _ordered(first: int, second: int, *, order: NumericOrder, mark: str) -> tuple[int, int, bool]:
    """Month, day, and whether no other reading is possible."""
    if first > 12 >= second:
        return second, first, True
    if second > 12 >= first:
        return first, second, True
    # Dots and dashes are written day first even where slashes are month first.
    is_month_first = order == "MDY" and mark == "/"
    return (first, second, first == second) if is_month_first else (second, first, first == second)


def _east_asian(text: str) -> Iterator[Day]:
    if "月" in text or "월" in text:
        for found in _CJK.finditer(text):
            year = int(found["y"]) if found["y"] else None
            if found["era"]:
                year = _ERA_START[found["era"]] + (1 if found["ey"] == "元" else int(found["ey"]))
            yield from _one(_checked(year, int(found["m"]), int(found["d"]), found, "east-asian"))
    if "сар" in text:
        yield from _by_number(text, _MONGOLIAN, "mongolian")
    if "tháng" in text:
        yield from _by_number(text, _VIETNAMESE, "vietnamese")


def _by_number(text: str, pattern: re.Pattern[str], rule: str) -> Iterator[Day]:
    for found in pattern.finditer(text):
        year = int(found["y"]) if found["y"] else None
        yield from _one(_checked(year, int(found["m"]), int(found["d"]), found, rule))


def _named(text: str, lookup: MonthLookup) -> Iterator[Day]:
    for pattern in (_DMY, _MDY, _YDM, _YMD):
        position = 0
        while (found := pattern.search(text, position)) is not None:
            known = lookup(found["w"])
            day = None if known is None else _named_day(text, found, known, lookup)
            if day is None:
                # The word was no month: go on after the first digit or word, not after all of it.
                position = found.start() + 1 if pattern is _DMY else max(found.start() + 1, found.end("w"))
                continue
            yield day
            position = found.end()


def _named_day(text: str, found: re.Match[str], known: tuple[int, str], lookup: MonthLookup) -> Day | None:
    month, language = known
    groups = found.groupdict()
    rule = f"month-name:{language}"
    year = _full_year(found["y"].strip("'’")) if found["y"] else None
    end = found.end()
    number = int(found["d"])
    if groups.get("d0"):
        number, rule = int(found["d0"]), rule + ":range"
    elif groups.get("to"):
        rule += ":range"
    elif year is None and found.re is _DMY:
        tail = _RANGE_TAIL.match(text, end)
        last = lookup(tail["w"]) if tail else None
        if tail is not None and last is not None:
            year = _full_year(tail["y"].strip("'’")) - (month > last[0])
            rule, end = rule + ":range", tail.end()
    return _checked(year, month, number, found, rule, end=end)


_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _checked(
    year: int | None,
    month: int,
    day: int,
    found: re.Match[str],
    rule: str,
    *,
    end: int = -1,
    certain: bool = True,
) -> Day | None:
    if not 1 <= month <= 12 or not 1 <= day <= _LONGEST[month - 1]:
        return None
    if month == 2 and day == 29 and year is not None and (year % 4 or (year % 100 == 0 and year % 400)):
        return None
    start = found.start() + len(found[0]) - len(found[0].lstrip())
    return Day(
        year=year, month=month, day=day, start=start, end=max(end, found.end()), rule=rule, certain=certain
    )


def _one(day: Day | None) -> Iterator[Day]:
    if day is not None:
        yield day


def _full_year(written: str) -> int:
    """Four digits as they are; two as POSIX reads them (69–99 are 19xx)."""
    year = int(written)
    if len(written) > 2:
        return year
    return year + (2000 if year < 69 else 1900)

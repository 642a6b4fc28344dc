"""Dates as sources write them, in many languages, made aware UTC; and why a date is not believed.

Own grammar first (:mod:`feeds.date_patterns`, fed by CLDR), ``dateparser`` last. The caller gives
``now``; nothing here reads a clock. Contains no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Literal

from feeds.date_clock import Clock, clock_alone, clock_beside
from feeds.date_guess import guess_date
from feeds.date_patterns import Day, MonthLookup, days_in, short_day
from feeds.date_plain import normalise
from feeds.date_words import (
    KNOWN_LANGUAGES,
    NumericOrder,
    all_months,
    day_words_of,
    fold,
    months_of,
    numeric_order,
    relative_of,
)
from feeds.model import UNDETERMINED, LanguageCode
from feeds.zones import zone_named

DateOrder = Literal["DMY", "MDY"]

#: A date without a year is the latest one not further ahead than this (announcements look ahead).
AHEAD_WITHOUT_YEAR = timedelta(days=60)
#: A publication date further ahead than this is a mistake or an event's date, not a publication.
AHEAD_PUBLISHED = timedelta(days=2)
#: No news page is older than the web; "21 March 1825" is what the page is about.
OLDEST_YEAR = 1993
#: Longer texts are not dates; they are searched by :func:`find_dates`.
LONGEST_DATE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFound:
    """A date read from text."""

    #: Aware UTC; midnight in the source's zone when only a day was written.
    when: datetime
    #: What read it: ``iso``, ``month-name:ru``, ``numeric:dmy``, ``relative:ru``, ``dateparser:fi``;
    #: with ``:range`` (first day taken) and ``:no-year`` (year inferred) appended.
    rule: str
    has_time: bool
    #: The words that were read, and where they stand in ``normalise(text)``.
    text: str
    start: int = 0
    end: int = 0
    #: False when day and month could change places (``05/06/2018``).
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A publication date, or the reason there is none (``dropped:future``, ``none``)."""

    when: datetime | None
    rule: str
    text: str = ""
    has_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Everything a pattern needs to know about the source."""

    language: str
    zone: tzinfo
    now: datetime
    order: NumericOrder
    ahead: timedelta
    lookup: MonthLookup


def parse_date(
    text: str,
    *,
    language: LanguageCode | None,
    timezone: str,
    now: datetime,
    order: DateOrder | None = None,
    ahead: timedelta = AHEAD_WITHOUT_YEAR,
    last_resort: bool = True,
) -> DateFound | None:
    """The date in a short ``text`` that is meant to be one; ``None`` when no rule reads it.

    ``timezone`` (IANA) is used where the text names none, ``order`` decides ``05/06/2018`` (else the
    language does). ``last_resort=False`` leaves ``dateparser`` (a thousand times slower) out.
    Raises :class:`ValueError` for a zone nobody knows.
    """
    said = normalise(text)[:LONGEST_DATE]
    if not said:
        return None
    reader = _reader(language, timezone, now, order, ahead, every_language=True)
    folded = fold(said)
    found = _parse(folded, said, reader)
    if found is None and last_resort:
        found = _ask_dateparser(said, reader)
    return found


def find_dates(
    text: str,
    *,
    language: LanguageCode | None,
    timezone: str,
    now: datetime,
    order: DateOrder | None = None,
    ahead: timedelta = AHEAD_WITHOUT_YEAR,
) -> tuple[DateFound, ...]:
    """Every date with day and month in a longer ``text``, in order; terse forms are left alone."""
    said = normalise(text)
    if not _DIGIT.search(said):
        return ()
    reader = _reader(language, timezone, now, order, ahead, every_language=language in (None, UNDETERMINED))
    folded = fold(said)
    days = days_in(folded, lookup=reader.lookup, order=reader.order)
    resolved = (_resolve(day, folded, said, reader) for day in days)
    return tuple(each for each in resolved if each is not None)


def why_insane(when: datetime, *, now: datetime, ahead: timedelta = AHEAD_PUBLISHED) -> str:
    """Why ``when`` cannot be a publication date: ``epoch``, ``before-web``, ``future``; empty if sane."""
    if when > now + ahead:
        return "future"
    if abs(when - datetime(1970, 1, 1, tzinfo=UTC)) <= timedelta(days=2):
        return "epoch"
    if when.year < OLDEST_YEAR:
        return "before-web"
    return ""


def judge_published(found: DateFound | None, *, now: datetime) -> Published:
    """``found`` as a publication date: kept, or dropped with a reason a person can read."""
    if found is None:
        return Published(when=None, rule="none")
    reason = why_insane(found.when, now=now)
    if reason:
        return Published(when=None, rule=f"dropped:{reason}", text=found.text)
    return Published(when=found.when, rule=found.rule, text=found.text, has_time=found.has_time)


def read_published(
    text: str,
    *,
    language: LanguageCode | None,
    timezone: str,
    now: datetime,
    order: DateOrder | None = None,
) -> Published:
    """``parse_date`` and ``judge_published`` in one: what feeds and pages need for ``published``."""
    found = parse_date(
        text, language=language, timezone=timezone, now=now, order=order, ahead=AHEAD_PUBLISHED
    )
    judged = judge_published(found, now=now)
    if judged.rule == "dropped:future" and found is not None and not found.certain:
        other = parse_date(
            text,
            language=language,
            timezone=timezone,
            now=now,
            order="MDY" if found.rule.startswith("numeric:dmy") else "DMY",
        )
        second = judge_published(other, now=now)
        return second if second.when is not None else judged
    return judged


_DIGIT = re.compile(r"\d")


def _reader(
    language: LanguageCode | None,
    timezone: str,
    now: datetime,
    order: DateOrder | None,
    ahead: timedelta,
    *,
    every_language: bool,
) -> _Reader:
    code = "" if language in (None, UNDETERMINED) else str(language).split("-")[0].lower()
    zone = zone_named(timezone)
    return _Reader(
        language=code,
        zone=zone,
        now=now.astimezone(zone),
        order=order or (numeric_order(code) if code else "DMY"),
        ahead=ahead,
        lookup=partial(_month_of, code, every_language=every_language),
    )


def _month_of(language: str, word: str, *, every_language: bool) -> tuple[int, str] | None:
    """The month ``word`` names: in the source's language, in English, then in any language."""
    for code in (language, "en"):
        number = months_of(code).get(word) if code else None
        if number is not None:
            return number, code
    if language == "mn" and " " in word:  # "тавдугаар сарын" declines
        number = next((value for name, value in months_of("mn").items() if word.startswith(name)), None)
    elif language == "he" and word[:1] == "ב":  # "in May" is one word
        number = months_of("he").get(word[1:])
    elif every_language:
        number = all_months().get(word)
    return None if number is None else (number, language or "any")


def _parse(folded: str, said: str, reader: _Reader) -> DateFound | None:
    if not _DIGIT.search(folded):
        return _relative(folded, said, reader)
    for day in days_in(folded, lookup=reader.lookup, order=reader.order):
        found = _resolve(day, folded, said, reader)
        if found is not None:
            return found
    relative = _relative(folded, said, reader) or _only_time(folded, said, reader)
    if relative is not None:
        return relative
    day_alone = short_day(folded, lookup=reader.lookup, order=reader.order)
    if day_alone is not None:
        return _resolve(day_alone, folded, said, reader)
    return _epoch(said)


def _resolve(day: Day, folded: str, said: str, reader: _Reader) -> DateFound | None:
    """The moment a day and the time beside it mean; ``None`` for one no calendar has."""
    clock = _compact_clock(folded, day) or clock_beside(folded, start=day.start, end=day.end)
    zone = clock.zone if clock is not None and clock.zone is not None else reader.zone
    year = day.year if day.year is not None else _year_for(day, reader)
    try:
        local = datetime(year, day.month, day.day, tzinfo=zone)
        if clock is not None:
            local = local.replace(hour=clock.hour, minute=clock.minute, second=clock.second)
        when = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    start = min(day.start, clock.start) if clock else day.start
    end = max(day.end, clock.end) if clock else day.end
    return DateFound(
        when=when,
        rule=day.rule if day.year is not None else f"{day.rule.removesuffix(':no-year')}:no-year",
        has_time=clock is not None,
        text=said[start:end].strip(),
        start=start,
        end=end,
        certain=day.certain,
    )


_COMPACT_CLOCK = re.compile(r"t?(\d\d)(\d\d)(\d\d)?(z)?")


def _compact_clock(folded: str, day: Day) -> Clock | None:
    found = _COMPACT_CLOCK.match(folded, day.end) if day.rule == "compact" else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return Clock(
        hour=int(found[1]),
        minute=int(found[2]),
        second=min(int(found[3] or 0), 59),
        zone=UTC if found[4] else None,
        start=found.start(),
        end=found.end(),
    )


def _year_for(day: Day, reader: _Reader) -> int:
    """The latest year that puts the day no further ahead than allowed (news look back)."""
    limit = reader.now + reader.ahead
    for year in range(limit.year, limit.year - 9, -1):
        try:
            if datetime(year, day.month, day.day, tzinfo=reader.zone) <= limit:
                return year
        except ValueError:  # 29 February of a common year
            continue
    return reader.now.year


def _relative(folded: str, said: str, reader: _Reader) -> DateFound | None:
    for language in dict.fromkeys(
        (reader.language or "ru", "en", *(() if reader.language else KNOWN_LANGUAGES))
    ):
        found = _day_word(folded, said, reader, language) or _ago(folded, said, reader, language)
        if found is not None:
            return found
    return None


def _day_word(folded: str, said: str, reader: _Reader, language: str) -> DateFound | None:
    pattern = day_words_of(language)
    found = pattern.search(folded) if pattern else None
    if found is None or found.lastindex is None:
        return None
    clock = clock_beside(folded, start=found.start(), end=found.end())
    # Groups count from the longest word (day before yesterday) to the shortest (today).
    local = reader.now - timedelta(days=3 - found.lastindex)
    zone = clock.zone if clock is not None and clock.zone is not None else reader.zone
    when = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone)
    if clock is not None:
        when = when.replace(hour=clock.hour, minute=clock.minute, second=clock.second)
    start = min(found.start(), clock.start) if clock else found.start()
    end = max(found.end(), clock.end) if clock else found.end()
    return DateFound(
        when=when.astimezone(UTC),
        rule=f"day-word:{language}",
        has_time=clock is not None,
        text=said[start:end].strip(),
        start=start,
        end=end,
    )


def _ago(folded: str, said: str, reader: _Reader, language: str) -> DateFound | None:
    phrases = relative_of(language)
    found = phrases.age_of(folded) if phrases else None
    if found is None:
        return None
    age, where = found
    return DateFound(
        when=(reader.now - age).replace(microsecond=0).astimezone(UTC),
        rule=f"relative:{language}",
        has_time=age < timedelta(days=1),
        text=said[where.start() : where.end()],
        start=where.start(),
        end=where.end(),
    )


def _only_time(folded: str, said: str, reader: _Reader) -> DateFound | None:
    """A bare time is today's, or yesterday's when today's has not come yet."""
    clock = clock_alone(folded)
    if clock is None:
        return None
    when = reader.now.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    if clock.zone is not None:
        when = when.replace(tzinfo=clock.zone)
    if when > reader.now + timedelta(minutes=5):
        when -= timedelta(days=1)
    return DateFound(
        when=when.astimezone(UTC), rule="time-only", has_time=True, text=said, start=0, end=len(said)
    )


def _epoch(said: str) -> DateFound | None:
    """Seconds or milliseconds since 1970, as ``<time datetime>`` and ``data-`` attributes carry them."""
    if not re.fullmatch(r"\d{9,10}|\d{13}", said):
        return None
    seconds = int(said) / (1000 if len(said) == 13 else 1)
    when = datetime.fromtimestamp(seconds, tz=UTC)
    return DateFound(when=when, rule="epoch", has_time=True, text=said, start=0, end=len(said))


#: dateparser needs 2–15 ms for a miss; texts longer than this are hardly dates.
_LONGEST_GUESS = 60


def _ask_dateparser(said: str, reader: _Reader) -> DateFound | None:
    if len(said) > _LONGEST_GUESS or not reader.language or not _DIGIT.search(said):
        return None
    order = "MDY" if reader.order == "MDY" else "DMY"
    local = guess_date(said, reader.language, order, reader.now.replace(tzinfo=None, second=0, microsecond=0))
    if local is None:
        return None
    when = local if local.tzinfo is not None else local.replace(tzinfo=reader.zone)
    has_time = bool(re.search(r"\d\s?[:.h]\s?\d\d", said))
    rule = f"dateparser:{reader.language}"
    return DateFound(
        when=when.astimezone(UTC), rule=rule, has_time=has_time, text=said, start=0, end=len(said)
    )

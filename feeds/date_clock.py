"""The time of day beside a date: ``в 09:00 МСК``, ``16:25 | …``, ``5:45 p.m.``. Contains no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import tzinfo

from feeds.zones import ZONE_PATTERN, zone_written


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A time of day and the stretch of text it was read from."""

    hour: int
    minute: int
    second: int
    zone: tzinfo | None
    start: int
    end: int


_HALF = r"(?:[ap]\.?\s?m\b\.?|ص|م|μμ|πμ|μ\.μ\.|π\.μ\.)"
_TIME = (
    r"(?<![\d.:])(?P<pre>上午|下午|午前|午後|晚上|오전|오후)?\s?"
    r"(?:(?P<h>[01]?\d|2[0-3])(?:\s?[:h時时點点：]\s?(?P<m>[0-5]\d)|\.(?P<md>[0-5]\d)(?!\d|\.\d{3}|\.\d(?!\d)))(?!\d)"
    r"(?:[:m.](?P<s>[0-5]\d)(?!\d))?(?:[.,]\d{1,9})?"
    rf"|(?P<ho>1[0-2]|0?[1-9])(?=\s?{_HALF}))"
    rf"\s?(?P<half>{_HALF})?"
)
#: What may stand between a date and its time: marks, and up to three short words ("г. в", "o godz.").
_BETWEEN = r"[\s.,;|/•·–—\-()日]{0,5}(?:[^\W\d_]{1,5}\.?[\s,:;-]+){0,3}"
_AFTER = re.compile(rf"(?:t|{_BETWEEN}){_TIME}(?:\s?(?:uhr|hrs|ч\.?))?(?:\s{{0,2}}(?P<z>{ZONE_PATTERN}))?")
_BEFORE = re.compile(
    rf"{_TIME}(?:\s?(?:uhr|hrs?|ч\.?|h))?(?:\s?(?P<z>\(?[^\W\d_]{{3}}\)?))?[\s,;|/•·–—\-()]{{1,5}}$"
)
_INSIDE = re.compile(rf"(?<=\s){_TIME}(?:\s(?P<z>[a-z]{{1,5}}))?(?=\s\d{{4}})")
_ONLY = re.compile(
    rf"\W*(?:[^\W\d_]{{1,5}}\.?\s)?{_TIME}(?:\s?(?:uhr|hrs|ч\.?|h))?(?:\s?(?P<z>{ZONE_PATTERN}))?\W*"
)

#: How far before a date its time may stand.
_REACH = 24


def clock_beside(text: str, *, start: int, end: int) -> Clock | None:
    """The time written right after ``text[start:end]`` (a date), inside it (asctime), or right before it."""
    after = _AFTER.match(text, end)
    if after is not None:
        return _clock(after, shift=0)
    inside = _INSIDE.search(text, start, end)
    if inside is not None:
        return _clock(inside, shift=0)
    reach = max(0, start - _REACH)
    before = _BEFORE.search(text[reach:start])
    return None if before is None else _clock(before, shift=reach)


def clock_alone(text: str) -> Clock | None:
    """The time when ``text`` is nothing but a time (``01:12``)."""
    found = _ONLY.fullmatch(text)
    # "12.05" alone may as well be the fifth of December.
    return None if found is None or found["md"] else _clock(found, shift=0)


def _clock(found: re.Match[str], *, shift: int) -> Clock | None:
    hour = int(found["h"] or found["ho"])
    half = (found["half"] or found["pre"] or "").replace(" ", "")
    is_afternoon = half[:1] in {"p", "م", "μ"} or half in {"下午", "午後", "晚上", "오후"}
    is_morning = half[:1] in {"a", "ص", "π"} or half in {"上午", "午前", "오전"}
    if is_afternoon and hour < 12:
        hour += 12
    if is_morning and hour == 12:
        hour = 0
    zone = zone_written(found["z"]) if found["z"] else None
    end = found.end() if zone is not None or not found["z"] else found.start("z")
    return Clock(
        hour=hour,
        minute=int(found["m"] or found["md"] or 0),
        second=int(found["s"] or 0),
        zone=zone,
        start=found.start() + shift,
        end=end + shift,
    )

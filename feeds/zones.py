"""Time zones as people and mail headers write them: names, offsets, IANA keys. Contains no I/O."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: Hours east of Greenwich; RFC 822 §5 names first, then the ones our sources use.
_HOURS: dict[str, float] = {
    name: hours
    for hours, names in {
        -10: "hst",
        -9: "akst",
        -8: "pst akdt",
        -7: "mst pdt",
        -6: "cst mdt",
        -5: "est cdt",
        -4: "edt",
        -3: "brt art",
        0: "z ut utc gmt wet",
        1: "west bst cet mez met",
        2: "cest mesz mest eet sast kalt",
        3: "eest trt msk мск",
        4: "msd samt azt get amt",
        5: "yekt екб uzt almt",
        5.5: "ist",
        6: "omst",
        7: "novt krat",
        8: "irkt hkt sgt ulat",
        9: "yakt jst kst",
        10: "vlat aest",
        11: "magt sakt aedt",
        12: "pett nzst",
        13: "nzdt",
    }.items()
    for name in names.split()
}

_OFFSET = re.compile(r"([+\-−])(\d{1,2})(?::?(\d{2}))?")

#: A zone after a time; the whole is one group in the patterns of :mod:`feeds.dates`.
ZONE_PATTERN = r"(?:\(?[^\W\d_]{1,5}\)?\s?(?:[+\-−]\d{1,2}(?::?\d{2})?\)?)?|[+\-−]\d{2}(?::?\d{2})?)"


@cache
def zone_named(name: str) -> tzinfo:
    """The IANA zone ``name``; :class:`ValueError` names a zone nobody knows."""
    if name in {"UTC", "Z", ""}:
        return timezone.utc  # noqa: UP017  (ZoneInfo("UTC") would do, this is 3x faster to add)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}: use an IANA name such as Europe/Moscow") from error


def zone_written(text: str) -> tzinfo | None:
    """The zone in ``MSK``, ``+0300``, ``UTC+3``, ``(МСК+2)``; ``None`` for a word that is no zone."""
    said = text.strip(" ()").lower()
    name = re.match(r"[^\W\d_]*", said)
    hours = _HOURS.get(name[0]) if name and name[0] else 0.0
    if not said or hours is None:
        return None
    offset = _OFFSET.search(said)
    minutes = hours * 60 + (_signed_minutes(offset) if offset else 0)
    return timezone(timedelta(minutes=minutes)) if abs(minutes) <= 14 * 60 else None


def _signed_minutes(offset: re.Match[str]) -> int:
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    return minutes if offset[1] == "+" else -minutes

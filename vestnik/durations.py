"""Durations as people write them: seconds, or ``30s``, ``15m``, ``6h``, ``1d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_PATTERN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: Any) -> timedelta:
    """Read a duration. Raises :class:`ValueError` with the forms that are understood."""
    if isinstance(value, timedelta):
        return value
    match = None if isinstance(value, bool) else _PATTERN.fullmatch(str(value).strip().lower())
    if match is None:
        raise ValueError(f"{value!r} is no duration; write seconds, or 30s, 15m, 6h, 1d")
    try:
        duration = timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise ValueError(f"{value!r} is too long; nobody waits that long") from None
    if duration <= timedelta(0):
        raise ValueError(f"{value!r} is too short; a duration must be more than nothing")
    return duration


def format_duration(value: timedelta) -> str:
    """Write a duration the short way: ``90s``, ``15m``, ``6h``, ``1d``."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


#: A positive :class:`~datetime.timedelta`, written as above in config.yaml and environment.
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]

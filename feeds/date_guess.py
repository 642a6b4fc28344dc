"""The last resort for dates: ``dateparser``, bounded and remembered. Contains no I/O of ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache


@lru_cache(maxsize=2048)
def guess_date(said: str, language: str, order: str, base: datetime) -> datetime | None:
    """What ``dateparser`` makes of a short text in one language; ``base`` is now, naive, to the minute.

    A call costs 2-15 ms (a miss in some languages far more), so the caller asks for short texts only.
    """
    ask = _dateparser()
    settings = {
        "DATE_ORDER": order,
        "RELATIVE_BASE": base,
        "PREFER_DATES_FROM": "past",
        "REQUIRE_PARTS": ["day", "month"],
        "PARSERS": ["absolute-time", "relative-time"],
    }
    try:
        return ask(said, languages=[language], settings=settings)
    except (ValueError, TypeError, OverflowError, RecursionError, KeyError, AttributeError):
        # A language it does not know, or one of its own failures on odd text: no date either way.
        return None


def _dateparser() -> Callable[..., datetime | None]:
    # Imported late: it costs 0.3 s, and most processes never need it.
    from dateparser import parse  # noqa: PLC0415

    ask: Callable[..., datetime | None] = parse
    return ask

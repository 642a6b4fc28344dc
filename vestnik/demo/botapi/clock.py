"""The time the server goes by: real, or moved by hand in tests.

Limits, dates and ages go by this clock. What belongs to the wire (long polls, delayed answers)
always takes real time, because the client's own timeouts do.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never go back, and the Unix time they stand for."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        ...

    def unix(self) -> int:
        """Unix time in whole seconds."""
        ...


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def unix(self) -> int:
        """Unix time in whole seconds."""
        return int(time.time())


class VirtualClock:
    """A clock that stands still until :meth:`advance` is called."""

    def __init__(self, start: float = 0.0, *, epoch: int = 1_790_000_000) -> None:
        self._now = start
        self._epoch = epoch

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return self._now

    def unix(self) -> int:
        """Unix time in whole seconds."""
        return self._epoch + int(self._now)

    def advance(self, seconds: float) -> None:
        """Move the time on; it cannot go back."""
        if seconds < 0:
            msg = f"a clock cannot go back by {-seconds} s"
            raise ValueError(msg)
        self._now += seconds

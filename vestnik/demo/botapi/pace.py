"""How fast a bot may speak, by the published figures, kept strictly. Contains no I/O.

The real limits are unspecified and softer; a sender that satisfies these satisfies those.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

#: Rounding slack of seconds kept as floats.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The figures; a count of 0 lifts that limit."""

    #: Messages (and edits) of the whole bot in any window of ``token_window`` seconds.
    per_token: int = 30
    token_window: float = 1.0
    #: The same for messages sent with ``allow_paid_broadcast``.
    per_token_paid: int = 1000
    #: One private chat: one message per ``private_interval`` seconds after a burst.
    private_burst: int = 3
    private_interval: float = 1.0
    #: One group or channel: messages in any window; edits are counted apart by the same figure.
    per_group: int = 20
    group_window: float = 60.0

    @classmethod
    def off(cls) -> Limits:
        """No limits at all."""
        return cls(per_token=0, per_token_paid=0, private_burst=0, per_group=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """A call that came too early."""

    #: "token" or "chat".
    scope: str
    #: Whole seconds, as the server says it.
    retry_after: int
    #: The bot had been told to wait and did not.
    impatient: bool


@dataclass(slots=True)
class Pace:
    """Counts calls and says which came too early. A refused call is not counted."""

    limits: Limits
    _windows: dict[tuple[str, int], deque[float]] = field(default_factory=dict)
    #: Private chats: the time at which the next message would be exactly on pace (GCRA).
    _due: dict[int, float] = field(default_factory=dict)
    #: Until when a chat (0: the whole bot) must keep silent after a 429.
    _held: dict[int, float] = field(default_factory=dict)

    def decide(self, now: float, chat_id: int, *, is_edit: bool, is_paid: bool) -> Flood | None:
        """Count one call to a chat, or say how long to wait."""
        for scope, key in (("token", 0), ("chat", chat_id)):
            until = self._held.get(key, 0.0)
            if now < until - _SLACK:
                return Flood(scope=scope, retry_after=_seconds(until - now), impatient=True)
        waits = {
            "token": self._token_wait(now, is_paid=is_paid),
            "chat": self._chat_wait(now, chat_id, is_edit=is_edit),
        }
        scope = max(waits, key=lambda name: waits[name])
        if waits[scope] > _SLACK:
            wait = _seconds(waits[scope])
            self.hold(0 if scope == "token" else chat_id, now + wait)
            return Flood(scope=scope, retry_after=wait, impatient=False)
        self._count(now, chat_id, is_edit=is_edit, is_paid=is_paid)
        return None

    def hold(self, key: int, until: float) -> None:
        """Refuse a chat (0: everything) until a time: what a 429 means."""
        self._held[key] = max(until, self._held.get(key, 0.0))

    def _token_wait(self, now: float, *, is_paid: bool) -> float:
        cap = self.limits.per_token_paid if is_paid else self.limits.per_token
        return self._window_wait(("paid" if is_paid else "token", 0), cap, self.limits.token_window, now)

    def _chat_wait(self, now: float, chat_id: int, *, is_edit: bool) -> float:
        if chat_id < 0:
            name = "edit" if is_edit else "send"
            return self._window_wait((name, chat_id), self.limits.per_group, self.limits.group_window, now)
        if is_edit or not self.limits.private_burst:
            return 0.0
        tolerance = (self.limits.private_burst - 1) * self.limits.private_interval
        return self._due.get(chat_id, 0.0) - tolerance - now

    def _window_wait(self, key: tuple[str, int], cap: int, window: float, now: float) -> float:
        times = self._windows.get(key)
        if not cap or times is None or len(times) < cap:
            return 0.0
        return times[-cap] + window - now

    def _count(self, now: float, chat_id: int, *, is_edit: bool, is_paid: bool) -> None:
        limits = self.limits
        if is_paid or limits.per_token:
            self._note(
                ("paid" if is_paid else "token", 0),
                limits.per_token_paid if is_paid else limits.per_token,
                now,
            )
        if chat_id < 0:
            self._note(("edit" if is_edit else "send", chat_id), limits.per_group, now)
        elif not is_edit and limits.private_burst:
            self._due[chat_id] = max(now, self._due.get(chat_id, 0.0)) + limits.private_interval

    def _note(self, key: tuple[str, int], cap: int, now: float) -> None:
        if not cap:
            return
        times = self._windows.get(key)
        if times is None:
            times = self._windows[key] = deque(maxlen=cap)
        times.append(now)


def _seconds(wait: float) -> int:
    return max(1, math.ceil(wait - _SLACK))

"""How fast we may send: pure decisions about time, in seconds of any monotonic clock.

Telegram's limits (core.telegram.org/bots/faq, "My bot is hitting limits"): about 30 messages a
second per bot, one a second per chat, 20 a minute per group or channel. The bot's own slots are
spaced evenly rather than granted in bursts: a server that counts any second never sees more than
the rate.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

#: A slot missed by at most this much is made up for, so that a late wake-up costs no throughput. More
#: would put 31 messages into a second at 29.2/s: (1 + 0.02) * 29.2 + 1 < 31.
_MADE_UP_SECONDS = 0.02
_MINUTE = 60.0
#: An answer that takes longer than this says nothing about when the request was counted.
_PATIENCE = 0.25
_ASK_AGAIN = 0.005
#: After a 429 for the whole bot we go this much slower, and win it back over the recovery time.
_SLOWDOWN = 0.8
_SLOWEST = 0.25
_RECOVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The limits to keep."""

    messages_per_second: float = 29.2
    private_chat_per_second: float = 1.0
    group_per_minute: float = 20.0


@dataclass(slots=True)
class Flight:
    """One request on its way."""

    left: float
    answered: float | None = None


@dataclass(slots=True)
class BotPace:
    """The bot's own slots: evenly spaced, slower for a while after a 429.

    Requests bunch up on the way when a line or a processor is busy. The server counted a request
    before it answered, so a second later by the answers' time there is room for another for sure;
    the fastest answer seen tells how much of that time the way itself takes.
    """

    rates: Rates
    next_slot: float = 0.0
    factor: float = 1.0
    slowed_at: float = 0.0
    held_until: float = 0.0
    fastest: float = math.inf
    flights: deque[Flight] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until the next slot, or until it is worth asking again; 0 when it is free."""
        return max(self.next_slot - now, self.held_until - now, self._window_wait(now), 0.0)

    def _window_wait(self, now: float) -> float:
        if len(self.flights) <= int(self.rates.messages_per_second):
            return 0.0
        first = self.flights[0]
        way = self.fastest if self.fastest < math.inf else 0.0
        if first.answered is not None:
            return min(first.answered, first.left + _PATIENCE) + 1.0 - way - now
        latest = first.left + _PATIENCE + 1.0 - way - now
        return min(latest, max(_ASK_AGAIN, first.left + 1.0 - now))

    def take(self, now: float) -> Flight:
        """Use the slot. A short delay is made up for by the next ones; longer idleness earns nothing."""
        interval = 1.0 / (self.rates.messages_per_second * self.speed(now))
        self.next_slot = max(self.next_slot, now - _MADE_UP_SECONDS) + interval
        flight = Flight(left=now)
        self.flights.append(flight)
        while len(self.flights) > int(self.rates.messages_per_second) + 1:
            self.flights.popleft()
        return flight

    def landed(self, flight: Flight, now: float) -> None:
        """Note when the answer to a request came, or that none came."""
        if flight.answered is None:
            flight.answered = now
            # Lines change: what was fastest long ago is forgotten slowly.
            self.fastest = min(self.fastest * 1.01, now - flight.left)

    def speed(self, now: float) -> float:
        """Share of the full rate we allow ourselves at the moment."""
        regained = (now - self.slowed_at) / _RECOVERY_SECONDS * (1.0 - self.factor)
        return min(1.0, self.factor + max(0.0, regained))

    def hold(self, now: float, seconds: float) -> None:
        """Obey a 429 that concerns the whole bot: stop for ``seconds``, then go slower.

        Requests that were under way bring more of the same: one flood slows down once.
        """
        if not self.is_held(now):
            self.factor = max(_SLOWEST, self.speed(now) * _SLOWDOWN)
        self.wait_until(now + seconds)
        self.slowed_at = self.held_until

    def wait_until(self, until: float) -> None:
        """Stop until ``until`` without going slower afterwards."""
        self.held_until = max(self.held_until, until)

    def is_held(self, now: float) -> bool:
        """Whether nobody may send at all."""
        return now < self.held_until


@dataclass(slots=True)
class ChatPace:
    """What one chat may still get.

    Windows are counted from the moment the answer came: the server counted the message before
    that, so however long either took on the way, the next one cannot arrive too early.
    """

    is_group: bool
    rates: Rates
    held_until: float = 0.0
    sent: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until the chat may get a message; 0 when it may now."""
        ready = self.held_until
        if self.sent:
            ready = max(ready, self.sent[-1] + 1.0 / self.rates.private_chat_per_second)
        if self.is_group:
            limit = max(1, int(self.rates.group_per_minute))
            if len(self.sent) >= limit:
                ready = max(ready, self.sent[-limit] + _MINUTE)
        return max(ready - now, 0.0)

    def take(self, now: float) -> None:
        """Count a message."""
        self.sent.append(now)
        while len(self.sent) > max(1, int(self.rates.group_per_minute)):
            self.sent.popleft()

    def answered(self, now: float) -> None:
        """Count the latest message from now on, not from when it left."""
        if self.sent:
            self.sent[-1] = now

    def hold(self, now: float, seconds: float) -> None:
        """Obey a 429 for this chat."""
        self.held_until = max(self.held_until, now + seconds)

    def is_idle(self, now: float) -> bool:
        """Whether nothing of it needs to be remembered any more."""
        remembered = _MINUTE if self.is_group else 0.0
        return self.wait(now) == 0.0 and (not self.sent or now - self.sent[-1] > remembered)

"""Manners towards one host: few requests at a time, a pause between starts, its own wishes obeyed.

Every request to a host, redirects and robots.txt included, takes a turn here. What a host asked for
with Retry-After holds for all its sources; :meth:`HostPace.holds` and :meth:`HostPace.restore` carry
it over a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from feeds.guard import Network, is_allowed
from feeds.outcomes import NETWORK_REASONS, FailReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRules:
    """How gently to treat a host."""

    #: Requests in flight per public host (what publishers ask for; browsers use 6).
    parallel: int = 2
    #: Pause between two starts at a public host.
    gap: timedelta = timedelta(seconds=1)
    #: Rest of a public host that said 429 but not for how long.
    default_hold: timedelta = timedelta(minutes=5)
    #: In flight per host inside fetch.allow_private_addresses: own servers, which get no pause.
    own_parallel: int = 20


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    own: bool
    gap: timedelta
    #: Loop time of the next allowed start.
    next_start: float = 0.0


@dataclass(slots=True)
class HostPace:
    """Hands out turns per host; one object serves the whole process."""

    clock: Callable[[], datetime]
    rules: PaceRules = PaceRules()
    allowed: Sequence[Network] = ()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _holds: dict[str, datetime] = field(default_factory=dict)

    def hold(self, host: str, until: datetime) -> None:
        """Leave the host alone until then; a shorter wish never shortens a longer one."""
        self._holds[host] = max(until, self._holds.get(host, until))

    def hold_for(self, host: str, wait: timedelta | None) -> None:
        """Obey what the host asked for now; without a time a public host rests a little."""
        if wait is None and not self._host(host).own:
            wait = self.rules.default_hold
        if wait is not None:
            self.hold(host, self.clock() + wait)

    def held_until(self, host: str) -> datetime | None:
        """When the host may be asked again; ``None`` when it may be asked now."""
        until = self._holds.get(host)
        if until is None or until > self.clock():
            return until
        del self._holds[host]
        return None

    def holds(self) -> dict[str, datetime]:
        """All holds still running, to be stored."""
        now = self.clock()
        self._holds = {host: until for host, until in self._holds.items() if until > now}
        return dict(self._holds)

    def restore(self, holds: Mapping[str, datetime]) -> None:
        """Take up stored holds after a start."""
        for host, until in holds.items():
            self.hold(host, until)

    def slow_down(self, host: str, gap: timedelta) -> None:
        """Pause longer between starts at this host (``Crawl-delay``); never shorter than our rule."""
        self._host(host).gap = max(gap, self.rules.gap)

    def is_own(self, host: str) -> bool:
        """Whether the host is one of our own servers (inside fetch.allow_private_addresses)."""
        return self._host(host).own

    def note_address(self, host: str, address: str) -> None:
        """Learn to which address a host's name led; own servers need no pause."""
        if is_allowed(address, self.allowed) and not self._host(host).own:
            self._hosts[host] = self._new_host(own=True)

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a free slot and for the pause since the last start."""
        state = self._host(host)
        async with state.slots:
            loop_time = asyncio.get_running_loop().time()
            start = loop_time if state.own else max(loop_time, state.next_start)
            state.next_start = start + state.gap.total_seconds()
            if start > loop_time:
                await self.sleep(start - loop_time)
            yield

    def _host(self, host: str) -> _Host:
        if host not in self._hosts:
            self._hosts[host] = self._new_host(own=self._is_own_literal(host))
        return self._hosts[host]

    def _new_host(self, *, own: bool) -> _Host:
        limit = self.rules.own_parallel if own else self.rules.parallel
        return _Host(slots=asyncio.Semaphore(limit), own=own, gap=self.rules.gap)

    def _is_own_literal(self, host: str) -> bool:
        name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
        return is_allowed("127.0.0.1" if name == "localhost" else name, self.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How the last request to a host ended; ``reason`` is ``None`` when any HTTP answer came."""

    host: str
    at: datetime
    reason: FailReason | None = None


#: Ends that came about without the network.
_NOTHING_SENT = frozenset({FailReason.BAD_ADDRESS, FailReason.REFUSED_ADDRESS, FailReason.ROBOTS})
#: With fewer hosts their own troubles cannot be told from ours.
_OUTAGE_HOSTS = 3


def is_own_outage(sights: Iterable[Sight], *, now: datetime, window: timedelta = timedelta(days=1)) -> bool:
    """Whether it is our network that is down: since the last answer of anybody several hosts fell silent.

    Hosts that were out of reach before that answer already are dead themselves and prove nothing.
    Failures during an outage must not count against the sources (commafeed#1034).
    """
    silent_before: set[str] = set()
    silent_since: set[str] = set()
    for sight in sorted(sights, key=lambda each: each.at):
        if sight.at < now - window or sight.reason in _NOTHING_SENT:
            continue
        if sight.reason in NETWORK_REASONS:
            silent_since.add(sight.host)
            continue
        silent_before |= silent_since
        silent_before.discard(sight.host)
        silent_since.clear()
    return len(silent_since - silent_before) >= _OUTAGE_HOSTS

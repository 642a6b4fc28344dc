"""Updates on their way to the bot: the queue, long polling and what a webhook needs.

An update leaves the queue only when a later ``offset`` (or the webhook's 2xx) confirms it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import CONFLICT_POLLER, CONFLICT_WEBHOOK, bad_request

JSON = dict[str, Any]

UPDATE_TYPES = (
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query",
    "chosen_inline_result", "callback_query", "my_chat_member", "chat_member",
    "chat_join_request", "message_reaction",
    "message_reaction_count", "poll", "poll_answer",
)  # fmt: skip
#: Not sent unless asked for by name.
_ON_REQUEST = {"chat_member", "message_reaction", "message_reaction_count"}
#: The server forgets updates after a day.
_KEPT_SECONDS = 24 * 3600
#: Longest wait of a long poll on the server.
LONGEST_POLL = 50


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Where updates are pushed to, when the bot does not poll."""

    url: str = ""
    secret_token: str = ""
    ip_address: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_date: int = 0


@dataclass(slots=True)
class _Poller:
    conflict: asyncio.Future[Any]
    is_alive: Callable[[], bool]


@dataclass(slots=True)
class UpdateQueue:
    """All updates not yet confirmed, in order."""

    allowed: frozenset[str] = frozenset(set(UPDATE_TYPES) - _ON_REQUEST)
    webhook: Webhook = field(default_factory=Webhook)
    #: How many polls were cut off by another one.
    conflicts: int = 0
    _pending: deque[tuple[int, int, JSON]] = field(default_factory=deque)
    _next_id: int = 700_000_001
    _poller: _Poller | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, kind: str, content: JSON, *, unix: int) -> int:
        """Queue an update and return its id; 0 when the bot did not ask for its kind."""
        if kind not in self.allowed:
            return 0
        update_id = self._next_id
        self._next_id += 1
        while self._pending and self._pending[0][1] < unix - _KEPT_SECONDS:
            self._pending.popleft()
        self._pending.append((update_id, unix, {"update_id": update_id, kind: content}))
        self._arrived.set()
        return update_id

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_polled(self) -> bool:
        """Whether a bot is waiting for updates right now."""
        return self._poller is not None

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Remember which kinds the bot wants; ``None`` keeps the last choice, ``[]`` is the default."""
        if kinds is None:
            return
        chosen = {kind for kind in kinds if kind in UPDATE_TYPES}
        self.allowed = frozenset(chosen or set(UPDATE_TYPES) - _ON_REQUEST)

    def confirm(self, before: int) -> None:
        """Forget updates with an id below ``before``."""
        while self._pending and self._pending[0][0] < before:
            self._pending.popleft()

    def clear(self) -> None:
        """Forget everything that waits."""
        self._pending.clear()

    def peek(self, limit: int) -> list[JSON]:
        """The oldest updates, which stay in the queue."""
        return [self._pending[index][2] for index in range(min(limit, len(self._pending)))]

    async def wait(self, seconds: float) -> None:
        """Until something is queued, or so long."""
        self._arrived.clear()
        if self._pending:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def poll(
        self, *, offset: int, limit: int, seconds: int, is_alive: Callable[[], bool]
    ) -> list[JSON]:
        """``getUpdates``: confirm, then wait for something to give.

        The *older* of two polls is refused with 409, as on the real server; a poll whose client has
        gone conflicts with nobody.
        """
        if self.webhook.url:
            raise CONFLICT_WEBHOOK
        if not 0 <= limit <= 100:
            raise bad_request("limit must be in 1..100")
        self._cut_off_older()
        self._apply_offset(offset)
        if not self._pending and seconds > 0:
            await self._wait_for_updates(min(seconds, LONGEST_POLL), is_alive)
        return self.peek(limit or 100)

    def _cut_off_older(self) -> None:
        older = self._poller
        if older is None or older.conflict.done():
            return
        self.conflicts += older.is_alive()
        older.conflict.set_exception(CONFLICT_POLLER)

    def _apply_offset(self, offset: int) -> None:
        if offset > 0:
            self.confirm(offset)
        elif offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()

    async def _wait_for_updates(self, seconds: float, is_alive: Callable[[], bool]) -> None:
        poller = _Poller(conflict=asyncio.get_running_loop().create_future(), is_alive=is_alive)
        self._poller = poller
        self._arrived.clear()
        arrived: asyncio.Future[Any] = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait(
                {arrived, poller.conflict}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if poller.conflict.done():
                poller.conflict.result()
        finally:
            arrived.cancel()
            if not poller.conflict.done():
                poller.conflict.cancel()
            if self._poller is poller:
                self._poller = None

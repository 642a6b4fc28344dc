"""What every reader saw, in order: the truth that tests compare a bot's beliefs with."""

from __future__ import annotations

import asyncio
import bisect
import io
import json
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .formatted import to_html
from .markup import Entity
from .world import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One inline button."""

    text: str
    data: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing that appeared, changed or vanished before a reader's eyes."""

    #: Place in the ledger, from 0.
    index: int
    #: message, edit, markup or delete.
    kind: str
    #: Seconds of the server's clock.
    at: float
    #: Unix time.
    date: int
    chat_id: int
    thread_id: int
    message_id: int
    #: The text, or the caption of media.
    text: str
    entities: Sequence[Entity]
    rows: tuple[tuple[Button, ...], ...]
    #: photo, document or empty.
    media: str
    #: Address, file id or name of the media.
    media_source: str
    silent: bool
    #: Id of the message answered to; 0 for none.
    reply_to: int
    #: The method that did it.
    method: str

    @property
    def html(self) -> str:
        """The text with its entities as HTML of Telegram's subset."""
        return to_html(self.text, self.entities)

    @property
    def buttons(self) -> list[Button]:
        """All buttons in reading order."""
        return [button for row in self.rows for button in row]

    def to_json(self) -> dict[str, Any]:
        """A line of the ledger's file."""
        rows = [[{"text": b.text, "data": b.data, "url": b.url} for b in row] for row in self.rows]
        return {
            "index": self.index, "kind": self.kind, "at": round(self.at, 6), "date": self.date,
            "chat_id": self.chat_id, "thread_id": self.thread_id, "message_id": self.message_id,
            "text": self.text, "html": self.html,
            "buttons": rows, "media": self.media, "media_source": self.media_source, "silent": self.silent,
            "reply_to": self.reply_to, "method": self.method,
        }  # fmt: skip


Predicate = Callable[[Delivery], bool]


@dataclass(slots=True)
class Ledger:
    """Deliveries in order, with queries; optionally written to a file as they happen."""

    #: JSON Lines, flushed before the answer leaves, so that nothing delivered is missing after a crash.
    file: io.TextIOBase | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    _by_chat: dict[int, list[Delivery]] = field(default_factory=dict)
    _waiters: set[asyncio.Future[None]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self.deliveries)

    def record(self, kind: str, message: Message, *, at: float, date: int, method: str) -> Delivery:
        """Note what a reader sees now."""
        media = next(iter(message.media), "")
        delivery = Delivery(
            index=len(self.deliveries), kind=kind, at=at, date=date, chat_id=message.chat.id,
            thread_id=message.thread_id, message_id=message.id, text=message.body.text,
            entities=message.body.entities, rows=_rows(message.rows), media=media,
            media_source=message.media_source, silent=message.silent,
            reply_to=message.reply_to.id if message.reply_to else 0, method=method,
        )  # fmt: skip
        self.deliveries.append(delivery)
        self._by_chat.setdefault(delivery.chat_id, []).append(delivery)
        if self.file:
            self.file.write(json.dumps(delivery.to_json(), ensure_ascii=False) + "\n")
            self.file.flush()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        return delivery

    def of_chat(
        self, chat_id: int, *, thread_id: int | None = None, kind: str | None = None
    ) -> list[Delivery]:
        """Everything one chat (one topic) saw, oldest first."""
        return [
            d
            for d in self._by_chat.get(chat_id, ())
            if thread_id in (None, d.thread_id) and kind in (None, d.kind)
        ]

    def messages(self, chat_id: int | None = None) -> list[Delivery]:
        """New messages only, of one chat or of all."""
        source = self.deliveries if chat_id is None else self._by_chat.get(chat_id, [])
        return [delivery for delivery in source if delivery.kind == "message"]

    def texts(self, chat_id: int) -> list[str]:
        """Texts of the new messages of a chat, oldest first."""
        return [delivery.text for delivery in self.messages(chat_id)]

    def containing(self, words: str, *, chat_id: int | None = None) -> list[Delivery]:
        """New messages with these words in the text or in a button's address."""
        return [
            d for d in self.messages(chat_id) if words in d.text or any(words in b.url for b in d.buttons)
        ]

    def shown(self, chat_id: int, *, thread_id: int | None = None) -> dict[int, Delivery]:
        """What the chat shows now: message id to its latest state, deleted ones left out."""
        found: dict[int, Delivery] = {}
        for delivery in self.of_chat(chat_id, thread_id=thread_id):
            if delivery.kind == "delete":
                found.pop(delivery.message_id, None)
            else:
                found[delivery.message_id] = delivery
        return found

    def copies(self, key: Callable[[Delivery], Hashable | None]) -> dict[tuple[int, int, Hashable], int]:
        """How many new messages each (chat, thread) got per key; a key of ``None`` is left out."""
        counted: Counter[tuple[int, int, Hashable]] = Counter()
        for delivery in self.messages():
            found = key(delivery)
            if found is not None:
                counted[delivery.chat_id, delivery.thread_id, found] += 1
        return dict(counted)

    def peak(self, window: float, *, chat_id: int | None = None) -> int:
        """The most new messages in any window of that many seconds (closed at its start, open at its end)."""
        times: deque[float] = deque()
        most = 0
        for delivery in self.messages(chat_id):
            times.append(delivery.at)
            while delivery.at - times[0] >= window:
                times.popleft()
            most = max(most, len(times))
        return most

    async def wait_for(
        self,
        chat_id: int | None,
        wanted: Predicate | str | None = None,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error tells what came instead
        since: int = 0,
    ) -> Delivery:
        """The first fitting delivery of a chat from ``since`` on, waiting for it where need be.

        ``wanted`` is a predicate, or words the text holds. Raises :class:`TimeoutError` that tells
        what did arrive.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = self.find(chat_id, wanted, since=since)
                    if found:
                        return found
                    since = max(since, len(self.deliveries))
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    await waiter
        except TimeoutError as error:
            seen = [f"{d.kind}: {d.text[:80]!r}" for d in self.deliveries if chat_id in (None, d.chat_id)][
                -5:
            ]
            msg = (
                f"chat {chat_id} did not see {wanted!r} within {timeout} s; it last saw: {seen or 'nothing'}"
            )
            raise TimeoutError(msg) from error

    def find(
        self, chat_id: int | None, wanted: Predicate | str | None = None, *, since: int = 0
    ) -> Delivery | None:
        """The first fitting delivery from ``since`` on."""
        source = self.deliveries if chat_id is None else self._by_chat.get(chat_id, [])
        start = bisect.bisect_left(source, since, key=lambda d: d.index)
        return next((d for d in source[start:] if _fits(d, wanted)), None)


def _fits(delivery: Delivery, wanted: Predicate | str | None) -> bool:
    if wanted is None:
        return True
    return wanted in delivery.text if isinstance(wanted, str) else wanted(delivery)


def _rows(rows: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[tuple[Button, ...], ...]:
    return tuple(
        tuple(Button(text=b["text"], data=b.get("callback_data", ""), url=b.get("url", "")) for b in row)
        for row in rows
    )

"""The server without its sockets: state, rules, pace, faults and the ledger behind one door.

A call comes in with typed values, an answer or :class:`ApiError` goes out. Methods themselves live
in ``calls_*.py``.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, RealClock
from .errors import ApiError, bad_request, too_many_requests
from .faults import Fault, Faults
from .formatted import Formatted
from .ledger import Delivery, Ledger
from .pace import Limits, Pace
from .params import Complaint
from .updates import UpdateQueue
from .world import JSON, Chat, Member, Message, User, World

#: Long enough to look back on after a failed test, short enough for a benchmark.
_CALLS_KEPT = 20_000
#: How long a pressed button may wait for its answer.
CALLBACK_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something a careful bot never does."""

    #: unknown_method, unknown_parameter, mistyped_parameter, missing_parameter, flood, impatient,
    #: bad_request (our own fault: markup, length, keyboard) or wrong_token.
    kind: str
    method: str
    detail: str
    at: float
    chat_id: int | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it was answered."""

    method: str
    values: Mapping[str, Any]
    at: float
    #: HTTP status; 0 where the connection was cut.
    code: int
    description: str = ""
    #: The fault that struck, if any.
    fault: str = ""

    @property
    def chat_id(self) -> int | str | None:
        """The chat it was about."""
        found: int | str | None = self.values.get("chat_id")
        return found


@dataclass(slots=True, kw_only=True)
class CallbackQuery:
    """A pressed button waiting for its answer."""

    id: str
    user: User
    message: Message
    data: str
    at: float
    #: What ``answerCallbackQuery`` said; ``None`` until then.
    answer: JSON | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEvent:
    """Something that changed in a chat, whoever did it: what a client application would show."""

    #: message, edit, markup, delete, answer (to a pressed button), or bot (its profile; chat 0).
    kind: str
    chat_id: int
    message: Message | None = None
    query: CallbackQuery | None = None


@dataclass(slots=True, kw_only=True)
class Engine:
    """Everything the server knows."""

    token: str
    bot: User
    clock: Clock = field(default_factory=RealClock)
    limits: Limits = field(default_factory=Limits)
    #: Answer 400 to parameters the documentation does not know; off, they are only recorded.
    strict: bool = True
    #: Whether the bot sees everything said in groups, or commands and replies only.
    sees_all_group_messages: bool = False
    world: World = field(init=False)
    pace: Pace = field(init=False)
    ledger: Ledger = field(default_factory=Ledger)
    updates: UpdateQueue = field(default_factory=UpdateQueue)
    faults: Faults = field(default_factory=Faults)
    violations: list[Violation] = field(default_factory=list)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))
    #: Calls by method, and by method and HTTP status.
    counts: Counter[str] = field(default_factory=Counter)
    #: (scope, language) -> commands, as set by ``setMyCommands``.
    commands: dict[tuple[str, str], list[JSON]] = field(default_factory=dict)
    #: (kind, language) -> text, as set by ``setMyDescription`` and its sisters.
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_buttons: dict[int, JSON] = field(default_factory=dict)
    queries: dict[str, CallbackQuery] = field(default_factory=dict)
    #: inline query id -> answer.
    inline_answers: dict[str, JSON | None] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    listeners: list[Callable[[ChatEvent], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(bot=self.bot)
        self.pace = Pace(self.limits)

    # -- what people see ------------------------------------------------------------------------

    def show(self, kind: str, message: Message, *, method: str) -> Delivery:
        """Enter something the bot did into the ledger and tell the listeners."""
        delivery = self.ledger.record(
            kind, message, at=self.clock.now(), date=self.clock.unix(), method=method
        )
        self.tell(ChatEvent(kind=kind, chat_id=message.chat.id, message=message))
        return delivery

    def tell(self, event: ChatEvent) -> None:
        """Let client applications know."""
        for listener in self.listeners:
            listener(event)

    def put_update(self, kind: str, content: JSON) -> int:
        """Queue an update for the bot."""
        return self.updates.put(kind, content, unix=self.clock.unix())

    def note_service(self, chat: Chat, sender: User | None, service: JSON, *, thread_id: int = 0) -> Message:
        """A service message, seen by the bot when it is in the chat."""
        message = self.world.add_message(
            chat, sender, Formatted(""), date=self.clock.unix(), service=service, thread_id=thread_id
        )
        self.tell(ChatEvent(kind="message", chat_id=chat.id, message=message))
        if chat.type == "private" or chat.member(self.bot).is_inside:
            self.put_update("channel_post" if chat.type == "channel" else "message", message.to_json())
        return message

    def note_standing(self, chat: Chat, by: User, old: Member, new: Member) -> None:
        """``my_chat_member``: the bot's own standing in a chat has changed."""
        self.put_update(
            "my_chat_member",
            {
                "chat": chat.to_json(),
                "from": by.to_json(),
                "date": self.clock.unix(),
                "old_chat_member": old.to_json(),
                "new_chat_member": new.to_json(),
            },
        )

    # -- rules ----------------------------------------------------------------------------------

    def chat_of(self, values: Mapping[str, Any], name: str = "chat_id") -> Chat:
        """The chat a call names; raises the server's 400."""
        given = values.get(name)
        if given is None or given == "":
            raise bad_request(f"{name} is empty")
        chat = self.world.find_chat(given)
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def keep_pace(self, chat: Chat, values: Mapping[str, Any], *, method: str) -> None:
        """Count a visible call; raises 429 when it came too early."""
        flood = self.pace.decide(
            self.clock.now(),
            chat.id,
            is_edit=method.startswith(("edit", "delete")),
            is_paid=bool(values.get("allow_paid_broadcast")),
        )
        if flood is None:
            return
        kind = "impatient" if flood.impatient else "flood"
        self.note_violation(kind, method, f"{flood.scope}: wait {flood.retry_after} s", chat_id=chat.id)
        raise too_many_requests(flood.retry_after)

    def apply_flood(self, fault: Fault, values: Mapping[str, Any]) -> None:
        """A scripted 429 closes the chat (or the bot) for as long as it says."""
        chat = self.world.find_chat(values.get("chat_id", 0))
        key = 0 if fault.scope == "token" or chat is None else chat.id
        self.pace.hold(key, self.clock.now() + fault.retry_after)

    # -- records --------------------------------------------------------------------------------

    def note_violation(
        self, kind: str, method: str, detail: str, *, chat_id: int | str | None = None
    ) -> None:
        """Something a careful bot never does."""
        self.violations.append(
            Violation(kind=kind, method=method, detail=detail, at=self.clock.now(), chat_id=chat_id)
        )

    def note_complaints(self, method: str, complaints: list[Complaint], values: Mapping[str, Any]) -> None:
        """Record what the documentation does not allow."""
        for complaint in complaints:
            self.note_violation(complaint.kind, method, complaint.detail, chat_id=values.get("chat_id"))

    def note_call(
        self,
        method: str,
        values: Mapping[str, Any],
        error: ApiError | None,
        *,
        fault: str = "",
        cut: bool = False,
    ) -> None:
        """Record how a call ended."""
        code = 0 if cut else error.code if error else 200
        self.counts[method] += 1
        self.counts[f"{method} {code}"] += 1
        self.calls.append(
            Call(
                method=method,
                values=values,
                at=self.clock.now(),
                code=code,
                description=error.description if error else "",
                fault=fault,
            )
        )

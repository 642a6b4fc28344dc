"""Everything that goes wrong on the way, on purpose: by script and by seed.

``reset_before`` loses the request, ``reset_after`` and ``delay_after`` lose the answer to a message
that *was* delivered: the client cannot tell them apart, and that is the point. Contains no I/O.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from .errors import NAMED_ERRORS, ApiError, named_error, too_many_requests
from .methods import words

Kind = Literal["flood", "error", "error_after", "reset_before", "reset_after", "delay_before", "delay_after"]

#: Methods that change what people see: what "any method" means in a script, and what chaos hits.
VISIBLE_METHODS = words(
    "sendMessage sendPhoto sendDocument sendMediaGroup sendRichMessage copyMessage forwardMessage "
    "editMessageText editMessageCaption editMessageMedia editMessageReplyMarkup deleteMessage "
    "deleteMessages"
)


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing to go wrong; the first that fits a call is used."""

    kind: Kind
    #: A method's name; empty for any of :data:`VISIBLE_METHODS`.
    method: str = ""
    chat_id: int | None = None
    thread_id: int | None = None
    #: Only calls with this in the text, caption, photo or media.
    contains: str = ""
    #: How many fitting calls to let through first.
    skip: int = 0
    #: How often to strike; 0 for ever.
    times: int = 1
    #: For ``error``: a name of :data:`~.errors.NAMED_ERRORS`, or give ``code`` and ``description``.
    error: str = "internal"
    code: int = 0
    description: str = ""
    #: For ``error``: answer a proxy's HTML page instead of JSON.
    as_page: bool = False
    #: For ``flood``: the wait, what it covers, and whether calls before its end are refused too.
    retry_after: int = 1
    scope: Literal["chat", "token"] = "chat"
    #: For ``delay_before`` and ``delay_after``: real seconds.
    seconds: float = 0.0
    #: How often it has struck.
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            msg = f"no fault is called {self.kind!r}; there are: {', '.join(get_args(Kind))}"
            raise ValueError(msg)
        if not self.code and self.error not in NAMED_ERRORS:
            msg = f"no error is called {self.error!r}; there are: {', '.join(NAMED_ERRORS)}"
            raise ValueError(msg)

    def to_error(self) -> ApiError:
        """The refusal to answer with."""
        if self.kind == "flood":
            return too_many_requests(self.retry_after)
        return ApiError(self.code, self.description) if self.code else named_error(self.error)

    def fits(self, method: str, values: Mapping[str, Any]) -> bool:
        """Whether the call is one of those meant."""
        if method != self.method if self.method else method not in VISIBLE_METHODS:
            return False
        if self.chat_id is not None and values.get("chat_id") != self.chat_id:
            return False
        if self.thread_id is not None and values.get("message_thread_id", 0) != self.thread_id:
            return False
        return not self.contains or any(
            self.contains in str(values.get(name, ""))
            for name in ("text", "caption", "photo", "document", "media")
        )


@dataclass(slots=True, kw_only=True)
class Chaos:
    """Random faults: the same seed and the same order of calls give the same faults."""

    seed: int
    #: Share of visible calls that go wrong, 0..1.
    rate: float
    #: Kinds and their weights.
    kinds: Mapping[str, float] = field(
        default_factory=lambda: {
            "flood": 3,
            "error": 2,
            "reset_before": 2,
            "reset_after": 1,
            "delay_after": 1,
        }
    )
    #: Real seconds of a delayed answer.
    seconds: float = 0.05
    retry_after: int = 1
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    def draw(self, method: str) -> Fault | None:
        """The fault for the next call, if it is to go wrong."""
        if method not in VISIBLE_METHODS or self._random.random() >= self.rate:
            return None
        kind: Any = self._random.choices(list(self.kinds), weights=list(self.kinds.values()))[0]
        error = self._random.choice(("internal", "bad_gateway", "gateway_timeout"))
        scope: Any = self._random.choice(("chat", "token"))
        return Fault(kind=kind, error=error, scope=scope, retry_after=self.retry_after, seconds=self.seconds)


@dataclass(slots=True)
class Faults:
    """The faults still to come, and those that struck."""

    script: list[Fault] = field(default_factory=list)
    chaos: Chaos | None = None
    #: (kind, method, chat) in the order they struck.
    struck: list[tuple[str, str, Any]] = field(default_factory=list)

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the script."""
        self.script.extend(faults)

    def take(self, method: str, values: Mapping[str, Any]) -> Fault | None:
        """The fault for this call, counted as struck; ``None`` lets it pass."""
        if not self.script and self.chaos is None:
            return None
        found = self._from_script(method, values) or (self.chaos.draw(method) if self.chaos else None)
        if found:
            self.struck.append((found.kind, method, values.get("chat_id")))
        return found

    def _from_script(self, method: str, values: Mapping[str, Any]) -> Fault | None:
        for fault in self.script:
            if not fault.fits(method, values):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.struck += 1
            if fault.times and fault.struck >= fault.times:
                self.script.remove(fault)
            return fault
        return None


def read_script(text: str) -> list[Fault]:
    """Faults from a JSON list of objects; raises :class:`ValueError` naming what is wrong."""
    found = json.loads(text)
    if not isinstance(found, list):
        msg = "a fault script is a JSON list of objects"
        raise ValueError(msg)
    return faults_from(found)


def faults_from(entries: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Faults from plain objects."""
    known: Sequence[str] = [f.name for f in fields(Fault) if f.init]
    made = []
    for entry in entries:
        unknown = set(entry) - set(known)
        if unknown:
            msg = f"a fault has no {', '.join(sorted(unknown))}; it has: {', '.join(known)}"
            raise ValueError(msg)
        made.append(Fault(**entry))
    return made

"""An honest Bot API server for tests and the demo: real HTTP, real rules, virtual people.

Knows nothing of the rest of the program, so that a mistake shared by both cannot hide.
"""

from .clock import Clock, RealClock, VirtualClock
from .emulator import DEFAULT_TOKEN, Emulator
from .engine import Call, CallbackQuery, ChatEvent, Engine, Violation
from .errors import NAMED_ERRORS, ApiError
from .faults import Chaos, Fault, Faults, faults_from, read_script
from .ledger import Button, Delivery, Ledger
from .pace import Limits
from .people import Group, Person

__all__ = [
    "DEFAULT_TOKEN",
    "NAMED_ERRORS",
    "ApiError",
    "Button",
    "Call",
    "CallbackQuery",
    "Chaos",
    "ChatEvent",
    "Clock",
    "Delivery",
    "Emulator",
    "Engine",
    "Fault",
    "Faults",
    "Group",
    "Ledger",
    "Limits",
    "Person",
    "RealClock",
    "Violation",
    "VirtualClock",
    "faults_from",
    "read_script",
]

"""What a command is, for the table of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.commands.talk import Talk


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command with its line in the menu."""

    name: str
    #: Message id of the catalogues.
    description: str
    run: Callable[[Talk], Awaitable[None]]
    for_admins: bool = False

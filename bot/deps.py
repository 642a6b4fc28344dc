"""What the bot needs from the program, handed over once at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.i18n import Translations
from feeds.networks import Networks
from storage.database import Database

Role = Literal["owner", "editor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BotDeps:
    """Everything a conversation reads or changes."""

    database: Database
    networks: Networks
    translations: Translations
    #: Telegram user id -> role.
    admins: Mapping[int, Role]
    #: Public address of our pages and feeds, without a slash at the end; empty when there is none.
    base_url: str
    #: Aware UTC "now"; the only clock the bot reads.
    clock: Callable[[], datetime]

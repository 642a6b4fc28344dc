"""What the web server needs from the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from bot.i18n import DEFAULT_LANGUAGE
from feeds.model import LanguageCode
from feeds.networks import Networks
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """Everything comes in here; nothing is read from the environment or at import."""

    database: Database
    networks: Networks
    #: Public address of the site, a path prefix allowed; empty takes it from each request.
    base_url: str
    #: Name of the site per language; English or any other serves as a fallback.
    site_title: Mapping[LanguageCode, str]
    #: Telegram name of the bot without "@"; ``None`` until it is known.
    bot_username: Callable[[], str | None]
    #: Aware UTC.
    clock: Callable[[], datetime]
    #: Part of the program -> ready? A string is a remark about a part that is off on purpose.
    readiness: Callable[[], Mapping[str, bool | str]]
    registry: CollectorRegistry

    def title(self, language: LanguageCode) -> str:
        """Name of the site in ``language``."""
        titles = self.site_title
        return titles.get(language) or titles.get(DEFAULT_LANGUAGE) or next(iter(titles.values()), "Vestnik")

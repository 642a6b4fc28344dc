"""Settings: what ``config.yaml`` and the environment may say, and nothing else.

``config.yaml`` is overridden by ``VESTNIK_<SECTION>__<KEY>``; secrets come from the environment or
from files (``VESTNIK_TELEGRAM__TOKEN_FILE``). This module holds the shape; reading and explaining
mistakes is :mod:`vestnik.config`.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from feeds.model import Selectors, SourceKind
from vestnik.durations import Duration


def _listed(value: Any) -> Any:
    """Let the environment write a list as JSON or with commas."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return (
        json.loads(text)
        if text.startswith("[")
        else [part.strip() for part in text.split(",") if part.strip()]
    )


def _cidr(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value!r} is no address range; write e.g. 127.0.0.0/8, 10.1.2.3 or ::1") from None


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone; write an IANA name such as Europe/Moscow") from None
    return value


def _language(value: str) -> str:
    if not re.fullmatch("[a-z]{2,3}", value):
        raise ValueError(f"{value!r} is no language; write its ISO 639-1 code, such as ru or en")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        is_whole = False
    if not is_whole:
        raise ValueError(
            f"{value!r} is no web address; it must begin with http:// or https:// and name a host"
        )
    return value


def _base_address(value: str) -> str:
    return _web_address(value).rstrip("/") if value else value


Cidrs = Annotated[tuple[Annotated[str, AfterValidator(_cidr)], ...], NoDecode, BeforeValidator(_listed)]
Language = Annotated[str, AfterValidator(_language)]
Languages = Annotated[tuple[Language, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


def _storage_address(value: str) -> str:
    kind = value.partition("://")[0].partition("+")[0]
    if kind not in {"sqlite", "postgresql", "postgres"} or "://" not in value:
        raise ValueError("write sqlite:///var/vestnik.db or postgresql://user:password@host/name")
    return value


StorageAddress = Annotated[str, AfterValidator(_storage_address)]
BaseAddress = Annotated[str, AfterValidator(_base_address)]
Zone = Annotated[str, AfterValidator(_zone)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Section(BaseModel):
    """A part of the settings: frozen, and closed to keys nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StorageSettings(Section):
    """Where we remember."""

    #: SQLAlchemy URL: a SQLite file or PostgreSQL.
    url: StorageAddress = "sqlite:///var/vestnik.db"


class WebhookSettings(Section):
    """Telegram calls us instead of being asked."""

    enabled: bool = False
    url: str = ""
    secret_token: SecretStr = SecretStr("")


class RateSettings(Section):
    """How fast we may send. Telegram's limits are per bot token."""

    #: All messages of the bot together, per second; Telegram allows about 30.
    messages_per_second: float = Field(default=29.2, gt=0, le=1000)
    private_chat_per_second: float = Field(default=1.0, gt=0)
    group_per_minute: float = Field(default=20.0, gt=0)
    #: Let Telegram bill Stars for more than its free rate.
    allow_paid_broadcast: bool = False


class TelegramSettings(Section):
    """The bot."""

    token: SecretStr = SecretStr("")
    #: A file that holds the token, for container secrets.
    token_file: Path | None = None
    api_base_url: BaseAddress = "https://api.telegram.org"
    webhook: WebhookSettings = WebhookSettings()
    rate: RateSettings = RateSettings()
    #: How long one getUpdates may wait for news, in whole seconds.
    poll_timeout: Duration = Field(default="30s", validate_default=True)
    #: How long Telegram may take to answer one request.
    request_timeout: Duration = Field(default="30s", validate_default=True)


class WebSettings(Section):
    """Pages and feeds."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: The address readers see; needed for right links behind a proxy.
    base_url: BaseAddress = ""
    #: Name of the site per language.
    title: dict[str, str] = Field(default_factory=lambda: {"en": "Vestnik", "ru": "Вестник"})


class FetchSettings(Section):
    """How we ask other people's servers."""

    allow_private_addresses: Cidrs = ()
    #: No source is asked more often than this.
    min_interval: Duration = Field(default="15m", validate_default=True)
    #: Mail or page of whoever runs this service, sent in the User-Agent.
    contact: str = ""
    timeout: Duration = Field(default="30s", validate_default=True)
    max_bytes: int = Field(default=5_000_000, gt=0)
    #: Pause between two requests to one host.
    host_pause: Duration = Field(default="1s", validate_default=True)
    #: Sources fetched side by side.
    concurrency: int = Field(default=20, ge=1, le=200)


class RelevanceSettings(Section):
    """When an item belongs to a network although neither source nor section says so.

    The fields are those of :class:`feeds.networks.Relevance`.
    """

    words: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    namesakes: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class NetworkSettings(Section):
    """A named set of places a body works in."""

    id: Identifier
    title: dict[str, str]
    regions: tuple[str, ...]
    headings: tuple[str, ...] = ()
    relevance: RelevanceSettings = RelevanceSettings()


class SelectorSettings(Section):
    """CSS selectors for a list page that resists detection."""

    item: str = ""
    title: str = ""
    link: str = ""
    date: str = ""
    summary: str = ""
    image: str = ""

    def to_model(self) -> Selectors:
        """The same as the news floor's own type."""
        return Selectors(**self.model_dump())


class SourceSettings(Section):
    """An address we poll. Only ``id`` and ``url`` are required."""

    id: Identifier
    url: WebAddress
    kind: SourceKind = SourceKind.AUTO
    title: str = ""
    language: Language | None = None
    network: str | None = None
    region: str | None = None
    timezone: Zone = "UTC"
    interval: Duration | None = None
    enabled: bool = True
    sections: dict[str, str] = Field(default_factory=dict)
    selectors: SelectorSettings = SelectorSettings()


class AdminSettings(Section):
    """Somebody who may manage sources from Telegram."""

    id: int
    role: Literal["owner", "editor"] = "owner"


class LoggingSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


def _as_admin(value: Any) -> Any:
    """Let a bare user id stand for an owner."""
    return {"id": value} if isinstance(value, int | str) and str(value).lstrip("-").isdigit() else value


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="VESTNIK_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    storage: StorageSettings = StorageSettings()
    telegram: TelegramSettings = TelegramSettings()
    web: WebSettings = WebSettings()
    fetch: FetchSettings = FetchSettings()
    #: Languages we expect news in; detection is limited to them.
    languages: Languages = ("ru", "en", "de", "fr", "es", "sr", "zh", "ar")
    networks: tuple[NetworkSettings, ...] = ()
    sources: tuple[SourceSettings, ...] = ()
    admins: Annotated[
        tuple[Annotated[AdminSettings, BeforeValidator(_as_admin)], ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file (handed in as init values)."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @model_validator(mode="after")
    def _webhook_has_address(self) -> Self:
        if self.telegram.webhook.enabled and not self.telegram.webhook.url:
            raise ValueError("telegram.webhook.enabled needs telegram.webhook.url: where Telegram reaches us")
        return self

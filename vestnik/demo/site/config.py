"""Settings of the demo: the shipped networks over the sources of the recorded site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vestnik.config import default_config
from vestnik.demo.site.content import Institution, SiteContent, load_content

#: How often the demo looks at each page: often enough to watch, rarely enough to read the log.
INTERVAL = "2s"
#: Lists of the central site: id, path, title, language, network.
_CENTRE_LISTS = (
    ("prlib-network-en", "/prlib/en/networknews", "Presidential Library: network", "en", None),
    ("prlib-network-ru", "/prlib/networknews", "Президентская библиотека: сеть", "ru", None),
    ("prlib-regional-ru", "/prlib/regional_events", "Президентская библиотека: регионы", "ru", "regional"),
    ("prlib-news-en", "/prlib/en/news", "Presidential Library: news", "en", None),
)


def demo_sources(
    site_url: str, *, interval: str = INTERVAL, content: SiteContent | None = None
) -> list[dict[str, Any]]:
    """The recorded site as rows of ``sources`` in ``config.yaml``."""
    institutions = (content or load_content()).institutions.values()
    centre = next(each for each in institutions if each.kind == "prlib")
    rows = [
        _row(
            site_url + path,
            id=name,
            kind="list",
            title=title,
            language=language,
            network=network,
            timezone=centre.timezone.key,
            interval=interval,
        )
        for name, path, title, language, network in _CENTRE_LISTS
    ]
    return rows + [_institution_row(site_url, each, interval) for each in institutions if each is not centre]


def demo_config(
    site_url: str,
    *,
    storage_url: str,
    telegram_url: str,
    telegram_token: str,
    web_port: int,
    interval: str = INTERVAL,
) -> dict[str, Any]:
    """All settings of the demo, ready for :class:`vestnik.settings.Settings` or a YAML file."""
    shipped = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    return {
        "storage": {"url": storage_url},
        "telegram": {"token": telegram_token, "api_base_url": telegram_url, "poll_timeout": "5s"},
        "web": {"host": "127.0.0.1", "port": web_port, "base_url": f"http://127.0.0.1:{web_port}"},
        "fetch": {
            # Loopback only: the demo's own pages live there.
            "allow_private_addresses": ["127.0.0.0/8"],
            "min_interval": interval,
            "host_pause": "0.05s",
        },
        "languages": shipped["languages"],
        "networks": shipped["networks"],
        "sources": demo_sources(site_url, interval=interval),
    }


def write_demo_config(path: Path, settings: dict[str, Any]) -> Path:
    """Write ``settings`` as a ``config.yaml`` the visitor can read."""
    path.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def _institution_row(site_url: str, each: Institution, interval: str) -> dict[str, Any]:
    return _row(
        site_url + each.path,
        id=each.id,
        kind="list" if each.kind == "list" else "feed",
        title=each.title,
        language=each.language,
        network=each.network,
        region=each.region,
        timezone=each.timezone.key,
        interval=interval,
    )


def _row(url: str, **values: Any) -> dict[str, Any]:
    named = {key: value for key, value in values.items() if value is not None}
    return {"id": named.pop("id"), "url": url, **named}

"""What the recorded site knows: institutions, their news, and news prepared for live publishing.

Reads the data files in ``content/`` (their README explains the format) and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml

from feeds.model import LanguageCode, RegionCode

FOLDER = Path(__file__).with_name("content")
#: Files that hold the news of one institution; ``houses.yaml`` holds several.
_SINGLE = ("prlib", "penza", "tyumen")

InstitutionKind = Literal["prlib", "rss", "atom", "list"]
NetworkLabel = Literal["regional", "foreign", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One piece of news in one language, plain text."""

    title: str
    teaser: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """One piece of news of one institution; the same number in every language."""

    id: int
    institution: str
    published: datetime
    #: What it is about, by hand: for tests and people, never shown to the collector.
    network: NetworkLabel
    regions: tuple[RegionCode, ...]
    texts: Mapping[LanguageCode, Words]
    #: False where the item's own page shows no date.
    date_line: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """Who publishes, where and how."""

    id: str
    kind: InstitutionKind
    titles: Mapping[LanguageCode, str]
    language: LanguageCode
    timezone: ZoneInfo
    #: Address of the list or feed, and of one item (``{id}``), below the site's own address.
    path: str
    item: str
    #: HTML front page of an institution that publishes a feed; empty for others.
    home: str = ""
    heading: str = ""
    layout: str = ""
    encoding: str = "utf-8"
    #: Defaults of the source in the demo's settings.
    network: str | None = None
    region: RegionCode | None = None

    @property
    def title(self) -> str:
        """Name in the institution's own language."""
        return self.titles[self.language]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedNews:
    """News waiting to be published about a region."""

    region: RegionCode
    network: NetworkLabel
    texts: Mapping[LanguageCode, Words]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContent:
    """Everything the recorded site starts with."""

    institutions: Mapping[str, Institution]
    items: tuple[NewsItem, ...]
    prepared: tuple[PreparedNews, ...]
    #: By network; titles and texts carry ``{region}``.
    fallback: Mapping[str, tuple[Mapping[LanguageCode, Words], ...]]


def load_content(folder: Path = FOLDER) -> SiteContent:
    """Read the data files. Raises :class:`KeyError` or :class:`ValueError` on a malformed file."""
    institutions = {row["id"]: _institution(row) for row in _read(folder / "sites.yaml")}
    recorded = {name: _read(folder / f"{name}.yaml") for name in _SINGLE} | _read(folder / "houses.yaml")
    prepared = _read(folder / "prepared.yaml")
    return SiteContent(
        institutions=institutions,
        items=tuple(_items(recorded, institutions)),
        prepared=tuple(_prepared(row) for row in prepared["items"]),
        fallback={
            network: tuple(_texts(each) for each in choices)
            for network, choices in prepared["fallback"].items()
        },
    )


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _institution(row: Mapping[str, Any]) -> Institution:
    known = {key: value for key, value in row.items() if key not in {"title", "timezone"}}
    return Institution(**known, titles=row["title"], timezone=ZoneInfo(row["timezone"]))


def _items(
    recorded: Mapping[str, list[Mapping[str, Any]]], institutions: Mapping[str, Institution]
) -> Iterator[NewsItem]:
    for name, rows in recorded.items():
        for row in rows:
            yield NewsItem(
                id=row["id"],
                institution=name,
                published=_moment(row["date"], row["id"], institutions[name].timezone),
                network=row["network"],
                regions=tuple(row["regions"]),
                texts=_texts(row["texts"]),
                date_line=row.get("date_line", True),
            )


def _prepared(row: Mapping[str, Any]) -> PreparedNews:
    return PreparedNews(region=row["region"], network=row["network"], texts=_texts(row["texts"]))


def _texts(rows: Mapping[str, Mapping[str, str]]) -> dict[LanguageCode, Words]:
    return {LanguageCode(language): Words(**words) for language, words in rows.items()}


def _moment(day: date, number: int, timezone: ZoneInfo) -> datetime:
    """An hour of a working day, the same on every run; only the day is a recorded fact."""
    return datetime.combine(day, time(9 + number % 9, number % 60), timezone).astimezone(UTC)

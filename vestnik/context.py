"""The composition root: everything the program is made of, wired once, handed over by argument."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from feeds.classify import Classifier, build_classifier
from feeds.fetch import Fetcher, FetchLimits
from feeds.guard import parse_networks
from feeds.model import LanguageCode
from feeds.pace import HostPace, PaceRules
from storage import migrate, sources
from storage.database import Database, StorageError, describe_failure, without_password
from vestnik import __version__
from vestnik.config import Configuration
from vestnik.findings import Finder


def utc_now() -> datetime:
    """The one clock of the program."""
    return datetime.now(UTC)


def user_agent(contact: str) -> str:
    """Who we are, honestly: name, version, and how to reach whoever runs us."""
    return f"Vestnik/{__version__} (+{contact})" if contact else f"Vestnik/{__version__} (feed aggregator)"


def make_classifier(config: Configuration) -> Classifier:
    """The classifier for the configured networks and languages."""
    languages = tuple(LanguageCode(each) for each in config.settings.languages)
    return build_classifier(config.networks, languages=languages)


def make_finder(config: Configuration) -> Finder:
    """What compares documents with storage and labels what is new."""
    return Finder(classifier=make_classifier(config), networks=config.networks)


def make_fetcher(config: Configuration) -> Fetcher:
    """The one HTTP client, with the configured limits and openings in the guard."""
    fetch = config.settings.fetch
    return Fetcher(
        user_agent=user_agent(fetch.contact),
        clock=utc_now,
        allow_private=fetch.allow_private_addresses,
        limits=FetchLimits(total=fetch.timeout, raw_bytes=fetch.max_bytes, body_bytes=2 * fetch.max_bytes),
        pace=HostPace(
            clock=utc_now,
            rules=PaceRules(gap=fetch.host_pause),
            allowed=parse_networks(fetch.allow_private_addresses),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open database at the current schema, with the declared sources in it."""

    database: Database
    synced: sources.SyncResult


@contextmanager
def in_words(url: str) -> Iterator[None]:
    """Turn whatever storage at ``url`` fails with into a :class:`StorageError` for the admin."""
    try:
        yield
    except DBAPIError as error:
        raise StorageError(describe_failure(error, url)) from error
    except OSError as error:
        raise StorageError(
            f"storage {without_password(url)}: {error}. Is the database running there?"
        ) from error


@asynccontextmanager
async def open_storage(config: Configuration, *, declare: bool = True) -> AsyncIterator[Opened]:
    """Open storage, upgrade its schema and declare the configured sources.

    Raises :class:`StorageError` in words for the admin when it can't be used.
    """
    url = config.settings.storage.url
    database = Database.open(url)
    try:
        with in_words(url):
            await migrate.upgrade(database)
            synced = sources.SyncResult(added=(), changed=(), removed=())
            if declare:
                async with database.write() as session:
                    synced = await sources.declare(session, config.sources, now=utc_now())
        yield Opened(database=database, synced=synced)
    finally:
        await database.close()

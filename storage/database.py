"""The database: one engine, readers side by side, one writer at a time.

SQLite runs in WAL mode with foreign keys on and full synchronisation: a commit that returned
survives kill -9 and power loss. On PostgreSQL readers take a snapshot, as SQLite's do by themselves;
writers run side by side there and meet at row locks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

#: How long a writer waits for another process before it gives up, in milliseconds.
_BUSY_TIMEOUT_MS = 30_000
#: Pages kept in memory per connection, in KiB (negative means KiB to SQLite).
_CACHE_KIB = -8_000

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


class StorageError(Exception):
    """The database can't be used; says what, where and what to do."""


class Database:
    """Hands out sessions: :meth:`read` for looking, :meth:`write` for changing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._write_engine = engine.execution_options(vestnik_write=True)
        # PostgreSQL would otherwise show each statement of one session a newer state.
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._read_engine = engine if self.is_sqlite else engine.execution_options(**snapshot)
        # SQLite has one writer anyway; waiting here keeps the queue fair and the loop free.
        self._writer = asyncio.Lock() if self.is_sqlite else None

    @classmethod
    def open(cls, url: str) -> Database:
        """Make the engine for ``url``; connects on first use.

        ``sqlite:///file`` and ``postgresql://...`` get their async drivers by themselves.
        Raises :class:`StorageError` for an address nobody can use.
        """
        try:
            return cls(_make_engine(make_url(url)))
        except (ArgumentError, InvalidRequestError, ModuleNotFoundError) as error:
            raise StorageError(
                f"storage.url {without_password(url)!r} can't be used: {error}. "
                "Write sqlite:///var/vestnik.db or postgresql://user:password@host/name."
            ) from error
        except OSError as error:
            raise StorageError(f"storage.url {url!r}: its folder can't be made: {error}.") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session that sees one consistent state; nothing it does is kept."""
        async with AsyncSession(self._read_engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose changes are committed together on a clean exit, or not at all."""
        if self._writer is None:
            async with self._transaction() as session:
                yield session
        else:
            async with self._writer, self._transaction() as session:
                yield session

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self._write_engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def close(self) -> None:
        """Give all connections back; SQLite folds its WAL into the file."""
        await self.engine.dispose()


def describe_failure(error: DBAPIError, url: str) -> str:
    """Say in one line why the database refused, and what to do about it."""
    text = str(error.orig)
    for sign, advice in _ADVICE.items():
        if sign in text:
            return f"storage {without_password(url)}: {text}. {advice}"
    return f"storage {without_password(url)}: {text}."


_ADVICE = {
    "database or disk is full": "Free some space; nothing already stored is lost.",
    "disk I/O error": "The disk is full or failing; free some space, nothing already stored is lost.",
    "readonly database": "Give the service write permission to the file and its folder.",
    "unable to open database file": "Check that the folder exists and the service may write there.",
    "database is locked": "Another program holds the file; stop it or wait.",
    "malformed": "The file is damaged; restore a backup.",
    "not a database": "Another file lies there; point storage.url elsewhere or move it away.",
    "password authentication failed": "Check user and password in storage.url.",
    "Connect call failed": "Is PostgreSQL running at that address?",
}


def without_password(url: str) -> str:
    """``url`` as it may be shown and logged, also when nobody can parse it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return re.sub(r":[^:@/]*@", ":***@", url)
    return url if parsed.password is None else parsed.render_as_string(hide_password=True)


def _make_engine(url: URL) -> AsyncEngine:
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    if not url.database or url.database == ":memory:" or url.query.get("mode") == "memory":
        raise ArgumentError("it names no file, and news kept in memory would be gone at the next start")
    _make_folder(url.database)
    engine = create_async_engine(url, pool_size=5, max_overflow=10)
    _prepare_sqlite(engine)
    return engine


def _make_folder(database: str) -> None:
    if not database.startswith("file:"):
        Path(database).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Set up each connection, and begin transactions ourselves.

    The driver's own implicit BEGIN is deferred: a reader that turns writer can then fail with
    "database is locked" at once, whatever the timeout. Writers begin IMMEDIATE instead.
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes
    """

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size={_CACHE_KIB}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("vestnik_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


__all__ = [
    "DBAPIError",
    "Database",
    "OperationalError",
    "StorageError",
    "describe_failure",
    "without_password",
]

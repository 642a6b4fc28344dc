"""Copies of a SQLite database: taken while the service runs, checked before they count.

PostgreSQL has its own tools (pg_dump, pg_restore), which do this better than we could.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from storage.database import StorageError
from storage.leases import is_owner_dead

#: Pages per step; between steps writers get their turn.
_PAGES = 512
_TABLES = ("items", "sources", "subscribers", "subscriptions", "outbox")


def database_file(url: str) -> Path:
    """The file behind ``storage.url``. Raises :class:`StorageError` for anything but SQLite."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise StorageError("backup and restore copy SQLite files; for PostgreSQL use pg_dump and pg_restore.")
    return Path(parsed.database)


def back_up(url: str, target: Path, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Write a consistent copy to ``target``, also while the service runs; returns rows per table.

    ``progress`` is told pages done and pages in all. Raises :class:`StorageError`.
    """
    source = database_file(url)
    if not source.exists():
        raise StorageError(f"{source}: there is no database yet; nothing to back up.")
    part = target.with_name(target.name + ".part")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total))
        rows = verify(part)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{target}: the backup could not be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return rows


def restore(url: str, backup: Path) -> dict[str, int]:
    """Put a checked backup in the place of the database; what was there is kept beside it.

    Raises :class:`StorageError` when the backup is no good or the service still runs.
    """
    target = database_file(url)
    if not backup.exists():
        raise StorageError(f"{backup}: there is no such file.")
    rows = verify(backup)
    if target.exists() and (owner := _running(target)):
        raise StorageError(f"the service still runs ({owner}); stop it first, then restore.")
    try:
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup, part)
        with part.open("rb") as copied:
            os.fsync(copied.fileno())
        _set_aside(target)
        part.replace(target)
    except OSError as error:
        raise StorageError(
            f"{target}: could not be restored: {error}. The old database is still there."
        ) from error
    return rows


def verify(file: Path) -> dict[str, int]:
    """Check a copy page by page; returns rows per table. Raises :class:`StorageError` when it is damaged."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            damage = [row[0] for row in copy.execute("PRAGMA integrity_check") if row[0] != "ok"]
            if damage:
                raise StorageError(f"{file}: is damaged: {damage[0]}.")
            return {t: copy.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in _TABLES}  # noqa: S608 - our own names
    except sqlite3.Error as error:
        raise StorageError(f"{file}: is no backup of Vestnik: {error}.") from error


def _running(file: Path) -> str:
    """Who holds a lease on the database; empty when nobody does."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            leases = database.execute("SELECT owner, until FROM leases").fetchall()
    except sqlite3.Error:
        return ""  # damaged or empty: the very reason to restore
    now = datetime.now(UTC).replace(tzinfo=None)
    held = [
        owner for owner, until in leases if datetime.fromisoformat(until) > now and not is_owner_dead(owner)
    ]
    return held[0] if held else ""


def _set_aside(target: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file = target.with_name(target.name + suffix)
        if file.exists():
            file.replace(target.with_name(f"{target.name}.before-restore{suffix}"))

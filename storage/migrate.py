"""Bringing the schema up to date, with Alembic, from inside the program.

Migrations are append-only. An empty database gets every one of them; so does an old one.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from storage.database import Database, StorageError
from storage.models import Base

_FOLDER = Path(__file__).parent / "migrations"
#: Name of the advisory lock, the bytes of "vest".
_UPGRADING = 0x76657374


async def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply what is missing; returns the revision before and after.

    Raises :class:`StorageError` when the database was made by a newer Vestnik.
    """
    async with database.engine.connect() as connection:
        before = await connection.run_sync(_current)
        known = ScriptDirectory.from_config(_config())
        head = known.get_current_head() or ""
        if before == head:
            return before, head
        if before is not None and before not in {each.revision for each in known.walk_revisions()}:
            raise StorageError(
                f"the database is at revision {before}, which this version of Vestnik does not know: "
                "it was upgraded by a newer one. Install that version, or restore a backup."
            )
        await connection.rollback()
    async with database.engine.execution_options(vestnik_write=True).begin() as connection:
        # Processes that start together queue here, as SQLite's BEGIN IMMEDIATE makes them do; the
        # second finds nothing left to apply.
        if not database.is_sqlite:
            await connection.execute(select(func.pg_advisory_xact_lock(_UPGRADING)))
        await connection.run_sync(_upgrade)
    return before, head


async def differences(database: Database) -> list[str]:
    """Where the schema differs from the models; empty when they agree."""
    async with database.engine.connect() as connection:
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    return [str(each) for each in found]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")

"""The few places where SQLite and PostgreSQL want different words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, CursorResult, Result, Table, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

Element = TypeVar("Element")

#: Rows or values per statement, far below SQLite's 32 766 and asyncpg's 32 767 parameters.
CHUNK = 500


def insert_into(session: AsyncSession, model: type[DeclarativeBase]) -> Any:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the type; every model has a table
    dialect = session.get_bind().dialect.name
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def chunks(values: Sequence[Element], size: int = CHUNK) -> Iterator[Sequence[Element]]:
    """``values`` in slices of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def rows_changed(result: Result[Any]) -> int:
    """How many rows an INSERT, UPDATE or DELETE touched."""
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type of what execute() returns
    return result.rowcount


async def alone(session: AsyncSession, task: str) -> None:
    """Let no other transaction do ``task`` until this one ends; SQLite's writers are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 0))))


def is_open(state: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether an outbox row is still to be sent, in the words of ``ix_outbox_open``.

    Written out: SQLite uses a partial index only where it finds its condition again, and a bound
    value is none.
    """
    return state.in_([literal_column("'queued'"), literal_column("'sending'")])

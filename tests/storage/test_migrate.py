"""Any database becomes today's; one from tomorrow is refused."""

import asyncio
import shutil
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from storage import migrate, sources
from storage.database import Database, StorageError
from storage.migrate import differences, upgrade
from storage.models import Base, SourceRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def tables(database):
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


@pytest.fixture
async def empty(empty_url):
    database = Database.open(empty_url)
    yield database
    await database.close()


async def test_an_empty_database_becomes_what_the_models_say(empty):
    before, after = await upgrade(empty)
    assert before is None
    assert after
    assert await tables(empty) == {*Base.metadata.tables, "alembic_version"}
    assert await differences(empty) == []


async def test_a_schema_that_drifted_is_seen(shelf):
    async with shelf.database.write() as session:
        await session.execute(text("DROP INDEX ix_item_scopes_newest"))
    assert "ix_item_scopes_newest" in "".join(await differences(shelf.database))


async def test_upgrading_twice_changes_nothing(empty):
    _, head = await upgrade(empty)
    async with empty.write() as session:
        session.add(_source_row())
    assert await upgrade(empty) == (head, head)
    async with empty.read() as session:
        assert await session.scalar(select(SourceRow.id)) == "lib"


async def test_a_database_of_a_newer_version_is_refused_in_words_and_untouched(shelf):
    async with shelf.database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"revision 9999.*newer.*restore a backup"):
        await upgrade(shelf.database)
    async with shelf.database.read() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert [each.id for each in await sources.all_sources(session)] == ["lib"]


async def test_processes_that_start_together_upgrade_once(empty_url):
    """On several machines the service may start at one moment over one empty database."""
    together = [Database.open(empty_url) for _ in range(4)]
    async with asyncio.timeout(30):
        await asyncio.gather(*(upgrade(each) for each in together))
    assert await differences(together[0]) == []
    for each in together:
        await each.close()


_BROKEN = '''"""breaks half-way"""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("state", sa.Column("half", sa.Integer()))
    op.execute("INSERT INTO nowhere VALUES (1)")
'''


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(shelf, tmp_path, monkeypatch):
    before = await tables(shelf.database)
    folder = tmp_path / "migrations"
    shutil.copytree(migrate._FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0002_broken.py").write_text(_BROKEN)
    monkeypatch.setattr(migrate, "_FOLDER", folder)
    with pytest.raises(Exception, match="nowhere"):
        await upgrade(shelf.database)
    assert await tables(shelf.database) == before
    assert await differences(shelf.database) == []
    async with shelf.database.read() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "0001"


def _source_row():
    return SourceRow(
        id="lib",
        url="https://lib.example/feed",
        kind="auto",
        title="",
        timezone="UTC",
        enabled=True,
        sections={},
        selectors={},
        origin="config",
        next_poll_at=NOW,
    )


async def test_going_back_leaves_nothing_and_forward_again_everything(empty):
    await upgrade(empty)
    async with empty.engine.execution_options(vestnik_write=True).begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(migrate._config(sync), "base"))
    assert await tables(empty) == {"alembic_version"}
    await upgrade(empty)
    assert await differences(empty) == []

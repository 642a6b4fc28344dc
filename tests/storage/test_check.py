"""What must not be is found, each by really making it."""

import sqlite3
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, text, update

from storage import outbox
from storage.check import problems
from storage.database import Database
from storage.models import ItemRow, ItemScopeRow, OutboxRow, StateRow, StoryRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def found(shelf):
    async with shelf.database.read() as session:
        return await problems(session)


@pytest.fixture
async def filled(shelf):
    """A healthy database with a bit of everything."""
    await shelf.reader("all")
    await shelf.fan_out(*await shelf.add(shelf.new("One"), shelf.new("Two")))
    async with shelf.database.write() as session:
        (head,) = await outbox.heads(session, now=NOW, limit=1)
        await outbox.mark_sending(session, [head.id], now=NOW)
        await outbox.mark_sent(session, head.id, message_id=1, now=NOW)
    return shelf


async def test_a_healthy_database_has_no_problems(filled):
    assert await found(filled) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            delete(ItemScopeRow).where(ItemScopeRow.scope == "all"),
            "2 items are filed nowhere, not even under 'all'.",
        ),
        (insert(StoryRow).values(created_at=NOW), "1 stories have no item."),
        (
            update(OutboxRow).where(OutboxRow.state == "queued").values(state="lost"),
            "1 outbox rows are in a state that does not exist.",
        ),
        (update(OutboxRow).values(message_id=None), "1 outbox rows are 'sent' without a message."),
        (
            update(OutboxRow)
            .where(OutboxRow.state == "queued")
            .values(item_id=OutboxRow.item_id - 1),
            "1 outbox rows tell an item of another story.",
        ),
    ],
    ids=["unfiled", "empty-story", "state", "no-message", "wrong-item"],
)  # fmt: skip
async def test_nonsense_is_counted_and_named(filled, damage, told):
    async with filled.database.write() as session:
        await session.execute(damage)
    assert await found(filled) == [told]


async def test_several_problems_are_all_told(filled):
    async with filled.database.write() as session:
        await session.execute(delete(ItemScopeRow))
        await session.execute(update(OutboxRow).values(state="lost"))
    assert len(await found(filled)) == 2


async def test_rows_that_point_to_nothing_are_found_in_sqlite(sqlite_shelf, tmp_path):
    """Another program with foreign keys off can leave them."""
    item_id = await sqlite_shelf.item()
    with sqlite3.connect(tmp_path / "news.db") as foreign:
        foreign.execute("DELETE FROM items WHERE id = ?", [item_id])
    foreign.close()
    told = "\n".join(await found(sqlite_shelf))
    assert "table item_scopes, row" in told
    assert "points to nothing in items." in told


async def test_damage_in_the_file_is_found(sqlite_shelf, tmp_path):
    """One flipped byte in a row that an index holds too."""
    async with sqlite_shelf.database.write() as session:
        await session.execute(insert(StateRow).values(key="needle-in-a-haystack", value="x"))
    await sqlite_shelf.database.close()
    file = tmp_path / "news.db"
    content = file.read_bytes()
    assert content.count(b"needle-in-a-haystack") == 2  # table and index
    file.write_bytes(content.replace(b"needle-in-a-haystack", b"noodle-in-a-haystack", 1))
    reopened = Database.open(sqlite_shelf.url)
    async with reopened.read() as session:
        told = await problems(session)
    await reopened.close()
    assert told
    assert all(each.startswith("the file is damaged: ") for each in told)


async def test_checking_changes_nothing(filled):
    async with filled.database.write() as session:
        await session.execute(update(ItemRow).values(title="kept"))
    await found(filled)
    async with filled.database.read() as session:
        assert set(await session.scalars(text("SELECT title FROM items"))) == {"kept"}

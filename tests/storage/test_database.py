"""One writer, many readers, all or nothing."""

import asyncio
import subprocess
import sys

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage import state
from storage.database import Database, StorageError, describe_failure
from storage.models import ItemKeyRow, StateRow


async def value(database, key="key"):
    async with database.read() as session:
        return await state.value_of(session, key)


async def put(database, value, key="key"):
    async with database.write() as session:
        await state.set_value(session, key, value)


async def test_a_write_is_kept_as_a_whole(shelf, another):
    async with shelf.database.write() as session:
        await state.set_value(session, "one", "1")
        await state.set_value(session, "two", "2")
    other = another()
    assert [await value(other, "one"), await value(other, "two")] == ["1", "2"]


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
async def test_a_write_that_fails_leaves_nothing_behind(shelf, error):
    async def fail():
        async with shelf.database.write() as session:
            await state.set_value(session, "key", "half")
            raise error

    with pytest.raises(error):
        await fail()
    assert await value(shelf.database) is None
    await put(shelf.database, "whole")
    assert await value(shelf.database) == "whole"


async def test_a_cancelled_write_frees_the_way_for_the_next(shelf):
    begun = asyncio.Event()

    async def hang():
        async with shelf.database.write() as session:
            await state.set_value(session, "key", "half")
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await put(shelf.database, "next")
    assert await value(shelf.database) == "next"


async def test_nothing_done_in_a_read_is_kept(shelf):
    try:
        async with shelf.database.read() as session:
            await state.set_value(session, "key", "written in a read")
    except DBAPIError:
        assert not shelf.database.is_sqlite  # PostgreSQL says so at once
    assert await value(shelf.database) is None


async def test_a_reader_sees_one_state_while_a_writer_writes(shelf):
    await put(shelf.database, "old")
    async with shelf.database.read() as session:
        assert await state.value_of(session, "key") == "old"
        async with asyncio.timeout(5):  # the writer does not wait for the reader
            await put(shelf.database, "new")
        assert await state.value_of(session, "key") == "old"
    assert await value(shelf.database) == "new"


async def test_a_reader_neither_waits_for_a_writer_nor_sees_its_half(shelf):
    await put(shelf.database, "old")
    async with shelf.database.write() as session:
        await state.set_value(session, "key", "half")
        async with asyncio.timeout(5):
            assert await value(shelf.database) == "old"


async def test_many_readers_work_side_by_side(shelf):
    ready = asyncio.Barrier(8)

    async def read():
        async with shelf.database.read() as session:
            await state.value_of(session, "key")
            await ready.wait()  # all eight hold a session at this moment

    async with asyncio.timeout(10):
        await asyncio.gather(*(read() for _ in range(8)))


async def test_writers_of_one_sqlite_file_take_turns(sqlite_shelf):
    await put(sqlite_shelf.database, "0")

    async def count():
        async with sqlite_shelf.database.write() as session:
            seen = int(await state.value_of(session, "key"))
            await asyncio.sleep(0)
            await state.set_value(session, "key", str(seen + 1))

    await asyncio.gather(*(count() for _ in range(20)))
    assert await value(sqlite_shelf.database) == "20"


async def test_a_writer_waits_for_the_writer_of_another_engine(sqlite_shelf):
    """A second engine is as foreign as a second process: it must wait, not fail."""
    other = Database.open(sqlite_shelf.url)
    async with sqlite_shelf.database.write() as session:
        await state.set_value(session, "key", "first")
        waiting = asyncio.create_task(put(other, "second"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    await waiting
    assert await value(other) == "second"
    await other.close()


async def test_what_points_to_nothing_is_refused(shelf):
    with pytest.raises(IntegrityError):
        async with shelf.database.write() as session:
            await session.execute(insert(ItemKeyRow).values(source_id="nobody", key="k", item_id=None))


async def test_sqlite_runs_as_promised(sqlite_shelf):
    """Write-ahead log, foreign keys, full synchronisation: on every connection of the pool."""
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30_000}
    async with sqlite_shelf.database.read() as first, sqlite_shelf.database.write() as second:
        for session in (first, second):
            found = {name: await session.scalar(text(f"PRAGMA {name}")) for name in wanted}
            assert found == wanted


_COUNT = """
import asyncio, sys
from storage import state
from storage.database import Database

async def main(url, times):
    database = Database.open(url)
    for _ in range(times):
        async with database.write() as session:
            await state.next_revision(session)
    await database.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.slow
async def test_two_processes_writing_lose_nothing(shelf):
    def count():
        subprocess.run([sys.executable, "-c", _COUNT, shelf.url, "40"], check=True, timeout=60)

    await asyncio.gather(*(asyncio.to_thread(count) for _ in range(2)))
    async with shelf.database.read() as session:
        assert await state.revision(session) == 80


_DIE = """
import asyncio, os, signal, sys
from storage import state
from storage.database import Database

async def main(url):
    database = Database.open(url)
    async with database.write() as session:
        await state.set_value(session, "key", "committed")
    async with database.write() as session:
        await state.set_value(session, "key", "half")
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.slow
async def test_kill_9_keeps_what_was_committed_and_drops_the_half(shelf):
    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _DIE, shelf.url], timeout=60)
    assert ended.returncode == -9
    assert await value(shelf.database) == "committed"
    await put(shelf.database, "and on it goes")


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("no address at all", "can't be used"),
        ("mysql://root@127.0.0.1/news", "can't be used"),
        ("unheard-of://x", "can't be used"),
        ("sqlite+pysqlite:///news.db", "can't be used"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        ("sqlite:////proc/nowhere/news.db", "folder"),
    ],
)
def test_an_address_nobody_can_use_is_refused_in_words(address, word):
    with pytest.raises(StorageError, match=word) as refused:
        Database.open(address)
    assert address in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["mysql://anna:secret@127.0.0.1/news", "unheard-of://anna:secret@x", "postgres//anna:secret@host/news"],
)
def test_a_refused_address_does_not_show_its_password(address):
    with pytest.raises(StorageError) as refused:
        Database.open(address)
    assert "secret" not in str(refused.value)
    assert "anna" in str(refused.value)


async def test_the_folder_of_a_new_file_is_made(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/deep/er/news.db")
    async with database.read() as session:
        assert await session.scalar(select(1)) == 1
    await database.close()
    assert (tmp_path / "deep/er/news.db").exists()


async def test_no_connection_is_left_after_close(sqlite_shelf, tmp_path):
    await put(sqlite_shelf.database, "value")
    await sqlite_shelf.database.close()
    assert not (tmp_path / "news.db-wal").exists()


async def test_a_foreign_file_is_refused_in_words(tmp_path):
    (tmp_path / "notes.db").write_text("Dear diary, this is not a database.\n" * 100)
    url = f"sqlite:///{tmp_path}/notes.db"
    database = Database.open(url)
    with pytest.raises(DBAPIError) as refused:
        async with database.read() as session:
            await session.scalar(select(func.count()).select_from(StateRow))
    assert "Another file lies there" in describe_failure(refused.value, url)
    await database.close()


async def test_a_full_disk_is_named_and_leaves_the_data_intact(sqlite_shelf):
    """SQLite is told that the disk ends here; the write fails as a whole."""

    async def write_much():
        async with sqlite_shelf.database.write() as session:
            pages = await session.scalar(text("PRAGMA page_count"))
            await session.execute(text(f"PRAGMA max_page_count = {pages}"))
            await session.execute(update(StateRow).values(value="half"))
            await state.set_value(session, "much", "x" * 1_000_000)

    await put(sqlite_shelf.database, "kept")
    with pytest.raises(OperationalError) as refused:
        await write_much()
    assert "Free some space" in describe_failure(refused.value, sqlite_shelf.url)
    assert await value(sqlite_shelf.database) == "kept"


def test_a_failure_is_told_without_the_password():
    error = DBAPIError("SELECT 1", None, Exception("password authentication failed for user anna"))
    told = describe_failure(error, "postgresql://anna:secret@db/news")
    assert told.startswith("storage postgresql://anna:***@db/news: password authentication failed")
    assert told.endswith("Check user and password in storage.url.")


def test_an_unheard_of_failure_is_told_as_it_is():
    told = describe_failure(DBAPIError("SELECT 1", None, Exception("the moon fell down")), "sqlite:///n.db")
    assert told == "storage sqlite:///n.db: the moon fell down."

"""A backup is whole, made while the service runs, and checked before it replaces anything."""

import shutil
import sqlite3
import subprocess
import sys

import pytest

from storage import state
from storage.backup import back_up, restore, verify
from storage.database import Database, StorageError


def quiet(_done, _total):
    pass


async def put(database, value):
    async with database.write() as session:
        await state.set_value(session, "key", value)


async def read(url):
    database = Database.open(url)
    async with database.read() as session:
        found = await state.value_of(session, "key")
    await database.close()
    return found


async def test_what_is_committed_is_in_the_backup_though_the_service_runs(sqlite_shelf, tmp_path):
    await sqlite_shelf.add(sqlite_shelf.new("One"), sqlite_shelf.new("Two"))
    await put(sqlite_shelf.database, "committed")
    seen = []
    async with sqlite_shelf.database.write() as session:
        await state.set_value(session, "key", "half")
        rows = back_up(sqlite_shelf.url, tmp_path / "copy.db", progress=lambda *step: seen.append(step))
    assert (rows["items"], rows["sources"], rows["outbox"]) == (2, 1, 0)
    assert seen[-1][0] == seen[-1][1] > 0
    assert await read(f"sqlite:///{tmp_path}/copy.db") == "committed"


async def test_a_backup_brings_the_state_back_and_keeps_what_was_there(sqlite_shelf, tmp_path):
    await put(sqlite_shelf.database, "before")
    back_up(sqlite_shelf.url, tmp_path / "copy.db", progress=quiet)
    await put(sqlite_shelf.database, "after")
    await sqlite_shelf.database.close()
    restore(sqlite_shelf.url, tmp_path / "copy.db")
    assert await read(sqlite_shelf.url) == "before"
    assert await read(f"sqlite:///{tmp_path}/news.db.before-restore") == "after"


async def test_a_backup_is_restored_where_nothing_was(sqlite_shelf, tmp_path):
    await put(sqlite_shelf.database, "value")
    back_up(sqlite_shelf.url, tmp_path / "copy.db", progress=quiet)
    url = f"sqlite:///{tmp_path}/new/place.db"
    restore(url, tmp_path / "copy.db")
    assert await read(url) == "value"


def test_a_damaged_or_foreign_file_replaces_nothing(blank, tmp_path):
    shutil.copy(blank, tmp_path / "news.db")
    before = (tmp_path / "news.db").read_bytes()
    content = bytearray(before)
    content[4096:8192] = b"\xff" * 4096
    (tmp_path / "damaged.db").write_bytes(content)
    (tmp_path / "notes.db").write_text("no database")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE cakes (name)")
    other.close()
    for name in ("damaged.db", "notes.db", "other.db", "missing.db"):
        with pytest.raises(StorageError, match=name):
            restore(f"sqlite:///{tmp_path}/news.db", tmp_path / name)
    assert (tmp_path / "news.db").read_bytes() == before


def test_nothing_is_restored_under_a_running_service(blank, tmp_path):
    """It would go on writing into the file that was moved away."""
    shutil.copy(blank, tmp_path / "news.db")
    shutil.copy(blank, tmp_path / "copy.db")
    url = f"sqlite:///{tmp_path}/news.db"
    service = subprocess.Popen(
        [sys.executable, "-c", _HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert service.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match="still runs"):
            restore(url, tmp_path / "copy.db")
    finally:
        service.communicate(b"\n", timeout=30)
    restore(url, tmp_path / "copy.db")


_HOLD = """
import asyncio, sys
from datetime import UTC, datetime
from storage import leases
from storage.database import Database

async def main():
    database = Database.open(sys.argv[1])
    async with database.write() as session:
        await leases.take(session, "deliver", owner=leases.process_owner(), now=datetime.now(UTC))
    print("held", flush=True)
    input()

asyncio.run(main())
"""


@pytest.mark.parametrize("target", ["nowhere/copy.db", "folder"])
def test_a_place_that_takes_no_backup_is_told_and_nothing_half_is_left(blank, tmp_path, target):
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="could not be written"):
        back_up(f"sqlite:///{blank}", tmp_path / target, progress=quiet)
    assert not list(tmp_path.rglob("*.part"))


def test_only_sqlite_files_that_exist_are_copied(tmp_path):
    with pytest.raises(StorageError, match="nothing to back up"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db", progress=quiet)
    for act in (
        lambda: back_up("postgresql://db/news", tmp_path / "copy.db", progress=quiet),
        lambda: restore("postgresql://db/news", tmp_path / "copy.db"),
    ):
        with pytest.raises(StorageError, match="pg_dump"):
            act()


def test_a_good_copy_is_counted(blank):
    assert verify(blank)["items"] == 0

"""One holder at a time, and a quick takeover from the dead."""

import asyncio
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from storage import leases
from storage.leases import LEASE_TIME

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=5)


async def take(shelf, owner, *, now=NOW, name="deliver"):
    async with shelf.database.write() as session:
        return await leases.take(session, name, owner=owner, now=now)


async def test_a_free_lease_is_taken_and_renewed(shelf):
    assert await take(shelf, "here:1")
    assert await take(shelf, "here:1", now=SOON)
    # Renewed: it ends counted from the renewal.
    assert not await take(shelf, "there:2", now=NOW + LEASE_TIME)
    assert await take(shelf, "there:2", now=SOON + LEASE_TIME)


async def test_a_held_lease_is_not_stolen(shelf):
    assert await take(shelf, "elsewhere:1")
    assert not await take(shelf, "here:2", now=NOW + LEASE_TIME - timedelta(milliseconds=1))
    assert await take(shelf, "elsewhere:1", now=SOON)


async def test_a_lease_that_ran_out_is_taken_over_and_its_holder_told(shelf):
    await take(shelf, "elsewhere:1")
    assert await take(shelf, "here:2", now=NOW + LEASE_TIME)
    assert not await take(shelf, "elsewhere:1", now=NOW + LEASE_TIME)


async def test_leases_of_different_names_do_not_touch_each_other(shelf):
    assert await take(shelf, "here:1", name="deliver")
    assert await take(shelf, "there:2", name="poll")


async def test_a_lease_given_back_is_free_at_once(shelf):
    await take(shelf, "elsewhere:1")
    async with shelf.database.write() as session:
        await leases.release(session, "deliver", owner="elsewhere:1")
    assert await take(shelf, "here:2")


async def test_only_its_holder_gives_a_lease_back(shelf):
    await take(shelf, "elsewhere:1")
    async with shelf.database.write() as session:
        await leases.release(session, "deliver", owner="here:2")
    assert not await take(shelf, "here:2")


@pytest.mark.parametrize("already_there", [False, True])
async def test_of_many_who_ask_at_once_one_gets_it(shelf, another, already_there):
    """Also where each process has a connection of its own, and a dead holder's row lies there."""
    if already_there:
        await take(shelf, "elsewhere:0", now=NOW - LEASE_TIME)
    databases = [another() for _ in range(4)]
    meet = asyncio.Barrier(4)

    async def ask(number, database):
        if not shelf.database.is_sqlite:
            await meet.wait()
        async with database.write() as session:
            return await leases.take(session, "deliver", owner=f"elsewhere:{number}", now=NOW)

    for _ in range(5):
        asked = await asyncio.gather(*(ask(n, each) for n, each in enumerate(databases, 1)))
        assert sum(asked) == 1
        async with shelf.database.write() as session:
            await leases.release(session, "deliver", owner=f"elsewhere:{asked.index(True) + 1}")


def test_this_process_is_named_by_host_and_number():
    host, _, number = leases.process_owner().rpartition(":")
    assert host == socket.gethostname()
    assert number.isdigit()


async def test_a_process_that_died_here_is_succeeded_at_once(shelf):
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait(timeout=30)
    assert await take(shelf, f"{socket.gethostname()}:{dead.pid}")
    assert await take(shelf, "here:2", now=SOON)


async def test_a_process_that_lives_here_is_waited_for(shelf):
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert await take(shelf, f"{socket.gethostname()}:{living.pid}")
        assert not await take(shelf, "here:2", now=SOON)
    finally:
        living.communicate(b"\n", timeout=30)
    assert await take(shelf, "here:2", now=SOON)


@pytest.mark.parametrize("owner", ["elsewhere:1", "no number", f"{socket.gethostname()}:x", ":", ""])
async def test_nothing_is_guessed_about_owners_of_other_machines(shelf, owner):
    assert await take(shelf, owner)
    assert not await take(shelf, "here:2", now=SOON)


async def test_a_living_process_of_another_user_counts_as_living(shelf, monkeypatch):
    """Signals to it are refused, which proves that it lives."""

    def refuse(_pid, _signal):
        raise PermissionError

    await take(shelf, f"{socket.gethostname()}:1")
    monkeypatch.setattr(leases.os, "kill", refuse)
    assert not await take(shelf, "here:2", now=SOON)

"""Changes asked for together share a commit, and none pays for another's mistake."""

import asyncio

import pytest
from sqlalchemy import event, insert
from sqlalchemy.exc import IntegrityError

from storage import state
from storage.groupcommit import _MOST, GroupCommit
from storage.models import ItemKeyRow


@pytest.fixture
def commits(shelf):
    """How many transactions were committed."""
    counted = []
    event.listen(shelf.database.engine.sync_engine, "commit", counted.append)
    return counted


def put(key, value="1"):
    async def change(session):
        await state.set_value(session, key, value)
        return key

    return change


async def break_rule(session):
    await session.execute(insert(ItemKeyRow).values(source_id="nobody", key="k", item_id=None))


async def explode(_session):
    raise ValueError("no")


async def value(shelf, key):
    async with shelf.database.read() as session:
        return await state.value_of(session, key)


async def test_each_caller_gets_its_own_result_once_it_is_stored(shelf):
    group = GroupCommit(shelf.database)
    for key in ("a", "b"):
        assert await group.do(put(key)) == key
        assert await value(shelf, key) == "1"


async def test_many_at_once_share_few_commits_in_the_order_asked(shelf, commits):
    group = GroupCommit(shelf.database)
    results = await asyncio.gather(*(group.do(put("last", f"{n}")) for n in range(100)))
    assert len(results) == 100
    assert len(commits) <= 2
    assert await value(shelf, "last") == "99"


async def test_a_batch_is_bounded_so_that_other_writers_get_their_turn(shelf, commits):
    group = GroupCommit(shelf.database)
    await asyncio.gather(*(group.do(put(f"{n}")) for n in range(2 * _MOST + 1)))
    assert len(commits) >= 3


@pytest.mark.parametrize(("bad", "error"), [(break_rule, IntegrityError), (explode, ValueError)])
@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_bad_change_harms_only_its_caller(shelf, bad, error, position):
    group = GroupCommit(shelf.database)
    changes = [put("a"), put("b")]
    changes.insert(position, bad)
    results = await asyncio.gather(*map(group.do, changes), return_exceptions=True)
    assert isinstance(results.pop(position), error)
    assert results == ["a", "b"]
    assert [await value(shelf, key) for key in "ab"] == ["1", "1"]


async def test_a_bad_change_alone_is_told_and_the_next_works(shelf):
    group = GroupCommit(shelf.database)
    with pytest.raises(ValueError, match="no"):
        await group.do(explode)
    assert await group.do(put("a")) == "a"


async def test_a_caller_that_gives_up_does_not_stop_the_others(shelf):
    group = GroupCommit(shelf.database)
    impatient = asyncio.create_task(group.do(put("a")))
    patient = asyncio.create_task(group.do(put("b")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "b"
    await group.drain()
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_drain_returns_when_all_that_was_asked_for_is_stored(shelf):
    group = GroupCommit(shelf.database)
    await group.drain()
    asked = [asyncio.create_task(group.do(put(f"{n}"))) for n in range(30)]
    await asyncio.sleep(0)
    await group.drain()
    assert await value(shelf, "29") == "1"
    await asyncio.gather(*asked)

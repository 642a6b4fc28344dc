"""Small facts, and a revision that only grows."""

import asyncio

from storage import state


async def test_a_value_is_stored_replaced_and_missed(shelf):
    async with shelf.database.write() as session:
        assert await state.value_of(session, "offset") is None
        await state.set_value(session, "offset", "5")
        await state.set_value(session, "offset", "6")
        await state.set_value(session, "other", "")
        assert await state.value_of(session, "offset") == "6"
        assert await state.value_of(session, "other") == ""


async def test_the_revision_begins_at_nothing_and_grows_by_one(shelf):
    async with shelf.database.write() as session:
        assert await state.revision(session) == 0
        assert [await state.next_revision(session) for _ in range(3)] == [1, 2, 3]
    async with shelf.database.read() as session:
        assert await state.revision(session) == 3


async def test_a_revision_of_a_write_that_failed_is_given_again(shelf):
    async with shelf.database.write() as session:
        await state.next_revision(session)
    try:
        async with shelf.database.write() as session:
            await state.next_revision(session)
            raise RuntimeError
    except RuntimeError:
        pass
    async with shelf.database.write() as session:
        assert await state.next_revision(session) == 2


async def test_writers_at_one_time_get_different_revisions_in_order_of_commit(shelf, another):
    """What a reader has seen as latest stays behind all that is committed later."""
    databases = [shelf.database, another(), another()]
    committed = []

    async def claim(database):
        async with database.write() as session:
            mine = await state.next_revision(session)
            await asyncio.sleep(0.01)
            committed.append(mine)

    await asyncio.gather(*(claim(each) for each in databases * 4))
    assert committed == list(range(1, 13))

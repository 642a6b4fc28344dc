"""An update from Telegram is stored once before it is confirmed, and forgotten once handled."""

from datetime import UTC, datetime

import pytest

from storage import inbox

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def receive(shelf, *ids):
    async with shelf.database.write() as session:
        return await inbox.receive(session, {each: {"update_id": each} for each in ids}, now=NOW)


async def waiting(shelf):
    async with shelf.database.read() as session:
        return [each["update_id"] for each in await inbox.waiting(session)]


async def handled(shelf, *ids):
    async with shelf.database.write() as session:
        await inbox.handled(session, ids)


async def test_updates_are_kept_in_order_until_handled(shelf):
    assert await receive(shelf, 12, 10, 11) == [10, 11, 12]
    assert await waiting(shelf) == [10, 11, 12]
    await handled(shelf, 10, 12)
    assert await waiting(shelf) == [11]


async def test_what_telegram_sends_again_is_not_received_again(shelf):
    await receive(shelf, 10, 11)
    assert await receive(shelf, 10, 11, 12) == [12]
    await handled(shelf, 10, 11, 12)
    assert await receive(shelf, 10, 11, 12) == []
    assert await waiting(shelf) == []


async def test_receiving_nothing_is_nothing(shelf):
    assert await receive(shelf) == []


async def test_an_update_comes_back_whole(shelf):
    update = {"update_id": 1, "message": {"text": "Привет \U0001f44b", "chat": {"id": -1001234567890123}}}
    async with shelf.database.write() as session:
        await inbox.receive(session, {1: update}, now=NOW)
    async with shelf.database.read() as session:
        assert await inbox.waiting(session) == [update]


async def test_the_first_update_of_all_may_have_any_number(shelf):
    assert await receive(shelf, 0) == [0]
    assert await receive(shelf, 0) == []


@pytest.mark.parametrize(
    ("first", "then", "is_new"),
    [
        (50_000, 50_001, True),
        (50_000, 49_999, False),
        (50_000, 40_001, False),
        # After a week without updates Telegram counts from anywhere, also from below.
        (50_000, 40_000, True),
        (50_000, 7, True),
        (50_000, 2_000_000_000, True),
    ],
)
async def test_numbers_just_behind_are_repeats_and_far_ones_a_new_count(shelf, first, then, is_new):
    await receive(shelf, first)
    assert await receive(shelf, then) == ([then] if is_new else [])


async def test_a_new_count_from_below_goes_on_from_there(shelf):
    await receive(shelf, 50_000)
    await receive(shelf, 7)
    assert await receive(shelf, 7, 8) == [8]

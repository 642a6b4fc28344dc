"""Times go in aware and come out aware UTC, whatever the database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from storage.models import HostRow

MOSCOW = timezone(timedelta(hours=3))


async def through(shelf, when):
    async with shelf.database.write() as session:
        session.add(HostRow(host="lib.example", not_before=when, reason=""))
    async with shelf.database.read() as session:
        return await session.scalar(select(HostRow.not_before))


@pytest.mark.parametrize(
    "when",
    [
        datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 11, 22, 2, 30, tzinfo=MOSCOW),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2400, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
async def test_a_time_comes_back_as_the_same_moment_in_utc(shelf, when):
    found = await through(shelf, when)
    assert found == when
    assert found.tzinfo is UTC


async def test_a_naive_time_is_refused_and_nothing_is_stored(shelf):
    with pytest.raises(StatementError, match="naive time"):
        await through(shelf, datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001 - the point of it
    async with shelf.database.read() as session:
        assert await session.scalar(select(HostRow.host)) is None


async def test_a_naive_time_is_refused_in_a_question_too(shelf):
    naive = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - the point of it
    async with shelf.database.read() as session:
        with pytest.raises(StatementError, match="naive time"):
            await session.execute(select(HostRow).where(HostRow.not_before > naive))


async def test_times_of_other_zones_compare_by_moment(shelf):
    await through(shelf, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    async with shelf.database.read() as session:
        earlier = datetime(2026, 11, 22, 14, 59, tzinfo=MOSCOW)
        later = datetime(2026, 11, 22, 15, 1, tzinfo=MOSCOW)
        between = select(HostRow.host).where(HostRow.not_before > earlier, HostRow.not_before < later)
        assert await session.scalar(between) == "lib.example"

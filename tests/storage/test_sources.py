"""Sources: what the file declares, what admins decide, what polling taught."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from feeds.model import Selectors, Source, SourceKind, Validators
from storage import sources
from storage.models import PollRow, SourceRow
from storage.sources import POLLS_KEPT, PollOutcome, SyncResult

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ONE = Source(id="one", url="https://one.example/feed")
TWO = Source(id="two", url="https://two.example/feed")


async def do(shelf, act, *args, **values):
    async with shelf.database.write() as session:
        return await act(session, *args, **values)


@pytest.fixture
async def shelf(shelf):
    """Without the source that other tests have."""
    async with shelf.database.write() as session:
        await session.delete(await session.get_one(SourceRow, "lib"))
    return shelf


async def declare(shelf, *declared, now=NOW):
    return await do(shelf, sources.declare, declared, now=now)


async def state_of(shelf, source_id="one"):
    async with shelf.database.read() as session:
        return await sources.poll_state(session, source_id)


async def card(shelf, source_id="one"):
    async with shelf.database.read() as session:
        return next(each for each in await sources.health(session) if each.source.id == source_id)


async def due(shelf, *, now=NOW, limit=100):
    async with shelf.database.read() as session:
        return await sources.due(session, now=now, limit=limit)


async def poll(shelf, source_id="one", *, at=NOW, wait=timedelta(minutes=30), **values):
    outcome = {
        "outcome": "fetched", "status": 200, "bytes": 10, "milliseconds": 5, "succeeded": True,
        "next_poll_at": at + wait, "next_poll_reason": "rhythm", "failures": 0, "learnt": {},
    }  # fmt: skip
    await do(shelf, sources.record_poll, PollOutcome(source_id=source_id, at=at, **(outcome | values)))


class TestDeclaring:
    async def test_a_new_source_is_stored_as_declared_and_due_at_once(self, shelf):
        whole = Source(
            id="whole",
            url="https://lib.example/news",
            kind=SourceKind.LIST,
            title="Библиотека",
            language="ru",
            network="regional",
            region="RU-PNZ",
            timezone="Europe/Moscow",
            interval=timedelta(minutes=10),
            sections={"Зарубежная сеть": "foreign"},
            selectors=Selectors(item="article", date="time"),
        )
        assert await declare(shelf, whole, ONE) == SyncResult(added=("whole", "one"), changed=(), removed=())
        assert (await state_of(shelf, "whole")).source == whole
        assert (await state_of(shelf)).source == ONE
        assert (await card(shelf)).state == "new"
        assert sorted(await due(shelf)) == ["one", "whole"]

    async def test_declaring_the_same_again_changes_nothing(self, shelf):
        await declare(shelf, ONE, TWO)
        assert await declare(shelf, TWO, ONE, now=LATER) == SyncResult(added=(), changed=(), removed=())

    async def test_a_restart_polls_nobody_early(self, shelf):
        await declare(shelf, ONE)
        await poll(shelf, wait=timedelta(hours=2))
        await declare(shelf, ONE, now=LATER)
        assert await due(shelf, now=LATER) == []
        assert (await card(shelf)).next_poll_at == NOW + timedelta(hours=2)

    @pytest.mark.parametrize(
        "change",
        [
            {"title": "New title"},
            {"language": "ru"},
            {"network": "regional"},
            {"region": "RU-PNZ"},
            {"timezone": "Asia/Ulaanbaatar"},
            {"kind": SourceKind.LIST},
            {"sections": {"Regional network": "regional"}},
            {"selectors": Selectors(item="li")},
            {"interval": timedelta(hours=6)},
            {"enabled": False},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_an_edit_takes_effect_and_polls_nobody_early(self, shelf, change):
        await declare(shelf, ONE)
        await poll(shelf, learnt={"etag": '"v1"', "validators_url": ONE.url})
        edited = replace(ONE, **change)
        assert (await declare(shelf, edited)).changed == ("one",)
        found = await state_of(shelf)
        assert found.source == edited
        assert found.validators == Validators(etag='"v1"')
        assert (await card(shelf)).next_poll_at == NOW + timedelta(minutes=30)

    async def test_another_address_starts_without_what_the_old_one_taught(self, shelf):
        await declare(shelf, ONE)
        taught = {"etag": '"v1"', "last_modified": "Sun", "body_hash": "abc", "validators_url": ONE.url}
        taught |= {"memory": {"rhythm": 1}, "document_kind": "rss"}
        await poll(shelf, failures=3, learnt=taught)
        moved = replace(ONE, url="https://new.example/feed")
        assert (await declare(shelf, moved, now=LATER)).changed == ("one",)
        found = await state_of(shelf)
        assert found.validators == Validators()
        assert (found.body_hash, found.validators_url, found.document_kind) == (None, None, None)
        assert (found.memory, found.failures) == ({}, 0)
        assert await due(shelf, now=LATER) == ["one"]
        # What stands at the new address is not news either.
        assert found.first_success_at is None

    async def test_a_shorter_interval_takes_effect_now(self, shelf):
        await declare(shelf, replace(ONE, interval=timedelta(hours=6)))
        await poll(shelf, wait=timedelta(hours=6))
        await declare(shelf, replace(ONE, interval=timedelta(minutes=5)), now=LATER)
        assert (await card(shelf)).next_poll_at == LATER + timedelta(minutes=5)

    async def test_a_longer_interval_does_not_put_off_what_was_promised(self, shelf):
        await declare(shelf, replace(ONE, interval=timedelta(minutes=5)))
        await poll(shelf, wait=timedelta(minutes=5))
        await declare(shelf, replace(ONE, interval=timedelta(hours=6)))
        assert (await card(shelf)).next_poll_at == NOW + timedelta(minutes=5)

    async def test_one_that_left_the_file_is_not_polled_its_items_stay(self, shelf):
        await declare(shelf, ONE, TWO)
        item_id = await shelf.item(source="one")
        assert (await declare(shelf, TWO, now=LATER)).removed == ("one",)
        assert await due(shelf, now=LATER) == ["two"]
        async with shelf.database.read() as session:
            assert [each.id for each in await sources.all_sources(session)] == ["two"]
            from storage import items

            assert (await items.by_id(session, item_id)).source_id == "one"
        assert (await declare(shelf, TWO, now=LATER)).removed == ()

    async def test_one_that_comes_back_goes_on_where_it_was(self, shelf):
        await declare(shelf, ONE)
        await poll(shelf, wait=timedelta(hours=3), learnt={"etag": '"v1"'})
        await declare(shelf)
        assert (await declare(shelf, ONE, now=LATER)).changed == ("one",)
        assert (await state_of(shelf)).validators == Validators(etag='"v1"')
        assert (await state_of(shelf)).first_success_at == NOW
        assert await due(shelf, now=LATER) == []
        assert await due(shelf, now=NOW + timedelta(hours=3)) == ["one"]

    async def test_an_admins_pause_outlives_restarts_and_edits(self, shelf):
        await declare(shelf, ONE)
        assert await do(shelf, sources.set_enabled, "one", enabled=False)
        await declare(shelf, ONE)
        await declare(shelf, replace(ONE, title="Edited"))
        assert await due(shelf) == []
        assert (await card(shelf)).state == "paused"
        assert not (await state_of(shelf)).source.enabled
        assert await do(shelf, sources.set_enabled, "one", enabled=True)
        assert await due(shelf) == ["one"]

    async def test_what_the_file_disables_no_admin_resumes(self, shelf):
        await declare(shelf, replace(ONE, enabled=False))
        await do(shelf, sources.set_enabled, "one", enabled=True)
        assert await due(shelf) == []

    async def test_processes_that_start_together_declare_once(self, shelf, another):
        many = [replace(ONE, id=f"s{number}") for number in range(30)]

        async def start(database):
            async with database.write() as session:
                return await sources.declare(session, many, now=NOW)

        async with asyncio.timeout(30):
            results = await asyncio.gather(*(start(another()) for _ in range(4)))
        assert sum(len(each.added) for each in results) == 30
        assert len(await due(shelf)) == 30


class TestAdmins:
    async def test_an_added_source_is_polled_and_left_alone_by_the_file(self, shelf):
        assert await do(shelf, sources.add, ONE, now=NOW)
        assert await declare(shelf, TWO) == SyncResult(added=("two",), changed=(), removed=())
        assert sorted(await due(shelf)) == ["one", "two"]

    async def test_a_taken_id_is_refused_and_left_as_it_was(self, shelf):
        await do(shelf, sources.add, ONE, now=NOW)
        assert not await do(shelf, sources.add, replace(TWO, id="one"), now=NOW)
        assert (await state_of(shelf)).source == ONE

    async def test_the_file_takes_over_an_added_source_it_declares(self, shelf):
        await do(shelf, sources.add, ONE, now=NOW)
        await declare(shelf, replace(ONE, title="Ours"))
        assert (await declare(shelf)).removed == ("one",)

    async def test_a_removed_source_is_gone_for_everyone_and_may_be_added_again(self, shelf):
        await do(shelf, sources.add, ONE, now=NOW)
        await poll(shelf, wait=timedelta(hours=3), learnt={"etag": '"v1"'})
        assert await do(shelf, sources.remove, "one", now=NOW)
        assert not await do(shelf, sources.remove, "one", now=NOW)
        assert not await do(shelf, sources.set_enabled, "one", enabled=True)
        assert await do(shelf, sources.add, replace(ONE, title="Again"), now=LATER)
        assert (await card(shelf)).source.title == "Again"
        # It goes on where it was: what it showed before is not news now.
        assert (await state_of(shelf)).validators == Validators(etag='"v1"')
        assert await due(shelf, now=LATER) == []
        assert await declare(shelf) == SyncResult(added=(), changed=(), removed=())

    async def test_unknown_sources_are_told(self, shelf):
        assert not await do(shelf, sources.remove, "404", now=NOW)
        assert not await do(shelf, sources.set_enabled, "404", enabled=False)
        assert await state_of(shelf, "404") is None
        await poll(shelf, "404")  # removed from under a poll that was under way


class TestDue:
    async def test_the_longest_waiting_come_first_and_no_more_than_asked_for(self, shelf):
        await declare(shelf, *(replace(ONE, id=name) for name in ("a", "b", "c", "d")))
        for name, minutes in (("a", 20), ("b", 40), ("c", 5), ("d", 90)):
            await poll(shelf, name, wait=timedelta(minutes=minutes))
        assert await due(shelf, now=LATER) == ["c", "a", "b"]
        assert await due(shelf, now=LATER, limit=2) == ["c", "a"]

    async def test_the_next_moment_is_that_of_the_next_source_that_is_polled_at_all(self, shelf):
        async with shelf.database.read() as session:
            assert await sources.next_due_at(session) is None
        await declare(shelf, *(replace(ONE, id=name) for name in ("paused", "removed", "off", "on")))
        for minutes, name in enumerate(("paused", "removed", "off", "on"), 1):
            await poll(shelf, name, wait=timedelta(minutes=minutes))
        await do(shelf, sources.set_enabled, "paused", enabled=False)
        await declare(shelf, *(replace(ONE, id=n, enabled=n != "off") for n in ("paused", "off", "on")))
        async with shelf.database.read() as session:
            assert await sources.next_due_at(session) == NOW + timedelta(minutes=4)
        assert await due(shelf, now=LATER) == ["on"]


class TestPolling:
    async def test_what_a_poll_taught_goes_into_the_next_one(self, shelf):
        await declare(shelf, ONE)
        taught = {"etag": 'W/"ä"', "last_modified": "Sun, 22 Nov 2026 12:00:00 GMT", "body_hash": "abc"}
        taught |= {"validators_url": ONE.url, "document_kind": "atom", "memory": {"gaps": [1.5, None]}}
        await poll(shelf, learnt=taught)
        found = await state_of(shelf)
        assert found.validators == Validators(etag='W/"ä"', last_modified="Sun, 22 Nov 2026 12:00:00 GMT")
        assert (found.body_hash, found.validators_url) == ("abc", ONE.url)
        assert (found.document_kind, found.memory) == ("atom", {"gaps": [1.5, None]})
        assert (found.last_success_at, found.first_success_at) == (NOW, NOW)

    async def test_what_a_poll_did_not_teach_stays(self, shelf):
        await declare(shelf, ONE)
        await poll(shelf, learnt={"etag": '"v1"', "body_hash": "abc"})
        await poll(shelf, at=LATER, learnt={"body_hash": "def"})
        found = await state_of(shelf)
        assert (found.validators.etag, found.body_hash) == ('"v1"', "def")

    async def test_a_failure_is_seen_and_passes_with_the_next_success(self, shelf):
        await declare(shelf, ONE, TWO)
        await poll(shelf)
        bad = {"succeeded": False, "status": 503, "error": "busy", "error_reason": "http-5xx", "failures": 1}
        await poll(shelf, at=LATER, **bad)
        failing = await card(shelf)
        assert (failing.state, failing.last_status, failing.last_error) == ("failing", 503, "busy")
        assert (failing.failures, failing.last_poll_at, failing.last_success_at) == (1, LATER, NOW)
        async with shelf.database.read() as session:
            assert [each.source.id for each in await sources.health(session)] == ["one", "two"]
        await poll(shelf, at=LATER + timedelta(hours=1))
        healed = await card(shelf)
        assert (healed.state, healed.last_error, healed.failures) == ("active", "", 0)
        assert (await state_of(shelf)).first_success_at == NOW

    async def test_gone_is_a_state_of_its_own(self, shelf):
        await declare(shelf, ONE)
        await poll(shelf, succeeded=False, gone=True, status=410)
        assert (await card(shelf)).state == "gone"

    async def test_news_is_counted_on_the_card(self, shelf):
        await declare(shelf, ONE, TWO)
        await shelf.item(source="one", published=NOW - timedelta(days=1))
        await shelf.item(source="one", published=NOW)
        one, two = await card(shelf), await card(shelf, "two")
        assert (one.items, one.newest_item_at) == (2, NOW)
        assert (two.items, two.newest_item_at) == (0, None)

    async def test_a_poll_begun_and_never_ended_keeps_its_interval(self, shelf):
        """Killed while asking: the next process does not ask the host again at once."""
        await declare(shelf, ONE, replace(TWO, interval=timedelta(hours=2)))
        await do(shelf, sources.begin_polls, ["one", "two"], at_least=timedelta(minutes=5), now=NOW)
        assert (await card(shelf)).next_poll_at == NOW + timedelta(minutes=5)
        assert (await card(shelf, "two")).next_poll_at == NOW + timedelta(hours=2)

    async def test_the_last_polls_of_each_source_are_kept(self, shelf):
        await declare(shelf, ONE, TWO)
        for number in range(POLLS_KEPT + 5):
            await poll(shelf, at=NOW + timedelta(minutes=number), bytes=number)
        await poll(shelf, "two")
        assert await do(shelf, sources.trim_polls) == 5
        assert await do(shelf, sources.trim_polls) == 0
        async with shelf.database.read() as session:
            kept = await session.scalars(select(PollRow.bytes).where(PollRow.source_id == "one"))
            assert sorted(kept) == list(range(5, POLLS_KEPT + 5))
            assert await session.scalar(select(func.count()).where(PollRow.source_id == "two")) == 1


async def test_hosts_that_ask_us_to_wait_are_remembered_until_then(shelf):
    await do(shelf, sources.set_host_wait, "a.example", LATER, reason="Retry-After")
    await do(shelf, sources.set_host_wait, "b.example", NOW, reason="Retry-After")
    await do(shelf, sources.set_host_wait, "a.example", LATER + timedelta(hours=1), reason="429")
    async with shelf.database.read() as session:
        assert await sources.host_waits(session, now=NOW) == {"a.example": LATER + timedelta(hours=1)}
        assert await sources.host_waits(session, now=LATER + timedelta(hours=1)) == {}

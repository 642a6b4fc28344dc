"""Readers: remembered as they chose, paused but never lost, forgotten wholly."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from storage import outbox, subscribers
from storage.models import ItemRow, OutboxRow, SubscriberRow, SubscriptionRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PENZA, VOLGA, MONGOLIA = "regional/RU-PNZ", "regional/district:volga", "foreign/MN"


async def get(shelf, chat_id, thread_id=0):
    async with shelf.database.read() as session:
        return await subscribers.get(session, chat_id=chat_id, thread_id=thread_id)


async def do(shelf, act, *args, **values):
    async with shelf.database.write() as session:
        return await act(session, *args, **values)


async def following(shelf, subscriber_id):
    async with shelf.database.read() as session:
        return await subscribers.following(session, subscriber_id)


async def head_ids(shelf):
    async with shelf.database.read() as session:
        return [each.subscriber_id for each in await outbox.heads(session, now=NOW, limit=100)]


class TestMeeting:
    async def test_a_new_chat_is_remembered_as_it_came(self, shelf):
        made, is_new = await do(
            shelf, subscribers.ensure,
            chat_id=-1001234567890123, thread_id=7, kind="supergroup", title="Библиотека", language="ru", now=NOW,
        )  # fmt: skip
        assert is_new
        assert (made.chat_id, made.thread_id, made.kind) == (-1001234567890123, 7, "supergroup")
        assert (made.title, made.language, made.state, made.created_at) == ("Библиотека", "ru", "active", NOW)
        assert await get(shelf, -1001234567890123, 7) == made

    async def test_meeting_again_overwrites_nothing_and_resumes_nothing(self, shelf):
        reader = await shelf.reader(chat_id=5)
        await do(shelf, subscribers.set_language, reader, "de")
        await do(shelf, subscribers.set_timezone, reader, "Asia/Ulaanbaatar")
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        again, is_new = await do(
            shelf, subscribers.ensure, chat_id=5, kind="private", title="Else", language="fr", now=NOW
        )
        assert not is_new
        assert (again.id, again.language, again.timezone) == (reader, "de", "Asia/Ulaanbaatar")
        assert (again.state, again.paused_reason) == ("paused", "blocked")

    async def test_topics_of_a_chat_are_readers_of_their_own(self, shelf):
        whole, topic = await shelf.reader(PENZA, chat_id=5), await shelf.reader(chat_id=5, thread_id=9)
        assert whole != topic
        assert await following(shelf, topic) == []
        assert await get(shelf, 5, 8) is None

    async def test_a_channel_starts_in_utc(self, shelf):
        await shelf.reader(chat_id=5, kind="channel")
        assert (await get(shelf, 5)).timezone == "UTC"


class TestFollowing:
    async def test_scopes_are_listed_as_they_were_chosen(self, shelf):
        reader = await shelf.reader(VOLGA, MONGOLIA, PENZA)
        assert await following(shelf, reader) == [VOLGA, MONGOLIA, PENZA]

    async def test_following_twice_is_told_and_changes_nothing(self, shelf):
        reader = await shelf.reader()
        assert await do(shelf, subscribers.follow, reader, PENZA, now=NOW)
        assert not await do(shelf, subscribers.follow, reader, PENZA, now=NOW + timedelta(days=1))
        assert await following(shelf, reader) == [PENZA]

    async def test_leaving_what_is_not_followed_is_told(self, shelf):
        reader, other = await shelf.reader(PENZA), await shelf.reader(PENZA)
        assert await do(shelf, subscribers.unfollow, reader, PENZA)
        assert not await do(shelf, subscribers.unfollow, reader, PENZA)
        assert await following(shelf, other) == [PENZA]

    async def test_leaving_skips_what_waited_only_for_it(self, shelf):
        reader, other = await shelf.reader(PENZA, MONGOLIA), await shelf.reader(PENZA)
        penza = await shelf.item(scopes=(PENZA,))
        both = await shelf.item(scopes=(PENZA, MONGOLIA))
        mongolia = await shelf.item(scopes=(MONGOLIA,))
        await shelf.fan_out(penza, both, mongolia)
        await do(shelf, subscribers.unfollow, reader, PENZA)
        assert await shelf.queue(reader) == [
            (penza, "skipped", "unfollowed"), (both, "queued", ""), (mongolia, "queued", "")
        ]  # fmt: skip
        assert [state for _, state, _ in await shelf.queue(other)] == ["queued", "queued"]

    async def test_leaving_keeps_a_story_that_another_item_tells_where_one_still_reads(self, shelf):
        reader = await shelf.reader(PENZA, MONGOLIA)
        one = await shelf.item(scopes=(PENZA,))
        two = await shelf.item(scopes=(MONGOLIA,))
        async with shelf.database.write() as session:
            story = await session.scalar(select(ItemRow.story_id).where(ItemRow.id == one))
            await session.execute(update(ItemRow).where(ItemRow.id == two).values(story_id=story))
        await shelf.fan_out(one, two)
        await do(shelf, subscribers.unfollow, reader, PENZA)
        assert [state for _, state, _ in await shelf.queue(reader)] == ["queued"]
        await do(shelf, subscribers.unfollow, reader, MONGOLIA)
        assert [state for _, state, _ in await shelf.queue(reader)] == ["skipped"]

    async def test_leaving_does_not_touch_what_is_being_sent_or_was(self, shelf):
        reader = await shelf.reader(PENZA)
        await shelf.fan_out(*[await shelf.item(scopes=(PENZA,)) for _ in range(3)])
        async with shelf.database.write() as session:
            ids = list(await session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)))
            await outbox.mark_sending(session, ids[:2], now=NOW)
            await outbox.mark_sent(session, ids[0], message_id=1, now=NOW)
        assert await do(shelf, subscribers.unfollow_all, reader) == 1
        assert [state for _, state, _ in await shelf.queue(reader)] == ["sent", "sending", "skipped"]
        assert await following(shelf, reader) == []

    async def test_a_skipped_row_says_when(self, shelf):
        reader = await shelf.reader(PENZA)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        await do(shelf, subscribers.unfollow_all, reader)
        async with shelf.database.read() as session:
            when = await session.scalar(select(OutboxRow.finished_at))
        assert when.tzinfo is not None

    async def test_all_wishes_are_listed_with_the_readers_language(self, shelf):
        one, two = await shelf.reader(PENZA), await shelf.reader(PENZA, VOLGA, language="ru")
        async with shelf.database.read() as session:
            found = await subscribers.all_subscriptions(session)
        assert found == [(one, PENZA, "en"), (two, PENZA, "ru"), (two, VOLGA, "ru")]


class TestPausing:
    async def test_a_paused_chat_gets_nothing_and_its_queue_is_skipped(self, shelf):
        reader, other = await shelf.reader(PENZA, chat_id=5), await shelf.reader(PENZA, chat_id=6)
        item_id = await shelf.item(scopes=(PENZA,))
        await shelf.fan_out(item_id)
        assert await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW) == 1
        assert await shelf.queue(reader) == [(item_id, "skipped", "paused:blocked")]
        assert await head_ids(shelf) == [other]
        assert (await get(shelf, 5)).paused_reason == "blocked"
        assert await following(shelf, reader) == [PENZA]

    async def test_pausing_again_keeps_the_first_reason(self, shelf):
        await shelf.reader(chat_id=5)
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        assert await do(shelf, subscribers.pause, chat_id=5, reason="kicked", now=NOW) == 0
        assert (await get(shelf, 5)).paused_reason == "blocked"

    async def test_a_chat_is_paused_with_all_its_topics_or_one_of_them(self, shelf):
        for thread in (0, 7, 9):
            await shelf.reader(chat_id=5, thread_id=thread)
        await shelf.reader(chat_id=6)
        assert await do(shelf, subscribers.pause, chat_id=5, reason="closed", now=NOW, thread_id=7) == 1
        assert [(await get(shelf, 5, thread)).state for thread in (0, 7, 9)] == ["active", "paused", "active"]
        assert await do(shelf, subscribers.pause, chat_id=5, reason="kicked", now=NOW) == 2
        assert (await get(shelf, 5, 7)).paused_reason == "closed"
        assert (await get(shelf, 6)).state == "active"
        assert await do(shelf, subscribers.resume, chat_id=5, now=NOW, thread_id=9) == 1
        assert [(await get(shelf, 5, thread)).state for thread in (0, 7, 9)] == ["paused", "paused", "active"]

    async def test_what_was_skipped_in_a_pause_stays_skipped_and_news_comes_again(self, shelf):
        reader = await shelf.reader(PENZA, chat_id=5)
        missed = await shelf.item(scopes=(PENZA,))
        await shelf.fan_out(missed)
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        while_paused = await shelf.item(scopes=(PENZA,))
        assert await shelf.fan_out(while_paused) == 0
        assert await do(shelf, subscribers.resume, chat_id=5, now=NOW) == 1
        fresh = await shelf.item(scopes=(PENZA,))
        await shelf.fan_out(missed, fresh)
        assert await shelf.queue(reader) == [(missed, "skipped", "paused:blocked"), (fresh, "queued", "")]
        assert (await get(shelf, 5)).paused_reason == ""

    async def test_a_wait_that_telegram_asked_for_outlives_a_pause(self, shelf):
        await shelf.reader(PENZA, chat_id=5)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        await do(shelf, outbox.hold_chat, 5, until=NOW + timedelta(seconds=30))
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        await do(shelf, subscribers.resume, chat_id=5, now=NOW)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        assert await head_ids(shelf) == []

    async def test_nobody_to_pause_or_resume_is_no_error(self, shelf):
        assert await do(shelf, subscribers.pause, chat_id=404, reason="blocked", now=NOW) == 0
        assert await do(shelf, subscribers.resume, chat_id=404, now=NOW) == 0


class TestForgetting:
    async def test_nothing_about_a_reader_is_left(self, shelf):
        reader, other = await shelf.reader(PENZA, chat_id=5), await shelf.reader(PENZA, chat_id=6)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        assert await do(shelf, subscribers.forget, chat_id=5)
        assert await get(shelf, 5) is None
        async with shelf.database.read() as session:
            for row in (SubscriptionRow, OutboxRow):
                left = await session.scalars(select(row.subscriber_id))
                assert set(left) == {other}, row
        assert reader != other

    async def test_only_the_topic_named_is_forgotten(self, shelf):
        await shelf.reader(chat_id=5)
        await shelf.reader(chat_id=5, thread_id=7)
        assert await do(shelf, subscribers.forget, chat_id=5, thread_id=7)
        assert not await do(shelf, subscribers.forget, chat_id=5, thread_id=7)
        assert await get(shelf, 5) is not None

    async def test_one_who_comes_back_starts_anew(self, shelf):
        reader = await shelf.reader(PENZA, chat_id=5)
        await do(shelf, subscribers.set_language, reader, "de")
        await do(shelf, subscribers.forget, chat_id=5)
        again = await shelf.reader(chat_id=5)
        assert await following(shelf, again) == []
        assert (await get(shelf, 5)).language == "en"


class TestMoving:
    """A group becomes a supergroup under a new id; its readers move along."""

    async def move(self, shelf, old=5, new=-1005):
        return await do(shelf, subscribers.migrate, old_chat_id=old, new_chat_id=new, now=NOW)

    async def test_the_group_keeps_everything_under_its_new_id(self, shelf):
        reader = await shelf.reader(PENZA, VOLGA, chat_id=5, kind="group", language="ru")
        item_id = await shelf.item(scopes=(PENZA,))
        await shelf.fan_out(item_id)
        assert await self.move(shelf) == 1
        moved = await get(shelf, -1005)
        assert (moved.id, moved.kind, moved.language) == (reader, "supergroup", "ru")
        assert await get(shelf, 5) is None
        assert await following(shelf, reader) == [PENZA, VOLGA]
        async with shelf.database.read() as session:
            (head,) = await outbox.heads(session, now=NOW, limit=9)
        assert (head.chat_id, head.item_id, head.kind) == (-1005, item_id, "supergroup")

    async def test_moving_again_moves_nothing(self, shelf):
        await shelf.reader(chat_id=5)
        await self.move(shelf)
        assert await self.move(shelf) == 0
        assert await self.move(shelf, old=404) == 0

    async def test_where_the_new_chat_reads_already_both_become_one(self, shelf):
        old = await shelf.reader(PENZA, VOLGA, chat_id=5, kind="group")
        new = await shelf.reader(PENZA, MONGOLIA, chat_id=-1005, kind="supergroup")
        only_old = await shelf.item(scopes=(VOLGA,))
        both = await shelf.item(scopes=(PENZA,))
        only_new = await shelf.item(scopes=(MONGOLIA,))
        await shelf.fan_out(only_old, both, only_new)
        assert await self.move(shelf) == 1
        assert set(await following(shelf, new)) == {PENZA, VOLGA, MONGOLIA}
        queue = await shelf.queue(new)
        assert sorted(item for item, _, _ in queue) == [only_old, both, only_new]
        assert {state for _, state, _ in queue} == {"queued"}
        assert await shelf.queue(old) == []
        assert await get(shelf, 5) is None

    async def test_what_one_of_the_two_has_read_is_not_sent_to_the_other(self, shelf):
        await shelf.reader(PENZA, chat_id=5, kind="group")
        new = await shelf.reader(PENZA, chat_id=-1005, kind="supergroup")
        read_by_old, read_by_new = [await shelf.item(scopes=(PENZA,)) for _ in range(2)]
        await shelf.fan_out(read_by_old, read_by_new)
        async with shelf.database.write() as session:
            rows = list(await session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
            for row in rows:
                is_old = row.subscriber_id != new
                if (row.item_id == read_by_old) == is_old:
                    await outbox.mark_sending(session, [row.id], now=NOW)
                    await outbox.mark_sent(session, row.id, message_id=row.id, now=NOW)
        await self.move(shelf)
        assert {item: state for item, state, _ in await shelf.queue(new)} == {
            read_by_old: "sent", read_by_new: "sent"
        }  # fmt: skip

    async def test_each_topic_finds_its_twin(self, shelf):
        for thread in (0, 7):
            await shelf.reader(PENZA, chat_id=5, thread_id=thread, kind="group")
        await shelf.reader(VOLGA, chat_id=-1005, thread_id=7, kind="supergroup")
        assert await self.move(shelf) == 2
        assert await following(shelf, (await get(shelf, -1005, 0)).id) == [PENZA]
        assert set(await following(shelf, (await get(shelf, -1005, 7)).id)) == {PENZA, VOLGA}


async def test_readers_are_counted_by_what_an_admin_asks(shelf):
    await shelf.reader(PENZA, VOLGA, language="ru")
    await shelf.reader(language="ru", kind="channel")
    for chat, reason in ((5, "blocked"), (6, "blocked"), (7, "kicked")):
        await shelf.reader(PENZA, chat_id=chat)
        await do(shelf, subscribers.pause, chat_id=chat, reason=reason, now=NOW)
    async with shelf.database.read() as session:
        found = await subscribers.counts(session)
    assert (found.active, found.paused, found.subscriptions) == (2, 3, 5)
    assert (found.by_language, found.by_kind) == ({"ru": 2, "en": 3}, {"private": 4, "channel": 1})
    assert found.paused_by_reason == {"blocked": 2, "kicked": 1}


@pytest.mark.parametrize("count", [3])
async def test_two_who_meet_a_new_chat_at_once_make_one_reader(shelf, another, count):
    """Two updates of one chat are handled side by side."""
    import asyncio

    async def meet(database):
        async with database.write() as session:
            return await subscribers.ensure(
                session, chat_id=5, kind="private", title="", language="en", now=NOW
            )

    met = await asyncio.gather(*(meet(another()) for _ in range(count)))
    assert len({reader.id for reader, _ in met}) == 1
    assert [is_new for _, is_new in met].count(True) == 1
    async with shelf.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SubscriberRow)) == 1

"""Everyone who follows gets a story once, in order, and every outcome is on record."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from storage import outbox, subscribers
from storage.models import ItemRow, OutboxRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
PENZA, VOLGA, MONGOLIA = "regional/RU-PNZ", "regional/district:volga", "foreign/MN"


async def do(shelf, act, *args, **values):
    async with shelf.database.write() as session:
        return await act(session, *args, **values)


async def heads(shelf, *, now=NOW, limit=100, without=()):
    async with shelf.database.read() as session:
        return await outbox.heads(session, now=now, limit=limit, without=without)


async def head_items(shelf, **asked):
    return [each.item_id for each in await heads(shelf, **asked)]


async def next_due_at(shelf):
    async with shelf.database.read() as session:
        return await outbox.next_due_at(session)


async def row(shelf, outbox_id):
    async with shelf.database.read() as session:
        return await session.get_one(OutboxRow, outbox_id)


async def send(shelf, head, *, now=NOW):
    assert await do(shelf, outbox.mark_sending, [head.id], now=now) == {head.id}
    await do(shelf, outbox.mark_sent, head.id, message_id=1000 + head.id, now=now)


@pytest.fixture
async def sending(shelf):
    """One row whose request has left."""
    await shelf.reader(PENZA, chat_id=5)
    await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
    (head,) = await heads(shelf)
    await do(shelf, outbox.mark_sending, [head.id], now=NOW)
    return head


class TestFanningOut:
    async def test_every_active_follower_gets_it_and_nobody_else(self, shelf):
        penza, volga = await shelf.reader(PENZA), await shelf.reader(VOLGA)
        everything, stranger = await shelf.reader("all"), await shelf.reader(MONGOLIA)
        await shelf.reader(PENZA, chat_id=5)
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        item_id = await shelf.item(scopes=(PENZA, VOLGA))
        assert await shelf.fan_out(item_id) == 3
        for reader in (penza, volga, everything):
            assert await shelf.queue(reader) == [(item_id, "queued", "")]
        assert await shelf.queue(stranger) == []

    async def test_following_several_of_its_scopes_gives_one_row(self, shelf):
        reader = await shelf.reader(PENZA, VOLGA, "all", "source:lib")
        assert await shelf.fan_out(await shelf.item(scopes=(PENZA, VOLGA))) == 1
        assert len(await shelf.queue(reader)) == 1

    async def test_again_is_nothing_more_whatever_became_of_the_row(self, shelf, sending):
        for state in ("queued", "sending", "sent", "failed", "skipped", "unknown"):
            async with shelf.database.write() as session:
                await session.execute(update(OutboxRow).values(state=state))
            assert await shelf.fan_out(sending.item_id) == 0

    async def test_a_story_told_by_several_items_is_one_row(self, shelf):
        reader = await shelf.reader("all")
        one, two = await shelf.add(shelf.new("One"), shelf.new("Two"))
        async with shelf.database.write() as session:
            story = await session.scalar(select(ItemRow.story_id).where(ItemRow.id == one))
            await session.execute(update(ItemRow).where(ItemRow.id == two).values(story_id=story))
        assert await shelf.fan_out(two, one) == 1
        assert await shelf.queue(reader) == [(one, "queued", "")]

    async def test_of_chosen_scopes_only_their_followers_get_it(self, shelf):
        """An item that was filed under more later is news only there."""
        late, early = await shelf.reader(MONGOLIA), await shelf.reader(PENZA)
        item_id = await shelf.item(scopes=(PENZA, MONGOLIA))
        assert await shelf.fan_out(item_id, scopes={MONGOLIA}) == 1
        assert await shelf.queue(late) == [(item_id, "queued", "")]
        assert await shelf.queue(early) == []
        assert await shelf.fan_out(item_id, scopes=set()) == 0

    @pytest.mark.parametrize("count", [7, 1100])
    async def test_older_news_is_read_first_however_much_came_at_once(self, shelf, count):
        reader = await shelf.reader("all")
        news = [shelf.new(f"{n}", published=NOW - timedelta(minutes=n * 31 % count)) for n in range(count)]
        ids = await shelf.add(*news)
        assert await shelf.fan_out(*ids) == count
        ages = dict(zip(ids, (new.entry.published for new in news), strict=True))
        assert [item for item, _, _ in await shelf.queue(reader)] == sorted(ids, key=ages.__getitem__)

    async def test_without_items_or_followers_nothing_is_queued(self, shelf):
        assert await shelf.fan_out() == 0
        assert await shelf.fan_out(await shelf.item()) == 0

    async def test_a_row_is_due_at_once(self, shelf):
        await shelf.reader("all", chat_id=5, thread_id=7, kind="supergroup", language="de")
        item_id = await shelf.item()
        await shelf.fan_out(item_id, now=SOON)
        assert await heads(shelf, now=NOW) == []
        (head,) = await heads(shelf, now=SOON)
        assert (head.chat_id, head.thread_id, head.kind, head.language) == (5, 7, "supergroup", "de")
        assert (head.item_id, head.attempts, head.possible_repeat) == (item_id, 0, False)


class TestHeads:
    async def test_each_chat_gets_one_at_a_time_in_order(self, shelf):
        await shelf.reader("all")
        await shelf.reader("all")
        one, two = await shelf.add(
            shelf.new("Old", published=NOW - timedelta(hours=2)), shelf.new("New", published=NOW)
        )
        await shelf.fan_out(two, one)
        assert await head_items(shelf) == [one, one]
        for head in await heads(shelf):
            await send(shelf, head)
        assert await head_items(shelf) == [two, two]

    async def test_what_is_being_sent_holds_the_rest_of_its_chat(self, shelf):
        await shelf.reader("all", chat_id=5)
        await shelf.fan_out(*await shelf.add(shelf.new(), shelf.new()))
        (head,) = await heads(shelf)
        await do(shelf, outbox.mark_sending, [head.id], now=NOW)
        assert await heads(shelf) == []
        assert await next_due_at(shelf) is None

    async def test_what_is_to_wait_holds_the_rest_of_its_chat_and_of_no_other(self, shelf):
        await shelf.reader("all", chat_id=5)
        await shelf.reader("all", chat_id=6)
        await shelf.fan_out(*await shelf.add(shelf.new(), shelf.new()))
        first, _ = await heads(shelf)
        await do(shelf, outbox.mark_sending, [first.id], now=NOW)
        await do(shelf, outbox.put_back, first.id, due_at=SOON, reason="server-trouble")
        assert [each.chat_id for each in await heads(shelf)] == [6]
        assert [each.chat_id for each in await heads(shelf, now=SOON)] == [6, 5]

    async def test_a_chat_that_must_wait_is_left_out_until_its_time(self, shelf):
        await shelf.reader("all", chat_id=5)
        await shelf.reader("all", chat_id=6)
        await shelf.fan_out(await shelf.item())
        await do(shelf, outbox.hold_chat, 5, until=SOON)
        assert [each.chat_id for each in await heads(shelf, now=SOON - timedelta(seconds=1))] == [6]
        assert {each.chat_id for each in await heads(shelf, now=SOON)} == {5, 6}

    async def test_a_hold_counts_for_every_topic_of_the_chat(self, shelf):
        for thread in (0, 7):
            await shelf.reader("all", chat_id=5, thread_id=thread)
        await shelf.fan_out(await shelf.item())
        await do(shelf, outbox.hold_chat, 5, until=SOON)
        assert await heads(shelf) == []

    async def test_a_paused_chat_gets_nothing_even_what_was_put_back_after_the_pause(self, shelf, sending):
        await do(shelf, subscribers.pause, chat_id=5, reason="blocked", now=NOW)
        await do(shelf, outbox.put_back, sending.id, due_at=NOW, reason="unreachable")
        assert await heads(shelf) == []
        assert await next_due_at(shelf) is None
        await do(shelf, subscribers.resume, chat_id=5, now=NOW)
        assert [each.id for each in await heads(shelf)] == [sending.id]

    async def test_those_in_work_are_left_out_and_do_not_take_the_places_of_others(self, shelf):
        readers = [await shelf.reader("all") for _ in range(6)]
        await shelf.fan_out(await shelf.item())
        found = await heads(shelf, limit=3, without=readers[:2])
        assert [each.subscriber_id for each in found] == readers[2:5]
        assert await heads(shelf, limit=3, without=readers) == []
        assert len(await heads(shelf, limit=3, without={404, *range(10_000, 15_000)})) == 3


class TestNextDue:
    async def test_nothing_queued_nothing_due(self, shelf):
        assert await next_due_at(shelf) is None

    async def test_the_soonest_row_or_hold_counts(self, shelf):
        await shelf.reader("all", chat_id=5)
        await shelf.fan_out(await shelf.item())
        assert await next_due_at(shelf) == NOW
        await do(shelf, outbox.hold_chat, 5, until=SOON)
        assert await next_due_at(shelf) == SOON
        await shelf.reader(PENZA, chat_id=6)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)), now=SOON - timedelta(seconds=10))
        assert await next_due_at(shelf) == SOON - timedelta(seconds=10)

    async def test_a_hold_that_is_over_before_the_row_is_due_does_not_count(self, shelf):
        await shelf.reader("all", chat_id=5)
        await do(shelf, outbox.hold_chat, 5, until=NOW)
        await shelf.fan_out(await shelf.item(), now=SOON)
        assert await next_due_at(shelf) == SOON

    async def test_what_stands_behind_a_row_that_waits_is_not_due(self, shelf, sending):
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        await do(shelf, outbox.put_back, sending.id, due_at=SOON, reason="server-trouble")
        assert await next_due_at(shelf) == SOON

    async def test_it_is_the_moment_from_which_heads_finds_something(self, shelf):
        """The sender sleeps until then: earlier it would spin, later news would lie."""
        for chat, hold, due in ((5, 50, 0), (6, None, 40), (7, 20, 30), (8, 10, 45)):
            await shelf.reader(f"source:{chat}", chat_id=chat)
            item_id = await shelf.item(scopes=(f"source:{chat}",))
            await shelf.fan_out(item_id, now=NOW + timedelta(seconds=due))
            if hold is not None:
                await do(shelf, outbox.hold_chat, chat, until=NOW + timedelta(seconds=hold))
        woken = []
        while (when := await next_due_at(shelf)) is not None:
            assert await heads(shelf, now=when - timedelta(microseconds=1)) == []
            (head,) = await heads(shelf, now=when)
            await send(shelf, head, now=when)
            woken.append((head.chat_id, (when - NOW).seconds))
        assert woken == [(7, 30), (6, 40), (8, 45), (5, 50)]


class TestOutcomes:
    async def test_an_attempt_is_on_record_before_the_request_leaves(self, shelf, sending):
        stored = await row(shelf, sending.id)
        assert (stored.state, stored.attempts, stored.attempted_at) == ("sending", 1, NOW)

    async def test_only_what_is_queued_is_taken_for_sending(self, shelf):
        await shelf.reader("all")
        await shelf.reader(PENZA)
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        one, two = await heads(shelf)
        assert await do(shelf, outbox.mark_sending, [one.id, two.id, 4711], now=NOW) == {one.id, two.id}
        assert await do(shelf, outbox.mark_sending, [one.id, two.id], now=NOW) == set()
        assert (await row(shelf, one.id)).attempts == 1

    async def test_sent_is_sent_for_good(self, shelf, sending):
        await do(shelf, outbox.mark_sent, sending.id, message_id=77, now=SOON)
        stored = await row(shelf, sending.id)
        assert (stored.state, stored.message_id, stored.finished_at) == ("sent", 77, SOON)
        await do(shelf, outbox.put_back, sending.id, due_at=NOW, reason="late answer")
        assert (await row(shelf, sending.id)).state == "sent"
        assert await heads(shelf) == []

    async def test_many_are_sent_in_one_go_each_with_its_message(self, shelf):
        for _ in range(3):
            await shelf.reader("all")
        await shelf.fan_out(await shelf.item())
        found = await heads(shelf)
        await do(shelf, outbox.mark_sending, [each.id for each in found], now=NOW)
        await do(shelf, outbox.mark_all_sent, {each.id: 70 + each.id for each in found}, now=SOON)
        for each in found:
            stored = await row(shelf, each.id)
            assert (stored.state, stored.message_id, stored.finished_at) == ("sent", 70 + each.id, SOON)

    @pytest.mark.parametrize(
        ("mark", "values", "state", "reason"),
        [
            (outbox.mark_failed, {"reason": "bad-markup", "detail": "can't parse"}, "failed", "bad-markup"),
            (outbox.mark_skipped, {"reason": "item-gone"}, "skipped", "item-gone"),
            (outbox.mark_unknown, {"detail": "connection lost"}, "unknown", "unknown-outcome"),
        ],
    )
    async def test_other_ends_keep_their_reason(self, shelf, sending, mark, values, state, reason):
        await do(shelf, mark, sending.id, now=SOON, **values)
        stored = await row(shelf, sending.id)
        assert (stored.state, stored.reason, stored.finished_at) == (state, reason, SOON)
        assert stored.detail == values.get("detail", "")
        assert await heads(shelf, now=SOON) == []

    async def test_put_back_waits_for_its_time(self, shelf, sending):
        await do(shelf, outbox.put_back, sending.id, due_at=SOON, reason="server-trouble", detail="502")
        assert await heads(shelf) == []
        (head,) = await heads(shelf, now=SOON)
        assert (head.id, head.attempts, head.possible_repeat) == (sending.id, 1, False)
        stored = await row(shelf, sending.id)
        assert (stored.reason, stored.detail, stored.finished_at) == ("server-trouble", "502", None)

    async def test_a_refusal_before_sending_is_no_attempt(self, shelf, sending):
        await do(shelf, outbox.put_back, sending.id, due_at=NOW, reason="flood", attempt_counts=False)
        assert (await heads(shelf))[0].attempts == 0

    async def test_the_mark_of_a_possible_repeat_stays_until_changed(self, shelf, sending):
        repeat = {"due_at": NOW, "reason": "unknown-outcome"}
        await do(shelf, outbox.put_back, sending.id, possible_repeat=True, **repeat)
        await do(shelf, outbox.mark_sending, [sending.id], now=NOW)
        await do(shelf, outbox.put_back, sending.id, due_at=NOW, reason="unreachable")
        assert (await heads(shelf))[0].possible_repeat

    async def test_only_what_is_being_sent_is_put_back(self, shelf):
        await shelf.reader("all")
        await shelf.fan_out(await shelf.item())
        (head,) = await heads(shelf)
        await do(shelf, outbox.put_back, head.id, due_at=SOON, reason="confused")
        assert await next_due_at(shelf) == NOW

    async def test_a_new_process_finds_what_a_dead_one_was_sending(self, shelf, sending):
        await shelf.fan_out(await shelf.item(scopes=(PENZA,)))
        async with shelf.database.read() as session:
            left = await outbox.left_sending(session)
        assert [(each.id, each.attempts, each.chat_id) for each in left] == [(sending.id, 1, 5)]

    async def test_a_row_of_one_who_was_forgotten_meanwhile_needs_no_outcome(self, shelf, sending):
        await do(shelf, subscribers.forget, chat_id=5)
        await do(shelf, outbox.mark_sent, sending.id, message_id=1, now=NOW)
        await do(shelf, outbox.put_back, sending.id, due_at=NOW, reason="late")
        async with shelf.database.read() as session:
            assert await outbox.counts(session) == {}


class TestLookingBack:
    async def test_a_message_leads_to_its_item(self, shelf):
        for chat in (5, 6):
            await shelf.reader("all", chat_id=chat)
        one, two = await shelf.add(shelf.new(), shelf.new())
        for item_id in (one, two):
            await shelf.fan_out(item_id)
            for head in await heads(shelf):
                await do(shelf, outbox.mark_sending, [head.id], now=NOW)
                # Each chat counts its messages itself: 5 has one as 10, 6 has two as 10.
                number = 10 + (item_id != one) if head.chat_id == 5 else 10 - (item_id == one)
                await do(shelf, outbox.mark_sent, head.id, message_id=number, now=NOW)
        async with shelf.database.read() as session:
            assert await outbox.item_of_message(session, chat_id=5, message_id=10) == one
            assert await outbox.item_of_message(session, chat_id=6, message_id=10) == two
            assert await outbox.item_of_message(session, chat_id=5, message_id=404) is None
            assert await outbox.item_of_message(session, chat_id=404, message_id=10) is None

    async def test_in_a_group_that_moved_the_newer_message_of_a_number_counts(self, shelf):
        await shelf.reader("all", chat_id=5, kind="group")
        one, two = await shelf.add(shelf.new(), shelf.new())
        for item_id in (one, two):
            await shelf.fan_out(item_id)
            (head,) = await heads(shelf)
            await do(shelf, outbox.mark_sending, [head.id], now=NOW)
            await do(shelf, outbox.mark_sent, head.id, message_id=10, now=NOW)
            await do(shelf, subscribers.migrate, old_chat_id=5, new_chat_id=-1005, now=NOW)
        async with shelf.database.read() as session:
            assert await outbox.item_of_message(session, chat_id=-1005, message_id=10) == two

    async def test_rows_and_chats_are_counted(self, shelf):
        await shelf.reader("all")
        await shelf.reader("all")
        await shelf.fan_out(*await shelf.add(shelf.new(), shelf.new(), shelf.new()))
        await send(shelf, (await heads(shelf))[0])
        async with shelf.database.read() as session:
            assert await outbox.counts(session) == {"sent": 1, "queued": 5}
            assert await outbox.waiting_chats(session) == 2

    async def test_who_got_a_story_is_told(self, shelf, sending):
        await do(shelf, outbox.mark_failed, sending.id, reason="bad-markup", detail="why", now=SOON)
        async with shelf.database.read() as session:
            (trace,) = await outbox.of_story(session, sending.story_id)
        assert (trace.chat_id, trace.state, trace.reason, trace.detail) == (5, "failed", "bad-markup", "why")
        assert (trace.attempts, trace.created_at, trace.finished_at) == (1, NOW, SOON)


async def test_deleting_an_item_takes_its_rows_along(shelf, sending):
    async with shelf.database.write() as session:
        await session.execute(delete(ItemRow).where(ItemRow.id == sending.item_id))
        assert await outbox.counts(session) == {}

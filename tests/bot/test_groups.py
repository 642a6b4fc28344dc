"""Groups, topics and channels: only admins change; standing changes pause and resume."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from storage import subscribers


async def followed(stage, chat_id, thread_id=0):
    async with stage.database.read() as session:
        reader = await subscribers.get(session, chat_id=chat_id, thread_id=thread_id)
        return set(await subscribers.following(session, reader.id)) if reader else None


async def state(stage, chat_id):
    async with stage.database.read() as session:
        reader = await subscribers.get(session, chat_id=chat_id)
        return reader and (reader.state, reader.paused_reason)


@pytest.fixture
def owner(stage):
    return stage.user("Olga")


@pytest.fixture
async def group(stage, owner):
    return await greeted(stage, stage.telegram.group("Readers", owner=owner))


async def greeted(stage, group):
    """The group, once the bot has introduced itself."""
    await stage.told(group, "Hello!")
    return group


async def said(stage, person, text, group, **where):
    since = len(stage.telegram.ledger)
    person.send(text, chat=group, **where)
    return await stage.told(group, since=since)


async def test_an_admin_follows_for_the_group(stage, group, owner):
    assert "You now follow: Mongolia" in (await said(stage, owner, "/follow Mongolia", group)).text
    assert await followed(stage, group.id) == {"foreign/MN"}


async def test_a_member_may_read_but_not_change(stage, group, owner):
    ivan = stage.user("Ivan")
    group.join(ivan)
    await said(stage, owner, "/follow regional", group)
    for command in ("/follow Mongolia", "/unfollow regional", "/forget", "/language de", "/settings UTC"):
        assert "Only admins" in (await said(stage, ivan, command, group)).text
    assert "Only admins" in (await said(stage, ivan, "/start@vestnik_demo_bot f_MN", group)).text
    assert "Regional network" in (await said(stage, ivan, "/my", group)).text
    assert "Latest news" in (await said(stage, ivan, "/latest", group)).text
    assert await followed(stage, group.id) == {"regional"}


async def test_a_members_press_changes_nothing(stage, group, owner):
    ivan = stage.user("Ivan")
    group.join(ivan)
    await said(stage, owner, "/browse", group)
    assert "Only admins" in await stage.alert(ivan, "Everything", chat=group)
    assert not await followed(stage, group.id)
    assert "You now follow" in await stage.alert(owner, "Everything", chat=group)
    assert await followed(stage, group.id) == {"all"}
    await said(stage, owner, "/my", group)
    assert "Only admins" in await stage.alert(ivan, "✕ Everything", chat=group)
    await said(stage, owner, "/forget", group)
    assert "Only admins" in await stage.alert(ivan, "Yes, delete everything", chat=group)
    assert await followed(stage, group.id) == {"all"}


async def test_commands_to_other_bots_and_unknown_ones_are_left_alone_in_groups(stage, group, owner):
    group.promote_bot()
    since = len(stage.telegram.ledger)
    for text in ("/follow@other_bot Mongolia", "/nonsense", "Mongolia", "/sources"):
        owner.send(text, chat=group)
    owner.send("/my", chat=group)
    told = await stage.told(group, since=since)
    assert "You follow nothing yet" in told.text, "nothing before it was answered"


async def test_an_anonymous_admin_is_an_admin_and_a_channels_voice_is_not(stage, group):
    for sender, text in ((group.id, "You now follow"), (-1009999, "Only admins")):
        since = len(stage.telegram.ledger)
        content = {
            "message_id": 900 + abs(sender) % 7,
            "date": int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()),
            "chat": {"id": group.id, "type": "supergroup", "title": "Readers"},
            "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
            "sender_chat": {"id": sender, "type": "supergroup", "title": "Readers"},
            "text": "/follow Mongolia",
            "entities": [{"type": "bot_command", "offset": 0, "length": 7}],
        }
        stage.telegram.engine.put_update("message", content)
        assert text in (await stage.told(group, since=since)).text


async def test_each_topic_follows_for_itself(stage, owner):
    forum = await greeted(stage, stage.telegram.group("Forum", owner=owner, is_forum=True))
    topic = forum.topic("Mongolia")
    answer = await said(stage, owner, "/follow Mongolia", forum, thread_id=topic.id)
    assert answer.thread_id == topic.id
    await said(stage, owner, "/follow regional", forum)
    assert await followed(stage, forum.id, topic.id) == {"foreign/MN"}
    assert await followed(stage, forum.id) == {"regional"}


async def test_a_channel_is_managed_by_its_posts(stage, owner):
    channel = stage.telegram.channel("News", owner=owner)
    owner.send("/follow Mongolia", chat=channel)
    await stage.told(channel, "You now follow")
    assert await followed(stage, channel.id) == {"foreign/MN"}
    reader = stage.user("Reader")
    assert "Only admins" in await stage.alert(reader, "↩ Undo", chat=channel)


async def test_the_bot_introduces_itself_once_when_added(stage, owner):
    owner.user.language_code = "ru"
    group = stage.telegram.group("Readers", owner=owner)
    hello = await stage.told(group)
    assert "Здравствуйте" in hello.text
    assert "только администраторы" in hello.text
    group.promote_bot()
    owner.send("/my", chat=group)
    await stage.told(group, "Подписок пока нет")
    assert sum("Здравствуйте" in d.text for d in group.seen) == 1


async def test_added_to_a_channel_it_writes_to_who_added_it_and_not_into_the_channel(stage, owner):
    await owner.ask("/start")
    channel = stage.telegram.channel("News", owner=owner)
    await stage.told(owner, "I am in the channel “News”")
    assert channel.seen == []


async def test_removal_pauses_and_return_resumes_with_everything_kept(stage, group, owner):
    await said(stage, owner, "/follow Mongolia", group)
    group.remove_bot()
    await _until(lambda: state(stage, group.id), ("paused", "kicked"))
    group.add_bot()
    await _until(lambda: state(stage, group.id), ("active", ""))
    assert await followed(stage, group.id) == {"foreign/MN"}


async def test_losing_the_right_to_write_pauses_and_getting_it_back_resumes(stage, group, owner):
    await said(stage, owner, "/follow Mongolia", group)
    group.restrict_bot()
    await _until(lambda: state(stage, group.id), ("paused", "no-rights"))
    group.set_bot("member")
    await _until(lambda: state(stage, group.id), ("active", ""))


async def test_blocking_pauses_and_unblocking_resumes(stage):
    anna = stage.user()
    await anna.ask("/follow Mongolia")
    anna.block()
    await _until(lambda: state(stage, anna.id), ("paused", "blocked"))
    anna.unblock()
    await _until(lambda: state(stage, anna.id), ("active", ""))
    assert await followed(stage, anna.id) == {"foreign/MN"}


async def test_a_paused_reader_who_writes_again_is_resumed(stage):
    anna = stage.user()
    await anna.ask("/follow Mongolia")
    async with stage.database.write() as session:
        await subscribers.pause(session, chat_id=anna.id, reason="blocked", now=stage.now[0])
    await anna.ask("/my")
    assert await state(stage, anna.id) == ("active", "")


async def test_a_group_that_becomes_a_supergroup_keeps_its_subscriptions(stage, owner):
    group = await greeted(stage, stage.telegram.group("Readers", kind="group", owner=owner))
    await said(stage, owner, "/follow Mongolia", group)
    new = group.migrate()
    await _until(lambda: followed(stage, new.id), {"foreign/MN"})
    assert await followed(stage, group.id) is None


async def _until(read, wanted):
    async with asyncio.timeout(5):
        while (found := await read()) != wanted:
            assert found is not None or wanted is not None
            await asyncio.sleep(0.005)

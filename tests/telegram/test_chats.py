"""People, groups, channels, topics: who may be written to, and what the bot is told."""

import pytest
from telegram.error import BadRequest, Forbidden

BLOCKED = "Forbidden: bot was blocked by the user"


async def _updates(bot, kinds=None):
    found = await bot.get_updates(allowed_updates=kinds or [])
    if found:
        await bot.get_updates(offset=found[-1].update_id + 1, limit=1)
    return found


async def _refusal(bot, chat_id, **fields):
    with pytest.raises((BadRequest, Forbidden)) as caught:
        await bot.send_message(chat_id, "news", **fields)
    return str(caught.value)


async def test_a_person_is_written_to_only_after_writing_first(emulator, bot):
    stranger = emulator.user()
    assert await _refusal(bot, stranger.id) == "Chat not found"
    emulator.group(members=[stranger])
    assert await _refusal(bot, stranger.id) == "Forbidden: bot can't initiate conversation with a user"
    stranger.send("/start")
    await bot.send_message(stranger.id, "news")


async def test_blocking_is_told_and_enforced_until_unblocked(emulator, bot):
    reader = emulator.user(language_code="ru")
    reader.send("/start")
    reader.block()
    assert await _refusal(bot, reader.id) == BLOCKED
    with pytest.raises(ValueError, match="unblock"):
        reader.send("hello?")
    reader.unblock()
    await bot.send_message(reader.id, "news")
    message, blocked, unblocked = await _updates(bot)
    assert message.message.entities[0].type == "bot_command"
    assert message.effective_user.language_code == "ru"
    assert [u.my_chat_member.new_chat_member.status for u in (blocked, unblocked)] == ["kicked", "member"]


async def test_a_deleted_account_and_a_bot_are_refused(emulator, bot):
    gone, robot = emulator.user(started=True), emulator.user(is_bot=True)
    gone.deactivate()
    assert await _refusal(bot, gone.id) == "Forbidden: user is deactivated"
    assert await _refusal(bot, robot.id) == "Forbidden: bot can't send messages to bots"


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_the_bots_standing_in_a_group_decides(emulator, bot, kind):
    group = emulator.group(kind=kind, bot="administrator")
    await bot.send_message(group.id, "news")
    group.remove_bot()
    assert await _refusal(bot, group.id) == f"Forbidden: bot was kicked from the {kind} chat"
    group.set_bot("left")
    assert await _refusal(bot, group.id) == f"Forbidden: bot is not a member of the {kind} chat"
    statuses = [u.my_chat_member.new_chat_member.status for u in await _updates(bot) if u.my_chat_member]
    assert statuses == ["administrator", "kicked", "left"]


async def test_rights_are_asked_before_sending(emulator, bot):
    group, channel = emulator.group(), emulator.channel(bot="member")
    group.restrict_bot(can_send_photos=True)
    assert await _refusal(bot, group.id) == "Not enough rights to send text messages to the chat"
    await bot.send_photo(group.id, "https://example.org/a.jpg")
    assert await _refusal(bot, channel.id) == "Need administrator rights in the channel chat"
    channel.promote_bot()
    post = await bot.send_message(channel.id, "news")
    assert post.sender_chat.id == channel.id
    assert post.from_user is None


async def test_a_channel_is_found_by_its_name(emulator, bot):
    channel = emulator.channel(username="library_news")
    assert (await bot.send_message("@Library_News", "news")).chat.id == channel.id


async def test_topics_closed_and_deleted_refuse_only_their_own_messages(emulator, bot):
    forum = emulator.group(is_forum=True)
    topic = forum.topic("News")
    sent = await bot.send_message(forum.id, "in topic", message_thread_id=topic.id)
    assert sent.is_topic_message
    forum.close_topic(topic)
    assert await _refusal(bot, forum.id, message_thread_id=topic.id) == "Topic_closed"
    await bot.send_message(forum.id, "in general")
    forum.reopen_topic(topic)
    await bot.send_message(forum.id, "again", message_thread_id=topic.id)
    forum.delete_topic(topic)
    assert await _refusal(bot, forum.id, message_thread_id=topic.id) == "Message thread not found"
    assert [d.text for d in emulator.ledger.of_chat(forum.id, thread_id=topic.id)] == ["in topic", "again"]
    assert await _refusal(bot, forum.id, message_thread_id=999) == "Message thread not found"


async def test_a_bot_that_may_manage_topics_makes_them(emulator, bot):
    forum = emulator.group(is_forum=True)
    with pytest.raises(BadRequest, match="ot enough rights"):
        await bot.create_forum_topic(forum.id, "News")
    forum.promote_bot(can_manage_topics=True)
    topic = await bot.create_forum_topic(forum.id, "News")
    await bot.close_forum_topic(forum.id, topic.message_thread_id)
    await bot.send_message(forum.id, "managers may write", message_thread_id=topic.message_thread_id)


async def test_an_upgrade_is_told_in_both_chats(emulator, bot):
    group = emulator.group(kind="group")
    await _updates(bot)
    new = group.migrate()
    old_side, new_side = [u.message for u in await _updates(bot)]
    assert (old_side.chat.id, old_side.migrate_to_chat_id) == (group.id, new.id)
    assert (new_side.chat.id, new_side.migrate_from_chat_id) == (new.id, group.id)


async def test_in_groups_the_bot_hears_only_what_is_meant_for_it(emulator, bot):
    reader = emulator.user()
    group = emulator.group(members=[reader])
    sent = await bot.send_message(group.id, "news")
    await _updates(bot)
    for text in (
        "hello all",
        "/latest",
        "/latest@vestnik_demo_bot",
        "/latest@other_bot",
        "hi @vestnik_demo_bot",
    ):
        reader.send(text, chat=group)
    reader.send("thanks", chat=group, reply_to=sent.message_id)
    heard = [u.message.text for u in await _updates(bot)]
    assert heard == ["/latest", "/latest@vestnik_demo_bot", "hi @vestnik_demo_bot", "thanks"]


async def test_what_may_be_asked_about_a_chat(emulator, bot):
    reader = emulator.user("Reader")
    group = emulator.group("Club", members=[reader], bot="administrator")
    assert (await bot.get_chat(group.id)).title == "Club"
    assert (await bot.get_chat_member(group.id, reader.id)).status == "member"
    assert {m.status for m in await bot.get_chat_administrators(group.id)} == {"creator", "administrator"}
    assert await bot.get_chat_member_count(group.id) == 3
    assert await bot.leave_chat(group.id)
    assert await _refusal(bot, group.id) == "Forbidden: bot is not a member of the supergroup chat"


async def test_replies_albums_copies_and_uploads_reach_the_ledger(emulator, bot):
    reader = emulator.user(started=True)
    first = await bot.send_message(reader.id, "first", disable_notification=True)
    await bot.send_message(reader.id, "second", reply_to_message_id=first.message_id)
    photo = await bot.send_photo(reader.id, b"not really a picture", caption="<i>x</i>", parse_mode="HTML")
    again = await bot.send_photo(reader.id, photo.photo[-1].file_id)
    await bot.copy_message(reader.id, reader.id, first.message_id)
    seen = emulator.ledger.messages(reader.id)
    assert [(d.text, d.media, d.silent, d.reply_to) for d in seen] == [
        ("first", "", True, 0),
        ("second", "", False, first.message_id),
        ("x", "photo", False, 0),
        ("", "photo", False, 0),
        ("first", "", False, 0),
    ]
    file = await bot.get_file(again.photo[-1].file_id)
    assert file.file_size == len(b"not really a picture")


async def test_commands_and_texts_are_kept_per_scope_and_language(emulator, bot):
    await bot.set_my_commands([("latest", "The latest")])
    await bot.set_my_commands([("latest", "Последнее")], language_code="ru")
    await bot.set_my_description("News")
    assert [c.description for c in await bot.get_my_commands(language_code="ru")] == ["Последнее"]
    assert (await bot.get_my_description(language_code="de")).description == "News"
    with pytest.raises(BadRequest, match="ot_command_invalid"):
        await bot.set_my_commands([("Latest!", "x")])

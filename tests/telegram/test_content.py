"""The rarer methods, and how text is cleaned before it is kept."""

import pytest
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputTextMessageContent,
    MessageEntity,
)
from telegram.error import BadRequest

from vestnik.demo.botapi.errors import ApiError
from vestnik.demo.botapi.formatted import read_formatted
from vestnik.demo.botapi.links import checked_link, is_reachable_by_telegram

PICTURE = "https://example.org/a.jpg"


@pytest.fixture
def reader(emulator):
    return emulator.user(started=True)


def _kept(text, entities=None, mode=""):
    found = read_formatted(text, mode, entities)
    return found.text, [(e["type"], e["offset"], e["length"]) for e in found.entities]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("  <b> x </b>\n", ("x", [("bold", 0, 1)])),
        ("a\r\nb\x07c", ("a\nb c", [])),
        ("a\u202e<b>bc</b>", ("abc", [("bold", 1, 2)])),
        ("<b>a\u2028b</b>", ("ab", [("bold", 0, 2)])),
        ("\u2068имя\u2069", ("\u2068имя\u2069", [])),
        ("<code>a <b>b</b></code>", ("a b", [("code", 0, 3)])),
        (
            "<blockquote>a<blockquote>b</blockquote></blockquote>",
            ("ab", [("blockquote", 0, 2)]),
        ),
        (
            "/start@some_bot #тег @name https://a.org/b. a/b c@d",
            (
                "/start@some_bot #тег @name https://a.org/b. a/b c@d",
                [("bot_command", 0, 15), ("hashtag", 16, 4), ("mention", 21, 5), ("url", 27, 15)],
            ),
        ),
        ('<a href="https://a.org">#тег</a>', ("#тег", [("text_link", 0, 4)])),
        ("&lt;/script&gt; #1", ("</script> #1", [])),
    ],
)
def test_text_is_kept_as_the_server_would_keep_it(source, kept):
    assert _kept(source, mode="HTML") == kept


def test_entities_may_be_given_instead_of_markup():
    given = [
        {"type": "bold", "offset": 2, "length": 3},
        {"type": "text_link", "offset": 0, "length": 2, "url": "javascript:x"},
        {"type": "text_link", "offset": 0, "length": 2, "url": "a.org"},
    ]
    assert _kept("😀жир", given) == ("😀жир", [("text_link", 0, 2), ("bold", 2, 3)])
    with pytest.raises(ApiError, match="entity"):
        _kept("x", [{"type": "bold", "offset": 0, "length": 9}])


def test_only_a_hundred_entities_are_kept():
    assert len(_kept("<b>x</b> " * 150, mode="HTML")[1]) == 100


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("example.org", "http://example.org/"),
        ("HTTPS://User@Example.org:8080/a b", None),
        ("https://Example.org:8080/a?b=c#d", "https://example.org:8080/a?b=c#d"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("http://[::1]:9/x", "http://[::1]:9/x"),
        ("http://localhost", None),
        ("http://a.org:port/", None),
        ("tg://resolve?domain=x", "tg://resolve?domain=x"),
        ("mailto:a@b.c", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_which_addresses_telegram_would_open(address, link):
    assert checked_link(address) == link


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("https://example.org/", True),
        ("http://8.8.8.8/", True),
        ("http://10.0.0.1/", False),
        ("http://x.local/", False),
    ],
)
def test_which_hosts_telegrams_servers_reach(address, reachable):
    assert is_reachable_by_telegram(address) is reachable


async def test_an_album_appears_whole_or_not_at_all(emulator, bot, reader):
    sent = await bot.send_media_group(
        reader.id, [InputMediaPhoto(PICTURE, caption="first"), InputMediaPhoto(b"bytes of a picture")]
    )
    assert [bool(message.photo) for message in sent] == [True, True]
    with pytest.raises(BadRequest, match="get http url content"):
        await bot.send_media_group(
            reader.id, [InputMediaPhoto(PICTURE), InputMediaPhoto("http://127.0.0.1/a.jpg")]
        )
    with pytest.raises(BadRequest, match="2-10 items"):
        await bot.send_media_group(reader.id, [InputMediaPhoto(PICTURE)])
    assert [d.text for d in emulator.ledger.messages(reader.id)] == ["first", ""]


async def test_captions_media_and_keyboards_are_edited_where_they_are(emulator, bot, reader):
    photo = await bot.send_photo(reader.id, PICTURE, caption="old")
    text = await bot.send_message(reader.id, "text")
    await bot.edit_message_caption(reader.id, photo.message_id, caption="<b>new</b>", parse_mode="HTML")
    await bot.edit_message_media(InputMediaPhoto(PICTURE + "2", caption="newer"), reader.id, photo.message_id)
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]])
    await bot.edit_message_reply_markup(reader.id, text.message_id, reply_markup=keyboard)
    with pytest.raises(BadRequest, match="no caption"):
        await bot.edit_message_caption(reader.id, text.message_id, caption="x")
    with pytest.raises(BadRequest, match="no text"):
        await bot.edit_message_text("x", reader.id, photo.message_id)
    assert [(d.kind, d.html) for d in emulator.ledger][2:] == [
        ("edit", "<b>new</b>"),
        ("edit", "newer"),
        ("markup", "text"),
    ]
    assert emulator.ledger.shown(reader.id)[text.message_id].buttons[0].data == "x"
    assert emulator.violations == []


async def test_forwarding_pinning_deleting_and_reacting(emulator, bot, reader):
    group = emulator.group()
    sent = await bot.send_message(group.id, "news")
    await bot.forward_message(reader.id, group.id, sent.message_id)
    with pytest.raises(BadRequest, match="pinned messages"):
        await bot.pin_chat_message(group.id, sent.message_id)
    group.promote_bot()
    assert await bot.pin_chat_message(group.id, sent.message_id)
    assert (await bot.get_chat(group.id)).pinned_message.text == "news"
    assert await bot.unpin_chat_message(group.id)
    assert await bot.set_message_reaction(group.id, sent.message_id, "👍")
    assert await bot.delete_messages(group.id, [sent.message_id, 999])
    assert await bot.send_chat_action(reader.id, "typing")
    with pytest.raises(BadRequest, match="action"):
        await bot.send_chat_action(reader.id, "dancing")
    assert [d.kind for d in emulator.ledger.of_chat(group.id)] == ["message", "delete"]


async def test_deleting_has_an_age_limit(paced, clock):
    from .conftest import make_bot

    reader = paced.user(started=True)
    async with make_bot(paced) as bot:
        sent = await bot.send_message(reader.id, "old")
        clock.advance(48 * 3600 + 1)
        with pytest.raises(BadRequest, match="can't be deleted"):
            await bot.delete_message(reader.id, sent.message_id)


async def test_a_method_newer_than_the_library_may_be_called_by_name(emulator, bot, reader):
    await bot.do_api_request(
        "sendRichMessage", api_kwargs={"chat_id": reader.id, "rich_message": {"html": "<h1>x</h1>"}}
    )
    assert emulator.ledger.texts(reader.id) == ["<h1>x</h1>"]
    with pytest.raises(BadRequest, match="not emulated"):
        await bot.send_dice(reader.id)
    assert [violation.kind for violation in emulator.violations] == ["unknown_method"]


async def test_inline_queries_are_answered_once(emulator, bot, reader):
    query = reader.inline("penza")
    update = (await bot.get_updates())[0]
    assert (update.inline_query.id, update.inline_query.query) == (query, "penza")
    article = InlineQueryResultArticle("1", "Penza", InputTextMessageContent("News of Penza"))
    with pytest.raises(BadRequest, match="esult_id_duplicate"):
        await bot.answer_inline_query(query, [article, article])
    assert await bot.answer_inline_query(query, [article])
    assert emulator.engine.inline_answers[query]["results"][0]["title"] == "Penza"
    with pytest.raises(BadRequest, match="too old"):
        await bot.answer_inline_query(query, [article])


async def test_topics_are_renamed_closed_reopened_and_deleted(emulator, bot):
    forum = emulator.group(is_forum=True, bot="")
    forum.promote_bot(can_manage_topics=True)
    topic = (await bot.create_forum_topic(forum.id, "News")).message_thread_id
    assert await bot.edit_forum_topic(forum.id, topic, name="Novelties")
    assert forum.chat.topics[topic].name == "Novelties"
    assert await bot.close_forum_topic(forum.id, topic)
    with pytest.raises(BadRequest, match="opic_not_modified"):
        await bot.close_forum_topic(forum.id, topic)
    assert await bot.reopen_forum_topic(forum.id, topic)
    assert await bot.delete_forum_topic(forum.id, topic)
    with pytest.raises(BadRequest, match="opic_id_invalid"):
        await bot.reopen_forum_topic(forum.id, topic)


async def test_the_library_and_the_server_count_entities_alike(bot, reader):
    sent = await bot.send_message(
        reader.id, "😀 <b>жир</b> <a href='https://a.org/?x=1&amp;y=2'>link</a>", parse_mode="HTML"
    )
    assert sent.parse_entity(next(e for e in sent.entities if e.type == MessageEntity.BOLD)) == "жир"
    assert sent.text_html.startswith("😀 <b>жир</b> <a href=")
    assert sent.entities[-1].url == "https://a.org/?x=1&y=2"

"""Conversations of a reader in a private chat, over real HTTP, as a person would have them."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from bot.commands import COMMANDS
from bot.i18n import INTERFACE_LANGUAGES
from storage import outbox, subscribers
from vestnik.demo.botapi.faults import Fault


async def reader_of(stage, person, thread_id=0):
    async with stage.database.read() as session:
        return await subscribers.get(session, chat_id=person.id, thread_id=thread_id)


async def followed(stage, person, thread_id=0):
    reader = await reader_of(stage, person, thread_id)
    if reader is None:
        return None
    async with stage.database.read() as session:
        return set(await subscribers.following(session, reader.id))


def labels(delivery):
    return [button.text for button in delivery.buttons]


@pytest.mark.parametrize(
    ("client", "language", "word"),
    [("ru", "ru", "Здравствуйте"), ("pt-br", "en", "Hello"), ("", "en", "Hello"), ("zh-hans", "zh", "您好")],
)
async def test_start_greets_in_the_clients_language_and_remembers_it(stage, client, language, word):
    anna = stage.user(language_code=client)
    assert word in (await anna.ask("/start")).text
    assert (await reader_of(stage, anna)).language == language


async def test_a_chosen_language_is_never_overwritten_by_the_client(stage):
    anna = stage.user(language_code="ru")
    await anna.ask("/start")
    await anna.ask("/language")
    assert "Sprache wählen" in (await anna.tap("Deutsch")).text
    anna.user.language_code = "fr"
    assert "Guten Tag" in (await anna.ask("/start")).text


async def test_three_taps_follow_a_region_and_a_fourth_unfollows(stage):
    await stage.add_news("Library opens in Penza")
    anna = stage.user()
    await anna.ask("/browse")
    assert "Volga Federal District · 1" in labels(await anna.tap("Regional network · 1"))
    assert "Penza Oblast · 1" in labels(await anna.tap("Volga Federal District · 1"))
    shown = await anna.tap("Penza Oblast · 1")
    assert "✓ Penza Oblast · 1" in labels(shown)
    assert shown.kind == "edit", "menus change in place"
    assert await followed(stage, anna) == {"regional/RU-PNZ"}
    await anna.tap("✓ Penza Oblast · 1")
    assert await followed(stage, anna) == set()
    assert len(stage.telegram.ledger.messages(anna.id)) == 1


async def test_a_whole_district_a_network_and_everything_can_be_followed_by_buttons(stage):
    anna = stage.user()
    await anna.ask("/browse")
    await anna.tap("Everything")
    await anna.tap("Foreign network")
    await anna.tap("➕ Follow everything here")
    await anna.tap("Central Asia")
    shown = await anna.tap("➕ Follow everything here")
    assert "✓ Everything here" in labels(shown)
    assert await followed(stage, anna) == {"all", "foreign", "foreign/district:central-asia"}
    back = await anna.tap("‹ Back")
    assert "✓ Central Asia" in labels(back)


async def test_long_districts_have_pages(stage):
    anna = stage.user()
    await anna.ask("/browse")
    await anna.tap("Foreign network")
    first = await anna.tap("Sub-Saharan Africa")
    second = await anna.tap("›")
    assert first.rows[0] != second.rows[0]
    third = await anna.tap(second.rows[0][0].text)
    assert third.rows[0][0].text.startswith("✓"), "a tap keeps its page"


@pytest.mark.parametrize(
    ("words", "scope", "name"),
    [
        ("RU-PNZ", "regional/RU-PNZ", "Penza Oblast"),
        ("regional", "regional", "Regional network"),
        ("Пенза", "regional/RU-PNZ", "Penza Oblast"),
        ("Mongolia", "foreign/MN", "Mongolia"),
        ("all", "all", "Everything"),
    ],
)
async def test_follow_by_word_is_done_at_once_and_can_be_undone(stage, words, scope, name):
    anna = stage.user()
    assert f"You now follow: {name}" in (await anna.ask(f"/follow {words}")).text
    assert await followed(stage, anna) == {scope}
    assert "You already follow" in (await anna.ask(f"/follow {words}")).text
    undone = await anna.tap(f"Unfollow: {name}")
    assert "no longer follow" in undone.text
    assert await followed(stage, anna) == set()
    await anna.tap("↩ Follow again")
    await anna.tap("↩ Undo")
    assert await followed(stage, anna) == set()


async def test_follow_offers_a_choice_when_the_word_is_not_clear(stage):
    anna = stage.user()
    asked = await anna.ask("/follow Алтай")
    assert await followed(stage, anna) == set()
    await anna.tap(next(label for label in labels(asked) if "Krai" in label))
    assert await followed(stage, anna) == {"regional/RU-ALT"}


async def test_follow_alone_opens_the_browser_and_unknown_words_point_there(stage):
    anna = stage.user()
    assert "What would you like to follow?" in (await anna.ask("/follow")).text
    assert "I do not know “<qwerty>”" in (await anna.ask("/follow <qwerty>")).text


@pytest.mark.parametrize(
    ("link", "scope"),
    [("f_regional", "regional"), ("f_MN", "foreign/MN"), ("f_RU-PNZ", "regional/RU-PNZ"), ("f_all", "all")],
)
async def test_a_deep_link_follows_at_once(stage, link, scope):
    anna = stage.user()
    assert "You now follow" in (await anna.ask(f"/start {link}")).text
    assert await followed(stage, anna) == {scope}


async def test_a_deep_link_to_nowhere_follows_nothing(stage):
    anna = stage.user()
    assert "I do not know" in (await anna.ask("/start f_XX")).text
    assert await followed(stage, anna) == set()


async def test_unfollow_by_word_and_what_a_wider_subscription_brings(stage):
    anna = stage.user()
    await anna.ask("/follow volga")
    await anna.ask("/follow Mongolia")
    assert "no longer follow: Mongolia" in (await anna.ask("/unfollow монголия")).text
    told = await anna.ask("/unfollow Пенза")
    assert "It comes with: Volga Federal District" in told.text
    await anna.tap("Unfollow: Volga Federal District")
    assert await followed(stage, anna) == set()


async def test_unfollow_all_leaves_nothing(stage):
    anna = stage.user()
    for word in ("volga", "Mongolia", "all"):
        await anna.ask(f"/follow {word}")
    await anna.ask("/unfollow all")
    assert await followed(stage, anna) == {"foreign/MN", "regional/district:volga"}, (
        "the scope called all first"
    )
    assert "You follow nothing now" in (await anna.ask("/unfollow all")).text
    assert await followed(stage, anna) == set()


async def test_my_lists_what_is_followed_and_drops_it_in_place(stage):
    anna = stage.user()
    assert "You follow nothing yet" in (await anna.ask("/my")).text
    await anna.ask("/follow Mongolia")
    await anna.ask("/follow regional")
    listed = await anna.ask("/my")
    assert "You follow 2 places" in listed.text
    assert "Mongolia (Foreign network)" in listed.text
    left = await anna.tap("✕ Mongolia")
    assert left.kind == "edit"
    assert await followed(stage, anna) == {"regional"}


async def test_latest_shows_each_story_once_newest_first_of_what_is_followed(stage):
    for hours, title in ((3, "Old"), (2, "Middle"), (1, "Fresh")):
        await stage.add_news(
            f"{title} in Penza", url=f"https://lib.example.org/{title}", age=timedelta(hours=hours)
        )
    await stage.add_news("Elsewhere", network="foreign", regions=("MN",))
    anna = stage.user()
    await anna.ask("/follow RU-PNZ")
    text = (await anna.ask("/latest")).text
    assert text.index("Fresh") < text.index("Middle") < text.index("Old")
    assert "Elsewhere" not in text
    assert "Elsewhere" in (await anna.ask("/latest Mongolia")).text
    assert "Nothing yet" in (await anna.ask("/latest Chad")).text


async def test_latest_keeps_to_five_and_to_one_message(stage):
    for number in range(12):
        await stage.add_news(f"{'Very long title ' * 15}{number}", age=timedelta(hours=number + 1))
    anna = stage.user()
    assert (await anna.ask("/latest")).text.count("▪") == 5


async def test_find_understands_and_offers_to_follow(stage):
    await stage.add_news("Library opens in Penza", url="https://lib.example.org/1")
    anna = stage.user()
    found = await anna.ask("/find пензинская")
    assert "1 news item in the last 30 days" in found.text
    assert "Library opens in Penza" in found.text
    assert "You now follow" in (await anna.tap("➕ Follow")).text
    assert "Write a place" in (await anna.ask("/find")).text


async def test_words_without_a_command_are_searched_for(stage):
    anna = stage.user()
    assert "Mongolia" in (await anna.ask("Mongolei")).text
    assert "I did not understand" in (await anna.ask("qwertyuiop")).text


async def test_a_link_to_news_we_hold_shows_it_with_its_buttons(stage):
    await stage.add_news("Library opens in Penza", url="https://lib.example.org/1")
    anna = stage.user()
    shown = await anna.ask("https://lib.example.org/1")
    assert labels(shown) == ["Open", "Why?", "⋯"]


async def test_why_explains_the_message_replied_to(stage):
    await stage.add_news("Mongolian week", network="foreign", regions=("MN",), age=timedelta(minutes=1))
    await stage.add_news("Library opens in Penza", url="https://lib.example.org/1")
    anna = stage.user()
    await anna.ask("/follow RU-PNZ")
    shown = await anna.ask("https://lib.example.org/1")
    since = len(stage.telegram.ledger)
    anna.send("/why", reply_to=shown.message_id)
    told = await stage.told(anna, since=since)
    assert "Penza Oblast: “Library”, in the title" in told.text
    assert "You follow: Penza Oblast (Regional network)" in told.text
    assert "Library" in await stage.alert(anna, "Why?")


async def test_why_without_a_reply_explains_the_newest(stage):
    anna = stage.user()
    assert "Reply to a news message" in (await anna.ask("/why")).text
    await stage.add_news("Library opens in Penza")
    assert "Library opens in Penza" in (await anna.ask("/why")).text


async def test_a_news_message_lets_its_places_be_followed_and_muted(stage):
    await stage.add_news("Library opens in Penza", url="https://lib.example.org/1")
    anna = stage.user()
    await anna.ask("https://lib.example.org/1")
    assert labels(await anna.tap("⋯")) == ["➕ Penza Oblast", "More from here", "‹ Back"]
    await anna.tap("➕ Penza Oblast")
    assert await followed(stage, anna) == {"regional/RU-PNZ"}
    await anna.tap("✓ Penza Oblast")
    assert await followed(stage, anna) == set()
    back = await anna.tap("‹ Back")
    assert labels(back) == ["Open", "Why?", "⋯"]
    assert "Library opens" in back.text


async def test_settings_change_language_and_zone_in_place(stage):
    anna = stage.user()
    await anna.ask("/settings")
    await anna.tap("🕓 Time zone")
    assert (
        "Time zone: Tokyo, UTC+9" in (await anna.tap("zone|Asia/Tokyo") if False else await _zone(anna)).text
    )
    assert (await reader_of(stage, anna)).timezone == "Asia/Tokyo"
    assert "Time zone: Riga, UTC+2" in (await anna.ask("/settings Europe/Riga")).text
    assert "do not know this time zone" in (await anna.ask("/settings Nowhere/City")).text
    assert "Ich schreibe Ihnen jetzt auf Deutsch" in (await anna.ask("/language de")).text


async def _zone(anna):
    for _ in range(5):
        if any(b.text.startswith("Tokyo") for b in anna.seen[-1].buttons):
            return await anna.tap("Tokyo, UTC+9")
        await anna.tap("›")
    raise AssertionError("Tokyo is on no page")


async def test_export_gives_opml_for_readers_and_json(stage):
    anna = stage.user()
    assert "nothing to export" in (await anna.ask("/export")).text
    await anna.ask("/follow volga")
    await anna.ask("/follow Mongolia")
    anna.send("/export")
    await stage.told(anna, lambda d: d.media_source.endswith("json") or "json" in str(d.media_source))
    bodies = list(stage.telegram.engine.uploads.values())
    opml = ET.fromstring(bodies[0])
    feeds = [each.get("xmlUrl") for each in opml.iter("outline") if each.get("type") == "rss"]
    assert "https://news.example.org/feeds/all/foreign/MN.rss" in feeds
    assert "https://news.example.org/feeds/all/regional/RU-PNZ.rss" in feeds
    assert not any("district" in feed for feed in feeds), "districts have no feeds"
    following = json.loads(bodies[1])["following"]
    assert {each["scope"] for each in following} == {"foreign/MN", "regional/district:volga"}


async def test_forget_asks_first_and_then_deletes_everything(stage):
    anna = stage.user()
    await anna.ask("/follow Mongolia")
    await anna.ask("/forget")
    assert "Nothing was deleted" in (await anna.tap("No, keep it")).text
    assert await followed(stage, anna) == {"foreign/MN"}
    await anna.ask("/forget")
    assert "Everything is deleted" in (await anna.tap("Yes, delete everything")).text
    assert await reader_of(stage, anna) is None


async def test_a_new_follower_is_not_sent_old_news(stage):
    item = await stage.add_news("Library opens in Penza")
    anna = stage.user()
    await anna.ask("/follow RU-PNZ")
    async with stage.database.write() as session:
        assert await outbox.counts(session) == {}
    assert item


async def test_stale_and_foreign_buttons_are_answered_politely(stage):
    anna = stage.user()
    sent = await anna.ask("/browse")
    message = stage.telegram.world.chats[anna.id].messages[sent.message_id]
    for data in ("browse|nowhere|0", "old-format", "why|999999", "language|xx", "zone|Moon/Base"):
        message.rows[0][0]["callback_data"] = data
        said = await stage.alert(anna, data)
        assert "out of date" in said or "no longer have" in said


async def test_pressing_the_same_button_twice_is_no_error(stage):
    anna = stage.user()
    await anna.ask("/browse")
    await anna.tap("Regional network")
    message = stage.telegram.world.chats[anna.id].messages[anna.seen[-1].message_id]
    message.rows[-1][0]["callback_data"] = "browse|regional|0"
    assert await stage.alert(anna, "browse|regional|0") == ""


async def test_help_lists_every_command_and_no_admin_command(stage):
    anna = stage.user()
    text = (await anna.ask("/help")).text
    for command in COMMANDS:
        assert (f"/{command.name} " in text) is not command.for_admins


@pytest.mark.parametrize("language", INTERFACE_LANGUAGES)
async def test_every_command_answers_in_every_language(stage, language):
    await stage.add_news("Library opens in Penza", url="https://lib.example.org/1")
    anna = stage.user(language_code=language)
    english = stage.user(language_code="en")
    for command in COMMANDS:
        if command.for_admins:
            continue
        said = await anna.ask(f"/{command.name}")
        if language != "en" and command.name not in {"why", "language", "settings"}:
            assert said.text != (await english.ask(f"/{command.name}")).text, command.name


async def test_an_answer_that_did_not_arrive_is_sent_again(stage):
    anna = stage.user()
    stage.telegram.faults.add(Fault(kind="reset_before", method="sendMessage"))
    assert "Hello" in (await anna.ask("/start")).text
    stage.telegram.faults.add(Fault(kind="error", method="sendMessage", error="internal"))
    anna.send("/help")
    assert "What I can do" in (await stage.told(anna, "What I can do")).text


async def test_a_failure_inside_is_answered_with_an_apology_and_the_next_update_works(stage, monkeypatch):
    async def fail(*_args, **_kwargs):
        raise RuntimeError("broken")

    anna = stage.user()
    with monkeypatch.context() as patch:
        patch.setattr("bot.commands.follow.followed_by", fail)
        assert "Something went wrong" in (await anna.ask("/my")).text
    assert "You follow nothing yet" in (await anna.ask("/my")).text

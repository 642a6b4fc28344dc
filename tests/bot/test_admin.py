"""Admins see the health of the service; strangers not even that there is something to see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.application import publish_commands
from bot.commands import COMMANDS
from feeds.model import Source, SourceId
from storage import sources

ADMIN_ID = 4242  # as in conftest
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def admin(stage):
    return stage.user("Admin", user_id=ADMIN_ID)


ADMIN_COMMANDS = [each.name for each in COMMANDS if each.for_admins]


@pytest.mark.parametrize("command", ADMIN_COMMANDS)
async def test_a_stranger_hears_the_same_as_for_a_command_that_does_not_exist(stage, command):
    anna = stage.user()
    assert (await anna.ask(f"/{command} lib")).text == (await anna.ask("/nosuchcommand")).text


async def test_a_strangers_press_of_an_admins_button_shows_nothing(stage, admin):
    await _add_sources(stage, 20)
    sent = await admin.ask("/sources")
    anna = stage.user()
    mine = await anna.ask("/my")
    message = stage.telegram.world.chats[anna.id].messages[mine.message_id]
    message.rows[0][0]["callback_data"] = next(b.data for b in sent.buttons if b.data.startswith("sources"))
    assert "out of date" in await stage.alert(anna, message.rows[0][0]["callback_data"])
    assert len(anna.seen) == 1


async def test_help_shows_admins_their_commands(stage, admin):
    text = (await admin.ask("/help")).text
    for command in COMMANDS:
        assert f"/{command.name} " in text


async def test_sources_come_with_their_health_failing_ones_first_on_pages(stage, admin):
    await _add_sources(stage, 20)
    await _fail(stage, "extra-07", "<b>HTTP 503 & worse</b>")
    first = await admin.ask("/sources")
    assert "21 sources" in first.text
    assert first.text.index("🔴 extra-07: fails") < first.text.index("extra-00")
    assert "<b>HTTP 503 & worse</b>" in first.text
    assert "3 failures in a row" in first.text
    second = await admin.tap("›")
    assert second.kind == "edit"
    assert "extra-07" not in second.text


async def test_pause_and_resume_of_a_source(stage, admin):
    assert "Paused: lib" in (await admin.ask("/pause lib")).text
    async with stage.database.read() as session:
        assert (await sources.health(session))[0].state == "paused"
    assert "Resumed: lib" in (await admin.ask("/resume lib")).text
    async with stage.database.read() as session:
        assert (await sources.health(session))[0].state != "paused"
    assert "Did you mean: lib?" in (await admin.ask("/pause libb")).text
    assert "/sources" in (await admin.ask("/pause")).text


async def test_health_counts_what_there_is_and_names_what_fails(stage, admin):
    await stage.add_news("Library opens in Penza")
    await _fail(stage, "lib", "timeout")
    await admin.ask("/follow Mongolia")
    text = (await admin.ask("/health")).text
    assert "Sources: 1, failing: 1" in text
    assert "News: 1, in the last day: 1" in text
    assert "Subscribers: 1 active, 0 paused; subscriptions: 1" in text
    assert "Queue: 0 waiting in 0 chats" in text
    assert "🔴 lib: timeout" in text


async def test_commands_and_descriptions_are_published_in_every_language(stage, translations, admin):
    admin.user.started = True
    bot = stage.bot
    await publish_commands(bot, translations, {ADMIN_ID: "owner", 777: "editor"})
    engine = stage.telegram.engine
    everybody = [names for (scope, _), names in engine.commands.items() if "default" in scope]
    assert len(everybody) == 8
    assert all(len(names) == len(COMMANDS) - len(ADMIN_COMMANDS) for names in everybody)
    german = next(v for (s, code), v in engine.commands.items() if code == "de" and "default" in s)
    assert {"command": "forget", "description": "meine Daten löschen"} in german
    ours = [names for (scope, _), names in engine.commands.items() if str(ADMIN_ID) in scope]
    assert all(len(names) == len(COMMANDS) for names in ours)
    assert len(engine.texts) == 16
    stage.telegram.violations.clear()  # an admin who never wrote to the bot is refused, and logged


async def _add_sources(stage, number):
    async with stage.database.write() as session:
        for each in range(number):
            source = Source(id=SourceId(f"extra-{each:02}"), url=f"https://e{each}.example.org/")
            await sources.add(session, source, now=NOW)


async def _fail(stage, source_id, error):
    poll = sources.PollOutcome(
        source_id=SourceId(source_id),
        at=NOW,
        outcome="failed",
        status=503,
        bytes=0,
        milliseconds=5,
        error_reason="http",
        error=error,
        succeeded=False,
        next_poll_at=NOW + timedelta(hours=1),
        next_poll_reason="backoff",
        failures=3,
        learnt={},
    )
    async with stage.database.write() as session:
        await sources.record_poll(session, poll)

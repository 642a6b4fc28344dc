"""What goes wrong on the way, seen through the client library: its exceptions and the ledger's truth."""

from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from vestnik.demo.botapi import NAMED_ERRORS, Chaos, Emulator, Fault, Limits, read_script

from .conftest import make_bot


@pytest.fixture
def reader(emulator):
    return emulator.user(started=True)


@pytest.mark.parametrize("name", sorted(NAMED_ERRORS))
async def test_each_named_error_reaches_the_client_and_nothing_is_delivered(emulator, bot, reader, name):
    emulator.faults.add(Fault(kind="error", error=name))
    with pytest.raises(TelegramError) as caught:
        await bot.send_message(reader.id, "news")
    code = NAMED_ERRORS[name][0]
    expected = {400: BadRequest, 403: Forbidden, 401: InvalidToken, 404: InvalidToken}.get(
        code, TelegramError
    )
    assert isinstance(caught.value, expected)
    assert len(emulator.ledger) == 0
    assert emulator.violations == [], "an injected refusal is not the bot's fault"
    await bot.send_message(reader.id, "news again")


async def test_a_scripted_flood_closes_the_chat_for_as_long_as_it_says(emulator, bot, reader, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    emulator.faults.add(Fault(kind="flood", retry_after=7))
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(reader.id, "news")
    assert caught.value.retry_after == timedelta(seconds=7)
    with pytest.raises(RetryAfter):
        await bot.send_message(reader.id, "too early")
    assert [violation.kind for violation in emulator.violations] == ["impatient"]
    other = emulator.user(started=True)
    await bot.send_message(other.id, "another chat is open")


async def test_a_reset_before_loses_the_request_and_a_reset_after_only_the_answer(emulator, bot, reader):
    emulator.faults.add(Fault(kind="reset_before"), Fault(kind="reset_after"))
    for text in ("lost", "delivered"):
        with pytest.raises(NetworkError):
            await bot.send_message(reader.id, text)
    assert emulator.ledger.texts(reader.id) == ["delivered"]
    assert [call.code for call in emulator.calls if call.method == "sendMessage"] == [0, 0]


async def test_an_answer_delayed_past_the_clients_patience_was_delivered(emulator, reader):
    emulator.faults.add(Fault(kind="delay_after", seconds=0.6))
    async with make_bot(emulator) as bot:
        with pytest.raises(TimedOut):
            await bot.send_message(reader.id, "late", read_timeout=0.2)
    assert emulator.ledger.texts(reader.id) == ["late"]


async def test_a_server_error_may_hide_a_delivery_or_be_a_proxys_page(emulator, bot, reader):
    emulator.faults.add(
        Fault(kind="error_after", error="internal"), Fault(kind="error", error="bad_gateway", as_page=True)
    )
    for text in ("delivered", "lost"):
        with pytest.raises(NetworkError):
            await bot.send_message(reader.id, text)
    assert emulator.ledger.texts(reader.id) == ["delivered"]


async def test_a_fault_strikes_where_it_is_meant_and_as_often_as_it_says(emulator, bot, reader):
    emulator.faults.add(Fault(kind="error", error="internal", contains="rain", skip=1, times=2))
    outcomes = []
    for text in ("rain 1", "sun", "rain 2", "rain 3", "rain 4"):
        try:
            await bot.send_message(reader.id, text)
            outcomes.append("sent")
        except NetworkError:
            outcomes.append("failed")
    assert outcomes == ["sent", "sent", "failed", "failed", "sent"]


async def test_the_same_seed_brings_the_same_faults():
    async def struck(seed):
        async with Emulator(limits=Limits.off()) as server, make_bot(server) as bot:
            server.faults.chaos = Chaos(
                seed=seed, rate=0.3, kinds={"error": 1, "reset_before": 1, "reset_after": 1}
            )
            reader = server.user(started=True)
            for number in range(40):
                try:
                    await bot.send_message(reader.id, str(number))
                except NetworkError:
                    continue
            return [kind for kind, _, _ in server.faults.struck]

    first, again, other = await struck(1), await struck(1), await struck(2)
    assert first == again != other
    assert 4 <= len(first) <= 24


async def test_migration_as_an_error_names_the_new_chat(emulator, bot):
    group = emulator.group(kind="group")
    new = group.migrate()
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(group.id, "news")
    assert caught.value.new_chat_id == new.id
    await bot.send_message(new.id, "news")


@pytest.mark.parametrize(
    "script",
    [
        "{}",
        '[{"kind": "thunder"}]',
        '[{"kind": "error", "error": "x"}]',
        '[{"kind": "flood", "foo": 1}]',
        "[",
    ],
)
def test_a_wrong_script_is_refused_with_a_sentence(script):
    with pytest.raises(ValueError, match=r"."):
        read_script(script)


def test_a_script_is_a_list_of_faults():
    made = read_script(
        '[{"kind": "flood", "retry_after": 3, "chat_id": 5}, {"kind": "reset_after", "times": 0}]'
    )
    assert [(fault.kind, fault.retry_after) for fault in made] == [("flood", 3), ("reset_after", 1)]

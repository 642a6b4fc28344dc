"""How updates reach a bot: offsets, waiting, a second poller, and a webhook."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from telegram.error import BadRequest, Conflict, NetworkError

from .conftest import make_bot


async def test_an_update_stays_until_a_later_offset_confirms_it(emulator, bot):
    reader = emulator.user()
    for number in range(3):
        reader.send(str(number))
    first = await bot.get_updates(limit=2)
    assert [u.message.text for u in first] == ["0", "1"]
    assert [u.message.text for u in await bot.get_updates(limit=2)] == ["0", "1"], (
        "unconfirmed ones come again"
    )
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [u.message.text for u in rest] == ["2"]
    reader.send("3")
    assert [u.message.text for u in await bot.get_updates(offset=-1)] == ["3"], "all before it are forgotten"


async def test_a_long_poll_ends_when_something_arrives(emulator, bot):
    reader = emulator.user()
    poll = asyncio.create_task(bot.get_updates(timeout=10))
    while not emulator.engine.updates.is_polled:
        await asyncio.sleep(0.01)
    reader.send("hello")
    assert (await asyncio.wait_for(poll, 2))[0].message.text == "hello"


async def test_of_two_pollers_the_older_is_refused(emulator, bot):
    older = asyncio.create_task(bot.get_updates(timeout=10))
    while not emulator.engine.updates.is_polled:
        await asyncio.sleep(0.01)
    async with make_bot(emulator) as second:
        assert await second.get_updates(timeout=0) == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await older
    assert emulator.engine.updates.conflicts == 1


async def test_a_bot_that_died_while_polling_conflicts_with_nobody(emulator):
    address = f"{emulator.base_url}/bot{emulator.token}/getUpdates"
    async with aiohttp.ClientSession() as session:
        dying = asyncio.create_task(session.post(address, data={"timeout": "20"}))
        while not emulator.engine.updates.is_polled:
            await asyncio.sleep(0.01)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await asyncio.sleep(0.05)
    emulator.user().send("after the crash")
    async with make_bot(emulator) as bot:
        assert (await bot.get_updates(timeout=1))[0].message.text == "after the crash"
    assert emulator.engine.updates.conflicts == 0


async def test_only_kinds_asked_for_are_queued_and_the_choice_is_remembered(emulator, bot):
    reader = emulator.user()
    await bot.get_updates(allowed_updates=["my_chat_member"])
    reader.send("unheard")
    reader.block()
    assert [u.my_chat_member.new_chat_member.status for u in await bot.get_updates()] == ["kicked"]


async def test_a_webhook_gets_each_update_once_and_again_after_a_refusal(emulator, bot):
    heard = []

    async def hook(request):
        heard.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), await request.json()))
        return web.Response(status=500 if len(heard) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        port = runner.addresses[0][1]
        await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="s3cret")
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        emulator.user().send("hello")
        async with asyncio.timeout(5):
            while len(heard) < 2 or len(emulator.engine.updates):
                await asyncio.sleep(0.02)
        assert [(secret, update["message"]["text"]) for secret, update in heard] == [("s3cret", "hello")] * 2
        assert "500" in (await bot.get_webhook_info()).last_error_message
        await bot.delete_webhook()
        assert await bot.get_updates() == ()
    finally:
        await runner.cleanup()


async def test_a_webhook_needs_https(bot):
    with pytest.raises(BadRequest, match="https url must be provided"):
        await bot.set_webhook("http://example.org/hook")


async def test_a_server_that_was_away_comes_back_at_its_address_with_its_memory(emulator, bot):
    reader = emulator.user()
    reader.send("before")
    address = emulator.base_url
    await emulator.stop()
    with pytest.raises(NetworkError):
        await bot.send_message(reader.id, "into the void")
    await emulator.start()
    assert emulator.base_url == address
    await bot.send_message(reader.id, "back again")
    assert [u.message.text for u in await bot.get_updates()] == ["before"]
    assert emulator.ledger.texts(reader.id) == ["back again"]
    assert [call.method for call in emulator.calls_to(reader, refused=False)] == ["sendMessage"]


async def test_waiting_for_what_never_comes_tells_what_came_instead(emulator, bot):
    reader = emulator.user(started=True)
    await bot.send_message(reader.id, "something else")
    with pytest.raises(TimeoutError, match="something else"):
        await emulator.wait_for(reader, "expected", timeout=0.05)

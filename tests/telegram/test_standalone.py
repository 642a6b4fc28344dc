"""The server in a process of its own: control over HTTP, and a ledger that survives it."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from .conftest import make_bot

pytestmark = pytest.mark.slow


@pytest.fixture
async def process(tmp_path):
    """(base address, ledger file) of a running ``python -m vestnik.demo.botapi``."""
    ledger = tmp_path / "ledger.jsonl"
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "error", "error": "internal", "contains": "rain"}]')
    arguments = [
        "--token",
        "1:secret",
        "--ledger",
        str(ledger),
        "--script",
        str(script),
        "--control",
        "--chat",
    ]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vestnik.demo.botapi", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout
    base = (await asyncio.wait_for(server.stdout.readline(), 15)).decode().strip()
    yield base, ledger
    server.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(server.wait(), 5) == 0
    assert len(ledger.read_text().splitlines()) == 2


async def test_people_move_by_control_and_deliveries_are_on_disk_before_the_answer(process):
    base, ledger = process

    class Server:
        token, base_url = "1:secret", base

    async with aiohttp.ClientSession() as session, make_bot(Server) as bot:

        async def control(path, **fields):
            async with session.post(f"{base}/control/{path}", json=fields) as answer:
                return await answer.json()

        async def get(path):
            async with session.get(f"{base}/control/{path}") as answer:
                return await answer.json()

        assert await control("send", user=5, text="/start", language_code="fr") == {"message_id": 1}
        update = (await bot.get_updates(timeout=5))[0]
        assert update.effective_user.language_code == "fr"
        keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
        await bot.send_message(5, "<b>news</b>", parse_mode="HTML", reply_markup=json.dumps(keyboard))
        line = json.loads(ledger.read_text())
        assert (line["chat_id"], line["html"], line["buttons"][0][0]["data"]) == (5, "<b>news</b>", "go")
        assert (await control("press", user=5, button="Go"))["data"] == "go"
        assert "no button 'Away'" in (await control("press", user=5, button="Away"))["error"]
        forum = (await control("chats", title="Forum", is_forum=True, bot="administrator"))["chat"]
        topic = (await control("chats/topic", chat=forum, name="News"))["thread"]
        await bot.send_message(forum, "in topic", message_thread_id=topic)
        await control("block", user=5)
        seen = await get("ledger?since=1&contains=topic&wait=1")
        assert [(d["thread_id"], d["text"]) for d in seen["deliveries"]] == [(topic, "in topic")]
        state = await get("state")
        assert (state["polled"], state["violations"], state["deliveries"]) == (False, [], 2)
        assert (await control("send", user=5, text="x"))["error"].startswith("user 5 has blocked the bot")
        assert "text is empty" in (await control("send", user=6, text=" "))["error"]
        assert (await control("faults", faults=[{"kind": "thunder"}]))["error"].startswith(
            "no fault is called"
        )
        async with session.get(f"{base}/chat") as page:
            assert page.status == 200

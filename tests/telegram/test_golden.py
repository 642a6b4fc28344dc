"""Requests as bytes would carry them, and the answers a real server gives: golden pairs."""

import json

import aiohttp
import pytest


@pytest.fixture
async def call(emulator):
    """POST a method as a form and give (status, body)."""
    async with aiohttp.ClientSession() as session:

        async def post(method, token=emulator.token, **fields):
            form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
            async with session.post(f"{emulator.base_url}/bot{token}/{method}", data=form) as answer:
                return answer.status, await answer.json()

        yield post


@pytest.fixture
def anna(emulator):
    return emulator.user("Anna", user_id=77, username="anna", language_code="ru", started=True)


async def test_a_sent_message_is_answered_as_the_documentation_shows(call, emulator, anna):
    status, body = await call(
        "sendMessage",
        chat_id="77",
        text="<b>Привет</b> 😀 #книги",
        parse_mode="HTML",
        reply_markup={"inline_keyboard": [[{"text": "Дальше", "callback_data": "next"}], []]},
    )
    date = body["result"].pop("date")
    assert abs(date - emulator.engine.clock.unix()) <= 1
    assert (status, body) == (
        200,
        {
            "ok": True,
            "result": {
                "message_id": 1,
                "chat": {"id": 77, "type": "private", "first_name": "Anna", "username": "anna"},
                "from": {
                    "id": 700000001,
                    "is_bot": True,
                    "first_name": "Vestnik",
                    "username": "vestnik_demo_bot",
                },
                "text": "Привет 😀 #книги",
                "entities": [
                    {"type": "bold", "offset": 0, "length": 6},
                    {"type": "hashtag", "offset": 10, "length": 6},
                ],
                "reply_markup": {"inline_keyboard": [[{"text": "Дальше", "callback_data": "next"}]]},
            },
        },
    )


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as "
    "a current content and reply markup of the message"
)
WRONG_URL = "inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL"
WRONG_SCHEME = "inline keyboard button URL 'mailto:a@b.c' is invalid: Unsupported URL protocol"
NO_ACTION = "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
NOT_BOOLEAN = "STRICT: sendMessage: \"disable_notification\" must be true or false, not 'perhaps'"
NO_FIELD = 'STRICT: sendMessage: "link_preview_options": LinkPreviewOptions has no field "disabled"'


def _keyboard(**button):
    return {"inline_keyboard": [[{"text": "x", **button}]]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n\u200b"}, "message text is empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"text": "ж" * 4097}, "message is too long"),
        ({"text": "<p>", "parse_mode": "HTML"}, "can't parse entities: Unsupported start tag \"p\" at byte offset 0"),
        ({"text": "x", "parse_mode": "BB"}, "unsupported parse_mode"),
        ({"text": "x", "chat_id": ""}, None),
        ({"text": "x", "chat_id": 404}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
        ({"text": "x", "reply_parameters": {"message_id": 9}}, "message to be replied not found"),
        ({"text": "x", "message_thread_id": 5}, "message thread not found"),
        ({"text": "x", "reply_markup": _keyboard(callback_data="ж" * 33)}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": _keyboard(callback_data="")}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": _keyboard()}, NO_ACTION),
        ({"text": "x", "reply_markup": _keyboard(url="http://localhost/")}, WRONG_URL),
        ({"text": "x", "reply_markup": _keyboard(url="mailto:a@b.c")}, WRONG_SCHEME),
        ({"text": "x", "txt": "y"}, 'STRICT: "txt" is no parameter of sendMessage'),
        ({"text": "x", "disable_notification": "perhaps"}, NOT_BOOLEAN),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"txt": "x"}]]}}, None),
        ({"text": "x", "link_preview_options": {"disabled": True}}, NO_FIELD),
    ],
)  # fmt: skip
async def test_what_the_server_refuses_to_send(call, emulator, anna, fields, said):
    status, body = await call("sendMessage", **{"chat_id": 77, **fields})
    assert (status, body["error_code"], body["ok"]) == (400, 400, False)
    assert said is None or body["description"] == f"Bad Request: {said}"
    assert not emulator.ledger.deliveries


async def test_limits_count_code_points_after_parsing(call, anna):
    status, _ = await call("sendMessage", chat_id=77, text=f"<b>{'😀' * 4096}</b>", parse_mode="HTML")
    assert status == 200
    photo = "https://example.org/a.jpg"
    status, _ = await call("sendPhoto", chat_id=77, photo=photo, caption="ж" * 1024)
    assert status == 200
    _, body = await call("sendPhoto", chat_id=77, photo=photo, caption="ж" * 1025)
    assert body["description"] == "Bad Request: message caption is too long"


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        ("https://example.org/a.jpg", None),
        ("http://127.0.0.1:8000/a.jpg", "failed to get HTTP URL content"),
        ("ftp://example.org/a.jpg", "wrong HTTP URL specified"),
        ("AgACAgIAAx", "wrong file identifier/HTTP URL specified"),
        ("", "there is no photo in the request"),
    ],
)
async def test_a_photograph_by_address_must_be_one_telegram_could_fetch(call, anna, photo, said):
    _, body = await call("sendPhoto", chat_id=77, photo=photo)
    assert body.get("description") == (said and f"Bad Request: {said}")


async def test_the_token_and_the_method_must_be_right(call, emulator):
    assert await call("getMe", token="1:wrong") == (
        401,
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
    )
    status, body = await call("sendMesage")
    assert (status, body["description"]) == (404, "Not Found: method not found")
    assert (await call("SENDMESSAGE", text="x"))[1]["description"] == "Bad Request: chat_id is empty"
    kinds = [violation.kind for violation in emulator.violations]
    assert kinds[:2] == ["wrong_token", "unknown_method"]


async def test_parameters_may_come_in_the_address_and_in_json(emulator, anna):
    address = f"{emulator.base_url}/bot{emulator.token}/sendMessage"
    async with aiohttp.ClientSession() as session:
        async with session.get(address, params={"chat_id": "77", "text": "by GET"}) as answer:
            assert answer.status == 200
        async with session.post(address, json={"chat_id": 77, "text": "by JSON"}) as answer:
            assert answer.status == 200
        async with session.post(address, data="{", headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == 400
    assert emulator.ledger.texts(77) == ["by GET", "by JSON"]


async def test_edits_answer_what_the_server_would(call, emulator, anna):
    await call("sendMessage", chat_id=77, text="one", reply_markup=_keyboard(callback_data="a"))
    same = {"chat_id": 77, "message_id": 1, "text": "one", "reply_markup": _keyboard(callback_data="a")}
    assert (await call("editMessageText", **same))[1]["description"] == f"Bad Request: {NOT_MODIFIED}"
    _, body = await call("editMessageText", chat_id=77, message_id=1, text="one")
    assert "reply_markup" not in body["result"], "an edit without a keyboard takes the keyboard away"
    assert (await call("editMessageText", chat_id=77, message_id=9, text="x"))[1]["description"] == (
        "Bad Request: message to edit not found"
    )
    anna.send("mine")
    assert (await call("editMessageText", chat_id=77, message_id=2, text="x"))[1]["description"] == (
        "Bad Request: message can't be edited"
    )
    assert (await call("deleteMessage", chat_id=77, message_id=1))[1] == {"ok": True, "result": True}
    assert (await call("deleteMessage", chat_id=77, message_id=1))[1]["description"] == (
        "Bad Request: message to delete not found"
    )
    assert [d.kind for d in emulator.ledger] == ["message", "edit", "delete"]
    assert emulator.ledger.shown(77) == {}


async def test_a_button_is_answered_once_and_in_time(clock):
    from vestnik.demo.botapi import Emulator

    async with Emulator(clock=clock) as server, aiohttp.ClientSession() as session:
        base = f"{server.base_url}/bot{server.token}"
        reader = server.user(started=True)
        message = {"chat_id": reader.id, "text": "x", "reply_markup": _keyboard(callback_data="go")}
        await session.post(f"{base}/sendMessage", json=message)
        with pytest.raises(LookupError):
            reader.press("no such button")
        first, second = reader.press("x"), reader.press("go")
        assert (
            await session.post(f"{base}/answerCallbackQuery", json={"callback_query_id": first.id})
        ).status == 200
        assert first.answer == {}
        clock.advance(31)
        for query in (first, second):
            answer = await session.post(f"{base}/answerCallbackQuery", json={"callback_query_id": query.id})
            assert (await answer.json())["description"] == (
                "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )

"""The people over HTTP, for tests whose emulator runs in a process of its own.

``/control/...`` takes and gives JSON; a request that makes no sense is answered 400 with a sentence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .emulator import Emulator
from .errors import ApiError
from .faults import faults_from
from .ledger import Delivery
from .people import Group, Person

JSON = dict[str, Any]
_Action = Callable[[Emulator, JSON], Any]

#: Longest wait of ``GET /control/ledger``, seconds.
_LONGEST_WAIT = 60.0


def add_control(app: web.Application, emulator: Emulator) -> None:
    """Serve the control interface on the emulator's own port."""
    for path, action in _ACTIONS.items():
        app.router.add_post(f"/control/{path}", _post(emulator, action))

    async def ledger(request: web.Request) -> web.Response:
        return await _answer_ledger(emulator, request)

    async def state(_request: web.Request) -> web.Response:
        return web.json_response(_state(emulator))

    app.router.add_get("/control/ledger", ledger)
    app.router.add_get("/control/state", state)


def _post(emulator: Emulator, action: _Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            body = await request.json() if request.can_read_body else {}
            return web.json_response(action(emulator, body))
        except KeyError as error:
            return web.json_response({"error": f"missing: {error}"}, status=400)
        except (LookupError, ValueError, TypeError, ApiError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer


def _person(emulator: Emulator, body: JSON) -> Person:
    """The person named; an id nobody has is a newcomer's."""
    user_id = int(body["user"])
    if user_id in emulator.world.users:
        return emulator.person(user_id)
    fields = {name: str(body[name]) for name in ("first_name", "username", "language_code") if body.get(name)}
    return emulator.user(fields.pop("first_name", "Reader"), user_id=user_id, **fields)  # type: ignore[arg-type]


def _group(emulator: Emulator, body: JSON, name: str = "chat") -> Group | None:
    if not body.get(name):
        return None
    return emulator.group_of(int(body[name]))


def _needed_group(emulator: Emulator, body: JSON) -> Group:
    return emulator.group_of(int(body["chat"]))


def _add_user(emulator: Emulator, body: JSON) -> JSON:
    person = emulator.user(
        str(body.get("first_name", "Reader")),
        user_id=body.get("user"),
        username=str(body.get("username", "")),
        language_code=str(body.get("language_code", "")),
        started=bool(body.get("started", False)),
    )
    return {"user": person.id}


def _send(emulator: Emulator, body: JSON) -> JSON:
    message = _person(emulator, body).send(
        str(body["text"]), chat=_group(emulator, body), thread_id=int(body.get("thread", 0))
    )
    return {"message_id": message.id}


def _press(emulator: Emulator, body: JSON) -> JSON:
    query = _person(emulator, body).press(
        str(body["button"]), chat=_group(emulator, body), message_id=int(body.get("message_id", 0))
    )
    return {"query": query.id, "message_id": query.message.id, "data": query.data}


def _block(emulator: Emulator, body: JSON) -> JSON:
    _person(emulator, body).block()
    return {}


def _unblock(emulator: Emulator, body: JSON) -> JSON:
    _person(emulator, body).unblock()
    return {}


def _deactivate(emulator: Emulator, body: JSON) -> JSON:
    _person(emulator, body).deactivate()
    return {}


def _add_chat(emulator: Emulator, body: JSON) -> JSON:
    group = emulator.group(
        str(body.get("title", "Readers")),
        kind=str(body.get("type", "supergroup")),
        username=str(body.get("username", "")),
        is_forum=bool(body.get("is_forum", False)),
        bot=str(body.get("bot", "member")),
        chat_id=body.get("chat"),
    )
    return {"chat": group.id, "owner": group.owner.id}


def _set_bot(emulator: Emulator, body: JSON) -> JSON:
    group, rights = _needed_group(emulator, body), dict(body.get("rights", {}))
    match body["status"]:
        case "administrator":
            group.promote_bot(**rights)
        case "restricted":
            group.restrict_bot(**rights)
        case status:
            group.set_bot(str(status))
    return {}


def _migrate(emulator: Emulator, body: JSON) -> JSON:
    return {"chat": _needed_group(emulator, body).migrate().id}


def _delete_chat(emulator: Emulator, body: JSON) -> JSON:
    _needed_group(emulator, body).delete()
    return {}


def _topic(emulator: Emulator, body: JSON) -> JSON:
    """Without ``thread`` a new topic; with it ``action`` is close, reopen or delete."""
    group = _needed_group(emulator, body)
    if "thread" not in body:
        return {"thread": group.topic(str(body["name"])).id}
    topic = group.chat.topics[int(body["thread"])]
    actions = {"close": group.close_topic, "reopen": group.reopen_topic, "delete": group.delete_topic}
    actions[str(body["action"])](topic)
    return {}


def _add_faults(emulator: Emulator, body: JSON) -> JSON:
    emulator.faults.add(*faults_from(body["faults"]))
    return {"waiting": len(emulator.faults.script)}


def _clear_faults(emulator: Emulator, _body: JSON) -> JSON:
    emulator.faults.script.clear()
    emulator.faults.chaos = None
    return {}


_ACTIONS: dict[str, _Action] = {
    "users": _add_user,
    "send": _send,
    "press": _press,
    "block": _block,
    "unblock": _unblock,
    "deactivate": _deactivate,
    "chats": _add_chat,
    "chats/bot": _set_bot,
    "chats/migrate": _migrate,
    "chats/delete": _delete_chat,
    "chats/topic": _topic,
    "faults": _add_faults,
    "faults/clear": _clear_faults,
}


async def _answer_ledger(emulator: Emulator, request: web.Request) -> web.Response:
    """``?since=&chat=&contains=&wait=``: deliveries from an index on, waiting for the first if asked to."""
    ask = request.query
    try:
        since, wait = int(ask.get("since", 0)), min(float(ask.get("wait", 0)), _LONGEST_WAIT)
        chat = int(ask["chat"]) if "chat" in ask else None
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    wanted = ask.get("contains", "")
    if wait > 0:
        with contextlib.suppress(TimeoutError):  # the empty list below says so
            await emulator.wait_for(chat, wanted, timeout=wait, since=since)
    found = [
        d.to_json()
        for d in emulator.ledger.deliveries[since:]
        if chat in (None, d.chat_id) and _has(d, wanted)
    ]
    return web.json_response({"next": len(emulator.ledger), "deliveries": found})


def _has(delivery: Delivery, wanted: str) -> bool:
    return not wanted or wanted in delivery.text


def _state(emulator: Emulator) -> JSON:
    engine = emulator.engine
    return {
        "bot": engine.bot.to_json(),
        "polled": engine.updates.is_polled,
        "pending_updates": len(engine.updates),
        "conflicts": engine.updates.conflicts,
        "deliveries": len(engine.ledger),
        "counts": dict(engine.counts),
        "violations": [
            {"kind": v.kind, "method": v.method, "detail": v.detail, "at": v.at, "chat_id": v.chat_id}
            for v in engine.violations
        ],
        "faults": [
            {"kind": kind, "method": method, "chat_id": chat} for kind, method, chat in engine.faults.struck
        ],
    }

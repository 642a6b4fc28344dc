"""The chat page's routes on the emulator's own port: a page, a stream of events, and a few actions.

Each visitor is a person of their own, known by a random key that only their page holds. Nothing is
loaded from foreign hosts, and everything a bot says crosses as JSON: the page makes text nodes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from vestnik.demo.botapi import ApiError, ChatEvent, Emulator, Person
from vestnik.demo.botapi.calls_bot import commands_for, text_for
from vestnik.demo.botapi.world import Message

JSON = dict[str, Any]

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
#: A comment on the stream so that a dead connection is noticed, seconds.
_HEARTBEAT = 15.0
#: What people can type at once.
_TEXT_LIMIT = 4096


@dataclass(slots=True)
class ChatPages:
    """The visitors of one emulator's chat page."""

    emulator: Emulator
    #: key -> person.
    visitors: dict[str, Person] = field(default_factory=dict)

    # -- actions --------------------------------------------------------------------------------

    def enter(self, body: JSON) -> JSON:
        """Come back by key, or be somebody new."""
        key = str(body.get("key", ""))
        if key not in self.visitors:
            key = secrets.token_urlsafe(16)
            name = f"Reader {len(self.visitors) + 1}"
            self.visitors[key] = self.emulator.user(name, language_code=_language(body))
        return {"key": key, **self._snapshot(self.visitors[key])}

    def act(self, name: str, person: Person, body: JSON) -> JSON:
        """One action of a visitor; raises :class:`ValueError` or :class:`LookupError` with a sentence."""
        match name:
            case "send":
                text = str(body["text"]).strip()[:_TEXT_LIMIT]
                if text:
                    person.send(text)
            case "press":
                return {"query": person.press(str(body["data"]), message_id=int(body["message_id"])).id}
            case "block":
                person.block()
            case "unblock":
                person.unblock()
            case "language":
                person.user.language_code = _language(body)
                return {"bot": self._profile(person)}
            case _:
                raise LookupError(name)
        return {}

    def _snapshot(self, person: Person) -> JSON:
        return {
            "user": person.id,
            "language": person.user.language_code,
            "blocked": person.user.blocked,
            "started": person.user.started,
            "bot": self._profile(person),
            "messages": [_shown(message, self.emulator) for message in person.chat.visible()],
        }

    def _profile(self, person: Person) -> JSON:
        engine, language = self.emulator.engine, person.user.language_code[:2]
        return {
            "name": text_for(engine, "name", language),
            "username": engine.bot.username,
            "description": text_for(engine, "description", language),
            "commands": commands_for(engine, person.id, language),
        }

    # -- routes ---------------------------------------------------------------------------------

    async def answer_enter(self, request: web.Request) -> web.Response:
        """``POST /chat/api/enter``."""
        return web.json_response(self.enter(await _read(request)))

    async def answer_action(self, request: web.Request) -> web.Response:
        """``POST /chat/api/<action>`` with the visitor's key."""
        body = await _read(request)
        try:
            person = self.visitors[str(body.get("key", ""))]
        except KeyError:
            return web.json_response({"error": "unknown visitor"}, status=403)
        try:
            return web.json_response(self.act(request.match_info["action"], person, body))
        except (LookupError, ValueError, TypeError, ApiError) as error:
            return web.json_response({"error": str(error)}, status=400)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """``GET /chat/api/events?key=``: the chat as it is, then what changes (server-sent events)."""
        person = self.visitors.get(request.query.get("key", ""))
        if person is None:
            return web.json_response({"error": "unknown visitor"}, status=403)
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        events: asyncio.Queue[tuple[str, JSON]] = asyncio.Queue()
        listener = self._listener(person, events.put_nowait)
        await response.prepare(request)
        self.emulator.engine.listeners.append(listener)
        events.put_nowait(("chat", self._snapshot(person)))
        try:
            await _write_events(response, events)
        finally:
            self.emulator.engine.listeners.remove(listener)
        return response

    def _listener(
        self, person: Person, put: Callable[[tuple[str, JSON]], None]
    ) -> Callable[[ChatEvent], None]:
        def hear(event: ChatEvent) -> None:
            if event.kind == "bot":
                put(("bot", self._profile(person)))
            elif event.chat_id != person.id:
                return
            elif event.kind == "answer" and event.query:
                put(("answer", {"query": event.query.id, **(event.query.answer or {})}))
            elif event.message:
                put((event.kind, _shown(event.message, self.emulator)))

        return hear


async def _write_events(response: web.StreamResponse, events: asyncio.Queue[tuple[str, JSON]]) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    name, content = await events.get()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            line = json.dumps(content, ensure_ascii=False)
            await response.write(f"event: {name}\ndata: {line}\n\n".encode())


def _shown(message: Message, emulator: Emulator) -> JSON:
    """What the page needs to draw a message."""
    reply = message.reply_to
    return {
        "id": message.id,
        "own": message.sender is not emulator.engine.bot,
        "date": message.date,
        "text": message.body.text,
        "entities": list(message.body.entities),
        "rows": message.rows,
        "edited": bool(message.edit_date),
        "silent": message.silent,
        "media": next(iter(message.media), ""),
        "source": message.media_source,
        "reply": {"id": reply.id, "text": reply.body.text[:120]} if reply else None,
    }


async def _read(request: web.Request) -> JSON:
    """A JSON object from our own page; another site's form cannot send this content type."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="no JSON") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="a JSON object expected")
    return body


def _language(body: JSON) -> str:
    code = str(body.get("language", ""))
    return code if code.isalpha() and len(code) <= 3 else ""


async def _answer_static(request: web.Request) -> web.Response:
    path = _STATIC / request.match_info.get("name", "index.html")
    if path.parent != _STATIC or path.suffix not in _TYPES or not path.is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=_HEADERS
    )


def add_chat(app: web.Application, emulator: Emulator) -> None:
    """Serve the chat page at ``/chat`` of the emulator."""
    pages = ChatPages(emulator)
    app.router.add_get("/chat", _answer_static)
    app.router.add_get("/chat/static/{name}", _answer_static)
    app.router.add_post("/chat/api/enter", pages.answer_enter)
    app.router.add_get("/chat/api/events", pages.stream)
    app.router.add_post("/chat/api/{action}", pages.answer_action)

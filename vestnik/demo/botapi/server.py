"""Sockets: requests to ``/bot<token>/<method>``, faults on the wire, and pushing to a webhook."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from .calls_bot import BOT_CALLS
from .calls_chats import CHAT_CALLS
from .calls_messages import MESSAGE_CALLS, OWN_FAULTS
from .engine import Engine
from .errors import ApiError, bad_request
from .faults import Fault
from .methods import is_known_only, method_name
from .params import Upload, read_body, read_parameters, strict_answer

#: The largest request: a 50 MB file and its envelope.
BODY_LIMIT = 52 * 1024 * 1024
#: Between two tries of a webhook that refuses, seconds.
_WEBHOOK_PAUSE = 0.2

_CALLS = {**MESSAGE_CALLS, **CHAT_CALLS, **BOT_CALLS}
_PROXY_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<h1>{0}</h1>\r\n</body>\r\n</html>\r\n"


class BotApiServer:
    """Answers the bot's requests from an :class:`Engine`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add_routes(self, app: web.Application) -> None:
        """Serve ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""
        app.router.add_get("/file/bot{token}/files/{file_id}", self.answer_file)
        app.router.add_route("*", "/bot{token:[^/]*}/{method:[^/]*}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One Bot API request."""
        engine = self.engine
        name = request.match_info["method"]
        refused = self._refusal(request.match_info["token"], name)
        if refused:
            return _refuse(refused)
        method = method_name(name) or name
        try:
            raw = await _read_request(request)
        except ApiError as error:
            engine.note_call(method, {}, error)
            return _refuse(error)
        values, complaints = read_parameters(method, raw)
        engine.note_complaints(method, complaints, values)
        strict = strict_answer(complaints) if engine.strict else None
        if strict:
            engine.note_call(method, values, strict)
            return _refuse(strict)
        return await self._answer_call(request, method, values)

    def _refusal(self, token: str, name: str) -> ApiError | None:
        if token != self.engine.token:
            self.engine.note_violation("wrong_token", name, "the token is not this bot's")
            return ApiError(401, "Unauthorized")
        if method_name(name):
            return None
        self.engine.note_violation("unknown_method", name, f"{name} is not carried out here")
        if is_known_only(name):
            return bad_request(f"STRICT: {name} is not emulated")
        return ApiError(404, "Not Found: method not found")

    async def _answer_call(
        self, request: web.Request, method: str, values: Mapping[str, Any]
    ) -> web.StreamResponse:
        engine = self.engine
        fault = engine.faults.take(method, values)
        if fault and fault.kind == "reset_before":
            engine.note_call(method, values, None, fault=fault.kind, cut=True)
            return _cut(request)
        if fault and fault.kind == "delay_before":
            await asyncio.sleep(fault.seconds)
        error: ApiError | None = None
        result: Any = None
        try:
            if fault and fault.kind in ("flood", "error"):
                raise self._fault_error(fault, values)
            result = await self._carry_out(request, method, values)
        except ApiError as refused:
            error = refused
            if not fault or fault.kind != "error":
                self._note_own_fault(method, error, values)
        engine.note_call(
            method,
            values,
            error,
            fault=fault.kind if fault else "",
            cut=fault is not None and fault.kind == "reset_after",
        )
        return await self._send_answer(request, fault, error, result)

    async def _send_answer(
        self, request: web.Request, fault: Fault | None, error: ApiError | None, result: Any
    ) -> web.StreamResponse:
        if fault and fault.kind == "reset_after":
            return _cut(request)
        if fault and fault.kind == "delay_after":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "error_after":
            error = fault.to_error()
        if error:
            return _refuse(error, as_page=fault is not None and fault.as_page)
        return _answer({"ok": True, "result": result})

    def _fault_error(self, fault: Fault, values: Mapping[str, Any]) -> ApiError:
        if fault.kind == "flood":
            self.engine.apply_flood(fault, values)
        return fault.to_error()

    def _note_own_fault(self, method: str, error: ApiError, values: Mapping[str, Any]) -> None:
        if error.code == 400 and any(words in error.description for words in OWN_FAULTS):
            self.engine.note_violation(
                "bad_request", method, error.description, chat_id=values.get("chat_id")
            )

    async def _carry_out(self, request: web.Request, method: str, values: Mapping[str, Any]) -> Any:
        if method != "getUpdates":
            return _CALLS[method](self.engine, values)
        updates = self.engine.updates
        updates.allow(values.get("allowed_updates"))
        return await updates.poll(
            offset=values.get("offset", 0),
            limit=values.get("limit", 100),
            seconds=values.get("timeout", 0),
            is_alive=lambda: request.transport is not None and not request.transport.is_closing(),
        )

    async def answer_file(self, request: web.Request) -> web.Response:
        """A file that was uploaded."""
        body = self.engine.uploads.get(request.match_info["file_id"])
        if request.match_info["token"] != self.engine.token or body is None:
            return _refuse(ApiError(404, "Not Found"))
        return web.Response(body=body, content_type="application/octet-stream")

    async def push_to_webhook(self) -> None:
        """Push updates one by one while a webhook is set; a refused one is tried again."""
        updates = self.engine.updates
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            while True:
                if not updates.webhook.url or not len(updates):
                    await updates.wait(_WEBHOOK_PAUSE) if not len(updates) else await asyncio.sleep(
                        _WEBHOOK_PAUSE
                    )
                    continue
                update = updates.peek(1)[0]
                if await self._push(session, update):
                    updates.confirm(update["update_id"] + 1)
                else:
                    await asyncio.sleep(_WEBHOOK_PAUSE)

    async def _push(self, session: aiohttp.ClientSession, update: Mapping[str, Any]) -> bool:
        hook = self.engine.updates.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret_token} if hook.secret_token else {}
        try:
            async with session.post(hook.url, json=update, headers=headers) as answer:
                if 200 <= answer.status < 300:
                    return True
                hook.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            hook.last_error = f"Connection failed: {error}"
        hook.last_error_date = self.engine.clock.unix()
        return False


async def _read_request(request: web.Request) -> dict[str, Any]:
    raw: dict[str, Any] = dict(request.query) if request.query_string else {}
    if request.method not in ("GET", "POST"):
        raise ApiError(404, "Not Found")
    content_type = request.headers.get("Content-Type", "")
    if content_type.startswith("multipart/"):
        return raw | await _read_multipart(request)
    return raw | read_body(await request.read(), content_type)


async def _read_multipart(request: web.Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async for part in await request.multipart():
        if not isinstance(part, aiohttp.BodyPartReader) or not part.name:
            continue
        body = bytes(await part.read())
        if part.filename is None:
            found[part.name] = body.decode("utf-8", "replace")
        else:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            found[part.name] = Upload(name=part.filename, content_type=kind, body=body)
    return found


def _answer(body: Mapping[str, Any], *, status: int = 200) -> web.Response:
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return web.Response(body=encoded, status=status, headers={"Content-Type": "application/json"})


def _refuse(error: ApiError, *, as_page: bool = False) -> web.Response:
    if as_page:
        page = _PROXY_PAGE.format(f"{error.code} {error.description}")
        return web.Response(text=page, status=error.code, content_type="text/html")
    return _answer(error.to_json(), status=error.code)


def _cut(request: web.Request) -> web.Response:
    """Reset the connection (RST, not a polite end), so that the client learns nothing."""
    transport = request.transport
    if transport is not None:
        wire = transport.get_extra_info("socket")
        if wire is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)

"""Whether a request may have arrived: told exactly, because resending depends on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from telegram import Bot
from telegram.error import BadRequest, InvalidToken

from bot.transport import AiohttpRequest, NotSent, OutcomeUnknown, ServerTrouble
from vestnik.demo.botapi import Emulator, Fault, Limits

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    async with Emulator(limits=Limits.off()) as emulator:
        yield emulator


@asynccontextmanager
async def client(base_url: str, *, read_timeout: float = 5.0) -> AsyncIterator[Bot]:
    request = AiohttpRequest(read_timeout=read_timeout)
    await request.initialize()
    yield Bot("700000001:AAdemo-token-of-the-emulator-000000", base_url=base_url + "/bot", request=request)
    await request.shutdown()


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    running.close()
    await running.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(
        (int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-le")), 0
    )
    return head + await reader.readexactly(size)


def http(status: str, body: bytes, *, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_refused_connection_means_not_sent() -> None:
    async with client(f"http://127.0.0.1:{free_port()}") as bot:
        with pytest.raises(NotSent, match="can't be reached"):
            await bot.send_message(1, "x")


async def test_an_unknown_name_means_not_sent() -> None:
    async with client("http://no-such-host.invalid") as bot:
        with pytest.raises(NotSent):
            await bot.send_message(1, "x")


async def test_a_closed_transport_means_not_sent() -> None:
    bot = Bot("1:x", request=AiohttpRequest())
    with pytest.raises(NotSent):
        await bot.send_message(1, "x")


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
async def test_a_connection_lost_before_the_answer_means_unknown(telegram: Emulator, kind: str) -> None:
    anna = telegram.user(started=True)
    telegram.faults.add(Fault(kind=kind))
    async with client(telegram.base_url) as bot:
        with pytest.raises(OutcomeUnknown):
            await bot.send_message(anna.id, "x")
    assert len(telegram.ledger.texts(anna.id)) == (kind == "reset_after")


async def test_an_answer_that_takes_too_long_means_unknown(telegram: Emulator) -> None:
    anna = telegram.user(started=True)
    telegram.faults.add(Fault(kind="delay_after", seconds=0.6))
    async with client(telegram.base_url, read_timeout=0.1) as bot:
        with pytest.raises(OutcomeUnknown):
            await bot.send_message(anna.id, "x")
    assert telegram.ledger.texts(anna.id) == ["x"]


async def test_an_answer_cut_in_the_middle_means_unknown() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"ok":true,')
        await writer.drain()
        writer.close()

    async with server(serve) as address, client(address) as bot:
        with pytest.raises(OutcomeUnknown):
            await bot.send_message(1, "x")


@pytest.mark.parametrize("error", ["internal", "bad_gateway", "gateway_timeout"])
@pytest.mark.parametrize("as_page", [False, True])
async def test_5xx_is_trouble_of_the_server(telegram: Emulator, error: str, as_page: bool) -> None:
    anna = telegram.user(started=True)
    telegram.faults.add(Fault(kind="error", error=error, as_page=as_page))
    async with client(telegram.base_url) as bot:
        with pytest.raises(ServerTrouble) as caught:
            await bot.send_message(anna.id, "x")
    assert caught.value.status in (500, 502, 504)
    assert telegram.ledger.texts(anna.id) == []


@pytest.mark.parametrize(
    "status", ["302 Found", "401 Unauthorized", "403 Forbidden", "407 Proxy", "429 Slow"]
)
async def test_a_page_of_something_on_the_way_is_no_word_of_telegram(status: str) -> None:
    """A proxy's 401 must not stop the bot, its 403 must not pause a chat."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(status, b"<html>log in first</html>", headers="Location: http://127.0.0.1:9/\r\n"))
        await writer.drain()
        writer.close()

    async with server(serve) as address, client(address) as bot:
        with pytest.raises(ServerTrouble):
            await bot.send_message(1, "x")


async def test_refusals_of_telegram_keep_their_words(telegram: Emulator) -> None:
    async with client(telegram.base_url) as bot:
        with pytest.raises(BadRequest, match=r"[Cc]hat not found"):
            await bot.send_message(5, "x")
        with pytest.raises(InvalidToken):
            await Bot("1:wrong", base_url=telegram.base_url + "/bot", request=bot.request).send_message(
                5, "x"
            )
    telegram.violations.clear()


@pytest.mark.parametrize("busy", [False, True], ids=["waiting", "busy meanwhile"])
async def test_a_connection_the_server_closed_between_requests_swallows_none(busy: bool) -> None:
    """The server drops the idle connection; even a client too busy to notice sends into a new one."""
    closed = asyncio.Event()
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        with contextlib.suppress(asyncio.IncompleteReadError):
            await read_request(reader)
            served += 1
            writer.write(http("200 OK", b'{"ok":true,"result":true}'))
            await writer.drain()
        await asyncio.sleep(0.01)
        writer.close()
        closed.set()

    async with server(serve) as address, client(address) as bot:
        for _ in range(5):
            closed.clear()
            assert await bot.delete_message(1, 1)
            if busy:
                # The end of the connection is on its way to us and no callback has run yet.
                await closed.wait()
            else:
                await asyncio.sleep(0.03)
    assert served == 5

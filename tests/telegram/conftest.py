"""A Bot API server per test, and a client library's Bot that speaks to it over real HTTP."""

import pytest
from telegram import Bot
from telegram.request import HTTPXRequest

from vestnik.demo.botapi import Emulator, Limits, VirtualClock


@pytest.fixture
async def emulator():
    """The server with limits lifted: what a test of pace wants, it asks for itself."""
    async with Emulator(limits=Limits.off()) as server:
        yield server


@pytest.fixture
def clock():
    """Time that moves only when told to."""
    return VirtualClock()


@pytest.fixture
async def paced(clock):
    """The server with its default limits on a virtual clock."""
    async with Emulator(clock=clock) as server:
        yield server


@pytest.fixture
async def bot(emulator):
    """python-telegram-bot's Bot, pointed at the server."""
    async with make_bot(emulator) as client:
        yield client


def make_bot(server, **timeouts):
    return Bot(server.token, base_url=server.base_url + "/bot", request=HTTPXRequest(**timeouts))

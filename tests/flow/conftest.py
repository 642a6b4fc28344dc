"""Whole ways: the real program as a process, between a real site and a real Bot API server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vestnik.demo.botapi import Emulator

from .program import Program
from .site import Site, serve_site
from .world import World, settings_for


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serve_site() as found:
        yield found


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    async with Emulator() as found:
        yield found


@pytest.fixture
async def world(site: Site, telegram: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    """Everything wired up; the program is not started yet."""
    settings = settings_for(site, telegram.base_url, tmp_path)
    made = World(site=site, telegram=telegram, program=Program(tmp_path, settings, token=telegram.token))
    try:
        yield made
    finally:
        await made.program.clean_up()

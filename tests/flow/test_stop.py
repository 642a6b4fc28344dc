"""SIGTERM: an orderly end in under 10 seconds, whatever hangs, with nothing lost and nobody left behind."""

from __future__ import annotations

import asyncio

import pytest

from vestnik.demo.botapi import Fault

from .program import until
from .world import World

pytestmark = pytest.mark.slow


async def _check_clean_end(world: World) -> None:
    assert world.program.process.returncode == 0, world.program.stderr[-2000:]
    assert "Traceback" not in world.program.stderr
    assert '"level": "error"' not in world.program.stderr
    await until(lambda: not world.program.left_behind(), within=3, what="the workers to end")


async def test_ends_in_order_while_news_are_being_sent_and_a_source_hangs(world):
    await world.program.start()
    await world.first_pass()
    await world.follow("Anna", "all")
    await world.follow("Boris", "regional")
    world.site.broken["/atom.xml"] = "slow"
    fresh = [n for _ in range(2) for n in world.site.publish_round()]
    await until(world.told, what="the first news")
    assert await world.program.stop(group=True) < 10
    await _check_clean_end(world)
    # Nothing was in flight when it ended: no outcome is unknown, no repeat needed.
    assert not world.program.query("select 1 from outbox where state in ('sending', 'unknown')")
    assert world.program.query("select 1 from leases") == []
    world.site.broken.clear()
    await world.program.start()
    await world.all_told(fresh)
    world.check_once(fresh)


async def test_ends_in_order_while_telegram_does_not_answer(world):
    await world.program.start()
    await world.first_pass()
    await world.follow("Anna", "all")
    hang = Fault(kind="delay_before", method="sendMessage", seconds=30)
    world.telegram.faults.add(hang)
    fresh = world.site.publish_round()
    await until(lambda: hang.struck, what="a message in flight")
    assert await world.program.stop() < 10
    await _check_clean_end(world)
    # The one in flight has no known outcome, so it comes once more, and says so.
    await world.program.start()
    await world.all_told(fresh)
    assert len(world.told()) == len(fresh)


async def test_ends_in_order_in_the_middle_of_starting(world):
    await world.program.start(ready=False)
    await until(lambda: world.program.database.exists() or world.program.process.returncode is not None)
    assert await world.program.stop() < 10
    assert "Traceback" not in world.program.stderr
    await until(lambda: not world.program.left_behind(), within=3, what="the workers to end")


async def test_workers_end_by_themselves_when_the_program_is_killed(world):
    await world.program.start()
    await world.first_pass()
    assert len(world.program.left_behind()) > 1, "there are workers"
    world.site.publish_round()
    await asyncio.sleep(0.2)
    await world.program.kill()
    await until(lambda: not world.program.left_behind(), within=5, what="the workers to end")

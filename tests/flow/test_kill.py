"""Kill -9 anywhere: nothing lost, nothing doubled but what was in flight, nobody asked too early."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator

import pytest

from vestnik.demo.botapi import Emulator, Fault, Limits

from .program import Program, until
from .site import LIST_PATH, PATHS
from .world import REPEAT_NOTE, World, settings_for

pytestmark = pytest.mark.slow

_QUICK = {"rate": {"messages_per_second": 200, "private_chat_per_second": 100, "group_per_minute": 6000}}


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    """No limits on pace: here only loss and doubles count."""
    async with Emulator(limits=Limits.off()) as found:
        yield found


@pytest.fixture
async def world(site, telegram, tmp_path) -> AsyncIterator[World]:
    settings = settings_for(site, telegram.base_url, tmp_path)
    settings["telegram"] |= _QUICK
    made = World(site=site, telegram=telegram, program=Program(tmp_path, settings, token=telegram.token))
    yield made
    await made.program.clean_up()


async def _settled(world: World) -> None:
    """Started, read once, with three people and a group following."""
    await world.program.start()
    await world.first_pass()
    await world.follow("Anna", "all")
    await world.follow("Boris", "regional")
    await world.follow("Clara", "MN")
    olga = world.telegram.user("Olga", language_code="en")
    group = world.telegram.group("Readers", owner=olga)
    await world.telegram.wait_for(group, "Hello!", timeout=20)
    await world.follow_in(group, olga, "foreign")


async def _kill_and_restart(world: World, *, ready: bool = True) -> None:
    await world.program.kill()
    await until(lambda: not world.program.left_behind(), within=10, what="the workers to end by themselves")
    await world.program.start(ready=ready)


def _check_repeats(world: World, *, kills: int) -> None:
    """Second copies come to private chats only, say what they are, and are no more than were in flight."""
    repeats = world.repeats()
    assert all(REPEAT_NOTE in each.text for each in repeats)
    assert all(each.chat_id > 0 for each in repeats)
    # At most one message per chat is ever in flight.
    assert len(repeats) + len(world.unknown()) <= kills * len(world.readers)
    assert {chat for chat, _, _ in world.unknown()} <= {r.chat_id for r in world.readers if not r.is_private}


def _check_requests(world: World) -> None:
    """A condition is only ever the tag of a document whose news are all stored."""
    stored = {title for (title,) in world.program.query("select title from items")}
    by_number = {news.number: news for news in world.site.news}
    for path in PATHS:
        asked = world.site.asked(path)
        first = next(n for n, each in enumerate(asked) if each.if_none_match)
        # Once something is stored every request is conditional, restart or not.
        assert all(each.if_none_match for each in asked[first:])
        for each in asked[first:]:
            assert {by_number[n].title for n in world.site.versions[each.if_none_match]} <= stored


async def test_killed_at_random_moments(world):
    chance = random.Random(1)
    await _settled(world)
    fresh = []
    kills = 4
    for _ in range(kills):
        fresh += world.site.publish_round()
        await asyncio.sleep(chance.uniform(0, 1.6))
        fresh += world.site.publish_round()
        await asyncio.sleep(chance.uniform(0, 0.4))
        await _kill_and_restart(world, ready=chance.random() < 0.8)
    await world.all_told(fresh)
    world.check_nobody_else(fresh)
    _check_repeats(world, kills=kills)
    _check_requests(world)
    assert "Traceback" not in world.program.all_stderr


async def test_killed_between_any_two_stages(world):
    await _settled(world)
    fresh = []

    # The site has served the body; nothing is stored yet.
    for path in ("/rss.xml", LIST_PATH):
        served = asyncio.create_task(world.site.next_served(path))
        await asyncio.sleep(0)
        fresh += world.site.publish_round()
        await served
        await _kill_and_restart(world)

    # Stored and queued; the attempt may be on record.
    fresh += world.site.publish_round()
    await until(
        lambda: world.program.query("select 1 from outbox where state in ('queued', 'sending')"),
        what="a row in the outbox",
    )
    await _kill_and_restart(world)

    # Telegram has delivered, the answer is on its way.
    world.telegram.faults.add(Fault(kind="delay_after", method="sendMessage", seconds=5, times=2))
    struck = len(world.telegram.faults.struck)
    fresh += world.site.publish_round()
    await until(lambda: len(world.telegram.faults.struck) >= struck + 2, what="a message in flight")
    await _kill_and_restart(world)

    # Delivered and answered; recording it has hardly begun.
    seen = len(world.told())
    fresh += world.site.publish_round()
    await until(lambda: len(world.told()) > seen, what="a delivery")
    await _kill_and_restart(world)

    await world.all_told(fresh)
    world.check_nobody_else(fresh)
    _check_repeats(world, kills=5)
    _check_requests(world)
    assert "Traceback" not in world.program.all_stderr


async def test_killed_while_answering_a_person(world):
    await _settled(world)
    elena = await world.follow("Elena", "FI")
    world.telegram.faults.add(Fault(kind="delay_before", chat_id=elena.id, method="sendMessage", seconds=3))
    elena.send("/follow RU-TOM")
    await until(lambda: world.telegram.faults.struck, what="the answer in flight")
    await _kill_and_restart(world)
    followed = "select 1 from subscriptions where scope = 'regional/RU-TOM'"
    await until(lambda: world.program.query(followed), what="the wish to be kept")
    await until(
        lambda: any("You now follow" in d.text or "already" in d.text for d in elena.seen[-2:]),
        what="the person to be answered",
    )
    await until(lambda: not world.program.query("select 1 from inbox"), what="the update to be done with")


async def test_killed_while_starting_for_the_first_time(world):
    chance = random.Random(3)
    for _ in range(4):
        await world.program.start(ready=False)
        await asyncio.sleep(chance.uniform(0.8, 3.0))
        await world.program.kill()
    await world.program.start()
    await world.first_pass()
    assert world.program.query("pragma integrity_check") == [("ok",)]
    assert world.program.query("select count(distinct id) from items") == [(len(world.site.news),)]


async def test_nobody_is_asked_again_before_its_interval(site, telegram, tmp_path):
    settings = settings_for(site, telegram.base_url, tmp_path)
    interval = 9.0
    for source in settings["sources"]:
        source["interval"] = f"{interval:.0f}s"
    world = World(site=site, telegram=telegram, program=Program(tmp_path, settings, token=telegram.token))
    try:
        served = asyncio.create_task(site.next_served("/rss.xml"))
        await world.program.start(ready=False)
        await served
        await _kill_and_restart(world)
        await until(lambda: all(len(site.asked(path)) >= 3 for path in PATHS), what="three polls of each")
    finally:
        await world.program.clean_up()
    for path in PATHS:
        times = [each.at for each in site.asked(path)]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert min(gaps) >= interval - 0.5, (path, gaps)

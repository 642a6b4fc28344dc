"""Trouble of every kind: one clear message each, nobody else stopped, nothing lost."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import httpx
import pytest

from vestnik.demo.botapi import Chaos, Fault

from .program import Program, until
from .site import LIST_PATH
from .world import SOURCE_IDS, World, settings_for

pytestmark = pytest.mark.slow


def log_of(world: World) -> list[dict[str, object]]:
    return [json.loads(line) for line in world.program.stderr.splitlines() if line.startswith("{")]


def events(world: World, name: str) -> list[dict[str, object]]:
    return [each for each in log_of(world) if each["event"] == name]


def errors_of(world: World) -> list[dict[str, object]]:
    return [each for each in log_of(world) if each["level"] == "error"]


async def test_telegram_down_at_the_start_and_again_later(world, telegram):
    await telegram.stop()
    await world.program.start()
    await world.first_pass()
    assert len(events(world, "telegram.unreachable_at_start")) == 1
    async with httpx.AsyncClient(base_url=world.program.address, trust_env=False) as web:
        assert (await web.get("/feeds/en/all.rss")).status_code == 200
    await telegram.start()
    await world.follow("Anna", "all")
    fresh = world.site.publish_round()
    await world.all_told(fresh)
    await telegram.stop()
    fresh += world.site.publish_round()
    await until(
        lambda: world.program.query("select 1 from outbox where state = 'queued'"), what="news to wait"
    )
    await telegram.start()
    await world.all_told(fresh)
    # An open connection that breaks while idle is no unknown outcome.
    assert not world.unknown()
    world.check_nobody_else(fresh)
    assert "Traceback" not in world.program.stderr


async def test_floods_and_broken_connections_lose_and_double_nothing(world, telegram):
    await world.program.start()
    await world.first_pass()
    for name in ("Anna", "Boris", "Clara", "Dmitri"):
        await world.follow(name, "all")
    telegram.faults.add(*(Fault(kind="flood", method="sendMessage", retry_after=1) for _ in range(6)))
    telegram.faults.add(Fault(kind="flood", method="sendMessage", retry_after=2, scope="token", skip=2))
    fresh = [news for _ in range(2) for news in world.site.publish_round()]
    await world.all_told(fresh)
    world.check_once(fresh)
    assert not [v for v in telegram.violations if v.kind != "too_fast"], telegram.violations
    telegram.faults.chaos = Chaos(seed=5, rate=0.3)
    fresh += [news for _ in range(2) for news in world.site.publish_round()]
    await world.all_told(fresh, within=90)
    telegram.faults.chaos = None
    world.check_nobody_else(fresh)
    assert all("may be a repeat" in each.text for each in world.repeats())
    assert "Traceback" not in world.program.stderr


async def test_a_wrong_token_is_said_once_and_never_shown(site, telegram, tmp_path):
    token = "700000001:AAwrong-token-nobody-must-ever-see-000000"
    program = Program(tmp_path, settings_for(site, telegram.base_url, tmp_path), token=token)
    await program.start(ready=False)
    assert await program.ended() == 2
    assert token.partition(":")[2] not in program.stderr
    assert "Traceback" not in program.stderr
    said = [line for line in program.stderr.splitlines() if line.startswith("vestnik: ")]
    assert len([line for line in said if "refused the bot's token" in line]) == 1, program.stderr


async def test_without_a_token_all_else_runs(site, telegram, tmp_path):
    program = Program(tmp_path, settings_for(site, telegram.base_url, tmp_path), token="")
    world = World(site=site, telegram=telegram, program=program)
    try:
        await program.start()
        await world.first_pass()
        assert len(events(world, "telegram.no_token")) == 1
        async with httpx.AsyncClient(base_url=program.address, trust_env=False) as web:
            assert site.news[0].title in (await web.get("/feeds/en/all.rss")).text
        assert await program.stop() < 10
        assert program.process.returncode == 0
    finally:
        await program.clean_up()


@pytest.mark.parametrize("trouble", ["500", "410", "garbage", "page", "reset", "404"])
async def test_a_broken_source_is_named_and_stops_nobody(world, trouble):
    await world.program.start()
    await world.first_pass()
    await world.follow("Anna", "all")
    world.site.broken["/rss.xml"] = trouble
    fresh = [world.site.publish("/atom.xml", "MN"), world.site.publish(LIST_PATH, "FI")]
    broken = SOURCE_IDS["/rss.xml"]
    found = await until(
        lambda: world.program.query(
            f"select state, last_error from sources where id = '{broken}' and last_error != ''"
        ),
        what="the trouble to be on record",
    )
    state, error = found[0]
    assert state == ("gone" if trouble == "410" else "failing")
    assert len(error) > 10, "words for a person"
    await world.all_told(fresh)
    world.check_once(fresh)
    async with httpx.AsyncClient(base_url=world.program.address, trust_env=False) as web:
        page = (await web.get("/status")).text
    assert broken in page
    assert "Traceback" not in world.program.stderr


async def test_unreachable_hosts_are_named(site, telegram, tmp_path):
    settings = settings_for(site, telegram.base_url, tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}/rss"
    settings["sources"] += [
        {"id": "refused", "url": nowhere},
        {"id": "no-name", "url": "http://nowhere.invalid/rss"},
        {"id": "forbidden", "url": "http://10.1.2.3/rss"},
    ]
    world = World(site=site, telegram=telegram, program=Program(tmp_path, settings, token=""))
    try:
        await world.program.start()
        await until(
            lambda: len(world.program.query("select 1 from sources where last_error != ''")) == 3,
            what="three named troubles",
        )
        errors = dict(world.program.query("select id, last_error from sources"))
        assert "private" in errors["forbidden"] or "allow" in errors["forbidden"], errors
        assert world.program.query("select count(*) from sources where state = 'active'") == [(3,)]
    finally:
        await world.program.clean_up()


async def test_a_port_in_use_ends_with_one_message(site, telegram, tmp_path):
    settings = settings_for(site, telegram.base_url, tmp_path)
    program = Program(tmp_path, settings, token="")
    with closing(socket.create_server(("127.0.0.1", settings["web"]["port"]))):
        await program.start(ready=False)
        assert await program.ended() == 1
    assert "Traceback" not in program.stderr
    (said,) = [line for line in program.stderr.splitlines() if line.startswith("vestnik: web")]
    assert str(settings["web"]["port"]) in said
    assert program.query("select * from leases") == []


async def test_a_second_service_on_one_database_waits_instead_of_doubling(world, site, telegram, tmp_path):
    await world.program.start()
    await world.first_pass()
    await world.follow("Anna", "all")
    folder = tmp_path / "second"
    folder.mkdir()
    second = Program(folder, settings_for(site, telegram.base_url, tmp_path), token=telegram.token)
    try:
        await second.start()
        fresh = world.site.publish_round()
        await world.all_told(fresh)
        await world.program.kill()
        fresh += world.site.publish_round()
        await world.all_told(fresh)
        world.check_nobody_else(fresh)
        assert all("may be a repeat" in each.text for each in world.repeats())
        assert telegram.engine.updates.conflicts == 0
    finally:
        await second.clean_up()

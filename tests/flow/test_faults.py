"""Trouble of every kind: one clear message each, nobody else stopped, nothing lost."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import httpx
import pytest

from vestnik.demo.botapi import Chaos, Fault

from .program import Program, until
from .world import World, settings_for

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


async def test_broken_sources_are_named_and_stop_nobody(site, telegram, tmp_path):
    settings = settings_for(site, telegram.base_url, tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}/rss"
    troubles = {
        kind: f"{site.base}/broken/{kind}" for kind in ("500", "404", "410", "garbage", "page", "reset")
    }
    troubles |= {
        "refused": nowhere,
        "no-name": "http://nowhere.invalid/rss",
        "private": "http://10.1.2.3/rss",
    }
    settings["sources"] += [{"id": f"bad-{kind}", "url": url} for kind, url in troubles.items()]
    program = Program(tmp_path, settings, token=telegram.token)
    world = World(site=site, telegram=telegram, program=program)
    try:
        await program.start()
        await world.first_pass()
        await world.follow("Anna", "all")
        await until(
            lambda: len(program.query("select 1 from sources where last_error != ''")) == len(troubles),
            what="every trouble to be on record",
        )
        found = {name: (state, error) for name, state, error in program.query(_STATES)}
        assert {found[f"bad-{kind}"][0] for kind in troubles if kind != "410"} == {"failing"}
        assert found["bad-410"][0] == "gone"
        # Words for a person, one trouble as different from another as they are.
        words = [found[f"bad-{kind}"][1] for kind in troubles]
        assert all(len(each) > 10 for each in words)
        assert len(set(words)) >= len(words) - 1, words
        fresh = site.publish_round()
        await world.all_told(fresh)
        world.check_once(fresh)
        async with httpx.AsyncClient(base_url=program.address, trust_env=False) as web:
            page = (await web.get("/status")).text
        assert all(f"bad-{kind}" in page for kind in troubles)
        assert "Traceback" not in program.stderr
    finally:
        await program.clean_up()


_STATES = "select id, state, last_error from sources"


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

"""A full disk: said once, nothing damaged, and work goes on when there is space again."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .program import Program, until
from .test_faults import errors_of, events
from .world import World, settings_for

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, small enough to be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("there is no mount here")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run([umount, "-l", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


async def test_a_full_disk_costs_no_news_and_no_damage(site, telegram, tmp_path, small_disk):
    settings = settings_for(site, telegram.base_url, tmp_path)
    settings["storage"] = {"url": f"sqlite:///{small_disk / 'vestnik.db'}"}
    program = Program(tmp_path, settings, token=telegram.token)
    program.database = small_disk / "vestnik.db"
    world = World(site=site, telegram=telegram, program=program)
    try:
        await program.start()
        await world.first_pass()
        await world.follow("Anna", "all")
        # The disk fills while some news wait for their turn and others are still to be found.
        fresh = [news for _ in range(3) for news in site.publish_round()]
        await until(world.told, what="the first news")
        ballast = _fill(small_disk)
        fresh += [news for _ in range(2) for news in site.publish_round()]
        await until(lambda: events(world, "tick.storage_failed"), what="the trouble to be said")
        served = len(site.log)
        await _until_quiet(world)
        assert len(site.log) - served < 30, "our trouble is not the publisher's"
        ballast.unlink()
        await world.all_told(fresh, within=90)
        world.check_nobody_else(fresh)
        assert all("may be a repeat" in each.text for each in world.repeats())
        assert program.query("pragma integrity_check") == [("ok",)]
        said = Counter(str(each["event"]) for each in errors_of(world))
        assert max(said.values()) <= 2, said
        assert "Traceback" not in program.stderr
        assert await program.stop() < 10
        assert program.process.returncode == 0
    finally:
        await program.clean_up()


async def _until_quiet(world: World) -> None:
    """Wait past the end of the leases."""
    rows = world.program.query("select max(until) from leases")
    await until(
        lambda: world.program.query(
            "select 1 from leases where until < strftime('%Y-%m-%d %H:%M:%f', 'now')"
        ),
        what=f"the leases to run out: {rows}",
    )


async def test_a_disk_that_is_full_at_the_start_is_said_in_one_message(site, telegram, tmp_path, small_disk):
    settings = settings_for(site, telegram.base_url, tmp_path)
    settings["storage"] = {"url": f"sqlite:///{small_disk / 'vestnik.db'}"}
    _fill(small_disk)
    program = Program(tmp_path, settings, token="")
    await program.start(ready=False)
    assert await program.ended() == 1
    assert "Traceback" not in program.stderr
    said = [line for line in program.stderr.splitlines() if line.startswith("vestnik: storage")]
    assert len(said) == 1, program.stderr
    assert "space" in said[0]

"""``vestnik export``: the files are the served bytes, complete, and nobody else's files are touched."""

from __future__ import annotations

import errno
import gzip
import json
import os
import subprocess
import sys
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import brotli
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from feeds.model import NetworkId, RegionCode
from feeds.networks import Networks
from storage.models import ItemRow
from vestnik.errors import Failed
from vestnik.web import build_web
from vestnik.web.export import Exported, Exporter, file_name, public_address
from vestnik.web.export_folder import open_folder

from .conftest import NOON, Instance, make_deps

LATER = NOON + timedelta(days=1)


@pytest.fixture
def networks(networks: Networks) -> Networks:
    """Three places are enough to walk through."""
    places = {"regional": ("RU-PNZ", "RU-OMS"), "foreign": ("MN",)}
    return Networks(
        catalogue=networks.catalogue,
        networks={
            NetworkId(key): type(networks.networks[NetworkId(key)])(
                id=NetworkId(key),
                titles=networks.networks[NetworkId(key)].titles,
                regions=tuple(RegionCode(code) for code in codes),
            )
            for key, codes in places.items()
        },
    )


@pytest.fixture
def www(tmp_path: Path) -> Path:
    """The folder a web server would show; the database lies elsewhere."""
    return tmp_path / "www"


async def export(instance: Instance, root: Path, *, now=LATER, oldest=None, **changes) -> Exported:
    app = build_web(make_deps(instance.database, instance.networks, clock=lambda: now, **changes))
    with open_folder(root) as folder:
        return await Exporter(app, folder, oldest=oldest).run()


def tree(root: Path) -> dict[str, bytes]:
    """Everything published: without our own corner."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    }


def times(root: Path) -> dict[str, float]:
    return {name: (root / name).stat().st_mtime for name in tree(root)}


ADDRESSES = {
    "/": "index.html",
    "/en/": "en/index.html",
    "/ar/regional/": "ar/regional/index.html",
    "/ru/regional/RU-PNZ": "ru/regional/RU-PNZ.html",
    "/ru/regional/RU-PNZ?only=1": "ru/regional/RU-PNZ@only=1.html",
    "/en/items/1": "en/items/1.html",
    "/status": "status.html",
    "/status?lang=zh": "status@lang=zh.html",
    "/robots.txt": "robots.txt",
    "/static/vestnik.css": "static/vestnik.css",
    "/feeds.opml": "feeds.opml",
    "/feeds/all/all.rss": "feeds/all/all.rss",
    "/feeds/en/regional/RU-PNZ.atom": "feeds/en/regional/RU-PNZ.atom",
    "/feeds/all/foreign/MN.json": "feeds/all/foreign/MN.json",
    "/feeds/sw/foreign.rss": "feeds/sw/foreign.rss",
}


@pytest.mark.slow
async def test_files_and_twins_are_what_the_server_sends(instance, www):
    """Identity, gzip and br; the modification time is Last-Modified where there is one."""
    await instance.add()
    await instance.add("Habari", language="sw", network="foreign", code="MN")
    done = await export(instance, www)
    found = tree(www)
    assert done.new == done.files == len(found) / 3
    for address, name in ADDRESSES.items():
        answer = await instance.get(address)
        assert found[name] == answer.content, address
        assert gzip.decompress(found[f"{name}.gz"]) == answer.content
        assert brotli.decompress(found[f"{name}.br"]) == answer.content
        modified = answer.headers.get("last-modified")
        expected = parsedate_to_datetime(modified) if modified else LATER
        stamps = {(www / (name + each)).stat().st_mtime for each in ("", ".gz", ".br")}
        assert stamps == {expected.timestamp()}
    served = await instance.client.get("/feeds/all/all.rss", headers={"Accept-Encoding": "identity"})
    assert (www / "feeds/all/all.rss").stat().st_size == int(served.headers["content-length"])


@pytest.mark.slow
async def test_every_link_of_a_page_leads_to_a_file(instance, www):
    """Also links to older news, to pages of places without news, and to feeds of these."""
    for number in range(65):
        await instance.add(f"News {number}")
    await export(instance, www)
    found, looked_at = tree(www), set()
    for name in [each for each in found if each.endswith(".html")]:
        page = LexborHTMLParser(found[name].decode())
        for node in page.css("a[href], link[href], script[src]"):
            link = (node.attributes.get("href") or node.attributes.get("src")).removeprefix(
                "https://news.example.org"
            )
            if not link.startswith("/"):
                continue
            path, _, query = link.partition("#")[0].partition("?")
            variant = f"@{query}" if query and not query.startswith("v=") else ""
            wanted = [path[1:], f"{path[1:]}index{variant}.html", f"{path[1:]}{variant}.html"]
            looked_at.add(link)
            assert any(each in found for each in wanted), f"{name} -> {link}"
    assert any("before=" in each for each in looked_at)
    assert "/feeds/fr/regional/RU-OMS.rss" in looked_at


@pytest.mark.slow
async def test_a_bound_keeps_lists_from_being_followed_further_back(instance, www):
    for number in range(65):
        await instance.add(f"News {number}")
    await export(instance, www, oldest=LATER)
    assert not [name for name in tree(www) if "before=" in name]
    assert "en/regional/RU-PNZ.html" in tree(www)


@pytest.mark.slow
async def test_again_without_news_nothing_is_written(instance, www):
    await instance.add()
    first = await export(instance, www)
    before = times(www)
    again = await export(instance, www, now=LATER + timedelta(minutes=5))
    assert (again.new, again.changed, again.removed) == (0, 0, 0)
    assert again.same == first.new
    assert times(www) == before


@pytest.mark.slow
async def test_news_change_the_pages_and_feeds_it_is_in_and_no_others(instance, www):
    await instance.add()
    await instance.add("A film", network="foreign", code="MN")
    await export(instance, www)
    before, stamps = tree(www), times(www)
    await instance.add("An exhibition", network="foreign", code="MN")
    done = await export(instance, www, now=LATER + timedelta(minutes=5))
    after = tree(www)
    assert done.new == 8  # its page in each language
    assert after["feeds/en/foreign/MN.rss"] != before["feeds/en/foreign/MN.rss"]
    assert times(www)["feeds/en/regional.rss"] == stamps["feeds/en/regional.rss"]
    assert after["feeds/en/regional.rss"] == before["feeds/en/regional.rss"]
    changed = {name for name in before if after[name] != before[name]}
    assert len(changed) == 3 * done.changed
    assert all(times(www)[name] > stamps[name] for name in changed)


@pytest.mark.slow
async def test_a_change_back_in_time_still_gets_a_later_modification_time(instance, www):
    """Servers answer 304 by time and size: news taken back must not hide behind the time of older news."""
    await instance.add("Kept")
    taken = await instance.add("Taken")
    await export(instance, www)
    before = times(www)["feeds/en/all.rss"]
    async with instance.database.write() as session:
        await session.execute(update(ItemRow).where(ItemRow.id == taken).values(title="Given"))
    now = LATER + timedelta(minutes=5)
    await export(instance, www, now=now)
    assert times(www)["feeds/en/all.rss"] == now.timestamp() > before
    async with instance.database.write() as session:
        await session.execute(update(ItemRow).where(ItemRow.id == taken).values(title="Other"))
    await export(instance, www, now=now)
    assert times(www)["feeds/en/all.rss"] == now.timestamp() + 1


@pytest.mark.slow
async def test_what_no_longer_belongs_is_removed_and_foreign_files_stay(instance, www):
    first, second = await instance.add("Kept"), await instance.add("Taken back")
    (www / "en/items").mkdir(parents=True)
    foreign = {"google123.html": b"theirs", "en/items/notes.txt": b"theirs", "feeds.bak": b"theirs"}
    for name, body in foreign.items():
        (www / name).write_bytes(body)
    await export(instance, www)
    async with instance.database.write() as session:
        await session.execute(update(ItemRow).where(ItemRow.id == second).values(withdrawn=True))
    done = await export(instance, www)
    found = tree(www)
    assert done.removed == 8
    assert f"en/items/{first}.html" in found
    assert not [name for name in found if f"/items/{second}." in name]
    assert foreign.items() <= found.items()


@pytest.mark.slow
async def test_a_foreign_file_in_the_way_is_named_and_nothing_is_written(instance, www):
    www.mkdir()
    (www / "robots.txt").write_text("theirs")
    with pytest.raises(Failed, match=r"robots\.txt stands where"):
        await export(instance, www)
    assert tree(www) == {"robots.txt": b"theirs"}


@pytest.mark.slow
async def test_damage_is_mended_by_the_next_export(instance, www):
    """A lost twin, a changed file, a twin of another time than its file."""
    await instance.add()
    await export(instance, www)
    whole = tree(www)
    (www / "en/index.html.br").unlink()
    (www / "feeds.opml").write_text("damaged")
    os.utime(www / "feeds/all/all.rss.gz", (1, 1))
    done = await export(instance, www)
    assert done.changed == 3
    assert tree(www) == whole


@pytest.mark.slow
async def test_a_full_disk_leaves_what_is_published_as_it_was(instance, www, monkeypatch):
    await instance.add()
    await export(instance, www)
    before = tree(www)
    await instance.add("More")
    written, write = [], Path.write_bytes

    def until_full(path: Path, body: bytes) -> int:
        written.append(path)
        if len(written) > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, body)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", until_full)
        with pytest.raises(Failed, match="No space left on device"):
            await export(instance, www)
    assert tree(www) == before
    assert not (www / ".vestnik/stage").exists()
    assert (await export(instance, www)).new == 8


@pytest.mark.slow
async def test_an_export_killed_while_putting_files_in_place_is_finished_by_the_next(instance, www):
    await instance.add()
    other = www.with_name("other")
    await export(instance, other)
    replaced, replace = [], Path.replace

    class Killed(BaseException):
        pass

    def until_killed(path: Path, target: Path) -> Path:
        replaced.append(path)
        if len(replaced) > 100:
            raise Killed
        return replace(path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", until_killed)
        with pytest.raises(Killed):
            await export(instance, www)
    assert 0 < len(tree(www)) < len(tree(other))
    await export(instance, www)
    assert tree(www) == tree(other)


@pytest.mark.slow
async def test_two_exports_do_not_write_into_one_folder(instance, www):
    with open_folder(www), pytest.raises(Failed, match="another export"):
        await export(instance, www)


@pytest.mark.parametrize(
    "manifest",
    ["{", "[]", '{"version": 9, "files": {}, "bot_username": null}', '{"version": 1}']
    + [
        json.dumps({"version": 1, "files": {name: [1, 1, 1]}, "bot_username": None})
        for name in ("../passwd", "/etc/passwd", ".vestnik/lock")
    ],
)
def test_a_manifest_that_is_no_list_of_our_files_is_refused(tmp_path, manifest):
    (tmp_path / ".vestnik").mkdir()
    (tmp_path / ".vestnik/manifest.json").write_text(manifest)
    with pytest.raises(Failed, match="is damaged"), open_folder(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_told_with_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match=r"file.*: Not a directory"), open_folder(tmp_path / "file"):
        pass


@pytest.mark.slow
async def test_a_database_that_fails_half_way_changes_nothing(instance, www):
    await instance.add()
    await export(instance, www)
    before = tree(www)
    async with instance.database.write() as session:
        await session.execute(text("ALTER TABLE items RENAME COLUMN title TO gone"))
    with pytest.raises((Failed, OperationalError)):
        await export(instance, www)
    assert tree(www) == before


@pytest.mark.slow
async def test_links_in_news_cannot_widen_the_export(instance, www):
    """News may link to any address, ours too; only what our own pages link to is walked."""
    home = "https://news.example.org"
    await instance.add(
        url=f"{home}/feeds/xh/all.rss",
        content_html=f'<p><a href="{home}/metrics">m</a> <a href="{home}/feeds/zu/all.rss">f</a></p>',
    )
    await export(instance, www)
    names = set(tree(www))
    assert not {"metrics", "feeds/zu/all.rss", "feeds/xh/all.rss"} & names


@pytest.mark.slow
async def test_a_path_in_the_base_address_is_not_a_folder(instance, www):
    """The folder is what the base address points at."""
    await instance.add()
    await export(instance, www, base_url="https://example.org/news")
    found = tree(www)
    assert b"https://example.org/news/feeds/all/all.rss" in found["feeds/all/all.rss"]
    assert {"index.html", "en/regional/RU-PNZ@only=1.html", "status@lang=ru.html"} <= found.keys()
    assert b'href="/news/en/items/1"' in found["en/index.html"]


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("/en/", "/en/"),
        ("/en/regional/#volga", "/en/regional/"),
        ("/static/vestnik.css?v=12ab", "/static/vestnik.css"),
        ("/status?lang=ru", "/status?lang=ru"),
        ("/en/regional/?only=1&before=2026-11-20T12%3A00%2B00%3A00~1",) * 2,
        ("/en/regional/?before=../../x", "/en/regional/"),
        ("/metrics", None),
        ("/admin", None),
        ("/en/../../etc/passwd", None),
        ("/en/%2e%2e/x", None),
        ("/.vestnik/lock", None),
    ],
)
def test_links_are_addresses_of_pages_or_nothing(link, address):
    assert public_address(link) == address


def test_names_keep_queries_as_they_are_sent():
    name = file_name("/en/foreign/MN?before=2026-11-20T12%3A00%3A00%2B00%3A00~17", "text/html; charset=utf-8")
    assert name == "en/foreign/MN@before=2026-11-20T12%3A00%3A00%2B00%3A00~17.html"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.yaml").write_text(
        f"storage: {{url: 'sqlite:///{folder}/news.db'}}\n"
        "networks:\n- {id: foreign, title: {en: Foreign}, regions: [MN]}\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "vestnik", "-c", str(folder / "config.yaml"), "export", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


@pytest.mark.slow
def test_the_command_needs_a_base_address(tmp_path):
    ended = run(tmp_path, str(tmp_path / "www"))
    assert ended.returncode == 2
    assert "web.base_url is empty" in ended.stderr
    assert not (tmp_path / "www").exists()


@pytest.mark.slow
def test_the_command_tells_programs_what_it_did(tmp_path):
    """A token whose server does not answer costs a line, not the export."""
    ended = run(
        tmp_path,
        str(tmp_path / "www"),
        "--json",
        VESTNIK_WEB__BASE_URL="https://news.example.org",
        VESTNIK_TELEGRAM__TOKEN="1:secret",
        VESTNIK_TELEGRAM__API_BASE_URL="http://127.0.0.1:9",
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["new"] == len(tree(tmp_path / "www")) / 3
    assert "did not tell the bot's name" in ended.stderr
    assert "secret" not in ended.stderr + ended.stdout

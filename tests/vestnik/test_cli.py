"""The command line as a contract: what goes in, what comes out, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from vestnik.config import default_config

pytestmark = pytest.mark.slow

_RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Library of Penza</title>
<link>http://x/</link><description>d</description><language>en</language>
<item><title>Reading evening in Penza</title><link>http://127.0.0.1/item/1</link><guid>http://127.0.0.1/item/1</guid>
<pubDate>Sat, 21 Nov 2026 10:00:00 GMT</pubDate><description>Old maps &amp; new books</description></item>
<item><title>Concert in Omsk</title><link>http://127.0.0.1/item/2</link><guid>http://127.0.0.1/item/2</guid>
<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"""
_ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<title>Branch</title><id>urn:b</id><updated>2026-11-21T10:00:00Z</updated>
<entry><title>Exhibition in Ulaanbaatar</title>
<id>urn:b:1</id><link href="/item/7"/><updated>2026-11-21T10:00:00Z</updated></entry></feed>"""
_JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Branch",
        "items": [
            {"id": "9", "url": "http://127.0.0.1/item/9", "title": "Lecture in Helsinki", "content_text": "x"}
        ],
    }
)
_RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://x/"><title>Old</title>
<link>http://x/</link><description>d</description></channel><item rdf:about="http://127.0.0.1/item/3"><title>Meeting</title>
<link>http://127.0.0.1/item/3</link><dc:date>2026-11-20T10:00:00Z</dc:date></item></rdf:RDF>"""
_CARDS = "".join(
    f'<div class="news"><span>{20 - n} November 2026</span><h3><a href="/item/1{n}">Evening number {n} in the library'
    f" of Tomsk</a></h3><p>Guests heard about old maps.</p></div>"
    for n in range(6)
)
_LIST = (
    '<!DOCTYPE html><html lang="en"><head><title>News</title></head><body><nav><a href="/a">About</a></nav><main>'
    f"<h2>Regional network</h2>{_CARDS}</main></body></html>"
)
_SERVED = {
    "/rss": ("application/rss+xml", _RSS),
    "/atom": ("application/atom+xml", _ATOM),
    "/json": ("application/feed+json", _JSON),
    "/rdf": ("application/rdf+xml", _RDF),
    "/list": ("text/html", _LIST),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, text = _SERVED.get(self.path, ("text/plain", ""))
        body = text.encode()
        self.send_response(200 if self.path in _SERVED else 500)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


class Shell:
    """Runs ``vestnik`` with a configuration of its own."""

    def __init__(self, folder: Path, site: str) -> None:
        shipped = yaml.safe_load(default_config().read_text(encoding="utf-8"))
        self.folder, self.config = folder, folder / "config.yaml"
        settings = {
            "storage": {"url": f"sqlite:///{folder / 'vestnik.db'}"},
            "fetch": {
                "allow_private_addresses": ["127.0.0.0/8"],
                "min_interval": "1s",
                "host_pause": "0.05s",
            },
            "languages": ["en", "ru", "de"],
            "networks": shipped["networks"],
            "sources": [
                {"id": "penza", "url": f"{site}/rss", "network": "regional", "language": "en"},
                {"id": "broken", "url": f"{site}/nothing"},
            ],
        }
        self.config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VESTNIK_")}
        done = subprocess.run(
            [sys.executable, "-m", "vestnik", "--config", str(self.config), *arguments],
            input=stdin, capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=self.folder,
            env=environment, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0):
        return json.loads(self(*arguments, code=code).stdout)


@pytest.fixture
def vestnik(tmp_path, site) -> Shell:
    return Shell(tmp_path, site)


def test_classify_answers_line_by_line_in_the_contracts_form(vestnik):
    lines = [
        {"id": 1, "title": "Reading evening in Penza", "text": "Books.", "source": "penza"},
        {"id": "b", "title": "Выставка в Улан-Баторе", "text": "", "section": "Зарубежная сеть"},
        {
            "id": None,
            "title": "",
            "text": "Just words about nothing.",
            "language": "en",
            "url": "https://x.example/",
        },
    ]
    stdin = "\n".join(json.dumps(each, ensure_ascii=False) for each in lines) + "\n\n"
    answers = [json.loads(line) for line in vestnik("classify", stdin=stdin).stdout.splitlines()]
    assert [each["id"] for each in answers] == [1, "b", None]
    assert [each["network"] for each in answers] == ["regional", "foreign", "none"]
    assert [each["regions"] for each in answers] == [["RU-PNZ"], ["MN"], []]
    assert [each["language"] for each in answers] == ["en", "ru", "en"]
    for each in answers:
        assert {"id", "language", "network", "regions", "mentions", "evidence"} <= each.keys()
        for evidence in each["evidence"]:
            assert evidence.keys() == {"code", "words", "where", "weight", "rule"}
            assert isinstance(evidence["weight"], int | float)


def test_classify_tells_bad_lines_and_answers_the_others(vestnik):
    stdin = '{"id": 1, "title": "Penza"}\nno json\n[1]\n{"id": 2, "title": 5}\n{"id": 3}\n{"id": 4, "title": "Omsk"}\n'
    done = vestnik("classify", stdin=stdin, code=1)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 4]
    for number in (2, 3, 4, 5):
        assert f"line {number}: " in done.stderr


@pytest.mark.parametrize(
    ("path", "kind", "titles"),
    [
        ("/rss", "rss", ["Reading evening in Penza", "Concert in Omsk"]),
        ("/atom", "atom", ["Exhibition in Ulaanbaatar"]),
        ("/json", "json", ["Lecture in Helsinki"]),
        ("/rdf", "rdf", ["Meeting"]),
        ("/list", "list", [f"Evening number {n} in the library of Tomsk" for n in range(6)]),
    ],
)
def test_extract_shows_the_same_of_a_file_and_of_an_address(vestnik, site, tmp_path, path, kind, titles):
    file = tmp_path / "document"
    file.write_text(_SERVED[path][1], encoding="utf-8")
    found = vestnik.json("extract", f"{site}{path}")
    assert found == vestnik.json("extract", str(file), "--base-url", f"{site}{path}")
    assert found.keys() == {"kind", "title", "language", "lists"}
    assert found["kind"] == kind
    (main,) = [each for each in found["lists"] if each["main"]]
    assert main.keys() == {"heading", "main", "confidence", "items"}
    assert [each["title"] for each in main["items"]] == titles
    for item in main["items"]:
        assert item.keys() == {"title", "url", "published", "summary", "image", "language"}
        assert item["url"].startswith("http://127.0.0.1")


def test_extract_says_what_is_wrong(vestnik, site, tmp_path):
    assert "nothing-here" in vestnik("extract", str(tmp_path / "nothing-here"), code=1).stderr
    assert "500" in vestnik("extract", f"{site}/nothing", code=1).stderr
    garbage = tmp_path / "garbage"
    garbage.write_bytes(bytes(range(256)))
    assert str(garbage) in vestnik("extract", str(garbage), code=1).stderr
    assert vestnik("extract", str(garbage), code=1).stdout == ""
    assert "10.1.2.3" in vestnik("extract", "http://10.1.2.3/", code=1).stderr


def test_collect_stores_once_and_names_what_failed(vestnik):
    first = vestnik.json("collect", "--json")
    assert first["summary"] == {"fetched": 1, "not_modified": 0, "new": 2, "changed": 0, "failed": 1}
    by_id = {each["source_id"]: each for each in first["sources"]}
    assert "500" in by_id["broken"]["error"]
    assert not by_id["penza"]["error"]
    again = vestnik.json("collect", "--source", "penza", "--json")
    assert (again["summary"]["new"], again["summary"]["failed"]) == (0, 0)
    assert vestnik.json("collect", "--json")["sources"] == [], "nothing is due so soon"
    vestnik("collect", "--source", "broken", code=1)
    assert "there is no source nobody" in vestnik("collect", "--source", "nobody", code=2).stderr
    # explain, by number and by address
    told = vestnik.json("explain", "http://127.0.0.1/item/1", "--json")
    assert (told["title"], told["source"], told["regions"]) == (
        "Reading evening in Penza",
        "penza",
        ["RU-PNZ"],
    )
    assert told["evidence"]
    assert vestnik.json("explain", str(told["id"]), "--json") == told
    assert "Penza" in vestnik("explain", str(told["id"])).stdout
    assert "no item" in vestnik("explain", "99999", code=1).stderr
    assert vestnik.json("db", "check", "--json") == {"ok": True, "problems": []}


def test_sources_from_adding_to_removing(vestnik, site, tmp_path):
    assert {each["id"]: each["state"] for each in vestnik.json("sources", "list", "--json")} == {
        "penza": "new",
        "broken": "new",
    }
    tested = vestnik.json("sources", "test", f"{site}/atom", "--json")
    assert (tested["kind"], [each["title"] for each in tested["items"]]) == (
        "atom",
        ["Exhibition in Ulaanbaatar"],
    )
    assert "Omsk" in vestnik("sources", "test", "penza").stdout
    vestnik(
        "sources",
        "add",
        f"{site}/list",
        "--id",
        "tomsk",
        "--network",
        "regional",
        "--language",
        "en",
        "--yes",
    )
    assert "taken" in vestnik("sources", "add", f"{site}/list", "--id", "tomsk", "--yes", code=1).stderr
    assert "no web address" in vestnik("sources", "add", "x.example", "--yes", code=2).stderr
    assert (
        "no network"
        in vestnik("sources", "add", f"{site}/rss", "--network", "regionl", "--yes", code=2).stderr
    )
    assert (
        "no region" in vestnik("sources", "add", f"{site}/rss", "--region", "RU-XXX", "--yes", code=2).stderr
    )
    vestnik("sources", "add", f"{site}/nothing", "--yes", code=1)
    vestnik("sources", "add", f"{site}/rdf", "--id", "no", stdin="n\n", code=1)
    vestnik("sources", "pause", "tomsk")
    states = {each["id"]: each["state"] for each in vestnik.json("sources", "list", "--json")}
    assert states["tomsk"] == "paused"
    assert "no" not in states
    vestnik("sources", "resume", "tomsk")
    assert vestnik.json("collect", "--source", "tomsk", "--json")["summary"]["new"] == 6
    assert "declared in" in vestnik("sources", "remove", "penza", "--yes", code=2).stderr
    vestnik("sources", "remove", "tomsk", "--yes")
    vestnik("sources", "remove", "tomsk", "--yes", code=1)
    for command in ("pause", "resume"):
        assert "there is no source" in vestnik("sources", command, "nobody", code=1).stderr


def test_sources_come_in_as_opml_and_go_out_as_configuration(vestnik, site, tmp_path):
    opml = tmp_path / "feeds.opml"
    opml.write_text(
        '<?xml version="1.0"?><opml version="2.0"><head/><body><outline text="Group">'
        f'<outline type="rss" text="Branch" xmlUrl="{site}/atom"/><outline text="P" type="rss" xmlUrl="{site}/rss"/>'
        "</outline></body></opml>"
    )
    assert "1 added, 1 known before" in vestnik("sources", "import", str(opml)).stdout
    assert "0 added, 2 known before" in vestnik("sources", "import", str(opml)).stdout
    exported = yaml.safe_load(vestnik("sources", "export").stdout)
    assert {each["url"] for each in exported["sources"]} == {
        f"{site}/{p}" for p in ("atom", "rss", "nothing")
    }
    file = tmp_path / "again.yaml"
    networks = yaml.safe_load(vestnik.config.read_text(encoding="utf-8"))["networks"]
    file.write_text(yaml.safe_dump(exported | {"networks": networks}), encoding="utf-8")
    vestnik.config = file
    assert vestnik.json("config", "check", "--json")["sources"] == 3
    opml.write_text("<html>")
    vestnik("sources", "import", str(opml), code=1)
    vestnik("sources", "import", str(tmp_path / "nothing.opml"), code=1)


def test_the_small_commands(vestnik):
    assert vestnik("--version").stdout.startswith("vestnik ")
    checked = vestnik.json("config", "check", "--json")
    assert (checked["ok"], checked["sources"], checked["networks"]) == (True, 2, 2)
    schema = vestnik.json("config", "schema")
    assert {"storage", "telegram", "web", "fetch", "languages", "networks", "sources", "admins"} <= set(
        schema["properties"]
    )
    assert "Upgraded" in vestnik("db", "upgrade").stdout
    assert "At revision" in vestnik("db", "upgrade").stdout
    counted = vestnik.json("subscribers", "stats", "--json")
    assert (counted["active"], counted["subscriptions"], counted["outbox"]) == (0, 0, {})


def test_mistakes_at_the_keyboard_end_with_two(vestnik, tmp_path):
    vestnik("nonsense", code=2)
    vestnik("run", "--role", "cook", code=2)
    vestnik("sources", "test", "nobody", code=2)
    vestnik.config.write_text("web:\n  prot: 80\n")
    done = vestnik("run", code=2)
    assert f"{vestnik.config}:2: unknown key web.prot. Did you mean port?" in done.stderr
    assert done.stdout == ""
    vestnik.config = tmp_path / "no.yaml"
    assert "can't be read" in vestnik("config", "check", code=2).stderr


@pytest.mark.parametrize(
    ("url", "said", "code"),
    [
        ("sqlite:////proc/nowhere/vestnik.db", "/proc/nowhere", 1),
        ("mysql://x/y", "storage", 2),
        ("sqlite://", "storage", 1),
        ("postgresql://user:secret-word@127.0.0.1:1/x", "127.0.0.1", 1),
        ("not an address", "storage", 2),
    ],
)
def test_storage_that_can_not_be_used_ends_with_a_code_and_a_sentence(vestnik, url, said, code):
    settings = yaml.safe_load(vestnik.config.read_text(encoding="utf-8")) | {"storage": {"url": url}}
    vestnik.config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    for command in (["run"], ["db", "upgrade"]):
        done = vestnik(*command, code=code)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("vestnik: configuration")]
        assert len(lines) == 1, done.stderr
        assert said in lines[0]
        assert "secret-word" not in done.stderr


def test_a_database_that_is_none_is_left_as_it_is(vestnik, tmp_path):
    file = tmp_path / "vestnik.db"
    file.write_bytes(b"these are somebody's words, not a database" * 100)
    before = file.read_bytes()
    for command in (["run"], ["db", "upgrade"], ["db", "check"], ["collect"]):
        done = vestnik(*command, code=1)
        assert "not a database" in done.stderr
    assert file.read_bytes() == before

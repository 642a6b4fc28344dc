"""What operators look at: status of sources, liveness, readiness, metrics, static files."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from storage.models import SourceRow
from storage.sources import health


async def test_alive_as_long_as_it_answers(instance):
    assert (await instance.get("/healthz")).text == "ok\n"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({}, 200),
        ({"collect": True, "bot": "no token, not started"}, 200),
        ({"collect": False}, 503),
        ({"database": False}, 503),
    ],
)
async def test_ready_unless_a_part_is_not(instance, parts, status):
    instance.parts.update(parts)
    answer = await instance.get("/readyz")
    assert answer.status_code == status
    told = json.loads(answer.content)
    assert told["ready"] is (status == 200)
    assert {"database": True} | parts == told["parts"]


async def test_not_ready_without_a_database(instance, tmp_path):
    await instance.database.close()
    for each in tmp_path.glob("news.db*"):
        each.unlink()
    tmp_path.joinpath("news.db").mkdir()
    answer = await instance.get("/readyz")
    assert answer.status_code == 503
    page = await instance.get("/en/items/1", Accept="text/html")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "10"


async def test_the_status_page_names_failing_sources_first(instance):
    async with instance.database.write() as session:
        await session.execute(update(SourceRow).values(state="failing", last_error="HTTP 500 <b>"))
    async with instance.database.read() as session:
        assert [each.state for each in await health(session)] == ["failing"]
    answer = await instance.get("/status?lang=ru")
    assert "сбоит" in answer.text
    assert "HTTP 500 &lt;b&gt;" in answer.text
    told = json.loads((await instance.get("/status?format=json")).content)["sources"]
    assert told[0]["id"] == "prlib-en"
    assert told[0]["state"] == "failing"


async def test_metrics_count_requests_by_route_not_by_address(instance):
    await instance.get("/en/regional/RU-PNZ")
    await instance.get("/en/regional/RU-SAR")
    await instance.get("/no/such/page/at/all")
    text = (await instance.get("/metrics")).text
    assert 'route="/{language}/{network}/{code}",status="200"} 2.0' in text
    assert 'vestnik_http_request_seconds_count{route="/{language}/{network}/{code}"} 2.0' in text
    assert "RU-PNZ" not in text
    assert 'status="404"' in text


async def test_only_reading_is_allowed(instance):
    answer = await instance.client.post("/en/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_static_files_last_for_ever_at_their_versioned_address(instance):
    static = instance.app.state.web.static
    assert set(static) == {"vestnik.css", "vestnik.js", "icon.svg"}
    for name, made in static.items():
        lasting = await instance.get(f"/static/{name}?v={made.tag[:12]}")
        assert "immutable" in lasting.headers["cache-control"]
        assert "immutable" not in (await instance.get(f"/static/{name}?v=old")).headers["cache-control"]
    assert (await instance.get("/static/app.py")).status_code == 404
    assert (await instance.get("/robots.txt")).text.startswith("User-agent: *")


async def test_ready_feeds_are_served_while_the_database_is_away(instance):
    await instance.add()
    before = await instance.get("/feeds/en/all.rss")

    class Away:
        def read(self):
            raise OperationalError("SELECT 1", {}, Exception("away"))

    watch = instance.app.state.web.watch
    watch._database, watch._looked_at = Away(), float("-inf")
    assert (await instance.get("/feeds/en/all.rss")).content == before.content


async def test_an_outdated_feed_is_better_than_none_when_it_cant_be_made_anew(instance, tmp_path):
    await instance.add()
    before = await instance.get("/feeds/en/all.rss")
    instance.app.state.web.feeds.invalidate([("all", "en")])
    await instance.database.close()
    for each in tmp_path.glob("news.db*"):
        each.unlink()
    tmp_path.joinpath("news.db").mkdir()
    assert (await instance.get("/feeds/en/all.rss")).content == before.content
    assert (await instance.get("/feeds/ru/all.rss")).status_code == 503

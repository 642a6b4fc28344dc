"""The pages in a real browser over real HTTP: nothing overflows, nothing is refused, all works."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Request, async_playwright
from prometheus_client import CollectorRegistry

from vestnik.web import WebDeps, build_web

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

pytestmark = pytest.mark.slow
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")


@pytest.fixture
async def address(instance) -> AsyncIterator[str]:
    """The application on a port of loopback."""
    number = await instance.add("Выставка «Карты & планы» <2026>", language="ru")
    await instance.add("A very long word: " + "Donaudampfschifffahrts" * 6, language="en", story_of=number)
    await instance.add(
        "افتتاح معرض للكتب النادرة في مكتبة منغوليا", language="ar", network="foreign", code="MN"
    )
    known = instance.app.state.web.deps
    deps = WebDeps(
        database=known.database,
        networks=known.networks,
        base_url="",
        site_title=known.site_title,
        bot_username=known.bot_username,
        clock=known.clock,
        readiness=known.readiness,
        registry=CollectorRegistry(),
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_web(deps), log_level="error"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task
    listener.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


def note_failure(request: Request, troubles: list[str]) -> None:
    """Going on to the next page aborts what the last one still loads; that is no trouble."""
    if request.failure != "net::ERR_ABORTED":
        troubles.append(f"{request.url}: {request.failure}")


PATHS = ("/", "/regional/", "/regional/RU-PNZ", "/items/1")


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_overflows_or_breaks_its_own_policy(address, scheme):
    troubles = []
    async with chromium() as browser:
        for width in (360, 768, 1440):
            context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = await context.new_page()
            page.on("console", lambda message: troubles.append(message.text))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("requestfailed", lambda request: note_failure(request, troubles))
            for path in [f"/{language}{each}" for language in ("ru", "en", "ar") for each in PATHS] + [
                "/status"
            ]:
                await page.goto(address + path)
                extra = await page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                if extra > 0:
                    troubles.append(f"{path} at {width}: {extra} px too wide")
            await context.close()
    assert troubles == []


@needs_chromium
async def test_one_click_copies_a_feeds_address(address):
    async with chromium() as browser:
        context = await browser.new_context()
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        await page.goto(f"{address}/en/regional/RU-PNZ")
        await page.locator("button.copy").first.click()
        await page.get_by_text("Copied").first.wait_for()
        copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{address}/feeds/en/regional/RU-PNZ.rss"


@needs_chromium
async def test_everything_is_readable_and_reachable_without_a_script(address):
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{address}/en/regional/")
        assert await page.locator("button.copy:visible").count() == 0
        await page.get_by_role("link", name="Penza Oblast: 2 news stories").click()
        assert page.url == f"{address}/en/regional/RU-PNZ"
        await page.locator("details.languages summary").click()
        await page.locator("details.languages").get_by_role("link", name="Русский").click()
        assert page.url == f"{address}/ru/regional/RU-PNZ"
        assert await page.locator("article.card").count() == 1


@needs_chromium
async def test_the_keyboard_reaches_content_and_map(address):
    async with chromium() as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{address}/en/regional/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        for _ in range(6):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.classList.contains('tile')"):
                break
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/en/regional/*-*")


async def test_real_http_sends_no_body_with_head_and_304(address):
    async with httpx.AsyncClient(base_url=address, headers={"Accept-Encoding": "gzip"}) as client:
        full = await client.get("/feeds/all/all.atom")
        assert full.headers["content-encoding"] == "gzip"
        assert len(full.content) > int(full.headers["content-length"])
        head = await client.head("/feeds/all/all.atom")
        assert head.headers["content-length"] == full.headers["content-length"]
        again = await client.get("/feeds/all/all.atom", headers={"If-None-Match": full.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

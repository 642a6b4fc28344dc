"""The simulated chat in a real browser, driven as a newcomer would, with a small bot behind it."""

import os
from pathlib import Path

import pytest
from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import Application, CallbackQueryHandler, ChatMemberHandler, CommandHandler

from vestnik.demo.botapi import Emulator, Limits
from vestnik.demo.chat import add_chat

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HOSTILE = "<img src=x onerror=alert(1)> &lt;script&gt;"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the chat page needs /usr/bin/chromium"),
    # aiohttp and playwright leave transports to the collector when a browser goes
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def _keys(*rows):
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    text, **({"url": target} if "://" in target else {"callback_data": target})
                )
                for text, target in row
            ]
            for row in rows
        ]
    )


async def _start(update, _context):
    keyboard = _keys(
        [("🏛 Regional network", "regional"), ("🌍 Foreign network", "foreign")],
        [("Open the site", "https://example.org/news")],
    )
    text = (
        "<b>Welcome!</b>\n\nNews of the library networks, region by region.\nTry /browse or pick a network:"
    )
    await update.message.reply_html(f"{text} ({update.effective_user.language_code})", reply_markup=keyboard)


async def _press(update, _context):
    await update.callback_query.answer("Following")
    await update.callback_query.edit_message_text(
        "<b>Regional network</b>\nChoose a district:",
        parse_mode="HTML",
        reply_markup=_keys([("Volga", "volga"), ("Central", "central")], [("« Back", "back")]),
    )


@pytest.fixture
async def service():
    """The server with the chat page, and a bot that answers there."""
    standings = []

    async def note(update, _context):
        standings.append(update.my_chat_member.new_chat_member.status)

    async with Emulator(limits=Limits.off(), mounts=[add_chat]) as server:
        application = Application.builder().token(server.token).base_url(server.base_url + "/bot").build()
        application.add_handler(CommandHandler("start", _start))
        application.add_handler(CallbackQueryHandler(_press))
        application.add_handler(ChatMemberHandler(note))
        async with application:
            await application.start()
            await application.updater.start_polling()
            await application.bot.set_my_description("News of library networks.\n\nFollow a region.")
            await application.bot.set_my_commands(
                [BotCommand("start", "Begin"), BotCommand("browse", "Browse")]
            )
            await application.bot.set_my_commands([BotCommand("start", "ابدأ")], language_code="ar")
            yield server, application.bot, standings
            await application.updater.stop()
            await application.stop()
        assert server.violations == []


@pytest.fixture
async def page(service):
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        tab = await browser.new_page(viewport={"width": 900, "height": 820})
        complaints, hosts = [], set()
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda e: complaints.append(str(e)))
        tab.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        await tab.goto(service[0].base_url + "/chat?lang=en")
        yield tab
        assert complaints == []
        assert hosts == {service[0].base_url.removeprefix("http://")}, (
            "the page speaks to its own server only"
        )
        await browser.close()


async def _shoot(page, name):
    """Keep a picture where somebody wants to look (VESTNIK_SCREENSHOTS names the folder)."""
    if folder := os.environ.get("VESTNIK_SCREENSHOTS"):
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(folder) / f"chat-{name}.png")


async def test_a_newcomer_starts_presses_and_sees_the_message_change_in_place(service, page):
    server, _, _ = service
    await page.wait_for_selector("#about:not([hidden])")
    await _shoot(page, "empty")
    await page.fill("#text", "/start")
    await page.press("#text", "Enter")
    await page.wait_for_selector("text=Welcome!")
    assert await page.get_attribute("text=Open the site >> xpath=ancestor-or-self::a", "href") == (
        "https://example.org/news"
    )
    await _shoot(page, "started")
    before = await page.locator("li.message").count()
    await page.click("text=Regional network")
    await page.wait_for_selector("text=Choose a district")
    await page.wait_for_selector("#toast:not([hidden]) >> text=Following")
    assert await page.locator("li.message").count() == before
    assert await page.locator(".stamp >> text=edited").count() == 1
    await page.click("#menu")
    await page.click("#theme")
    await _shoot(page, "menu-dark")
    await page.click("#commands >> text=Begin")
    await page.locator("li.message.own").nth(1).wait_for()
    assert await page.is_hidden("#commands")
    person = server.world.users[int(server.ledger.deliveries[0].chat_id)]
    assert person.language_code == "en"


async def test_messages_arrive_by_themselves_in_any_script_and_never_as_markup(service, page):
    server, bot, _ = service
    await page.click("#start")
    await page.wait_for_selector("text=Welcome!")
    reader = server.ledger.deliveries[0].chat_id
    arabic = (
        '<b><a href="https://example.org/1">أمسية الشعر الروسي في البيت الروسي</a></b>\n\n'
        "يقام في 24 نوفمبر لقاء مفتوح للقراء.\n#القاهرة"
    )
    await bot.send_message(reader, arabic, parse_mode="HTML")
    await bot.send_message(reader, HOSTILE)
    russian = (
        '<b><a href="https://example.org/2">Открылась выставка «Книги степного края»</a></b>\n\n'
        "Показали <code>120</code> изданий <tg-spoiler>секрет</tg-spoiler>. <b>Жир<i>ный кур</i></b><i>сив</i> 😀.\n"
        "<blockquote>Слово «книга» старше печати.</blockquote>\nПензенская область · 21 ноября"
    )
    last = await bot.send_message(
        reader, russian, parse_mode="HTML", reply_markup=_keys([("Читать", "https://example.org/2")])
    )
    await page.wait_for_selector("text=Пензенская область")
    assert await page.locator("#messages img, #messages script").count() == 0
    assert await page.locator(f"text={HOSTILE}").count() == 1
    bubble = page.locator(f"li[data-id='{last.message_id}'] .text")
    assert await bubble.locator("b i").inner_text() == "ный кур"
    assert await bubble.locator(".spoiler").inner_text() == "секрет"
    assert "\n\nПенз" not in await bubble.inner_text(), "a quotation ends its own line"
    direction = "el => getComputedStyle(el).direction"
    arabic_text = page.locator(".text", has_text="أمسية")
    assert await arabic_text.evaluate(direction) == "rtl"
    await page.set_viewport_size({"width": 390, "height": 760})
    await page.select_option("#language", "ar")
    await page.wait_for_selector("html[dir=rtl]")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing sticks out on a phone"
    )
    await page.click("#menu")
    await page.wait_for_selector("#commands >> text=ابدأ")
    await _shoot(page, "phone-arabic")
    await page.keyboard.press("Escape")
    await bot.delete_message(reader, last.message_id)
    await page.wait_for_selector(f"li[data-id='{last.message_id}']", state="detached")


async def test_blocking_closes_the_chat_until_unblocked(service, page):
    server, bot, standings = service
    await page.click("#start")
    await page.wait_for_selector("text=Welcome!")
    reader = server.ledger.deliveries[0].chat_id
    await page.click("#block")
    await page.wait_for_selector("#form", state="hidden")
    await _shoot(page, "blocked")
    with pytest.raises(Exception, match="blocked by the user"):
        await bot.send_message(reader, "unseen")
    await page.click("#start")
    await page.wait_for_selector("#form", state="visible")
    await bot.send_message(reader, "seen again")
    await page.wait_for_selector("text=seen again")
    assert standings == ["kicked", "member"]
    await page.reload()
    await page.wait_for_selector("text=seen again")


async def test_only_the_page_itself_may_act(service):
    import aiohttp

    server, _, _ = service
    async with aiohttp.ClientSession() as session:
        address = f"{server.base_url}/chat/api"
        assert (await session.post(f"{address}/send", data="{}")).status == 415
        assert (await session.post(f"{address}/send", json={"key": "guess", "text": "x"})).status == 403
        assert (await session.get(f"{address}/events?key=guess")).status == 403
        assert (await session.get(f"{server.base_url}/chat/static/..%2Fpages.py")).status == 404

"""Language, time zone, and the menu of both."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from babel.dates import get_timezone_location
from telegram import InlineKeyboardButton

from bot.commands.browse import stale
from bot.commands.reply import answer, show
from bot.commands.talk import Alert, Talk, may_change, open_talk, refusal, with_reader
from bot.i18n import INTERFACE_LANGUAGES, choose_language
from bot.keyboards import LANGUAGE_NAMES, Press, button, in_columns, keyboard, page_buttons, page_of
from bot.messages import zone_of
from bot.text import Html, escape
from feeds.model import LanguageCode
from storage import subscribers

_ZONES_A_PAGE = 14
#: Where the networks' readers live; any other zone can be named after the command.
ZONES = (
    *("Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk"),
    *("Asia/Novosibirsk", "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok"),
    *("Asia/Magadan", "Asia/Kamchatka", "Europe/London", "Europe/Paris", "Europe/Berlin"),
    *("Europe/Madrid", "Europe/Belgrade", "Europe/Athens", "Europe/Istanbul", "Africa/Cairo"),
    *("Asia/Riyadh", "Asia/Dubai", "Asia/Baku", "Asia/Yerevan", "Asia/Tashkent", "Asia/Almaty"),
    *("Asia/Kolkata", "Asia/Bangkok", "Asia/Shanghai", "Asia/Ulaanbaatar", "Asia/Tokyo"),
    *("Africa/Johannesburg", "Africa/Lagos", "Australia/Sydney", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Havana", "America/Bogota", "America/Sao_Paulo"),
    "America/Argentina/Buenos_Aires",
)


async def settings(talk: Talk) -> None:
    """Answer ``/settings``: the menu; with an IANA name behind it, set the time zone."""
    if not talk.args:
        await _show_settings(talk)
    elif not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
    elif talk.args in _known_zones():
        await _show_settings(await _with_zone(talk, talk.args))
    else:
        hint = talk.say("I do not know this time zone. An example: /settings Europe/Riga")
        await answer(talk, hint, buttons=keyboard([[_zones_button(talk)]]))


async def press_settings(talk: Talk, _press: Press) -> str | None:
    """Open the menu."""
    await _show_settings(talk)
    return None


async def _show_settings(talk: Talk) -> None:
    lines = [
        Html(f"<b>{talk.say('Settings')}</b>"),
        talk.say("Language: {name}", name=LANGUAGE_NAMES[talk.language]),
        talk.say("Time zone: {name}", name=_zone_label(talk, talk.timezone)),
        "",
        talk.say("Another zone can be set by name: /settings Europe/Riga"),
    ]
    rows = [
        [button(f"🌐 {talk.translator.text('Language')}", "languages"), _zones_button(talk)],
        [button(talk.translator.text("My subscriptions"), "my", 0)],
        [button(f"🗑 {talk.translator.text('Delete my data')}", "forget", "ask")],
    ]
    await show(talk, Html("\n".join(lines)), buttons=keyboard(rows))


async def language(talk: Talk) -> None:
    """Answer ``/language``: the menu, or at once with a code behind it (``/language de``)."""
    code = choose_language(talk.args)
    if not talk.args or code != talk.args.lower():
        await _show_languages(talk)
    elif not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
    else:
        talk = await _with_language(talk, code)
        await answer(talk, talk.say("I speak English with you now."))


async def press_languages(talk: Talk, _press: Press) -> str | None:
    """Open the menu of languages."""
    await _show_languages(talk)
    return None


async def press_language(talk: Talk, press: Press) -> str | None:
    """Choose a language; the menu answers in it."""
    code = choose_language(press.args[0])
    if code != press.args[0]:
        return stale(talk)
    if not await may_change(talk):
        return Alert(refusal(talk))
    talk = await _with_language(talk, code)
    await _show_languages(talk)
    return talk.translator.text("I speak English with you now.")


async def _show_languages(talk: Talk) -> None:
    buttons = [
        button(("✓ " if code == talk.language else "") + LANGUAGE_NAMES[code], "language", code)
        for code in INTERFACE_LANGUAGES
    ]
    rows = [*in_columns(buttons, 2), [_back_button(talk)]]
    await show(talk, Html(f"<b>{talk.say('Choose a language')}</b>"), buttons=keyboard(rows))


async def _with_language(talk: Talk, code: LanguageCode) -> Talk:
    talk = await with_reader(talk)
    assert talk.reader is not None  # noqa: S101 - with_reader made it
    async with talk.deps.database.write() as session:
        await subscribers.set_language(session, talk.reader.id, code)
    return await open_talk(talk, first_contact=False)


async def press_zones(talk: Talk, press: Press) -> str | None:
    """Open a page of the time zones."""
    await _show_zones(talk, page=press.page())
    return None


async def _show_zones(talk: Talk, *, page: int) -> None:
    zones = sorted(ZONES, key=lambda name: (offset_of(name, talk.now), name))
    shown = page_of(len(zones), number=page, size=_ZONES_A_PAGE)
    buttons = [
        button(("✓ " if name == talk.timezone else "") + _zone_label(talk, name), "zone", name)
        for name in zones[shown.start : shown.end]
    ]
    rows = [*in_columns(buttons, 2), page_buttons(shown, "zones"), [_back_button(talk)]]
    await show(talk, Html(f"<b>{talk.say('Choose a time zone')}</b>"), buttons=keyboard(rows))


async def press_zone(talk: Talk, press: Press) -> str | None:
    """Choose a time zone."""
    if press.args[0] not in ZONES:
        return stale(talk)
    if not await may_change(talk):
        return Alert(refusal(talk))
    await _show_settings(await _with_zone(talk, press.args[0]))
    return None


async def _with_zone(talk: Talk, name: str) -> Talk:
    talk = await with_reader(talk)
    assert talk.reader is not None  # noqa: S101 - with_reader made it
    async with talk.deps.database.write() as session:
        await subscribers.set_timezone(session, talk.reader.id, name)
    return await open_talk(talk, first_contact=False)


def offset_of(name: str, now: datetime) -> timedelta:
    """How far a zone is ahead of UTC at ``now``."""
    return now.astimezone(zone_of(name)).utcoffset() or timedelta()


def _zone_label(talk: Talk, name: str) -> str:
    """A zone as the reader knows it, "Moscow, UTC+3", in the reader's language."""
    minutes = int(offset_of(name, talk.now).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    place = (
        name
        if name == "UTC"
        else get_timezone_location(name, locale=talk.translator.locale, return_city=True)
    )
    return f"{place}, UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def _zones_button(talk: Talk) -> InlineKeyboardButton:
    zones = sorted(ZONES, key=lambda name: (offset_of(name, talk.now), name))
    page = zones.index(talk.timezone) // _ZONES_A_PAGE if talk.timezone in zones else 0
    return button(f"🕓 {talk.translator.text('Time zone')}", "zones", page)


def _back_button(talk: Talk) -> InlineKeyboardButton:
    return button(f"‹ {talk.translator.text('Back')}", "settings")


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())

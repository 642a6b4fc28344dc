"""The browser of places: networks, their districts, their regions; a tap follows, another one unfollows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands.reply import show
from bot.commands.talk import COUNTED_DAYS, Alert, Talk, may_change, refusal, with_reader
from bot.find import all_scopes
from bot.keyboards import (
    Press,
    button,
    in_columns,
    keyboard,
    page_buttons,
    page_of,
    scope_of_token,
    scope_token,
)
from bot.text import Html, escape, say_plural
from feeds.model import NetworkId, RegionCode
from feeds.networks import ALL, Scope, district_scope, network_scope, region_scope
from feeds.regions import DistrictId
from storage import subscribers

#: Two columns of this many rows fit a phone without scrolling.
_REGIONS_A_PAGE = 20
_DISTRICT = "district:"
#: More subscriptions than any reader needs, fewer than would hurt.
MAX_FOLLOWED = 300


async def browse(talk: Talk) -> None:
    """Answer ``/browse``: the networks."""
    await show_browser(talk, ALL, page=0)


async def press_browse(talk: Talk, press: Press) -> str | None:
    """Open the level a button leads to."""
    scope = scope_of_token(press.args[0], all_scopes(talk.deps.networks))
    if scope is None:
        return stale(talk)
    await show_browser(talk, scope, page=press.page())
    return None


async def press_toggle(talk: Talk, press: Press) -> str | None:
    """Follow or unfollow what was tapped, and redraw its level."""
    scope = scope_of_token(press.args[0], all_scopes(talk.deps.networks))
    if scope is None:
        return stale(talk)
    note = await toggle(talk, scope)
    if not isinstance(note, Alert):
        await show_browser(talk, level_of(talk, scope), page=press.page())
    return note


async def toggle(talk: Talk, scope: Scope) -> str:
    """Follow ``scope``, or unfollow it when it is followed; returns what to tell the reader."""
    if not await may_change(talk):
        return Alert(refusal(talk))
    talk = await with_reader(talk)
    assert talk.reader is not None  # noqa: S101 - with_reader made it
    async with talk.deps.database.write() as session:
        if await subscribers.unfollow(session, talk.reader.id, scope):
            return talk.translator.text("You no longer follow: {name}", name=talk.name_of(scope))
        if len(await subscribers.following(session, talk.reader.id)) >= MAX_FOLLOWED:
            return Alert(too_many(talk))
        await subscribers.follow(session, talk.reader.id, scope, now=talk.now)
    return talk.translator.text("You now follow: {name}", name=talk.name_of(scope))


def stale(talk: Talk) -> Alert:
    """What a button says that leads nowhere any more."""
    return Alert(talk.translator.text("This button is out of date. Please open the menu again: /browse"))


def too_many(talk: Talk) -> str:
    """What a reader hears at the limit of subscriptions."""
    return say_plural(
        talk.translator,
        "You already follow {n} place. Unfollow something first: /my",
        "You already follow {n} places. Unfollow something first: /my",
        MAX_FOLLOWED,
    )


def level_of(talk: Talk, scope: Scope) -> Scope:
    """The level of the browser on which a scope has its button: a region's is its district."""
    network, _, rest = scope.partition("/")
    if not rest or rest.startswith(_DISTRICT):
        return scope
    region = talk.deps.networks.catalogue.regions[RegionCode(rest)]
    return district_scope(NetworkId(network), region.district)


async def followed_by(talk: Talk) -> set[Scope]:
    """What the reader follows; nothing for a stranger."""
    if talk.reader is None:
        return set()
    async with talk.deps.database.read() as session:
        return set(await subscribers.following(session, talk.reader.id))


async def show_browser(talk: Talk, scope: Scope, *, page: int) -> None:
    """Draw the level of ``scope``."""
    followed = await followed_by(talk)
    counts = await talk.desk.counts.get(talk.deps, talk.now)
    network, _, rest = scope.partition("/")
    if scope == ALL:
        text, buttons = _networks(talk, followed, counts)
    elif not rest:
        text, buttons = _districts(talk, NetworkId(network), followed, counts)
    else:
        district = DistrictId(rest.removeprefix(_DISTRICT))
        text, buttons = _regions(talk, NetworkId(network), district, followed, counts, page)
    await show(talk, text, buttons=buttons)


def _networks(
    talk: Talk, followed: Collection[Scope], counts: Mapping[Scope, int]
) -> tuple[Html, InlineKeyboardMarkup | None]:
    label = _labels(talk, followed, counts)
    rows = [[button(label(network_scope(each)), "browse", each, 0)] for each in talk.deps.networks.networks]
    rows.append([button(label(ALL, count=False), "toggle", ALL, 0)])
    rows.append([button(talk.translator.text("My subscriptions"), "my", 0)])
    text = talk.say("What would you like to follow?")
    return Html(f"<b>{text}</b>\n{_counts_note(talk)}"), keyboard(rows)


def _districts(
    talk: Talk, network: NetworkId, followed: Collection[Scope], counts: Mapping[Scope, int]
) -> tuple[Html, InlineKeyboardMarkup | None]:
    scope = network_scope(network)
    label = _labels(talk, followed, counts)
    rows = [
        [button(label(place), "browse", scope_token(place), 0)]
        for place in (district_scope(network, d.id) for d, _ in talk.deps.networks.districts(network))
    ]
    rows.append([_whole(talk, scope, followed, 0)])
    rows.append([button(f"‹ {talk.translator.text('Back')}", "browse", ALL, 0)])
    return Html(f"<b>{talk.say('{name}: choose a district', name=talk.name_of(scope))}</b>"), keyboard(rows)


def _regions(
    talk: Talk,
    network: NetworkId,
    district: DistrictId,
    followed: Collection[Scope],
    counts: Mapping[Scope, int],
    number: int,
) -> tuple[Html, InlineKeyboardMarkup | None]:
    scope = district_scope(network, district)
    regions = next((r for d, r in talk.deps.networks.districts(network) if d.id == district), ())
    places = sorted((region_scope(network, each.code) for each in regions), key=talk.name_of)
    page = page_of(len(places), number=number, size=_REGIONS_A_PAGE)
    label = _labels(talk, followed, counts)
    shown = [
        button(label(place), "toggle", scope_token(place), page.number)
        for place in places[page.start : page.end]
    ]
    back = button(f"‹ {talk.translator.text('Back')}", "browse", network_scope(network), 0)
    rows = [
        *in_columns(shown, 2),
        page_buttons(page, "browse", scope_token(scope)),
        [_whole(talk, scope, followed, page.number)],
        [back, button(talk.translator.text("My subscriptions"), "my", 0)],
    ]
    hint = talk.say("Tap a place to follow it, tap again to stop.")
    return Html(f"<b>{escape(talk.name_of(scope))}</b>\n{hint}"), keyboard(rows)


def _whole(talk: Talk, scope: Scope, followed: Collection[Scope], page: int) -> InlineKeyboardButton:
    if scope in followed:
        text = "✓ " + talk.translator.text("Everything here")
    else:
        text = "➕ " + talk.translator.text("Follow everything here")
    return button(text, "toggle", scope_token(scope), page)


def _labels(talk: Talk, followed: Collection[Scope], counts: Mapping[Scope, int]) -> Callable[..., str]:
    """Labels of places: ✓ followed, ◦ something inside is, then the name and how much there is."""

    def label(scope: Scope, *, count: bool = True) -> str:
        sign = "✓ " if scope in followed else "◦ " if _has_inside(talk, scope, followed) else ""
        number = f" · {counts[scope]}" if count and counts.get(scope) else ""
        return f"{sign}{talk.name_of(scope)}{number}"

    return label


def _has_inside(talk: Talk, scope: Scope, followed: Collection[Scope]) -> bool:
    if scope == ALL:
        return False
    if "/" not in scope:
        return any(each.startswith(f"{scope}/") for each in followed)
    known = [each for each in followed if talk.deps.networks.parse_scope(each) and "/" in each]
    return any(each != scope and level_of(talk, each) == scope for each in known)


def _counts_note(talk: Talk) -> Html:
    return say_plural(
        talk.translator,
        "Numbers: news of the last {n} day.",
        "Numbers: news of the last {n} days.",
        COUNTED_DAYS,
    )

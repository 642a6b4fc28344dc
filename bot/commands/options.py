"""The options under a news message: follow or mute its places, and more from there."""

from __future__ import annotations

from bot.commands.browse import followed_by, stale, toggle
from bot.commands.reply import show_buttons
from bot.commands.talk import Alert, Talk, may_change, refusal
from bot.commands.why import forgotten
from bot.find import all_scopes
from bot.keyboards import Press, button, keyboard, scope_of_token, scope_token
from bot.messages import news_message
from feeds.model import ItemId
from storage import items

#: Places of one item offered at once.
_PLACES = 5


async def press_more(talk: Talk, press: Press) -> str | None:
    """Open the options of a news message: follow or mute its places, more from there."""
    if not await may_change(talk):
        return Alert(refusal(talk))
    return await _show_options(talk, ItemId(int(press.args[0])))


async def press_flip(talk: Talk, press: Press) -> str | None:
    """Follow or mute a place of a news message."""
    scope = scope_of_token(press.args[1], all_scopes(talk.deps.networks))
    if scope is None:
        return stale(talk)
    note = await toggle(talk, scope)
    if isinstance(note, Alert):
        return note
    return await _show_options(talk, ItemId(int(press.args[0]))) or note


async def press_less(talk: Talk, press: Press) -> str | None:
    """Give a news message its own buttons back."""
    async with talk.deps.database.read() as session:
        item = await items.by_id(session, ItemId(int(press.args[0])))
        siblings = await items.of_story(session, item.story_id) if item else []
    if item is None:
        return forgotten(talk)
    message = news_message(
        item,
        translator=talk.translator,
        timezone=talk.timezone,
        networks=talk.deps.networks,
        base_url=talk.deps.base_url,
        siblings=siblings,
    )
    await show_buttons(talk, message.keyboard)
    return None


async def _show_options(talk: Talk, item_id: ItemId) -> str | None:
    async with talk.deps.database.read() as session:
        item = await items.by_id(session, item_id)
    if item is None:
        return forgotten(talk)
    followed = await followed_by(talk)
    all_of_it = talk.deps.networks.scopes_of(item.networks, item.regions, item.source_id)
    rows = []
    for scope in [each for each in all_of_it if "/" in each and "district:" not in each][:_PLACES]:
        sign = "✓ " if scope in followed else "➕ "
        rows.append(
            [
                button(sign + talk.name_of(scope), "flip", item_id, scope_token(scope)),
                button(talk.translator.text("More from here"), "show", scope_token(scope)),
            ]
        )
    rows.append([button(f"‹ {talk.translator.text('Back')}", "less", item_id)])
    await show_buttons(talk, keyboard(rows))
    return None

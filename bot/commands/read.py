"""Reading: the newest of what one follows, and finding places by word or by location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telegram import InlineKeyboardMarkup

from bot.commands.browse import followed_by, stale
from bot.commands.follow import browse_button, choices, dry_run, full_name, not_found
from bot.commands.reply import answer
from bot.commands.talk import Talk
from bot.find import all_scopes
from bot.keyboards import Press, button, in_columns, keyboard, scope_of_token, scope_token
from bot.messages import format_published, headline, labels_line, source_name
from bot.text import MESSAGE_LIMIT, Html, escape, isolate, visible_length
from feeds.model import Item, ItemId
from feeds.networks import ALL, Scope
from storage import items

_LATEST = 5
#: Read more than shown: several items may tell one story, and each scope has its own newest.
_LOOKED_THROUGH = 25


async def latest(talk: Talk) -> None:
    """Answer ``/latest``: the newest of what the reader follows, or of the place named."""
    if not talk.args:
        followed = await followed_by(talk)
        head = talk.say("Latest news") if followed else talk.say("Latest news of all networks")
        await answer(talk, *await _latest_list(talk, followed or {ALL}, head))
        return
    meaning = talk.desk.finder.meaning(talk.args)
    if meaning.chosen:
        await _show_latest(talk, meaning.chosen)
    elif meaning.offered:
        rows = [[button(full_name(talk, each), "show", scope_token(each))] for each in meaning.offered]
        await answer(talk, talk.say("Which one do you mean?"), buttons=keyboard(rows))
    else:
        await answer(talk, not_found(talk, talk.args), buttons=browse_button(talk))


async def press_show(talk: Talk, press: Press) -> str | None:
    """Show the newest of a place as a new message: the pressed answer stays as it is."""
    known = [*all_scopes(talk.deps.networks), *await followed_by(talk)]
    scope = scope_of_token(press.args[0], known)
    if scope is None:
        return stale(talk)
    await _show_latest(talk, [scope])
    return None


async def _show_latest(talk: Talk, scopes: Sequence[Scope]) -> None:
    head = talk.say("Latest news: {name}", name=full_name(talk, scopes[0]))
    await answer(talk, *await _latest_list(talk, scopes, head))


async def _latest_list(talk: Talk, scopes: Iterable[Scope], head: Html) -> tuple[Html]:
    found = await newest_stories(talk, scopes)
    if not found:
        return (Html(f"<b>{head}</b>\n\n{talk.say('Nothing yet. I will write as soon as there is news.')}"),)
    text = Html(f"<b>{head}</b>")
    for item in found[:_LATEST]:
        longer = Html(f"{text}\n\n{_short(talk, item)}")
        if visible_length(longer) > MESSAGE_LIMIT:
            break
        text = longer
    return (text,)


async def newest_stories(talk: Talk, scopes: Iterable[Scope]) -> list[Item]:
    """Newest stories of the scopes, each told once, in the reader's language where it is known."""
    found: dict[ItemId, Item] = {}
    async with talk.deps.database.read() as session:
        for scope in scopes:
            for item in await items.newest(session, scope=scope, limit=_LOOKED_THROUGH):
                found[item.id] = item
    stories: dict[int, Item] = {}
    for item in sorted(found.values(), key=lambda each: (each.published, each.id), reverse=True):
        told = stories.get(item.story_id)
        if told is None or (item.language == talk.language != told.language):
            stories[item.story_id] = item
    shown = [item for item in stories.values() if not item.withdrawn]
    return sorted(shown, key=lambda each: (each.published, each.id), reverse=True)


def _short(talk: Talk, item: Item) -> Html:
    title = headline(item, translator=talk.translator, base_url=talk.deps.base_url, limit=200)
    when = format_published(item, translator=talk.translator, timezone=talk.timezone, time=False)
    labels = labels_line(item, translator=talk.translator, networks=talk.deps.networks)
    source = isolate(source_name(item), rtl=talk.translator.is_rtl)
    return Html(f"▪ {title}\n{escape(f'{source} · {when}')}" + (f"\n{labels}" if labels else ""))


async def find(talk: Talk) -> None:
    """Answer ``/find``: the place meant, with how much there is and what is newest."""
    if not talk.args:
        hint = talk.say("Write a place after the command, in any language: /find Mongolia")
        await answer(talk, hint, buttons=browse_button(talk))
        return
    if not await answer_found(talk, talk.args):
        await answer(talk, not_found(talk, talk.args), buttons=browse_button(talk))


async def answer_found(talk: Talk, words: str) -> bool:
    """Answer with the places ``words`` may mean; ``False`` when there is none."""
    meaning = talk.desk.finder.meaning(words)
    if meaning.chosen:
        text, buttons = await _card(talk, meaning.chosen[0], meaning.offered[:3])
        await answer(talk, text, buttons=buttons)
    elif meaning.offered:
        await answer(talk, talk.say("Which one do you mean?"), buttons=choices(talk, meaning.offered))
    return bool(meaning.chosen or meaning.offered)


async def answer_nearest(talk: Talk, *, latitude: float, longitude: float) -> None:
    """Answer a shared location with the regions around it."""
    found = talk.desk.finder.nearest(latitude=latitude, longitude=longitude)
    await answer(talk, talk.say("Nearest places:"), buttons=choices(talk, found))


async def _card(
    talk: Talk, scope: Scope, others: Sequence[Scope]
) -> tuple[Html, InlineKeyboardMarkup | None]:
    text = Html(f"<b>{escape(full_name(talk, scope))}</b>\n{await dry_run(talk, scope)}")
    if scope in await followed_by(talk):
        first = button(f"✓ {talk.translator.text('Unfollow')}", "unfollow", scope_token(scope))
    else:
        first = button(f"➕ {talk.translator.text('Follow')}", "follow", scope_token(scope))
    rows = [[first, button(talk.translator.text("Latest news"), "show", scope_token(scope))]]
    rows += in_columns([button(full_name(talk, each), "follow", scope_token(each)) for each in others], 1)
    return text, keyboard(rows)

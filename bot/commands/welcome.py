"""The first words: /start with its deep links, and /help by role."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import InlineKeyboardMarkup

from bot.commands.follow import browse_button, followed_answer, not_found
from bot.commands.registry import Command
from bot.commands.reply import answer
from bot.commands.talk import Talk, may_change, refusal
from bot.keyboards import button, keyboard
from bot.text import Html, escape
from feeds.networks import ALL

_DEEP_LINK = "f_"


async def start(talk: Talk) -> None:
    """Answer ``/start``: greet; a deep link (``f_<network>``, ``f_<CODE>``) follows at once."""
    if talk.args.startswith(_DEEP_LINK):
        await _follow_link(talk, talk.args.removeprefix(_DEEP_LINK))
        return
    await answer(talk, greeting(talk), buttons=first_buttons(talk))


async def _follow_link(talk: Talk, place: str) -> None:
    if not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
        return
    # The names of scopes only: a link says what it means, it is not searched for.
    scopes = [match.scope for match in talk.desk.finder.find(place) if match.score == 1.0]
    if not scopes:
        await answer(talk, not_found(talk, place), buttons=browse_button(talk))
        return
    text, buttons = await followed_answer(talk, scopes)
    hello = talk.say("Hello! I bring news from: {networks}.", networks=networks_named(talk))
    await answer(talk, Html(f"{hello}\n\n{text}"), buttons=buttons)


def greeting(talk: Talk) -> Html:
    """Who we are and what to do first."""
    hello = talk.say("Hello! I bring news from: {networks}.", networks=networks_named(talk))
    what = talk.say(
        "Choose the places you care about, and I will write when there is news. "
        "You can also send me the name of a place in any language."
    )
    return Html(f"<b>{hello}</b>\n\n{what}")


def networks_named(talk: Talk) -> str:
    """The networks' titles in the reader's language, as a list."""
    return " · ".join(each.title(talk.language) for each in talk.deps.networks.networks.values())


def first_buttons(talk: Talk) -> InlineKeyboardMarkup | None:
    """The first steps of a newcomer."""
    text = talk.translator.text
    return keyboard(
        [
            [button(f"🗺 {text('Browse')}", "browse", ALL, 0)],
            [button(text("Latest news"), "show", ALL), button(text("My subscriptions"), "my", 0)],
            [button("🌐 " + text("Language"), "languages"), button("⚙ " + text("Settings"), "settings")],
        ]
    )


async def show_help(talk: Talk, commands: Sequence[Command]) -> None:
    """Answer ``/help``: the commands this person may use."""
    lines = [f"/{each.name} – {talk.say(each.description)}" for each in commands if not each.for_admins]
    ours = [f"/{each.name} – {talk.say(each.description)}" for each in commands if each.for_admins]
    parts = [Html(f"<b>{talk.say('What I can do')}</b>"), "\n".join(lines)]
    if ours:
        parts += [Html(f"<b>{talk.say('For admins')}</b>"), "\n".join(ours)]
    if not talk.is_private:
        parts.append(talk.say("In groups only admins can change what the group follows."))
    await answer(talk, "\n\n".join(parts))

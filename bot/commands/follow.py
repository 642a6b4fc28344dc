"""Following and unfollowing by word, by deep link and by the buttons under answers; the list of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands.browse import MAX_FOLLOWED, browse, followed_by, level_of, stale, too_many
from bot.commands.reply import answer, bullet, show
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
from bot.messages import headline
from bot.text import Html, escape, say_plural
from feeds.model import NetworkId
from feeds.networks import ALL, Scope, network_scope
from storage import items, subscribers

_MY_A_PAGE = 16


async def follow(talk: Talk) -> None:
    """Answer ``/follow``: at once when the place is clear, else a choice; the browser without a word."""
    if not talk.args:
        await browse(talk)
    elif not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
    else:
        await follow_named(talk, talk.args)


async def follow_named(talk: Talk, words: str) -> None:
    """Follow what ``words`` mean, or offer what they may mean."""
    meaning = talk.desk.finder.meaning(words)
    if meaning.chosen:
        text, buttons = await followed_answer(talk, meaning.chosen)
        await answer(talk, text, buttons=buttons)
    elif meaning.offered:
        await answer(talk, talk.say("Which one do you mean?"), buttons=choices(talk, meaning.offered))
    else:
        await answer(talk, not_found(talk, words), buttons=browse_button(talk))


async def followed_answer(talk: Talk, scopes: Sequence[Scope]) -> tuple[Html, InlineKeyboardMarkup | None]:
    """Follow all of ``scopes`` (one place), and say so with an undo button."""
    talk = await with_reader(talk)
    assert talk.reader is not None  # noqa: S101 - with_reader made it
    async with talk.deps.database.write() as session:
        if len(await subscribers.following(session, talk.reader.id)) >= MAX_FOLLOWED:
            return escape(too_many(talk)), None
        added = [await subscribers.follow(session, talk.reader.id, scope, now=talk.now) for scope in scopes]
    name = full_name(talk, scopes[0])
    head = talk.say("You now follow: {name}", name=name) if any(added) else _already(talk, name)
    rows = [
        [_undo_button(talk, scopes[0], was_added=any(added))],
        [
            button(talk.translator.text("Latest news"), "show", scope_token(scopes[0])),
            button(talk.translator.text("My subscriptions"), "my", 0),
        ],
    ]
    lines = [Html(f"✓ <b>{head}</b>"), await dry_run(talk, scopes[0])]
    if any(added):
        lines.append(talk.say("I will send you what is new from now on."))
    return Html("\n".join(line for line in lines if line)), keyboard(rows)


def _undo_button(talk: Talk, scope: Scope, *, was_added: bool) -> InlineKeyboardButton:
    undo = f"↩ {talk.translator.text('Undo')}"
    return button(undo, "unfollow", scope_token(scope)) if was_added else _unfollow_button(talk, scope)


async def dry_run(talk: Talk, scope: Scope) -> Html:
    """What following a scope would have brought lately, with the newest headline."""
    counts = await talk.desk.counts.get(talk.deps, talk.now)
    async with talk.deps.database.read() as session:
        newest = await items.newest(session, scope=scope, limit=1)
    number = counts.get(scope, 0)
    told = say_plural(
        talk.translator,
        "{n} news item in the last {days} days.",
        "{n} news items in the last {days} days.",
        number,
        days=COUNTED_DAYS,
    )
    if not newest:
        return talk.say("No news from there yet.")
    title = headline(newest[0], translator=talk.translator, base_url=talk.deps.base_url, limit=150)
    return Html(f"{told} {talk.say('The newest: {title}', title=title)}")


async def unfollow(talk: Talk) -> None:
    """Answer ``/unfollow``: at once when it is clear what is meant, the list of subscriptions otherwise."""
    if not talk.args:
        await my(talk)
    elif not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
    else:
        await _unfollow_named(talk, talk.args)


async def _unfollow_named(talk: Talk, words: str) -> None:
    followed = await followed_by(talk)
    meaning = talk.desk.finder.meaning(words, limit=20)
    chosen = [scope for scope in meaning.chosen if scope in followed]
    if not chosen and ALL in meaning.chosen:
        await _unfollow_everything(talk)
        return
    if not chosen and Scope(words) in followed:
        chosen = [Scope(words)]
    offered = [scope for scope in meaning.offered if scope in followed]
    if not chosen and not meaning.chosen and len(offered) == 1:
        chosen = offered
    if chosen:
        text, buttons = await unfollowed_answer(talk, chosen)
        await answer(talk, text, buttons=buttons)
    elif meaning.chosen:
        await _explain_not_followed(talk, meaning.chosen[0], followed)
    else:
        await answer(talk, not_found(talk, words), buttons=_my_button(talk))


async def _unfollow_everything(talk: Talk) -> None:
    if talk.reader is not None:
        async with talk.deps.database.write() as session:
            await subscribers.unfollow_all(session, talk.reader.id)
    await answer(talk, talk.say("You follow nothing now."), buttons=browse_button(talk))


async def _explain_not_followed(talk: Talk, scope: Scope, followed: Iterable[Scope]) -> None:
    wider = [each for each in _wider(talk, scope) if each in followed]
    text = talk.say("You do not follow: {name}", name=full_name(talk, scope))
    if wider:
        text = Html(f"{text}\n{talk.say('It comes with: {name}', name=talk.name_of(wider[0]))}")
    rows = [[_unfollow_button(talk, each)] for each in wider]
    await answer(talk, text, buttons=keyboard([*rows, [button(_my_text(talk), "my", 0)]]))


def _wider(talk: Talk, scope: Scope) -> list[Scope]:
    """The scopes that contain ``scope``, nearest first."""
    network = network_scope(NetworkId(scope.partition("/")[0]))
    levels = [level_of(talk, scope), network, ALL] if scope != ALL else []
    return [each for each in levels if each != scope]


async def unfollowed_answer(talk: Talk, scopes: Sequence[Scope]) -> tuple[Html, InlineKeyboardMarkup | None]:
    """Unfollow ``scopes``, and say so with a way back."""
    removed = False
    if talk.reader is not None:
        async with talk.deps.database.write() as session:
            for scope in scopes:
                removed = await subscribers.unfollow(session, talk.reader.id, scope) or removed
    name = full_name(talk, scopes[0])
    if removed:
        text = talk.say("You no longer follow: {name}", name=name)
    else:
        text = talk.say("You do not follow: {name}", name=name)
    again = talk.translator.text("Follow again")
    rows = [[button(f"↩ {again}", "follow", scope_token(scope)) for scope in scopes[:1]]]
    return text, keyboard([*rows, [button(_my_text(talk), "my", 0)]])


async def press_follow(talk: Talk, press: Press) -> str | None:
    """Follow from an answer's button; the answer changes in place."""
    scope = await _pressed_scope(talk, press)
    if scope is None:
        return stale(talk)
    if not await may_change(talk):
        return Alert(refusal(talk))
    text, buttons = await followed_answer(talk, [scope])
    await show(talk, text, buttons=buttons)
    return None


async def press_unfollow(talk: Talk, press: Press) -> str | None:
    """Undo a follow; the answer changes in place."""
    scope = await _pressed_scope(talk, press)
    if scope is None:
        return stale(talk)
    if not await may_change(talk):
        return Alert(refusal(talk))
    text, buttons = await unfollowed_answer(talk, [scope])
    await show(talk, text, buttons=buttons)
    return None


async def _pressed_scope(talk: Talk, press: Press) -> Scope | None:
    """The scope a button means: one of the networks', or one the reader follows (a source)."""
    known = scope_of_token(press.args[0], all_scopes(talk.deps.networks))
    return known or scope_of_token(press.args[0], await followed_by(talk))


async def my(talk: Talk) -> None:
    """Answer ``/my``: what the reader follows, each with a button that ends it."""
    await _show_my(talk, page=0)


async def press_my(talk: Talk, press: Press) -> str | None:
    """Open a page of the list."""
    await _show_my(talk, page=press.page())
    return None


async def press_drop(talk: Talk, press: Press) -> str | None:
    """Unfollow in the list, and redraw it."""
    scope = scope_of_token(press.args[0], await followed_by(talk))
    if not await may_change(talk):
        return Alert(refusal(talk))
    note = None
    if scope is not None and talk.reader is not None:
        async with talk.deps.database.write() as session:
            await subscribers.unfollow(session, talk.reader.id, scope)
        note = talk.translator.text("You no longer follow: {name}", name=talk.name_of(scope))
    await _show_my(talk, page=press.page())
    return note


async def _show_my(talk: Talk, *, page: int) -> None:
    followed = sorted(await followed_by(talk), key=lambda scope: (scope.count("/"), talk.name_of(scope)))
    more = button(f"➕ {talk.translator.text('Add')}", "browse", ALL, 0)
    if not followed:
        await show(
            talk,
            talk.say("You follow nothing yet. Choose what you would like to read:"),
            buttons=keyboard([[more]]),
        )
        return
    shown = page_of(len(followed), number=page, size=_MY_A_PAGE)
    listed = followed[shown.start : shown.end]
    head = say_plural(talk.translator, "You follow {n} place:", "You follow {n} places:", len(followed))
    lines = [f"• {escape(bullet(talk.translator, full_name(talk, scope)))}" for scope in listed]
    drops = [button(f"✕ {talk.name_of(scope)}", "drop", scope_token(scope), shown.number) for scope in listed]
    rows = [*in_columns(drops, 2), page_buttons(shown, "my"), [more]]
    await show(talk, Html("\n".join([f"<b>{head}</b>", *lines])), buttons=keyboard(rows))


def choices(talk: Talk, scopes: Iterable[Scope]) -> InlineKeyboardMarkup | None:
    """A button per place that may be meant."""
    return keyboard([[button(full_name(talk, each), "follow", scope_token(each))] for each in scopes])


def full_name(talk: Talk, scope: Scope) -> str:
    """A scope with the network it belongs to: "Penza Oblast (Regional network)"."""
    network, _, rest = scope.partition("/")
    if not rest or NetworkId(network) not in talk.deps.networks.networks:
        return talk.name_of(scope)
    return f"{talk.name_of(scope)} ({talk.deps.networks.networks[NetworkId(network)].title(talk.language)})"


def not_found(talk: Talk, words: str) -> Html:
    """What a reader hears when a place is unknown."""
    return talk.say("I do not know “{words}”. Look it up in the list:", words=words[:60])


def browse_button(talk: Talk) -> InlineKeyboardMarkup | None:
    """The way to the browser."""
    return keyboard([[button(talk.translator.text("Browse"), "browse", ALL, 0)]])


def _my_button(talk: Talk) -> InlineKeyboardMarkup | None:
    return keyboard([[button(_my_text(talk), "my", 0)]])


def _my_text(talk: Talk) -> str:
    return talk.translator.text("My subscriptions")


def _unfollow_button(talk: Talk, scope: Scope) -> InlineKeyboardButton:
    return button(
        talk.translator.text("Unfollow: {name}", name=talk.name_of(scope)), "unfollow", scope_token(scope)
    )


def _already(talk: Talk, name: str) -> Html:
    return talk.say("You already follow: {name}", name=name)

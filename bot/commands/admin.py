"""For admins: the health of sources and of the whole; pausing and resuming a source."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches

from telegram import InlineKeyboardMarkup

from bot.commands.reply import answer, show
from bot.commands.talk import Talk
from bot.keyboards import Press, keyboard, page_buttons, page_of
from bot.messages import format_when
from bot.text import (
    MESSAGE_LIMIT,
    Html,
    cut_words,
    defang,
    escape,
    isolate,
    mark,
    say_plural,
    tidy,
    visible_length,
)
from feeds.model import SourceId
from feeds.networks import ALL
from storage import items, outbox, sources, subscribers
from storage.sources import SourceHealth

_SOURCES_A_PAGE = 8
_ERROR_LIMIT = 160
_FAILING_SHOWN = 10

_SIGNS = {"active": "🟢", "new": "⚪", "paused": "⏸", "failing": "🔴", "gone": "⚫"}
_STATES = {
    "active": mark("works"),
    "new": mark("not polled yet"),
    "paused": mark("paused"),
    "failing": mark("fails"),
    "gone": mark("gone for good"),
}


async def list_sources(talk: Talk) -> None:
    """Answer ``/sources``: every source with its health, failing ones first."""
    await _show_sources(talk, page=0)


async def press_sources(talk: Talk, press: Press) -> str | None:
    """Open a page of the sources."""
    await _show_sources(talk, page=press.page())
    return None


async def _show_sources(talk: Talk, *, page: int) -> None:
    async with talk.deps.database.read() as session:
        cards = await sources.health(session)
    if not cards:
        await show(talk, talk.say("No sources are configured."))
        return
    shown = page_of(len(cards), number=page, size=_SOURCES_A_PAGE)
    head = say_plural(talk.translator, "{n} source", "{n} sources", len(cards))
    text = Html(f"<b>{head}</b>")
    for card in cards[shown.start : shown.end]:
        longer = Html(f"{text}\n\n{_card(talk, card)}")
        if visible_length(longer) <= MESSAGE_LIMIT:
            text = longer
    await show(talk, text, buttons=_pages(talk, shown.number, len(cards)))


def _pages(_talk: Talk, number: int, total: int) -> InlineKeyboardMarkup | None:
    return keyboard([page_buttons(page_of(total, number=number, size=_SOURCES_A_PAGE), "sources")])


def _card(talk: Talk, card: SourceHealth) -> Html:
    state = talk.say(_STATES[card.state]) if card.state in _STATES else escape(card.state)
    lines = [
        Html(f"{_SIGNS.get(card.state, '·')} <b>{_plain(talk, card.source.id)}</b>: {state}"),
        _plain(talk, card.source.title or card.source.url),
        say_plural(talk.translator, "{n} news item", "{n} news items", card.items),
    ]
    if card.last_success_at:
        when = format_when(card.last_success_at, translator=talk.translator, timezone=talk.timezone)
        lines.append(talk.say("Last success: {when}", when=when))
    if card.last_error and card.state in {"failing", "gone"}:
        lines.append(_plain(talk, card.last_error))
        lines.append(
            say_plural(talk.translator, "{n} failure in a row", "{n} failures in a row", card.failures)
        )
    return Html("\n".join(lines))


def _plain(talk: Talk, text: str) -> Html:
    return escape(isolate(defang(cut_words(tidy(text), _ERROR_LIMIT)), rtl=talk.translator.is_rtl))


async def pause_source(talk: Talk) -> None:
    """Answer ``/pause ID``: stop polling a source until it is resumed."""
    await _set_enabled(talk, enabled=False)


async def resume_source(talk: Talk) -> None:
    """Answer ``/resume ID``: poll a source again."""
    await _set_enabled(talk, enabled=True)


async def _set_enabled(talk: Talk, *, enabled: bool) -> None:
    source_id = SourceId(talk.args)
    async with talk.deps.database.write() as session:
        known = [each.id for each in await sources.all_sources(session)]
        if source_id in known:
            await sources.set_enabled(session, source_id, enabled=enabled)
    if source_id not in known:
        await _ask_for_source(talk, known)
    elif enabled:
        await answer(talk, talk.say("Resumed: {name}", name=source_id))
    else:
        await answer(talk, talk.say("Paused: {name}", name=source_id))


async def _ask_for_source(talk: Talk, known: list[SourceId]) -> None:
    near = get_close_matches(talk.args, known, n=3, cutoff=0.5) if talk.args else []
    text = talk.say("Write the id of a source after the command; all are in /sources.")
    if near:
        text = Html(f"{text}\n{talk.say('Did you mean: {names}?', names=', '.join(near))}")
    await answer(talk, text)


async def health(talk: Talk) -> None:
    """Answer ``/health``: what waits, what fails, how much there is."""
    since = talk.now - timedelta(days=1)
    async with talk.deps.database.read() as session:
        cards = await sources.health(session)
        queue = await outbox.counts(session)
        chats = await outbox.waiting_chats(session)
        readers = await subscribers.counts(session)
        total = await items.total(session)
        today = (await items.counts(session, since=since)).get(ALL, 0)
    failing = [card for card in cards if card.state in {"failing", "gone"}]
    say = talk.say
    lines = [
        Html(f"<b>{say('Health')}</b>"),
        say("Sources: {total}, failing: {failing}", total=len(cards), failing=len(failing)),
        say("News: {total}, in the last day: {today}", total=total, today=today),
        say(
            "Subscribers: {active} active, {paused} paused; subscriptions: {number}",
            active=readers.active,
            paused=readers.paused,
            number=readers.subscriptions,
        ),
        say(
            "Queue: {queued} waiting in {chats} chats, {sending} being sent",
            queued=queue.get("queued", 0),
            chats=chats,
            sending=queue.get("sending", 0),
        ),
        say(
            "Sent: {sent}, unknown: {unknown}, failed: {failed}, skipped: {skipped}",
            sent=queue.get("sent", 0),
            unknown=queue.get("unknown", 0),
            failed=queue.get("failed", 0),
            skipped=queue.get("skipped", 0),
        ),
    ]
    lines += [
        Html(f"{_SIGNS[each.state]} {_plain(talk, each.source.id)}: {_plain(talk, each.last_error)}")
        for each in failing[:_FAILING_SHOWN]
    ]
    await answer(talk, Html("\n".join(lines)))

"""Why a news item is here: the subscriptions it fits, and the words, rules and places behind its labels."""

from __future__ import annotations

from telegram import Message, MessageEntity

from bot.commands.browse import followed_by
from bot.commands.follow import full_name
from bot.commands.read import newest_stories
from bot.commands.reply import answer
from bot.commands.talk import Alert, Talk
from bot.keyboards import Press, parse_press
from bot.messages import headline, news_message, source_name
from bot.text import Html, escape, isolate, mark, tidy
from feeds.model import Evidence, Item, ItemId, RegionCode
from feeds.networks import ALL
from feeds.urls import absolute_url, canonical_url
from storage import items, outbox

_EVIDENCE_SHOWN = 8

_WHERE = {
    "title": mark("in the title"),
    "lead": mark("in the first lines"),
    "body": mark("in the text"),
    "dateline": mark("in the dateline"),
    "section": mark("section of the page"),
    "source": mark("set for the source"),
    "url": mark("in the address"),
}


async def why(talk: Talk) -> None:
    """Answer ``/why``: to a reply about that news, else about the newest of what the reader follows."""
    item = await item_spoken_of(talk)
    if item is None and not (talk.message and talk.message.reply_to_message):
        newest = await newest_stories(talk, await followed_by(talk) or {ALL})
        item = newest[0] if newest else None
    if item is None:
        await answer(talk, talk.say("Reply to a news message with /why, and I will explain why you got it."))
        return
    title = headline(item, translator=talk.translator, base_url=talk.deps.base_url, limit=200)
    await answer(talk, Html(f"<b>{title}</b>\n\n{await _reasons(talk, item)}"))


async def press_why(talk: Talk, press: Press) -> str | None:
    """Explain a news message: in a few words above the chat; all of it is said by ``/why``."""
    async with talk.deps.database.read() as session:
        item = await items.by_id(session, ItemId(int(press.args[0])))
    if item is None:
        return forgotten(talk)
    lines = [_subject(talk, each) + ": " + _reason(talk, each) for each in _telling(talk, item)[:3]]
    return Alert(". ".join(lines) or talk.translator.text("Every reader of all news gets it."))


async def item_spoken_of(talk: Talk) -> Item | None:
    """The item a message replies to, forwards or links to."""
    message = talk.message
    if message is None:
        return None
    async with talk.deps.database.read() as session:
        spoken = message.reply_to_message
        if spoken is not None:
            item_id = _item_of_buttons(spoken) or await outbox.item_of_message(
                session, chat_id=talk.chat.id, message_id=spoken.message_id
            )
            if item_id is not None:
                return await items.by_id(session, item_id)
        for url in [*_links(message), *(_links(spoken) if spoken else [])]:
            found = await items.by_url(session, canonical_url(url))
            if found is not None:
                return found
    return None


def _item_of_buttons(message: Message) -> ItemId | None:
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    pressed = (parse_press(b.callback_data) for row in rows for b in row if isinstance(b.callback_data, str))
    return next((ItemId(int(each.args[0])) for each in pressed if each and each.verb == "why"), None)


def _links(message: Message) -> list[str]:
    kinds: list[str | None] = [MessageEntity.URL, MessageEntity.TEXT_LINK]
    found = message.parse_entities(kinds) | message.parse_caption_entities(kinds)
    addresses = (entity.url or text for entity, text in found.items())
    with_scheme = (each if "://" in each else f"https://{each}" for each in addresses)
    return [url for url in map(absolute_url, with_scheme) if url][:5]


async def answer_linked(talk: Talk) -> bool:
    """Answer a forwarded item or a link with the news it is; ``False`` when we do not hold it."""
    item = await item_spoken_of(talk)
    if item is None:
        return False
    async with talk.deps.database.read() as session:
        siblings = await items.of_story(session, item.story_id)
    message = news_message(
        item,
        translator=talk.translator,
        timezone=talk.timezone,
        networks=talk.deps.networks,
        base_url=talk.deps.base_url,
        siblings=siblings,
    )
    await answer(talk, message.text, buttons=message.keyboard, preview=message.link_preview)
    return True


async def _reasons(talk: Talk, item: Item) -> Html:
    """Which of the reader's subscriptions the item fits, and the evidence for its labels."""
    scopes = talk.deps.networks.scopes_of(item.networks, item.regions, item.source_id)
    followed = await followed_by(talk)
    fitting = [full_name(talk, each) for each in scopes if each in followed]
    lines = []
    if fitting:
        names = "; ".join(isolate(name, rtl=talk.translator.is_rtl) for name in fitting)
        lines.append(talk.say("You follow: {names}", names=Html(escape(names))))
    told = _telling(talk, item)[:_EVIDENCE_SHOWN]
    lines += [Html(f"▪ {escape(_subject(talk, each))}: {escape(_reason(talk, each))}") for each in told]
    if not told:
        lines.append(talk.say("It has no network and no place: only readers of all news get it."))
    lines.append(talk.say("Source: {name}", name=source_name(item)))
    return Html("\n".join(lines))


def _telling(talk: Talk, item: Item) -> list[Evidence]:
    """Evidence for the labels the item really has, heaviest first, one line per reason."""
    labels = {*item.regions, *(f"network:{each}" for each in item.networks)}
    kept = [each for each in item.evidence if each.code in labels]
    unique = {(e.code, e.words.casefold(), e.where): e for e in sorted(kept, key=lambda e: e.weight)}
    return sorted(unique.values(), key=lambda e: -e.weight)


def _subject(talk: Talk, evidence: Evidence) -> str:
    networks = talk.deps.networks
    network = evidence.code.removeprefix("network:")
    for each in networks.networks.values():
        if each.id == network:
            return isolate(tidy(each.title(talk.language)), rtl=talk.translator.is_rtl)
    region = networks.catalogue.regions.get(RegionCode(evidence.code))
    return isolate(region.name(talk.language) if region else evidence.code, rtl=talk.translator.is_rtl)


def _reason(talk: Talk, evidence: Evidence) -> str:
    words = isolate(tidy(evidence.words)[:60], rtl=talk.translator.is_rtl)
    where = talk.translator.text(_WHERE[evidence.where]) if evidence.where in _WHERE else evidence.where
    return talk.translator.text("“{words}”, {where}", words=words, where=where) if words else where


def forgotten(talk: Talk) -> Alert:
    """What a button of a news message says when the item is gone."""
    return Alert(talk.translator.text("I no longer have this news item."))

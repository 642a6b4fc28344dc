"""What belongs to the reader: taking the subscriptions along, and deleting everything."""

from __future__ import annotations

import json

from telegram import InputFile

from bot.commands.browse import followed_by
from bot.commands.follow import full_name
from bot.commands.reply import answer, show
from bot.commands.talk import Alert, Talk, may_change, refusal
from bot.keyboards import Press, button, keyboard
from bot.text import escape
from feeds.model import NetworkId
from feeds.networks import Scope, region_scope
from feeds.regions import DistrictId
from feeds.render import Outline, render_opml
from storage import sources, subscribers


async def export(talk: Talk) -> None:
    """Answer ``/export``: the subscriptions as OPML for a feed reader, and as JSON."""
    followed = sorted(await followed_by(talk))
    if not followed:
        await answer(talk, talk.say("You follow nothing yet, so there is nothing to export."))
        return
    title = talk.translator.text("My subscriptions")
    opml = render_opml(title, await _outlines(talk, followed), modified=talk.now)
    await _send_file(talk, "vestnik.opml", opml, talk.say("Open this file in a feed reader."))
    await _send_file(talk, "vestnik.json", _as_json(talk, followed), None)


async def _send_file(talk: Talk, name: str, body: bytes, caption: str | None) -> None:
    await talk.bot.send_document(
        talk.chat.id,
        InputFile(body, filename=name),
        caption=caption,
        parse_mode="HTML",
        message_thread_id=talk.thread_id or None,
    )


async def _outlines(talk: Talk, followed: list[Scope]) -> list[Outline]:
    """A feed per scope; a district has no feed of its own and becomes a group of its regions' feeds."""
    async with talk.deps.database.read() as session:
        urls = {each.id: each.url for each in await sources.all_sources(session)}
    found = []
    for scope in followed:
        network, _, rest = scope.partition("/")
        if scope.startswith("source:"):
            url = next((url for name, url in urls.items() if scope == f"source:{name}"), "")
            found += [Outline(title=scope.removeprefix("source:"), feed=url, page=url)] if url else []
        elif rest.startswith("district:"):
            regions = talk.deps.networks.catalogue.expand(DistrictId(rest.removeprefix("district:")))
            listed = set(talk.deps.networks.networks[NetworkId(network)].regions)
            inside = [region_scope(NetworkId(network), code) for code in regions if code in listed]
            children = tuple(_outline(talk, each) for each in inside)
            found.append(Outline(title=full_name(talk, scope), children=children))
        else:
            found.append(_outline(talk, scope))
    return found


def _outline(talk: Talk, scope: Scope) -> Outline:
    base = talk.deps.base_url
    network, _, code = scope.partition("/")
    page = "" if scope == "all" else f"{network}/{code}"
    return Outline(
        title=full_name(talk, scope),
        feed=f"{base}/feeds/all/{scope}.rss",
        page=f"{base}/{talk.language}/{page}",
    )


def _as_json(talk: Talk, followed: list[Scope]) -> bytes:
    """All we know about the chat but what was sent to it."""
    reader = talk.reader
    told = {
        "exported": talk.now.isoformat(),
        "language": talk.language,
        "timezone": talk.timezone,
        "since": reader.created_at.isoformat() if reader else None,
        "following": [{"scope": scope, "name": full_name(talk, scope)} for scope in followed],
    }
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


async def forget(talk: Talk) -> None:
    """Answer ``/forget``: ask before deleting."""
    if not await may_change(talk):
        await answer(talk, escape(refusal(talk)))
        return
    await _ask(talk)


async def _ask(talk: Talk) -> None:
    rows = [
        [button(talk.translator.text("Yes, delete everything"), "forget", "yes")],
        [button(talk.translator.text("No, keep it"), "forget", "no")],
    ]
    text = talk.say("Delete your subscriptions, settings and history here? This cannot be undone.")
    await show(talk, text, buttons=keyboard(rows))


async def press_forget(talk: Talk, press: Press) -> str | None:
    """Ask, delete, or leave everything as it is."""
    if not await may_change(talk):
        return Alert(refusal(talk))
    if press.args[0] == "ask":
        await _ask(talk)
    elif press.args[0] == "no":
        await show(talk, talk.say("Nothing was deleted."))
    else:
        async with talk.deps.database.write() as session:
            await subscribers.forget(session, chat_id=talk.chat.id, thread_id=talk.thread_id)
        await show(talk, talk.say("Everything is deleted. If you come back: /start"))
    return None

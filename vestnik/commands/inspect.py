"""``explain``, ``config``, ``subscribers``: looking into what Vestnik knows and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import Item, ItemId
from feeds.urls import canonical_url
from storage import items, outbox, subscribers
from vestnik.config import Configuration
from vestnik.context import open_storage
from vestnik.errors import Failed
from vestnik.settings import Settings
from vestnik.terminal import AsJson, configuration, errors, out, print_json, run_async, table

config_app = typer.Typer(help="The configuration.", no_args_is_help=True)
subscribers_app = typer.Typer(help="Who reads us in Telegram.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    app.command()(explain)


def explain(
    target: Annotated[str, typer.Argument(metavar="ITEM_OR_URL", help="An item's number or address.")],
    as_json: AsJson = False,
) -> None:
    """Tell where an item came from, why it is labelled so, and who got it."""
    config = configuration()
    story = run_async(lambda: _story(config, target))
    if story is None:
        raise Failed(f"no item {target!r}. Give the number from its page, or the address of the news.")
    item, siblings, traces = story
    if as_json:
        print_json(
            _plain(item)
            | {"story": [each.id for each in siblings], "deliveries": [asdict(t) for t in traces]}
        )
        return
    _print_item(item, siblings)
    rows = [(e.code, e.words, e.where, f"{e.weight:+.2f}", e.rule) for e in item.evidence]
    table("Why it is labelled so", ("code", "words", "where", "weight", "rule"), rows)
    deliveries = [
        (t.chat_id, t.state, t.reason or t.detail, t.attempts, t.finished_at or t.created_at) for t in traces
    ]
    table("Who got it", ("chat", "state", "reason", "attempts", "at"), deliveries)
    if not traces:
        out.print("Nobody: when it was stored, no active subscriber followed any of its scopes,")
        out.print("or its source was seen for the first time (then nothing is pushed).")


async def _story(config: Configuration, target: str) -> tuple[Item, list[Item], list[outbox.Trace]] | None:
    async with open_storage(config, declare=False) as opened, opened.database.read() as session:
        item = await _find(session, target)
        if item is None:
            return None
        siblings = await items.of_story(session, item.story_id)
        return item, siblings, await outbox.of_story(session, item.story_id)


async def _find(session: AsyncSession, target: str) -> Item | None:
    if target.isdecimal():
        return await items.by_id(session, ItemId(int(target)))
    canonical = canonical_url(target)
    return await items.by_url(session, canonical) if canonical else None


def _plain(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "url": item.url,
        "source": item.source_id,
        "language": item.language,
        "published": item.published,
        "has_date": item.has_date,
        "first_seen": item.first_seen,
        "updated": item.updated,
        "section": item.section,
        "networks": list(item.networks),
        "regions": list(item.regions),
        "mentions": list(item.mentions),
        "confidence": item.confidence,
        "evidence": [asdict(each) for each in item.evidence],
    }


def _print_item(item: Item, siblings: list[Item]) -> None:
    lines = {
        "title": item.title,
        "address": item.url or "none",
        "source": f"{item.source_id} ({item.source_title}, {item.source_url})",
        "section": item.section or "none",
        "published": item.published if item.has_date else f"not said; first seen {item.first_seen}",
        "networks": ", ".join(item.networks) or "none",
        "regions": ", ".join(item.regions) or "none",
        "mentions": ", ".join(item.mentions) or "none",
        "confidence": f"{item.confidence:.2f}",
        "same story": ", ".join(str(each.id) for each in siblings if each.id != item.id) or "told once",
    }
    for name, value in lines.items():
        out.print(f"{name:>10}  {value}", markup=False)


@config_app.command()
def check(as_json: AsJson = False) -> None:
    """Check the configuration; tells every mistake with file, line and key. Exit code 2 if there are any."""
    config = configuration()
    counts = {
        "networks": len(config.networks.networks),
        "regions": len({code for each in config.networks.networks.values() for code in each.regions}),
        "sources": len(config.sources),
        "admins": len(config.settings.admins),
    }
    if as_json:
        print_json({"file": str(config.path), "ok": True, **counts})
        return
    out.print(
        f"{config.path} is right: {', '.join(f'{n} {name}' for name, n in counts.items())}.", markup=False
    )
    if not config.token:
        errors.print("There is no bot token: 'vestnik run' does everything but Telegram.", markup=False)


@config_app.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml, for completion in editors."""
    print(json.dumps(Settings.model_json_schema(), ensure_ascii=False, indent=2))  # noqa: T201 - the answer itself


@subscribers_app.command()
def stats(as_json: AsJson = False) -> None:
    """Count subscribers and what waits for them; never whose they are."""
    config = configuration()

    async def work() -> tuple[subscribers.SubscriberCounts, dict[str, int]]:
        async with open_storage(config, declare=False) as opened, opened.database.read() as session:
            return await subscribers.counts(session), await outbox.counts(session)

    found, queue = run_async(work)
    if as_json:
        print_json(asdict(found) | {"outbox": queue})
        return
    rows = [("active", found.active), ("paused", found.paused), ("subscriptions", found.subscriptions)]
    rows += [(f"paused: {reason}", n) for reason, n in found.paused_by_reason.items()]
    rows += [(f"language {code}", n) for code, n in found.by_language.items()]
    rows += [(f"outbox {state}", n) for state, n in sorted(queue.items())]
    table("Subscribers", ("what", "how many"), rows)

"""``sources``: list, add, test, pause, resume, remove, import, export."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import yaml

from feeds.classify import ClassifyRequest
from feeds.errors import ParseError
from feeds.fetch import Fetched, FetchRequest, NotModified
from feeds.model import (
    Document,
    DocumentKind,
    LanguageCode,
    NetworkId,
    RegionCode,
    Source,
    SourceId,
    SourceKind,
)
from feeds.opml import parse_opml
from feeds.parse import parse_document
from feeds.urls import canonical_url
from storage import sources as stored
from vestnik.config import Configuration
from vestnik.context import make_classifier, make_fetcher, open_storage, utc_now
from vestnik.durations import format_duration
from vestnik.errors import BadSetup, Failed
from vestnik.terminal import AsJson, configuration, errors, out, print_json, run_async, table

app = typer.Typer(help="The addresses Vestnik polls.", no_args_is_help=True)

#: Entries shown by a preview.
_SHOWN = 10


@app.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List all sources with their health."""
    config = configuration()
    cards = run_async(lambda: _health(config))
    if as_json:
        print_json([_plain(card) for card in cards])
        return
    rows = [
        (c.source.id, c.state, c.items, _when(c.last_success_at), c.last_error or c.next_poll_reason)
        for c in cards
    ]
    table("Sources", ("id", "state", "items", "last success", "remark"), rows)


async def _health(config: Configuration) -> list[stored.SourceHealth]:
    async with open_storage(config) as opened, opened.database.read() as session:
        return await stored.health(session)


def _plain(card: stored.SourceHealth) -> dict[str, object]:
    source = card.source
    return {
        "id": source.id,
        "url": source.url,
        "title": source.title,
        "kind": source.kind.value,
        "state": card.state,
        "items": card.items,
        "newest_item_at": card.newest_item_at,
        "last_poll_at": card.last_poll_at,
        "last_success_at": card.last_success_at,
        "last_status": card.last_status,
        "last_error": card.last_error,
        "failures": card.failures,
        "next_poll_at": card.next_poll_at,
        "next_poll_reason": card.next_poll_reason,
    }


def _when(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if value else "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an address turned out to be."""

    url: str
    document: Document
    #: Address of a feed the page announces; better than reading the page.
    feed: str | None


async def look(config: Configuration, source: Source) -> Preview:
    """Fetch and read an address. Raises :class:`Failed` in words for the admin."""
    async with make_fetcher(config) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(url=source.url))
    if isinstance(outcome, NotModified) or not isinstance(outcome, Fetched):
        raise Failed(f"{source.url}: {getattr(outcome, 'detail', 'nothing came')}.")
    try:
        document = parse_document(
            outcome.body,
            url=outcome.exchange.final_url,
            content_type=outcome.content_type,
            kind=source.kind,
            language=source.language,
            timezone=source.timezone,
            selectors=source.selectors,
            now=utc_now(),
        )
    except ParseError as error:
        raise Failed(f"{source.url}: {error.detail}.") from error
    is_page = document.kind is DocumentKind.LIST
    return Preview(
        url=source.url, document=document, feed=document.feeds[0] if is_page and document.feeds else None
    )


@app.command()
def test(
    target: Annotated[str, typer.Argument(metavar="ID_OR_URL", help="A known source, or any address.")],
    as_json: AsJson = False,
) -> None:
    """Show what would be stored from a source, and why; stores nothing."""
    config = configuration()
    source = _find(config, target)
    preview = run_async(lambda: look(config, source))
    rows = _labelled(config, source, preview)
    if as_json:
        print_json(
            {"url": preview.url, "kind": preview.document.kind.value, "feed": preview.feed, "items": rows}
        )
        return
    shown = [
        (r["published"] or "", r["title"], r["network"], ", ".join(r["regions"]), r["why"]) for r in rows
    ]
    title = f"{preview.document.title or preview.url} ({preview.document.kind.value}, {len(rows)} items)"
    table(title, ("date", "title", "network", "regions", "because"), shown[:_SHOWN])
    if preview.feed:
        out.print(f"The page announces a feed, which is steadier: {preview.feed}", markup=False)


def _find(config: Configuration, target: str) -> Source:
    if target.startswith(("http://", "https://")):
        return Source(id=SourceId("preview"), url=target)
    found = {card.source.id: card.source for card in run_async(lambda: _health(config))}
    if SourceId(target) not in found:
        raise BadSetup(
            f"there is no source {target!r}. 'vestnik sources list' shows them; or give an address."
        )
    return found[SourceId(target)]


def _labelled(config: Configuration, source: Source, preview: Preview) -> list[dict[str, Any]]:
    classifier = make_classifier(config)
    rows: list[dict[str, Any]] = []
    for entry in preview.document.main_entries:
        found = classifier.classify(
            ClassifyRequest(
                title=entry.title,
                text=entry.summary,
                language=entry.language or source.language or preview.document.language,
                url=entry.url,
                section=entry.section,
                source_network=source.network,
                source_region=source.region,
                sections=source.sections,
            )
        )
        reasons = sorted(found.evidence, key=lambda each: -each.weight)[:2]
        rows.append(
            {
                "title": entry.title,
                "url": entry.url,
                "published": entry.published.date().isoformat() if entry.published else None,
                "section": entry.section,
                "language": found.language,
                "network": " + ".join(found.networks) or "none",
                "regions": list(found.regions),
                "why": "; ".join(f"{each.words} ({each.where})" for each in reasons),
            }
        )
    return rows


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Address of a feed, or of a page that lists news.")],
    source_id: Annotated[
        str, typer.Option("--id", help="Short name; made from the address by default.")
    ] = "",
    network: Annotated[str, typer.Option("--network", help="Network of all its items.")] = "",
    region: Annotated[str, typer.Option("--region", help="Region code of its items by default.")] = "",
    language: Annotated[str, typer.Option("--language", help="Language of its items, e.g. ru.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="Its time zone, e.g. Asia/Omsk.")] = "UTC",
    as_page: Annotated[
        bool, typer.Option("--page", help="Read the page even if it announces a feed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Add a source: find its feed or list, show what it brings, ask, store."""
    config = configuration()
    source = _new_source(config, url, source_id, network, region, language, timezone)
    preview = run_async(lambda: look(config, source))
    if preview.feed and not as_page:
        errors.print(f"The page announces a feed; taking that: {preview.feed}", markup=False)
        source = _new_source(
            config, preview.feed, source_id or source.id, network, region, language, timezone
        )
        preview = run_async(lambda: look(config, source))
    for row in _labelled(config, source, preview)[:_SHOWN]:
        out.print(f"{row['published'] or 'no date':10}  {row['title']}", markup=False)
    if not preview.document.main_entries:
        errors.print("It has no items at the moment.", markup=False)
    if not yes and not typer.confirm(f"Add it as {source.id!r}?", err=True):
        raise typer.Exit(1)
    if not run_async(lambda: _add(config, [source])):
        raise Failed(f"the id {source.id!r} is taken; choose another with --id.")
    out.print(f"Added {source.id}. It is polled within a minute while the service runs.", markup=False)


def _new_source(
    config: Configuration, url: str, source_id: str, network: str, region: str, language: str, timezone: str
) -> Source:
    if not url.startswith(("http://", "https://")):
        raise BadSetup(f"{url!r} is no web address; it must begin with http:// or https://.")
    if network and NetworkId(network) not in config.networks.networks:
        known = ", ".join(config.networks.networks)
        raise BadSetup(f"there is no network {network!r}; the configuration has {known}.")
    if region and RegionCode(region) not in config.catalogue.regions:
        raise BadSetup(f"there is no region {region!r}; write an ISO code such as RU-PNZ or MN.")
    return Source(
        id=SourceId(source_id or suggest_id(url)),
        url=url,
        network=NetworkId(network) if network else None,
        region=RegionCode(region) if region else None,
        language=LanguageCode(language) if language else None,
        timezone=timezone,
    )


def suggest_id(url: str) -> str:
    """A short name for an address: ``https://www.lib.example/news/rss`` gives ``lib-example-news-rss``."""
    parts = urlsplit(canonical_url(url) or url)
    words = re.sub(r"[^a-z0-9]+", "-", f"{parts.hostname or ''}{parts.path}".lower().removeprefix("www."))
    return words.strip("-")[:60].rstrip("-") or "source"


async def _add(config: Configuration, new: list[Source]) -> list[SourceId]:
    async with open_storage(config) as opened, opened.database.write() as session:
        return [each.id for each in new if await stored.add(session, each, now=utc_now())]


@app.command()
def pause(source_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Stop polling a source for now."""
    _change(source_id, enabled=False)


@app.command()
def resume(source_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Poll a paused source again."""
    _change(source_id, enabled=True)


def _change(source_id: str, *, enabled: bool) -> None:
    config = configuration()

    async def work() -> bool:
        async with open_storage(config) as opened, opened.database.write() as session:
            return await stored.set_enabled(session, SourceId(source_id), enabled=enabled)

    if not run_async(work):
        raise Failed(f"there is no source {source_id!r}. 'vestnik sources list' shows them.")
    out.print(f"{source_id} {'is polled again' if enabled else 'is paused'}.", markup=False)


@app.command()
def remove(
    source_id: Annotated[str, typer.Argument(metavar="ID")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a source that was added at run time; its items stay."""
    config = configuration()
    if any(each.id == source_id for each in config.sources):
        raise BadSetup(f"{source_id!r} is declared in {config.path}; delete it there, or pause it.")
    if not yes and not typer.confirm(f"Remove {source_id}? Its items stay.", err=True):
        raise typer.Exit(1)

    async def work() -> bool:
        async with open_storage(config) as opened, opened.database.write() as session:
            return await stored.remove(session, SourceId(source_id), now=utc_now())

    if not run_async(work):
        raise Failed(f"there is no source {source_id!r}. 'vestnik sources list' shows them.")
    out.print(f"{source_id} is removed; its items stay.", markup=False)


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML file of another reader.")],
) -> None:
    """Add all feeds of an OPML file; known addresses are left alone."""
    config = configuration()
    try:
        outlines = parse_opml(file.read_bytes(), name=str(file))
    except OSError as error:
        raise Failed(f"{file}: can't be read: {error.strerror}.") from error
    except ParseError as error:
        raise Failed(f"{file}: {error.detail}.") from error
    known = {canonical_url(card.source.url) for card in run_async(lambda: _health(config))}
    fresh = [each for each in outlines if canonical_url(each.feed_url) not in known]
    new = [
        Source(
            id=SourceId(suggest_id(each.feed_url)), url=each.feed_url, title=each.title, kind=SourceKind.FEED
        )
        for each in fresh
    ]
    added = run_async(lambda: _add(config, new))
    out.print(f"{len(added)} added, {len(outlines) - len(added)} known before.", markup=False)


@app.command()
def export() -> None:
    """Print all sources as YAML for config.yaml."""
    config = configuration()
    cards = sorted(run_async(lambda: _health(config)), key=lambda card: card.source.id)
    declared = [_declared(card.source) for card in cards]
    out.print(
        yaml.safe_dump({"sources": declared}, allow_unicode=True, sort_keys=False, width=110), markup=False
    )


def _declared(source: Source) -> dict[str, object]:
    values = {
        "id": str(source.id),
        "url": source.url,
        "kind": source.kind.value if source.kind is not SourceKind.AUTO else None,
        "title": source.title,
        "language": source.language,
        "network": source.network,
        "region": source.region,
        "timezone": source.timezone if source.timezone != "UTC" else None,
        "interval": format_duration(source.interval) if source.interval else None,
        "sections": dict(source.sections),
        "selectors": {k: v for k in source.selectors.__slots__ if (v := getattr(source.selectors, k))},
    }
    chosen = {name: value for name, value in values.items() if value}
    return chosen | ({} if source.enabled else {"enabled": False})

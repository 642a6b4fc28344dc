"""``run``, ``demo``, ``collect``: the program at work."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import SourceId
from storage import sources
from vestnik.app import Role, Service
from vestnik.config import Configuration
from vestnik.context import make_fetcher, make_finder, open_storage, utc_now
from vestnik.demo.run import run_demo
from vestnik.errors import BadSetup, Failed
from vestnik.metrics import Metrics
from vestnik.parsing import ParsingPool
from vestnik.pipeline import PassResult, Pipeline
from vestnik.terminal import AsJson, configuration, errors, print_json, run_async, table


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    app.command()(run)
    app.command()(demo)
    app.command()(collect)


def run(
    role: Annotated[
        str,
        typer.Option(
            "--role", metavar="ROLE[,ROLE]", help="collect, deliver, bot, web; all of them by default."
        ),
    ] = "",
) -> None:
    """Run the service until it is told to stop (SIGTERM, Ctrl-C)."""
    config = configuration()
    roles = _roles(role)
    errors.print(f"vestnik: configuration {config.path}", markup=False)
    run_async(lambda: Service(config, roles).run(on_ready=_tell_ready))


def _tell_ready(address: str) -> None:
    if address:
        errors.print(f"vestnik: ready at {address}", markup=False)


def _roles(text: str) -> list[Role]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in {role.value for role in Role}]
    if unknown:
        raise BadSetup(
            f"--role: there is no role {', '.join(unknown)}; choose from collect, deliver, bot, web."
        )
    return [Role(name) for name in names] or list(Role)


def demo(
    port: Annotated[int, typer.Option("--port", help="Port of the pages; 0 takes any free one.")] = 8080,
) -> None:
    """Show the main job offline: a recorded network site, feeds and pages, a simulated Telegram chat."""
    run_async(lambda: run_demo(port))


def collect(
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; may be repeated.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="All enabled sources, due or not (a host that asked to wait is obeyed)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make one pass over due (or named, or all) sources."""
    config = configuration()
    results = run_async(lambda: _collect(config, source or [], everything=everything))
    failed = [each for each in results if each.error]
    summary = {
        "fetched": sum(each.outcome in {"fetched", "unchanged"} for each in results),
        "not_modified": sum(each.outcome == "not-modified" for each in results),
        "new": sum(each.new for each in results),
        "changed": sum(each.changed for each in results),
        "failed": len(failed),
    }
    if as_json:
        print_json({"summary": summary, "sources": [_plain(each) for each in results]})
    else:
        _print(results, summary)
    if results and len(failed) == len(results):
        raise Failed("no source could be read; see above. Nothing stored before is lost.")


async def _collect(config: Configuration, wanted: list[str], *, everything: bool) -> list[PassResult]:
    pool = ParsingPool()
    try:
        async with open_storage(config) as opened, make_fetcher(config) as fetcher:
            async with opened.database.read() as session:
                ids = await _choose(session, wanted, everything=everything)
                fetcher.pace.restore(await sources.host_waits(session, now=utc_now()))
            pipeline = Pipeline(
                database=opened.database,
                fetcher=fetcher,
                parser=pool,
                finder=make_finder(config),
                min_interval=config.settings.fetch.min_interval,
                clock=utc_now,
                metrics=Metrics(),
            )
            return await _passes(pipeline, ids, config.settings.fetch.concurrency)
    finally:
        await pool.close()


async def _choose(session: AsyncSession, wanted: list[str], *, everything: bool) -> list[SourceId]:
    known = {each.id: each for each in await sources.all_sources(session)}
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise BadSetup(
            f"--source: there is no source {', '.join(unknown)}. 'vestnik sources list' shows them."
        )
    if wanted:
        return [SourceId(each) for each in wanted]
    if everything:
        return [each.id for each in known.values() if each.enabled]
    return await sources.due(session, now=utc_now(), limit=len(known))


async def _passes(pipeline: Pipeline, ids: list[SourceId], concurrency: int) -> list[PassResult]:
    gate = asyncio.Semaphore(concurrency)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        task = progress.add_task("collecting", total=len(ids))

        async def one(source_id: SourceId) -> PassResult:
            async with gate:
                result = await pipeline.collect(source_id)
            progress.advance(task)
            return result

        return list(await asyncio.gather(*(one(each) for each in ids)))


def _plain(result: PassResult) -> dict[str, object]:
    return {name: getattr(result, name) for name in PassResult.__slots__}


def _print(results: list[PassResult], summary: dict[str, int]) -> None:
    rows = [
        (each.source_id, each.outcome, each.new, each.changed, each.error or each.next_poll)
        for each in sorted(results, key=lambda each: (not each.error, each.source_id))
    ]
    if rows:
        table("Sources", ("source", "outcome", "new", "changed", "what is next, or what was wrong"), rows)
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.items())
    errors.print(f"{len(results)} sources: {words}." if results else "No source is due.", markup=False)

"""``export``: everything the web server shows, as files for nginx or a CDN."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from telegram import Bot
from telegram.error import TelegramError

from bot.transport import AiohttpRequest
from feeds.model import LanguageCode
from storage.database import Database, DBAPIError, StorageError, describe_failure
from vestnik.config import Configuration
from vestnik.context import open_storage, utc_now
from vestnik.errors import BadSetup
from vestnik.terminal import AsJson, configuration, errors, out, print_json, run_async
from vestnik.web import WebDeps, build_web
from vestnik.web.export import Exported, Exporter
from vestnik.web.export_folder import ExportFolder, open_folder

#: Telegram's answer is only wanted for a link; nobody should wait long for it, in seconds.
_BOT_NAME_WAIT = 5.0


def register(app: typer.Typer) -> None:
    """Add the command to the program's."""
    app.command()(export)


def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the files go; made if it is not there.")
    ],
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, metavar="N", help="Follow lists N days back; default as far as they go."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write all feeds and pages as static files for nginx or a CDN; again, only what has changed."""
    config = configuration()
    if not config.settings.web.base_url:
        raise BadSetup(
            "web.base_url is empty, so links in feeds and pages would lead nowhere. Set it, or "
            "VESTNIK_WEB__BASE_URL, to the address the files will be served at, e.g. https://news.example.org"
        )
    oldest = utc_now() - timedelta(days=days) if days else None
    try:
        done = run_async(lambda: _export(config, directory, oldest))
    except DBAPIError as error:
        raise StorageError(describe_failure(error, config.settings.storage.url)) from error
    if as_json:
        print_json({"directory": str(directory), **asdict(done)})
        return
    out.print(
        f"{directory}: {done.files} files ({done.bytes / 1e6:.1f} MB, with gzip and br beside each): "
        f"{done.new} new, {done.changed} changed, {done.same} as they were, {done.removed} removed.",
        markup=False,
    )


async def _export(config: Configuration, directory: Path, oldest: datetime | None) -> Exported:
    with open_folder(directory) as folder:
        folder.manifest.bot_username = await _bot_name(config, folder)
        async with open_storage(config, declare=False) as opened:
            app = build_web(_web_deps(config, opened.database, folder.manifest.bot_username))
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
                task = progress.add_task("exporting", total=None)

                def show(done: int, found: int) -> None:
                    progress.update(task, completed=done, total=found)

                return await Exporter(app, folder, oldest=oldest, progress=show).run()


def _web_deps(config: Configuration, database: Database, bot_username: str | None) -> WebDeps:
    web, now = config.settings.web, utc_now()
    return WebDeps(
        database=database,
        networks=config.networks,
        base_url=web.base_url,
        site_title={LanguageCode(code): text for code, text in web.title.items()},
        bot_username=lambda: bot_username,
        clock=lambda: now,  # one moment for all pages
        readiness=dict,
        registry=CollectorRegistry(),
    )


async def _bot_name(config: Configuration, folder: ExportFolder) -> str | None:
    """The bot that "Open in Telegram" leads to: as Telegram says, else as the last export had it."""
    if not config.token:
        return None
    request = AiohttpRequest(read_timeout=_BOT_NAME_WAIT)
    base = f"{config.settings.telegram.api_base_url}/bot"
    try:
        async with Bot(config.token, base_url=base, request=request, get_updates_request=request) as bot:
            return bot.username
    except TelegramError as error:
        known = folder.manifest.bot_username
        # The library's own text may repeat the token: only the kind of error is told.
        errors.print(
            f"Telegram did not tell the bot's name ({type(error).__name__}); pages "
            + (f"keep their links to @{known}." if known else "have no links to Telegram."),
            markup=False,
        )
        return known

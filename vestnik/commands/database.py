"""``db upgrade|check``, ``backup``, ``restore``: the database itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from storage import backup as copies
from storage import check as checks
from storage import migrate
from storage.database import Database
from vestnik.context import in_words, open_storage
from vestnik.errors import Failed
from vestnik.terminal import AsJson, configuration, errors, out, print_json, run_async

app = typer.Typer(help="The database.", no_args_is_help=True)


def register(program: typer.Typer) -> None:
    """Add the commands that stand on their own to the program's."""
    program.command()(backup)
    program.command()(restore)


def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy.")]) -> None:
    """Copy the database while the service runs, and check the copy."""
    url = configuration().settings.storage.url
    with Progress(console=errors, disable=not errors.is_terminal, transient=True) as progress:
        task = progress.add_task("copying", total=None)
        rows = copies.back_up(
            url, file, progress=lambda done, total: progress.update(task, completed=done, total=total)
        )
    out.print(f"{file}: {_rows(rows)}; checked and whole.", markup=False)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy made by 'vestnik backup'.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put a copy in the place of the database; the present one is kept beside it."""
    url = configuration().settings.storage.url
    if not yes and not typer.confirm(f"Replace {copies.database_file(url)} by {file}?", err=True):
        raise typer.Exit(1)
    rows = copies.restore(url, file)
    out.print(
        f"Restored {_rows(rows)}. The former database lies beside it, ending in .before-restore.",
        markup=False,
    )


def _rows(rows: dict[str, int]) -> str:
    return ", ".join(f"{number} {table}" for table, number in rows.items())


@app.command()
def upgrade() -> None:
    """Bring the schema up to date (the service does so by itself at start)."""
    config = configuration()

    async def work() -> tuple[str | None, str]:
        database = Database.open(config.settings.storage.url)
        try:
            with in_words(config.settings.storage.url):
                return await migrate.upgrade(database)
        finally:
            await database.close()

    before, after = run_async(work)
    out.print(
        f"At revision {after}." if before == after else f"Upgraded from {before or 'empty'} to {after}."
    )


@app.command()
def check(as_json: AsJson = False) -> None:
    """Look for damage, orphans and nonsense; exit code 1 when something is found."""
    config = configuration()

    async def work() -> list[str]:
        async with open_storage(config, declare=False) as opened:
            drift = await migrate.differences(opened.database)
            async with opened.database.read() as session:
                return [
                    *(f"schema differs from the program: {each}" for each in drift),
                    *await checks.problems(session),
                ]

    found = run_async(work)
    if as_json:
        print_json({"ok": not found, "problems": found})
    for problem in found if not as_json else ():
        out.print(f"- {problem}", markup=False)
    if found:
        raise Failed(
            f"{len(found)} problem{'s' if len(found) > 1 else ''} found; restore a backup, or report it."
        )
    if not as_json:
        out.print("Nothing wrong found.")

"""``db upgrade|check``: the database itself."""

from __future__ import annotations

import typer

from storage import check as checks
from storage import migrate
from storage.database import Database
from vestnik.context import open_storage
from vestnik.errors import Failed
from vestnik.terminal import AsJson, configuration, out, print_json, run_async

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the schema up to date (the service does so by itself at start)."""
    config = configuration()

    async def work() -> tuple[str | None, str]:
        database = Database.open(config.settings.storage.url)
        try:
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

"""The command line. Exit codes: 0 ok, 1 failed, 2 bad usage or configuration.

Answers go to standard output; logs, progress and mistakes to standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from feeds.errors import FeedsError
from storage.database import StorageError
from vestnik import __version__
from vestnik.commands import answer, database, export, inspect, service, sources
from vestnik.config import ConfigError
from vestnik.errors import BadSetup, Failed
from vestnik.terminal import Options, errors, out

app = typer.Typer(
    name="vestnik",
    help="A multilingual news bot and feed aggregator for institutions with branches.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (service, answer, inspect, database, export):
    part.register(app)
app.add_typer(sources.app, name="sources")
app.add_typer(inspect.config_app, name="config")
app.add_typer(database.app, name="db")
app.add_typer(inspect.subscribers_app, name="subscribers")


def main() -> None:
    """Run the command line; every expected mistake becomes one clear message and an exit code."""
    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            errors.print(f"config: {problem}", markup=False)
        sys.exit(2)
    except BadSetup as error:
        errors.print(f"vestnik: {error}", markup=False)
        sys.exit(2)
    except (Failed, StorageError, FeedsError) as error:
        errors.print(f"vestnik: {error}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(value: bool) -> None:
    if value:
        out.print(f"vestnik {__version__}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Configuration file; default ./config.yaml."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the options that stand before the command."""
    del version
    Options.config_path = config

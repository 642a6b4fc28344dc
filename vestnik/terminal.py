"""What every command shares: reading the configuration, printing, failing in words."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from vestnik.config import Configuration, find_config, load_config
from vestnik.logs import set_up_logs

Value = TypeVar("Value")

errors = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]


class Options:
    """What the options before the command said."""

    config_path: Path | None = None


def configuration() -> Configuration:
    """The configuration this command works with; also sets up logs."""
    config = load_config(find_config(Options.config_path))
    set_up_logs(config.settings.logging.level, config.settings.logging.format)
    return config


def run_async(work: Callable[[], Awaitable[Value]]) -> Value:
    """Run ``work`` in a fresh event loop."""

    async def whole() -> Value:
        return await work()

    return asyncio.run(whole())


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return sorted(value)
    return str(value)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table for people."""
    made = Table(title=title, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(made)

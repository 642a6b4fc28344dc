"""``python -m vestnik.demo.botapi``: the server in a process of its own, for crash tests and benches."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .control import add_control
from .emulator import DEFAULT_TOKEN, Emulator, Mount
from .faults import Chaos, read_script
from .pace import Limits


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vestnik.demo.botapi", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one; it is printed")
    parser.add_argument("--token", default=DEFAULT_TOKEN)
    parser.add_argument(
        "--ledger", type=Path, help="append what readers see to this file, one JSON object a line"
    )
    parser.add_argument("--script", type=Path, help="a JSON list of faults")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random faults")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="share of visible calls that go wrong")
    parser.add_argument("--control", action="store_true", help="serve /control/... to move the people")
    parser.add_argument("--chat", action="store_true", help="serve the chat page at /chat")
    parser.add_argument("--no-limits", action="store_true", help="lift the limits on pace")
    parser.add_argument("--lenient", action="store_true", help="only record parameters nobody documented")
    return parser.parse_args(arguments)


def _make_emulator(options: argparse.Namespace) -> Emulator:
    mounts: list[Mount] = []
    if options.control:
        mounts.append(add_control)
    if options.chat:
        from vestnik.demo.chat import add_chat  # noqa: PLC0415 - the server itself knows no page

        mounts.append(add_chat)
    emulator = Emulator(
        token=options.token,
        host=options.host,
        port=options.port,
        limits=Limits.off() if options.no_limits else Limits(),
        strict=not options.lenient,
        ledger_file=options.ledger,
        mounts=mounts,
    )
    if options.script:
        emulator.faults.add(*read_script(options.script.read_text(encoding="utf-8")))
    if options.fault_rate:
        emulator.faults.chaos = Chaos(seed=options.seed, rate=options.fault_rate)
    return emulator


async def _serve(emulator: Emulator) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with emulator:
        sys.stdout.write(f"{emulator.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the first line on stdout is the base address."""
    try:
        emulator = _make_emulator(_read_arguments(arguments))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"botapi: {error}\n")
        return 2
    try:
        asyncio.run(_serve(emulator))
    except OSError as error:
        sys.stderr.write(f"botapi: cannot listen or write: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

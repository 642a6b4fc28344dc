"""The real program as a process of its own: started, watched, stopped, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import yaml

#: Long enough for two busy cores; nothing waits for it when all is well.
DEADLINE = 40.0


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


async def until(check: Callable[[], Any], *, within: float = DEADLINE, what: str = "") -> Any:
    """The first true value of ``check``; fails with ``what`` when none comes in time."""
    end = time.monotonic() + within
    while not (found := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what or check}")
        await asyncio.sleep(0.03)
    return found


def clean_environment(**values: str) -> dict[str, str]:
    """Our own environment without anybody's settings of the program."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VESTNIK_")}
    return kept | {"PYTHONUNBUFFERED": "1", **values}


class Program:
    """``vestnik --config FILE run`` in a folder of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, token: str) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.config.write_text(yaml.safe_dump(dict(settings), allow_unicode=True), encoding="utf-8")
        self.database = folder / "vestnik.db"
        self.address = str(settings["web"]["base_url"])
        self.environment = clean_environment(**({"VESTNIK_TELEGRAM__TOKEN": token} if token else {}))
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._sessions: list[int] = []

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "not started"
        return self._process

    @property
    def stderr(self) -> str:
        """What the latest run said."""
        return self._log(self.starts).read_text(encoding="utf-8", errors="replace")

    @property
    def all_stderr(self) -> str:
        """What all runs said."""
        return "".join(self._log(n + 1).read_text("utf-8", "replace") for n in range(self.starts))

    def _log(self, number: int) -> Path:
        return self.folder / f"stderr-{number}.log"

    async def start(self, *, ready: bool = True) -> None:
        """Start; waits until it says that it is ready, or only that it runs."""
        self.starts += 1
        with self._log(self.starts).open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "vestnik", "--config", str(self.config), "run",
                stdout=asyncio.subprocess.DEVNULL, stderr=log, env=self.environment, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        self._sessions.append(self.process.pid)
        if ready:
            await until(self._is_ready, what="the program to be ready")

    def _is_ready(self) -> bool:
        assert self.process.returncode is None, f"ended with {self.process.returncode}: {self.stderr}"
        return "vestnik: ready at" in self.stderr

    async def kill(self) -> None:
        """Kill -9: the main process only, as the out-of-memory killer does."""
        self.process.kill()
        await self.process.wait()

    async def stop(self, *, group: bool = False, within: float = 10.0) -> float:
        """SIGTERM, to the whole process group if asked to; returns the seconds it took to end."""
        begun = time.monotonic()
        if group:
            os.killpg(self.process.pid, signal.SIGTERM)
        else:
            self.process.terminate()
        async with asyncio.timeout(within):
            await self.process.wait()
        return time.monotonic() - begun

    async def ended(self, *, within: float = DEADLINE) -> int:
        """Wait for its own end; returns the exit code."""
        async with asyncio.timeout(within):
            return await self.process.wait()

    def left_behind(self) -> list[int]:
        """Processes of this program's sessions that still live (zombies do not)."""
        return [pid for session in self._sessions for pid in processes_of(session)]

    async def clean_up(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        for pid in self.left_behind():
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the database from outside."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise


def processes_of(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(entry.name))
    return found

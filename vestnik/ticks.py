"""The ticks of the service: APScheduler says when, and a tick that fails or is cut short says so in a line.

APScheduler owns nothing else: what is due lives in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)

#: Seconds a tick under way is given at the end; all of them are short.
_GRACE = 2.0


class Ticks:
    """Runs pieces of work again and again, each at most once at a time."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30}
        )
        self._under_way: set[asyncio.Task[None]] = set()
        #: Ticks whose last run met storage in trouble: said once, not at every tick.
        self._in_trouble: set[str] = set()

    def every(
        self, seconds: float, name: str, work: Callable[[], Awaitable[None]], *, at_once: bool = False
    ) -> None:
        """Run ``work`` every so many seconds, the first time at once or after the first interval."""
        first = {"next_run_time": datetime.now(UTC)} if at_once else {}
        self._scheduler.add_job(self._run, "interval", seconds=seconds, args=[name, work], id=name, **first)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin nothing new, and let what is under way finish."""
        self._scheduler.pause()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GRACE)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._scheduler.shutdown(wait=False)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        # A task of our own: the scheduler cancels its jobs when it ends, and reports that as a crash.
        task = asyncio.create_task(self._guarded(name, work), name=f"tick-{name}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])

    async def _guarded(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except DBAPIError as error:
            if name not in self._in_trouble:
                log.error(  # noqa: TRY400 - one line is what an admin can use
                    "tick.storage_failed",
                    tick=name,
                    error=str(error.orig),
                    advice="it goes on by itself once storage works again; nothing stored is lost",
                )
            self._in_trouble.add(name)
        except Exception:
            log.exception("tick.crashed", tick=name)
        else:
            self._in_trouble.discard(name)

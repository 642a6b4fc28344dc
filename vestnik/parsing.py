"""Parsing in worker processes that can be killed.

A hostile document may take for ever or eat all memory; in a worker it costs one worker. The event
loop never parses.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from functools import partial
from typing import Any

from feeds.errors import ParseError
from feeds.model import Document, LanguageCode, Selectors, SourceKind
from feeds.parse import parse_document

#: A 5 MB feed parses in about 0.7 s; whatever takes longer than this is an attack or a bug.
_SECONDS = 15.0
#: The fork server reads the parsers once: a second when idle, many when the machine is busy.
_START_SECONDS = 60.0
#: Address space of a worker; parsing 5 MB needs about 150 MB.
_BYTES = 1 << 30
#: A worker is renewed after this many documents, so that leaks of parsers stay small.
_DOCUMENTS = 2_000


class ParsingPool:
    """Worker processes that parse documents; renewed when one dies or hangs."""

    def __init__(self, workers: int = 2) -> None:
        self._workers = workers
        # A document waits here for a free worker, so that its time counts only while it is read.
        self._gate = asyncio.Semaphore(workers)
        self._alone = asyncio.Lock()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["vestnik.worker"])
        self._pool: ProcessPoolExecutor | None = None
        self._warm: weakref.WeakSet[ProcessPoolExecutor] = weakref.WeakSet()
        self._under_way: set[asyncio.Future[Any]] = set()

    async def parse(
        self,
        body: bytes,
        *,
        url: str,
        content_type: str,
        kind: SourceKind,
        language: LanguageCode | None,
        timezone: str,
        selectors: Selectors,
        now: datetime,
    ) -> Document:
        """:func:`feeds.parse.parse_document` in a worker.

        Raises :class:`ParseError`, also when the document took too long or killed its worker.
        """
        work = partial(
            _parse,
            body,
            url=url,
            content_type=content_type,
            kind=kind,
            language=language,
            timezone=timezone,
            selectors=selectors,
            now=now,
        )
        async with self._gate:
            found = await self._run(work, pool=self._ready(), url=url)
        if found is None:
            # Another document killed the pool, or this one did: alone, it can only harm itself.
            async with self._alone:
                pool = self._new_pool(workers=1)
                found = await self._run(work, pool=pool, url=url)
                self._end(pool)
        if found is None:
            raise ParseError("parse-crash", url, "the document killed its parser; it was given up")
        if isinstance(found, ParseError):
            raise found
        return found

    async def close(self) -> None:
        """End all workers."""
        if self._pool is not None:
            self._end(self._pool)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=2)

    async def _run(
        self, work: Callable[[], Document | ParseError], *, pool: ProcessPoolExecutor, url: str
    ) -> Document | ParseError | None:
        """Run ``work`` in a worker; ``None`` when the worker died."""
        try:
            if pool not in self._warm:
                # Starting takes seconds on a busy machine; that is not the document's fault.
                await asyncio.wait([self._submit(pool, _nothing)], timeout=_START_SECONDS)
                self._warm.add(pool)
            running = self._submit(pool, work)
            # Waiting instead of cancelling: a pool cannot take back what a worker has begun.
            await asyncio.wait([running], timeout=_SECONDS)
            if running.done():
                found: Document | ParseError = running.result()
                return found
        except (BrokenProcessPool, RuntimeError):
            # RuntimeError: somebody else's document ended this pool between our two steps.
            self._end(pool)
            return None
        self._end(pool)
        words = f"took longer than {_SECONDS:.0f} s to read; the document was given up"
        return ParseError("parse-timeout", url, words)

    def _submit(
        self, pool: ProcessPoolExecutor, work: Callable[[], Document | ParseError | None]
    ) -> asyncio.Future[Any]:
        running = asyncio.get_running_loop().run_in_executor(pool, work)
        self._under_way.add(running)
        running.add_done_callback(self._done)
        return running

    def _done(self, running: asyncio.Future[Any]) -> None:
        self._under_way.discard(running)
        if not running.cancelled():
            running.exception()  # looked at, so that nobody complains about one given up

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = self._new_pool(workers=self._workers)
        return self._pool

    def _new_pool(self, *, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=self._context,
            initializer=_prepare_worker,
            max_tasks_per_child=_DOCUMENTS,
        )

    def _end(self, pool: ProcessPoolExecutor) -> None:
        """Kill the workers; documents of others on the same pool end as BrokenProcessPool."""
        if self._pool is pool:
            self._pool = None
        processes = dict(pool._processes or {})  # noqa: SLF001 - the only way to end a hanging worker
        for process in processes.values():
            with contextlib.suppress(OSError):
                process.kill()
        pool.shutdown(wait=False)


def _nothing() -> None:
    """What a fresh worker does first."""


def _parse(
    body: bytes,
    *,
    url: str,
    content_type: str,
    kind: SourceKind,
    language: LanguageCode | None,
    timezone: str,
    selectors: Selectors,
    now: datetime,
) -> Document | ParseError:
    """Parse; hands an error back as a value: it is an expected outcome here."""
    try:
        return parse_document(
            body,
            url=url,
            content_type=content_type,
            kind=kind,
            language=language,
            timezone=timezone,
            selectors=selectors,
            now=now,
        )
    except ParseError as error:
        return error
    except (RecursionError, MemoryError) as error:
        return ParseError(
            "too-complex", url, f"the document is nested or large beyond reason ({type(error).__name__})"
        )


def _prepare_worker() -> None:
    # Ctrl-C goes to the whole group; the parent decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

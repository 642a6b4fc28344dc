"""The web part of the service: uvicorn inside our own event loop, on a socket we bound ourselves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import uvicorn

from feeds.model import LanguageCode
from storage.database import Database
from vestnik.config import Configuration
from vestnik.errors import Failed
from vestnik.metrics import Metrics
from vestnik.web.app import build_web
from vestnik.web.deps import WebDeps

_BACKLOG = 512


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the service stops everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebPart:
    """Serves pages and feeds."""

    def __init__(
        self,
        config: Configuration,
        *,
        database: Database,
        metrics: Metrics,
        bot_username: Callable[[], str | None],
        readiness: Callable[[], Mapping[str, bool | str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = config.settings.web
        self._task: asyncio.Task[None] | None = None
        self.address = ""
        application = build_web(
            WebDeps(
                database=database,
                networks=config.networks,
                base_url=self._settings.base_url,
                site_title={LanguageCode(code): text for code, text in self._settings.title.items()},
                bot_username=bot_username,
                clock=clock,
                readiness=readiness,
                registry=metrics.registry,
            )
        )
        self._server = _Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                backlog=_BACKLOG,
            )
        )

    async def start(self) -> None:
        """Bind and serve. Raises :class:`Failed` when the address can't be had."""
        host, port = self._settings.host, self._settings.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=False)
        except OSError as error:
            raise Failed(
                f"web.host {host}, web.port {port}: can't listen there: {error.strerror or error}. "
                "Stop what uses the port, or choose another with VESTNIK_WEB__PORT."
            ) from error
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else f"[{host}]" if ":" in host else host  # noqa: S104 - only compared
        self.address = f"http://{shown}:{bound.getsockname()[1]}/"
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name="web")
        while not self._server.started:
            if self._task.done():
                raise Failed(f"the web server did not start at {self.address}.")
            await asyncio.sleep(0.01)

    async def stop(self, *, within: float) -> None:
        """Answer what was asked, then close."""
        self._server.should_exit = True
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=within)
            if not done:
                self._server.force_exit = True
                await asyncio.wait([self._task], timeout=1)

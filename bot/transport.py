"""HTTP to the Bot API over aiohttp, telling exactly whether a request may have arrived.

python-telegram-bot's own transport reports a lost connection without saying if the request had
left. Here that is what decides between "try again at once" and "outcome unknown", so every failure
is one of:

* :class:`NotSent`: no byte of the request left us; trying again is safe;
* :class:`OutcomeUnknown`: the request was written, the answer never came;
* :class:`ServerTrouble`: the answer was 5xx, or not the Bot API's at all but that of a proxy on the way.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

#: Connections kept to Telegram; more than the messages in flight at 1 000/s and 50 ms each.
_CONNECTIONS = 64
#: Idle connections are dropped before Telegram drops them: a request written into a connection
#: the server has just closed has an unknown outcome, and that is worth avoiding.
_KEEPALIVE_SECONDS = 10.0
_CONNECT_SECONDS = 10.0


class NotSent(NetworkError):
    """The request never left: connection refused, name not found, connect timeout."""


class OutcomeUnknown(TimedOut):
    """The request was written and no answer came: it may have been carried out."""


class ServerTrouble(NetworkError):
    """The answer was 5xx, or a page of something that stands before the Bot API."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the Bot API server answered {status}")
        self.status = status


class AiohttpRequest(BaseRequest):
    """Bot API requests on one aiohttp session."""

    def __init__(self, *, read_timeout: float = 30.0) -> None:
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds an answer may take when the caller does not say."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the session; does nothing when it is open."""
        if self._session is not None:
            return
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_mark_written)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEPALIVE_SECONDS),
            trace_configs=[trace],
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,  # people behind a proxy reach Telegram only through it
        )

    async def shutdown(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Send one request; returns status and body of any answer below 500."""
        del write_timeout, pool_timeout
        if self._session is None:
            raise NotSent("the transport is closed")
        seconds = self._read_timeout if isinstance(read_timeout, DefaultValue) else read_timeout
        connect = _CONNECT_SECONDS if isinstance(connect_timeout, DefaultValue) else connect_timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, connect=connect, sock_read=seconds)
        written = SimpleNamespace(value=False)
        # One look at the sockets first: a connection the server closed while we were busy is dropped
        # then, instead of swallowing a request whose outcome nobody would know.
        await asyncio.sleep(0)
        try:
            async with self._session.request(
                method,
                url,
                data=_body(request_data),
                timeout=timeout,
                trace_request_ctx=written,
                allow_redirects=False,
                headers={"User-Agent": self.USER_AGENT},
            ) as response:
                body = await response.read()
                if response.status >= 500 or (response.status >= 300 and not _is_json(body)):
                    raise ServerTrouble(response.status)
                return response.status, body
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            if written.value:
                raise OutcomeUnknown(f"no answer from the Bot API server ({words})") from error
            raise NotSent(f"the Bot API server can't be reached ({words})") from error


async def _mark_written(_session: Any, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.value = True


def _is_json(body: bytes) -> bool:
    return body.lstrip().startswith(b"{")


def _body(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, part in request_data.multipart_data.items():
        filename, content, mime_type = part
        form.add_field(name, content, filename=filename, content_type=mime_type)
    return form

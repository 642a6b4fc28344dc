"""The recorded site over HTTP (aiohttp), on loopback, with correct validators (RFC 9110 §13)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from aiohttp import web

from feeds.model import RegionCode
from feeds.regions import load_catalogue
from vestnik.demo.site.content import load_content
from vestnik.demo.site.recorded import RecordedSite, SiteDocument

LOOPBACK = "127.0.0.1"
#: The recorded site behind an application made by :func:`build_site`.
SITE: web.AppKey[RecordedSite] = web.AppKey("site", RecordedSite)
#: Clients may keep pages but must ask whether they changed: the demo publishes by the second.
_CACHE = "no-cache"


def build_site(clock: Callable[[], datetime], *, recorded: RecordedSite | None = None) -> web.Application:
    """An application that serves the recorded site; its state is ``app[SITE]``."""
    app = web.Application()
    app[SITE] = recorded or RecordedSite(load_content(), catalogue=load_catalogue(), clock=clock)
    app.router.add_get("/", _front)
    app.router.add_get("/robots.txt", _robots)
    app.router.add_post("/_demo/publish", _publish)
    app.router.add_get("/{path:.+}", _page)
    return app


@asynccontextmanager
async def serve_site(app: web.Application, *, port: int = 0, host: str = LOOPBACK) -> AsyncIterator[str]:
    """Serve ``app`` while the block runs; gives its address. Port 0 takes a free one.

    Raises :class:`OSError` when the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = f"http://{host}:{runner.addresses[0][1]}"
        app[SITE].address = address
        yield address
    finally:
        await runner.cleanup()


async def _page(request: web.Request) -> web.Response:
    document = request.app[SITE].document(request.path)
    if document is None:
        raise web.HTTPNotFound(text="There is no such page on the recorded site.")
    if _is_unchanged(request, document):
        return _with_validators(web.Response(status=304), document)
    response = web.Response(body=document.body, headers={"Content-Type": document.content_type})
    return _with_validators(response, document)


def _is_unchanged(request: web.Request, document: SiteDocument) -> bool:
    """RFC 9110 §13.2.2: ``If-None-Match`` alone decides when both are there."""
    known = request.if_none_match
    if known is not None:
        return any(tag.value in {"*", document.etag} for tag in known)
    since = request.if_modified_since
    return since is not None and document.last_modified <= since


def _with_validators(response: web.Response, document: SiteDocument) -> web.Response:
    response.etag = document.etag
    response.last_modified = document.last_modified
    response.headers["Cache-Control"] = _CACHE
    return response


async def _front(request: web.Request) -> web.Response:
    return web.Response(text=request.app[SITE].front(), content_type="text/html")


async def _robots(_request: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nDisallow:\n")


async def _publish(request: web.Request) -> web.Response:
    """The visitor's button: publish something about ``region`` and show where it stands."""
    form = await request.post()
    published = request.app[SITE].publish_about(RegionCode(str(form.get("region", ""))))
    if published is None:
        raise web.HTTPNotFound(text="There is no more news to publish about this region.")
    raise web.HTTPSeeOther(published.paths[0])

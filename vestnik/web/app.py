"""The web application: routes and what they share, put together from what the program gives."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from bot.i18n import load_translations
from feeds.model import LanguageCode
from feeds.networks import Scope
from storage.database import DBAPIError
from vestnik.web import feeds, pages, service
from vestnik.web.cache import PAGE_BYTES, FeedCache, RepresentationCache, RevisionWatch
from vestnik.web.deps import WebDeps
from vestnik.web.middleware import Measurements, SecurityHeaders
from vestnik.web.problems import on_database_error, on_http_error
from vestnik.web.representation import Representation, compress, prepared
from vestnik.web.state import CountMemo, PageKey, Web
from vestnik.web.templating import make_templates

_FOLDER = Path(__file__).parent
LOCALES = _FOLDER / "locales"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


def build_web(deps: WebDeps) -> Starlette:
    """The application; ``app.state.web.feeds`` is the cache that a pipeline may invalidate."""
    read = ["GET", "HEAD", "OPTIONS"]
    routes = [
        Route("/", pages.root),
        Route("/feeds.opml", feeds.opml, methods=read),
        Route("/feeds/{language}/{rest:path}", feeds.feed, methods=read),
        Route("/status", service.status),
        Route("/healthz", service.healthz),
        Route("/readyz", service.readyz),
        Route("/metrics", service.metrics),
        Route("/robots.txt", service.robots),
        Route("/static/{name}", service.static),
        Route("/{language}/", pages.home),
        Route("/{language}/items/{id:int}", pages.item),
        Route("/{language}/{network}/", pages.network),
        Route("/{language}/{network}/{code}", pages.region),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Measurements, registry=deps.registry), Middleware(SecurityHeaders)],
        exception_handlers={
            404: on_http_error,
            405: on_http_error,
            DBAPIError: on_database_error,
        },
    )
    app.state.web = make_web(deps)
    return app


def make_web(deps: WebDeps) -> Web:
    """Caches, catalogues and templates for one application."""
    feed_cache = FeedCache(clock=deps.clock)
    page_cache: RepresentationCache[PageKey] = RepresentationCache(limit=PAGE_BYTES, clock=deps.clock)

    def forget(pairs: set[tuple[Scope, LanguageCode]]) -> None:
        feed_cache.invalidate(pairs)
        page_cache.mark_stale(lambda _key: True)

    return Web(
        deps=deps,
        translations=load_translations(LOCALES, domain="web"),
        templates=make_templates(),
        feeds=feed_cache,
        pages=page_cache,
        watch=RevisionWatch(deps.database, forget),
        counts=CountMemo(),
        static=_read_static(),
    )


def _read_static() -> dict[str, Representation]:
    """Everything in ``static/``, compressed once."""
    found = {}
    for path in sorted((_FOLDER / "static").iterdir()):
        body = path.read_bytes()
        found[path.name] = prepared(body, _TYPES[path.suffix], encoded=compress(body))
    return found

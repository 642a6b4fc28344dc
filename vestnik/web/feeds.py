"""Handlers of feeds and of the list of feeds."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.i18n import DEFAULT_LANGUAGE
from feeds.model import LanguageCode
from feeds.networks import Networks
from feeds.render import MEDIA_TYPES, FeedFormat
from vestnik.web.addresses import ALL_LANGUAGES, FeedAddress, is_language, publishable
from vestnik.web.cache import FeedKey
from vestnik.web.feed_content import CORS, build_feed, make_opml
from vestnik.web.problems import problem
from vestnik.web.representation import respond
from vestnik.web.state import PageKey, web_of

#: Readers may ask again after five minutes, and show an old copy while they do.
CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"

#: Conditional headers are not on CORS's list of safe ones, so scripts ask first.
_PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
    "Access-Control-Max-Age": "86400",
    "Allow": "GET, HEAD, OPTIONS",
}

#: What a client may ask for and still be content with the format the address names.
_GENERAL = {"*/*", "application/*", "text/*", "text/html", "text/plain", "text/xml", "application/xml"}
_ALSO = {
    FeedFormat.RSS: {"application/rdf+xml", "application/atom+xml"},
    FeedFormat.ATOM: {"application/rss+xml", "application/rdf+xml"},
    FeedFormat.JSON: {"application/json"},
}


async def feed(request: Request) -> Response:
    """``/feeds/<lang>/<scope>.<rss|atom|json>``."""
    web = web_of(request)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_PREFLIGHT)
    address = _parse(request.path_params["language"], request.path_params["rest"], web.deps.networks)
    if isinstance(address, str):
        return await problem(request, 404, address)
    if not _is_acceptable(request.headers.get("accept", ""), address.kind):
        return await problem(request, 406, "The address ends in the format; this client accepts others only.")
    await web.watch.look()
    site = web.site(request)
    key = FeedKey(address.scope, address.language, address.kind, site.absolute(site.root))
    made = await web.feeds.get(key, lambda: build_feed(web, site, address))
    return respond(request, made, cache_control=CACHE_CONTROL)


async def opml(request: Request) -> Response:
    """``/feeds.opml``: every feed that has items."""
    web = web_of(request)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_PREFLIGHT)
    await web.watch.look()
    site = web.site(request)
    key = PageKey(path=site.opml(), query="", language=DEFAULT_LANGUAGE, base=site.origin, bot=None)
    made = await web.pages.get(key, lambda: make_opml(web, site))
    return respond(request, made, cache_control=CACHE_CONTROL)


def _parse(language: str, rest: str, networks: Networks) -> FeedAddress | str:
    """What the address asks for, or what is wrong with it."""
    text, _, ending = rest.rpartition(".")
    if ending not in set(FeedFormat):
        return "A feed's address ends in .rss, .atom or .json."
    if language != ALL_LANGUAGES and not is_language(language):
        return "A feed's language is a two-letter code (ISO 639-1) such as en, or all."
    scope = publishable(networks, text)
    if scope is None:
        return "No such network or region. Codes are written as in ISO 3166: RU-PNZ, MN."
    chosen = None if language == ALL_LANGUAGES else LanguageCode(language)
    return FeedAddress(scope=scope, language=chosen, kind=FeedFormat(ending))


def _is_acceptable(accept: str, kind: FeedFormat) -> bool:
    """Whether a client that sent ``Accept`` can use the format; generous, as readers ask oddly."""
    wanted = {part.split(";")[0].strip().lower() for part in accept.split(",")} - {""}
    return not wanted or bool(wanted & (_GENERAL | _ALSO[kind] | {MEDIA_TYPES[kind]}))

"""Handlers for those who run the service: health of sources, liveness, readiness, metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.i18n import INTERFACE_LANGUAGES, Translator
from feeds.model import LanguageCode
from feeds.render.text import rfc3339, uri
from storage import items, sources
from storage.database import DBAPIError
from storage.sources import SourceHealth
from vestnik.web.addresses import Site
from vestnik.web.pages import serve_page
from vestnik.web.problems import problem
from vestnik.web.representation import make_representation, respond
from vestnik.web.shell import make_shell
from vestnik.web.speech import choose_page_language, show_number, show_time
from vestnik.web.state import Web, web_of

#: Longest wait for the database before we call ourselves not ready, in seconds.
_READY_WAIT = 2.0

_STATES = {
    "new": "not asked yet",
    "active": "works",
    "paused": "paused",
    "failing": "fails",
    "gone": "gone",
    "removed": "removed",
}

#: States in which a source will be asked again.
_ASKED = {"new", "active", "failing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A source on the status page."""

    title: str
    url: str
    state: str
    state_name: str
    items: str
    newest: str
    last_success: str
    next_poll: str
    problem: str


async def status(request: Request) -> Response:
    """``/status``: how each source does; ``?format=json`` for programs."""
    web = web_of(request)
    if request.query_params.get("format") == "json":
        return await _status_json(request, web)
    wanted = request.query_params.get("lang", "")
    negotiated = choose_page_language(request.headers.get("accept-language", ""))
    language = LanguageCode(wanted) if wanted in INTERFACE_LANGUAGES else negotiated
    query = f"?lang={language}"
    return await serve_page(
        request,
        language,
        lambda site: _status_page(web, site, language),
        query=query,
        vary="Accept-Encoding, Accept-Language",
    )


async def healthz(_request: Request) -> Response:
    """The process lives and answers."""
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def readyz(request: Request) -> Response:
    """Every part is ready, or which is not (503). Parts that are off on purpose say why."""
    web = web_of(request)
    parts = dict(web.deps.readiness())
    parts["database"] = await _database_answers(web) and parts.get("database", True)
    ready = all(each is not False for each in parts.values())
    body = json.dumps({"ready": ready, "parts": parts}, ensure_ascii=False, indent=1) + "\n"
    return Response(
        body,
        status_code=200 if ready else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def metrics(request: Request) -> Response:
    """Prometheus's text format."""
    body = generate_latest(web_of(request).deps.registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


async def robots(request: Request) -> Response:
    """Everything may be read; metrics and probes are of no use to a search engine."""
    root = web_of(request).site(request).root
    lines = ["User-agent: *", *(f"Disallow: {root}/{each}" for each in ("metrics", "healthz", "readyz"))]
    return PlainTextResponse("\n".join(lines) + "\n", headers={"Cache-Control": "public, max-age=86400"})


async def static(request: Request) -> Response:
    """Our own style, script and icon; the address changes with the content."""
    found = web_of(request).static.get(request.path_params["name"])
    if found is None:
        return await problem(request, 404, "The address may be mistyped, or what was here has gone.")
    fresh = request.query_params.get("v", "") == found.tag[:12]
    lasting = "public, max-age=31536000, immutable" if fresh else "public, max-age=300"
    return respond(request, found, cache_control=lasting)


async def _status_page(web: Web, site: Site, language: LanguageCode) -> str:
    speaker = web.translator(language)
    async with web.deps.database.read() as session:
        found = await sources.health(session)
        total = await items.total(session)
    shell = make_shell(
        web, site, language, path=site.status(language), title=speaker.text("How the sources do")
    )
    working = sum(each.state == "active" for each in found)
    return web.templates.get_template("status.html").render(
        shell=shell,
        t=speaker.text,
        n=speaker.plural,
        lines=[_line(each, speaker) for each in _troubled_first(found)],
        working=working,
        known=len(found),
        total=total,
    )


async def _status_json(request: Request, web: Web) -> Response:
    async with web.deps.database.read() as session:
        found = await sources.health(session)
    shown = [
        {
            "id": each.source.id,
            "title": each.source.title or each.source.url,
            "url": each.source.url,
            "state": each.state,
            "items": each.items,
            "failures": each.failures,
            "last_success_at": rfc3339(each.last_success_at) if each.last_success_at else None,
            "next_poll_at": rfc3339(each.next_poll_at),
            "next_poll_reason": each.next_poll_reason,
            "newest_item_at": rfc3339(each.newest_item_at) if each.newest_item_at else None,
            "last_error": each.last_error,
        }
        for each in found
    ]
    body = json.dumps({"sources": shown}, ensure_ascii=False, indent=1).encode()
    made = await make_representation(body, "application/json; charset=utf-8")
    return respond(request, made, cache_control="no-cache")


def _troubled_first(found: Sequence[SourceHealth]) -> list[SourceHealth]:
    order = {"failing": 0, "gone": 1, "new": 2, "paused": 3, "active": 4}
    return sorted(found, key=lambda each: (order.get(each.state, 5), each.source.title, each.source.id))


def _line(health: SourceHealth, speaker: Translator) -> SourceLine:
    return SourceLine(
        title=health.source.title or health.source.id,
        url=uri(health.source.url),
        state=health.state,
        state_name=speaker.text(_STATES[health.state]),
        items=show_number(health.items, speaker),
        newest=show_time(health.newest_item_at, speaker) if health.newest_item_at else "",
        last_success=show_time(health.last_success_at, speaker) if health.last_success_at else "",
        next_poll=show_time(health.next_poll_at, speaker) if health.state in _ASKED else "",
        problem=health.last_error if health.state in {"failing", "gone"} else "",
    )


async def _database_answers(web: Web) -> bool:
    try:
        async with asyncio.timeout(_READY_WAIT), web.deps.database.read() as session:
            await items.newest(session, limit=1)
    except (TimeoutError, DBAPIError):
        return False
    return True

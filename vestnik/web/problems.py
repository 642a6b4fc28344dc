"""Answers that explain what is wrong and where to go: a page for people, a line for programs."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.i18n import INTERFACE_LANGUAGES
from feeds.model import LanguageCode
from vestnik.web.representation import make_representation, respond
from vestnik.web.shell import make_shell
from vestnik.web.speech import choose_page_language
from vestnik.web.state import web_of

_NAMES = {
    404: "Nothing is here",
    405: "This can't be done here",
    406: "Not in this format",
    410: "This news was withdrawn",
    503: "Back in a moment",
}
_FALLBACK = "Something went wrong"
_TRY_AGAIN = "Please try again later."


async def problem(
    request: Request, status: int, explanation: str, *, headers: dict[str, str] | None = None
) -> Response:
    """An answer with ``status``; ``explanation`` is a message id and is translated."""
    web = web_of(request)
    site = web.site(request)
    language = _language(request)
    speaker = web.translator(language)
    name = speaker.text(_NAMES.get(status, _FALLBACK))
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page:
        shell = make_shell(web, site, language, path=f"{site.root}/{language}/", title=name)
        text = web.templates.get_template("problem.html").render(
            shell=shell, t=speaker.text, explanation=speaker.text(explanation), status=status
        )
    else:
        text = f"{status} {HTTPStatus(status).phrase}. {speaker.text(explanation)}\n"
    content_type = f"text/{'html' if wants_page else 'plain'}; charset=utf-8"
    made = await make_representation(
        text.encode(), content_type, status=status, headers={"Content-Language": language, **(headers or {})}
    )
    return respond(request, made, cache_control="no-cache", vary="Accept, Accept-Encoding, Accept-Language")


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no route, wrong method) in our words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    explanation = {
        404: "The address may be mistyped, or what was here has gone.",
        405: "Pages and feeds can only be read.",
    }.get(status, _TRY_AGAIN)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return await problem(request, status, explanation, headers=headers)


async def on_database_error(request: Request, _error: Exception) -> Response:
    """The database did not answer; nothing ready could be served instead."""
    return await problem(
        request, 503, "The news archive does not answer. Please try again.", headers={"Retry-After": "10"}
    )


def _language(request: Request) -> LanguageCode:
    first = request.url.path.strip("/").split("/")[0]
    if first in INTERFACE_LANGUAGES:
        return LanguageCode(first)
    return choose_page_language(request.headers.get("accept-language", ""))

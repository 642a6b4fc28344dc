"""Handlers of the pages for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from feeds.model import ItemId, LanguageCode
from feeds.networks import ALL
from storage import items
from vestnik.web.addresses import Site, is_interface_language
from vestnik.web.page_content import home_page, item_page, list_page
from vestnik.web.page_query import ListQuery
from vestnik.web.problems import problem
from vestnik.web.representation import Representation, make_representation, respond
from vestnik.web.speech import choose_page_language
from vestnik.web.state import PageKey, Web, web_of

#: Short enough that a reader who comes back sees what has happened.
CACHE_CONTROL = "public, max-age=10, stale-while-revalidate=60"

_NO_LANGUAGE = "There are no pages in this language."
_NO_PLACE = "No such network or region. Codes are written as in ISO 3166: RU-PNZ, MN."
#: Largest id a database can hold.
_MAX_ID = 2**63 - 1


class NoSuchPage(Exception):
    """What the page should show is not there; ``status`` and ``explanation`` say in what way."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status
        self.explanation = explanation


async def root(request: Request) -> Response:
    """``/``: home in the language the browser prefers."""
    language = choose_page_language(request.headers.get("accept-language", ""))
    web = web_of(request)
    return await serve_page(
        request,
        language,
        lambda site: home_page(web, site, language),
        vary="Accept-Encoding, Accept-Language",
    )


async def home(request: Request) -> Response:
    """``/<lang>/``."""
    web, language = web_of(request), LanguageCode(request.path_params["language"])
    if not is_interface_language(language):
        return await problem(request, 404, _NO_LANGUAGE)
    return await serve_page(request, language, lambda site: home_page(web, site, language))


async def network(request: Request) -> Response:
    """``/<lang>/<network>/``."""
    return await _listing(request, request.path_params["network"])


async def region(request: Request) -> Response:
    """``/<lang>/<network>/<CODE>``."""
    return await _listing(request, f"{request.path_params['network']}/{request.path_params['code']}")


async def item(request: Request) -> Response:
    """``/<lang>/items/<id>``."""
    web, language = web_of(request), LanguageCode(request.path_params["language"])
    if not is_interface_language(language):
        return await problem(request, 404, _NO_LANGUAGE)
    number = request.path_params["id"]
    try:
        return await serve_page(request, language, lambda site: _item_page(web, site, language, number))
    except NoSuchPage as refusal:
        return await problem(request, refusal.status, refusal.explanation)


async def serve_page(
    request: Request,
    language: LanguageCode,
    build: Callable[[Site], Awaitable[str]],
    *,
    query: str = "",
    vary: str = "Accept-Encoding",
) -> Response:
    """The ready page, or the one ``build`` makes."""
    web = web_of(request)
    site, bot = web.site(request), web.deps.bot_username()
    await web.watch.look()

    async def make() -> Representation:
        text = await build(site)
        headers = {"Content-Language": language}
        return await make_representation(text.encode(), "text/html; charset=utf-8", headers=headers)

    key = PageKey(path=request.url.path, query=query, language=language, base=site.origin, bot=bot)
    return respond(request, await web.pages.get(key, make), cache_control=CACHE_CONTROL, vary=vary)


async def _listing(request: Request, text: str) -> Response:
    web, language = web_of(request), LanguageCode(request.path_params["language"])
    if not is_interface_language(language):
        return await problem(request, 404, _NO_LANGUAGE)
    # Districts are places on their network's page, sources have no page.
    scope = None if ":" in text or text == ALL else web.deps.networks.parse_scope(text)
    if scope is None:
        return await problem(request, 404, _NO_PLACE)
    query = ListQuery.read(request.query_params)
    return await serve_page(
        request, language, lambda site: list_page(web, site, language, scope, query), query=query.text()
    )


async def _item_page(web: Web, site: Site, language: LanguageCode, number: int) -> str:
    async with web.deps.database.read() as session:
        found = await items.by_id(session, ItemId(number)) if number <= _MAX_ID else None
        story = await items.of_story(session, found.story_id) if found else []
    if found is None:
        raise NoSuchPage(404, "No news has this number.")
    if found.withdrawn:
        raise NoSuchPage(410, "Its source has taken this news back.")
    others = [each for each in story if each.id != found.id and not each.withdrawn]
    return await item_page(web, site, language, found, others)

"""What handlers share, and how they get at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import Environment
from starlette.requests import Request

from bot.i18n import Translations, Translator
from feeds.model import LanguageCode
from feeds.networks import Scope
from vestnik.web.addresses import Site, site_of
from vestnik.web.cache import FeedCache, RepresentationCache, RevisionWatch
from vestnik.web.deps import WebDeps
from vestnik.web.representation import Representation


class PageKey(NamedTuple):
    """What a page depends on besides the news."""

    path: str
    query: str
    language: LanguageCode
    base: str
    bot: str | None


@dataclass(slots=True)
class CountMemo:
    """News per scope of the last days, counted once per revision and some minutes."""

    revision: int | None = None
    counted_at: float = float("-inf")
    counts: dict[Scope, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Everything the handlers use."""

    deps: WebDeps
    translations: Translations
    templates: Environment
    feeds: FeedCache
    pages: RepresentationCache[PageKey]
    watch: RevisionWatch
    counts: CountMemo
    #: Static files by name.
    static: dict[str, Representation]

    def site(self, request: Request) -> Site:
        """Where this request reached us."""
        return site_of(request, self.deps.base_url)

    def translator(self, language: LanguageCode) -> Translator:
        """The speaker of a language."""
        return self.translations.to(language)


def web_of(request: Request) -> Web:
    """The shared state of the application that serves ``request``."""
    web: Web = request.app.state.web
    return web

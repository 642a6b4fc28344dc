"""Addresses of everything we publish (DESIGN §4). Pure functions of scope, language and format.

Paths carry the site's path prefix, so a template can use them as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from babel import Locale
from starlette.requests import Request

from bot.i18n import INTERFACE_LANGUAGES
from feeds.model import ItemId, LanguageCode
from feeds.networks import ALL, Networks, Scope
from feeds.render import FeedFormat
from feeds.render.text import uri

#: Every language that has a two-letter code (ISO 639-1), by CLDR's list.
ISO_639_1 = frozenset(str(code) for code in Locale("en").languages if len(str(code)) == 2)
#: The word for "all languages" in a feed's address.
ALL_LANGUAGES = "all"

_DISTRICT = "district:"
#: A host as a request may name it; anything else is somebody playing with our links.
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where we are reached: ``https://host`` and a path prefix ("" or ``/news``)."""

    origin: str
    root: str

    @property
    def authority(self) -> str:
        """Host name for ``tag:`` URIs, without port."""
        return (urlsplit(self.origin).hostname or "localhost").replace(":", "-")

    def absolute(self, path: str) -> str:
        """A path with the origin before it."""
        return self.origin + path

    def feed(self, language: LanguageCode | None, scope: Scope, kind: FeedFormat) -> str:
        """Path of a feed."""
        return f"{self.root}/feeds/{language or ALL_LANGUAGES}/{scope}.{kind}"

    def page(self, language: LanguageCode, scope: Scope) -> str:
        """Path of the page of a scope; a district is a place on its network's page."""
        if scope == ALL:
            return f"{self.root}/{language}/"
        network, _, rest = scope.partition("/")
        if rest.startswith(_DISTRICT):
            return f"{self.root}/{language}/{network}/#{rest.removeprefix(_DISTRICT)}"
        return f"{self.root}/{language}/{network}/{rest}"

    def item(self, language: LanguageCode, item_id: ItemId) -> str:
        """Path of an item's page."""
        return f"{self.root}/{language}/items/{item_id}"

    def status(self, language: LanguageCode) -> str:
        """Path of the status page in a language."""
        return f"{self.root}/status?lang={language}"

    def opml(self) -> str:
        """Path of the list of all feeds."""
        return f"{self.root}/feeds.opml"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """What a feed's address asks for."""

    scope: Scope
    #: ``None`` for all languages.
    language: LanguageCode | None
    kind: FeedFormat


def site_of(request: Request, base_url: str) -> Site:
    """The site as configured, or as the request addresses it."""
    if base_url:
        parts = urlsplit(uri(base_url))
        return Site(origin=f"{parts.scheme}://{parts.netloc}", root=parts.path.rstrip("/"))
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = "localhost"
    return Site(origin=f"{request.url.scheme}://{host.lower()}", root="")


def publishable(networks: Networks, text: str) -> Scope | None:
    """``text`` as a scope that has feeds: all, a network, its districts and regions; not a source."""
    if text.startswith("source:"):
        return None
    return networks.parse_scope(text)


def is_language(code: str) -> bool:
    """Whether ``code`` may stand for a language in a feed's address."""
    return code in ISO_639_1


def is_interface_language(code: str) -> bool:
    """Whether there are pages in this language."""
    return code in INTERFACE_LANGUAGES

"""What every page has around its content: names, links, languages, feeds to discover."""

from __future__ import annotations

from dataclasses import dataclass

from bot.i18n import DEFAULT_LANGUAGE, INTERFACE_LANGUAGES
from feeds.model import LanguageCode, RegionCode
from feeds.networks import ALL, Scope, network_scope
from feeds.render import MEDIA_TYPES, FeedFormat
from vestnik.web.addresses import Site
from vestnik.web.feed_content import feed_title, place_name
from vestnik.web.speech import direction, native_name
from vestnik.web.state import Web

#: How formats are called by those who use them.
FORMAT_NAMES = {FeedFormat.RSS: "RSS", FeedFormat.ATOM: "Atom", FeedFormat.JSON: "JSON Feed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place to go."""

    title: str
    path: str
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLink:
    """This page in another language."""

    code: LanguageCode
    name: str
    path: str
    address: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A feed of this page."""

    title: str
    format: str
    media_type: str
    address: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """How to follow what the page shows."""

    place: str
    #: In the reader's language, then of all languages.
    own: tuple[FeedLink, ...]
    every: tuple[FeedLink, ...]
    telegram: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The frame of a page."""

    language: LanguageCode
    direction: str
    title: str
    description: str
    site_title: str
    home: str
    root: str
    canonical: str
    #: The page where a browser's language decides.
    default_address: str
    og_type: str
    #: ``en_US``-like name for Open Graph.
    og_locale: str
    nav: tuple[Link, ...]
    languages: tuple[LanguageLink, ...]
    feeds: tuple[FeedLink, ...]
    assets: dict[str, str]
    status: str
    opml: str


def make_shell(
    web: Web,
    site: Site,
    language: LanguageCode,
    *,
    path: str,
    title: str,
    description: str = "",
    scope: Scope = ALL,
    og_type: str = "website",
) -> Shell:
    """The frame for the page at ``path``, which has ``/<language>/`` in it where the language goes."""
    speaker = web.translator(language)
    own = site.root + "/" + language + "/"
    languages = tuple(
        LanguageLink(
            code=each,
            name=native_name(each),
            path=_in_language(path, own, site, each),
            address=site.absolute(_in_language(path, own, site, each)),
            current=each == language,
        )
        for each in INTERFACE_LANGUAGES
    )
    canonical = path if "?lang=" in path else path.partition("?")[0]
    return Shell(
        language=language,
        direction=direction(language),
        title=title,
        description=description,
        site_title=web.deps.title(language),
        home=own,
        root=site.root,
        canonical=site.absolute(canonical),
        default_address=site.absolute(_default(path, own, site)),
        og_type=og_type,
        og_locale=str(speaker.locale),
        nav=tuple(
            Link(
                title=network.title(language),
                path=site.page(language, network_scope(network.id)),
                current=scope.partition("/")[0] == network.id,
            )
            for network in web.deps.networks.networks.values()
        ),
        languages=languages,
        feeds=feed_links(web, site, scope, language) + feed_links(web, site, scope, None),
        assets={name: f"{site.root}/static/{name}?v={made.tag[:12]}" for name, made in web.static.items()},
        status=site.status(language),
        opml=site.opml(),
    )


def feed_links(web: Web, site: Site, scope: Scope, language: LanguageCode | None) -> tuple[FeedLink, ...]:
    """Links to a scope's feeds in every format."""
    speaker = web.translator(language or DEFAULT_LANGUAGE)
    title = feed_title(web, scope, language, speaker)
    return tuple(
        FeedLink(
            title=f"{title} ({FORMAT_NAMES[kind]})",
            format=FORMAT_NAMES[kind],
            media_type=MEDIA_TYPES[kind],
            address=site.absolute(site.feed(language, scope, kind)),
            path=site.feed(language, scope, kind),
        )
        for kind in FeedFormat
    )


def subscribe_box(web: Web, site: Site, scope: Scope, language: LanguageCode) -> Subscribe:
    """Feeds and the Telegram link of a scope."""
    return Subscribe(
        place=place_name(web.deps.networks, scope, web.translator(language)),
        own=feed_links(web, site, scope, language),
        every=feed_links(web, site, scope, None),
        telegram=telegram_link(web.deps.bot_username(), scope),
    )


def telegram_link(bot: str | None, scope: Scope) -> str | None:
    """Deep link that follows a scope at once (DESIGN §4): ``?start=f_<network>`` or ``f_<CODE>``."""
    if not bot:
        return None
    if scope == ALL:
        return f"https://t.me/{bot}"
    network, _, code = scope.partition("/")
    return f"https://t.me/{bot}?start=f_{RegionCode(code) if code else network}"


def _in_language(path: str, own: str, site: Site, language: LanguageCode) -> str:
    if path.startswith(own):
        return f"{site.root}/{language}/{path.removeprefix(own)}"
    return f"{path.partition('?')[0]}?lang={language}"


def _default(path: str, own: str, site: Site) -> str:
    """Where the browser's language decides; only home and the status page have such an address."""
    if path == own:
        return f"{site.root}/"
    if path.startswith(own):
        return f"{site.root}/{DEFAULT_LANGUAGE}/{path.removeprefix(own)}"
    return path.partition("?")[0]

"""What goes into feeds and the list of feeds: entries, names, addresses; made ready to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta

from bot.i18n import DEFAULT_LANGUAGE, INTERFACE_LANGUAGES, Translator
from feeds.model import UNDETERMINED, Item, LanguageCode
from feeds.networks import ALL, Networks, Scope, network_scope, region_scope
from feeds.render import (
    MEDIA_TYPES,
    RENDERERS,
    FeedFormat,
    FeedInfo,
    FeedTranslation,
    Outline,
    feed_updated,
    render_opml,
)
from storage import items
from vestnik.web.addresses import FeedAddress, Site, publishable
from vestnik.web.representation import Representation, make_representation
from vestnik.web.state import Web

#: A feed holds this many entries, or all of its newest days, whichever is more, up to the limit.
_ENTRIES = 100
_DAYS = timedelta(days=14)
_LIMIT = 500

#: Feeds are for everybody's scripts too.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Link",
}


async def build_feed(web: Web, site: Site, address: FeedAddress) -> Representation:
    """Read, render and compress a feed."""
    shown = await feed_items(web, address.scope, address.language)
    info = feed_info(web, site, address.scope, address.language)
    body = await asyncio.to_thread(RENDERERS[address.kind], info, shown, web.deps.networks)
    return await make_representation(
        body,
        f"{MEDIA_TYPES[address.kind]}; charset=utf-8",
        last_modified=feed_updated(shown),
        headers=CORS | {"Link": _link_header(info, address.kind)},
    )


async def feed_items(web: Web, scope: Scope, language: LanguageCode | None) -> list[Item]:
    """The entries of a feed: a hundred, or those of its last fourteen days if they are more."""
    async with web.deps.database.read() as session:
        shown = await items.newest(session, scope=scope, language=language, limit=_ENTRIES)
        if len(shown) < _ENTRIES or shown[-1].published <= shown[0].published - _DAYS:
            return shown
        since = shown[0].published - _DAYS
        return await items.newest(session, scope=scope, language=language, limit=_LIMIT, since=since)


def feed_info(web: Web, site: Site, scope: Scope, language: LanguageCode | None) -> FeedInfo:
    """All about a feed but its entries."""
    words = language if language in INTERFACE_LANGUAGES else DEFAULT_LANGUAGE
    speaker = web.translator(words)
    return FeedInfo(
        authority=site.authority,
        scope=scope,
        language=language,
        label_language=words,
        title=feed_title(web, scope, language, speaker),
        description=speaker.text(
            "Latest news: {place}. Language: {language}.",
            place=place_name(web.deps.networks, scope, speaker),
            language=language_name(language, speaker),
        ),
        publisher=web.deps.title(words),
        publisher_url=site.absolute(f"{site.root}/"),
        page=site.absolute(site.page(words, scope)),
        addresses=feed_addresses(site, scope, language),
        translations=tuple(
            FeedTranslation(
                language=each,
                page=site.absolute(site.page(each, scope)),
                addresses=feed_addresses(site, scope, each),
            )
            for each in INTERFACE_LANGUAGES
        ),
        item_page=site.absolute(f"{site.root}/{words}/items/{{id}}"),
        language_names={LanguageCode(k): str(v) for k, v in speaker.locale.languages.items()},
    )


def feed_title(web: Web, scope: Scope, language: LanguageCode | None, speaker: Translator) -> str:
    """``Vestnik: Penza Oblast``, and the language where the title itself does not show it."""
    title = web.deps.title(speaker.language)
    if scope != ALL:
        title = f"{title}: {place_name(web.deps.networks, scope, speaker)}"
    return title if language == speaker.language else f"{title} ({language_name(language, speaker)})"


def feed_addresses(site: Site, scope: Scope, language: LanguageCode | None) -> dict[FeedFormat, str]:
    """Absolute addresses of a feed in every format."""
    return {each: site.absolute(site.feed(language, scope, each)) for each in FeedFormat}


def place_name(networks: Networks, scope: Scope, speaker: Translator) -> str:
    """What a scope is called."""
    return networks.scope_title(scope, speaker.language, everything=speaker.text("All news"))


def language_name(language: LanguageCode | None, speaker: Translator) -> str:
    """What a language is called."""
    if language is None:
        return speaker.text("All languages")
    return str(speaker.locale.languages.get(language, language))


async def make_opml(web: Web, site: Site) -> Representation:
    """The list of feeds that have items, grouped by language, each with that of all languages first."""
    async with web.deps.database.read() as session:
        filled = await items.filled_scopes(session)
        newest = await items.newest(session, limit=1)
    known = [(scope, language) for scope, language in filled if publishable(web.deps.networks, scope)]
    languages = sorted({language for _, language in known if language != UNDETERMINED})
    groups = [_outlines(web, site, None, {scope for scope, _ in known})] if known else []
    groups += [
        _outlines(web, site, each, {scope for scope, language in known if language == each})
        for each in languages
    ]
    title = web.deps.title(DEFAULT_LANGUAGE)
    body = render_opml(title, groups, modified=feed_updated(newest))
    # The type the W3C validator expects of OPML.
    return await make_representation(
        body, "text/x-opml; charset=utf-8", last_modified=feed_updated(newest), headers=CORS
    )


def _outlines(web: Web, site: Site, language: LanguageCode | None, scopes: Iterable[Scope]) -> Outline:
    words = language if language in INTERFACE_LANGUAGES else DEFAULT_LANGUAGE
    speaker = web.translator(words)
    present = set(scopes)
    return Outline(
        title=language_name(language, speaker),
        language=language,
        children=tuple(
            Outline(
                title=feed_title(web, scope, language, speaker),
                feed=site.absolute(site.feed(language, scope, FeedFormat.RSS)),
                page=site.absolute(site.page(words, scope)),
                language=language,
            )
            for scope in in_order(web.deps.networks)
            if scope in present
        ),
    )


def in_order(networks: Networks) -> Iterator[Scope]:
    """Every scope with an address of its own, in the catalogue's order."""
    yield ALL
    for network in networks.networks:
        yield network_scope(network)
        for _, regions in networks.districts(network):
            yield from (region_scope(network, region.code) for region in regions)


def _link_header(info: FeedInfo, kind: FeedFormat) -> str:
    links = [f'<{info.addresses[kind]}>; rel="self"']
    links += [f'<{hub}>; rel="hub"' for hub in info.hubs]
    links.append(f'<{info.page}>; rel="alternate"; type="text/html"; hreflang="{info.label_language}"')
    links += [
        f'<{address}>; rel="alternate"; type="{MEDIA_TYPES[each]}"'
        for each, address in info.addresses.items()
        if each != kind
    ]
    return ", ".join(links)

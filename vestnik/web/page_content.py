"""What the pages say: reads the news, makes view models, fills templates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import nh3
from markupsafe import Markup

from bot.i18n import Translator
from feeds.model import Item, LanguageCode, NetworkId, RegionCode
from feeds.networks import ALL, Scope, network_scope
from feeds.render.text import excerpt, one_line, uri
from storage import items
from vestnik.web.addresses import Site
from vestnik.web.counting import recent_counts
from vestnik.web.feed_content import place_name
from vestnik.web.maps import MAP_DAYS, make_map
from vestnik.web.page_query import ListQuery
from vestnik.web.shell import Link, Shell, make_shell, subscribe_box
from vestnik.web.speech import direction, name_of, show_time
from vestnik.web.state import Web
from vestnik.web.stories import (
    Card,
    make_cards,
    make_reasons,
    network_links,
    other_version,
    region_links,
)

#: Stories per network on the home page, and items on a page of a list.
_HOME_STORIES = 6
_PAGE_ITEMS = 30
#: Longest description of a page, in characters.
_DESCRIPTION = 200

#: A second allow-list for our own pages: no pictures, as these would call foreign hosts.
_TAG_NAMES = """
    p br hr a em strong b i u s sub sup blockquote q ul ol li dl dt dd pre code
    h2 h3 h4 h5 h6 table thead tbody tr th td caption
"""
_TAGS = set(_TAG_NAMES.split())
_ATTRIBUTES = {"a": {"href", "hreflang", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


async def home_page(web: Web, site: Site, language: LanguageCode) -> str:
    """Latest stories and a map per network."""
    speaker = web.translator(language)
    counts = await recent_counts(web)
    sections = [
        {
            "title": each.title(language),
            "path": site.page(language, network_scope(each.id)),
            "anchor": each.id,
            "count": counts.get(network_scope(each.id), 0),
            "cards": await _home_cards(web, site, speaker, network_scope(each.id)),
            "map": make_map(web.deps.networks, each.id, counts, speaker, site),
        }
        for each in web.deps.networks.networks.values()
    ]
    lead = speaker.text("News of libraries and centres from every region and country of the network.")
    shell = make_shell(
        web,
        site,
        language,
        path=site.page(language, ALL),
        title=web.deps.title(language),
        description=lead,
    )
    subscribe = subscribe_box(web, site, ALL, language)
    return await _render(
        web, "home.html", shell, sections=sections, lead=lead, days=MAP_DAYS, subscribe=subscribe
    )


async def list_page(web: Web, site: Site, language: LanguageCode, scope: Scope, query: ListQuery) -> str:
    """The stories of a network or region, newest first, a page at a time."""
    speaker, networks = web.translator(language), web.deps.networks
    async with web.deps.database.read() as session:
        found = await items.newest(
            session,
            scope=scope,
            language=language if query.own_only else None,
            limit=_PAGE_ITEMS + 1,
            before=query.before,
        )
    shown, more = found[:_PAGE_ITEMS], len(found) > _PAGE_ITEMS
    counts = await recent_counts(web)
    path, place = site.page(language, scope), place_name(networks, scope, speaker)
    network, _, code = scope.partition("/")
    region = networks.catalogue.regions.get(RegionCode(code))
    speech = name_of(language, speaker)
    shell = make_shell(
        web,
        site,
        language,
        path=path + query.text(),
        title=place,
        description=speaker.text("Latest news: {place}. Language: {language}.", place=place, language=speech),
        scope=scope,
    )
    district = networks.catalogue.districts[region.district] if region else None
    parent = site.page(language, network_scope(NetworkId(network)))
    return await _render(
        web,
        "list.html",
        shell,
        place=place,
        code=code,
        parent=Link(title=networks.networks[NetworkId(network)].title(language), path=parent),
        district=Link(title=district.name(language), path=f"{parent}#{district.id}") if district else None,
        map=None if code else make_map(networks, NetworkId(network), counts, speaker, site),
        anchor=network,
        count=counts.get(scope, 0),
        days=MAP_DAYS,
        cards=make_cards(shown, speaker, site, networks),
        own_only=query.own_only,
        toggle=path + query.toggled().text(),
        newest=path + query.from_start().text() if query.before else "",
        older=path + query.older_than(shown[-1]).text() if more else "",
        speech=speech,
        subscribe=subscribe_box(web, site, scope, language),
    )


async def item_page(web: Web, site: Site, language: LanguageCode, item: Item, others: Sequence[Item]) -> str:
    """One item, where it is from, why it is filed as it is, and how others tell it."""
    speaker, networks = web.translator(language), web.deps.networks
    title = one_line(item.title) or item.source_title
    summary = one_line(item.summary)
    description = summary or excerpt(item.content_html)
    regions = region_links(item, speaker, site, networks)
    shell = make_shell(
        web,
        site,
        language,
        path=site.item(language, item.id),
        title=title,
        description=description[:_DESCRIPTION],
        og_type="article",
    )
    return await _render(
        web,
        "item.html",
        shell,
        item=item,
        title=title,
        text_language=item.language,
        text_direction=direction(item.language),
        language_name=name_of(item.language, speaker),
        content=page_html(item.content_html),
        summary=summary,
        url=uri(item.url) if item.url else "",
        source_url=uri(item.source_url),
        image=uri(item.image) if item.image else "",
        published=show_time(item.published, speaker),
        updated=show_time(item.updated, speaker) if item.updated > item.published else "",
        networks=network_links(item, speaker, site, networks),
        regions=regions,
        reasons=make_reasons(item, speaker, site, networks),
        others=[other_version(each, speaker, site) for each in others],
    )


def page_html(content_html: str) -> Markup:
    """Content for our own pages: cleaned once more, without pictures, links marked as foreign."""
    clean = nh3.clean(
        content_html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - just cleaned


async def _home_cards(web: Web, site: Site, speaker: Translator, scope: Scope) -> list[Card]:
    """The newest stories in the reader's language, then, if they are few, in others."""
    async with web.deps.database.read() as session:
        own = await items.newest(session, scope=scope, language=speaker.language, limit=2 * _HOME_STORIES)
        every = await items.newest(session, scope=scope, limit=4 * _HOME_STORIES)
    known = {each.id for each in own}
    both = own + [each for each in every if each.id not in known]
    return make_cards(both, speaker, site, web.deps.networks)[:_HOME_STORIES]


async def _render(web: Web, template: str, shell: Shell, **values: object) -> str:
    """Fill a template, off the event loop: a map of all countries takes some milliseconds."""
    speaker = web.translator(shell.language)
    fill = web.templates.get_template(template).render
    return await asyncio.to_thread(fill, shell=shell, t=speaker.text, n=speaker.plural, **values)

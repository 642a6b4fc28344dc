"""Stories as a page shows them: one card per story, in the reader's language where there is one.

Pure functions of items; texts come out plain, the templates escape them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.i18n import DEFAULT_LANGUAGE, Translator
from feeds.model import UNDETERMINED, Evidence, Item, LanguageCode, NetworkId, RegionCode, StoryId
from feeds.networks import Networks, network_scope, region_scope
from feeds.render.text import excerpt, one_line
from vestnik.web.addresses import Site
from vestnik.web.shell import Link
from vestnik.web.speech import direction, name_of, native_name, show_day

#: Longest summary on a card, in characters.
_SUMMARY = 240

#: Where evidence was found, as message ids.
_PLACES = {
    "title": "in the title",
    "lead": "at the beginning of the text",
    "body": "in the text",
    "dateline": "in the dateline",
    "section": "in the section's heading",
    "source": "known of the source",
    "url": "in the address",
}
_NETWORK = "network:"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion:
    """The same story in another language or from another source."""

    path: str
    title: str
    language: LanguageCode
    direction: str
    language_name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A story in a list."""

    path: str
    title: str
    summary: str
    language: LanguageCode
    direction: str
    #: Empty when the story is in the reader's language.
    language_name: str
    source: str
    day: str
    iso: str
    has_date: bool
    regions: tuple[Link, ...]
    others: tuple[OtherVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of "Why is this here?"."""

    label: Link
    words: str
    place: str
    rule: str
    weight: str


def group_stories(found: Sequence[Item], language: LanguageCode) -> list[tuple[Item, list[Item]]]:
    """Items by story in their order: the version to show, and the others."""
    stories: dict[StoryId, list[Item]] = {}
    for item in found:
        stories.setdefault(item.story_id, []).append(item)
    grouped = []
    for versions in stories.values():
        shown = min(versions, key=lambda item: _strangeness(item.language, language))
        grouped.append((shown, [each for each in versions if each is not shown]))
    return grouped


def make_cards(found: Sequence[Item], speaker: Translator, site: Site, networks: Networks) -> list[Card]:
    """Cards for a list of items, newest story first as the items are."""
    return [
        _card(shown, others, speaker, site, networks)
        for shown, others in group_stories(found, speaker.language)
    ]


def other_version(item: Item, speaker: Translator, site: Site) -> OtherVersion:
    """A line that leads to another version of a story."""
    return OtherVersion(
        path=site.item(speaker.language, item.id),
        title=one_line(item.title) or item.source_title,
        language=item.language,
        direction=direction(item.language),
        language_name=native_name(item.language) if item.language != UNDETERMINED else "",
        source=item.source_title,
    )


def region_links(item: Item, speaker: Translator, site: Site, networks: Networks) -> tuple[Link, ...]:
    """Pages of the regions an item is about."""
    links = []
    for code in item.regions:
        region = networks.catalogue.regions.get(code)
        network = _network_of(code, item.networks, networks)
        if region is not None and network is not None:
            path = site.page(speaker.language, region_scope(network, code))
            links.append(Link(title=region.name(speaker.language), path=path))
    return tuple(links)


def network_links(item: Item, speaker: Translator, site: Site, networks: Networks) -> tuple[Link, ...]:
    """Pages of the networks an item belongs to."""
    return tuple(
        Link(
            title=networks.networks[each].title(speaker.language),
            path=site.page(speaker.language, network_scope(each)),
        )
        for each in item.networks
        if each in networks.networks
    )


def make_reasons(item: Item, speaker: Translator, site: Site, networks: Networks) -> list[Reason]:
    """Why the item is filed as it is, heaviest reason first."""
    ordered = sorted(item.evidence, key=lambda each: -each.weight)
    return [
        Reason(
            label=_label(each, item, speaker, site, networks),
            words=one_line(each.words),
            place=speaker.text(_PLACES[each.where]) if each.where in _PLACES else each.where,
            rule=each.rule,
            weight=f"{each.weight:+.2g}",
        )
        for each in ordered
    ]


def _card(item: Item, others: Sequence[Item], speaker: Translator, site: Site, networks: Networks) -> Card:
    own = item.language == speaker.language
    return Card(
        path=site.item(speaker.language, item.id),
        title=one_line(item.title) or item.source_title,
        summary=_short(one_line(item.summary) or excerpt(item.content_html)),
        language=item.language,
        direction=direction(item.language),
        language_name="" if own else name_of(item.language, speaker),
        source=item.source_title,
        day=show_day(item.published, speaker),
        iso=item.published.isoformat(),
        has_date=item.has_date,
        regions=region_links(item, speaker, site, networks),
        others=tuple(other_version(each, speaker, site) for each in others),
    )


def _strangeness(language: LanguageCode, reader: LanguageCode) -> int:
    return {reader: 0, DEFAULT_LANGUAGE: 1}.get(language, 2)


def _short(text: str) -> str:
    if len(text) <= _SUMMARY:
        return text
    return text[:_SUMMARY].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _network_of(code: RegionCode, own: Sequence[NetworkId], networks: Networks) -> NetworkId | None:
    """The network whose page of the region fits: one the item is in, else any that lists it."""
    listed = networks.of_region(code)
    return next((each for each in listed if each in own), listed[0] if listed else None)


def _label(evidence: Evidence, item: Item, speaker: Translator, site: Site, networks: Networks) -> Link:
    language = speaker.language
    if evidence.code.startswith(_NETWORK):
        network = NetworkId(evidence.code.removeprefix(_NETWORK))
        if network in networks.networks:
            title = networks.networks[network].title(language)
            return Link(title=title, path=site.page(language, network_scope(network)))
        return Link(title=network, path="")
    code = RegionCode(evidence.code)
    region = networks.catalogue.regions.get(code)
    home = _network_of(code, item.networks, networks)
    path = site.page(language, region_scope(home, code)) if home is not None else ""
    return Link(title=region.name(language) if region else code, path=path)

"""The networks an institution works in, as configured, and the scopes news is filed under.

A *scope* is where a piece of news can be found and what a subscriber can follow; the same strings
serve feed addresses, pages, subscriptions and the outbox:

==============================  ===========================================
``all``                         everything
``regional``                    a network
``regional/district:volga``     a district of a network
``regional/RU-PNZ``             a region of a network
``source:prlib-news-en``        one source
==============================  ===========================================

Contains no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from feeds.model import LanguageCode, NetworkId, RegionCode, SourceId
from feeds.regions import FALLBACK_LANGUAGE, Catalogue, District, DistrictId, Region

#: Where news is filed, see the module's table.
Scope = NewType("Scope", str)

ALL = Scope("all")
_DISTRICT = "district:"
_SOURCE = "source:"


def network_scope(network: NetworkId) -> Scope:
    """Scope of a whole network."""
    return Scope(network)


def district_scope(network: NetworkId, district: DistrictId) -> Scope:
    """Scope of a district within a network."""
    return Scope(f"{network}/{_DISTRICT}{district}")


def region_scope(network: NetworkId, code: RegionCode) -> Scope:
    """Scope of a region within a network."""
    return Scope(f"{network}/{code}")


def source_scope(source: SourceId) -> Scope:
    """Scope of one source."""
    return Scope(f"{_SOURCE}{source}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """When an item belongs to a network although neither its source nor its section says so.

    Phrases match in any case; ``*`` stands for the rest of a word ("президентск* библиотек*"). An
    item that names a place of the network belongs to it when

    * it names the institution (``words``) and speaks of work in places (``activity``, ``branches``), or
    * it names a body that is the network by itself (``partners``), or
    * it stands at one of the network's own addresses (``urls``),

    and nothing in ``unless`` rules it out.
    """

    #: Names of the institution; empty: every item about a place of the network belongs to it.
    words: tuple[str, ...] = ()
    #: Words that make sure it is this institution and not a namesake ("ельцин*").
    own: tuple[str, ...] = ()
    #: Work in places ("читальн* зал*", "agreement"); empty: naming the institution is enough.
    activity: tuple[str, ...] = ()
    #: Bodies that house its branches ("областн* библиотек*"): beside its name they are work in a place.
    branches: tuple[str, ...] = ()
    #: Bodies whose news belongs to the network even where the institution is not named.
    partners: tuple[str, ...] = ()
    #: Words that rule the network out ("виртуальный читальный зал РГБ").
    unless: tuple[str, ...] = ()
    #: Places that have an institution of the same name; there ``own`` is asked for.
    namesakes: tuple[RegionCode, ...] = ()
    #: Where the institution itself sits: its own news names the place without being about it.
    home: tuple[RegionCode, ...] = ()
    #: Hosts of the institution: on them it need not be named.
    hosts: tuple[str, ...] = ()
    #: Parts of addresses under which all items are the network's ("prlib.ru/networknews").
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A named set of places a body works in."""

    id: NetworkId
    titles: Mapping[LanguageCode, str]
    regions: tuple[RegionCode, ...]
    #: Headings of list-page sections that mean this network, any language.
    headings: tuple[str, ...] = ()
    relevance: Relevance = field(default_factory=Relevance)

    def title(self, language: LanguageCode) -> str:
        """Title in ``language``, in English or any other where there is none."""
        return (
            self.titles.get(language)
            or self.titles.get(FALLBACK_LANGUAGE)
            or next(iter(self.titles.values()), self.id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """All configured networks over one catalogue of places."""

    catalogue: Catalogue
    networks: Mapping[NetworkId, Network]

    def of_region(self, code: RegionCode) -> tuple[NetworkId, ...]:
        """Networks that list ``code``, in configured order."""
        return tuple(each.id for each in self.networks.values() if code in each.regions)

    def districts(self, network: NetworkId) -> tuple[tuple[District, tuple[Region, ...]], ...]:
        """Districts of a network with their regions, in catalogue order."""
        codes = set(self.networks[network].regions)
        grouped: dict[DistrictId, list[Region]] = {}
        for region in self.catalogue.regions.values():
            if region.code in codes:
                grouped.setdefault(region.district, []).append(region)
        return tuple(
            (district, tuple(grouped[district.id]))
            for district in self.catalogue.districts.values()
            if district.id in grouped
        )

    def scopes_of(
        self, networks: Sequence[NetworkId], regions: Iterable[RegionCode], source: SourceId
    ) -> tuple[Scope, ...]:
        """Every scope an item is filed under: all, its source, networks, districts and regions.

        A region counts within a network only when the item belongs to that network and the
        network lists the region: the feed of a region is never wider than that of its network.
        """
        scopes = [ALL, source_scope(source)]
        codes = tuple(dict.fromkeys(regions))
        for network in networks:
            if network not in self.networks:
                continue
            scopes.append(network_scope(network))
            for code in codes:
                if code in self.networks[network].regions and code in self.catalogue.regions:
                    scopes.append(district_scope(network, self.catalogue.regions[code].district))
                    scopes.append(region_scope(network, code))
        return tuple(dict.fromkeys(scopes))

    def parse_scope(self, text: str) -> Scope | None:
        """``text`` as a scope of these networks, or ``None`` when it names nothing here."""
        if text == ALL or text.startswith(_SOURCE):
            return Scope(text)
        network, _, rest = text.partition("/")
        if NetworkId(network) not in self.networks:
            return None
        if not rest:
            return Scope(text)
        if rest.startswith(_DISTRICT):
            known = any(d.id == rest.removeprefix(_DISTRICT) for d, _ in self.districts(NetworkId(network)))
            return Scope(text) if known else None
        return Scope(text) if rest in self.networks[NetworkId(network)].regions else None

    def scope_title(self, scope: Scope, language: LanguageCode, *, everything: str) -> str:
        """Name of a scope for people; ``everything`` is the caller's word for ``all``.

        A source's scope keeps its id: only storage knows the titles of sources.
        """
        if scope == ALL:
            return everything
        if scope.startswith(_SOURCE):
            return scope.removeprefix(_SOURCE)
        network, _, rest = scope.partition("/")
        if not rest:
            return self.networks[NetworkId(network)].title(language)
        if rest.startswith(_DISTRICT):
            return self.catalogue.districts[DistrictId(rest.removeprefix(_DISTRICT))].name(language)
        return self.catalogue.regions[RegionCode(rest)].name(language)

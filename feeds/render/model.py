"""What a published feed is, whatever its format: addresses, names, ids, labels. Contains no I/O."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from feeds.model import UNDETERMINED, Item, ItemId, LanguageCode, SourceId
from feeds.networks import Networks, Scope, network_scope
from feeds.regions import Region
from feeds.render.text import tag_part

#: Year in all tag URIs (RFC 4151): ids must never move, so it is the year the scheme was minted.
TAG_YEAR = 2026

#: ``updated`` of a feed without entries; Atom wants a time (RFC 4287 §4.1.1) and we have none.
EMPTY_SINCE = datetime(2026, 1, 1, tzinfo=UTC)

#: Categories of regions name their code by the standard it is from (RFC 5141), languages by BCP 47.
SUBJECT_SCHEME = "urn:iso:std:iso:3166:-2"
COUNTRY_SCHEME = "urn:iso:std:iso:3166:-1"
LANGUAGE_SCHEME = "urn:ietf:bcp:47"


class FeedFormat(enum.StrEnum):
    """A format we publish; the value is the address's ending."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"


MEDIA_TYPES: Mapping[FeedFormat, str] = MappingProxyType(
    {
        FeedFormat.RSS: "application/rss+xml",
        FeedFormat.ATOM: "application/atom+xml",
        FeedFormat.JSON: "application/feed+json",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTranslation:
    """The same feed in another language."""

    language: LanguageCode
    page: str
    addresses: Mapping[FeedFormat, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """All about a feed but its entries. Every address is absolute."""

    #: DNS name our ids are minted under; stays when the site moves.
    authority: str
    scope: Scope
    #: Language of the entries; ``None`` when the feed holds all languages.
    language: LanguageCode | None
    #: Language of the feed's own words: title, description, labels of categories.
    label_language: LanguageCode
    title: str
    description: str
    #: Name of the site, author of the feed and of entries whose author nobody named.
    publisher: str
    publisher_url: str
    #: The HTML page that shows the same news.
    page: str
    addresses: Mapping[FeedFormat, str]
    translations: tuple[FeedTranslation, ...] = ()
    #: Address of an item's page with ``{id}`` in it.
    item_page: str
    language_names: Mapping[LanguageCode, str]
    #: WebSub hubs.
    hubs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Stable ``tag:`` URI of the feed (RFC 4151), the same in every format."""
        return self.tag(f"feed/{tag_part(self.scope)}/{self.language or 'all'}")

    def tag(self, specific: str) -> str:
        """A ``tag:`` URI of this site."""
        return f"tag:{self.authority},{TAG_YEAR}:{specific}"

    def entry_id(self, item_id: ItemId) -> str:
        """Stable id of an item's entry, the same in every feed."""
        return self.tag(f"item/{item_id}")

    def source_id(self, source_id: SourceId) -> str:
        """Our id of the feed or page an entry came from."""
        return self.tag(f"source/{tag_part(source_id)}")

    def page_of(self, item: Item) -> str:
        """Our own page of an item."""
        return self.item_page.format(id=item.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A label of an entry on one axis."""

    term: str
    scheme: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A line of the list of feeds; a line with ``children`` is a group and has no address."""

    title: str
    feed: str = ""
    page: str = ""
    language: LanguageCode | None = None
    children: tuple[Outline, ...] = ()


def feed_updated(items: Sequence[Item]) -> datetime:
    """When the feed last changed: its newest change or arrival.

    Arrival counts too: a late-found item with an old date changes the feed although its own
    ``updated`` is old.
    """
    newest = max((max(item.updated, item.first_seen) for item in items), default=EMPTY_SINCE)
    return newest.replace(microsecond=0)


def visible(items: Sequence[Item]) -> Iterator[Item]:
    """Items that may be published."""
    return (item for item in items if not item.withdrawn)


def regions_of(item: Item, networks: Networks) -> Iterator[Region]:
    """Known regions the item is about, heaviest first."""
    known = networks.catalogue.regions
    return (known[code] for code in item.regions if code in known)


def categories_of(item: Item, info: FeedInfo, networks: Networks) -> Iterator[Category]:
    """One category per label and axis: network, district, region, language."""
    words = info.label_language
    for each in item.networks:
        if each in networks.networks:
            title = networks.networks[each].title(words)
            yield Category(term=network_scope(each), scheme=info.tag("scheme/network"), label=title)
    regions = tuple(regions_of(item, networks))
    for district in dict.fromkeys(region.district for region in regions):
        name = networks.catalogue.districts[district].name(words)
        yield Category(term=district, scheme=info.tag("scheme/district"), label=name)
    for region in regions:
        scheme = SUBJECT_SCHEME if region.kind == "subject" else COUNTRY_SCHEME
        yield Category(term=region.code, scheme=scheme, label=region.name(words))
    if item.language != UNDETERMINED:
        name = info.language_names.get(item.language, item.language)
        yield Category(term=item.language, scheme=LANGUAGE_SCHEME, label=name)

"""The vocabulary: one word per concept, for every floor.

Two kinds of types per border: what a source *said* (:class:`Entry`, loose) and what we *hold*
(:class:`Item`, checked). All times are aware UTC. Contains no I/O.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

SourceId = NewType("SourceId", str)
ItemId = NewType("ItemId", int)
StoryId = NewType("StoryId", int)
#: ISO 3166-2 for subjects (``RU-PNZ``), ISO 3166-1 alpha-2 for countries (``MN``).
RegionCode = NewType("RegionCode", str)
#: Key of ``networks`` in the settings (``regional``, ``foreign``).
NetworkId = NewType("NetworkId", str)
#: ISO 639-1, lower case (``ru``); ``und`` when unknown.
LanguageCode = NewType("LanguageCode", str)

#: Language of a text nobody could name (BCP 47 "undetermined").
UNDETERMINED = LanguageCode("und")


class SourceKind(enum.StrEnum):
    """What kind of address we poll."""

    AUTO = "auto"  # look at the first answer and decide
    FEED = "feed"  # RSS, Atom, RDF or JSON Feed
    LIST = "list"  # an HTML page that lists news


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """Optional CSS selectors for a list page that resists detection; empty means detect."""

    item: str = ""
    title: str = ""
    link: str = ""
    date: str = ""
    summary: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An address we poll, as the admin configured it."""

    id: SourceId
    url: str
    kind: SourceKind = SourceKind.AUTO
    title: str = ""
    #: Prior for language detection; also the language of dates on its pages.
    language: LanguageCode | None = None
    network: NetworkId | None = None
    region: RegionCode | None = None
    #: IANA name; naive times on its pages are read in this zone.
    timezone: str = "UTC"
    #: The shortest time between two polls; ``None`` leaves it to the cadence.
    interval: timedelta | None = None
    enabled: bool = True
    #: Heading on the page -> network, on top of the networks' own headings.
    sections: Mapping[str, NetworkId] = field(default_factory=dict)
    selectors: Selectors = Selectors()


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What the server gave us to ask "changed since?"; opaque, byte for byte (RFC 9110 §8.8)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a source said once, cleaned but not yet ours.

    Every string is free of XML-illegal characters; ``title`` and ``summary`` are plain text,
    ``content_html`` has passed the allow-list cleaner, ``url`` and ``image`` are absolute http(s).
    """

    title: str
    url: str | None = None
    #: ``guid``/``atom:id`` as given; ``None`` where the source has none.
    guid: str | None = None
    summary: str = ""
    content_html: str = ""
    published: datetime | None = None
    #: What the source wrote for a date, kept for explaining.
    published_text: str = ""
    #: Which rule read the date (``rfc822``, ``month-name:ru``, ``url``, ...), or why it was dropped.
    published_rule: str = ""
    updated: datetime | None = None
    author: str = ""
    image: str | None = None
    #: ``xml:lang``/``hreflang`` as the source said; ``None`` when it did not.
    language: LanguageCode | None = None
    categories: tuple[str, ...] = ()
    #: Heading of the list the entry stood under ("Regional network"); empty in feeds.
    section: str = ""


class DocumentKind(enum.StrEnum):
    """What a fetched document turned out to be."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    RDF = "rdf"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryList:
    """One list of entries; a feed has one, a page may have several."""

    heading: str = ""
    #: What a person would subscribe to; asides (popular, announcements elsewhere) are ``False``.
    main: bool = True
    #: 0..1, how sure the detector is that this is a list of news.
    confidence: float = 1.0
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PollHints:
    """What a feed says about how often to ask (RSS ``ttl``, ``skipHours``, ``sy:``); hints only."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    #: Monday is 0.
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed feed or list page."""

    kind: DocumentKind
    title: str = ""
    language: LanguageCode | None = None
    lists: tuple[EntryList, ...] = ()
    hints: PollHints = PollHints()
    #: Feeds the page announces by ``<link rel=alternate>``, absolute.
    feeds: tuple[str, ...] = ()

    @property
    def main_entries(self) -> tuple[Entry, ...]:
        """Entries of all main lists, in page order."""
        return tuple(entry for each in self.lists if each.main for entry in each.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason for a label: which words, where, by which rule, how heavy."""

    #: Region code, or ``network:<id>`` for evidence about a network.
    code: str
    words: str
    #: ``title``, ``lead``, ``body``, ``dateline``, ``section``, ``source``, ``url``.
    where: str
    weight: float
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What an item is about, and why."""

    language: LanguageCode = UNDETERMINED
    #: Sorted; empty means "none of our networks".
    networks: tuple[NetworkId, ...] = ()
    #: What the item is about, heaviest first.
    regions: tuple[RegionCode, ...] = ()
    #: Named in passing.
    mentions: tuple[RegionCode, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    #: 0..1 for the network label and for the regions together.
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What we hold: one piece of news in one language."""

    id: ItemId
    story_id: StoryId
    source_id: SourceId
    source_title: str
    source_url: str
    url: str | None
    title: str
    summary: str
    content_html: str
    image: str | None
    author: str
    language: LanguageCode
    #: When the source says it was published; first-seen time when it does not.
    published: datetime
    #: Moves only when title, text or date really change.
    updated: datetime
    first_seen: datetime
    #: False when ``published`` is our first-seen time.
    has_date: bool
    section: str
    networks: tuple[NetworkId, ...]
    regions: tuple[RegionCode, ...]
    mentions: tuple[RegionCode, ...]
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 0.0
    withdrawn: bool = False

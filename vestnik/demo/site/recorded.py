"""The state of the recorded site: which news is out, which page each address answers with.

Contains no network I/O; :mod:`vestnik.demo.site.server` speaks HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from feeds.model import LanguageCode, RegionCode
from feeds.regions import Catalogue
from vestnik.demo.site.content import Institution, NewsItem, PreparedNews, SiteContent, Words
from vestnik.demo.site.pages import Pages, Section, Shown, show

EN = LanguageCode("en")
RU = LanguageCode("ru")
_CENTRE = "prlib"
#: Numbers of news published live; above every recorded one.
_FIRST_LIVE_NUMBER = 2_100_000
#: A list page shows so many items at most, as the real one does per section.
_PER_SECTION = 40
_HEADINGS = {
    EN: {"regional": "Regional network", "foreign": "Foreign network"},
    RU: {"regional": "Региональная сеть", "foreign": "Зарубежная сеть"},
}
_FEED_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml; charset=utf-8"}
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDocument:
    """What an address answers with."""

    body: bytes
    content_type: str
    #: Without quotes; strong.
    etag: str
    #: Whole seconds, UTC.
    last_modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published live, and where its pages are."""

    item: NewsItem
    paths: tuple[str, ...]


class RecordedSite:
    """All institutions together. ``clock`` gives aware UTC; ``address`` is set once it is known."""

    def __init__(self, content: SiteContent, *, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
        self.institutions = content.institutions
        #: ``http://127.0.0.1:8090``; feeds need it for absolute links.
        self.address = ""
        self._content = content
        self._catalogue = catalogue
        self._clock = clock
        self._pages = Pages()
        self._items: dict[str, list[NewsItem]] = {name: [] for name in content.institutions}
        for item in content.items:
            self._items[item.institution].append(item)
        self._changed = {
            name: max(item.published for item in items).replace(microsecond=0)
            for name, items in self._items.items()
        }
        self._told: set[tuple[RegionCode, int]] = set()

    # --- what is out -------------------------------------------------------------------------

    def items(self, institution: str, language: LanguageCode | None = None) -> tuple[NewsItem, ...]:
        """News of an institution, newest first; only those with a text in ``language`` if given."""
        found = [each for each in self._items[institution] if language is None or language in each.texts]
        return tuple(sorted(found, key=lambda each: (each.published, each.id), reverse=True))

    def publish(self, item: NewsItem) -> Published:
        """Put ``item`` out: it stands in lists and feeds at once, with new validators."""
        self._items[item.institution].append(item)
        self._changed[item.institution] = self._clock().replace(microsecond=0)
        institution = self.institutions[item.institution]
        return Published(
            item=item, paths=tuple(_item_path(institution, item.id, language) for language in item.texts)
        )

    def publish_about(
        self, code: RegionCode, *, languages: Sequence[LanguageCode] = (EN,)
    ) -> Published | None:
        """Publish something about a region, on the central site, as of now.

        Takes prepared news first, then general ones; ``None`` when all are out or the region is
        unknown. The text exists in English and mostly in Russian; of ``languages`` those it has.
        """
        for number, news in enumerate(self._about(code)):
            texts = {each: news.texts[each] for each in languages if each in news.texts}
            if (code, number) in self._told or not texts:
                continue
            self._told.add((code, number))
            number = _FIRST_LIVE_NUMBER + len(self._told)  # noqa: PLW2901 - from here on it is the item's
            return self.publish(
                NewsItem(
                    id=number,
                    institution=_CENTRE,
                    published=self._clock(),
                    network=news.network,
                    regions=(code,),
                    texts=texts,
                )
            )
        return None

    def prepared_regions(self) -> tuple[RegionCode, ...]:
        """Regions with news of their own to publish, in file order."""
        return tuple(dict.fromkeys(each.region for each in self._content.prepared))

    def _about(self, code: RegionCode) -> Iterator[PreparedNews]:
        region = self._catalogue.regions.get(code)
        if region is None:
            return
        yield from (each for each in self._content.prepared if each.region == code)
        network = "regional" if region.kind == "subject" else "foreign"
        for choice in self._content.fallback[network]:
            texts = {
                language: _with_region(words, region.name(language)) for language, words in choice.items()
            }
            yield PreparedNews(region=code, network=network, texts=texts)  # type: ignore[arg-type]

    # --- what an address answers -------------------------------------------------------------

    def document(self, path: str) -> SiteDocument | None:
        """The page or feed at ``path``; ``None`` when there is none."""
        for institution in self.institutions.values():
            if not path.startswith(f"/{institution.path.split('/')[1]}/"):
                continue
            centre = institution.kind == "prlib"
            return self._of_centre(path, institution) if centre else self._of_house(path, institution)
        return None

    def front(self) -> str:
        """The visitor's page, in English."""
        regions = {code: self._catalogue.regions[code].name(EN) for code in self.prepared_regions()}
        counts = {name: len(items) for name, items in self._items.items()}
        return self._pages.front(tuple(self.institutions.values()), counts=counts, regions=regions)

    def _of_centre(self, path: str, institution: Institution) -> SiteDocument | None:
        language = EN if path.startswith("/prlib/en/") else RU
        rest = path.removeprefix("/prlib/en/" if language == EN else "/prlib/")
        sections = self._sections(rest, language)
        if sections:
            title = _titles(rest, language)
            html = self._pages.network_list(sections, language=language, title=title)
            return _document(html, _HTML, self._changed[institution.id])
        item = self._numbered(institution.id, rest, ("news/", "node/"))
        if item is None or language not in item.texts:
            return None
        html = self._pages.network_item(self._show(item, language), language=language)
        return _document(html, _HTML, item.published)

    def _sections(self, page: str, language: LanguageCode) -> tuple[Section, ...]:
        items = self.items(_CENTRE, language)
        if page == "networknews":
            return tuple(
                Section(
                    heading=heading,
                    entries=self._show_all([i for i in items if i.network == network], language),
                )
                for network, heading in _HEADINGS[language].items()
            )
        if page == "regional_events" and language == RU:
            regional = [item for item in items if item.network == "regional"]
            return (Section(heading="", entries=self._show_all(regional, language)),)
        if page == "news":
            return (Section(heading="", entries=self._show_all(items, language)),)
        return ()

    def _of_house(self, path: str, institution: Institution) -> SiteDocument | None:
        language = institution.language
        changed = self._changed[institution.id]
        entries = self._show_all(self.items(institution.id), language)
        if path == institution.path and institution.kind in _FEED_TYPES:
            text = self._pages.feed(entries, institution=institution, address=self.address, changed=changed)
            return _document(text, _FEED_TYPES[institution.kind], changed, encoding=institution.encoding)
        if path in {institution.path, institution.home}:
            html = self._pages.house_list(entries, institution=institution)
            return _document(html, _HTML, changed)
        item = self._numbered(institution.id, path, (institution.item.partition("{id}")[0],))
        if item is None:
            return None
        html = self._pages.house_item(self._show(item, language), institution=institution)
        return _document(html, _HTML, item.published)

    def _numbered(self, institution: str, path: str, prefixes: Sequence[str]) -> NewsItem | None:
        for prefix in prefixes:
            number = path.removeprefix(prefix)
            if path.startswith(prefix) and number.isdecimal():
                return next((each for each in self._items[institution] if each.id == int(number)), None)
        return None

    def _show(self, item: NewsItem, language: LanguageCode) -> Shown:
        institution = self.institutions[item.institution]
        path = _item_path(institution, item.id, language)
        return show(item, language, path=path, timezone=institution.timezone)

    def _show_all(self, items: Sequence[NewsItem], language: LanguageCode) -> tuple[Shown, ...]:
        return tuple(self._show(item, language) for item in items[:_PER_SECTION])


def _titles(page: str, language: LanguageCode) -> str:
    if page == "regional_events":
        return "Мероприятия и события региональной сети"
    if page == "networknews":
        return "Regional and foreign network" if language == EN else "Региональная и зарубежная сеть"
    return "News" if language == EN else "Новости"


def _item_path(institution: Institution, number: int, language: LanguageCode) -> str:
    """Russian pages of the central site stand at its root, English ones under ``/en``."""
    path = institution.item.format(id=number)
    return path.replace("/en/", "/") if institution.kind == "prlib" and language == RU else path


def _with_region(words: Words, name: str) -> Words:
    return Words(
        title=words.title.format(region=name),
        teaser=words.teaser.format(region=name),
        body=words.body.format(region=name),
    )


def _document(text: str, content_type: str, changed: datetime, *, encoding: str = "utf-8") -> SiteDocument:
    # A character the old encoding lacks becomes a reference, as a real server of its time would write it.
    body = text.encode(encoding, "xmlcharrefreplace")
    return SiteDocument(
        body=body,
        content_type=content_type,
        etag=hashlib.sha256(body).hexdigest()[:24],
        last_modified=changed.astimezone(UTC).replace(microsecond=0),
    )

"""Which entries are new, changed or known: keys of many kinds, believed as far as they earn it.

Every entry has keys; an item remembers all keys it was ever seen under (per source).

================  ====================================  ==========================================
key               made of                               finds an item when
================  ====================================  ==========================================
``guid``          guid, folded if it is an address      never seen shared, not contradicted
``gp``            guid and place                        the guid alone is not believed
``ptd``           place, title, day                     always: three coincidences
``spot``          address with its fragment             the guid is not believed or missing
``page``          address without fragment              the same, and the page was never seen shared
``td``            title and day                         there is no address and no believed guid
``all``           all of these and the text             the same; the last resort
``title``         title                                 never; tells a re-run from new news
``shared-guid``   guid                                  never; says that ``guid`` was seen shared
``shared-page``   page                                  never; says that ``page`` was seen shared
================  ====================================  ==========================================

A key two entries of a document have finds nothing there. Guids that point to other items than place,
title and day do (counters, positions) are not believed in the whole document. Two entries of one
document become one item only if they say the same. Changing what a key is made of would double every
item: add kinds, never change one. Pure; contains no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from feeds.fingerprint import digest, fingerprint, fold_words, has_changed
from feeds.model import Entry, ItemId
from feeds.urls import canonical_url

#: Share of guids contradicted by page and title from which no guid of the document is believed.
_CONTRADICTED = 0.05
#: As many guids that agree with nothing else are no edits, but guids used again.
_FEW = 3
#: A re-run: so many entries look new (share), of which so many have known titles.
RERUN_NEW = 0.7
RERUN_TITLES = 0.8
RERUN_LEAST = 5
#: Titles at one address that share this much of their words tell the same news.
_SAME_WORDS = 0.75
#: Entries at one address compared with each other; more of them are no repeats, but a site without pages.
_NEIGHBOURS = 50
#: A title cut short still has this many words.
_CUT_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What is stored under a key."""

    #: ``None`` for a tombstone: deleted, must not come back.
    item_id: ItemId | None
    #: ``None`` when the item's text is not this source's to change.
    fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entry never seen before."""

    entry: Entry
    #: Keys to remember it by; no other item has them.
    keys: tuple[str, ...]
    fingerprint: str
    #: An item of this source had the same title: alone a coincidence, in numbers a re-run.
    title_known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A known item that says something else now."""

    entry: Entry
    item_id: ItemId
    #: All keys of the entry that are this item's or free.
    keys: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A known item that says what it said; ``item_id`` is ``None`` for a tombstone."""

    entry: Entry
    item_id: ItemId | None
    keys: tuple[str, ...]
    fingerprint: str


Match = New | Changed | Known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facets:
    """An entry with its parts folded."""

    entry: Entry
    guid: str
    page: str
    #: Page with its fragment: where several news stand on one page.
    spot: str
    title: str
    day: str

    def keys(self) -> dict[str, str]:
        """Key of each kind; empty when the entry lacks the part that makes it a key."""
        made: dict[str, tuple[str, tuple[str, ...]]] = {
            "guid": (self.guid, (self.guid,)),
            "gp": (self.guid, (self.guid, self.spot)),
            "ptd": (self.spot, (self.spot, self.title, self.day)),
            "spot": (self.spot if self.spot != self.page else "", (self.spot,)),
            "page": (self.page, (self.page,)),
            "td": ("" if self.spot else self.title, (self.title, self.day)),
            "all": (self.title, (self.guid, self.spot, self.title, self.day, self.entry.summary)),
            "title": (self.title, (self.title,)),
            "shared-guid": (self.guid, (self.guid,)),
            "shared-page": (self.page, (self.page,)),
        }
        return {kind: f"{kind}:{digest(*parts)}" if needed else "" for kind, (needed, parts) in made.items()}


_FINDING: tuple[str, ...] = ("guid", "gp", "ptd", "spot", "page", "td", "all")
#: Keys of one entry (and its repeats) by kind, each once, in order.
_Keys = Mapping[str, dict[str, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Keys of one entry that are believed in this document."""

    #: The surest first.
    find: tuple[str, ...]
    remember: tuple[str, ...]


@dataclass(slots=True)
class _Claims:
    """Keys and items already spoken for while a document is matched."""

    known: Mapping[str, KnownItem]
    items: set[ItemId] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def take(self, keys: Iterable[str], owner: KnownItem | None) -> tuple[str, ...]:
        """Of ``keys`` those that are free or the owner's already; from now on nobody else's."""
        kept = tuple(key for key in dict.fromkeys(keys) if key not in self.keys and self._is_open(key, owner))
        self.keys.update(kept)
        return kept

    def _is_open(self, key: str, owner: KnownItem | None) -> bool:
        stored = self.known.get(key)
        return stored is None or (owner is not None and stored.item_id == owner.item_id)


def entry_keys(entries: Sequence[Entry]) -> tuple[tuple[str, ...], ...]:
    """For each entry every key it could be known by: what to look up before :func:`match_entries`."""
    return tuple(tuple(filter(None, _facets(entry).keys().values())) for entry in entries)


def match_entries(entries: Sequence[Entry], known: Mapping[str, KnownItem]) -> tuple[Match, ...]:
    """New, changed or known, in the order of ``entries``; ``known`` is what is stored under their keys.

    Entries that repeat another one of the document are left out, their keys are kept with it. Another
    order of the same entries gives the same answers.
    """
    groups = _without_repeats([_facets(entry) for entry in entries])
    plans = _plans(groups, known)
    claims = _Claims(known)
    found = _find_known(plans, claims)
    # Known items first: a new entry must not take a key one of them needs.
    decided: dict[int, Match] = {
        n: _decide_known(groups[n][0], owner, claims.take(plans[n].remember, owner))
        for n, owner in found.items()
    }
    for n, group in enumerate(groups):
        if n not in decided:
            decided[n] = _decide_unfound(group[0], plans[n], claims)
    return tuple(decided[n] for n in range(len(groups)))


def is_rerun(matches: Sequence[Match]) -> bool:
    """Whether a source shows old news under new keys: to be held back for a person to look at."""
    new = [match for match in matches if isinstance(match, New)]
    if len(new) < RERUN_LEAST or len(new) < RERUN_NEW * len(matches):
        return False
    return sum(match.title_known for match in new) >= RERUN_TITLES * len(new)


def is_same_news(one: str, other: str) -> bool:
    """Whether two titles at one address are one piece of news: equal, one cut short, or nearly equal."""
    words, others = fold_words(one).split(), fold_words(other).split()
    if words == others or _is_cut(one, other):
        return True
    apart, both = set(words) ^ set(others), set(words) & set(others)
    # "Выпуск 5" and "Выпуск 6" at one address are two.
    if any(word.isdecimal() for word in apart):
        return False
    shorter, longer = sorted((words, others), key=len)
    if len(shorter) >= _CUT_WORDS and longer[: len(shorter)] == shorter:
        return True
    return len(both) > _SAME_WORDS * len(both | apart)


def _is_cut(one: str, other: str) -> bool:
    """Whether the shorter of two titles is the other, cut at its "…"."""
    shorter, longer = sorted((one.strip(), other.strip()), key=len)
    if not shorter.endswith(("…", "...")):
        return False
    head = fold_words(shorter)
    return len(head.split()) >= _CUT_WORDS and fold_words(longer).startswith(head)


def _facets(entry: Entry) -> _Facets:
    guid, url = (entry.guid or "").strip(), entry.url or ""
    page = canonical_url(url) if url else ""
    spot = canonical_url(url, keep_fragment=True) if "#" in url else page
    return _Facets(
        entry=entry,
        guid=spot if guid == url else canonical_url(guid, keep_fragment=True),
        page=page,
        spot=spot,
        title=fold_words(entry.title) or entry.title,
        day=entry.published.date().isoformat() if entry.published else "",
    )


def _without_repeats(facets: Sequence[_Facets]) -> list[list[_Facets]]:
    """Entries that say the same, together, so that a list shown twice on a page counts once."""
    groups: list[list[_Facets]] = []
    at_place: dict[str, list[list[_Facets]]] = {}
    for facet in facets:
        neighbours = at_place.setdefault(facet.spot or facet.guid or facet.title, [])
        same = [group for group in neighbours[:_NEIGHBOURS] if any(_repeats(facet, each) for each in group)]
        if not same:
            neighbours.append([facet])
            groups.append(neighbours[-1])
            continue
        # One that repeats two groups makes them one, or the order of a document would matter.
        same[0].append(facet)
        for group in same[1:]:
            same[0].extend(group)
            group.clear()
    return [group for group in groups if group]


def _repeats(one: _Facets, other: _Facets) -> bool:
    """Whether two entries at one place are one: nothing they give tells them apart."""
    days_agree = one.day == other.day or not (one.day and other.day)
    if one.title == other.title and days_agree and _says_the_same(one.entry, other.entry):
        return True  # also under two guids
    if one.guid != other.guid:
        return False
    if one.guid and one.title == other.title:
        return True
    same_title = one.title == other.title or _is_cut(one.entry.title, other.entry.title)
    return bool(one.spot) and days_agree and same_title


def _says_the_same(one: Entry, other: Entry) -> bool:
    return not has_changed(fingerprint(one), fingerprint(other)) or not has_changed(
        fingerprint(other), fingerprint(one)
    )


def _plans(groups: Sequence[Sequence[_Facets]], known: Mapping[str, KnownItem]) -> list[_Plan]:
    keys = [_group_keys(group) for group in groups]
    seen = Counter(key for each in keys for kind in _FINDING for key in each[kind])
    guids_hold = not _guids_are_contradicted(keys, known)
    return [_plan(each, seen, known, guids_hold=guids_hold) for each in keys]


def _group_keys(group: Sequence[_Facets]) -> _Keys:
    made = [facet.keys() for facet in group]
    return {kind: dict.fromkeys(each[kind] for each in made if each[kind]) for kind in made[0]}


def _plan(keys: _Keys, seen: Mapping[str, int], known: Mapping[str, KnownItem], *, guids_hold: bool) -> _Plan:
    own = {kind: [key for key in keys[kind] if seen[key] == 1] for kind in _FINDING}
    told = [*keys["title"]]
    if len(own["guid"]) < len(keys["guid"]) or not guids_hold or any(k in known for k in keys["shared-guid"]):
        own["guid"] = []
        told += keys["shared-guid"]
    if len(own["page"]) < len(keys["page"]) or any(key in known for key in keys["shared-page"]):
        own["page"] = []
        told += keys["shared-page"]
    # A believed guid needs no page: where the guid is new, the news is, unless all else agrees.
    find = ("guid", "ptd") if own["guid"] else _FINDING
    remember = tuple(kind for kind in _FINDING if kind != "gp") if own["guid"] else _FINDING
    return _Plan(
        find=tuple(key for kind in find for key in own[kind]),
        remember=(*(key for kind in remember for key in own[kind]), *told),
    )


def _guids_are_contradicted(keys: Sequence[_Keys], known: Mapping[str, KnownItem]) -> bool:
    """Whether guids are used again for other news: positions, counters that start anew."""
    matched = contradicted = alone = 0
    for each in keys:
        item = _owner(each["guid"], known)
        if item is None or item.item_id is None:
            continue
        matched += 1
        same = _owner(each["ptd"], known)
        contradicted += same is not None and same.item_id != item.item_id
        # Without an address only the title could agree, and titles are edited.
        agrees = any(_owner(each[kind], known) for kind in ("ptd", "spot", "page", "title"))
        alone += bool(each["page"]) and not agrees
    return contradicted > _CONTRADICTED * matched or (alone >= _FEW and alone > matched / 2)


def _owner(keys: Iterable[str], known: Mapping[str, KnownItem]) -> KnownItem | None:
    return next((known[key] for key in keys if key in known), None)


def _find_known(plans: Sequence[_Plan], claims: _Claims) -> dict[int, KnownItem]:
    """Stored items of entries: all by their surest key first, so that no weaker key takes an item away."""
    found: dict[int, KnownItem] = {}
    for rank in range(max((len(plan.find) for plan in plans), default=0)):
        for n, plan in enumerate(plans):
            owner = claims.known.get(plan.find[rank]) if n not in found and rank < len(plan.find) else None
            if owner is None or owner.item_id in claims.items:
                continue
            found[n] = owner
            if owner.item_id is not None:
                claims.items.add(owner.item_id)
    return found


def _decide_known(facet: _Facets, owner: KnownItem, keys: tuple[str, ...]) -> Match:
    said = fingerprint(facet.entry)
    if owner.item_id is None or owner.fingerprint is None or not has_changed(owner.fingerprint, said):
        return Known(entry=facet.entry, item_id=owner.item_id, keys=keys, fingerprint=said)
    return Changed(entry=facet.entry, item_id=owner.item_id, keys=keys, fingerprint=said)


def _decide_unfound(facet: _Facets, plan: _Plan, claims: _Claims) -> Match:
    keys = claims.take(plan.remember, None)
    said = fingerprint(facet.entry)
    owned = _owner(plan.find, claims.known)
    if owned is not None and not set(keys) & set(plan.find):
        # Another entry of the document is that item already, and nothing would find this one again:
        # as new it would come back at every poll.
        return Known(entry=facet.entry, item_id=owned.item_id, keys=(), fingerprint=said)
    title_known = facet.keys()["title"] in claims.known
    return New(entry=facet.entry, keys=keys, fingerprint=said, title_known=title_known)

"""Which networks an item belongs to: its source, its section, else its places and relevance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.classify.gazetteer import Mark
from feeds.classify.text import Reading, fold
from feeds.model import Evidence, NetworkId, RegionCode
from feeds.networks import Network

#: Weight of evidence that settles the question.
DECISIVE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an item says about one network, in positions of its text."""

    words: tuple[Mark, ...] = ()
    own: tuple[Mark, ...] = ()
    activity: tuple[Mark, ...] = ()
    partners: tuple[Mark, ...] = ()
    unless: tuple[Mark, ...] = ()


def phrases(networks: Iterable[Network]) -> dict[str, tuple[str, ...]]:
    """Every network's words by label ``<network>/<list>``, for the gazetteer."""
    found: dict[str, tuple[str, ...]] = {}
    for network in networks:
        relevance = network.relevance
        for name in ("words", "own", "activity", "partners", "unless"):
            found[f"{network.id}/{name}"] = getattr(relevance, name)
    return found


def said_of(network: NetworkId, marks: Iterable[Mark]) -> Said:
    """The marks of one network, by list."""
    lists: dict[str, list[Mark]] = {}
    prefix = f"{network}/"
    for mark in marks:
        if mark.label.startswith(prefix):
            lists.setdefault(mark.label.removeprefix(prefix), []).append(mark)
    return Said(**{name: tuple(found) for name, found in lists.items()})


def decide_by_address(
    section: str, sections: Mapping[str, NetworkId], source_network: NetworkId | None, networks: Iterable[Network]
) -> Evidence | None:
    """The network its section or source names; a section beats the source's default."""
    heading = _plain(section)
    if heading:
        for key, network in sections.items():
            if _plain(key) == heading:
                return _decisive(network, section, "section", "section-of-source")
        for each in networks:
            if any(_plain(own) == heading for own in each.headings):
                return _decisive(each.id, section, "section", "heading-of-network")
    if source_network is not None:
        return _decisive(source_network, "", "source", "source-default")
    return None


def _plain(heading: str) -> str:
    return " ".join(fold(heading).split()).strip(" :.•|-")


def _decisive(network: NetworkId, words: str, where: str, rule: str) -> Evidence:
    return Evidence(code=f"network:{network}", words=words, where=where, weight=DECISIVE, rule=rule)


def names_institution(network: Network, said: Said, url: str | None) -> bool:
    """Whether the item is about the institution: by name, or by standing at its own address."""
    return bool(said.words) or _is_own_host(network, url)


def _is_own_host(network: Network, url: str | None) -> bool:
    return bool(url) and urlsplit(url or "").netloc.lower() in network.relevance.hosts


def decide_by_content(
    network: Network, said: Said, regions: tuple[RegionCode, ...], reading: Reading, url: str | None
) -> Evidence | None:
    """Why the item belongs to ``network`` judging by what it says, or ``None``."""
    relevance = network.relevance
    places = [code for code in regions if code in network.regions]
    if not places:
        return None
    if url and any(part in url for part in relevance.urls):
        return _because(network, url, "url", 4.0, "address-of-network")
    if not (relevance.words or relevance.partners):
        return _because(network, "", "body", 1.0, "region-alone")
    ruled_out = bool(said.unless)
    by_words = _by_words(network, said, places, reading, url)
    if by_words is not None and not (ruled_out and by_words.weight < 3):
        return by_words
    if said.partners and not ruled_out:
        return _because(network, _words(said.partners[0], reading), reading.place(said.partners[0].start), 3.0, "partner")
    return None


def _by_words(
    network: Network, said: Said, places: list[RegionCode], reading: Reading, url: str | None
) -> Evidence | None:
    relevance = network.relevance
    named = said.words[0] if said.words else None
    if named is None and not (_is_own_host(network, url) and said.activity):
        return None
    if named is not None and any(code in relevance.namesakes for code in places) and not said.own:
        return None
    if relevance.activity and not said.activity:
        return None
    words = _words(named, reading) if named else ""
    act = _words(said.activity[0], reading) if said.activity else ""
    where = reading.place((named or said.activity[0]).start)
    weight = 3.0 if named is not None else 2.0
    return _because(network, " + ".join(filter(None, (words, act))), where, weight, "institution")


def _words(mark: Mark, reading: Reading) -> str:
    return reading.original[mark.start : mark.end]


def _because(network: Network, words: str, where: str, weight: float, rule: str) -> Evidence:
    return Evidence(code=f"network:{network.id}", words=words, where=where, weight=weight, rule=rule)

"""Which networks an item belongs to: its source, its section, else its places and relevance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.classify.gazetteer import Mark
from feeds.classify.text import Reading, fold
from feeds.classify.weigh import Weighed
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
    branches: tuple[Mark, ...] = ()
    partners: tuple[Mark, ...] = ()
    unless: tuple[Mark, ...] = ()


def phrases(networks: Iterable[Network]) -> dict[str, tuple[str, ...]]:
    """Every network's words by label ``<network>/<list>``, for the gazetteer."""
    found: dict[str, tuple[str, ...]] = {}
    for network in networks:
        relevance = network.relevance
        for name in ("words", "own", "activity", "branches", "partners", "unless"):
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
    section: str,
    sections: Mapping[str, NetworkId],
    source_network: NetworkId | None,
    networks: Iterable[Network],
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


def _is_own_host(network: Network, url: str | None) -> bool:
    return bool(url) and urlsplit(url or "").netloc.lower() in network.relevance.hosts


def decide_by_content(
    network: Network, said: Said, weighed: Weighed, reading: Reading, url: str | None
) -> Evidence | None:
    """Why the item belongs to ``network`` judging by what it says, or ``None``."""
    relevance = network.relevance
    places = [code for code in weighed.regions if code in network.regions]
    if not places:
        return None
    if url and any(part in url for part in relevance.urls):
        return _because(network, url, "url", 4.0, "address-of-network")
    if not (relevance.words or relevance.partners):
        return _because(network, "", "body", 1.0, "region-alone")
    return _by_name(network, said, places, weighed, reading) or _by_others(network, said, reading, url)


def _by_name(
    network: Network, said: Said, places: list[RegionCode], weighed: Weighed, reading: Reading
) -> Evidence | None:
    """It names the institution, no namesake of it, and work in places."""
    relevance = network.relevance
    work = said.activity or said.branches
    if not said.words or (relevance.activity and not work):
        return None
    at_home = any(code in relevance.home for code in weighed.totals)
    if any(code in relevance.namesakes for code in places) and not (said.own or at_home):
        return None
    return _institution(network, (*said.words[:1], *work[:1]), reading, weight=3.0)


def _by_others(network: Network, said: Said, reading: Reading, url: str | None) -> Evidence | None:
    """It names a body that is the network by itself, or stands at the institution's own address."""
    if said.unless:
        return None
    if said.partners:
        return _institution(network, said.partners[:1], reading, weight=3.0, rule="partner")
    if not said.words and said.activity and _is_own_host(network, url):
        return _institution(network, said.activity[:1], reading, weight=2.0, rule="own-address")
    return None


def _institution(
    network: Network, marks: tuple[Mark, ...], reading: Reading, *, weight: float, rule: str = "institution"
) -> Evidence:
    words = " + ".join(_words(mark, reading) for mark in marks)
    return _because(network, words, reading.place(marks[0].start), weight, rule)


def _words(mark: Mark, reading: Reading) -> str:
    return reading.original[mark.start : mark.end]


def _because(network: Network, words: str, where: str, weight: float, rule: str) -> Evidence:
    return Evidence(code=f"network:{network.id}", words=words, where=where, weight=weight, rule=rule)

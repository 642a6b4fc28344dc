"""What a piece of news is about: its language, its networks, its regions, and why.

A gazetteer of spellings in one automaton, rules about the words around a place, weights by where it
stands, and the networks' own configuration. Deterministic; reads its tables once when built and does
no I/O afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feeds.classify.context import judge
from feeds.classify.decide import Said, decide_by_address, decide_by_content, phrases, said_of
from feeds.classify.gazetteer import Gazetteer, build_gazetteer
from feeds.classify.text import Reading, read
from feeds.classify.weigh import ABOUT, ABOUT_HEADQUARTERS, ABOUT_NAMED, Weighed, weigh
from feeds.language import Detector
from feeds.model import Classification, Evidence, LanguageCode, NetworkId, RegionCode
from feeds.networks import Network, Networks

__all__ = ["Classifier", "ClassifyRequest", "build_classifier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyRequest:
    """All the classifier may know about an item."""

    title: str
    text: str = ""
    #: What the feed or the source says; a prior, not a verdict.
    language: LanguageCode | None = None
    url: str | None = None
    #: Heading of the list the item stood under.
    section: str = ""
    source_network: NetworkId | None = None
    source_region: RegionCode | None = None
    #: The source's own headings, on top of the networks'.
    sections: Mapping[str, NetworkId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """Answers what an item is about. Safe to share between threads."""

    networks: Networks
    gazetteer: Gazetteer
    detector: Detector

    def classify(self, request: ClassifyRequest) -> Classification:
        """Language, networks, regions and mentions of an item, with the evidence for each."""
        reading = read(request.title, request.text)
        language = self.detector.detect(reading.original, prior=request.language)
        hits, marks = self.gazetteer.find(reading, language.code)
        said = {each: said_of(each, marks) for each in self.networks.networks}
        named = [each for each in self.networks.networks.values() if said[each.id].words]
        weighed = weigh(
            judge(hits, marks, reading),
            reading,
            home=frozenset(code for each in named for code in each.relevance.home),
            source_region=request.source_region,
            about=_least(named, said),
        )
        settled = decide_by_address(
            request.section, request.sections, request.source_network, self.networks.networks.values()
        )
        reasons = [settled] if settled else self._by_content(said, weighed, reading, request.url)
        return Classification(
            language=language.code,
            networks=tuple(sorted(NetworkId(r.code.removeprefix("network:")) for r in reasons)),
            regions=weighed.regions,
            mentions=weighed.mentions,
            evidence=(*reasons, *weighed.evidence),
            confidence=weighed.confidence,
        )

    def _by_content(
        self, said: Mapping[NetworkId, Said], weighed: Weighed, reading: Reading, url: str | None
    ) -> list[Evidence]:
        """The network of the heaviest place that has a reason, if any."""
        reasons = []
        for network in self.networks.networks.values():
            reason = decide_by_content(network, said[network.id], weighed, reading, url)
            if reason is not None:
                places = [weighed.totals[code] for code in weighed.regions if code in network.regions]
                reasons.append((max(places), reason))
        return [max(reasons, key=lambda pair: pair[0])[1]] if reasons else []


def _least(named: list[Network], said: Mapping[NetworkId, Said]) -> float:
    if not named:
        return ABOUT
    working = any(
        said[each.id].activity or said[each.id].branches or said[each.id].partners for each in named
    )
    return ABOUT_NAMED if working else ABOUT_HEADQUARTERS


def build_classifier(networks: Networks, *, languages: tuple[LanguageCode, ...]) -> Classifier:
    """A classifier for these networks; ``languages`` are those news is expected in."""
    return Classifier(
        networks=networks,
        gazetteer=build_gazetteer(networks.catalogue, phrases(networks.networks.values())),
        detector=Detector(languages),
    )

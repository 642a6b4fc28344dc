"""What a piece of news is about: its language, its networks, its regions, and why.

A gazetteer of spellings in one automaton, rules about the words around a place, weights by where it
stands, and the networks' own configuration. Deterministic; reads its tables once when built and does
no I/O afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feeds.classify.context import judge
from feeds.classify.decide import decide_by_address, decide_by_content, names_institution, phrases, said_of
from feeds.classify.gazetteer import Gazetteer, build_gazetteer
from feeds.classify.text import read
from feeds.classify.weigh import Weighed, weigh
from feeds.language import Detector
from feeds.model import Classification, Evidence, LanguageCode, NetworkId, RegionCode
from feeds.networks import Networks

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
        home = frozenset(
            code
            for each in self.networks.networks.values()
            if names_institution(each, said[each.id], request.url)
            for code in each.relevance.home
        )
        weighed = weigh(
            judge(hits, marks, reading), reading, home=home, source_region=request.source_region
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

    def _by_content(self, said, weighed: Weighed, reading, url: str | None) -> list[Evidence]:
        reasons = []
        for network in self.networks.networks.values():
            reason = decide_by_content(network, said[network.id], weighed.regions, reading, url)
            if reason is not None:
                reasons.append((max((weighed.totals[c] for c in weighed.regions if c in network.regions), default=0), reason))
        reasons.sort(key=lambda pair: -pair[0])
        return [reason for _, reason in reasons[:1]]


def build_classifier(networks: Networks, *, languages: tuple[LanguageCode, ...]) -> Classifier:
    """A classifier for these networks; ``languages`` are those news is expected in."""
    return Classifier(
        networks=networks,
        gazetteer=build_gazetteer(networks.catalogue, phrases(networks.networks.values())),
        detector=Detector(languages),
    )

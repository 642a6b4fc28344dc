"""How well the classifier does on labelled items: ``python bench/eval_classify.py FILE.jsonl``.

Prints accuracy of networks, micro and macro F1 and exact sets of regions, accuracy of countries, the
same by language and by length, accuracy at lower coverage, what was confused, and two baselines that
need no classifier. Scoring: an answer in ``networks_accepted`` is right; codes in ``regions_optional``
are neither asked for nor wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feeds.classify import Classifier, ClassifyRequest, build_classifier
from feeds.model import Classification, LanguageCode, NetworkId, RegionCode
from vestnik.config import load_config

ROOT = Path(__file__).resolve().parent.parent

#: Left of these many characters of title and text an item is short, or middling.
SHORT, MIDDLING = 150, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One item with what was wanted and what came."""

    item: dict[str, Any]
    network: str
    regions: frozenset[str]
    confidence: float

    @property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.item["regions"])

    @property
    def optional(self) -> frozenset[str]:
        return frozenset(self.item.get("regions_optional", ()))

    @property
    def network_right(self) -> bool:
        return self.network in (self.item.get("networks_accepted") or [self.item["network"]])

    @property
    def right(self) -> frozenset[str]:
        return self.regions & self.wanted

    @property
    def wrong(self) -> frozenset[str]:
        return self.regions - self.wanted - self.optional

    @property
    def missed(self) -> frozenset[str]:
        return self.wanted - self.regions

    @property
    def exact(self) -> bool:
        return not self.wrong and not self.missed

    @property
    def country_right(self) -> bool:
        return countries(self.wrong) <= countries(self.wanted | self.optional) and countries(
            self.wanted
        ) <= countries(self.regions | (self.optional & self.regions))

    @property
    def characters(self) -> int:
        return len(self.item["title"]) + len(self.item.get("text", ""))


def countries(codes: Iterable[str]) -> frozenset[str]:
    """The countries behind codes: all federal subjects lie in one network country."""
    return frozenset("RU" if "-" in code else code for code in codes)


def network_name(networks: Sequence[str]) -> str:
    """``none``, the one network, or ``both``."""
    return "none" if not networks else networks[0] if len(networks) == 1 else "both"


def scored(item: dict[str, Any], answer: Classification) -> Scored:
    return Scored(
        item=item,
        network=network_name(answer.networks),
        regions=frozenset(answer.regions),
        confidence=answer.confidence,
    )


def f1(found: Iterable[Scored]) -> tuple[float, float, float]:
    """Precision, recall and F1 over all codes."""
    right = wrong = missed = 0
    for each in found:
        right, wrong, missed = right + len(each.right), wrong + len(each.wrong), missed + len(each.missed)
    precision, recall = right / (right + wrong or 1), right / (right + missed or 1)
    return precision, recall, 2 * precision * recall / (precision + recall or 1)


def macro_f1(found: Sequence[Scored]) -> float:
    """Mean over regions of the F1 of each, so that the many items of one region weigh no more than another's."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for each in found:
        right.update(each.right)
        wrong.update(each.wrong)
        missed.update(each.missed)
    codes = {code for each in found for code in each.wanted}
    return sum(2 * right[c] / (2 * right[c] + wrong[c] + missed[c]) for c in codes) / (len(codes) or 1)


def share(found: Sequence[Scored], test: Callable[[Scored], bool]) -> float:
    return sum(map(test, found)) / (len(found) or 1)


def line(name: str, found: Sequence[Scored]) -> str:
    precision, recall, micro = f1(found)
    return (
        f"{name:<22}{len(found):>5}  network {share(found, lambda s: s.network_right):.3f}"
        f"  regions P {precision:.3f} R {recall:.3f} F1 {micro:.3f} macro {macro_f1(found):.3f}"
        f"  exact {share(found, lambda s: s.exact):.3f}  country {share(found, lambda s: s.country_right):.3f}"
    )


def grouped(found: Sequence[Scored], key: Callable[[Scored], str]) -> Iterable[tuple[str, list[Scored]]]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for each in found:
        groups[key(each)].append(each)
    return sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def length(each: Scored) -> str:
    if each.characters <= SHORT:
        return f"up to {SHORT} characters"
    return f"up to {MIDDLING} characters" if each.characters <= MIDDLING else "longer"


def coverage(found: Sequence[Scored]) -> Iterable[str]:
    """Accuracy over the surest share of the items."""
    ranked = sorted(found, key=lambda s: -s.confidence)
    for part in (1.0, 0.95, 0.9, 0.8, 0.7, 0.5):
        kept = ranked[: max(1, round(len(ranked) * part))]
        yield (
            f"{part:>6.0%}  network {share(kept, lambda s: s.network_right):.3f}  exact "
            f"{share(kept, lambda s: s.exact):.3f}  from confidence {kept[-1].confidence:.2f}"
        )


def baselines(items: Sequence[dict[str, Any]], classifier: Classifier) -> Iterable[tuple[str, list[Scored]]]:
    """What a table by host would say (each host's other items vote), and what the first place named would."""
    by_host: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        by_host[item.get("source", "")].append(item)
    from_source, first_place = [], []
    for item in items:
        others = [each for each in by_host[item.get("source", "")] if each is not item] or [item]
        network = Counter(each["network"] for each in others).most_common(1)[0][0]
        sets = Counter(tuple(sorted(each["regions"])) for each in others)
        usual = sets.most_common(1)[0][0] if others[0] is not item else ()
        from_source.append(answer(item, network if others[0] is not item else "none", usual))
        request = ClassifyRequest(title=item["title"], text=item.get("text", ""), language=item["language"])
        seen = classifier.classify(request)
        places = [each for each in seen.evidence if not each.code.startswith("network:")]
        text = f"{item['title']}\n{item.get('text', '')}"
        first = sorted(places, key=lambda each: text.find(each.words))[:1]
        codes = [each.code for each in first]
        guess = network_name(classifier.networks.of_region(RegionCode(codes[0]))) if codes else "none"
        first_place.append(answer(item, guess, codes))
    yield "source default only", from_source
    yield "first place named", first_place


def answer(item: dict[str, Any], network: str, codes: Iterable[str]) -> Scored:
    return Scored(item=item, network=network, regions=frozenset(codes), confidence=0.0)


def confusions(found: Sequence[Scored]) -> Iterable[str]:
    for each in found:
        if each.exact and each.network_right:
            continue
        item = each.item
        faults = []
        if not each.network_right:
            faults.append(f"network {item['network']} -> {each.network}")
        if each.wrong or each.missed:
            faults.append(f"missed {sorted(each.missed)} wrong {sorted(each.wrong)}")
        yield f"{item['id']} [{item['language']}] {item['title'][:70]}: {'; '.join(faults)}"


def classify_all(classifier: Classifier, items: Sequence[dict[str, Any]]) -> tuple[list[Scored], float]:
    requests = [
        ClassifyRequest(
            title=item["title"],
            text=item.get("text", ""),
            language=LanguageCode(item["language"]) if item.get("language") else None,
            url=item.get("url"),
            section=item.get("section", ""),
            source_network=NetworkId(item["source_network"]) if item.get("source_network") else None,
        )
        for item in items
    ]
    # Once to warm up: the language model is read when the first short text needs it.
    for request in requests:
        classifier.classify(request)
    started = time.perf_counter()
    answers = [classifier.classify(request) for request in requests]
    seconds = time.perf_counter() - started
    return [scored(item, each) for item, each in zip(items, answers, strict=True)], seconds


def main() -> int:
    """Evaluate on a file of labelled items, one JSON object a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("items", type=Path)
    parser.add_argument("--config", type=Path, default=ROOT / "config.yaml", help="networks and languages")
    parser.add_argument("--brief", action="store_true", help="only the first line")
    given = parser.parse_args()
    config = load_config(given.config)
    started = time.perf_counter()
    classifier = build_classifier(
        config.networks, languages=tuple(map(LanguageCode, config.settings.languages))
    )
    built = time.perf_counter() - started
    items = [
        json.loads(each) for each in given.items.read_text(encoding="utf-8").splitlines() if each.strip()
    ]
    found, seconds = classify_all(classifier, items)
    print(line("all", found))
    if given.brief:
        return 0
    print(f"built in {built:.2f} s, {len(items) / seconds:,.0f} items a second\n\nbaselines")
    for name, guessed in baselines(items, classifier):
        print(line(name, guessed))
    for title, key in (
        ("language", lambda s: s.item["language"]),
        ("length", length),
        ("network", lambda s: s.item["network"]),
    ):
        print(f"\nby {title}")
        for name, group in grouped(found, key):
            print(line(name, group))
    print("\ncoverage")
    print("\n".join(coverage(found)))
    print("\nconfusions")
    print("\n".join(confusions(found)) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())

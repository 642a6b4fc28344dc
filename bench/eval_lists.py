"""How well list pages are read: ``python bench/eval_lists.py FOLDER``.

FOLDER holds ``truth.jsonl`` and the pages it names. With several main lists the largest of them or
their union are both right, whichever fits better; a date the truth leaves open is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feeds.errors import ParseError
from feeds.listpage import parse_list_page
from feeds.model import Document, Entry, LanguageCode
from feeds.urls import canonical_url

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
#: The main list counts as found when at least half of its items are among ours.
FOUND = 0.5


@dataclass(slots=True)
class Score:
    wanted: int = 0
    given: int = 0
    right: int = 0
    dates_wanted: int = 0
    dates_right: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def dates(self) -> float:
        return self.dates_right / self.dates_wanted if self.dates_wanted else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def add(self, other: Score) -> None:
        for name in ("wanted", "given", "right", "dates_wanted", "dates_right"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def folded(title: str) -> str:
    legal = "".join(each for each in title if unicodedata.category(each) != "Cc" or each.isspace())
    text = unicodedata.normalize("NFKC", legal).lower().rstrip("…. ")
    return " ".join(text.split())


def is_same_title(ours: str, truth: str) -> bool:
    a, b = folded(ours), folded(truth)
    is_cut = title_is_cut(truth) or title_is_cut(ours)
    return a == b or (is_cut and (a.startswith(b[:30]) or b.startswith(a[:30])))


def title_is_cut(title: str) -> bool:
    return title.rstrip().endswith(("…", "..."))


def score(entries: list[Entry], truth: list[dict[str, Any]]) -> Score:
    result = Score(wanted=len({canonical_url(item["href"]) for item in truth}), given=len(entries))
    by_url: dict[str, list[dict[str, Any]]] = {}
    for item in truth:
        by_url.setdefault(canonical_url(item["href"]), []).append(item)
    for entry in entries:
        items = by_url.pop(canonical_url(entry.url or ""), [])
        item = next((each for each in items if is_same_title(entry.title, each["title"])), None)
        if item is None:
            continue
        result.right += 1
        if item.get("date"):
            result.dates_wanted += 1
            result.dates_right += (
                entry.published is not None and entry.published.date().isoformat() == item["date"]
            )
    return result


def best_score(document: Document, lists: list[dict[str, Any]]) -> Score:
    mains = [each for each in lists if each["main"]]
    largest = max(mains, key=lambda each: len(each["items"]))
    union = [item for each in mains for item in each["items"]]
    ours = list({entry.url: entry for entry in document.main_entries}.values())
    return max((score(ours, truth) for truth in (largest["items"], union)), key=lambda each: each.f1)


def read(folder: Path, row: dict[str, Any]) -> tuple[Document | None, float, str]:
    text = (folder / f"{row['id']}.html").read_text("utf-8", errors="replace")
    start = time.perf_counter()
    try:
        document = parse_list_page(
            text, url=row["base_url"], language=LanguageCode(row["lang"]), timezone="UTC", now=NOW
        )
    except ParseError as error:
        return None, time.perf_counter() - start, f"{error.reason}: {error.detail}"
    return document, time.perf_counter() - start, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="print missing, extra and wrongly dated items"
    )
    options = parser.parse_args()
    rows = [
        json.loads(line) for line in (options.folder / "truth.jsonl").read_text("utf-8").splitlines() if line
    ]
    total, found = Score(), 0
    print(f"{'page':22} {'main':>4} {'prec':>6} {'recall':>6} {'dates':>6} {'items':>9} {'ms':>6}  lists")
    for row in rows:
        document, seconds, why = read(options.folder, row)
        if document is None:
            print(f"{row['id']:22} no list: {why}")
            total.wanted += max(len(each["items"]) for each in row["lists"] if each["main"])
            continue
        result = best_score(document, row["lists"])
        is_found = result.recall >= FOUND
        found += is_found
        total.add(result)
        shown = ", ".join(
            f"{'*' if each.main else ''}{each.heading[:18]}:{len(each.entries)}" for each in document.lists
        )
        print(
            f"{row['id']:22} {'yes' if is_found else 'NO':>4} {result.precision:6.3f} {result.recall:6.3f} "
            f"{result.dates:6.3f} {result.right:4}/{result.wanted:<4} {seconds * 1000:6.1f}  {shown[:150]}"
        )
        if options.verbose:
            explain(document, row["lists"])
    print(
        f"\nmain list found {found}/{len(rows)} = {found / len(rows):.3f} · precision {total.precision:.3f} · "
        f"recall {total.recall:.3f} · dates {total.dates:.3f} ({total.dates_right}/{total.dates_wanted})"
    )
    is_good = (
        found >= 0.95 * len(rows) and total.precision >= 0.97 and total.recall >= 0.95 and total.dates >= 0.95
    )
    return 0 if is_good else 1


def explain(document: Document, lists: list[dict[str, Any]]) -> None:
    truth = {canonical_url(item["href"]): item for each in lists if each["main"] for item in each["items"]}
    ours = {canonical_url(entry.url or ""): entry for entry in document.main_entries}
    for url, item in truth.items():
        entry = ours.get(url)
        if entry is None:
            print(f"      missing  {item['title'][:70]!r} {url}")
        elif not is_same_title(entry.title, item["title"]):
            print(f"      title    {entry.title[:70]!r} for {item['title'][:70]!r}")
        elif item.get("date") and (
            entry.published is None or entry.published.date().isoformat() != item["date"]
        ):
            print(
                f"      date     {entry.published} [{entry.published_rule}: {entry.published_text!r}] "
                f"for {item['date']}"
            )
    for url, entry in ours.items():
        if url not in truth:
            print(f"      extra    {entry.title[:70]!r} {url}")


if __name__ == "__main__":
    sys.exit(main())

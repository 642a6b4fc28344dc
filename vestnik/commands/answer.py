"""``classify`` and ``extract``: what Vestnik makes of given texts and pages; nothing is stored."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from feeds.classify import Classifier, ClassifyRequest
from feeds.errors import ParseError
from feeds.fetch import Fetched, FetchFailed, FetchRequest, Gone, Throttled
from feeds.model import Classification, Document, Entry, EntryList, LanguageCode, Source, SourceId
from feeds.parse import parse_document
from vestnik.config import Configuration
from vestnik.context import make_classifier, make_fetcher, utc_now
from vestnik.errors import Failed
from vestnik.terminal import configuration, errors, print_json, run_async

#: JSON can escape one half of a surrogate pair; no text can be written with it.
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


#: Where a file is taken to come from when nobody says; without a place its links would mean nothing.
UNKNOWN_PLACE = "http://file.invalid/"


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    app.command()(classify)
    app.command()(extract)


def classify() -> None:
    """Label texts: JSON Lines on standard input, one JSON line each on standard output.

    A line: {"id", "title", "text", "language"?, "url"?, "source"?, "section"?}. Bad lines are
    reported with their number and skipped; the exit code is then 1.
    """
    config = configuration()
    classifier = make_classifier(config)
    sources = {source.id: source for source in config.sources}
    bad = 0
    for number, line in enumerate(_lines(), start=1):
        if not line.strip():
            continue
        try:
            record = _record(line)
        except ValueError as error:
            errors.print(f"vestnik: line {number}: {error}", markup=False)
            bad += 1
            continue
        found = _classify(classifier, record, sources)
        sys.stdout.write(json.dumps(_answer(record.get("id"), found), ensure_ascii=False) + "\n")
    sys.stdout.flush()
    if bad:
        raise Failed(f"{bad} line{'s' if bad > 1 else ''} could not be read; the others were answered.")


def _lines() -> Iterator[str]:
    """Standard input by lines, without the mark some editors put before the first."""
    for number, line in enumerate(sys.stdin):
        yield line if number else line.removeprefix("\ufeff")


def _no_number(constant: str) -> float:
    raise ValueError(f"is no JSON: {constant} is no number in JSON")


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if not isinstance(record, dict):
        raise ValueError('must be an object such as {"id": 1, "title": "…", "text": "…"}')
    for key in ("title", "text", "language", "url", "source", "section"):
        if record.get(key) is not None and not isinstance(record[key], str):
            raise ValueError(f"{key!r} must be a string")
    if _HALF_A_CHARACTER.search(json.dumps(record, ensure_ascii=False)):
        raise ValueError("holds half a character (a lone surrogate such as \\ud800)")
    if not record.get("title") and not record.get("text"):
        raise ValueError("has neither 'title' nor 'text'")
    return record


def _classify(
    classifier: Classifier, record: dict[str, Any], sources: dict[SourceId, Source]
) -> Classification:
    source = sources.get(SourceId(record.get("source") or ""))
    language = record.get("language")
    return classifier.classify(
        ClassifyRequest(
            title=record.get("title") or "",
            text=record.get("text") or "",
            language=LanguageCode(language) if language else source.language if source else None,
            url=record.get("url"),
            section=record.get("section") or "",
            source_network=source.network if source else None,
            source_region=source.region if source else None,
            sections=source.sections if source else {},
        )
    )


def _answer(record_id: object, found: Classification) -> dict[str, Any]:
    network = "none" if not found.networks else found.networks[0] if len(found.networks) == 1 else "both"
    return {
        "id": record_id,
        "language": found.language,
        "network": network,
        "regions": list(found.regions),
        "mentions": list(found.mentions),
        "confidence": round(found.confidence, 3),
        "evidence": [
            {"code": e.code, "words": e.words, "where": e.where, "weight": round(e.weight, 3), "rule": e.rule}
            for e in found.evidence
        ],
    }


def extract(
    target: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="A file, or an address to fetch.")],
    base_url: Annotated[
        str, typer.Option("--base-url", help="Address the file came from, for its links.")
    ] = "",
    language: Annotated[str, typer.Option("--language", help="Language of its dates, if known.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="Time zone of its times.")] = "UTC",
) -> None:
    """Show what Vestnik sees in a page or feed, as JSON."""
    config = configuration()
    is_address = target.startswith(("http://", "https://"))
    body, url, content_type = run_async(lambda: _fetch(config, target)) if is_address else _read(target)
    if not is_address and not base_url:
        errors.print(
            f"vestnik: links are read relative to {UNKNOWN_PLACE}; --base-url tells the right place."
        )
    try:
        document = parse_document(
            body,
            url=base_url or url,
            content_type=content_type,
            language=LanguageCode(language) if language else None,
            timezone=timezone,
            now=utc_now(),
        )
    except ParseError as error:
        raise Failed(f"{target}: {error.detail}") from error
    print_json(_document(document))


def _read(target: str) -> tuple[bytes, str, str]:
    try:
        path = Path(target)
        return path.read_bytes(), UNKNOWN_PLACE, ""
    except OSError as error:
        raise Failed(f"{target}: can't be read: {error.strerror}. Give a file or an http address.") from error


async def _fetch(config: Configuration, url: str) -> tuple[bytes, str, str]:
    async with make_fetcher(config) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(url=url))
    match outcome:
        case Fetched():
            return outcome.body, outcome.exchange.final_url, outcome.content_type
        case FetchFailed() | Gone() | Throttled():
            raise Failed(f"{url}: {outcome.detail}.")
        case _:
            raise Failed(f"{url}: the server says nothing changed although we never asked before.")


def _document(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind.value,
        "title": document.title,
        "language": document.language,
        "lists": [_list(each) for each in document.lists],
    }


def _list(found: EntryList) -> dict[str, Any]:
    return {
        "heading": found.heading,
        "main": found.main,
        "confidence": round(found.confidence, 3),
        "items": list(_items(found.entries)),
    }


def _items(entries: tuple[Entry, ...]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield {
            "title": entry.title,
            "url": entry.url,
            "published": entry.published.isoformat() if entry.published else None,
            "summary": entry.summary,
            "image": entry.image,
            "language": entry.language,
        }

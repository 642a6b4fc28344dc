"""Bytes to text: one order of evidence, the rule that decided on record, nothing ever refused.

1. byte order mark, 2. UTF-8 that is valid (beats a wrong declaration), 3. UTF-8 with a few bad bytes,
4. HTTP charset, 5. label in the document (XML declaration, ``meta``), 6. detection among the
encodings of the source's language, 7. the likeliest encoding of that language. A label whose text
looks like no language is passed over. Bad bytes are replaced one by one; the text as a whole is never
read again because of them. Afterwards twice-decoded passages are read back. Contains no I/O.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from feeds.labels import encoding_of_label, encodings_of, is_cyrillic_language
from feeds.model import LanguageCode
from feeds.mojibake import is_plausible_cyrillic, repair_mojibake

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# "<" as XML 1.0 appendix F.1 tells encodings apart without a mark.
_FIRST_BYTES = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_SEVEN_BIT = {"iso2022_jp": b"\x1b", "hz": b"~{"}
#: Where a document may declare its encoding (HTML §13.2.3.2 asks for 1024; pages exceed it).
_HEAD = 8192
_XML_LABEL = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?\s*([\w.:() -]{1,40})", re.IGNORECASE)
_META_LABEL = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:()-]{1,40})", re.IGNORECASE)
_HTTP_LABEL = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:()-]{1,40})", re.IGNORECASE)

#: Bytes shown to the detector; more does not make it surer.
_SAMPLE = 20_000
#: Valid sequences for each bad byte that still make a text UTF-8.
_VALID_PER_BAD = 5
#: A label is believed while at most this share of the high bytes means nothing in it.
_BAD_SHARE = 0.02
# Stray bytes with one meaning in all Windows code pages of Europe: dashes, quotes, ellipsis, no-break space.
_SHARED = {
    byte: bytes([byte]).decode("cp1252") for byte in b"\x84\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xab\xbb"
}
_STRAY = {0xDC00 + byte: _SHARED.get(byte, "\ufffd") for byte in range(0x80, 0x100)}
_LATIN_NEIGHBOUR = re.compile(rb"(?i)(?<=[a-z])[\x80-\xff]|[\x80-\xff](?=[a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text of a document and how it was read."""

    text: str
    #: Python's name of the encoding.
    encoding: str
    #: ``bom``, ``ascii``, ``utf-8``, ``http``, ``declared``, ``detected``, ``assumed``; after ``+`` what
    #: had to be mended (``+bad-bytes``, ``+utf8-as-1251``), after ``-not-`` the label passed over.
    rule: str


def decode(body: bytes, *, content_type: str = "", language: LanguageCode | None = None) -> Decoded:
    """Text of ``body``; ``content_type`` is the HTTP header, ``language`` the source's.

    Never raises; the text has no byte order mark and no lone surrogates.
    """
    encoding, rule, start = _choose(body, content_type, language)
    text, bad = _read(body[start:], encoding)
    mended, mojibake = repair_mojibake(text)
    notes = [rule, *(["bad-bytes"] if bad else []), *([mojibake] if mojibake else [])]
    return Decoded(text=mended.removeprefix("\ufeff"), encoding=encoding, rule="+".join(notes))


def _choose(body: bytes, content_type: str, language: LanguageCode | None) -> tuple[str, str, int]:
    """Encoding, rule, and where the text starts."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding, "bom", len(mark)
    for first, encoding in _FIRST_BYTES:
        if body.startswith(first):
            return encoding, "first-bytes", 0
    labels = _labels(body, content_type)
    for _, label in labels:
        if label in _SEVEN_BIT and _SEVEN_BIT[label] in body and body.isascii():
            return label, "declared", 0
    if body.isascii():
        return "utf-8", "ascii", 0
    if _is_utf8(body, declared=any(label == "utf-8" for _, label in labels)):
        other = next((label for _, label in labels if label != "utf-8"), "")
        return "utf-8", f"utf-8-not-{other}" if other else "utf-8", 0
    return (*_choose_legacy(body, labels, language), 0)


def _labels(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """(rule, encoding) as declared, most trusted first; unknown labels are left out."""
    head = body[:_HEAD]
    found = (
        ("http", _HTTP_LABEL.search(content_type)),
        ("declared", _XML_LABEL.match(head.lstrip()) or _META_LABEL.search(head)),
    )
    labels: list[tuple[str, str]] = []
    for rule, match in found:
        if match is not None:
            raw = match.group(1)
            label = encoding_of_label(raw if isinstance(raw, str) else raw.decode("ascii", errors="ignore"))
            # Who could read the label has a document of single bytes (HTML §13.2.3.2).
            labels += [(rule, "utf-8" if label.startswith(("utf-16", "utf-32")) else label)] if label else []
    return labels


def _is_utf8(body: bytes, *, declared: bool) -> bool:
    """Valid, or valid but for a few bytes: stray legacy characters, a cut at the end."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", errors="surrogateescape")
        bad = sum(1 for char in text if "\udc80" <= char <= "\udcff")
        valid = sum(1 for char in text if char > "\x7f") - bad
        return valid >= bad * (1 if declared else _VALID_PER_BAD)
    return True


def _choose_legacy(
    body: bytes, labels: list[tuple[str, str]], language: LanguageCode | None
) -> tuple[str, str]:
    sample = _sample(body)
    passed_over = ""
    for rule, label in labels:
        if label != "utf-8" and _is_plausible(sample, label):
            return label, rule
        passed_over = passed_over or f"-not-{label}"
    detected = _detect(sample, language)
    if detected is not None:
        return detected, f"detected{passed_over}"
    declared = next((label for _, label in labels if label != "utf-8"), "")
    return (declared, "declared") if declared else (encodings_of(language)[0], f"assumed{passed_over}")


def _sample(body: bytes) -> bytes:
    """Passages with high bytes, markup left out: what a detector can learn from."""
    passages: list[bytes] = []
    length = 0
    for passage in re.split(rb"[<>\n]+", body):
        if not passage.isascii():
            passages.append(passage)
            length += len(passage)
            if length > _SAMPLE:
                break
    # Cutting could split a character of several bytes.
    return b"\n".join(passages)[: 4 * _SAMPLE]


def _is_plausible(sample: bytes, encoding: str) -> bool:
    """Whether ``sample`` read as ``encoding`` has hardly any bad byte and looks like words."""
    text = sample.decode(encoding, errors="surrogateescape")
    high = sum(1 for char in text if char > "\x7f")
    bad = sum(1 for char in text if "\udc80" <= char <= "\udcff" or "\x80" <= char <= "\x9f")
    return bad <= max(1, high * _BAD_SHARE) and is_plausible_cyrillic(text)


def _detect(sample: bytes, language: LanguageCode | None) -> str | None:
    candidates = encodings_of(language)
    high = sum(1 for byte in sample if byte > 0x7F)
    # A few accents inside Latin words prove nothing to a detector, but are no Cyrillic.
    if high < 30 and len(_LATIN_NEIGHBOUR.findall(sample)) > high / 2:
        return "cp1252" if language is None or is_cyrillic_language(language) else candidates[0]
    best = from_bytes(sample, cp_isolation=list(candidates)).best()
    found = encoding_of_label(best.encoding) if best is not None else None
    if found is not None and found != "utf-8" and _is_plausible(sample, found):
        return found
    return next((name for name in candidates if _is_plausible(sample, name)), None)


def _read(body: bytes, encoding: str) -> tuple[str, bool]:
    """Text, and whether bytes had to be replaced."""
    try:
        return body.decode(encoding), False
    except UnicodeDecodeError:
        pass
    if encoding.startswith(("utf-16", "utf-32")):
        return body.decode(encoding, errors="replace"), True
    return body.decode(encoding, errors="surrogateescape").translate(_STRAY), True

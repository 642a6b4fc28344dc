"""Text as the server keeps it: parsed, cleaned, measured; and back to HTML for the ledger.

Contains no I/O.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import bad_request
from .links import checked_link
from .markup import Entity, MarkupError, entity_order, parse_html, utf16_length

#: Code points, after parsing; entity offsets in contrast are UTF-16 units.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
#: More entities than this are ignored.
ENTITY_LIMIT = 100

#: What the server's ``clean_input_string`` drops (line separators, embeddings) or turns into spaces.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\u2028-\u202e]")
_REMOVED = re.compile("[\r\u2028-\u202e]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
#: A text of nothing but these shows nothing.
_INVISIBLE = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)
_TRIMMED = " \t\n\v"
_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]»”])"
    r"|(?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/<>])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z0-9_]{4,32})(?!\w)"
    r"|(?<![\w#])(?P<hashtag>#\w*[^\W\d_]\w*)"
)
_DETECTION_MARKS = re.compile(r"[/@#]")

_TAGS = {
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "spoiler": "tg-spoiler",
    "code": "code", "blockquote": "blockquote",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Formatted:
    """What people see, and the entities over it."""

    text: str
    entities: Sequence[Entity] = ()

    @property
    def html(self) -> str:
        """The same as HTML of Telegram's subset, for assertions and the eye."""
        return to_html(self.text, self.entities)


def read_formatted(
    text: str, parse_mode: str, entities: Sequence[Entity] | None, *, limit: int = TEXT_LIMIT
) -> Formatted:
    """The text a call gives, as the server keeps it; raises the server's own 400."""
    found = _parse(text, parse_mode, entities)
    kept = _trim(_clean(found))
    if limit == TEXT_LIMIT and _INVISIBLE.fullmatch(kept.text):
        raise bad_request("message text is empty")
    if len(kept.text) > limit:
        raise bad_request("message is too long" if limit == TEXT_LIMIT else "message caption is too long")
    return Formatted(kept.text, _with_detected(kept.text, _nested_rightly(kept.entities))[:ENTITY_LIMIT])


def _parse(text: str, parse_mode: str, entities: Sequence[Entity] | None) -> Formatted:
    mode = parse_mode.lower()
    if mode == "html":
        try:
            return Formatted(*parse_html(text))
        except MarkupError as error:
            raise bad_request(f"can't parse entities: {error}") from error
    if mode in ("markdown", "markdownv2"):
        raise bad_request(f"STRICT: parse_mode {parse_mode} is not emulated; use HTML")
    if mode and mode != "none":
        raise bad_request("unsupported parse_mode")
    return Formatted(text, _checked_entities(text, entities or ()))


def _checked_entities(text: str, entities: Sequence[Entity]) -> list[Entity]:
    end = utf16_length(text)
    kept = []
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if offset < 0 or length < 0 or offset + length > end:
            raise bad_request(
                "can't parse entities: entity beyond the end of the text"
                if length >= 0
                else "ENTITY_BOUNDS_INVALID"
            )
        if entity["type"] == "text_link":
            link = checked_link(str(entity.get("url", "")))
            if link is None:
                continue
            kept.append({**entity, "url": link})
        elif length:
            kept.append(dict(entity))
    return sorted(kept, key=entity_order)


def _clean(found: Formatted) -> Formatted:
    if not _UNWANTED.search(found.text):
        return found
    if not _REMOVED.search(found.text):
        return Formatted(_CONTROLS.sub(" ", found.text), found.entities)
    shifts = [utf16_length(found.text[: match.start()]) for match in _REMOVED.finditer(found.text)]
    entities = [_without(entity, shifts) for entity in found.entities]
    text = _CONTROLS.sub(" ", _REMOVED.sub("", found.text))
    return Formatted(text, [entity for entity in entities if entity["length"] > 0])


def _without(entity: Entity, removed: Sequence[int]) -> Entity:
    """The entity after the UTF-16 units at ``removed`` have gone."""
    begin, end = entity["offset"], entity["offset"] + entity["length"]
    before = sum(1 for place in removed if place < begin)
    inside = sum(1 for place in removed if begin <= place < end)
    return {**entity, "offset": begin - before, "length": entity["length"] - inside}


def _trim(found: Formatted) -> Formatted:
    text = found.text.strip(_TRIMMED)
    if len(text) == len(found.text):
        return found
    lead = len(found.text) - len(found.text.lstrip(_TRIMMED))
    end = utf16_length(text)
    entities = []
    for entity in found.entities:
        begin = max(0, entity["offset"] - lead)
        stop = min(end, entity["offset"] + entity["length"] - lead)
        if stop > begin:
            entities.append({**entity, "offset": begin, "length": stop - begin})
    return Formatted(text, entities)


def _nested_rightly(entities: Sequence[Entity]) -> list[Entity]:
    """Without what may not be nested: anything in code or pre, a quotation in a quotation."""
    kept: list[Entity] = []
    code_until = quote_until = -1
    for entity in entities:
        end = entity["offset"] + entity["length"]
        if entity["offset"] < code_until:
            continue
        if entity["type"] in ("code", "pre"):
            code_until = end
        if entity["type"].endswith("blockquote"):
            if entity["offset"] < quote_until:
                continue
            quote_until = end
        kept.append(entity)
    return kept


def _with_detected(text: str, entities: list[Entity]) -> list[Entity]:
    """Plus the addresses, commands, mentions and hashtags the server finds by itself."""
    if not _DETECTION_MARKS.search(text):
        return entities
    taken = [
        (e["offset"], e["offset"] + e["length"])
        for e in entities
        if e["type"] in ("text_link", "code", "pre", "text_mention")
    ]
    detected = []
    for match in _DETECTED.finditer(text):
        begin = utf16_length(text[: match.start()])
        end = begin + utf16_length(match[0])
        if not any(begin < stop and start < end for start, stop in taken):
            detected.append({"type": match.lastgroup, "offset": begin, "length": end - begin})
    return sorted([*entities, *detected], key=entity_order) if detected else entities


def to_html(text: str, entities: Sequence[Entity]) -> str:
    """HTML of Telegram's subset that parses back to the same text and entities."""
    if not entities:
        return html.escape(text, quote=False)
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    for entity in sorted(entities, key=entity_order):
        tags = _tags_of(entity)
        if tags:
            opening.setdefault(entity["offset"], []).append(tags[0])
            closing.setdefault(entity["offset"] + entity["length"], []).insert(0, tags[1])
    pieces: list[str] = []
    offset = 0
    for letter in text:
        pieces += [*closing.pop(offset, ()), *opening.pop(offset, ()), html.escape(letter, quote=False)]
        offset += 2 if letter > "\uffff" else 1
    return "".join(pieces) + "".join(closing.pop(offset, ()))


def _tags_of(entity: Mapping[str, Any]) -> tuple[str, str] | None:  # noqa: PLR0911 - a table
    kind = entity["type"]
    if kind in _TAGS:
        return f"<{_TAGS[kind]}>", f"</{_TAGS[kind]}>"
    if kind == "text_link":
        return f'<a href="{html.escape(entity["url"])}">', "</a>"
    if kind == "text_mention":
        return f'<a href="tg://user?id={entity["user"]["id"]}">', "</a>"
    if kind == "expandable_blockquote":
        return "<blockquote expandable>", "</blockquote>"
    if kind == "custom_emoji":
        return f'<tg-emoji emoji-id="{entity["custom_emoji_id"]}">', "</tg-emoji>"
    if kind == "date_time":
        return f'<tg-time unix="{entity["unix_time"]}">', "</tg-time>"
    if kind == "pre":
        language = entity.get("language")
        inner = f'<code class="language-{html.escape(language)}">' if language else ""
        return f"<pre>{inner}", ("</code>" if language else "") + "</pre>"
    return None

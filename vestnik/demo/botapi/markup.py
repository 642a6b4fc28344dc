"""``parse_mode=HTML`` by the rules of TDLib's ``parse_html`` (MessageEntity.cpp), errors included.

Offsets of entities are UTF-16 units; offsets in errors are bytes of the UTF-8 source. Contains no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .links import checked_link, user_of_link

Entity = dict[str, Any]

_PLAIN = re.compile(r"[^<&]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = " \t\r\n\0\v"
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]*)|#([0-9]*)|([a-zA-Z]*))")
_NAME_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_DATE_TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?|[wdDtT]*")
_LEADING_NUMBER = re.compile(r"-?\d+")

_SIMPLE = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler",
}  # fmt: skip
_TAGS = frozenset(_SIMPLE) | {"a", "pre", "code", "blockquote", "tg-emoji", "tg-time"}

#: Order of entities that cover the same text: the outer one first (TDLib's type priorities).
_PRIORITY = {
    "blockquote": 0, "expandable_blockquote": 0, "pre": 11, "code": 20, "bold": 90, "italic": 91,
    "underline": 92, "strikethrough": 93, "spoiler": 94, "text_link": 49, "text_mention": 49,
    "custom_emoji": 99,
}  # fmt: skip


class MarkupError(Exception):
    """The text cannot be parsed; the message is the server's own."""


@dataclass(slots=True)
class _OpenTag:
    name: str
    argument: str
    unix_time: int
    #: UTF-16 offset of the content.
    offset: int
    #: Where the content begins in the pieces written so far.
    piece: int


def utf16_length(text: str) -> int:
    """How many UTF-16 units the text takes: the measure of entity offsets."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """The text people see and its entities. Raises :class:`MarkupError` in the server's words."""
    if "<" not in source and "&" not in source:
        return source, []
    return _Reader(source).read()


@dataclass(slots=True)
class _Reader:
    source: str
    pieces: list[str] = field(default_factory=list)
    #: UTF-16 units written so far.
    offset: int = 0
    open_tags: list[_OpenTag] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def read(self) -> tuple[str, list[Entity]]:
        at, end = 0, len(self.source)
        while at < end:
            plain = _PLAIN.match(self.source, at)
            if plain:
                self._write(plain[0])
                at = plain.end()
            elif self.source[at] == "&":
                letter, at = _read_reference(self.source, at)
                self._write(letter)
            else:
                at = self._read_end_tag(at) if self._at(at + 1) == "/" else self._read_start_tag(at)
        if self.open_tags:
            name = self.open_tags[-1].name
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{name}"')
        return self._finished()

    def _finished(self) -> tuple[str, list[Entity]]:
        text = "".join(self.pieces)
        if _SURROGATE.search(text):
            raise MarkupError(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            )
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return text, sorted(self.entities, key=entity_order)

    def _write(self, text: str) -> None:
        self.pieces.append(text)
        self.offset += utf16_length(text)

    def _at(self, index: int) -> str:
        return self.source[index] if index < len(self.source) else "\0"

    def _skip(self, index: int, *, until: str) -> int:
        while index < len(self.source) and self.source[index] not in until:
            index += 1
        return index

    def _skip_spaces(self, index: int) -> int:
        while index < len(self.source) and self.source[index] in _SPACE:
            index += 1
        return index

    def _error(self, what: str, index: int) -> MarkupError:
        return MarkupError(
            f"{what} at byte offset {len(self.source[:index].encode('utf-8', 'surrogatepass'))}"
        )

    def _read_start_tag(self, begin: int) -> int:
        at = self._skip(begin + 1, until=_SPACE + ">")
        if at >= len(self.source):
            raise self._error("Unclosed start tag", begin)
        name = self.source[begin + 1 : at].lower()
        if name not in _TAGS:
            raise self._error(f'Unsupported start tag "{name}"', begin)
        tag = _OpenTag(name=name, argument="", unix_time=0, offset=self.offset, piece=len(self.pieces))
        while self._at(at) != ">":
            at = self._skip_spaces(at)
            if self._at(at) == ">":
                break
            at = self._read_attribute(tag, begin, at)
        if name == "span" and tag.argument != "spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        self.open_tags.append(tag)
        return at + 1

    def _read_attribute(self, tag: _OpenTag, begin: int, at: int) -> int:
        end = self._skip(at, until=_SPACE + "=>/\"'")
        name = self.source[at:end]
        if not name:
            raise self._error(f'Empty attribute name in the tag "{tag.name}"', begin)
        at = self._skip_spaces(end)
        if self._at(at) != "=":
            if at >= len(self.source):
                raise self._error(f'Unclosed start tag "{tag.name}"', begin)
            _apply_attribute(tag, name, "")
            return at
        at = self._skip_spaces(at + 1)
        if at >= len(self.source):
            raise self._error(f'Unclosed start tag "{tag.name}"', begin)
        value, at = self._read_quoted(at) if self._at(at) in "\"'" else self._read_name_token(at)
        if at >= len(self.source):
            raise self._error("Unclosed start tag", begin)
        _apply_attribute(tag, name, value)
        return at

    def _read_name_token(self, at: int) -> tuple[str, int]:
        found = _NAME_TOKEN.match(self.source, at)
        end = found.end() if found else at
        if self._at(end) not in _SPACE + ">":
            raise self._error("Unexpected end of name token", at)
        return self.source[at:end].lower(), end

    def _read_quoted(self, at: int) -> tuple[str, int]:
        quote, at = self.source[at], at + 1
        value: list[str] = []
        while at < len(self.source) and self.source[at] != quote:
            letter, at = _read_reference(self.source, at)
            value.append(letter)
        return "".join(value), at + 1

    def _read_end_tag(self, begin: int) -> int:
        if not self.open_tags:
            raise self._error("Unexpected end tag", begin)
        at = self._skip(begin + 2, until=_SPACE + ">")
        name = self.source[begin + 2 : at].lower()
        at = self._skip_spaces(at)
        if self._at(at) != ">":
            raise self._error("Unclosed end tag", begin)
        tag = self.open_tags[-1]
        if name and name != tag.name:
            where = self._error("Unmatched end tag", begin)
            raise MarkupError(f'{where}, expected "</{tag.name}>", found "</{name}>"')
        if self.offset > tag.offset:
            self._close(tag)
        self.open_tags.pop()
        return at + 1

    def _close(self, tag: _OpenTag) -> None:
        entity: Entity = {"type": tag.name, "offset": tag.offset, "length": self.offset - tag.offset}
        if tag.name in _SIMPLE:
            entity["type"] = _SIMPLE[tag.name]
        elif tag.name == "a":
            if not self._set_link(entity, tag):
                return
        elif tag.name == "tg-emoji":
            if not tag.argument.isdigit() or int(tag.argument) == 0:
                raise MarkupError("Invalid custom emoji identifier specified")
            entity |= {"type": "custom_emoji", "custom_emoji_id": tag.argument}
        elif tag.name == "tg-time":
            if not _set_time(entity, tag):
                return
        elif tag.name == "blockquote":
            entity["type"] = "expandable_blockquote" if tag.argument else "blockquote"
        elif self._is_merged_code(entity, tag):
            return
        self.entities.append(entity)

    def _set_link(self, entity: Entity, tag: _OpenTag) -> bool:
        address = tag.argument or "".join(self.pieces[tag.piece :])
        user = user_of_link(address)
        if user is not None:
            entity |= {"type": "text_mention", "user": {"id": user, "is_bot": False, "first_name": str(user)}}
            return True
        link = checked_link(address)
        entity |= {"type": "text_link", "url": link}
        return link is not None

    def _is_merged_code(self, entity: Entity, tag: _OpenTag) -> bool:
        """``<pre><code class="language-x">`` is one entity, in either order of nesting."""
        last = self.entities[-1] if self.entities else None
        same = last is not None and (last["offset"], last["length"]) == (entity["offset"], entity["length"])
        if tag.name == "pre" and same and last and last["type"] == "code" and last.get("language"):
            last["type"] = "pre"
            return True
        if tag.name == "code" and tag.argument:
            if same and last and last["type"] == "pre" and not last.get("language"):
                last["language"] = tag.argument
                return True
            entity["language"] = tag.argument
        return False


def _apply_attribute(tag: _OpenTag, name: str, value: str) -> None:
    if (tag.name, name) in {("a", "href"), ("tg-emoji", "emoji-id"), ("tg-time", "format")}:
        tag.argument = value
    elif (tag.name, name) == ("code", "class") and value.startswith("language-"):
        tag.argument = value.removeprefix("language-")
    elif (tag.name, name) == ("span", "class") and value.startswith("tg-"):
        tag.argument = value.removeprefix("tg-")
    elif (tag.name, name) == ("blockquote", "expandable"):
        tag.argument = "1"
    elif (tag.name, name) == ("tg-time", "unix"):
        number = _LEADING_NUMBER.match(value)
        tag.unix_time = int(number[0]) if number else 0


def _set_time(entity: Entity, tag: _OpenTag) -> bool:
    if not _DATE_TIME_FORMAT.fullmatch(tag.argument):
        raise MarkupError("Invalid date format used")
    entity |= {"type": "date_time", "unix_time": tag.unix_time}
    if tag.argument:
        entity["date_time_format"] = tag.argument
    return tag.unix_time > 0


def _read_reference(source: str, at: int) -> tuple[str, int]:
    """The letter at ``at``, decoded where it begins one of the references the server knows."""
    found = _REFERENCE.match(source, at) if source[at] == "&" else None
    if found is None:
        return source[at], at + 1
    end = found.end()
    if found[3] is not None:
        letter = _NAMED.get(found[3], "")
    else:
        number = int(found[1] or "0", 16) if found[1] is not None else int(found[2] or "0")
        letter = chr(number) if 0 < number < 0x10FFFF and end - at < 10 else ""
    if not letter:
        return "&", at + 1
    return letter, end + (source[end : end + 1] == ";")


def entity_order(entity: Entity) -> tuple[int, int, int]:
    """Sort key: by place, the longer first, then the outer kind first."""
    return entity["offset"], -entity["length"], _PRIORITY.get(entity["type"], 50)

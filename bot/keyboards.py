"""Buttons: what they carry, how it is checked, and the keyboards made of them.

A button carries ``verb|argument|...``, at most 64 bytes. A client may send back any bytes it likes,
so :func:`parse_press` lets through only known verbs with arguments of their shape; whether the
presser *may* do it is asked again at each press. Contains no I/O.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.i18n import Translator
from bot.text import cut_words, tidy
from feeds.model import ItemId
from feeds.networks import Scope

#: Telegram: 1-64 bytes of callback data.
DATA_LIMIT = 64
#: What fits a phone's width in one row.
LABEL_LIMIT = 40
#: The interface's languages as their speakers call them.
LANGUAGE_NAMES: Mapping[str, str] = {
    "en": "English",
    "ru": "Русский",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "sr": "Српски",
    "zh": "中文",
    "ar": "العربية",
}
_SEPARATOR = "|"
#: Longer scopes travel as a digest, so that every verb with its arguments stays within the limit.
_SCOPE_BYTES = 40

_NUMBER = r"\d{1,12}"
_PAGE = r"\d{1,4}"
_SCOPE = r"(?:[\w:/.-]{1,40}|~[0-9a-f]{16})"
_WORD = r"[\w/+-]{1,40}"

#: Verb -> the shape of each argument.
VERBS: Mapping[str, tuple[str, ...]] = {
    "browse": (_SCOPE, _PAGE),  # open the browser at a scope
    "toggle": (_SCOPE, _PAGE),  # follow or unfollow there, and redraw
    "follow": (_SCOPE,),  # follow from an answer
    "unfollow": (_SCOPE,),  # the undo of it
    "show": (_SCOPE,),  # newest of a scope
    "my": (_PAGE,),
    "drop": (_SCOPE, _PAGE),  # unfollow in /my
    "why": (_NUMBER,),
    "more": (_NUMBER,),  # options of a news message
    "flip": (_NUMBER, _SCOPE),  # follow or mute among them
    "less": (_NUMBER,),  # back to the message's own buttons
    "settings": (),
    "languages": (),
    "language": (_WORD,),
    "zones": (_PAGE,),
    "zone": (_WORD,),
    "forget": (r"ask|yes|no",),
    "sources": (_PAGE,),  # admins only
}
_SHAPES = {verb: tuple(re.compile(shape) for shape in shapes) for verb, shapes in VERBS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed button whose data has the right shape."""

    verb: str
    args: tuple[str, ...]

    def page(self, index: int = -1) -> int:
        """The argument as a page number."""
        return int(self.args[index])


def press_data(verb: str, *args: object) -> str:
    """What a button carries. Raises :class:`ValueError` when it isn't what we would take back."""
    data = _SEPARATOR.join((verb, *(str(arg) for arg in args)))
    if parse_press(data) is None:
        raise ValueError(f"button data {data!r}: not of the shape of its verb, or over {DATA_LIMIT} bytes")
    return data


def parse_press(data: str) -> Press | None:
    """A button's data as it came back, or ``None`` when no button of ours carries it."""
    if len(data.encode(errors="surrogatepass")) > DATA_LIMIT:
        return None
    verb, *args = data.split(_SEPARATOR)
    shapes = _SHAPES.get(verb)
    if shapes is None or len(shapes) != len(args):
        return None
    if not all(shape.fullmatch(arg) for shape, arg in zip(shapes, args, strict=True)):
        return None
    return Press(verb=verb, args=tuple(args))


def scope_token(scope: Scope) -> str:
    """A scope as a button carries it: itself, or a digest when it is long or oddly written."""
    if len(scope.encode()) <= _SCOPE_BYTES and re.fullmatch(r"[\w:/.-]+", scope):
        return scope
    return "~" + hashlib.blake2s(scope.encode(), digest_size=8).hexdigest()


def scope_of_token(token: str, known: Iterable[Scope]) -> Scope | None:
    """The scope among ``known`` that ``token`` stands for."""
    return next((scope for scope in known if token in (scope, scope_token(scope))), None)


def button(label: str, verb: str, *args: object) -> InlineKeyboardButton:
    """A button that sends ``verb`` and its arguments back."""
    return InlineKeyboardButton(
        cut_words(tidy(label), LABEL_LIMIT) or "·", callback_data=press_data(verb, *args)
    )


def link_button(label: str, url: str) -> InlineKeyboardButton:
    """A button that opens ``url``."""
    return InlineKeyboardButton(cut_words(tidy(label), LABEL_LIMIT) or "·", url=url)


def in_columns(buttons: Sequence[InlineKeyboardButton], columns: int) -> list[list[InlineKeyboardButton]]:
    """Buttons in rows of ``columns``."""
    return [list(buttons[start : start + columns]) for start in range(0, len(buttons), columns)]


def keyboard(rows: Sequence[Sequence[InlineKeyboardButton]]) -> InlineKeyboardMarkup | None:
    """A keyboard of the rows that have buttons; ``None`` when none has."""
    filled = [row for row in rows if row]
    return InlineKeyboardMarkup(filled) if filled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A slice of a long list."""

    number: int
    last: int
    start: int
    end: int


def page_of(total: int, *, number: int, size: int) -> Page:
    """Page ``number`` (from 0, brought into range) of ``total`` things, ``size`` a page."""
    last = max(0, (total - 1) // size)
    number = min(max(0, number), last)
    return Page(number=number, last=last, start=number * size, end=min(total, (number + 1) * size))


def page_buttons(page: Page, verb: str, *args: object) -> list[InlineKeyboardButton]:
    """Arrows to the pages before and after, with the place between; empty for a single page."""
    if page.last == 0:
        return []
    before, after = (page.number - 1) % (page.last + 1), (page.number + 1) % (page.last + 1)
    return [
        button("‹", verb, *args, before),
        button(f"{page.number + 1}/{page.last + 1}", verb, *args, page.number),
        button("›", verb, *args, after),
    ]


def news_buttons(
    translator: Translator, item: ItemId, *, url: str | None, languages: Sequence[tuple[str, str]]
) -> InlineKeyboardMarkup | None:
    """Buttons under a news message: open, the same news in other ``languages`` (name, address), why, more."""
    first = [link_button(translator.text("Open"), url)] if url else []
    first.append(button(translator.text("Why?"), "why", item))
    first.append(button("⋯", "more", item))
    others = [link_button(f"🌐 {name}", address) for name, address in languages]
    return keyboard([first, *in_columns(others, 3)])

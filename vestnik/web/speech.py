"""A reader's language on a page: choosing it, and dates, numbers and names in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from bot.i18n import DEFAULT_LANGUAGE, INTERFACE_LANGUAGES, Translator
from feeds.model import UNDETERMINED, LanguageCode

_RTL = frozenset({"ar", "fa", "he", "ur", "ps", "yi", "dv", "ug", "ku", "sd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeName:
    """A language as its speakers call it."""

    code: LanguageCode
    name: str


def choose_page_language(accept_language: str) -> LanguageCode:
    """The interface language a browser likes best (RFC 9110 §12.5.4); English if it likes none."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")):
        name, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") or "1"
        try:
            wishes.append((-float(quality), place, name.split("-")[0].lower()))
        except ValueError:
            continue
    for weight, _, code in sorted(wishes):
        if weight < 0 and code in INTERFACE_LANGUAGES:
            return LanguageCode(code)
    return DEFAULT_LANGUAGE


def native_name(code: LanguageCode) -> str:
    """``Русский``, ``中文``, ``العربية``."""
    try:
        name = Locale.parse(code).get_language_name(code)
    except (UnknownLocaleError, ValueError):
        name = None
    return _capital(name) if name else code


def native_names() -> tuple[NativeName, ...]:
    """The languages of the interface."""
    return tuple(NativeName(code=code, name=native_name(code)) for code in INTERFACE_LANGUAGES)


def name_of(code: LanguageCode, speaker: Translator) -> str:
    """A language in the words of another; empty for a language nobody could name."""
    if code == UNDETERMINED:
        return ""
    return _capital(str(speaker.locale.languages.get(code, code)))


def direction(code: str) -> str:
    """``rtl`` or ``ltr``; ``auto`` lets the browser look at a text of unknown language."""
    if code == UNDETERMINED:
        return "auto"
    return "rtl" if code in _RTL else "ltr"


def show_day(when: datetime, speaker: Translator) -> str:
    """``20 ноября 2026 г.``"""
    return format_date(when.astimezone(UTC), format="long", locale=speaker.locale)


def show_time(when: datetime, speaker: Translator) -> str:
    """Day and time in UTC; the day alone when the time is midnight, which means nobody gave one."""
    at = when.astimezone(UTC)
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        return show_day(at, speaker)
    return f"{show_day(at, speaker)} {format_time(at, format='short', locale=speaker.locale)} UTC"


def show_number(number: int, speaker: Translator) -> str:
    """``12 345`` as the language groups it."""
    return format_decimal(number, locale=speaker.locale)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]

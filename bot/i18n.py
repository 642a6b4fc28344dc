"""Message catalogues: gettext ``.po`` files, CLDR plurals, placeholders by name.

Catalogues are read once at start, by Babel, straight from the ``.po`` files: there is nothing to
compile and nothing to forget to compile. The bot's strings are the domain ``bot``; the pages have
their own domain and folder and use this same loader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from gettext import c2py  # the one parser of plural expressions there is
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po

from feeds.model import LanguageCode

#: The languages the interface speaks; English is the language of the message ids.
INTERFACE_LANGUAGES = tuple(LanguageCode(code) for code in ("en", "ru", "de", "fr", "es", "sr", "zh", "ar"))
DEFAULT_LANGUAGE = LanguageCode("en")

LOCALES = Path(__file__).parent / "locales"

#: What Babel calls our languages; Serbian is written in Cyrillic here.
_BABEL_NAMES = {"zh": "zh_Hans", "sr": "sr_Cyrl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """Speaks one language. ``text("Hello, {name}!", name=...)`` translates and fills."""

    language: LanguageCode
    locale: Locale
    messages: Mapping[str, str | tuple[str, ...]]
    plural_index: Callable[[int], int]

    @property
    def is_rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.locale.text_direction == "rtl"

    def text(self, message: str, /, **values: object) -> str:
        """The message in this language with its ``{placeholders}`` filled."""
        found = self.messages.get(message, message)
        pattern = found if isinstance(found, str) else found[0]
        return pattern.format(**values) if values else pattern

    def plural(self, singular: str, plural: str, number: int, /, **values: object) -> str:
        """The form that fits ``number``, which also fills ``{n}``."""
        found = self.messages.get(singular)
        if isinstance(found, tuple):
            pattern = found[self.plural_index(number)]
        else:
            pattern = singular if number == 1 else plural
        return pattern.format(n=number, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translations:
    """All catalogues of one domain."""

    translators: Mapping[LanguageCode, Translator]

    def to(self, language: str | None) -> Translator:
        """The translator for ``language`` ("pt-BR" falls back to "pt"), else English."""
        code = LanguageCode((language or "").split("-")[0].lower())
        return self.translators.get(code) or self.translators[DEFAULT_LANGUAGE]


def choose_language(code: str | None) -> LanguageCode:
    """The interface language for a client's ``language_code``; English when we do not speak it."""
    short = LanguageCode((code or "").split("-")[0].lower())
    return short if short in INTERFACE_LANGUAGES else DEFAULT_LANGUAGE


def load_translations(folder: Path = LOCALES, *, domain: str = "bot") -> Translations:
    """Read ``<folder>/<language>/<domain>.po`` for every interface language.

    English needs no file: message ids are English. Raises :class:`FileNotFoundError` for a missing one.
    """
    return Translations(translators={code: _load(folder, domain, code) for code in INTERFACE_LANGUAGES})


def _load(folder: Path, domain: str, language: LanguageCode) -> Translator:
    locale = Locale.parse(_BABEL_NAMES.get(language, language))
    path = folder / language / f"{domain}.po"
    if language == DEFAULT_LANGUAGE and not path.exists():
        return Translator(language=language, locale=locale, messages={}, plural_index=lambda n: int(n != 1))
    with path.open("rb") as file:
        catalog = read_po(file, locale=_BABEL_NAMES.get(language, language))
    messages: dict[str, str | tuple[str, ...]] = {}
    for message in catalog:
        if message.id and message.string and not message.fuzzy:
            key = message.id if isinstance(message.id, str) else message.id[0]
            messages[key] = message.string if isinstance(message.string, str) else tuple(message.string)
    return Translator(
        language=language, locale=locale, messages=messages, plural_index=_plural_index(catalog.plural_expr)
    )


def _plural_index(expression: str) -> Callable[[int], int]:
    index: Callable[[int], int] = c2py(expression)
    return index

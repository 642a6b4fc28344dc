# ruff: noqa: INP001, T201 - a script of the workshop
"""Check the message catalogues: every string of the program, in every language, fit to be filled.

Fails on missing, fuzzy, obsolete and unused strings, on placeholders that differ, on markup, and on
a wrong number of plural forms. Exits 0 when all is well and 1 with one line per fault otherwise.

    python tools/check_locales.py            # check
    python tools/check_locales.py --list     # print the strings of the program, with their places
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.i18n import DEFAULT_LANGUAGE, INTERFACE_LANGUAGES  # noqa: E402 - run as a script

#: Calls that translate, or mark a string for translation elsewhere -> which arguments are messages.
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {
    "text": None,
    "say": None,
    "mark": None,
    "t": None,
    "plural": (1, 2),
    "say_plural": (1, 2),
    "n": (1, 2),
}
_BABEL_NAMES = {"zh": "zh_Hans", "sr": "sr_Cyrl"}

Identity = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A part of the program with catalogues of its own."""

    name: str
    folder: Path

    @property
    def locales(self) -> Path:
        """Where its catalogues lie."""
        return self.folder / "locales"


DOMAINS = (
    Domain(name="bot", folder=ROOT / "bot"),
    Domain(name="web", folder=ROOT / "vestnik" / "web"),
)


def extract_python(
    file: IO[bytes], keywords: Sequence[str], _tags: Sequence[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, tuple[str, ...], list[str]]]:
    """Messages of a Python file, for Babel; unlike Babel's own reader it looks into f-strings too."""
    del options  # Babel passes them by name
    calls = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        constants = [each.value for each in node.args if isinstance(each, ast.Constant)]
        messages = tuple(each for each in constants if isinstance(each, str))
        if name in keywords and messages:
            yield node.lineno, name, messages, []


def messages_of(domain: Domain) -> dict[Identity, str]:
    """Every message of a domain's code and templates, with the first place it stands in."""
    found: dict[Identity, str] = {}
    methods: list[tuple[str, Any]] = [
        ("**.py", extract_python),
        ("templates/**.*", "jinja2.ext:babel_extract"),
    ]
    options = {"templates/**.*": {"silent": "false"}}
    for path, line, identity, _comments, _context in extract_from_dir(
        domain.folder, method_map=methods, options_map=options, keywords=dict(KEYWORDS)
    ):
        found.setdefault(identity, f"{domain.folder.relative_to(ROOT)}/{path}:{line}")
    return found


def constants_of(domain: Domain) -> set[str]:
    """Every string in a domain's code: messages wait in tables and arguments too."""
    trees = (ast.parse(path.read_bytes()) for path in sorted(domain.folder.rglob("*.py")))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def faults_of(domain: Domain) -> list[str]:
    """What is wrong with a domain's catalogues."""
    messages = messages_of(domain)
    catalogs = {
        language: _read(path, language)
        for language in INTERFACE_LANGUAGES
        if (path := domain.locales / language / f"{domain.name}.po").exists()
    }
    # A string of the code that one language translates is a message, so all must have it.
    constants = constants_of(domain)
    held = {_identity(each) for catalog in catalogs.values() for each in catalog if each.id}
    for identity in sorted(held - messages.keys(), key=str):
        if constants.issuperset((identity,) if isinstance(identity, str) else identity):
            messages[identity] = "a string of the code"
    faults = [
        f"{domain.name}: no catalogue for {language}"
        for language in INTERFACE_LANGUAGES
        if language not in catalogs and language != DEFAULT_LANGUAGE and messages
    ]
    for language, catalog in catalogs.items():
        where = f"{(domain.locales / language).relative_to(ROOT)}/{domain.name}.po"
        faults += [f"{where}: {fault}" for fault in catalog_faults(catalog, messages)]
    return faults


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=_BABEL_NAMES.get(language, language), abort_invalid=True)


def catalog_faults(catalog: Catalog, messages: Mapping[Identity, str]) -> list[str]:
    """What is wrong with one catalogue, given the messages of the program."""
    held = {_identity(each): each for each in catalog if each.id}
    faults = [
        f"missing {identity!r} ({place})" for identity, place in messages.items() if identity not in held
    ]
    faults += [f"obsolete {identity!r}" for identity in catalog.obsolete]
    for identity, message in held.items():
        if identity not in messages:
            faults.append(f"unused {identity!r}")
        elif message.fuzzy:
            faults.append(f"fuzzy {identity!r}")
        else:
            faults += [f"{fault} in {identity!r}" for fault in _message_faults(message, catalog.num_plurals)]
    return faults


def _identity(message: Message) -> Identity:
    return message.id if isinstance(message.id, str) else _forms(message.id)


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _message_faults(message: Message, plurals: int) -> Iterator[str]:
    ids = _forms(message.id)
    forms = _forms(message.string)
    if len(ids) > 1 and len(forms) != plurals:
        yield f"{len(forms)} plural forms, the language has {plurals},"
    wanted = {name for each in ids for name in placeholders(each)}
    # "One day" and a dual say their number in words.
    optional = {"n"} if len(ids) > 1 else set()
    for form in forms:
        if not form.strip():
            yield "no translation"
            continue
        given = placeholders(form)
        if not wanted - optional <= given <= wanted:
            yield f"placeholders {sorted(given)}, the string has {sorted(wanted)},"
        if set(form) & set("<>&") - {char for each in ids for char in each}:
            yield "markup"


def placeholders(text: str) -> set[str]:
    """Names in braces. Raises :class:`ValueError` for braces that do not match."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def main(arguments: Sequence[str]) -> int:
    """Print the faults, or with ``--list`` the messages."""
    if "--list" in arguments:
        for domain in DOMAINS:
            for identity, place in messages_of(domain).items():
                print(f"{place}\t{identity!r}")
        return 0
    faults = [fault for domain in DOMAINS for fault in faults_of(domain)]
    print("\n".join(faults) if faults else "catalogues: complete")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

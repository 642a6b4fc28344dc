"""Every word of the pages is spoken in every language, with its placeholders and plural forms."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from vestnik.web import app, pages, problems, service, stories

FOLDER = Path(app.__file__).parent
LANGUAGES = ("ru", "de", "fr", "es", "sr", "zh", "ar")
_CALL = re.compile(r"""\b([tn])\(\s*("[^"]*"|'[^']*')(?:,\s*("[^"]*"))?""")


def template_messages() -> set[str]:
    found = set()
    for path in (FOLDER / "templates").glob("*.html"):
        found |= {ast.literal_eval(match[2]) for match in _CALL.finditer(path.read_text("utf-8"))}
    return found


def code_messages() -> set[str]:
    """First arguments of ``.text("…")``, ``.plural("…")`` and ``problem(request, status, "…")``, ``NoSuchPage(…)``."""
    found = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                place = {"problem": 2, "NoSuchPage": 1}.get(name, 0)
                if name in {"text", "plural", "problem", "NoSuchPage"}:
                    found |= {a.value for a in node.args[place : place + 1] if isinstance(a, ast.Constant)}
    tables = (problems._NAMES, service._STATES, stories._PLACES)
    found |= {message for table in tables for message in table.values()}
    return found | {problems._FALLBACK, problems._TRY_AGAIN, pages._NO_LANGUAGE, pages._NO_PLACE} | refusals()


def refusals() -> set[str]:
    """Sentences that the address parser of feeds and the error handler return."""
    found = set()
    for name in ("feeds.py", "problems.py"):
        for node in ast.walk(ast.parse((FOLDER / name).read_text("utf-8"))):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
            if isinstance(node, ast.Dict):
                found |= {v.value for v in node.values if isinstance(v, ast.Constant)}
    return {each for each in found if isinstance(each, str) and each.endswith(".")}


MESSAGES = template_messages() | code_messages()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def read(language: str):
    with (FOLDER / "locales" / language / "web.po").open("rb") as file:
        return read_po(file, locale={"zh": "zh_Hans", "sr": "sr_Cyrl"}.get(language, language))


def test_there_is_something_to_say():
    assert len(MESSAGES) > 70


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_message_and_no_other(language):
    known = {m.id if isinstance(m.id, str) else m.id[0] for m in read(language) if m.id}
    assert known == MESSAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_same_places(language):
    catalog = read(language)
    for message in catalog:
        if not message.id:
            continue
        if isinstance(message.id, str):
            assert message.string, message.id
            assert fields(message.string) == fields(message.id)
            continue
        assert len(message.string) == catalog.num_plurals
        for form in message.string:
            # A form for exactly none, one or two may say the number in words.
            assert fields(message.id[1]) - {"n"} <= fields(form) <= fields(message.id[1])

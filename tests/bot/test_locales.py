"""Eight languages, each complete."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path

import pytest
from babel.messages import Catalog

from bot.commands import COMMANDS
from bot.i18n import INTERFACE_LANGUAGES, load_translations

_TOOL = Path(__file__).parents[2] / "tools" / "check_locales.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("check_locales", _TOOL)
    assert spec
    assert spec.loader
    module = sys.modules["check_locales"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_string_of_the_bot_is_in_every_language(tool):
    assert tool.faults_of(tool.DOMAINS[0]) == []


MESSAGES = {"Hello, {name}": "a.py:1", ("{n} day", "{n} days"): "a.py:2"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda _: None, "missing"),
        (lambda c: c.add("Hello, {name}", "Привет, {nom}"), "placeholders"),
        (lambda c: c.add("Hello, {name}", "Привет, {name}", flags=["fuzzy"]), "fuzzy"),
        (lambda c: c.add("Hello, {name}", ""), "no translation"),
        (lambda c: c.add("Hello, {name}", "<b>Привет</b>, {name}"), "markup"),
        (lambda c: c.add("Bye", "Пока"), "unused"),
        (lambda c: c.add(("{n} day", "{n} days"), ("{n} день", "{n} дня")), "plural forms"),
    ],
)
def test_the_check_sees_each_fault(tool, change, fault):
    catalog = Catalog(locale="ru", fuzzy=False)
    catalog.add("Hello, {name}", "Привет, {name}")
    catalog.add(("{n} day", "{n} days"), ("{n} день", "{n} дня", "{n} дней"))
    assert tool.catalog_faults(catalog, MESSAGES) == []
    broken = Catalog(locale="ru", fuzzy=False)
    change(broken)
    for message in catalog:
        if message.id and message.id not in broken and fault != "missing":
            broken.add(message.id, message.string)
    assert fault in "\n".join(tool.catalog_faults(broken, MESSAGES))


def test_strings_inside_f_strings_are_found(tool):
    source = io.BytesIO("x = f\"‹ {t.text('Back')}\"".encode())
    found = list(tool.extract_python(source, ["text"], [], {}))
    assert [messages for _, _, messages, _ in found] == [("Back",)]


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {1: "1 news item", 2: "2 news items"}),
        ("ru", {1: "1 новость", 3: "3 новости", 11: "11 новостей", 21: "21 новость", 22: "22 новости"}),
        ("sr", {1: "1 вест", 3: "3 вести", 11: "11 вести", 21: "21 вест"}),
        ("zh", {1: "1 条新闻", 5: "5 条新闻"}),
        ("ar", {0: "لا أخبار", 1: "خبر واحد", 2: "خبران", 7: "7 أخبار", 30: "30 خبرًا", 100: "100 خبر"}),
        ("fr", {0: "0 actualité", 1: "1 actualité", 2: "2 actualités"}),
    ],
)
def test_numbers_agree_with_their_nouns(language, forms):
    translator = load_translations().to(language)
    for number, text in forms.items():
        assert translator.plural("{n} news item", "{n} news items", number) == text


def test_command_descriptions_fit_telegram_in_every_language():
    translations = load_translations()
    for language in INTERFACE_LANGUAGES:
        for command in COMMANDS:
            assert 1 <= len(translations.to(language).text(command.description)) <= 256

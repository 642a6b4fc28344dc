"""Configuration: every mistake is named with file, line, key and the nearest right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.model import NetworkId, RegionCode
from vestnik.config import ConfigError, default_config, load_config

_SOURCE = "sources: [{{id: a, url: 'https://x.example/', {}}}]"
_NETWORK = "networks: [{{id: n, title: {{en: N}}, regions: [RU-PNZ], {}}}]"


@pytest.fixture
def problems(tmp_path):
    """The mistakes found in a text, as the person at the keyboard reads them."""

    def find(text: str, **environment: str) -> tuple[str, ...]:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(file, environment=environment)
        return tuple(each.replace(str(file), "FILE") for each in caught.value.problems)

    return find


MISTAKES = [
    ("web:\n  prot: 80", "FILE:2: unknown key web.prot. Did you mean port?"),
    ("webb: {}", "FILE:1: unknown key webb. Did you mean web?"),
    ("telegram: {tokn: x}", "FILE:1: unknown key telegram.tokn. Did you mean token?"),
    (_SOURCE.format("selectors: {itm: x}"), "unknown key sources[0].selectors.itm. Did you mean item?"),
    ("\n\nweb:\n\n  port: http", "FILE:5: web.port: must be a whole number (got 'http')."),
    ("web: {port: 99999}", "FILE:1: web.port: Input should be less than or equal to 65535 (got 99999)."),
    ("languages: 5", "FILE:1: languages: must be a list"),
    ("languages: [ru, english]", "FILE:1: languages[1]: 'english' is no language"),
    ("languages: []", "FILE:1: languages: must name at least one."),
    ("sources: {a: 1}", "FILE:1: sources: must be a list"),
    ("web: 5", "FILE:1: web: must have keys of its own"),
    ("fetch: {min_interval: soon}", "FILE:1: fetch.min_interval: 'soon' is no duration"),
    ("fetch: {max_bytes: 5MB}", "FILE:1: fetch.max_bytes: must be a whole number"),
    (
        "fetch:\n  allow_private_addresses:\n  - ::1\n  - 10.0.0.0/99",
        "FILE:4: fetch.allow_private_addresses[1]: ",
    ),
    ("admins: [boss]", "FILE:1: admins[0]: must have keys of its own"),
    ("sources: [{id: a}]", "FILE:1: sources[0].url is missing."),
    ("sources: [{id: a, url: 'ftp://x'}]", "FILE:1: sources[0].url: 'ftp://x' is no web address"),
    ("sources: [{id: a, url: 'http://'}]", "FILE:1: sources[0].url: 'http://' is no web address"),
    ("sources: [{id: a, url: 'http://[::1/x'}]", "FILE:1: sources[0].url: 'http://[::1/x' is no web address"),
    ("sources: [{id: a b, url: 'http://x/'}]", "FILE:1: sources[0].id: must be made of letters"),
    (_SOURCE.format("region: RU-PZN"), "FILE:1: sources[0].region: no region 'RU-PZN'. Did you mean RU-PNZ?"),
    (_SOURCE.format("network: regionl"), "FILE:1: sources[0].network: no network 'regionl'."),
    (_SOURCE.format("sections: {News: n}"), "FILE:1: sources[0].sections.News: no network 'n'."),
    (_SOURCE.format("timezone: Mars/X"), "FILE:1: sources[0].timezone: 'Mars/X' is no time zone"),
    (_SOURCE.format("interval: 0"), "FILE:1: sources[0].interval: 0 is too short"),
    (_SOURCE.format("kind: feeed"), "FILE:1: sources[0].kind: Input should be 'auto', 'feed' or 'list'"),
    (_SOURCE.format("language: Russian"), "FILE:1: sources[0].language: 'Russian' is no language"),
    (
        "sources:\n- {id: a, url: 'http://x/'}\n- {id: a, url: 'http://y/'}",
        "FILE:3: sources[1].id: 'a' is taken; every source needs its own id.",
    ),
    (
        "networks: [{id: n, title: {en: N}, regions: [volgaa]}]",
        "FILE:1: networks[0].regions[0]: no region or group 'volgaa'. Did you mean volga?",
    ),
    ("networks: [{id: all, title: {en: N}, regions: [RU]}]", "FILE:1: networks[0].id: 'all' is taken"),
    (
        _NETWORK.format("relevance: {home: [RU-PZN]}"),
        "networks[0].relevance.home[0]: no region or group 'RU-PZN'",
    ),
    ("web: {port: 1}\nweb: {port: 2}", "FILE:2: web stands twice; keep one."),
    ("web:\n  port: 1\n  port: 2", "FILE:3: web.port stands twice; keep one."),
    ("a: [1", "FILE:1: is no YAML"),
    ("web:\n\tport: 1", "FILE:2: is no YAML"),
    ("- a", "FILE:1: must be sections"),
    ("just words", "FILE:1: must be sections"),
    ("2: x", "FILE:1: must be sections"),
    ("x: &a [*a]", "FILE: refers to itself"),
    ("telegram: {token_file: /nowhere/at/all}", "telegram.token_file /nowhere/at/all: can't be read"),
    ("telegram: {webhook: {enabled: true}}", "telegram.webhook.enabled needs telegram.webhook.url"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[text[:40] for text, _ in MISTAKES])
def test_a_mistake_is_named_with_its_place(problems, text, said):
    (found,) = problems(text)
    assert said in found


def test_all_mistakes_are_told_at_once(problems):
    found = problems("web:\n  port: x\n  hots: y\nfetch:\n  timeout: soon\nlanguages: [1]\n")
    assert sorted(each.split(": ")[0] for each in found) == ["FILE:2", "FILE:3", "FILE:5", "FILE:6"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("VESTNIK_WEB__PORT", "many", "environment VESTNIK_WEB__PORT: web.port: must be a whole number"),
        ("VESTNIK_WEB__PROT", "80", "unknown key web.prot. Did you mean port?"),
        ("VESTNIK_LANGUAGES", "ru,x1", "'x1' is no language"),
    ],
)
def test_mistakes_in_the_environment_name_the_variable(tmp_path, monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    file = tmp_path / "config.yaml"
    file.write_text("")
    with pytest.raises(ConfigError, match=r".") as caught:
        load_config(file)
    assert said in str(caught.value)


def test_an_unknown_section_in_the_environment_is_refused(problems):
    assert "there is no section wbe. Did you mean VESTNIK_WEB__" in problems("", VESTNIK_WBE__PORT="1")[0]


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "config.yaml"
    file.write_text("web: {port: 1, host: 10.0.0.1}\nlanguages: [ru]\nadmins: [1]\n")
    for name, value in (
        ("WEB__PORT", "2"),
        ("LANGUAGES", "en,de"),
        ("ADMINS", "5,6"),
        ("FETCH__MIN_INTERVAL", "1s"),
    ):
        monkeypatch.setenv(f"VESTNIK_{name}", value)
    settings = load_config(file).settings
    assert (settings.web.port, settings.web.host) == (2, "10.0.0.1")
    assert settings.languages == ("en", "de")
    assert [(each.id, each.role) for each in settings.admins] == [(5, "owner"), (6, "owner")]
    assert settings.fetch.min_interval.total_seconds() == 1


def test_a_token_comes_from_a_file_and_is_never_shown(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("123:abc\n")
    file = tmp_path / "config.yaml"
    file.write_text(f"telegram: {{token_file: {secret}}}")
    config = load_config(file, environment={})
    assert config.token == "123:abc"
    assert "abc" not in repr(config)
    file.write_text("telegram: {}")
    assert load_config(file, environment={"VESTNIK_TELEGRAM__TOKEN_FILE": str(secret)}).token == "123:abc"


def test_a_wrong_secret_is_not_repeated(problems):
    assert "hunter2" not in "".join(problems("telegram: {token: [hunter2]}"))


def test_a_missing_file_and_one_in_another_encoding_are_told(tmp_path):
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        load_config(tmp_path / "nothing.yaml")
    file = tmp_path / "config.yaml"
    file.write_bytes("web: {title: {ru: Вестник}}".encode("cp1251"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(file)


def test_an_empty_file_gives_the_defaults(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("")
    settings = load_config(file, environment={}).settings
    assert settings.storage.url == "sqlite:///var/vestnik.db"
    assert settings.telegram.api_base_url == "https://api.telegram.org"
    assert settings.fetch.allow_private_addresses == ()


def test_the_shipped_configuration_is_right_and_whole():
    config = load_config(default_config(), environment={})
    regional, foreign = (config.networks.networks[NetworkId(each)] for each in ("regional", "foreign"))
    assert {"RU-PNZ", "UA-43"} <= set(regional.regions)
    assert RegionCode("MN") in foreign.regions
    assert len(config.sources) >= 12
    assert all(source.language for source in config.sources)
    assert not config.token


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_or_refused_in_words(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "config.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    problems: tuple[str, ...] = ("none",)
    try:
        load_config(file, environment={})
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert all(problems)

"""What ships beside the code can be used as it is: configuration, examples, container files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from feeds.model import NetworkId, RegionCode
from vestnik.config import Configuration, load_config

ROOT = Path(__file__).parents[2]
INTERFACE = {"ru", "en", "de", "fr", "es", "sr", "zh", "ar"}
REGIONAL, FOREIGN = NetworkId("regional"), NetworkId("foreign")


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_config(ROOT / "config.yaml", environment={})


def test_shipped_networks_hold_all_subjects_and_all_countries_but_russia(shipped: Configuration) -> None:
    regional, foreign = shipped.networks.networks[REGIONAL], shipped.networks.networks[FOREIGN]
    assert set(regional.regions) == set(shipped.catalogue.expand("RU"))
    assert {"UA-43", "UA-40", "UA-14", "UA-09", "UA-23", "UA-65"} <= set(regional.regions)
    assert set(foreign.regions) == set(shipped.catalogue.expand("countries"))
    assert RegionCode("RU") not in foreign.regions


def test_shipped_networks_have_a_title_in_every_interface_language(shipped: Configuration) -> None:
    assert all(set(each.titles) == INTERFACE for each in shipped.networks.networks.values())


def test_shipped_networks_know_the_headings_of_the_real_pages(shipped: Configuration) -> None:
    networks = shipped.networks.networks
    assert {"Regional network", "Мероприятия и события региональной сети"} <= set(networks[REGIONAL].headings)
    assert "Foreign network" in networks[FOREIGN].headings


def test_an_admin_sees_every_region_and_country_in_the_file(shipped: Configuration) -> None:
    text = re.sub(r"\s*\n\s*#\s*", " ", (ROOT / "config.yaml").read_text(encoding="utf-8"))
    missing = [
        code
        for network in shipped.networks.networks.values()
        for code in network.regions
        if f"{code} {shipped.catalogue.regions[code].names['en']}" not in text  # type: ignore[index]
    ]
    assert missing == []


def test_shipped_sources_are_real_and_say_their_language_and_zone(shipped: Configuration) -> None:
    addresses = {each.url for each in shipped.sources}
    assert len(addresses) == len(shipped.sources) >= 12
    assert {
        "https://www.prlib.ru/en/networknews",
        "https://www.prlib.ru/regional_events",
        "https://www.prlib.ru/en/news",
    } <= addresses
    assert all(each.language and each.title and each.timezone != "UTC" for each in shipped.sources)


def test_a_source_of_one_place_is_in_a_network_that_lists_it(shipped: Configuration) -> None:
    for source in shipped.sources:
        if source.network and source.region:
            assert source.network in shipped.networks.of_region(source.region), source.id


def test_shipped_settings_ask_nobody_private_and_nobody_too_often(shipped: Configuration) -> None:
    assert shipped.settings.fetch.allow_private_addresses == ()
    assert shipped.settings.fetch.min_interval.total_seconds() >= 3600
    assert shipped.token == ""


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_every_example_is_valid(path: Path) -> None:
    read = load_config(path, environment={})
    assert read.sources
    assert read.networks.networks
    assert path.name in (path.parent / "README.md").read_text(encoding="utf-8")


def test_compose_starts_vestnik_after_a_healthy_database_and_without_rights_it_does_not_need() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    vestnik = services["vestnik"]
    assert vestnik["depends_on"]["db"]["condition"] == "service_healthy"
    assert services["db"]["healthcheck"]
    assert vestnik["read_only"] is True
    assert vestnik["cap_drop"] == ["ALL"]


def test_the_image_copies_only_what_exists_and_is_not_ignored() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        word
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == allowed
    assert [each for each in copied if not (ROOT / each).exists()] == []


def test_the_image_runs_without_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER vestnik" in last_stage
    assert any(line.startswith("HEALTHCHECK") for line in last_stage)

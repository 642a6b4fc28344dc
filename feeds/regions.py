"""The catalogue of places: federal subjects, countries, and the districts they belong to.

The places are readable tables in ``feeds/data/`` (see the README there); an institution may bring a
table of its own. This module only reads and answers; it decides nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NewType, cast

from feeds.model import LanguageCode, RegionCode

#: ``central``, ``volga`` ... for federal districts; ``northern-europe`` ... for world regions.
DistrictId = NewType("DistrictId", str)

FALLBACK_LANGUAGE = LanguageCode("en")

DATA = Path(__file__).parent / "data"
_DISTRICTS = "districts.tsv"
_REGIONS = ("subjects.tsv", "countries.tsv")
#: Columns of a region table that are not names; every other column is a language.
_FIELDS = frozenset({"code", "kind", "district", "latitude", "longitude", "column", "row", "aliases"})
_KINDS = ("subject", "country")


class CatalogueError(ValueError):
    """A row of a catalogue table cannot be used; the message names file, line and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A federal subject or a country."""

    code: RegionCode
    kind: Literal["subject", "country"]
    #: Short everyday name per interface language ("Penza Oblast", "Пензенская область").
    names: Mapping[LanguageCode, str]
    district: DistrictId
    #: Centre, decimal degrees.
    latitude: float
    longitude: float
    #: (column, row) on the tile map of its kind.
    tile: tuple[int, int]
    #: More words that mean this place, as an institution's own table gives them.
    aliases: tuple[str, ...] = ()

    def name(self, language: LanguageCode) -> str:
        """Name in ``language``, in English where the catalogue has none."""
        return self.names.get(language) or self.names.get(FALLBACK_LANGUAGE) or self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A group of regions: a federal district or a world region."""

    id: DistrictId
    #: ``RU`` for federal districts, ``countries`` for world regions.
    group: Literal["RU", "countries"]
    names: Mapping[LanguageCode, str]

    def name(self, language: LanguageCode) -> str:
        """Name in ``language``, in English where the catalogue has none."""
        return self.names.get(language) or self.names.get(FALLBACK_LANGUAGE) or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All places Vestnik knows, by code, in a stable order (district, then name)."""

    regions: Mapping[RegionCode, Region]
    districts: Mapping[DistrictId, District]

    def expand(self, name: str) -> tuple[RegionCode, ...]:
        """Codes meant by a code or a group: ``RU`` (all subjects), ``countries`` (all but Russia),
        a district id (its regions), or a single code.

        Raises :class:`KeyError` with ``name`` when the catalogue does not know it.
        """
        group = {"RU": "subject", "countries": "country"}.get(name)
        if group is not None:
            return tuple(r.code for r in self.regions.values() if r.kind == group and r.code != "RU")
        if name in self.districts:
            return tuple(r.code for r in self.regions.values() if r.district == name)
        if RegionCode(name) in self.regions:
            return (RegionCode(name),)
        raise KeyError(name)


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """The shipped catalogue, with the rows of ``extra`` added or put in place of rows of the same code.

    ``extra`` has the columns of ``feeds/data/subjects.tsv`` and optionally ``aliases`` (words that
    mean the place, separated by ``;``). Raises :class:`CatalogueError` for a row it cannot use and
    :class:`OSError` when the file cannot be read.
    """
    districts = {each.id: each for each in _read_districts(DATA / _DISTRICTS)}
    found: dict[RegionCode, Region] = {}
    for path in (*(DATA / name for name in _REGIONS), *([extra] if extra else [])):
        for line, row in read_table(path):
            region = _region(row, where=f"{path.name}:{line}", districts=districts)
            found[region.code] = region
    order = {each: place for place, each in enumerate(districts)}
    ordered = sorted(found.values(), key=lambda r: (order[r.district], r.name(FALLBACK_LANGUAGE)))
    return Catalogue(regions={each.code: each for each in ordered}, districts=districts)


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a tab-separated table with their line numbers; ``#`` lines are comments.

    Raises :class:`CatalogueError` when a row has more or fewer cells than the header.
    """
    with path.open(encoding="utf-8", newline="") as file:
        numbered = ((n, line) for n, line in enumerate(file, start=1) if line.strip() and line[0] != "#")
        yield from _rows(numbered, path.name)


def _rows(numbered: Iterable[tuple[int, str]], name: str) -> Iterator[tuple[int, dict[str, str]]]:
    header: list[str] = []
    for number, line in numbered:
        cells = next(csv.reader([line], delimiter="\t", quoting=csv.QUOTE_NONE))
        if not header:
            header = cells
        elif len(cells) != len(header):
            raise CatalogueError(f"{name}:{number}: {len(cells)} cells, the header has {len(header)}")
        else:
            yield number, dict(zip(header, cells, strict=True))


def _read_districts(path: Path) -> Iterator[District]:
    for _, row in read_table(path):
        names = {LanguageCode(key): value for key, value in row.items() if key not in {"id", "group"}}
        group = cast("Literal['RU', 'countries']", row["group"])
        yield District(id=DistrictId(row["id"]), group=group, names=names)


def _region(row: Mapping[str, str], *, where: str, districts: Mapping[DistrictId, District]) -> Region:
    missing = sorted((_FIELDS - {"aliases"}) - row.keys())
    if missing:
        raise CatalogueError(f"{where}: column {missing[0]!r} is missing")
    if row["kind"] not in _KINDS:
        raise CatalogueError(f"{where}: kind {row['kind']!r}, must be one of {', '.join(_KINDS)}")
    if row["district"] not in districts:
        raise CatalogueError(f"{where}: no district {row['district']!r} in {_DISTRICTS}")
    return Region(
        code=RegionCode(row["code"]),
        kind=cast("Literal['subject', 'country']", row["kind"]),
        names={LanguageCode(k): v for k, v in row.items() if k not in _FIELDS and v},
        district=DistrictId(row["district"]),
        latitude=_number(row, "latitude", where),
        longitude=_number(row, "longitude", where),
        tile=(int(_number(row, "column", where)), int(_number(row, "row", where))),
        aliases=tuple(word.strip() for word in row.get("aliases", "").split(";") if word.strip()),
    )


def _number(row: Mapping[str, str], column: str, where: str) -> float:
    try:
        return float(row[column])
    except ValueError as error:
        raise CatalogueError(f"{where}: {column} {row[column]!r} is not a number") from error

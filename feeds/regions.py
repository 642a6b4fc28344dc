"""The catalogue of places: federal subjects, countries, and the districts they belong to.

Data files live in ``feeds/data/``; this module only reads and answers. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NewType

from feeds.model import LanguageCode, RegionCode

#: ``central``, ``volga`` ... for federal districts; ``europe``, ``central-asia`` ... for world regions.
DistrictId = NewType("DistrictId", str)

FALLBACK_LANGUAGE = LanguageCode("en")


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

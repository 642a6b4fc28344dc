"""The tile map of a network and its twin, a table: how much news each region had lately. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from bot.i18n import Translator
from feeds.model import NetworkId, RegionCode
from feeds.networks import Networks, Scope, region_scope
from feeds.regions import FALLBACK_LANGUAGE, DistrictId, Region
from vestnik.web.addresses import Site
from vestnik.web.speech import show_number

#: The map shows news of this many days.
MAP_DAYS = 30

#: Fewest news for each deeper shade; below the first the tile is empty.
_SHADES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A region on the map and in the table."""

    code: RegionCode
    #: What fits on a tile: ``PNZ``, ``MN``.
    short: str
    name: str
    path: str
    count: int
    shown: str
    #: ``5 news``, for the tile's label.
    news: str
    shade: int
    #: 1-based place on the grid.
    column: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TileGroup:
    """A district with its regions, by name."""

    id: DistrictId
    name: str
    count: int
    shown: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMap:
    """The regions of a network."""

    #: ``subject`` or ``country``: which grid it is.
    kind: str
    columns: int
    groups: tuple[TileGroup, ...]
    tiles: tuple[Tile, ...]
    #: Fewest news per shade, for the legend.
    shades: tuple[int, ...] = _SHADES


def make_map(
    networks: Networks,
    network: NetworkId,
    counts: Mapping[Scope, int],
    speaker: Translator,
    site: Site,
) -> TileMap | None:
    """The map of a network; ``None`` when it has no regions.

    The tiles are one column and row apart as in the catalogue, moved so that the map begins at 1.
    A network with both subjects and countries is drawn as what it has more of; the rest is in the
    table only.
    """
    districts = networks.districts(network)
    regions = [region for _, each in districts for region in each]
    if not regions:
        return None
    kinds = [region.kind for region in regions]
    kind = "subject" if kinds.count("subject") >= kinds.count("country") else "country"
    placed = [region for region in regions if region.kind == kind]
    left = min(region.tile[0] for region in placed)
    top = min(region.tile[1] for region in placed)
    groups = []
    for district, members in districts:
        named = sorted(members, key=lambda each: each.name(speaker.language).casefold())
        tiles = tuple(_tile(each, network, counts, speaker, site, (left, top)) for each in named)
        total = sum(tile.count for tile in tiles)
        groups.append(
            TileGroup(
                id=district.id,
                name=district.name(speaker.language),
                count=total,
                shown=show_number(total, speaker),
                tiles=tiles,
            )
        )
    codes = {region.code for region in placed}
    tiles = tuple(tile for group in groups for tile in group.tiles if tile.code in codes)
    return TileMap(
        kind=kind,
        columns=max(tile.column for tile in tiles),
        groups=tuple(groups),
        # Reading order for the keyboard: row by row, as on the map.
        tiles=tuple(sorted(tiles, key=lambda tile: (tile.row, tile.column))),
    )


def shade(count: int) -> int:
    """0 (no news) to 5 (sixteen and more)."""
    return bisect_right(_SHADES, count)


def short_code(region: Region) -> str:
    """What fits on a tile: the end of the code, or letters of the name where that is a number."""
    end = region.code.rpartition("-")[2]
    return region.name(FALLBACK_LANGUAGE)[:3].upper() if end.isdigit() else end


def _tile(
    region: Region,
    network: NetworkId,
    counts: Mapping[Scope, int],
    speaker: Translator,
    site: Site,
    corner: tuple[int, int],
) -> Tile:
    scope = region_scope(network, region.code)
    count = counts.get(scope, 0)
    return Tile(
        code=region.code,
        short=short_code(region),
        name=region.name(speaker.language),
        path=site.page(speaker.language, scope),
        count=count,
        shown=show_number(count, speaker),
        news=speaker.plural("{n} news story", "{n} news stories", count),
        shade=shade(count),
        column=region.tile[0] - corner[0] + 1,
        row=region.tile[1] - corner[1] + 1,
    )

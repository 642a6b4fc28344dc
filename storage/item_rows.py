"""Rows of items become items."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import Evidence, Item, ItemId, LanguageCode, NetworkId, RegionCode, SourceId, StoryId
from storage.models import ItemLabelRow, ItemRow, SourceRow
from storage.sql import chunks


def item_rows() -> Select[ItemRow, str, str]:
    """All items with the title and the address of their source, for :func:`load`."""
    return select(ItemRow, SourceRow.title, SourceRow.url).join(SourceRow, SourceRow.id == ItemRow.source_id)


async def load(session: AsyncSession, query: Select[ItemRow, str, str]) -> list[Item]:
    """Items of a query made from :func:`item_rows`, in its order."""
    rows = (await session.execute(query)).all()
    labels: dict[tuple[int, str], list[str]] = {}
    for some in chunks([row.id for row, _, _ in rows]):
        found = await session.execute(
            select(ItemLabelRow.item_id, ItemLabelRow.role, ItemLabelRow.code)
            .where(ItemLabelRow.item_id.in_(some))
            .order_by(ItemLabelRow.item_id, ItemLabelRow.position, ItemLabelRow.code)
        )
        for item_id, role, code in found:
            labels.setdefault((item_id, role), []).append(code)
    return [_item(row, title, url, labels) for row, title, url in rows]


def _item(
    row: ItemRow, source_title: str, source_url: str, labels: Mapping[tuple[int, str], list[str]]
) -> Item:
    return Item(
        id=ItemId(row.id),
        story_id=StoryId(row.story_id),
        source_id=SourceId(row.source_id),
        source_title=source_title or urlsplit(source_url).hostname or source_url,
        source_url=source_url,
        url=row.url,
        title=row.title,
        summary=row.summary,
        content_html=row.content_html,
        image=row.image,
        author=row.author,
        language=LanguageCode(row.language),
        published=row.published,
        updated=row.updated,
        first_seen=row.first_seen,
        has_date=row.has_date,
        section=row.section,
        networks=tuple(NetworkId(c) for c in labels.get((row.id, "network"), ())),
        regions=tuple(RegionCode(c) for c in labels.get((row.id, "about"), ())),
        mentions=tuple(RegionCode(c) for c in labels.get((row.id, "mention"), ())),
        evidence=tuple(Evidence(**each) for each in row.evidence),
        confidence=row.confidence,
        withdrawn=row.withdrawn,
    )

"""Which scopes changed since when: what feed caches, here and in other processes, go by."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from feeds.model import ItemId, LanguageCode
from feeds.networks import Scope
from storage.models import ItemScopeRow, ScopeRevisionRow
from storage.sql import chunks, insert_into


async def touch(session: AsyncSession, ids: Sequence[ItemId], revision: int) -> None:
    """Note that every (scope, language) the items stand in at this moment changes with ``revision``.

    An item about to be filed anew is touched before and after: what it leaves changes too.
    """
    for some in chunks(ids):
        stand = (
            select(ItemScopeRow.scope, ItemScopeRow.language, literal(revision))
            .where(ItemScopeRow.item_id.in_(some))
            .distinct()
        )
        insert = insert_into(session, ScopeRevisionRow).from_select(["scope", "language", "revision"], stand)
        await session.execute(
            insert.on_conflict_do_update(index_elements=["scope", "language"], set_={"revision": revision})
        )


async def touched_since(session: AsyncSession, revision: int) -> tuple[int, set[tuple[Scope, LanguageCode]]]:
    """The latest revision, and the (scope, language) pairs touched after ``revision``."""
    latest = await session.scalar(select(func.max(ScopeRevisionRow.revision))) or 0
    rows = await session.execute(
        select(ScopeRevisionRow.scope, ScopeRevisionRow.language).where(ScopeRevisionRow.revision > revision)
    )
    return latest, {(Scope(scope), LanguageCode(language)) for scope, language in rows}

"""Looking for what must not be: damage, orphans, an outbox that makes no sense."""

from __future__ import annotations

from sqlalchemy import exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import ItemRow, ItemScopeRow, OutboxRow, StoryRow

_STATES = ("queued", "sending", "sent", "unknown", "failed", "skipped")


async def problems(session: AsyncSession) -> list[str]:
    """Everything found, one sentence each; empty when all is well."""
    found = await _sqlite_damage(session)
    counted = {
        "items are filed nowhere, not even under 'all'": select(func.count())
        .where(~exists().where(ItemScopeRow.item_id == ItemRow.id, ItemScopeRow.scope == "all"))
        .select_from(ItemRow),
        "stories have no item": select(func.count())
        .where(~exists().where(ItemRow.story_id == StoryRow.id))
        .select_from(StoryRow),
        "outbox rows are in a state that does not exist": select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.state.not_in(_STATES)),
        "outbox rows are 'sent' without a message": select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.state == "sent", OutboxRow.message_id.is_(None)),
        "outbox rows tell an item of another story": select(func.count())
        .select_from(OutboxRow)
        .join(ItemRow, ItemRow.id == OutboxRow.item_id)
        .where(ItemRow.story_id != OutboxRow.story_id),
    }
    for what, query in counted.items():
        if number := await session.scalar(query):
            found.append(f"{number} {what}.")
    return found


async def _sqlite_damage(session: AsyncSession) -> list[str]:
    if session.get_bind().dialect.name != "sqlite":
        return []
    damage = (await session.scalars(text("PRAGMA integrity_check"))).all()
    orphans = (await session.execute(text("PRAGMA foreign_key_check"))).all()
    found = [f"the file is damaged: {each}" for each in damage if each != "ok"]
    return found + [
        f"table {table}, row {row} points to nothing in {parent}." for table, row, parent, _ in orphans
    ]

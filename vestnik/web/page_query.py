"""Which part of a list of news a reader looks at, as written in the address. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from feeds.model import Item, ItemId

#: Marks an item's place in time in an address: ``2026-11-20T12:00:00+00:00~17``.
_PLACE = "~"
#: Largest id a database can hold.
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """The query of a list page; what can't be understood is as good as absent."""

    before: tuple[datetime, ItemId] | None = None
    #: Only stories in the reader's language.
    own_only: bool = False

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> ListQuery:
        """From an address."""
        return cls(before=_read_place(parameters.get("before", "")), own_only=parameters.get("only") == "1")

    def text(self) -> str:
        """As part of an address; empty for the first page of all languages."""
        place = f"{self.before[0].isoformat()}{_PLACE}{self.before[1]}" if self.before else ""
        parts = {"only": "1" if self.own_only else "", "before": place}
        query = urlencode({key: value for key, value in parts.items() if value})
        return f"?{query}" if query else ""

    def older_than(self, item: Item) -> ListQuery:
        """What comes after ``item`` in the list."""
        return replace(self, before=(item.published, item.id))

    def from_start(self) -> ListQuery:
        """The beginning of the same list."""
        return replace(self, before=None)

    def toggled(self) -> ListQuery:
        """The beginning of the list with the other choice of languages."""
        return ListQuery(own_only=not self.own_only)


def _read_place(text: str) -> tuple[datetime, ItemId] | None:
    when, _, number = text.partition(_PLACE)
    try:
        at, item_id = datetime.fromisoformat(when), int(number)
    except ValueError:
        return None
    if not 0 <= item_id <= _MAX_ID:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC), ItemId(item_id)

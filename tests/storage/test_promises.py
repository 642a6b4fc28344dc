"""Whatever readers, news and the sender do in whatever order: the outbox is what a plain model says.

The model is a list of rows in Python. After every step it must equal the tables, so every promise
holds at every moment: one row per story and reader, nothing queued for who is paused or follows
nothing of it, each chat in order, nothing sent twice, nothing lost.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select

from feeds.model import Classification, Entry, Source
from storage import check, items, outbox, sources, subscribers
from storage.database import Database
from storage.items import NewItem
from storage.models import OutboxRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SCOPES = ("regional", "regional/RU-PNZ", "foreign")
CHATS = (1, 2, 3)
chats = st.sampled_from(CHATS)
scopes = st.sampled_from(SCOPES)


def make_fast(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")


@dataclass
class Reader:
    id: int
    follows: set[str] = field(default_factory=set)
    is_paused: bool = False


@dataclass
class Row:
    item: int
    chat: int
    state: str


class Outbox(RuleBasedStateMachine):
    blank: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.readers: dict[int, Reader] = {}
        self.news: dict[int, set[str]] = {}
        self.rows: list[Row] = []

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run(work)

    def do(self, act: Any, *args: Any, **values: Any) -> Any:
        async def work() -> Any:
            async with self.database.write() as session:
                return await act(session, *args, **values)

        return self.run(work())

    @initialize(follows=st.tuples(*[st.sets(scopes, min_size=1, max_size=3)] * len(CHATS)))
    def open(self, follows: tuple[set[str], ...]) -> None:
        shutil.copy(self.blank, f"{self.folder.name}/news.db")
        self.database = Database.open(f"sqlite:///{self.folder.name}/news.db")
        # Nothing here is about power loss, and thousands of commits are not to wait for a disk.
        event.listen(self.database.engine.sync_engine, "connect", make_fast)
        self.do(sources.add, Source(id="lib", url="https://lib.example/feed"), now=NOW)
        for chat, wanted in zip(CHATS, follows, strict=True):
            for scope in wanted:
                self.follow(chat, scope)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.run(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    # What readers do.

    @rule(chat=chats, scope=scopes)
    def follow(self, chat: int, scope: str) -> None:
        met, is_new = self.do(
            subscribers.ensure, chat_id=chat, kind="private", title="", language="en", now=NOW
        )
        assert is_new == (chat not in self.readers)
        reader = self.readers.setdefault(chat, Reader(id=met.id))
        assert self.do(subscribers.follow, reader.id, scope, now=NOW) == (scope not in reader.follows)
        reader.follows.add(scope)

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def unfollow(self, data: st.DataObject) -> None:
        chat = data.draw(st.sampled_from(sorted(self.readers)))
        reader = self.readers[chat]
        scope = data.draw(st.sampled_from(sorted(reader.follows) or SCOPES))
        assert self.do(subscribers.unfollow, reader.id, scope) == (scope in reader.follows)
        reader.follows.discard(scope)
        for row in self.queued(chat):
            if not self.news[row.item] & reader.follows:
                row.state = "skipped"

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), what=st.sampled_from(["pause", "pause", "forget", "become_supergroup"]))
    def upset(self, data: st.DataObject, what: str) -> None:
        chat = data.draw(st.sampled_from(sorted(self.readers)))
        getattr(self, what)(chat)

    def pause(self, chat: int) -> None:
        """Or resume, where it is paused."""
        reader = self.readers[chat]
        if reader.is_paused:
            assert self.do(subscribers.resume, chat_id=chat, now=NOW) == 1
        else:
            assert self.do(subscribers.pause, chat_id=chat, reason="blocked", now=NOW) == 1
            for row in self.queued(chat):
                row.state = "skipped"
        reader.is_paused = not reader.is_paused

    def forget(self, chat: int) -> None:
        assert self.do(subscribers.forget, chat_id=chat)
        del self.readers[chat]
        self.rows = [row for row in self.rows if row.chat != chat]

    def become_supergroup(self, old: int) -> None:
        """One chat becomes another that may read already."""
        new = CHATS[CHATS.index(old) - 1]
        self.do(subscribers.migrate, old_chat_id=old, new_chat_id=new, now=NOW)
        reader = self.readers.pop(old)
        if new not in self.readers:
            self.readers[new] = reader
        else:
            self.readers[new].follows |= reader.follows
        self.merge(old, new)

    def merge(self, old: int, new: int) -> None:
        read = {row.item for row in self.rows if row.chat == old and row.state in {"sent", "sending"}}
        self.rows = [r for r in self.rows if not (r.chat == new and r.state == "queued" and r.item in read)]
        known = {row.item for row in self.rows if row.chat == new}
        for row in [row for row in self.rows if row.chat == old]:
            if row.item in known:
                self.rows.remove(row)
            else:
                row.chat = new

    # What happens in the world.

    @rule(several=st.lists(st.sets(scopes, max_size=2), min_size=1, max_size=3))
    def publish(self, several: list[set[str]]) -> None:
        for filed in several:
            self.publish_one(filed)

    def publish_one(self, filed: set[str]) -> None:
        number = len(self.news)
        filed = {"all", *filed}  # which nobody here follows
        new = NewItem(
            entry=Entry(title=f"{number}", published=NOW), keys=(f"{number}",), fingerprint="",
            canonical_url=None, classification=Classification(), scopes=tuple(sorted(filed)),
        )  # fmt: skip
        (item_id,) = self.do(items.add, "lib", [new], now=NOW)
        self.news[item_id] = filed
        self.fan_out(item_id, filed)

    @precondition(lambda self: self.news)
    @rule(filed=st.sets(scopes, min_size=1, max_size=2), data=st.data())
    def file_under_more(self, filed: set[str], data: st.DataObject) -> None:
        """Another source shows an old item under more headings: news for those who follow them."""
        item_id = data.draw(st.sampled_from(sorted(self.news)))
        more = filed - self.news[item_id]
        self.do(items.file_under, {item_id: ((), (), sorted(filed))})
        self.news[item_id] |= filed
        self.fan_out(item_id, more)

    def fan_out(self, item_id: int, filed: set[str]) -> None:
        queued = self.do(outbox.fan_out, [item_id], now=NOW, scopes=filed)
        has = {row.chat for row in self.rows if row.item == item_id}
        wanting = {
            chat
            for chat, reader in self.readers.items()
            if reader.follows & filed and not reader.is_paused and chat not in has
        }
        self.rows += [Row(item=item_id, chat=chat, state="queued") for chat in sorted(wanting)]
        assert queued == len(wanting)

    @precondition(lambda self: self.expected_heads())
    @rule(outcome=st.sampled_from(["sent", "sent", "failed", "queued", "sending"]), limit=st.integers(1, 3))
    def deliver(self, outcome: str, limit: int) -> None:
        heads = self.do(outbox.heads, now=NOW, limit=limit)
        found, expected = {(head.chat_id, head.item_id) for head in heads}, self.expected_heads()
        assert found <= expected
        assert len(heads) == min(limit, len(expected))
        for head in heads:
            row = next(r for r in self.rows if (r.chat, r.item) == (head.chat_id, head.item_id))
            assert self.do(outbox.mark_sending, [head.id], now=NOW) == {head.id}
            row.state = outcome
            if outcome == "sent":
                self.do(outbox.mark_sent, head.id, message_id=1, now=NOW)
            elif outcome == "failed":
                self.do(outbox.mark_failed, head.id, reason="no", detail="", now=NOW)
            elif outcome == "queued":
                self.do(outbox.put_back, head.id, due_at=NOW, reason="trouble")

    @precondition(lambda self: any(row.state == "sending" for row in self.rows))
    @rule()
    def recover(self) -> None:
        """A new process puts back what the dead one was sending."""
        for left in self.do(outbox.left_sending):
            self.do(outbox.put_back, left.id, due_at=NOW, reason="died", possible_repeat=True)
        for row in self.rows:
            if row.state == "sending":
                row.state = "queued"

    # What must hold at every moment.

    def queued(self, chat: int) -> list[Row]:
        return [row for row in self.rows if row.chat == chat and row.state == "queued"]

    def expected_heads(self) -> set[tuple[int, int]]:
        first: dict[int, Row] = {}
        for row in self.rows:
            if row.state in {"queued", "sending"}:
                first.setdefault(row.chat, row)
        return {
            (chat, row.item)
            for chat, row in first.items()
            if row.state == "queued" and not self.readers[chat].is_paused
        }

    @invariant()
    def tables_equal_the_model(self) -> None:
        if not hasattr(self, "database"):
            return
        chat_of = {reader.id: chat for chat, reader in self.readers.items()}

        async def look() -> tuple[list[tuple[int, int, str]], datetime | None, list[str]]:
            async with self.database.read() as session:
                rows = await session.scalars(select(OutboxRow).order_by(OutboxRow.id))
                stored = [(row.item_id, chat_of[row.subscriber_id], row.state) for row in rows]
                return stored, await outbox.next_due_at(session), await check.problems(session)

        stored, due, problems = self.run(look())
        expected = [(row.item, row.chat, row.state) for row in self.rows]
        # Rows of one story are made in one statement; only the order within a chat is promised.
        assert sorted(stored, key=lambda row: row[1]) == sorted(expected, key=lambda row: row[1])
        assert problems == []
        assert (due is not None) == bool(self.expected_heads())


@pytest.mark.slow
def test_the_outbox_is_what_a_plain_model_says(blank: Path) -> None:
    Outbox.blank = blank
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=30, stateful_step_count=30, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
            # A failure is told within seconds; add Phase.shrink (minutes) to have it short.
            phases=(Phase.generate,),
        ),
    )  # fmt: skip

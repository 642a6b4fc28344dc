"""The questions that are asked most go by their index, also in a database that was never analysed."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from storage import items, outbox, sources, subscribers
from storage.revisions import touched_since

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PENZA = "regional/RU-PNZ"


@pytest.fixture
def plan(sqlite_shelf):
    """The steps of SQLite's plans for everything a question asks."""

    async def explain(ask):
        asked = []

        def note(_connection, _cursor, statement, parameters, _context, _many):
            asked.append((statement, parameters))

        engine = sqlite_shelf.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        async with sqlite_shelf.database.write() as session:
            await ask(session)
            event.remove(engine, "before_cursor_execute", note)
            connection = await session.connection()
            steps = []
            for statement, parameters in asked:
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps += [row[3] for row in rows]
        return [each for each in steps if "CONSTANT ROW" not in each and "(subquery-" not in each]

    return explain


def scans(steps):
    return [each for each in steps if each.startswith("SCAN") or "TEMP B-TREE" in each]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "ix_item_scopes_newest (scope=?)"),
        ({"language": "en"}, "ix_item_scopes_newest_in_language (scope=? AND language=?)"),
        ({"before": (NOW, 5)}, "ix_item_scopes_newest (scope=? AND (published,item_id)<(?,?))"),
        (
            {"language": "en", "before": (NOW, 5)},
            "ix_item_scopes_newest_in_language (scope=? AND language=? AND (published,item_id)<(?,?))",
        ),
        ({"since": NOW}, "ix_item_scopes_newest (scope=? AND published>?)"),
    ],
)
async def test_a_page_of_news_is_read_off_its_index_backwards(plan, asked, index):
    steps = await plan(lambda session: items.newest(session, scope=PENZA, **asked))
    assert f"SEARCH item_scopes USING COVERING INDEX {index}" in steps
    assert scans(steps) == []


async def test_the_sender_finds_its_next_rows_without_reading_the_queue(plan):
    steps = await plan(lambda session: outbox.heads(session, now=NOW, limit=60, without=[1, 2]))
    assert "SEARCH outbox USING INDEX ix_outbox_state (state=? AND due_at<?)" in steps
    assert "SEARCH outbox_1 USING INDEX ix_outbox_open (subscriber_id=?)" in steps
    assert scans(steps) == []


async def test_the_sender_learns_how_long_it_may_sleep_without_reading_the_queue(plan):
    steps = await plan(outbox.next_due_at)
    assert "SEARCH outbox USING INDEX ix_outbox_state (state=?)" in steps
    assert "SEARCH subscribers USING INDEX ix_subscribers_held (not_before>?)" in steps
    assert scans(steps) == []


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda s: subscribers.pause(s, chat_id=5, reason="blocked", now=NOW), "ix_outbox_open"),
        (lambda s: subscribers.unfollow(s, 1, PENZA), "ix_outbox_open"),
        (lambda s: outbox.item_of_message(s, chat_id=5, message_id=1), "ix_outbox_message"),
        (outbox.left_sending, "ix_outbox_state"),
        (lambda s: outbox.of_story(s, 1), "sqlite_autoindex_outbox_1"),
        (lambda s: items.by_url(s, "https://lib.example/1"), "ix_items_canonical_url"),
        (lambda s: items.of_story(s, 1), "ix_items_story_id"),
        (lambda s: items.known_keys(s, "lib", ["key"]), "sqlite_autoindex_item_keys_1"),
        (lambda s: touched_since(s, 5), "ix_scope_revisions_revision"),
        (sources.trim_polls, "ix_polls_source"),
    ],
)
async def test_everyday_questions_go_by_their_index(sqlite_shelf, plan, ask, index):
    await sqlite_shelf.reader(PENZA, chat_id=5)
    assert index in " ".join(await plan(ask))


async def test_fanning_out_begins_at_the_item_and_its_followers(plan):
    steps = await plan(lambda session: outbox.fan_out(session, [1], now=NOW))
    used = Counter(word for each in steps for word in each.split() if word.startswith("ix_"))
    assert {"ix_item_scopes_item", "ix_subscriptions_scope"} <= used.keys()
    assert not [each for each in steps if each.startswith("SCAN")]


async def test_leaving_touches_only_the_readers_own_rows(sqlite_shelf):
    """Foreign keys without an index would make SQLite read the whole outbox for every /forget."""
    async with sqlite_shelf.database.read() as session:
        connection = await session.connection()
        for table, column in (
            ("outbox", "subscriber_id"), ("outbox", "item_id"), ("outbox", "story_id"),
            ("item_labels", "item_id"), ("item_scopes", "item_id"), ("item_keys", "item_id"),
            ("subscriptions", "subscriber_id"), ("items", "story_id"), ("items", "source_id"),
            ("polls", "source_id"), ("item_keys", "source_id"),
        ):  # fmt: skip
            sql = f"EXPLAIN QUERY PLAN SELECT rowid FROM {table} WHERE {column} = 1"
            (step,) = [row[3] for row in await connection.exec_driver_sql(sql)]
            assert step.startswith("SEARCH"), (table, column, step)

"""Every story once, on time, whatever happens: the real sender, database and wire, an emulated Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs
from telegram.ext import ExtBot

from bot import deliver, outage, settle
from bot.deliver import Deliverer
from bot.deps import BotDeps
from bot.i18n import Translations
from bot.limiter import Priority, Turns
from bot.pace import Rates
from bot.transport import AiohttpRequest
from feeds.model import Classification, Entry, ItemId, LanguageCode, SourceId
from feeds.networks import ALL, Networks, Scope
from storage import items, outbox, subscribers
from storage.database import Database
from storage.models import OutboxRow, SubscriberRow
from storage.subscribers import ChatKind, SubscriberId
from vestnik.demo.botapi import Chaos, Fault, Group, Limits, Person
from vestnik.demo.botapi import Emulator as Telegram

NO_LIMITS = Rates(messages_per_second=2000.0, private_chat_per_second=2000.0, group_per_minute=1e5)
OPEN = {"queued", "sending"}
NOTE = "may be a repeat"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, a fiftieth as long."""
    monkeypatch.setattr(deliver, "FIRST_RETRY", 0.02)
    monkeypatch.setattr(outage, "FIRST_RETRY", 0.02)
    monkeypatch.setattr(outage, "_LONGEST_OUTAGE", 0.3)
    monkeypatch.setattr(outage, "_LONGEST_RETRY", 0.3)
    monkeypatch.setattr(settle, "_REPEAT_AFTER", timedelta(seconds=0.1))
    monkeypatch.setattr(deliver, "_FORBIDDEN_SECONDS", 0.02)
    monkeypatch.setattr(deliver, "_SOONEST_LOOK", 0.02)


@dataclass(slots=True)
class Post:
    """The sending half of the bot; can be stopped, killed and started again."""

    telegram: Telegram
    database: Database
    networks: Networks
    translations: Translations
    rates: Rates = NO_LIMITS
    read_timeout: float = 0.4
    token_refused: list[str] = field(default_factory=list)
    may_send: Callable[[], bool] = lambda: True
    deliverer: Deliverer | None = None
    turns: Turns | None = None
    bot: ExtBot[Priority] | None = None
    running: asyncio.Task[None] | None = None
    written: int = 0

    def refuse_token(self, detail: str) -> None:
        self.token_refused.append(detail)

    def _may_send(self) -> bool:
        return self.may_send()

    async def start(self) -> int:
        """A new process: nothing in memory; returns how many unknown outcomes it found."""
        self.turns = Turns(self.rates, clock=time.monotonic)
        self.bot = ExtBot(
            self.telegram.token,
            base_url=self.telegram.base_url + "/bot",
            request=AiohttpRequest(read_timeout=self.read_timeout),
            get_updates_request=AiohttpRequest(),
            rate_limiter=self.turns,
        )
        await self.bot._request[0].initialize()
        await self.bot._request[1].initialize()
        await self.turns.initialize()
        deps = BotDeps(
            database=self.database,
            networks=self.networks,
            translations=self.translations,
            admins={},
            base_url="https://news.example.org",
            clock=lambda: datetime.now(UTC),
        )
        self.deliverer = Deliverer(
            bot=self.bot,
            deps=deps,
            turns=self.turns,
            may_send=self._may_send,
            on_token_refused=self.refuse_token,
        )
        left = await self.deliverer.recover()
        self.running = asyncio.create_task(self.deliverer.run())
        return left

    async def stop(self, *, within: float = 2.0) -> None:
        if self.deliverer is None:
            return
        await self.deliverer.stop(within=within)
        await self.running
        await self._close()

    async def kill(self) -> None:
        """As kill -9 would: whatever was under way never comes back."""
        # No outcome is written any more; a commit under way happens or does not, as it would.
        settler = self.deliverer._settler
        settler._insist = _dead
        tasks = [self.running, *self.deliverer._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await settler.drain()
        await self._close()

    async def _close(self) -> None:
        self.deliverer = None
        await self.bot._request[0].shutdown()
        await self.bot._request[1].shutdown()
        await self.turns.shutdown()

    async def reader(
        self, chat: Person | Group, *, kind: ChatKind = "private", thread_id: int = 0, scope: Scope = ALL
    ) -> SubscriberId:
        async with self.database.write() as session:
            found, _ = await subscribers.ensure(
                session,
                chat_id=chat.id,
                thread_id=thread_id,
                kind=kind,
                title="x",
                language=LanguageCode("en"),
                now=datetime.now(UTC),
            )
            await subscribers.follow(session, found.id, scope, now=datetime.now(UTC))
        return found.id

    async def publish(self, number: int = 1, *, title: str = "News") -> list[str]:
        """Stories for all readers; returns their titles in order."""
        now = datetime.now(UTC)
        titles = [f"{title} {self.written + each:03}." for each in range(number)]
        self.written += number
        new = [
            items.NewItem(
                entry=Entry(title=each, url=f"https://lib.example.org/{each[-4:-1]}", published=now),
                keys=(each,),
                fingerprint=each,
                canonical_url=None,
                classification=Classification(language=LanguageCode("en"), networks=(), regions=()),
                scopes=self.networks.scopes_of((), (), SourceId("lib")),
            )
            for each in titles
        ]
        async with self.database.write() as session:
            ids = await items.add(session, SourceId("lib"), new, now=now)
            await outbox.fan_out(session, ids, now=now)
        if self.deliverer is not None:
            self.deliverer.wake()
        return titles

    async def rows(self) -> list[OutboxRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(OutboxRow).order_by(OutboxRow.id)))

    async def state_of(self, chat: Person | Group, thread_id: int = 0) -> tuple[str, str]:
        async with self.database.read() as session:
            found = await subscribers.get(session, chat_id=chat.id, thread_id=thread_id)
        return found.state, found.paused_reason

    async def settled(self, within: float = 8.0) -> Counter[str]:
        """Wait until nothing is open; returns how many rows are in each state."""
        deadline = time.monotonic() + within
        while any(row.state in OPEN for row in await self.rows()):
            assert time.monotonic() < deadline, [
                (r.id, r.state, r.reason, r.due_at) for r in await self.rows()
            ]
            await asyncio.sleep(0.02)
        return Counter(row.state for row in await self.rows())

    def titles(self, chat: Person | Group) -> list[str]:
        return [text.partition("\n")[0] for text in self.telegram.ledger.texts(chat.id)]


async def _dead(_change: object) -> None:
    raise asyncio.CancelledError


@pytest.fixture
async def post(database: Database, networks: Networks, translations: Translations) -> AsyncIterator[Post]:
    async with Telegram(limits=Limits.off()) as telegram:
        made = Post(telegram=telegram, database=database, networks=networks, translations=translations)
        with capture_logs():
            yield made
            await made.stop()
        assert [v for v in telegram.violations if v.kind not in {"flood", "impatient", "wrong_token"}] == []


async def test_everybody_gets_every_story_once_and_in_order(post: Post) -> None:
    people = [post.telegram.user(started=True) for _ in range(12)]
    for each in people:
        await post.reader(each)
    await post.start()
    titles = await post.publish(5)
    assert await post.settled() == {"sent": 60}
    assert all(post.titles(each) == titles for each in people)


GONE = ["blocked", "deactivated", "kicked_supergroup", "not_member_channel", "group_deleted", "chat_not_found",
        "write_forbidden", "no_text_rights", "need_admin", "peer_id_invalid", "cannot_initiate"]  # fmt: skip


@pytest.mark.parametrize("error", GONE)
async def test_a_chat_closed_to_us_is_paused_with_its_reason_and_its_queue_skipped(
    post: Post, error: str
) -> None:
    anna, boris = post.telegram.user("Anna", started=True), post.telegram.user("Boris", started=True)
    for each in (anna, boris):
        await post.reader(each)
    post.telegram.faults.add(Fault(kind="error", error=error, chat_id=anna.id))
    titles = await post.publish(3)
    await post.start()
    assert await post.settled() == {"sent": 3, "failed": 1, "skipped": 2}
    state, reason = await post.state_of(anna)
    assert (state, bool(reason)) == ("paused", True)
    assert {row.reason for row in await post.rows() if row.state == "skipped"} == {f"paused:{reason}"}
    assert post.titles(boris) == titles
    assert len(post.telegram.calls_to(anna)) == 1


async def test_people_who_block_and_groups_that_kick_are_paused_by_what_telegram_says(post: Post) -> None:
    anna, group = post.telegram.user(started=True), post.telegram.group()
    await post.reader(anna)
    await post.reader(group, kind="supergroup")
    anna.block()
    group.remove_bot()
    await post.publish()
    await post.start()
    assert await post.settled() == {"failed": 2}
    assert await post.state_of(anna) == ("paused", "blocked")
    assert await post.state_of(group) == ("paused", "kicked")


@pytest.mark.parametrize("how", ["closed", "deleted"])
async def test_a_topic_that_ends_pauses_only_that_topic(post: Post, how: str) -> None:
    forum = post.telegram.group(is_forum=True)
    good, bad = forum.topic("Good"), forum.topic("Bad")
    for topic in (good, bad):
        await post.reader(forum, kind="supergroup", thread_id=topic.id)
    (forum.close_topic if how == "closed" else forum.delete_topic)(bad)
    titles = await post.publish(2)
    await post.start()
    assert await post.settled() == {"sent": 2, "failed": 1, "skipped": 1}
    assert await post.state_of(forum, bad.id) == (
        "paused",
        "topic-closed" if how == "closed" else "topic-gone",
    )
    assert await post.state_of(forum, good.id) == ("active", "")
    assert len(post.telegram.ledger.of_chat(forum.id, thread_id=good.id, kind="message")) == len(titles)


@pytest.mark.parametrize("known", [False, True], ids=["new chat unknown", "new chat follows too"])
async def test_a_group_that_became_a_supergroup_gets_the_news_once_under_its_new_id(
    post: Post, known: bool
) -> None:
    group = post.telegram.group(kind="group")
    await post.reader(group, kind="group")
    new = group.migrate()
    if known:
        await post.reader(new, kind="supergroup")
    titles = await post.publish(3)
    await post.start()
    assert await post.settled() == {"sent": 3}
    assert sorted(post.titles(new)) == titles
    assert post.titles(group) == []
    async with post.database.read() as session:
        assert list(await session.scalars(select(SubscriberRow.chat_id))) == [new.id]


@pytest.mark.parametrize("error", ["bad_entities", "entity_invalid", "too_long"])
async def test_a_message_whose_entities_are_refused_goes_out_as_plain_text_once(
    post: Post, error: str
) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    post.telegram.faults.add(Fault(kind="error", error=error))
    [title] = await post.publish()
    await post.start()
    assert await post.settled() == {"sent": 1}
    [message] = post.telegram.ledger.messages(anna.id)
    assert title in message.text
    assert "<b>" not in message.text
    assert [call.values.get("parse_mode") for call in post.telegram.calls_to(anna)] == ["HTML", None]


async def test_plain_text_refused_too_is_a_dead_letter_with_telegrams_words(post: Post) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    post.telegram.faults.add(Fault(kind="error", error="bad_entities", times=2))
    await post.publish(2)
    await post.start()
    assert await post.settled() == {"failed": 1, "sent": 1}
    [dead] = [row for row in await post.rows() if row.state == "failed"]
    assert dead.reason == "entities"
    assert "parse entities" in dead.detail


async def test_a_flood_in_one_chat_is_waited_out_and_holds_up_nobody(post: Post) -> None:
    anna, boris = post.telegram.user(started=True), post.telegram.user(started=True)
    for each in (anna, boris):
        await post.reader(each)
    post.telegram.faults.add(Fault(kind="flood", chat_id=anna.id, retry_after=1))
    titles = await post.publish(3)
    await post.start()
    started = time.monotonic()
    await post.telegram.wait_for(boris, titles[-1])
    assert time.monotonic() - started < 0.9
    assert await post.settled() == {"sent": 6}
    assert time.monotonic() - started >= 1.0
    assert post.titles(anna) == titles
    assert post.telegram.violations == []
    assert {row.attempts for row in await post.rows()} == {1}


async def test_a_flood_is_obeyed_across_a_restart(post: Post) -> None:
    anna, boris = post.telegram.user(started=True), post.telegram.user(started=True)
    for each in (anna, boris):
        await post.reader(each)
        post.telegram.faults.add(Fault(kind="flood", chat_id=each.id, retry_after=2))
    await post.publish()
    await post.start()
    while post.deliverer.counts.floods < 2:
        await asyncio.sleep(0.01)
    told = time.monotonic()
    await post.stop()
    # Two chats at once: the whole bot waits, also for somebody who comes now.
    clara = post.telegram.user(started=True)
    await post.reader(clara)
    await post.publish()
    await post.start()
    await post.telegram.wait_for(clara)
    assert time.monotonic() - told >= 1.9
    assert await post.settled() == {"sent": 5}
    assert post.telegram.violations == []


@pytest.mark.parametrize("error", ["internal", "bad_gateway"])
async def test_a_server_in_trouble_is_asked_again_until_it_delivers(post: Post, error: str) -> None:
    people = [post.telegram.user(started=True) for _ in range(4)]
    for each in people:
        await post.reader(each)
    post.telegram.faults.add(Fault(kind="error", error=error, times=20, as_page=error == "bad_gateway"))
    titles = await post.publish(2)
    await post.start()
    assert await post.settled(within=20) == {"sent": 8}
    assert all(post.titles(each) == titles for each in people)


async def test_a_message_only_telegram_stumbles_over_becomes_a_dead_letter(post: Post) -> None:
    anna, boris = post.telegram.user(started=True), post.telegram.user(started=True)
    await post.reader(anna)
    await post.reader(boris)
    post.telegram.faults.add(Fault(kind="error", error="internal", chat_id=anna.id, times=0))
    await post.start()
    await post.publish()
    for _ in range(200):
        await post.publish()
        await asyncio.sleep(0.05)
        if any(row.state == "failed" for row in await post.rows()):
            break
    rows = [row for row in await post.rows() if row.state == "failed"]
    assert [(row.reason, row.attempts) for row in rows] == [("server-trouble", 12)]


async def test_news_waits_for_a_telegram_that_cannot_be_reached(post: Post) -> None:
    people = [post.telegram.user(started=True) for _ in range(5)]
    for each in people:
        await post.reader(each)
    await post.telegram.stop()
    titles = await post.publish(2)
    await post.start()
    await asyncio.sleep(0.3)
    assert {row.state for row in await post.rows()} <= OPEN
    await post.telegram.start()
    assert await post.settled() == {"sent": 10}
    assert all(post.titles(each) == titles for each in people)
    assert not any(row.possible_repeat for row in await post.rows())


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "delay_after"])
async def test_an_unknown_outcome_in_a_private_chat_is_sent_once_more_and_marked(
    post: Post, kind: str
) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    post.telegram.faults.add(Fault(kind=kind, seconds=1.0))
    titles = await post.publish(2)
    await post.start()
    assert await post.settled() == {"sent": 2}
    arrived = [titles[0]] * (1 + (kind != "reset_before")) + [titles[1]]
    assert post.titles(anna) == arrived
    texts = post.telegram.ledger.texts(anna.id)
    assert [NOTE in text for text in texts] == [False] * (len(arrived) - 2) + [True, False]
    assert post.deliverer.counts.unknown == 1


async def test_two_unknown_outcomes_of_one_message_end_it(post: Post) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    post.telegram.faults.add(Fault(kind="reset_after", times=2))
    titles = await post.publish(2)
    await post.start()
    assert await post.settled() == {"unknown": 1, "sent": 1}
    assert post.titles(anna) == [titles[0], titles[0], titles[1]]


@pytest.mark.parametrize("kind", ["supergroup", "channel"])
@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
async def test_an_unknown_outcome_in_public_is_not_sent_again(post: Post, kind: ChatKind, fault: str) -> None:
    place = post.telegram.channel() if kind == "channel" else post.telegram.group()
    await post.reader(place, kind=kind)
    post.telegram.faults.add(Fault(kind=fault))
    titles = await post.publish(2)
    await post.start()
    assert await post.settled() == {"unknown": 1, "sent": 1}
    assert post.titles(place) == (titles if fault == "reset_after" else titles[1:])


async def test_a_refused_token_loses_nothing_and_sending_resumes(post: Post) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    post.may_send = lambda: not post.token_refused
    right = post.telegram.engine.token
    post.telegram.engine.token = "700000001:revoked"
    titles = await post.publish(3)
    # The bot still holds the old token, the server another.
    post.telegram.engine.token, revoked = right, post.telegram.engine.token
    await post.start()
    post.telegram.engine.token = revoked
    await asyncio.sleep(0.3)
    assert len(post.token_refused) <= 1
    assert post.titles(anna) == [] or post.token_refused == []
    post.telegram.engine.token = right
    post.token_refused.clear()
    post.deliverer.wake()
    assert await post.settled() == {"sent": 3}
    assert post.titles(anna) == titles


@pytest.mark.parametrize("how", ["unfollow", "forget", "pause"])
async def test_what_is_unwanted_by_now_is_not_sent(post: Post, how: str) -> None:
    """The reader changes their mind while the message already waits for its turn in memory."""
    anna = post.telegram.user(started=True)
    reader = await post.reader(anna)
    await post.publish(2)
    await post.start()
    post.turns.flooded(anna.id, is_group=False, seconds=0.4)
    if post.titles(anna):
        pytest.fail("sent before the test could begin")
    await asyncio.sleep(0.1)
    async with post.database.write() as session:
        if how == "unfollow":
            await subscribers.unfollow(session, reader, ALL)
        elif how == "forget":
            await subscribers.forget(session, chat_id=anna.id)
        else:
            await subscribers.pause(session, chat_id=anna.id, reason="blocked", now=datetime.now(UTC))
    await asyncio.sleep(0.6)
    assert post.titles(anna) == []
    assert {row.state for row in await post.rows()} <= {"skipped"}


class FailingDatabase(Database):
    """The real one, refusing some writes as a full disk does."""

    failures = 0

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
            if self.failures > 0:
                type(self).failures -= 1
                raise OperationalError("COMMIT", {}, Exception("database or disk is full"))


async def test_an_outcome_that_cannot_be_stored_is_stored_later_and_doubles_nothing(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [post.telegram.user(started=True) for _ in range(3)]
    for each in people:
        await post.reader(each)
    await post.publish(2)
    post.database.__class__ = FailingDatabase
    monkeypatch.setattr(FailingDatabase, "failures", 0)
    post.telegram.faults.add(Fault(kind="delay_after", seconds=0.1))
    await post.start()
    await post.telegram.wait_for(people[0])
    FailingDatabase.failures = 8
    assert await post.settled(within=15) == {"sent": 6}
    assert FailingDatabase.failures == 0
    assert all(len(post.titles(each)) == 2 for each in people)


async def test_an_attempt_that_cannot_be_stored_is_not_made(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    titles = await post.publish(2)
    post.database.__class__ = FailingDatabase
    monkeypatch.setattr(FailingDatabase, "failures", 0)
    post.may_send = lambda: FailingDatabase.failures > 0
    await post.start()
    FailingDatabase.failures = 10**6
    post.may_send = lambda: True
    await asyncio.sleep(0.3)
    assert post.titles(anna) == []
    FailingDatabase.failures = 0
    assert await post.settled() == {"sent": 2}
    assert post.titles(anna) == titles


async def test_a_message_that_cannot_be_composed_blocks_nothing_behind_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    compose = deliver.news_message

    def broken(item, **values):
        if item.title == "News 000.":
            raise ValueError("a title nobody thought of")
        return compose(item, **values)

    monkeypatch.setattr(deliver, "news_message", broken)
    titles = await post.publish(2)
    await post.start()
    assert await post.settled() == {"failed": 1, "sent": 1}
    assert post.titles(anna) == titles[1:]


async def test_an_item_deleted_meanwhile_is_skipped(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    await post.reader(post.telegram.user(started=True))

    async def gone(_session: object, _item: ItemId) -> None:
        return None

    monkeypatch.setattr(deliver.items, "by_id", gone)
    await post.publish()
    await post.start()
    assert await post.settled() == {"skipped": 1}


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2])
async def test_stopping_in_the_middle_loses_nothing_and_doubles_nothing(post: Post, after: float) -> None:
    post.rates = Rates(messages_per_second=100.0)
    people = [post.telegram.user(started=True) for _ in range(20)]
    for each in people:
        await post.reader(each)
    post.telegram.faults.add(Fault(kind="delay_after", seconds=0.05, times=0))
    titles = await post.publish(1)
    await post.start()
    await asyncio.sleep(after)
    await post.stop()
    assert {row.state for row in await post.rows()} <= {"queued", "sent"}
    assert await post.start() == 0
    assert await post.settled() == {"sent": 20}
    assert all(post.titles(each) == titles for each in people)


async def test_rows_a_dead_process_left_in_sending_are_settled_by_policy(post: Post) -> None:
    anna, channel = post.telegram.user(started=True), post.telegram.channel()
    await post.reader(anna)
    await post.reader(channel, kind="channel")
    [title] = await post.publish()
    async with post.database.write() as session:
        await outbox.mark_sending(session, [row.id for row in await post.rows()], now=datetime.now(UTC))
    assert await post.start() == 2
    assert await post.settled() == {"sent": 1, "unknown": 1}
    assert post.titles(anna) == [title]
    assert NOTE in post.telegram.ledger.texts(anna.id)[0]
    assert post.titles(channel) == []


async def test_taking_the_lease_anew_leaves_what_is_under_way_alone(post: Post) -> None:
    channel = post.telegram.channel()
    await post.reader(channel, kind="channel")
    post.telegram.faults.add(Fault(kind="delay_before", seconds=0.2))
    await post.publish()
    await post.start()
    while "sending" not in {row.state for row in await post.rows()}:
        await asyncio.sleep(0.01)
    assert await post.deliverer.recover() == 0
    assert await post.settled() == {"sent": 1}


async def test_chats_that_must_rest_starve_nobody(post: Post) -> None:
    """Groups with a backlog wait for their minute; a private chat is served meanwhile."""
    post.rates = Rates(messages_per_second=1000.0, private_chat_per_second=1000.0, group_per_minute=2.0)
    groups = [post.telegram.group() for _ in range(40)]
    for each in groups:
        await post.reader(each, kind="supergroup")
    await post.publish(4)
    await post.start()
    while len(post.telegram.ledger) < 80:
        await asyncio.sleep(0.02)
    anna = post.telegram.user(started=True)
    await post.reader(anna)
    [title] = await post.publish()
    await post.telegram.wait_for(anna, title, timeout=2)
    assert all(len(post.titles(each)) == 2 for each in groups)


async def world(post: Post, seed: int) -> None:
    """A random life: faults, blocks, unfollows, restarts; then a look at what everybody got."""
    chance = random.Random(seed)
    telegram = post.telegram
    people = [telegram.user(started=True) for _ in range(chance.randint(2, 5))]
    places = [telegram.channel(), telegram.group(is_forum=True), telegram.group(kind="group")]
    ids = {await post.reader(each): each for each in people}
    for place, kind in zip(places, ("channel", "supergroup", "group"), strict=True):
        ids[await post.reader(place, kind=kind)] = place
    telegram.faults.chaos = Chaos(
        seed=seed,
        rate=chance.choice((0.0, 0.1, 0.25)),
        kinds={"error": 3, "reset_before": 2, "reset_after": 2, "delay_after": 1},
        seconds=0.5,
    )
    post.read_timeout = 0.25
    await post.start()
    for _ in range(chance.randint(3, 6)):
        await post.publish(chance.randint(1, 3))
        await asyncio.sleep(chance.random() * 0.1)
        await event(post, chance, people, places)
    telegram.faults.chaos = None
    await post.settled(within=20)
    await check(post, ids)


async def event(post: Post, chance: random.Random, people: list[Person], places: list[Group]) -> None:
    match chance.randrange(7):
        case 0:
            chance.choice(people).block()
        case 1:
            chance.choice(places[:2]).remove_bot()
        case 2 if not places[2].chat.migrated_to:
            places[2].migrate()
        case 3:
            await post.stop(within=chance.choice((0.0, 0.05, 1.0)))
            await post.start()
        case 4:
            await post.kill()
            await post.start()
        case 5:
            async with post.database.write() as session:
                chat = chance.choice(people)
                found = await subscribers.get(session, chat_id=chat.id)
                await subscribers.unfollow(session, found.id, ALL)
        case _:
            await asyncio.sleep(0.05)


async def check(post: Post, ids: dict[SubscriberId, Person | Group]) -> None:
    rows = await post.rows()
    async with post.database.read() as session:
        titles = {each.id: each.title for each in await items.newest(session, limit=200)}
    for reader, chat in ids.items():
        seen = post.titles(chat)
        if not isinstance(chat, Person) and chat.chat.migrated_to:
            seen += post.titles(post.telegram.group_of(chat.chat.migrated_to))
        mine = [row for row in rows if row.subscriber_id == reader]
        for row in mine:
            copies = seen.count(titles[row.item_id])
            if row.state == "sent":
                assert copies == 1 or (copies == 2 and row.possible_repeat), (row.state, copies)
            elif row.state == "unknown":
                assert copies <= 1 + row.possible_repeat
            else:
                assert (row.state, bool(row.reason)) in {("failed", True), ("skipped", True)}
                assert copies <= row.possible_repeat, (row.state, row.reason, copies)
        order = [titles[row.item_id] for row in mine]
        firsts = list(dict.fromkeys(seen))
        assert firsts == [title for title in order if title in firsts]


#: A kill in the middle of a query leaves its connection to the garbage collector.
KILLS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass(slots=True)
class Worlds:
    """Runs worlds side by side, each with its own database and its own Telegram."""

    blank: Path
    folder: Path
    networks: Networks
    translations: Translations

    async def run(self, seeds: Iterable[int]) -> None:
        with capture_logs():
            ends = await asyncio.gather(*(self.one(seed) for seed in seeds), return_exceptions=True)
        if failed := [end for end in ends if isinstance(end, Exception)]:
            raise ExceptionGroup("worlds that went wrong", failed)

    async def one(self, seed: int) -> None:
        path = self.folder / f"{seed}.db"
        shutil.copy(self.blank, path)
        database = Database.open(f"sqlite:///{path}")
        async with Telegram(limits=Limits.off()) as telegram:
            post = Post(
                telegram=telegram, database=database, networks=self.networks, translations=self.translations
            )
            try:
                async with asyncio.timeout(40):
                    await world(post, seed)
                assert telegram.violations == []
            except Exception as error:
                error.add_note(f"in world {seed}")
                raise
            finally:
                await post.stop()
        await database.close()


@pytest.fixture
def worlds(blank: Path, tmp_path: Path, networks: Networks, translations: Translations) -> Worlds:
    return Worlds(blank=blank, folder=tmp_path, networks=networks, translations=translations)


@KILLS
@pytest.mark.parametrize("first", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in (10, 20))])
async def test_in_any_world_each_pair_is_delivered_once_or_ends_in_a_named_state(
    worlds: Worlds, first: int
) -> None:
    await worlds.run(range(first, first + 10))


@pytest.mark.slow
@KILLS
@pytest.mark.parametrize("first", range(1000, 1000 + int(os.environ.get("DELIVERY_WORLDS", "20")), 10))
async def test_in_many_more_worlds_too(worlds: Worlds, first: int) -> None:
    await worlds.run(range(first, first + 10))


@pytest.mark.slow
async def test_a_strict_server_never_has_to_refuse(
    database: Database, networks: Networks, translations: Translations
) -> None:
    async with Telegram(limits=Limits(private_burst=1)) as telegram:
        post = Post(
            telegram=telegram, database=database, networks=networks, translations=translations, rates=Rates()
        )
        people = [telegram.user(started=True) for _ in range(25)]
        for each in people:
            await post.reader(each)
        group = telegram.group()
        await post.reader(group, kind="supergroup")
        await post.publish(8)
        with capture_logs():
            await post.start()
            await post.settled(within=60)
            await post.stop()
        assert telegram.violations == []
        assert telegram.ledger.peak(1.0) <= 30

"""A site, a Bot API server, people who follow places, and the program between them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from vestnik.config import default_config
from vestnik.demo.botapi import Delivery, Emulator, Group, Person

from .program import Program, free_port, until
from .site import LIST_PATH, NETWORKS, PATHS, News, Site

#: A push begins with the title; answers to commands show titles further down.
_PUSH = re.compile(r"\W*Evening (№\d{4})")
REPEAT_NOTE = "may be a repeat"
SOURCE_IDS = {path: path.strip("/").replace(".", "-") for path in PATHS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A chat (and topic) with what it follows, as the test knows it."""

    chat_id: int
    thread_id: int = 0
    follows: frozenset[str]
    is_private: bool = True

    def wants(self, news: News) -> bool:
        return bool({"all", news.network, news.code} & self.follows)


def settings_for(site: Site, telegram_url: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """The shipped networks and languages, this site's sources, everything quick."""
    shipped = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    port = free_port()
    settings = {
        "storage": {"url": f"sqlite:///{folder / 'vestnik.db'}"},
        "telegram": {"api_base_url": telegram_url, "poll_timeout": "5s", "request_timeout": "5s"},
        "web": {"port": port, "base_url": f"http://127.0.0.1:{port}"},
        "fetch": {"allow_private_addresses": ["127.0.0.0/8"], "min_interval": "1s", "host_pause": "0.05s"},
        "logging": {"format": "json"},
        "languages": ["en", "ru"],
        "networks": shipped["networks"],
        "sources": [
            {
                "id": SOURCE_IDS[path],
                "url": site.base + path,
                "kind": "list" if path == LIST_PATH else "auto",
                "language": "en",
                "interval": "1s",
                "network": NETWORKS[path],
            }
            for path in PATHS
        ],
    }
    return settings | changes


@dataclass(slots=True)
class World:
    """Everything of one test."""

    site: Site
    telegram: Emulator
    program: Program
    readers: list[Reader] = field(default_factory=list)

    async def first_pass(self) -> None:
        """Wait until every source has been read once: from now on news is pushed."""
        await until(
            lambda: (
                self.program.query("select count(*) from sources where first_success_at is not null")
                == [(len(PATHS),)]
            ),
            what="the first pass over all sources",
        )

    async def follow(self, name: str, *places: str) -> Person:
        """A person who writes /start and follows places."""
        person = self.telegram.user(name, language_code="en")
        await person.ask("/start", timeout=20)
        for place in places:
            await person.ask(f"/follow {place}", timeout=20)
        self.readers.append(Reader(chat_id=person.id, follows=frozenset(places)))
        return person

    async def follow_in(self, group: Group, owner: Person, place: str, *, thread_id: int = 0) -> None:
        """A group, channel or topic that follows a place, at its owner's word."""
        owner.send(f"/follow {place}", chat=group, thread_id=thread_id)
        await self.telegram.wait_for(group, "You now follow", timeout=20)
        self.readers.append(
            Reader(chat_id=group.id, thread_id=thread_id, follows=frozenset([place]), is_private=False)
        )

    def told(self) -> Counter[tuple[int, int, str]]:
        """How many messages told which news in which chat and topic."""
        return Counter(
            (each.chat_id, each.thread_id, mark) for each, mark in marked(self.telegram.ledger.messages())
        )

    def wanted(self, news: list[News]) -> set[tuple[int, int, str]]:
        return {(r.chat_id, r.thread_id, n.mark) for n in news for r in self.readers if r.wants(n)}

    async def all_told(self, news: list[News], *, within: float = 60.0) -> None:
        """Wait until every reader has every news it wants, and the outbox has come to rest."""
        wanted = self.wanted(news)
        try:
            await until(lambda: wanted <= self.told().keys() | self.unknown(), within=within)
        except AssertionError:
            missing = sorted(wanted - self.told().keys() - self.unknown())
            rows = self.program.query("select state, reason, count(*) from outbox group by 1, 2")
            raise AssertionError(f"missing {missing[:5]} of {len(missing)}; outbox {rows}") from None
        await until(self.is_at_rest, what="the outbox to rest")

    def unknown(self) -> set[tuple[int, int, str]]:
        """What may have been told, nobody can know: not repeated in groups, where a double is public."""
        rows = self.program.query(
            "select chat_id, thread_id, items.title from outbox join items on items.id = outbox.item_id "
            "join subscribers on subscribers.id = outbox.subscriber_id where outbox.state = 'unknown'"
        )
        return {(chat, thread, _PUSH.match(title)[1]) for chat, thread, title in rows}  # type: ignore[index]

    def is_at_rest(self) -> bool:
        return not self.program.query("select 1 from outbox where state in ('queued', 'sending')")

    def check_nobody_else(self, news: list[News]) -> None:
        """Nothing went to a chat that does not follow it."""
        wanted = self.wanted(news)
        stray = [key for key in self.told() if key not in wanted]
        assert not stray, f"told to those who did not ask: {stray}"

    def check_once(self, news: list[News]) -> None:
        """Exactly once at each follower, and at nobody else."""
        told, wanted = self.told(), dict.fromkeys(self.wanted(news), 1)
        wrong = {key: told[key] for key in told.keys() | wanted.keys() if told[key] != wanted.get(key, 0)}
        assert not wrong, f"told so often: {wrong}"

    def repeats(self) -> list[Delivery]:
        """Second copies of news in a chat; each must say that it may be one."""
        seen: set[tuple[int, int, str]] = set()
        found = []
        for each, mark in marked(self.telegram.ledger.messages()):
            key = (each.chat_id, each.thread_id, mark)
            if key in seen:
                found.append(each)
            seen.add(key)
        return found


def marked(deliveries: list[Delivery]) -> list[tuple[Delivery, str]]:
    """Messages that push news, with the news' mark."""
    return [(d, m[1]) for d in deliveries if (m := _PUSH.match(d.text))]

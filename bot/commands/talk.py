"""One turn of a conversation: who speaks, in which chat, in what language, and what they may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import structlog
from telegram import Bot, CallbackQuery, Chat, Message, User
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden

from bot.deps import BotDeps
from bot.find import PlaceFinder
from bot.i18n import Translator, choose_language
from bot.text import Html, mark, say, tidy
from feeds.model import LanguageCode
from feeds.networks import Scope
from storage import items, subscribers
from storage.subscribers import ChatKind, Subscriber

log = structlog.get_logger(__name__)

#: Counts beside places are of this long; "is there anything?" and not "how much ever?".
COUNTED_DAYS = 30
#: A menu may show counts this old: counting reads a month of items.
_COUNTS_AGE = timedelta(seconds=60)
#: Codes of the topic-less: Telegram gives the general topic no thread id.
NO_THREAD = 0

_ONLY_ADMINS = mark("Only admins of this chat can change what it follows.")


class Alert(str):
    """A button's answer the reader has to close."""

    __slots__ = ()


@dataclass(slots=True)
class RecentCounts:
    """How many items each scope got in the last :data:`COUNTED_DAYS`, counted once a minute at most."""

    counted_at: datetime | None = None
    counts: Mapping[Scope, int] = field(default_factory=dict)

    async def get(self, deps: BotDeps, now: datetime) -> Mapping[Scope, int]:
        """The counts, at most a minute old."""
        if self.counted_at is None or not timedelta(0) <= now - self.counted_at < _COUNTS_AGE:
            # Taken first: a thousand presses at once count once, the others see the old numbers.
            self.counted_at = now
            async with deps.database.read() as session:
                self.counts = await items.counts(session, since=now - timedelta(days=COUNTED_DAYS))
        return self.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all conversations share."""

    deps: BotDeps
    finder: PlaceFinder
    counts: RecentCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One update of one chat on its way to an answer."""

    desk: Desk
    bot: Bot
    chat: Chat
    #: Who speaks; ``None`` for posts of a channel.
    user: User | None
    thread_id: int
    now: datetime
    #: ``None`` while the chat is a stranger.
    reader: Subscriber | None
    translator: Translator
    #: What stands behind the command.
    args: str = ""
    #: The message spoken, or the message of ours whose button was pressed.
    message: Message | None = None
    query: CallbackQuery | None = None

    @property
    def deps(self) -> BotDeps:
        """What the program handed over."""
        return self.desk.deps

    @property
    def language(self) -> LanguageCode:
        """Language of the answers."""
        return self.translator.language

    @property
    def is_private(self) -> bool:
        """Whether it is a talk with one person."""
        return self.chat.type == ChatType.PRIVATE

    @property
    def timezone(self) -> str:
        """The reader's zone, IANA name."""
        return self.reader.timezone if self.reader else subscribers.DEFAULT_TIMEZONE

    def say(self, message: str, /, **values: object) -> Html:
        """The message in the reader's language, as HTML."""
        return say(self.translator, message, **values)

    def name_of(self, scope: Scope) -> str:
        """Name of a scope in the reader's language; a region that left the networks keeps its code."""
        try:
            name = self.deps.networks.scope_title(
                scope, self.language, everything=self.translator.text("Everything")
            )
        except KeyError:
            name = scope.partition("/")[2] or scope
        return tidy(name)


async def open_talk(talk: Talk, *, first_contact: bool) -> Talk:
    """``talk`` with its reader; a private chat is remembered at its first message.

    Somebody who writes to us does not block us: a paused reader is resumed.
    """
    async with talk.deps.database.read() as session:
        reader = await subscribers.get(session, chat_id=talk.chat.id, thread_id=talk.thread_id)
    if reader is None and first_contact and talk.is_private:
        return await with_reader(talk)
    if reader is not None and reader.state == "paused":
        async with talk.deps.database.write() as session:
            await subscribers.resume(session, chat_id=talk.chat.id, now=talk.now)
            reader = await subscribers.get(session, chat_id=talk.chat.id, thread_id=talk.thread_id)
    return _known(talk, reader) if reader else talk


async def with_reader(talk: Talk) -> Talk:
    """``talk`` with a reader, made now if the chat was a stranger; the client's language is a first guess."""
    if talk.reader is not None:
        return talk
    async with talk.deps.database.write() as session:
        reader, _ = await subscribers.ensure(
            session,
            chat_id=talk.chat.id,
            thread_id=talk.thread_id,
            kind=cast("ChatKind", talk.chat.type),
            title=tidy(talk.chat.effective_name or ""),
            language=choose_language(talk.user.language_code if talk.user else None),
            now=talk.now,
        )
    return _known(talk, reader)


def _known(talk: Talk, reader: Subscriber) -> Talk:
    return replace(talk, reader=reader, translator=talk.deps.translations.to(reader.language))


async def may_change(talk: Talk) -> bool:
    """Whether the speaker may change what this chat follows: in shared chats only its admins.

    An anonymous admin speaks as the chat itself.
    """
    if talk.is_private:
        return True
    if talk.query is None and talk.message is not None:
        sender = talk.message.sender_chat
        if sender is not None:
            return sender.id == talk.chat.id
    if talk.user is None:
        return False
    try:
        member = await talk.bot.get_chat_member(talk.chat.id, talk.user.id)
    except (BadRequest, Forbidden) as error:
        log.warning("member_unknown", chat_kind=talk.chat.type, reason=error.message)
        return False
    return member.status in {ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR}


def refusal(talk: Talk) -> str:
    """What someone hears who may not change the chat's settings."""
    return talk.translator.text(_ONLY_ADMINS)

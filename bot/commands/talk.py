"""One turn of a conversation: who speaks, in which chat, what language, and the ways to answer.

Telegram's refusals of an answer end here or in the application's error handler; a command only
says what to show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog
from telegram import Bot, CallbackQuery, Chat, InlineKeyboardMarkup, LinkPreviewOptions, Message, User
from telegram.constants import ChatMemberStatus, ChatType, ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden

from bot.deps import BotDeps
from bot.find import PlaceFinder
from bot.i18n import Translator, choose_language
from bot.text import ALERT_LIMIT, Html, cut_words, isolate, mark, say, tidy
from bot.transport import NotSent, OutcomeUnknown, ServerTrouble
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

#: Seconds between the tries of an answer that certainly did not arrive.
_TRY_AGAIN_AFTER = (0.5, 3.0)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
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
            async with deps.database.read() as session:
                self.counts = await items.counts(session, since=now - timedelta(days=COUNTED_DAYS))
            self.counted_at = now
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


async def answer(
    talk: Talk,
    text: str,
    *,
    buttons: InlineKeyboardMarkup | None = None,
    preview: LinkPreviewOptions | None = None,
) -> None:
    """Send a new message into the chat and topic of the talk."""
    try:
        await _send(talk, talk.chat.id, text, buttons, preview)
    except ChatMigrated as moved:
        async with talk.deps.database.write() as session:
            await subscribers.migrate(
                session, old_chat_id=talk.chat.id, new_chat_id=moved.new_chat_id, now=talk.now
            )
        await _send(talk, moved.new_chat_id, text, buttons, preview)


async def _send(
    talk: Talk,
    chat_id: int,
    text: str,
    buttons: InlineKeyboardMarkup | None,
    preview: LinkPreviewOptions | None,
) -> None:
    async def send() -> None:
        await talk.bot.send_message(
            chat_id,
            text,
            parse_mode=ParseMode.HTML,
            reply_markup=buttons,
            message_thread_id=talk.thread_id or None,
            link_preview_options=preview or _NO_PREVIEW,
        )

    await patiently(send)


async def patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Make a call of the Bot API; what did not arrive is tried again, what may have arrived once more.

    Somebody waits for this answer: a second copy is better than none. News has another policy.
    """
    for pause in _TRY_AGAIN_AFTER:
        try:
            await call()
        except (NotSent, ServerTrouble):
            await asyncio.sleep(pause)
        except OutcomeUnknown:
            break
        else:
            return
    await call()


async def show(talk: Talk, text: str, *, buttons: InlineKeyboardMarkup | None = None) -> None:
    """Show a menu: in place when a button was pressed, as a new message otherwise."""
    if talk.query is None or talk.message is None:
        await answer(talk, text, buttons=buttons)
        return
    edit = partial(
        talk.bot.edit_message_text,
        text,
        chat_id=talk.chat.id,
        message_id=talk.message.message_id,
        parse_mode=ParseMode.HTML,
        reply_markup=buttons,
        link_preview_options=_NO_PREVIEW,
    )
    try:
        await patiently(edit)
    except BadRequest as error:
        if is_unchanged(error):
            return
        if not _is_message_gone(error):
            raise
        await answer(talk, text, buttons=buttons)


async def show_buttons(talk: Talk, buttons: InlineKeyboardMarkup | None) -> None:
    """Change only the buttons of the message whose button was pressed."""
    if talk.message is None:
        return
    try:
        await talk.bot.edit_message_reply_markup(
            chat_id=talk.chat.id, message_id=talk.message.message_id, reply_markup=buttons
        )
    except BadRequest as error:
        if not (is_unchanged(error) or _is_message_gone(error)):
            raise


async def close_press(talk: Talk, note: str | None) -> None:
    """Stop the clock on the pressed button, with a note above the chat if there is one."""
    if talk.query is None:
        return
    try:
        await talk.query.answer(
            text=cut_words(note, ALERT_LIMIT) if note else None, show_alert=isinstance(note, Alert) or None
        )
    except BadRequest as error:
        # "query is too old": the reader has left; nothing to tell anybody.
        log.info("press_too_old", reason=error.message)


def is_unchanged(error: BadRequest) -> bool:
    """Whether an edit failed because the message already is what it should become: a success."""
    return "message is not modified" in error.message.lower()


def _is_message_gone(error: BadRequest) -> bool:
    text = error.message.lower()
    return "message to edit not found" in text or "message can't be edited" in text


def bullet(translator: Translator, text: str) -> str:
    """A list line that keeps its direction in a right-to-left interface."""
    return isolate(text, rtl=translator.is_rtl)

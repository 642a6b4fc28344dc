"""The ways to answer a turn of conversation: a new message, a menu changed in place, a note above the chat.

What Telegram may refuse without harm ends here; other refusals end in the application.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from telegram import InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated

from bot.commands.talk import Alert, Talk
from bot.i18n import Translator
from bot.text import ALERT_LIMIT, cut_words, isolate
from bot.transport import NotSent, OutcomeUnknown, ServerTrouble
from storage import subscribers

log = structlog.get_logger(__name__)

#: Seconds between the tries of an answer that certainly did not arrive.
_TRY_AGAIN_AFTER = (0.5, 3.0)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


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

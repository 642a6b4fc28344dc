"""The Telegram application: every update finds its command, every failure ends in a short apology.

Updates are fed by our own poller or webhook through ``Application.process_update``; the
application itself fetches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Message,
    Update,
    User,
)
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import Application, ApplicationBuilder, CallbackContext, TypeHandler

from bot.commands import ADMIN_PRESSES, COMMANDS, PRESSES, is_admin
from bot.commands.browse import stale
from bot.commands.follow import browse_button
from bot.commands.membership import migrated, standing_changed
from bot.commands.read import answer_found, answer_nearest
from bot.commands.reply import answer, close_press
from bot.commands.talk import NO_THREAD, Alert, Desk, RecentCounts, Talk, open_talk
from bot.commands.why import answer_linked
from bot.deps import BotDeps, Role
from bot.find import build_finder, read_aliases
from bot.i18n import DEFAULT_LANGUAGE, Translations, choose_language
from bot.keyboards import parse_press

log = structlog.get_logger(__name__)

#: Longer arguments name nothing we know.
_ARGS_LIMIT = 200

_COMMAND = re.compile(r"/([a-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?\Z", re.IGNORECASE | re.DOTALL)
_BY_NAME = {each.name: each for each in COMMANDS}

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]


def build_application(deps: BotDeps, *, bot: Bot) -> App:
    """The application that answers updates given to its ``process_update``.

    The caller initialises it (``await application.initialize()``) and shuts it down.
    """
    everything = [each.text("Everything") for each in deps.translations.translators.values()]
    finder = build_finder(deps.networks, everything=everything, aliases=read_aliases())
    desk = Desk(deps=deps, finder=finder, counts=RecentCounts())
    application: App = ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()

    async def converse(update: Update, context: Context) -> None:
        await handle(desk, context.bot, update)

    application.add_handler(TypeHandler(Update, converse))
    return application


async def handle(desk: Desk, bot: Bot, update: Update) -> None:
    """Answer one update. Never raises for what Telegram or a handler does wrong."""
    talk = talk_of(desk, bot, update)
    if talk is None:
        return
    try:
        await _route(talk, update)
    except Forbidden as error:
        # They blocked us between asking and our answer; my_chat_member brings the pause.
        log.info("answer_forbidden", update_id=update.update_id, reason=error.message)
    except TelegramError as error:
        log.warning("answer_refused", update_id=update.update_id, reason=error.message, error=repr(error))
        await _apologise(talk)
    except Exception:
        log.exception("update_failed", update_id=update.update_id)
        await _apologise(talk)


async def _route(talk: Talk, update: Update) -> None:
    if update.callback_query is not None:
        await _handle_press(talk, update.callback_query)
    elif update.my_chat_member is not None:
        known = await open_talk(talk, first_contact=False)
        await standing_changed(known, update.my_chat_member)
    elif talk.message is not None:
        await _handle_message(talk, talk.message)


def talk_of(desk: Desk, bot: Bot, update: Update) -> Talk | None:
    """The turn of conversation an update begins; ``None`` for updates we do not answer."""
    message: Message | None = update.message or update.channel_post
    query: CallbackQuery | None = update.callback_query
    change: ChatMemberUpdated | None = update.my_chat_member
    chat: Chat | None = None
    user: User | None = None
    if query is not None:
        # Very old messages come without content: they cannot be edited with certainty.
        message = query.message if isinstance(query.message, Message) else None
        chat, user = query.message.chat if query.message else None, query.from_user
    elif change is not None:
        chat, user = change.chat, change.from_user
    elif message is not None:
        chat, user = message.chat, message.from_user
    if chat is None:
        return None
    return Talk(
        desk=desk,
        bot=bot,
        chat=chat,
        user=user,
        thread_id=_thread_of(message),
        now=desk.deps.clock(),
        reader=None,
        translator=desk.deps.translations.to(choose_language(user.language_code if user else None)),
        message=message,
        query=query,
    )


def _thread_of(message: Message | None) -> int:
    """The topic a message stands in; threads of replies outside forums are no topics."""
    if message is None or not message.is_topic_message:
        return NO_THREAD
    return message.message_thread_id or NO_THREAD


async def _handle_press(talk: Talk, query: CallbackQuery) -> None:
    press = parse_press(query.data or "")
    talk = await open_talk(talk, first_contact=False)
    may_press = press is not None and (press.verb not in ADMIN_PRESSES or _is_admin_here(talk))
    if press is None or not may_press or talk.message is None:
        await close_press(talk, stale(talk))
        return
    await close_press(talk, await PRESSES[press.verb](talk, press))


async def _handle_message(talk: Talk, message: Message) -> None:
    if message.migrate_to_chat_id:
        await migrated(talk, old_chat_id=talk.chat.id, new_chat_id=message.migrate_to_chat_id)
    elif message.migrate_from_chat_id:
        await migrated(talk, old_chat_id=message.migrate_from_chat_id, new_chat_id=talk.chat.id)
    elif spoken := _COMMAND.match(message.text or ""):
        await _handle_command(talk, spoken)
    elif talk.is_private and (message.text or message.caption or message.location):
        await _handle_words(await open_talk(talk, first_contact=True), message)


async def _handle_command(talk: Talk, spoken: re.Match[str]) -> None:
    name, addressee, args = spoken[1].lower(), spoken[2], (spoken[3] or "").strip()[:_ARGS_LIMIT]
    if addressee and addressee.lower() != talk.bot.username.lower():
        return
    talk = await open_talk(talk, first_contact=name != "forget")
    command = _BY_NAME.get(name)
    if command is None or (command.for_admins and not _is_admin_here(talk)):
        # In shared chats it may be meant for another bot.
        if talk.is_private:
            await answer(talk, talk.say("I do not know this command. All commands: /help"))
        return
    await command.run(_with_args(talk, args))


def _with_args(talk: Talk, args: str) -> Talk:
    return replace(talk, args=" ".join(args.split()))


def _is_admin_here(talk: Talk) -> bool:
    """Admins' commands work in private only: what they show is not for a group."""
    return talk.is_private and is_admin(talk.deps, talk.user.id if talk.user else None)


async def _handle_words(talk: Talk, message: Message) -> None:
    """Words without a command: a place, a location, or news forwarded or linked."""
    if message.location is not None:
        await answer_nearest(talk, latitude=message.location.latitude, longitude=message.location.longitude)
        return
    words = (message.text or "").strip()
    if await answer_linked(talk) or (words and await answer_found(talk, words)):
        return
    hint = talk.say("I did not understand. Send me the name of a place, or choose one from the list. /help")
    await answer(talk, hint, buttons=browse_button(talk))


async def _apologise(talk: Talk) -> None:
    """Tell the reader that it is our fault; whatever this meets is logged and ends here."""
    sorry = talk.translator.text("Something went wrong. Please try again in a minute.")
    try:
        if talk.query is not None:
            await close_press(talk, Alert(sorry))
        else:
            await answer(talk, sorry)
    except TelegramError as error:
        log.warning("apology_refused", reason=error.message)


async def publish_commands(bot: Bot, translations: Translations, admins: Mapping[int, Role]) -> None:
    """Tell Telegram our commands and descriptions, per language; admins get theirs too.

    A refusal (an admin who never wrote to the bot) is logged and stops nothing. Raises
    :class:`telegram.error.TelegramError` when Telegram cannot be reached: try again later.
    """
    for language, translator in translations.translators.items():
        code = None if language == DEFAULT_LANGUAGE else language
        menus: list[tuple[BotCommandScopeChat | None, bool]] = [(None, False)]
        menus += [(BotCommandScopeChat(admin), True) for admin in admins]
        for scope, for_admin in menus:
            commands = [
                BotCommand(each.name, translator.text(each.description))
                for each in COMMANDS
                if for_admin or not each.for_admins
            ]
            await _try(bot.set_my_commands(commands, scope=scope, language_code=code))
        about = translator.text("News of networks and regions: choose places and read in your language.")
        await _try(bot.set_my_description(about, language_code=code))
        await _try(bot.set_my_short_description(about, language_code=code))


async def _try(call: Awaitable[bool]) -> None:
    try:
        await call
    except (BadRequest, Forbidden) as error:
        log.warning("menu_refused", reason=error.message)

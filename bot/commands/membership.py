"""The bot's own standing in a chat: blocked, added, removed; and groups that become supergroups."""

from __future__ import annotations

from dataclasses import replace

import structlog
from telegram import ChatMember, ChatMemberRestricted, ChatMemberUpdated
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden

from bot.commands.reply import answer
from bot.commands.talk import NO_THREAD, Talk, with_reader
from bot.commands.welcome import first_buttons, greeting
from bot.text import Html
from storage import subscribers

log = structlog.get_logger(__name__)

_AWAY = {ChatMemberStatus.LEFT, ChatMemberStatus.BANNED}


async def standing_changed(talk: Talk, change: ChatMemberUpdated) -> None:
    """Pause a chat that put us out, resume one that took us back, and introduce ourselves there."""
    reason = why_away(change.new_chat_member, is_private=talk.is_private)
    log.info("standing_changed", chat_kind=talk.chat.type, status=change.new_chat_member.status)
    async with talk.deps.database.write() as session:
        if reason:
            await subscribers.pause(session, chat_id=talk.chat.id, reason=reason, now=talk.now)
        else:
            await subscribers.resume(session, chat_id=talk.chat.id, now=talk.now)
    was_away = bool(why_away(change.old_chat_member, is_private=talk.is_private))
    if not reason and was_away and not talk.is_private:
        await _introduce(await with_reader(talk))


def why_away(member: ChatMember, *, is_private: bool) -> str:
    """The reason to pause a chat in which we have this standing; empty when we may write."""
    if member.status == ChatMemberStatus.BANNED:
        return "blocked" if is_private else "kicked"
    if member.status == ChatMemberStatus.LEFT:
        return "left"
    if isinstance(member, ChatMemberRestricted):
        if not member.is_member:
            return "left"
        return "" if member.can_send_messages else "no-rights"
    return ""


async def _introduce(talk: Talk) -> None:
    """Say hello in a group; a channel is public, so who added us hears it privately."""
    if talk.chat.type != ChatType.CHANNEL:
        note = talk.say("In groups only admins can change what the group follows.")
        await answer(talk, Html(f"{greeting(talk)}\n\n{note}"), buttons=first_buttons(talk))
        return
    if talk.user is None:
        return
    private = replace(talk, thread_id=NO_THREAD)
    text = talk.say(
        "I am in the channel “{name}” now. Post there “/follow” with the name of a place, "
        "for example: /follow Mongolia",
        name=talk.chat.effective_name or "",
    )
    try:
        await private.bot.send_message(talk.user.id, text, parse_mode="HTML")
    except (Forbidden, BadRequest) as error:
        # Whoever added us has never talked to us: Telegram does not let us begin.
        log.info("adder_unreachable", reason=error.message)


async def migrated(talk: Talk, *, old_chat_id: int, new_chat_id: int) -> None:
    """A group became a supergroup: its subscriptions move with it. Both chats report it; once counts."""
    async with talk.deps.database.write() as session:
        moved = await subscribers.migrate(
            session, old_chat_id=old_chat_id, new_chat_id=new_chat_id, now=talk.now
        )
    log.info("chat_migrated", moved=moved)

"""All commands and buttons of the bot, as two tables.

A command that is not in the table does not exist: not in /help, not in the menu, not for anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.commands import admin, browse, follow, options, personal, read, settings, welcome, why
from bot.commands.registry import Command
from bot.commands.talk import Talk
from bot.deps import BotDeps
from bot.keyboards import Press
from bot.text import mark


async def _help(talk: Talk) -> None:
    role = is_admin(talk.deps, talk.user.id if talk.user else None) and talk.is_private
    await welcome.show_help(talk, [each for each in COMMANDS if role or not each.for_admins])


COMMANDS: Sequence[Command] = (
    Command(name="start", description=mark("begin"), run=welcome.start),
    Command(name="browse", description=mark("choose networks and places"), run=browse.browse),
    Command(name="find", description=mark("find a place by name, in any language"), run=read.find),
    Command(name="follow", description=mark("follow a place or a network"), run=follow.follow),
    Command(name="unfollow", description=mark("stop following"), run=follow.unfollow),
    Command(name="my", description=mark("what I follow"), run=follow.my),
    Command(name="latest", description=mark("latest news"), run=read.latest),
    Command(name="why", description=mark("why I got this news"), run=why.why),
    Command(name="settings", description=mark("language and time zone"), run=settings.settings),
    Command(name="language", description=mark("choose a language"), run=settings.language),
    Command(name="export", description=mark("my subscriptions as files"), run=personal.export),
    Command(name="forget", description=mark("delete my data"), run=personal.forget),
    Command(name="help", description=mark("all commands"), run=_help),
    Command(name="sources", description=mark("health of sources"), run=admin.list_sources, for_admins=True),
    Command(name="pause", description=mark("pause a source"), run=admin.pause_source, for_admins=True),
    Command(name="resume", description=mark("resume a source"), run=admin.resume_source, for_admins=True),
    Command(name="health", description=mark("state of the service"), run=admin.health, for_admins=True),
)

PRESSES: Mapping[str, Callable[[Talk, Press], Awaitable[str | None]]] = {
    "browse": browse.press_browse,
    "toggle": browse.press_toggle,
    "follow": follow.press_follow,
    "unfollow": follow.press_unfollow,
    "show": read.press_show,
    "my": follow.press_my,
    "drop": follow.press_drop,
    "why": why.press_why,
    "more": options.press_more,
    "flip": options.press_flip,
    "less": options.press_less,
    "settings": settings.press_settings,
    "languages": settings.press_languages,
    "language": settings.press_language,
    "zones": settings.press_zones,
    "zone": settings.press_zone,
    "forget": personal.press_forget,
    "sources": admin.press_sources,
}

#: Buttons only admins of the service have.
ADMIN_PRESSES = frozenset({"sources"})


def is_admin(deps: BotDeps, user_id: int | None) -> bool:
    """Whether a Telegram user administers the service."""
    return user_id in deps.admins

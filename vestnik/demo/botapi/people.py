"""The other side of the wire: people, groups and channels, moved by tests and by the demo."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from .engine import CallbackQuery, ChatEvent, Engine
from .formatted import read_formatted
from .keyboards import buttons
from .ledger import Delivery, Predicate
from .world import ADMIN_RIGHTS, SEND_RIGHTS, Chat, Member, Message, Topic, User

_query_ids = itertools.count(4_000_000_001)


def _copy(member: Member) -> Member:
    return Member(user=member.user, status=member.status, rights=dict(member.rights))


class Person:
    """Somebody with a Telegram client."""

    def __init__(self, engine: Engine, user: User) -> None:
        self._engine = engine
        self.user = user

    @property
    def id(self) -> int:
        """User id, which is also the id of the private chat with the bot."""
        return self.user.id

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self._engine.world.chats[self.user.id]

    @property
    def seen(self) -> list[Delivery]:
        """Everything the bot did in the private chat."""
        return self._engine.ledger.of_chat(self.id)

    def send(self, text: str, *, chat: Group | None = None, thread_id: int = 0, reply_to: int = 0) -> Message:
        """Write to the bot, or into a group or channel."""
        place = chat.chat if chat else self.chat
        if place.type == "private":
            if self.user.blocked:
                msg = f"user {self.id} has blocked the bot and must unblock it before writing"
                raise ValueError(msg)
            self.user.started = True
        message = self._engine.world.add_message(
            place,
            None if place.type == "channel" else self.user,
            read_formatted(text, "", None),
            date=self._engine.clock.unix(),
            thread_id=thread_id,
            reply_to=place.messages.get(reply_to),
        )
        self._engine.tell(ChatEvent(kind="message", chat_id=place.id, message=message))
        if self._bot_sees(message):
            self._engine.put_update(
                "channel_post" if place.type == "channel" else "message", message.to_json()
            )
        return message

    def _bot_sees(self, message: Message) -> bool:
        """Privacy mode: of a group's talk a bot sees commands, replies to it and mentions of it."""
        engine, chat = self._engine, message.chat
        if chat.type == "private":
            return True
        member = chat.member(engine.bot)
        if not member.is_inside:
            return False
        if chat.type == "channel" or engine.sees_all_group_messages or member.status == "administrator":
            return True
        if message.reply_to and message.reply_to.sender is engine.bot:
            return True
        text = message.body.text
        command, at, name = text.split()[0].partition("@")
        if command.startswith("/"):
            return not at or name.lower() == engine.bot.username.lower()
        return f"@{engine.bot.username}".lower() in text.lower()

    async def ask(
        self,
        text: str,
        *,
        wanted: Predicate | str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error tells what came instead
    ) -> Delivery:
        """Write to the bot and wait for what it does next in the private chat."""
        since = len(self._engine.ledger)
        self.send(text)
        return await self._engine.ledger.wait_for(self.id, wanted, timeout=timeout, since=since)

    def press(self, button: str, *, chat: Group | None = None, message_id: int = 0) -> CallbackQuery:
        """Press an inline button, by its text or its data, on the newest message that has it.

        Raises :class:`LookupError` when no visible keyboard has such a button.
        """
        place = chat.chat if chat else self.chat
        message, data = _find_button(place, button, message_id)
        query = CallbackQuery(
            id=str(next(_query_ids)), user=self.user, message=message, data=data, at=self._engine.clock.now()
        )
        self._engine.queries[query.id] = query
        self._engine.put_update(
            "callback_query",
            {
                "id": query.id,
                "from": self.user.to_json(),
                "message": message.to_json(),
                "chat_instance": str(abs(place.id) * 7919),
                "data": data,
            },
        )
        return query

    async def tap(
        self,
        button: str,
        *,
        wanted: Predicate | str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error tells what came instead
    ) -> Delivery:
        """Press a button in the private chat and wait for what the bot does next there."""
        since = len(self._engine.ledger)
        self.press(button)
        return await self._engine.ledger.wait_for(self.id, wanted, timeout=timeout, since=since)

    def block(self) -> None:
        """Block the bot."""
        if not self.user.blocked:
            self.user.blocked = True
            self._note_standing("member", "kicked")

    def unblock(self) -> None:
        """Unblock the bot."""
        if self.user.blocked:
            self.user.blocked = False
            self._note_standing("kicked", "member")

    def _note_standing(self, old: str, new: str) -> None:
        bot = self._engine.bot
        self._engine.note_standing(
            self.chat, self.user, Member(user=bot, status=old), Member(user=bot, status=new)
        )

    def deactivate(self) -> None:
        """Delete the account."""
        self.user.deactivated = True

    def inline(self, query: str, *, offset: str = "") -> str:
        """Type an inline query; the answer appears in ``engine.inline_answers`` under the returned id."""
        query_id = str(next(_query_ids))
        self._engine.inline_answers[query_id] = None
        content = {"id": query_id, "from": self.user.to_json(), "query": query, "offset": offset}
        self._engine.put_update("inline_query", content)
        return query_id


def _find_button(chat: Chat, wanted: str, message_id: int) -> tuple[Message, str]:
    """The newest message with the button, and the button's data."""
    shown = [m for m in chat.visible() if m.rows and message_id in (0, m.id)]
    for message in reversed(shown):
        for button in buttons(message.rows):
            if wanted not in (button["text"], button.get("callback_data")):
                continue
            if "callback_data" not in button:
                msg = f"the button {wanted!r} opens an address: {button.get('url')}"
                raise LookupError(msg)
            return message, button["callback_data"]
    there = [b["text"] for b in buttons(shown[-1].rows)] if shown else []
    msg = f"no button {wanted!r} in chat {chat.id}; the newest keyboard has: {there}"
    raise LookupError(msg)


class Group:
    """A group, supergroup, forum or channel."""

    def __init__(self, engine: Engine, chat: Chat, owner: User) -> None:
        self._engine = engine
        self.chat = chat
        self.owner = owner
        chat.members[owner.id] = Member(user=owner, status="creator")

    @property
    def id(self) -> int:
        """Chat id."""
        return self.chat.id

    @property
    def seen(self) -> list[Delivery]:
        """Everything the bot did here."""
        return self._engine.ledger.of_chat(self.id)

    def join(self, *people: Person) -> None:
        """Let people in."""
        for person in people:
            self.chat.members[person.id] = Member(user=person.user)

    def set_bot(
        self, status: str, *, rights: Mapping[str, bool] | None = None, by: Person | None = None
    ) -> None:
        """Change the bot's standing (member, administrator, restricted, left, kicked), with its update."""
        engine = self._engine
        old = _copy(self.chat.member(engine.bot))
        new = Member(user=engine.bot, status=status, rights=dict(rights or {}))
        self.chat.members[engine.bot.id] = new
        actor = by.user if by else self.owner
        engine.note_standing(self.chat, actor, old, _copy(new))
        if new.is_inside and not old.is_inside and self.chat.type != "channel":
            engine.note_service(self.chat, actor, {"new_chat_members": [engine.bot.to_json()]})

    def add_bot(self, *, by: Person | None = None) -> None:
        """Add the bot as a member."""
        self.set_bot("member", by=by)

    def promote_bot(self, *, by: Person | None = None, **rights: bool) -> None:
        """Make the bot an administrator; in a channel it may post unless told otherwise."""
        own = {"can_post_messages": True, "can_edit_messages": True} if self.chat.type == "channel" else {}
        own |= {"can_pin_messages": True, "can_manage_topics": False} if self.chat.type != "channel" else {}
        self.set_bot("administrator", rights=dict.fromkeys(ADMIN_RIGHTS, True) | own | rights, by=by)

    def restrict_bot(self, *, by: Person | None = None, **rights: bool) -> None:
        """Leave the bot only the named rights of a member."""
        self.set_bot("restricted", rights=dict.fromkeys(SEND_RIGHTS, False) | rights, by=by)

    def remove_bot(self, *, by: Person | None = None) -> None:
        """Kick the bot."""
        self.set_bot("kicked", by=by)

    def topic(self, name: str) -> Topic:
        """A new topic of a forum."""
        message = self._engine.note_service(
            self.chat,
            self.owner,
            {"forum_topic_created": {"name": name, "icon_color": 7322096}},
            thread_id=self.chat.last_message_id + 1,
        )
        topic = Topic(id=message.id, name=name)
        self.chat.topics[topic.id] = topic
        return topic

    def close_topic(self, topic: Topic) -> None:
        """Close a topic; the bot is told."""
        topic.closed = True
        self._engine.note_service(self.chat, self.owner, {"forum_topic_closed": {}}, thread_id=topic.id)

    def reopen_topic(self, topic: Topic) -> None:
        """Open a closed topic again; the bot is told."""
        topic.closed = False
        self._engine.note_service(self.chat, self.owner, {"forum_topic_reopened": {}}, thread_id=topic.id)

    def delete_topic(self, topic: Topic) -> None:
        """Delete a topic with its messages; nobody tells the bot."""
        topic.deleted = True
        for message in self.chat.visible(topic.id):
            message.deleted = True

    def delete(self) -> None:
        """Delete the whole group."""
        self.chat.deleted = True

    def migrate(self) -> Group:
        """Upgrade a basic group to a supergroup: a new id, told in both chats."""
        if self.chat.type != "group":
            msg = f"chat {self.id} is a {self.chat.type}; only a group can be upgraded"
            raise ValueError(msg)
        chat = self._engine.world.add_chat(None, type="supergroup", title=self.chat.title)
        new = Group(self._engine, chat, self.owner)
        chat.members = {user_id: _copy(member) for user_id, member in self.chat.members.items()}
        self._engine.note_service(self.chat, self.owner, {"migrate_to_chat_id": chat.id})
        self.chat.migrated_to = chat.id
        self._engine.note_service(chat, self.owner, {"migrate_from_chat_id": self.id})
        return new

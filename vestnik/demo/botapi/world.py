"""Who is there: users, chats, members, topics and messages. State only; contains no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .formatted import Formatted
from .markup import Entity

JSON = dict[str, Any]

_FIRST_USER = 100_001
_FIRST_GROUP = -4_000_001
#: Supergroups and channels carry this prefix, as on the real server.
_FIRST_CHANNEL = -1_001_000_000_001

#: What a promoted bot may do unless told otherwise.
ADMIN_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
    "can_delete_stories",
)  # fmt: skip
SEND_RIGHTS = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages",
    "can_manage_topics", "can_react_to_messages", "can_edit_tag",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class User:
    """A person or a bot."""

    id: int
    first_name: str
    username: str = ""
    #: What the client says; often absent.
    language_code: str = ""
    is_bot: bool = False
    deactivated: bool = False
    #: Has blocked our bot.
    blocked: bool = False
    #: Has written to our bot at least once: before that a bot cannot write.
    started: bool = False

    def to_json(self) -> JSON:
        """The ``User`` object."""
        found: JSON = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            found["username"] = self.username
        if self.language_code:
            found["language_code"] = self.language_code
        return found


@dataclass(slots=True, kw_only=True)
class Topic:
    """A forum topic; its id is the id of the service message that made it."""

    id: int
    name: str
    closed: bool = False
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class Member:
    """Somebody's standing in a chat."""

    user: User
    #: creator, administrator, member, restricted, left or kicked.
    status: str = "member"
    #: For administrators and restricted members.
    rights: dict[str, bool] = field(default_factory=dict)

    @property
    def is_inside(self) -> bool:
        """Whether the member is in the chat now."""
        return self.status not in ("left", "kicked")

    def to_json(self) -> JSON:
        """The ``ChatMember`` object with every field its kind requires."""
        found: JSON = {"user": self.user.to_json(), "status": self.status}
        if self.status == "creator":
            found["is_anonymous"] = False
        elif self.status == "administrator":
            found |= {"can_be_edited": False, "is_anonymous": False}
            found |= dict.fromkeys(ADMIN_RIGHTS, True) | self.rights
        elif self.status == "restricted":
            found |= {"is_member": True, "until_date": 0}
            found |= dict.fromkeys(SEND_RIGHTS, False) | self.rights
        elif self.status == "kicked":
            found["until_date"] = 0
        return found


@dataclass(slots=True, kw_only=True)
class Message:
    """A message as the chat shows it now."""

    id: int
    chat: Chat
    #: ``None`` for channel posts, which the channel itself signs.
    sender: User | None
    date: int
    body: Formatted
    thread_id: int = 0
    #: ``{"photo": [...]}`` and the like; ``body`` is the caption then.
    media: JSON = field(default_factory=dict)
    #: Address, file id or name the media came from.
    media_source: str = ""
    #: Rows of the inline keyboard.
    rows: list[list[JSON]] = field(default_factory=list)
    reply_to: Message | None = None
    link_preview: JSON | None = None
    edit_date: int = 0
    #: Fields of a service message (``new_chat_members`` and so on).
    service: JSON = field(default_factory=dict)
    silent: bool = False
    deleted: bool = False

    def to_json(self, *, with_reply: bool = True) -> JSON:
        """The ``Message`` object."""
        found: JSON = {"message_id": self.id, "date": self.date, "chat": self.chat.to_json()}
        if self.sender:
            found["from"] = self.sender.to_json()
        else:
            found["sender_chat"] = found["chat"]
        found |= self.media | self.service
        if self.body.text:
            found["caption" if self.media else "text"] = self.body.text
            if self.body.entities:
                found["caption_entities" if self.media else "entities"] = list(self.body.entities)
        if self.thread_id:
            found |= {"message_thread_id": self.thread_id, "is_topic_message": True}
        if self.rows:
            found["reply_markup"] = {"inline_keyboard": self.rows}
        if self.reply_to and with_reply:
            found["reply_to_message"] = self.reply_to.to_json(with_reply=False)
        if self.link_preview:
            found["link_preview_options"] = self.link_preview
        if self.edit_date:
            found["edit_date"] = self.edit_date
        return found

    @property
    def entities(self) -> list[Entity]:
        """Entities of the text or caption."""
        return list(self.body.entities)


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat, group, supergroup or channel."""

    id: int
    #: private, group, supergroup or channel.
    type: str
    title: str = ""
    username: str = ""
    is_forum: bool = False
    #: The other side of a private chat.
    person: User | None = None
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    #: The general topic, which has no thread id.
    general_closed: bool = False
    messages: dict[int, Message] = field(default_factory=dict)
    last_message_id: int = 0
    deleted: bool = False
    migrated_to: int = 0
    pinned: int = 0

    def to_json(self) -> JSON:
        """The ``Chat`` object."""
        found: JSON = {"id": self.id, "type": self.type}
        if self.person:
            found["first_name"] = self.person.first_name
            if self.person.username:
                found["username"] = self.person.username
            return found
        found["title"] = self.title
        if self.username:
            found["username"] = self.username
        if self.is_forum:
            found["is_forum"] = True
        return found

    def member(self, user: User) -> Member:
        """The user's standing here; somebody never seen here has left."""
        return self.members.get(user.id) or Member(user=user, status="left")

    def visible(self, thread_id: int | None = None) -> Iterator[Message]:
        """Messages one sees now, oldest first; of one topic where ``thread_id`` is given."""
        for message in self.messages.values():
            if not message.deleted and thread_id in (None, message.thread_id):
                yield message


@dataclass(slots=True)
class World:
    """All of it, around one bot."""

    bot: User
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def add_user(self, user_id: int | None, **fields: Any) -> User:
        """Somebody new; their private chat exists at once, but the bot cannot write to it yet."""
        if user_id is None:
            user_id = _FIRST_USER + len(self.users)
            while user_id in self.users or user_id == self.bot.id:
                user_id += 1
        user = User(id=user_id, **fields)
        self.users[user_id] = user
        self.chats[user_id] = Chat(id=user_id, type="private", person=user)
        return user

    def add_chat(self, chat_id: int | None, **fields: Any) -> Chat:
        """A new group, supergroup or channel."""
        if chat_id is None:
            first = _FIRST_GROUP if fields["type"] == "group" else _FIRST_CHANNEL
            chat_id = first - len(self.chats)
            while chat_id in self.chats:
                chat_id -= 1
        chat = Chat(id=chat_id, **fields)
        self.chats[chat_id] = chat
        if chat.username:
            self.names[chat.username.lower()] = chat_id
        return chat

    def find_chat(self, chat: int | str) -> Chat | None:
        """A chat by number or ``@username``."""
        if isinstance(chat, str):
            return self.chats.get(self.names.get(chat.lstrip("@").lower(), 0))
        return self.chats.get(chat)

    def add_message(
        self, chat: Chat, sender: User | None, body: Formatted, *, date: int, **fields: Any
    ) -> Message:
        """The next message of a chat."""
        chat.last_message_id += 1
        message = Message(id=chat.last_message_id, chat=chat, sender=sender, date=date, body=body, **fields)
        chat.messages[message.id] = message
        return message

    def shares_group_with(self, user: User) -> bool:
        """Whether the bot knows the user from a common group."""
        return any(
            user.id in chat.members and chat.member(self.bot).is_inside
            for chat in self.chats.values()
            if chat.type != "private"
        )

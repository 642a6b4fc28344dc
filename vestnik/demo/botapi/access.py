"""May the bot write there? The server's refusals in the server's order. Contains no I/O."""

from __future__ import annotations

from .errors import ApiError, bad_request, forbidden, migrated
from .world import Chat, Member, World

_RIGHTS = {"text": ("can_send_messages", "text messages"), "photo": ("can_send_photos", "photos"),
           "document": ("can_send_documents", "documents")}  # fmt: skip


def refusal_to_see(world: World, chat: Chat) -> ApiError | None:
    """Why the bot cannot even look at the chat; ``None`` when it can."""
    if chat.type == "private":
        return None
    if chat.migrated_to:
        return migrated(chat.migrated_to)
    if chat.deleted:
        return forbidden("the group chat was deleted")
    status = chat.member(world.bot).status
    if status == "kicked":
        return forbidden(f"bot was kicked from the {chat.type} chat")
    if status == "left" and not (chat.type != "group" and chat.username):
        return forbidden(f"bot is not a member of the {chat.type} chat")
    return None


def refusal_to_send(world: World, chat: Chat, *, content: str, thread_id: int) -> ApiError | None:
    """Why a message may not be sent; ``content`` is text, photo or document."""
    if chat.type == "private":
        return _private_refusal(world, chat) or _topic_refusal(chat, None, thread_id)
    refused = refusal_to_see(world, chat)
    if refused:
        return refused
    member = chat.member(world.bot)
    if not member.is_inside:
        return forbidden(f"bot is not a member of the {chat.type} chat")
    if chat.type == "channel":
        return _channel_refusal(member)
    right, what = _RIGHTS[content]
    if member.status == "restricted" and not member.rights.get(right, False):
        return bad_request(f"not enough rights to send {what} to the chat")
    return _topic_refusal(chat, member, thread_id)


def _private_refusal(world: World, chat: Chat) -> ApiError | None:
    person = chat.person
    if person is None or person.deactivated:
        return forbidden("user is deactivated")
    if person.is_bot:
        return forbidden("bot can't send messages to bots")
    if person.blocked:
        return forbidden("bot was blocked by the user")
    if not person.started:
        known = world.shares_group_with(person)
        return (
            forbidden("bot can't initiate conversation with a user")
            if known
            else bad_request("chat not found")
        )
    return None


def _channel_refusal(member: Member) -> ApiError | None:
    if member.status not in ("administrator", "creator"):
        return bad_request("need administrator rights in the channel chat")
    if not member.rights.get("can_post_messages", True):
        return bad_request("not enough rights to send text messages to the chat")
    return None


def _topic_refusal(chat: Chat, member: Member | None, thread_id: int) -> ApiError | None:
    may_manage = member is not None and (
        member.status == "creator"
        or (member.status == "administrator" and member.rights.get("can_manage_topics", False))
    )
    if not thread_id:
        return bad_request("TOPIC_CLOSED") if chat.general_closed and not may_manage else None
    topic = chat.topics.get(thread_id)
    if topic is None or topic.deleted:
        return bad_request("message thread not found")
    if topic.closed and not may_manage:
        return bad_request("TOPIC_CLOSED")
    return None

"""The Bot API as data: which methods there are, with which parameters of which types.

Written from the public documentation (https://core.telegram.org/bots/api), independent of the
client library under test. One line per method: ``name:type``, ``!`` marks a required parameter,
``[T]`` a list of ``T``. ``chat`` is a number or ``@username``, ``file`` an upload, file id or address.
A capitalised type is an object from :data:`OBJECTS`; ``object`` is one we do not look into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


def words(text: str) -> frozenset[str]:
    """A set of words written as a line."""
    return frozenset(text.split())


#: What every send method takes besides its own content.
_SEND = (
    "business_connection_id:str chat_id:chat! message_thread_id:int direct_messages_topic_id:int "
    "disable_notification:bool protect_content:bool allow_paid_broadcast:bool message_effect_id:str "
    "suggested_post_parameters:object reply_parameters:ReplyParameters reply_markup:ReplyMarkup "
    # Bot API 10.2: a message only one member of the group sees; 10.4: as the answer to a button.
    "receiver_user_id:int callback_query_id:str "
)
_CAPTION = "caption:str parse_mode:str caption_entities:[MessageEntity] "
_SHOWN = "show_caption_above_media:bool has_spoiler:bool "
_EDITED = "business_connection_id:str chat_id:chat message_id:int inline_message_id:str "
_LOCALE = "language_code:str"
_COPIED = (
    "chat_id:chat! message_thread_id:int direct_messages_topic_id:int from_chat_id:chat! message_id:int! "
    "video_start_timestamp:int disable_notification:bool protect_content:bool message_effect_id:str "
    "suggested_post_parameters:object "
)
_TOPIC = "chat_id:chat! message_thread_id:int!"
_ADMIN_RIGHTS = (
    "is_anonymous:bool can_manage_chat:bool can_delete_messages:bool can_manage_video_chats:bool "
    "can_restrict_members:bool can_promote_members:bool can_change_info:bool can_invite_users:bool "
    "can_post_messages:bool can_edit_messages:bool can_pin_messages:bool can_post_stories:bool "
    "can_edit_stories:bool can_delete_stories:bool can_manage_topics:bool can_manage_direct_messages:bool "
    "can_manage_tags:bool"
)

#: Methods the emulator carries out.
METHODS: Mapping[str, str] = {
    # updates
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:[str]",
    "setWebhook": "url:str! certificate:file ip_address:str max_connections:int allowed_updates:[str] "
    "drop_pending_updates:bool secret_token:str",
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    # the bot itself
    "getMe": "",
    "logOut": "",
    "close": "",
    "setMyCommands": "commands:[BotCommand]! scope:BotCommandScope " + _LOCALE,
    "deleteMyCommands": "scope:BotCommandScope " + _LOCALE,
    "getMyCommands": "scope:BotCommandScope " + _LOCALE,
    "setMyName": "name:str " + _LOCALE,
    "getMyName": _LOCALE,
    "setMyDescription": "description:str " + _LOCALE,
    "getMyDescription": _LOCALE,
    "setMyShortDescription": "short_description:str " + _LOCALE,
    "getMyShortDescription": _LOCALE,
    "setChatMenuButton": "chat_id:int menu_button:object",
    "getChatMenuButton": "chat_id:int",
    "setMyDefaultAdministratorRights": "rights:object for_channels:bool",
    "getMyDefaultAdministratorRights": "for_channels:bool",
    # messages
    "sendMessage": _SEND
    + "text:str! parse_mode:str entities:[MessageEntity] link_preview_options:LinkPreviewOptions",
    "sendPhoto": _SEND + _CAPTION + _SHOWN + "photo:file!",
    "sendDocument": _SEND + _CAPTION + "document:file! thumbnail:file disable_content_type_detection:bool",
    "sendMediaGroup": "business_connection_id:str chat_id:chat! message_thread_id:int "
    "direct_messages_topic_id:int media:[InputMedia]! disable_notification:bool protect_content:bool "
    "allow_paid_broadcast:bool message_effect_id:str reply_parameters:ReplyParameters",
    "sendRichMessage": _SEND + "rich_message:RichMessage!",
    "copyMessage": _COPIED
    + _CAPTION
    + "show_caption_above_media:bool allow_paid_broadcast:bool reply_parameters:ReplyParameters "
    "reply_markup:ReplyMarkup",
    "forwardMessage": _COPIED,
    "sendChatAction": "business_connection_id:str chat_id:chat! message_thread_id:int action:str!",
    "editMessageText": _EDITED + "text:str parse_mode:str entities:[MessageEntity] "
    "link_preview_options:LinkPreviewOptions reply_markup:InlineKeyboardMarkup rich_message:RichMessage",
    "editMessageCaption": _EDITED
    + _CAPTION
    + "show_caption_above_media:bool reply_markup:InlineKeyboardMarkup",
    "editMessageMedia": _EDITED + "media:InputMedia! reply_markup:InlineKeyboardMarkup",
    "editMessageReplyMarkup": _EDITED + "reply_markup:InlineKeyboardMarkup",
    "deleteMessage": "chat_id:chat! message_id:int!",
    "deleteMessages": "chat_id:chat! message_ids:[int]!",
    "setMessageReaction": "chat_id:chat! message_id:int! reaction:[object] is_big:bool",
    "pinChatMessage": "business_connection_id:str chat_id:chat! message_id:int! disable_notification:bool",
    "unpinChatMessage": "business_connection_id:str chat_id:chat! message_id:int",
    # answers
    "answerCallbackQuery": "callback_query_id:str! text:str show_alert:bool url:str cache_time:int",
    "answerInlineQuery": "inline_query_id:str! results:[InlineQueryResult]! cache_time:int is_personal:bool "
    "next_offset:str button:object",
    # chats
    "getChat": "chat_id:chat!",
    "getChatMember": "chat_id:chat! user_id:int!",
    # return_bots came with 10.1
    "getChatAdministrators": "chat_id:chat! return_bots:bool",
    "getChatMemberCount": "chat_id:chat!",
    "leaveChat": "chat_id:chat!",
    "createForumTopic": "chat_id:chat! name:str! icon_color:int icon_custom_emoji_id:str",
    "editForumTopic": _TOPIC + " name:str icon_custom_emoji_id:str",
    "closeForumTopic": _TOPIC,
    "reopenForumTopic": _TOPIC,
    "deleteForumTopic": _TOPIC,
    "getFile": "file_id:str!",
    "getUserProfilePhotos": "user_id:int! offset:int limit:int",
}

#: Documented methods the emulator knows by name only: a call is refused and recorded, because a
#: made-up success would hide a fault.
KNOWN_ONLY = words(
    """
    sendAudio sendVideo sendAnimation sendVoice sendVideoNote sendPaidMedia sendLocation sendVenue sendContact
    sendPoll sendChecklist sendDice sendMessageDraft sendSticker sendInvoice sendGame sendGift sendLivePhoto
    forwardMessages copyMessages stopPoll editMessageLiveLocation stopMessageLiveLocation unpinAllChatMessages
    banChatMember unbanChatMember restrictChatMember promoteChatMember setChatAdministratorCustomTitle
    banChatSenderChat unbanChatSenderChat setChatPermissions exportChatInviteLink createChatInviteLink
    editChatInviteLink revokeChatInviteLink approveChatJoinRequest declineChatJoinRequest setChatPhoto
    deleteChatPhoto setChatTitle setChatDescription setChatStickerSet deleteChatStickerSet
    getForumTopicIconStickers unpinAllForumTopicMessages editGeneralForumTopic closeGeneralForumTopic
    reopenGeneralForumTopic hideGeneralForumTopic unhideGeneralForumTopic unpinAllGeneralForumTopicMessages
    getUserChatBoosts answerWebAppQuery savePreparedInlineMessage setMyProfilePhoto removeMyProfilePhoto
    answerPreCheckoutQuery answerShippingQuery getStarTransactions getMyStarBalance setUserEmojiStatus
    """
)

#: Objects whose fields are checked too; a field nobody documented is a mistake of ours.
OBJECTS: Mapping[str, str] = {
    "LinkPreviewOptions": "is_disabled:bool url:str prefer_small_media:bool prefer_large_media:bool "
    "show_above_text:bool",
    "ReplyParameters": "message_id:int! chat_id:chat allow_sending_without_reply:bool quote:str "
    "quote_parse_mode:str quote_entities:[MessageEntity] quote_position:int checklist_task_id:int "
    "poll_option_id:str",
    "InlineKeyboardMarkup": "inline_keyboard:[[InlineKeyboardButton]]!",
    "InlineKeyboardButton": "text:str! icon_custom_emoji_id:str style:str url:str callback_data:str "
    "web_app:object login_url:object switch_inline_query:str switch_inline_query_current_chat:str "
    "switch_inline_query_chosen_chat:object copy_text:CopyTextButton callback_game:object pay:bool",
    "CopyTextButton": "text:str!",
    "ReplyKeyboardMarkup": "keyboard:[[KeyboardButton]]! is_persistent:bool resize_keyboard:bool "
    "one_time_keyboard:bool input_field_placeholder:str selective:bool",
    "KeyboardButton": "text:str! icon_custom_emoji_id:str style:str request_users:object request_chat:object "
    "request_managed_bot:object request_contact:bool request_location:bool request_poll:object "
    "web_app:object",
    "ReplyKeyboardRemove": "remove_keyboard:bool! selective:bool",
    "ForceReply": "force_reply:bool! input_field_placeholder:str selective:bool",
    "BotCommand": "command:str! description:str!",
    "BotCommandScope": "type:str! chat_id:chat user_id:int",
    "MessageEntity": "type:str! offset:int! length:int! url:str user:object language:str "
    "custom_emoji_id:str unix_time:int date_time_format:str",
    "RichMessage": "html:str markdown:str is_rtl:bool skip_entity_detection:bool blocks:[object] "
    "media:[object]",
    "InputMedia": "type:str! media:str! thumbnail:str caption:str parse_mode:str "
    "caption_entities:[MessageEntity] show_caption_above_media:bool has_spoiler:bool width:int height:int "
    "duration:int supports_streaming:bool performer:str title:str disable_content_type_detection:bool "
    "cover:str start_timestamp:int",
    "InlineQueryResult": "type:str! id:str! title:str input_message_content:object "
    "reply_markup:InlineKeyboardMarkup url:str description:str thumbnail_url:str thumbnail_width:int "
    "thumbnail_height:int photo_url:str photo_width:int photo_height:int caption:str parse_mode:str "
    "caption_entities:[MessageEntity] show_caption_above_media:bool photo_file_id:str hide_url:bool",
    "AdminRights": _ADMIN_RIGHTS,
}

#: ``reply_markup`` of a send method is told apart by the field only it has.
MARKUP_KINDS: Mapping[str, str] = {
    "inline_keyboard": "InlineKeyboardMarkup",
    "keyboard": "ReplyKeyboardMarkup",
    "remove_keyboard": "ReplyKeyboardRemove",
    "force_reply": "ForceReply",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a method, or field of an object."""

    name: str
    type: str
    required: bool


#: The server takes method names in any case.
_BY_LOWER_NAME = {name.lower(): name for name in METHODS}
_KNOWN_ONLY_LOWER = {name.lower() for name in KNOWN_ONLY}


def method_name(name: str) -> str | None:
    """The documented spelling of a method we carry out, whatever the case; ``None`` for others."""
    return _BY_LOWER_NAME.get(name.lower())


def is_known_only(name: str) -> bool:
    """Whether the method exists but is not carried out here."""
    return name.lower() in _KNOWN_ONLY_LOWER


@cache
def parameters_of(method: str) -> Mapping[str, Parameter]:
    """The parameters of a method of :data:`METHODS`, by name."""
    return _read_specification(METHODS[method])


@cache
def fields_of(kind: str) -> Mapping[str, Parameter]:
    """The fields of an object of :data:`OBJECTS`, by name."""
    return _read_specification(OBJECTS[kind])


def _read_specification(line: str) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for word in line.split():
        name, _, kind = word.partition(":")
        found[name] = Parameter(name=name, type=kind.rstrip("!"), required=kind.endswith("!"))
    return found

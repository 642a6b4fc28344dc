"""Text for Telegram: what a source said made harmless, cut, measured and put into our sentences.

Telegram's HTML knows four named entities and few tags; limits count code points after the entities
are parsed. Everything here is pure. Contains no I/O.
"""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

from bot.i18n import Translator

#: Code points after entity parsing (tdlib, MessageContent.cpp).
MESSAGE_LIMIT = 4096
CAPTION_LIMIT = 1024
#: An alert above the chat, shown by a button.
ALERT_LIMIT = 200
#: Longest address we put behind a link; longer ones are traps or mistakes.
URL_LIMIT = 2048

#: First strong isolate and its end: what stands between never changes the direction around it.
FSI = "\u2068"
PDI = "\u2069"
#: Invisible, and neither letter nor space: keeps "/forget" in a teaser from becoming a command.
_JOINER = "\u2060"

# Letters without a shape: a title made of them looks empty.
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
# Direction marks and overrides, zero-width characters but the joiners scripts and emoji need.
_DROPPED = re.compile(
    f"[{_BLANKS}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]"
)
_MARKS_KEPT = 3
_COMMAND = re.compile(r"(?<![\w/<>])/(?=\w)")
_MENTION = re.compile(r"(?<!\w)[@#](?=\w)")
_APP_LINK = re.compile(r"\b(tg|ton|tonsite)(?=://)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_RTL_CLASSES = frozenset({"R", "AL"})


class Html(str):
    """Text that is Telegram HTML already; :func:`say` puts it in as it is."""

    __slots__ = ()


def tidy(text: str) -> str:
    """``text`` as one visible line: no controls, direction overrides, surrogates or stacked marks."""
    kept: list[str] = []
    marks = 0
    for char in _DROPPED.sub("", unicodedata.normalize("NFC", text)):
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > _MARKS_KEPT or category in {"Cs", "Co", "Cn"}:
            continue
        kept.append(" " if category in {"Cc", "Zl", "Zp", "Zs"} else char)
    return " ".join("".join(kept).split())


def defang(text: str) -> str:
    """``text`` in which Telegram finds no command, mention, hashtag or ``tg://`` link to tap."""
    text = _COMMAND.sub("/" + _JOINER, text)
    text = _MENTION.sub(lambda found: found[0] + _JOINER, text)
    return _APP_LINK.sub(lambda found: found[0] + _JOINER, text)


def escape(text: str) -> Html:
    """``text`` for Telegram HTML, also between the quotes of an attribute."""
    return Html(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"))


def unescape(text: str) -> str:
    """What a reader sees of Telegram HTML: tags gone, entities resolved."""
    return html.unescape(_TAG.sub("", text))


def visible_length(text: str) -> int:
    """Length as Telegram counts it: code points after the entities are parsed."""
    return len(unescape(text))


def has_rtl(text: str) -> bool:
    """Whether a letter of ``text`` is written from right to left."""
    return any(unicodedata.bidirectional(char) in _RTL_CLASSES for char in text)


def isolate(text: str, *, rtl: bool) -> str:
    """``text`` kept from mixing with its surroundings where directions may differ.

    ``rtl`` is the direction of the surroundings. Text of the same direction stays as it is, so that
    it can be searched and copied without invisible characters.
    """
    return f"{FSI}{text}{PDI}" if text and (rtl or has_rtl(text)) else text


def say(translator: Translator, message: str, /, **values: object) -> Html:
    """The message as Telegram HTML: values escaped and isolated, :class:`Html` values as they are."""
    return Html(translator.text(message, **_safe(translator, values)))


def say_plural(translator: Translator, singular: str, plural: str, number: int, /, **values: object) -> Html:
    """The plural form that fits ``number``, otherwise like :func:`say`."""
    return Html(translator.plural(singular, plural, number, **_safe(translator, values)))


def mark(message: str, /) -> str:
    """``message`` unchanged: names a string for the catalogues that is translated elsewhere."""
    return message


def _safe(translator: Translator, values: dict[str, object]) -> dict[str, object]:
    return {
        name: escape(isolate(value, rtl=translator.is_rtl))
        if isinstance(value, str) and not isinstance(value, Html)
        else value
        for name, value in values.items()
    }


# A full stop after these ends no sentence; single letters (initials, "г.") never do.
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\w+",
        "dr mr mrs ms prof st no vol nr bzw usw ca ул им гг вв др пр стр руб тыс млн см св проф акад обл",
    )
)
_SENTENCE_END = re.compile("(?:[.!?…؟۔]+[\"'»”’)\\]]*(?=\\s)|[。！？]+[”’」』）]*)")


def cut(text: str, limit: int) -> str:
    """``text`` within ``limit`` code points: at the end of a sentence, else of a word with "…"."""
    if len(text) <= limit:
        return text
    end = _last_sentence_end(text, limit)
    # A single short sentence out of much room says less than a cut one.
    if end >= limit // 3:
        return text[:end].rstrip()
    return cut_words(text, limit)


def cut_words(text: str, limit: int) -> str:
    """``text`` within ``limit`` code points, cut between words where it has spaces, ended by "…"."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    if space >= limit // 2:
        head = head[:space]
    while head and _belongs_to_previous(text[len(head)]):
        head = head[:-1]
    return head.rstrip(" ,;:–—-\u200d") + "…"


def _belongs_to_previous(char: str) -> bool:
    """Whether cutting before ``char`` would tear what a reader sees as one character."""
    return unicodedata.category(char) in {"Mn", "Me", "Mc"} or char in "\u200d\ufe0f" or "🏻" <= char <= "🏿"


def _last_sentence_end(text: str, limit: int) -> int:
    best = 0
    for found in _SENTENCE_END.finditer(text):
        if found.end() > limit:
            break
        if not _is_abbreviation(text, found.start()):
            best = found.end()
    return best


def _is_abbreviation(text: str, dot: int) -> bool:
    if text[dot] != ".":
        return False
    word = re.search(r"\w*\Z", text[max(0, dot - 12) : dot])
    found = word[0] if word else ""
    return (len(found) == 1 and not found.isdigit()) or found.lower() in _ABBREVIATIONS


def hashtag(name: str) -> str:
    """``#Name_of_a_place``: letters, digits and underscores, as Telegram recognises it; may be empty."""
    plain = "".join(char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char) != "Mn")
    words = re.sub(r"[^\w]+", "_", plain).strip("_")
    return f"#{words}" if any(char.isalpha() for char in words) else ""


def is_linkable(url: str | None) -> bool:
    """Whether Telegram takes ``url`` for a button: http(s), a host with a dot, no blanks.

    A link in a text with a bad address is silently dropped, a button with one is an error
    (tdlib, LinkManager.cpp).
    """
    if not url or len(url) > URL_LIMIT or re.search(r"[\s\x00-\x1f\x7f\"<>\\^`{|}\ud800-\udfff]", url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    # "name@host" in an address looks like one place and leads to another.
    has_host = ("." in host.strip(".") or ":" in host) and parts.username is None and port != 0
    return parts.scheme in {"http", "https"} and has_host

"""News as Telegram messages: pure, within the limits, and safe from what a source wrote.

Layout, each part only when there is something to say::

    Title                       bold, linked
    Teaser.                     cut at a sentence
    Regional network · Penza Oblast
    #Penza_Oblast
    Source, 22 November 2026, 14:05

Contains no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from datetime import time as clock_time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_time
from telegram import InlineKeyboardMarkup, LinkPreviewOptions

from bot.i18n import INTERFACE_LANGUAGES, Translator
from bot.keyboards import LANGUAGE_NAMES, news_buttons
from bot.text import (
    Html,
    cut,
    cut_words,
    defang,
    escape,
    hashtag,
    is_linkable,
    isolate,
    mark,
    say,
    tidy,
    unescape,
)
from feeds.model import Item
from feeds.networks import Networks

#: Far below 4096 together: a message is a teaser, the news itself is behind the link.
_TITLE_LIMIT = 300
_TEASER_LIMIT = 600
_SOURCE_LIMIT = 120
#: More places than these make a label longer than the news.
_REGIONS_SHOWN = 5
_LANGUAGES_SHOWN = 6

MIDNIGHT = clock_time(0, 0)
#: Where most sources of the networks live.
_HOME_ZONE = "Europe/Moscow"

_REPEAT_NOTE = mark("This may be a repeat: the connection broke while the news was being sent.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message ready to send, by whichever way."""

    text: str
    #: ``HTML``, or ``None`` for plain text.
    parse_mode: str | None = "HTML"
    keyboard: InlineKeyboardMarkup | None = None
    link_preview: LinkPreviewOptions | None = None


def news_message(
    item: Item,
    *,
    translator: Translator,
    timezone: str,
    networks: Networks,
    base_url: str,
    siblings: Sequence[Item] = (),
    possible_repeat: bool = False,
) -> OutgoingMessage:
    """One piece of news for a reader of ``translator``'s language in ``timezone`` (IANA name).

    ``siblings`` are the other items of its story; those in other languages become buttons.
    ``possible_repeat`` adds a note that the reader may have got it already.
    """
    url = item_link(item, base_url=base_url)
    title = headline(item, translator=translator, base_url=base_url)
    teaser = isolate(defang(cut(_teaser(item), _TEASER_LIMIT)), rtl=translator.is_rtl)
    lines = [
        labels_line(item, translator=translator, networks=networks),
        _hashtags_line(item, translator=translator, networks=networks),
        _source_line(item, translator=translator, timezone=timezone),
    ]
    note = Html(f"<i>{say(translator, _REPEAT_NOTE)}</i>") if possible_repeat else ""
    parts = [f"<b>{title}</b>", escape(teaser), "\n".join(line for line in lines if line), note]
    return OutgoingMessage(
        text="\n\n".join(part for part in parts if part),
        keyboard=news_buttons(
            translator, item.id, url=url, languages=_other_languages(item, siblings, base_url=base_url)
        ),
        link_preview=_preview(item, url),
    )


def as_plain(message: OutgoingMessage) -> OutgoingMessage:
    """The same message without entities, for a server that refused them; links stay behind buttons."""
    return replace(message, text=unescape(message.text), parse_mode=None)


def headline(item: Item, *, translator: Translator, base_url: str, limit: int = _TITLE_LIMIT) -> Html:
    """The title, linked where there is an address to link to."""
    words = tidy(item.title) or _teaser(item) or source_name(item)
    text = isolate(defang(cut_words(words, limit)), rtl=translator.is_rtl)
    url = item_link(item, base_url=base_url)
    return Html(f'<a href="{escape(url)}">{escape(text)}</a>') if url else escape(text)


def item_link(item: Item, *, base_url: str) -> str | None:
    """Where an item can be read: at its source, else on our own page; ``None`` without either."""
    if is_linkable(item.url):
        return item.url
    language = item.language if item.language in INTERFACE_LANGUAGES else "en"
    page = f"{base_url}/{language}/items/{item.id}"
    return page if is_linkable(page) else None


def labels_line(item: Item, *, translator: Translator, networks: Networks) -> Html:
    """Networks and regions of an item in the reader's language; empty without any."""
    places = _places(item, translator, networks)
    shown = [*_titles(item, translator, networks), ", ".join(places[:_REGIONS_SHOWN])]
    if len(places) > _REGIONS_SHOWN:
        shown[-1] += f" +{len(places) - _REGIONS_SHOWN}"
    joined = " · ".join(isolate(tidy(each), rtl=translator.is_rtl) for each in shown if each)
    return escape(f"📍 {joined}") if joined else Html("")


def _hashtags_line(item: Item, *, translator: Translator, networks: Networks) -> Html:
    places = _places(item, translator, networks)[:_REGIONS_SHOWN]
    titles = [
        networks.networks[n].title(translator.language) for n in item.networks if n in networks.networks
    ]
    tags = dict.fromkeys(hashtag(tidy(name)) for name in (*places, *titles))
    return escape(" ".join(isolate(tag, rtl=translator.is_rtl) for tag in tags if tag))


def _places(item: Item, translator: Translator, networks: Networks) -> list[str]:
    known = networks.catalogue.regions
    return [known[code].name(translator.language) for code in item.regions if code in known]


def _titles(item: Item, translator: Translator, networks: Networks) -> list[str]:
    known = networks.networks
    return [known[each].title(translator.language) for each in item.networks if each in known]


def _source_line(item: Item, *, translator: Translator, timezone: str) -> Html:
    source = isolate(defang(source_name(item)), rtl=translator.is_rtl)
    when = format_published(item, translator=translator, timezone=timezone)
    return escape(f"{source}{'،' if translator.is_rtl else ','} {when}")


def source_name(item: Item) -> str:
    """What to call the source of an item."""
    return cut_words(tidy(item.source_title) or tidy(item.source_id), _SOURCE_LIMIT) or "·"


def format_published(item: Item, *, translator: Translator, timezone: str, time: bool = True) -> str:
    """When an item was published, for a reader in ``timezone``.

    A source that named only the day is stored with its own midnight. Midnight of a likely zone is
    taken for that: better no time than "00:00", or the day before in zones to the west.
    """
    for zone in (timezone, "UTC", _HOME_ZONE):
        if item.has_date and item.published.astimezone(zone_of(zone)).time() == MIDNIGHT:
            return format_when(item.published, translator=translator, timezone=zone, time=False)
    return format_when(item.published, translator=translator, timezone=timezone, time=time)


def format_when(when: datetime, *, translator: Translator, timezone: str, time: bool = True) -> str:
    """A moment in the reader's zone and the habits of the reader's language."""
    locale, zone = translator.locale, zone_of(timezone)
    local = when.astimezone(zone)
    date = format_date(local.date(), "long", locale=locale)
    if not time:
        return date
    pattern = str(locale.datetime_formats["medium"])
    clock = format_time(local, "short", tzinfo=zone, locale=_clock_locale(locale))
    return pattern.replace("{1}", date).replace("{0}", clock)


@lru_cache(maxsize=32)
def _clock_locale(locale: Locale) -> Locale:
    # English is read all over the world here: 14:05 is clear everywhere, 2:05 PM is not.
    return Locale.parse("en_GB") if locale.language == "en" else locale


@lru_cache(maxsize=700)
def zone_of(name: str) -> ZoneInfo:
    """The zone called ``name``; UTC when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _teaser(item: Item) -> str:
    teaser = tidy(item.summary)
    # Many feeds repeat the title as their summary.
    return "" if teaser.casefold().rstrip(".…") == tidy(item.title).casefold().rstrip(".…") else teaser


def _other_languages(item: Item, siblings: Sequence[Item], *, base_url: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for other in siblings:
        url = item_link(other, base_url=base_url)
        if other.language != item.language and other.language not in found and url:
            found[other.language] = url
    return [(_own_name(code), url) for code, url in list(found.items())[:_LANGUAGES_SHOWN]]


def _own_name(code: str) -> str:
    if code in LANGUAGE_NAMES:
        return LANGUAGE_NAMES[code]
    try:
        name = Locale.parse(code).get_display_name(code)
    except ValueError:
        return code
    return (name or code).capitalize()


def _preview(item: Item, url: str | None) -> LinkPreviewOptions:
    if url is None:
        return LinkPreviewOptions(is_disabled=True)
    return LinkPreviewOptions(
        url=url, prefer_large_media=bool(item.image) or None, prefer_small_media=None if item.image else True
    )

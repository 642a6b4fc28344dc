"""Public Telegram channel pages (``t.me/s/NAME``): one message, one entry. Contains no I/O.

A message has no title: its first line (often bold) is one. Service messages and messages without
words are left out; an album or forward is one message as Telegram shows it.
"""

from __future__ import annotations

import re
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.clean import clean_html, clean_text, html_to_text, safe_url
from feeds.dates import read_published
from feeds.model import Entry, EntryList

#: A first line longer than this is cut at a sentence or a word.
LONGEST_TITLE = 160
_LINE_END = re.compile(r"<br\s*/?>|</(?:p|div|blockquote|pre)>", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s")
_PHOTO = re.compile(r"background-image:\s*url\(['\"]?([^'\")]+)")


def is_channel(parser: LexborHTMLParser) -> bool:
    """Whether the page is a channel's public preview."""
    return parser.css_first(".tgme_channel_history, .tgme_widget_message[data-post]") is not None


def read_channel(parser: LexborHTMLParser, *, url: str, timezone: str, now: datetime) -> EntryList:
    """The channel's messages, newest first (the page shows them oldest first)."""
    name = parser.css_first(".tgme_channel_info_header_title, .tgme_header_title")
    entries = [_entry(node, url, timezone, now) for node in parser.css(".tgme_widget_message")]
    return EntryList(
        heading=clean_text(name.text()) if name is not None else "",
        entries=tuple(entry for entry in reversed(entries) if entry is not None),
    )


def _entry(node: LexborNode, url: str, timezone: str, now: datetime) -> Entry | None:
    text = node.css_first(".tgme_widget_message_text.js-message_text, .tgme_widget_message_text")
    link = node.css_first("a.tgme_widget_message_date[href]")
    if text is None or link is None or "service_message" in (node.attributes.get("class") or ""):
        return None
    source = text.inner_html or ""
    title = _title(source)
    address = safe_url(link.attributes.get("href") or "", base_url=url)
    if not title or address is None:
        return None
    time = link.css_first("time[datetime]")
    said = (time.attributes.get("datetime") or "") if time is not None else ""
    published = read_published(said, language=None, timezone=timezone, now=now)
    words = html_to_text(source)
    summary = (
        words.removeprefix(title.removesuffix("…")).strip()
        if title.endswith("…")
        else words.removeprefix(title)
    )
    return Entry(
        title=title,
        url=address,
        guid=address,
        summary=summary.strip()[:1_000],
        content_html=clean_html(source, base_url=url),
        published=published.when,
        published_text=said,
        published_rule=published.rule,
        image=_photo(node, url),
    )


def _title(source: str) -> str:
    lines = (html_to_text(line) for line in _LINE_END.split(source))
    first = next((line for line in lines if any(map(str.isalpha, line))), "")
    if len(first) <= LONGEST_TITLE:
        return first
    sentence = _SENTENCE_END.split(first, maxsplit=1)[0]
    if len(sentence) <= LONGEST_TITLE:
        return sentence
    return first[:LONGEST_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _photo(node: LexborNode, url: str) -> str | None:
    photo = node.css_first(".tgme_widget_message_photo_wrap[style], .link_preview_image[style]")
    found = _PHOTO.search(photo.attributes.get("style") or "") if photo is not None else None
    return safe_url(found[1], base_url=url) if found is not None else None

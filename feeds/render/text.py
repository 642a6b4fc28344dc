"""Text on its way into a feed: legal in XML, unambiguous where a reader may take it for HTML.

Pure functions of strings.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

import nh3

#: What XML 1.0 §2.2 forbids (feedgen fails for the whole feed), and C1 controls: the W3C
#: validator takes them for broken windows-1252, and feedparser turns them into punctuation.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

#: Where plain text would be taken for markup by a reader that expects HTML.
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#[0-9xX]|[A-Za-z][A-Za-z0-9]*;)")
#: HTML needs these escaped (WHATWG §13.1.2): every "<", and "&" before what may be a reference.
_HTML_AMPERSAND = re.compile(r"&(?=[#A-Za-z])")

#: Characters a URI may hold (RFC 2396, as the W3C validator checks it).
_URI = re.compile(r"[0-9A-Za-z;/?:@&=+$.\-_!~*'()%,#]*")
_URI_SAFE = ";/?:@&=+$.-_!~*'()%,#"

#: Longest summary we make ourselves, in characters.
_EXCERPT = 280


def xml_text(text: str) -> str:
    """``text`` without what XML or feed readers choke on; a fixpoint.

    U+FFFD already means "a byte nobody could read"; the validator reports it, so it becomes "?".
    """
    return _ILLEGAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\ufffd", "?")


def one_line(text: str) -> str:
    """``text`` as a title: no line breaks, no doubled or outer spaces."""
    return " ".join(xml_text(text).split())


def has_markup(text: str) -> bool:
    """Whether plain ``text`` holds something a reader could take for a tag or a reference."""
    return _MARKUP.search(text) is not None


def as_html(text: str) -> str:
    """Plain text as HTML that shows it; text without "<" and "&x" stays as it is.

    ``html.unescape`` is the inverse.
    """
    return _HTML_AMPERSAND.sub("&amp;", text).replace("<", "&lt;")


def unambiguous(text: str) -> str:
    """Plain text for a place where readers disagree about HTML (an RSS title).

    Left alone unless it could be mistaken for markup: then it is escaped, so that no reader can
    make a tag of it.
    """
    return html.escape(text, quote=False) if has_markup(text) else text


def excerpt(content_html: str) -> str:
    """The first words of HTML content as plain text."""
    text = one_line(html.unescape(nh3.clean(content_html, tags=set())))
    if len(text) <= _EXCERPT:
        return text
    return text[:_EXCERPT].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


@lru_cache(maxsize=4096)  # sources and hosts repeat in every feed
def uri(url: str) -> str:
    """An address in ASCII: host by IDNA, the rest percent-encoded; an address that is already so stays.

    Feeds want URIs, not IRIs (RSS 2.0; the validator's ``UriNotIri``).
    """
    if _URI.fullmatch(url):
        return url
    parts = urlsplit(url)
    netloc = parts.netloc
    if not netloc.isascii():
        try:
            netloc = netloc.encode("idna").decode("ascii")
        except UnicodeError:
            netloc = quote(netloc, safe=_URI_SAFE)
    rest = (quote(part, safe=_URI_SAFE) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, netloc, *rest))


def tag_part(text: str) -> str:
    """``text`` as the specific part of a tag URI (RFC 4151 §2.1)."""
    return quote(text, safe=":@&=+$,;/?.-_!~*'()")


def rfc3339(when: datetime) -> str:
    """``2026-11-22T08:00:00Z``; whole seconds, as RSS has no finer ones."""
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def rfc822(when: datetime) -> str:
    """``Sun, 22 Nov 2026 08:00:00 +0000``, whatever the process's locale."""
    return format_datetime(when.astimezone(UTC))


_IMAGE_TYPES = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "avif": "image/avif",
}


def image_type(url: str) -> str:
    """Media type of a picture by its address; most pictures of news are JPEG."""
    return _IMAGE_TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), "image/jpeg")

"""The gate every text from outside passes: plain text, or HTML of a small allow-list.

Promises: plain text holds no markup, no XML-illegal and no invisible characters; HTML holds only the
tags and attributes below, no script, no handler, no address but absolute http(s) ones. Both are
idempotent. Contains no I/O.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache

import nh3
from selectolax.lexbor import LexborHTMLParser

from feeds.chars import fold_line, strip_hidden
from feeds.urls import absolute_url

#: Longer plain text is cut: nobody reads it, and quadratic tricks end here.
MAX_TEXT = 100_000
#: Longer HTML of one entry is cut before parsing.
MAX_HTML = 1_000_000
#: Deeper nesting makes HTML5 tree builders quadratic (measured: 200,000 open ``div`` take 98 s).
MAX_DEPTH = 256

_TAGS = frozenset(
    {"p", "br", "a", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote", "img", "h2", "h3", "h4"}
    | {"figure", "figcaption", "pre", "code"}
    | {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
)
_DROPPED_WITH_CONTENT = frozenset(
    {"script", "style", "template", "svg", "math", "iframe", "object", "embed", "applet", "noembed"}
    | {"noframes", "select", "textarea", "button", "title", "xmp", "plaintext", "canvas", "audio", "video"}
)
_ATTRIBUTES = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan"}),
}
_SMALL_NUMBER = re.compile(r"\d{1,4}")

# Blocks outside the allow-list become the nearest block inside it: dropping their tags would glue words.
_PARAGRAPHS = (
    "div|section|article|header|footer|main|aside|nav|address|details|summary|center|dl|dt|dd|form"
    "|fieldset|hgroup|hr"
)
_RENAMED = re.compile(rf"<(/?)(?:({_PARAGRAPHS})|(h1)|(h[56]))(?=[\s/>])", re.IGNORECASE)
# These three match HTML as nh3 writes it: lower case, double quotes, closed.
_IMAGE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_PIXEL = re.compile(r' (?:width|height)="[01]"')
_EMPTY = re.compile(r"<(p|li|h[2-4]|ul|ol|blockquote|figure|figcaption|a|b|i|em|strong)>\s*</\1>")

_CLEAN_INLINE = re.compile(r"</?(?:a|strong|em|b|i|code|img)(?: [^<>]*)?>")
_CLEAN_BLOCK = re.compile(r"<[^<>]*>")
_PRE_START = re.compile(r"<pre>\n+")  # the first line end of ``pre`` is not its content

_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"br", "img", "hr", "input", "meta", "link", "wbr", "source", "col", "area", "base", "p"})
_BLOCK_EDGE = re.compile(
    rf"</?(?:p|br|li|ul|ol|tr|td|th|table|h[1-6]|pre|blockquote|figure|figcaption|option|{_PARAGRAPHS})"
    r"(?=[\s/>])",
    re.IGNORECASE,
)
_SILENT = ["script", "style", "template", "svg", "math", "iframe", "object", "noembed", "noframes", "title"]
_HAS_SILENT = re.compile(
    r"<(?:script|style|template|svg|math|iframe|object|no(?:embed|frames)|!)", re.IGNORECASE
)
# Their content is dropped, so a tag nobody closes ("<iframe ... />") would swallow the rest.
_SWALLOWERS = (
    "iframe|object|applet|video|audio|canvas|select|textarea|button|title|noembed|noframes|svg|math|xmp"
)
_SWALLOWER = re.compile(rf"<({_SWALLOWERS})\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
# Only names HTML knows: "1 <b and c> 2" loses a tag, "<Новости>" and "a < b" are words of a title.
_INLINE_NAMES = (
    "a|abbr|acronym|b|bdi|bdo|big|blink|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|marquee|nobr|q|s|samp|small|span|strike"
    "|strong|sub|sup|time|tt|u|var|wbr"
)
_BLOCK_NAMES = (
    "applet|area|audio|base|bgsound|blockquote|body|br|button|caption|embed|figcaption|figure|frame|frameset|h[1-6]|head"
    "|html|iframe|img|input|li|link|map|meta|noscript|object|ol|option|p|param|picture|pre|script|select"
    f"|source|style|svg|table|tbody|td|template|textarea|tfoot|th|thead|tr|track|ul|video|{_PARAGRAPHS}"
)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)
# Browsers run handlers of names nobody knows, too.
_UNKNOWN_TAG = re.compile(r"<[a-z][^\s<>/]*[\s/][^<>]*=[^<>]*>", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)
# What is left ("x <y") must not open a tag where somebody forgets to escape.
_BROKEN_TAG = re.compile(
    r"</?(?:img|iframe|script|style|svg|object|embed|input|video|audio)[\s/]", re.IGNORECASE
)
_OPENING = re.compile(r"<(?=[A-Za-z/!?])")
# "&amp;amp;quot;" in one pass; the semicolon is asked for, so "?a=1&copy=2" stays.
_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MARKUP = str.maketrans("", "", "<>&")
_PASSES = 8


def clean_text(text: str) -> str:
    """``text`` as one plain line: entities resolved (also doubly escaped ones), tags gone, XML-legal.

    Idempotent. Text after unescaping that looks like a tag of HTML is a tag: feeds say
    ``&lt;b&gt;`` and mean bold far more often than they write about HTML.
    """
    line = fold_line(strip_hidden(text[:MAX_TEXT]))
    for _ in range(_PASSES):
        if "<" not in line and "&" not in line:
            return line
        before, line = line, _without_markup(line)
        if line == before:
            return line
    # Eight layers of wrapping are an attack, not a title.
    return fold_line(strip_hidden(line.translate(_MARKUP)))


def html_to_text(source: str) -> str:
    """The words a browser would show for the HTML ``source``, as one plain line; blocks are spaced."""
    source = source[:MAX_HTML]
    if "<" not in source:
        return clean_text(source)
    if is_too_deep(source):
        return clean_text(_ANY_TAG.sub(" ", source))
    return clean_text(_rendered(source))


def clean_html_to_text(cleaned: str) -> str:
    """The words of what :func:`clean_html` gave: as :func:`html_to_text`, without parsing again."""
    return clean_text(html.unescape(_CLEAN_BLOCK.sub(" ", _CLEAN_INLINE.sub("", cleaned[:MAX_HTML]))))


def clean_html(source: str, *, base_url: str) -> str:
    """``source`` reduced to the allow-list, its addresses absolute by ``base_url``; idempotent.

    Images without an address or of one pixel (trackers) and empty blocks are dropped. HTML nested
    deeper than :data:`MAX_DEPTH` comes back as one plain paragraph.
    """
    source = strip_hidden(source[:MAX_HTML])
    if is_too_deep(source):
        return f"<p>{html.escape(html_to_text(source))}</p>"
    cleaner = _cleaner(base_url)
    cleaned = _polished(cleaner.clean(_RENAMED.sub(_near_block, _unswallowed(source))))
    # What was dropped may have held apart what may not nest (headings, list items), and content
    # misplaced in a table is moved out of it each time it is read (HTML §13.2.6.1): read it again.
    for _ in range(_PASSES):
        before, cleaned = cleaned, _polished(cleaner.clean(cleaned))
        if cleaned == before:
            return cleaned
    return f"<p>{html.escape(html_to_text(cleaned))}</p>"


def safe_url(href: str, *, base_url: str = "") -> str | None:
    """``href`` as an absolute http(s) address in plain ASCII, or ``None`` for anything else."""
    return absolute_url(href, base_url=base_url)


def is_too_deep(source: str) -> bool:
    """Whether tags of ``source`` nest deeper than :data:`MAX_DEPTH`, as far as counting can tell."""
    if source.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for closing, name in _TAG_NAME.findall(source):
        if name.lower() in _VOID:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False


def _without_markup(line: str) -> str:
    line = _ENTITY.sub(lambda match: html.unescape(f"&{match.group(1)};"), line)
    if _HAS_SILENT.search(line) and not is_too_deep(line):
        line = _rendered(line)
    elif "<" in line:
        line = _BLOCK_TAG.sub(" ", _UNKNOWN_TAG.sub("", _INLINE_TAG.sub("", line)))
        if _BROKEN_TAG.search(line) and not is_too_deep(line):
            line = _rendered(line)
        line = _OPENING.sub("< ", line)
    return fold_line(strip_hidden(line))


def _rendered(source: str) -> str:
    """Text of a parsed document, a space before each block, scripts and the like left out."""
    tree = LexborHTMLParser(_BLOCK_EDGE.sub(r" \g<0>", _unswallowed(source)))
    tree.strip_tags(_SILENT)
    return tree.body.text(separator="") if tree.body is not None else ""


def _unswallowed(source: str) -> str:
    """``source`` without the openings of dropped elements that close themselves or never close."""
    if not _SWALLOWER.search(source):
        return source
    lowered = source.lower()
    closed = {name for name in _SWALLOWERS.split("|") if f"</{name}" in lowered}

    def kept(match: re.Match[str]) -> str:
        closes = match.group(1).lower() in closed and not match.group().endswith("/>")
        return match.group() if closes else " "

    return _SWALLOWER.sub(kept, source)


def _near_block(match: re.Match[str]) -> str:
    closing, paragraph, top_heading, _ = match.groups()
    if paragraph:
        return f"<{closing}p"
    return f"<{closing}h2" if top_heading else f"<{closing}h4"


@lru_cache(maxsize=64)
def _cleaner(base_url: str) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute_filter(base_url),
        # Relative addresses must reach the filter, so only it knows the schemes.
        url_schemes={"http", "https"},
        link_rel=None,
    )


def _attribute_filter(base_url: str) -> Callable[[str, str, str], str | None]:
    def filtered(_tag: str, attribute: str, value: str) -> str | None:
        if attribute in {"href", "src"}:
            return absolute_url(value, base_url=base_url)
        if attribute == "alt":
            return fold_line(value)
        return value if _SMALL_NUMBER.fullmatch(value) else None

    return filtered


def _polished(cleaned: str) -> str:
    """Without images that show nothing, then without blocks that hold nothing."""
    if "<img" in cleaned:
        cleaned = _IMAGE.sub(lambda match: match.group() if _is_shown(match.group(1)) else "", cleaned)
    for _ in range(_PASSES):
        before, cleaned = cleaned, _EMPTY.sub("", cleaned)
        if cleaned == before:
            break
    return _PRE_START.sub("<pre>", cleaned).strip()


def _is_shown(attributes: str) -> bool:
    return ' src="http' in attributes and not _PIXEL.search(attributes)

"""Lists read by the CSS selectors a person wrote, for pages that resist detection. Contains no I/O.

Only what a selector names is taken from it; fields without a selector are found as on any page.
"""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from feeds.clean import clean_text, safe_url
from feeds.dates import judge_published, parse_date
from feeds.errors import ParseError
from feeds.listpage.moments import DateReader
from feeds.model import Entry, EntryList, Selectors

_DATE_ATTRIBUTES = ("datetime", "content", "data-date", "data-time", "data-timestamp", "title")
_IMAGE_ATTRIBUTES = ("data-src", "data-original", "data-lazy-src", "src", "content", "href")


def read_chosen(
    parser: LexborHTMLParser, selectors: Selectors, *, url: str, base: str, reader: DateReader
) -> EntryList:
    """The items ``selectors.item`` finds; :class:`ParseError` names a selector that is wrong or finds nothing."""
    items = _select(parser, selectors.item, "item", url)
    if not items:
        raise ParseError("selector-empty", url, f"selector item={selectors.item!r} finds nothing on the page")
    entries = {
        entry.url or entry.title: entry
        for item in items
        if (entry := _entry(item, selectors, url, base, reader)) is not None
    }
    if not entries:
        wanted = selectors.title or selectors.link or "a link"
        raise ParseError("selector-empty", url, f"{len(items)} items found, but none with {wanted!r} in it")
    return EntryList(entries=tuple(entries.values()))


def _select(parser: LexborHTMLParser | LexborNode, selector: str, name: str, url: str) -> list[LexborNode]:
    try:
        return parser.css(selector)
    except (SelectolaxError, ValueError) as error:
        raise ParseError(
            "selector-invalid", url, f"selector {name}={selector!r} is no valid CSS: {error}"
        ) from error


def _first(item: LexborNode, selector: str, name: str, url: str) -> LexborNode | None:
    found = _select(item, selector, name, url) if selector else []
    return found[0] if found else None


def _entry(item: LexborNode, selectors: Selectors, url: str, base: str, reader: DateReader) -> Entry | None:
    link = _first(item, selectors.link, "link", url) or _own_link(
        item, _first(item, selectors.title, "title", url)
    )
    title = _first(item, selectors.title, "title", url) or link
    text = clean_text(title.text(separator=" ")) if title is not None else ""
    href = (link.attributes.get("href") or "") if link is not None else ""
    if not text:
        return None
    said = _date_text(_first(item, selectors.date, "date", url), item)
    found = (
        parse_date(
            said, language=reader.language, timezone=reader.timezone, now=reader.now, order=reader.order
        )
        if said
        else None
    )
    published = judge_published(found, now=reader.now)
    summary = _first(item, selectors.summary, "summary", url)
    image = _first(item, selectors.image or "img", "image", url)
    return Entry(
        title=text,
        url=safe_url(href, base_url=base) if href else None,
        summary=clean_text(summary.text(separator=" ")) if summary is not None else "",
        published=published.when,
        published_text=clean_text(said),
        published_rule=published.rule if said else "",
        image=_attribute_url(image, base),
    )


def _own_link(item: LexborNode, title: LexborNode | None) -> LexborNode | None:
    """The link of the title, round it, in it, or else the item's first."""
    if title is not None:
        inner = title if title.tag == "a" else title.css_first("a[href]")
        if inner is not None:
            return inner
        holder = title.parent
        while holder is not None and holder.mem_id != item.mem_id:
            if holder.tag == "a":
                return holder
            holder = holder.parent
    return item if item.tag == "a" else item.css_first("a[href]")


def _date_text(node: LexborNode | None, item: LexborNode) -> str:
    node = node if node is not None else item.css_first("time")
    if node is None:
        return ""
    return next((value for value in _values(node, _DATE_ATTRIBUTES)), "") or node.text(separator=" ").strip()


def _values(node: LexborNode, names: tuple[str, ...]) -> Iterator[str]:
    attributes = node.attributes
    return (value for name in names if (value := attributes.get(name)))


def _attribute_url(node: LexborNode | None, base: str) -> str | None:
    if node is None:
        return None
    found = (
        safe_url(value, base_url=base) for value in _values(node, _IMAGE_ATTRIBUTES) if value[:5] != "data:"
    )
    return next((address for address in found if address), None)

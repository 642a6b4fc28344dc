"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/). Contains no I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from feeds.model import UNDETERMINED, Item
from feeds.networks import Networks
from feeds.render.model import FeedFormat, FeedInfo, categories_of, regions_of, visible
from feeds.render.text import image_type, one_line, rfc3339, uri, xml_text


def render_json(info: FeedInfo, items: Sequence[Item], networks: Networks) -> bytes:
    """The feed as JSON Feed 1.1, newest entry first if ``items`` are."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": one_line(info.title),
        "home_page_url": uri(info.page),
        "feed_url": uri(info.addresses[FeedFormat.JSON]),
        "description": one_line(info.description),
        "language": info.language or info.label_language,
        "authors": [{"name": one_line(info.publisher), "url": uri(info.publisher_url)}],
        "hubs": [{"type": "WebSub", "url": hub} for hub in info.hubs],
        "_vestnik": {"id": info.id, "scope": info.scope},
        "items": [_item(item, info, networks) for item in visible(items)],
    }
    kept = {key: value for key, value in feed.items() if value or key == "items"}
    return json.dumps(kept, ensure_ascii=False, indent=1).encode()


def _item(item: Item, info: FeedInfo, networks: Networks) -> dict[str, Any]:
    summary, content = xml_text(item.summary), xml_text(item.content_html)
    title = one_line(item.title)
    entry: dict[str, Any] = {
        "id": info.entry_id(item.id),
        "url": uri(item.url or info.page_of(item)),
        "title": title,
        "content_html": content,
        # One of the two must be there (JSON Feed 1.1 "items").
        "content_text": "" if content else summary or title or one_line(item.source_title),
        "summary": summary,
        "image": uri(item.image) if item.image else "",
        "date_published": rfc3339(item.published),
        "date_modified": rfc3339(item.updated),
        "authors": [{"name": one_line(item.author or item.source_title) or item.source_url}],
        "tags": [each.label for each in categories_of(item, info, networks)],
        "language": "" if item.language == UNDETERMINED else item.language,
        "attachments": [{"url": uri(item.image), "mime_type": image_type(item.image)}] if item.image else [],
        "_vestnik": _extras(item, info, networks),
    }
    return {key: value for key, value in entry.items() if value}


def _extras(item: Item, info: FeedInfo, networks: Networks) -> dict[str, Any]:
    words = info.label_language
    return {
        "page": uri(info.page_of(item)),
        "networks": list(item.networks),
        "regions": [
            {"code": r.code, "name": r.name(words), "latitude": r.latitude, "longitude": r.longitude}
            for r in regions_of(item, networks)
        ],
        "source": {
            "id": item.source_id,
            "title": one_line(item.source_title) or item.source_url,
            "url": uri(item.source_url),
        },
    }

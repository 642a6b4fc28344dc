"""Rendering of published feeds: RSS 2.0, Atom, JSON Feed 1.1 and OPML, from items to bytes.

The same items always give the same bytes: nothing here looks at a clock. Contains no I/O.
"""

from feeds.render.generator import render_atom, render_rss
from feeds.render.jsonfeed import render_json
from feeds.render.model import MEDIA_TYPES, FeedFormat, FeedInfo, FeedTranslation, Outline, feed_updated
from feeds.render.opml import render_opml

RENDERERS = {FeedFormat.RSS: render_rss, FeedFormat.ATOM: render_atom, FeedFormat.JSON: render_json}

__all__ = [
    "MEDIA_TYPES",
    "RENDERERS",
    "FeedFormat",
    "FeedInfo",
    "FeedTranslation",
    "Outline",
    "feed_updated",
    "render_atom",
    "render_json",
    "render_opml",
    "render_rss",
]

"""A simulated Telegram chat in the browser, fed by the demo's Bot API server."""

from .pages import add_chat

__all__ = ["add_chat"]

"""Logs are events: constant names, the same keys everywhere, on standard error, no secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

#: ``123456:AA...`` as in Bot API addresses; libraries like to log those.
_TOKEN = re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{20,}")
#: Libraries that tell more than anybody wants to know.
_CHATTY = (
    "apscheduler",
    "httpx",
    "httpcore",
    "aiosqlite",
    "asyncio",
    "uvicorn",
    "telegram",
    "alembic",
)


def set_up_logs(level: str = "info", style: Literal["auto", "console", "json"] = "auto") -> None:
    """Send every log line, ours and the libraries', to standard error in one form."""
    use_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_tokens,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _hide_tokens,
                structlog.processors.JSONRenderer(ensure_ascii=False)
                if use_json
                else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _hide_tokens(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and ":" in value:
            event[key] = _TOKEN.sub("<token>", value)
    return event

"""The published face: feeds, pages, health and metrics over HTTP. Decides nothing about news."""

from vestnik.web.app import build_web
from vestnik.web.deps import WebDeps

__all__ = ["WebDeps", "build_web"]

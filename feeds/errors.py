"""Errors of the news floor, one tree; each names its subject and whether another try may help.

::

    FeedsError
    ├── FetchError        the bytes did not come (reason, url, retryable)
    │   └── AddressRefused  the guard refused an address
    └── ParseError        the bytes came, but are no feed and no page we can read

Expected outcomes of a fetch (not modified, gone, throttled) are values, not errors.
"""

from __future__ import annotations


class FeedsError(Exception):
    """Root of all errors of this floor. ``reason`` is a constant word, ``detail`` is for people."""

    def __init__(self, reason: str, subject: str, detail: str) -> None:
        super().__init__(f"{subject}: {detail}")
        self.reason = reason
        self.subject = subject
        self.detail = detail

    def __reduce__(self) -> tuple[type[FeedsError], tuple[str, str, str]]:
        """Survive the way between processes: by default only the whole sentence would be handed over."""
        return type(self), (self.reason, self.subject, self.detail)


class FetchError(FeedsError):
    """No usable answer came from ``subject`` (a URL)."""


class AddressRefused(FetchError):
    """The address guard refused to connect (private, loopback, wrong port, wrong scheme)."""


class ParseError(FeedsError):
    """``subject`` (a URL) answered, but the body is neither a feed nor a list page we can read."""

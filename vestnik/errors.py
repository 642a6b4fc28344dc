"""What a command can end with, in words for the person at the keyboard."""

from __future__ import annotations


class Failed(Exception):
    """Something did not work. Exit code 1."""


class BadSetup(Failed):
    """Something is configured wrongly. Exit code 2."""

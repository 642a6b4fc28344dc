"""The news itself: fetching, parsing, classifying, rendering.

This floor knows nobody: no storage, no Telegram, no settings.
"""

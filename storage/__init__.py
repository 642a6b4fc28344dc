"""What we remember: tables, queries named by intent, migrations, outbox.

This floor knows only the vocabulary of :mod:`feeds.model`; no HTTP, no parsing, no Telegram.
"""

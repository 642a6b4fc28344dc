"""Telegram: commands, messages, delivery and its pace.

This floor knows storage and the vocabulary of feeds; it does not know how news is collected.
"""

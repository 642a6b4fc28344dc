"""The tables. Nothing outside ``storage`` sees them; queries return frozen values instead.

Every table and column carries the word the rest of the program uses for the thing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.types import UtcDateTime

#: SQLite numbers rows itself only for INTEGER; PostgreSQL wants BIGINT for keys that grow.
BigKey = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Root of all tables, with names for constraints so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), str: Text(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012


class SourceRow(Base):
    """A source: what is configured, and what we know from polling it."""

    __tablename__ = "sources"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    language: Mapped[str | None]
    network: Mapped[str | None]
    region: Mapped[str | None]
    timezone: Mapped[str]
    interval_seconds: Mapped[int | None]
    enabled: Mapped[bool]
    #: An admin's pause; outlives restarts and edits of config.yaml.
    paused: Mapped[bool] = mapped_column(default=False)
    sections: Mapped[dict[str, Any]]
    selectors: Mapped[dict[str, Any]]
    #: ``config`` (declared in config.yaml) or ``admin`` (added at run time, lives here only).
    origin: Mapped[str]
    #: Set when a configured source left config.yaml: not polled, its items stay.
    removed_at: Mapped[datetime | None]

    # What polling taught us.
    state: Mapped[str] = mapped_column(default="new")
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    body_hash: Mapped[str | None]
    #: The address the validators belong to; another address starts without them.
    validators_url: Mapped[str | None]
    document_kind: Mapped[str | None]
    #: What its answers taught us besides (rhythm, hints, redirects), as feeds.memory writes it.
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failures: Mapped[int] = mapped_column(default=0)
    last_poll_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(default="")
    last_error_reason: Mapped[str] = mapped_column(default="")
    next_poll_at: Mapped[datetime]
    next_poll_reason: Mapped[str] = mapped_column(default="")
    first_poll_at: Mapped[datetime | None]
    #: When the first readable answer was stored; what stood there already is not news.
    first_success_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_sources_due", "enabled", "next_poll_at"),)


class PollRow(Base):
    """One poll of a source, for its health card."""

    __tablename__ = "polls"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    #: ``fetched``, ``not-modified``, ``unchanged``, ``gone``, ``throttled``, ``failed``.
    outcome: Mapped[str]
    status: Mapped[int | None]
    bytes: Mapped[int]
    milliseconds: Mapped[int]
    new: Mapped[int]
    changed: Mapped[int]
    detail: Mapped[str]

    __table_args__ = (Index("ix_polls_source", "source_id", "id"),)


class HostRow(Base):
    """A host that asked us to wait; obeyed across restarts."""

    __tablename__ = "hosts"

    host: Mapped[str] = mapped_column(primary_key=True)
    not_before: Mapped[datetime]
    reason: Mapped[str]


class StoryRow(Base):
    """Items that tell the same news."""

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    created_at: Mapped[datetime]


class ItemRow(Base):
    """One piece of news in one language."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), index=True)
    url: Mapped[str | None]
    #: Folded form of ``url``, for finding an item by any spelling of its address.
    canonical_url: Mapped[str | None] = mapped_column(index=True)
    title: Mapped[str]
    summary: Mapped[str]
    content_html: Mapped[str]
    image: Mapped[str | None]
    author: Mapped[str]
    language: Mapped[str]
    published: Mapped[datetime]
    updated: Mapped[datetime]
    first_seen: Mapped[datetime]
    has_date: Mapped[bool]
    published_text: Mapped[str]
    published_rule: Mapped[str]
    section: Mapped[str]
    fingerprint: Mapped[str]
    confidence: Mapped[float]
    #: Why it is labelled so: list of {code, words, where, weight, rule}.
    evidence: Mapped[list[Any]]
    withdrawn: Mapped[bool] = mapped_column(default=False)
    #: The revision of its last change.
    revision: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_items_published", "published", "id"),)


class ItemKeyRow(Base):
    """Every key an item of a source was ever known by. Outlives the item (tombstone)."""

    __tablename__ = "item_keys"

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    #: Empty for a tombstone: known, deleted, must not come back.
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id", ondelete="SET NULL"), index=True)


class ItemLabelRow(Base):
    """A network or region of an item: role ``network``, ``about`` or ``mention``."""

    __tablename__ = "item_labels"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    #: Heaviest first.
    position: Mapped[int]


class ItemScopeRow(Base):
    """Where an item is filed: feeds, pages and fan-out all read this one table.

    ``language`` and ``published`` are copies that make the two indexes cover a feed's query.
    """

    __tablename__ = "item_scopes"

    scope: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str]
    published: Mapped[datetime]

    __table_args__ = (
        Index("ix_item_scopes_newest", "scope", "published", "item_id"),
        Index("ix_item_scopes_newest_in_language", "scope", "language", "published", "item_id"),
        Index("ix_item_scopes_item", "item_id"),
    )


class ScopeRevisionRow(Base):
    """When what stands in a scope last changed: something came, changed or left.

    Feed caches and other processes follow it.
    """

    __tablename__ = "scope_revisions"

    scope: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, index=True)


class SubscriberRow(Base):
    """A chat, or a topic of a chat, that reads us in Telegram."""

    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    #: 0 where the chat has no topics, or for its general topic.
    thread_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    title: Mapped[str]
    language: Mapped[str]
    timezone: Mapped[str]
    #: ``active`` or ``paused``.
    state: Mapped[str]
    paused_reason: Mapped[str]
    paused_at: Mapped[datetime | None]
    #: Telegram asked this chat to wait (429); obeyed across restarts.
    not_before: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("chat_id", "thread_id", name="uq_subscribers_chat"),
        # The few that Telegram ever asked to wait.
        Index(
            "ix_subscribers_held",
            "not_before",
            sqlite_where=text("not_before IS NOT NULL"),
            postgresql_where=text("not_before IS NOT NULL"),
        ),
    )


class SubscriptionRow(Base):
    """A subscriber follows a scope."""

    __tablename__ = "subscriptions"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    scope: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_subscriptions_scope", "scope", "subscriber_id"),)


class OutboxRow(Base):
    """One story for one subscriber: ``queued -> sending -> sent | unknown | failed | skipped``."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), index=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    state: Mapped[str]
    due_at: Mapped[datetime]
    #: Attempts whose request may have left us; written before the request.
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    #: Sent once with unknown outcome before, so the next copy is marked as a possible repeat.
    possible_repeat: Mapped[bool] = mapped_column(default=False)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("story_id", "subscriber_id", name="uq_outbox_story"),
        # The sender reads only what is open; finished rows, soon the most, stay out of this index.
        Index(
            "ix_outbox_open",
            "subscriber_id",
            "id",
            sqlite_where=text("state IN ('queued', 'sending')"),
            postgresql_where=text("state IN ('queued', 'sending')"),
        ),
        Index("ix_outbox_state", "state", "due_at", "id"),
        # Finds the row of a message, and all rows of a subscriber who leaves.
        Index("ix_outbox_message", "subscriber_id", "message_id"),
    )


class InboxRow(Base):
    """An update from Telegram that is confirmed there and not yet handled here."""

    __tablename__ = "inbox"

    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class LeaseRow(Base):
    """Who may do what only one process may do at a time."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until: Mapped[datetime]


class StateRow(Base):
    """Small facts of the whole program: the item revision, Telegram's update offset."""

    __tablename__ = "state"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]

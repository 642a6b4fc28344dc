"""What Vestnik counts, under one registry; labels are bounded (outcomes, states, reasons)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21600, 86400)


class Metrics:
    """All metrics, made once per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.polls = Counter(
            "vestnik_polls", "Polls of sources, by outcome", ["outcome"], registry=self.registry
        )
        self.poll_seconds = Histogram(
            "vestnik_poll_seconds", "Time of one poll, fetch to commit", registry=self.registry
        )
        self.items = Counter(
            "vestnik_items", "Items stored, by what was new", ["change"], registry=self.registry
        )
        self.queued = Counter("vestnik_outbox_queued", "Outbox rows made", registry=self.registry)
        self.outbox = Gauge("vestnik_outbox_rows", "Outbox rows, by state", ["state"], registry=self.registry)
        self.sources = Gauge("vestnik_sources", "Sources, by state", ["state"], registry=self.registry)
        self.floods = Gauge("vestnik_telegram_floods", "Answers 429 since the start", registry=self.registry)
        self.unknown = Gauge(
            "vestnik_telegram_unknown_outcomes",
            "Sends with unknown outcome since the start",
            registry=self.registry,
        )
        self.lag = Histogram(
            "vestnik_store_lag_seconds",
            "From an item's publication to its storing, for items with a time",
            buckets=_SECONDS,
            registry=self.registry,
        )

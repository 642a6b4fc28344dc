"""What the parsing workers start from; imported first in their fork server.

The one module with an effect at import: service managers send SIGTERM to every process of the
service, and a fork server that dies of it takes the documents under way with it. The service itself
ends the workers, and they end by themselves when it dies.
"""

from __future__ import annotations

import signal

import feeds.parse  # noqa: F401 - read once here, shared by all workers

signal.signal(signal.SIGTERM, signal.SIG_IGN)

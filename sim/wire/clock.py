"""The clock of a server on sockets: the machine's, or one that moves when it is told to."""

from __future__ import annotations

import time

EPOCH_MS = 1_700_000_000_000
"""What a virtual clock shows at first, in ms since the epoch."""


class RealClock:
    """The machine's clock."""

    is_virtual = False

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class VirtualClock(RealClock):
    """A clock that stands still until it is set."""

    is_virtual = True

    def __init__(self, now_ms: int = EPOCH_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """What it was set to."""
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Shows this time from now on; a clock may be set back."""
        self._now_ms = now_ms

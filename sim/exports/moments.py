"""Microseconds for events: what happens in one millisecond keeps its order."""

from __future__ import annotations

from ..history import History

LAST_US = 999


def moments_us(history: History) -> list[int]:
    """For each event, a time that does not go back and differs from that of the one before, as far as a ms has room."""
    out: list[int] = []
    rank, last_ms = 0, -1
    for event in history:
        rank = rank + 1 if event.at_ms == last_ms else 0
        last_ms = event.at_ms
        out.append(event.at_ms * 1000 + min(rank, LAST_US))
    return out

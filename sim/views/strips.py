"""How much of a stream is pending in a group, and how much has not come to it yet, over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .picture import Levels, Row, Sign, State

_PENDING = (State.PENDING, State.ORPHANED, State.DANGLING)
_ENDS = (Sign.ACKED, Sign.GIVEN, Sign.TRIMMED, Sign.DELETED, Sign.LOST, Sign.FORGOTTEN, Sign.SKIPPED, Sign.DELIVERED)


def levels(rows: Iterable[Row], end_ms: int) -> Levels:
    """The two numbers, each as (from this time on, how many); what lasted for no time at all is not in them."""
    pending: Counter[int] = Counter()
    lag: Counter[int] = Counter()
    for row in rows:
        for segment in row.segments:
            changes = pending if segment.state in _PENDING else lag if segment.state is State.WAITING else None
            if changes is not None:
                changes[segment.begin_ms] += len(row.names)
                if segment.end_ms < end_ms or any(m.sign in _ENDS and m.at_ms == end_ms for m in row.marks):
                    changes[segment.end_ms] -= len(row.names)
    return Levels(_steps(pending), _steps(lag))


def _steps(changes: Counter[int]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    number = 0
    for at_ms in sorted(changes):
        number += changes[at_ms]
        if not out or out[-1][1] != number:
            out.append((at_ms, number))
    return tuple(out)

"""The scheduler: one heap of ``(time, priority, serial, event)``, which is a total order.

Unlike most schedulers this one does not pop what is due: it shows every event of the earliest time,
and the world takes any one of them, because which comes first is a decision of the tape.
"""

from __future__ import annotations

from bisect import insort
from typing import Generic, NamedTuple, TypeVar

E = TypeVar("E")


class Scheduled(NamedTuple, Generic[E]):
    """An event with its place in the order. ``serial`` is unique, so no two compare equal."""

    at_ms: int
    priority: int
    serial: int
    event: E


class Kernel(Generic[E]):
    """Events to come. Sorted rather than heaped: there are few, and any due one may be taken."""

    __slots__ = ("_queue", "_serial")

    def __init__(self) -> None:
        self._queue: list[Scheduled[E]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._queue)

    def fork(self) -> Kernel[E]:
        """An independent scheduler with the same events."""
        twin: Kernel[E] = Kernel()
        twin._queue = self._queue.copy()
        twin._serial = self._serial
        return twin

    def schedule(self, at_ms: int, event: E, priority: int = 0) -> None:
        """Adds an event; among equals in time and priority the one that was added first comes first."""
        self._serial += 1
        # Scheduled(...), without the detour by which a named tuple is made: that takes as long as the rest together.
        insort(self._queue, tuple.__new__(Scheduled, (at_ms, priority, self._serial, event)))

    def due(self) -> list[Scheduled[E]]:
        """Every event of the earliest time, in order."""
        queue = self._queue
        if not queue:
            return []
        first = queue[0].at_ms
        end = 1
        while end < len(queue) and queue[end].at_ms == first:
            end += 1
        return queue[:end]

    def take(self, scheduled: Scheduled[E]) -> E:
        """Removes an event and returns it."""
        serial = scheduled.serial
        for i, item in enumerate(self._queue):
            if item.serial == serial:
                del self._queue[i]
                return item.event
        raise KeyError(scheduled)

    def drop(self, unwanted: set[int]) -> None:
        """Removes events by serial."""
        self._queue = [item for item in self._queue if item.serial not in unwanted]

    def pending(self) -> list[Scheduled[E]]:
        """All events, in order."""
        return self._queue.copy()

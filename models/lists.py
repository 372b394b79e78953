"""A list: the queue that streams are compared with. Its key goes when its last element does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

LEFT = "left"
RIGHT = "right"

Side: TypeAlias = str
"""``LEFT`` is the head, ``RIGHT`` the tail."""


class List:
    """The value of a list key."""

    __slots__ = ("born", "items", "shared")

    def __init__(self, born: int, items: Iterable[bytes] = ()) -> None:
        self.born = born
        """Which incarnation of the key this is."""
        self.items: deque[bytes] = deque(items)
        self.shared = False

    def copy(self, born: int | None = None) -> List:
        """An independent list with the same elements; ``born`` makes it a new incarnation."""
        return List(self.born if born is None else born, self.items)

    def push(self, side: Side, element: bytes) -> None:
        """Adds an element at one end."""
        if side == LEFT:
            self.items.appendleft(element)
        else:
            self.items.append(element)

    def pop(self, side: Side) -> bytes:
        """Takes an element from one end; there is one."""
        return self.items.popleft() if side == LEFT else self.items.pop()

    def slice(self, start: int, end: int) -> tuple[bytes, ...]:
        """The elements from ``start`` to ``end``, both included; negative ones count from the tail."""
        first, last = self.bounds(start, end)
        if first > last:
            return ()
        return tuple([self.items[at] for at in range(first, last + 1)])

    def bounds(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last index of a range; where the first is larger, the range is empty."""
        size = len(self.items)
        if start < 0:
            start = max(start + size, 0)
        if end < 0:
            end += size
        return start, min(end, size - 1)

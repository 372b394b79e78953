"""A node of a stream: the entries of one listpack."""

from __future__ import annotations

from typing import TypeAlias

from .ids import PART_MAX, signed64
from .listpack import EMPTY_BYTES, size_of_bytes, size_of_int

Fields: TypeAlias = tuple[bytes, ...]
"""Names and values in turn; names may repeat, and keep their order."""


class Node:
    """One listpack: slots in the order of adding, a deleted entry keeping its slot until the node goes."""

    __slots__ = ("_bytes", "ids", "live", "master_fields", "shared", "slots")

    def __init__(self, entry_id: int, fields: Fields) -> None:
        names = fields[::2]
        self.ids: list[int] = []
        self.slots: list[Fields | None] = []
        self.live = 0
        self.master_fields = names
        self.shared = False
        self._bytes = EMPTY_BYTES + size_of_int(len(names)) + size_of_int(0)
        for name in names:
            self._bytes += size_of_bytes(name)
        self.append(entry_id, fields)

    def copy(self) -> Node:
        """An independent node with the same slots."""
        twin = Node.__new__(Node)
        twin.ids = self.ids.copy()
        twin.slots = self.slots.copy()
        twin.live = self.live
        twin.master_fields = self.master_fields
        twin.shared = False
        twin._bytes = self._bytes
        return twin

    @property
    def size_bytes(self) -> int:
        """What the listpack takes, to the byte."""
        return self._bytes + size_of_int(self.live) + size_of_int(len(self.ids) - self.live)

    def append(self, entry_id: int, fields: Fields) -> None:
        """Adds a slot at the end; where the names are those of the first entry, only values are stored."""
        count = len(fields) // 2
        master = self.ids[0] if self.ids else entry_id
        self._bytes += (
            size_of_int(0)
            + size_of_int(signed64((entry_id >> 64) - (master >> 64)))
            + size_of_int(signed64((entry_id & PART_MAX) - (master & PART_MAX)))
        )
        if fields[::2] == self.master_fields:
            for value in fields[1::2]:
                self._bytes += size_of_bytes(value)
            self._bytes += size_of_int(count + 3)
        else:
            self._bytes += size_of_int(count)
            for text in fields:
                self._bytes += size_of_bytes(text)
            self._bytes += size_of_int(2 * count + 4)
        self.ids.append(entry_id)
        self.slots.append(fields)
        self.live += 1

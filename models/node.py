"""A node of a stream: the entries of one listpack."""

from __future__ import annotations

from typing import Final, TypeAlias

from .ids import PART_MAX, signed64
from .listpack import EMPTY_BYTES, INT_BYTES_MAX, size_of_bytes, size_of_int

Fields: TypeAlias = tuple[bytes, ...]
"""Names and values in turn; names may repeat, and keep their order."""

SHORT_BYTES: Final = 64
"""A string of less takes two bytes more than its text, or, where it is a number, no more than that."""

SOON: Final = (2**31 - 1) << 64
"""An entry that is no further from the first one of its node holds the difference in few bytes."""

SHORT_SLOT_BYTES_MAX: Final = size_of_int(0) + size_of_int(2**31 - 1) + INT_BYTES_MAX + 2 * size_of_int(127)
"""What an entry that is short, and soon, takes at most beside its strings: flags, the parts of its ID, two counts."""


class Node:
    """One listpack: slots in the order of adding, a deleted entry keeping its slot until the node goes.

    ``master_fields`` are the names of the first entry, which other entries with the same names do not store.
    """

    __slots__ = ("_bytes", "_measured", "_unmeasured_max", "ids", "live", "master_fields", "shared", "slots")

    def __init__(self, master_fields: Fields) -> None:
        self.ids: list[int] = []
        self.slots: list[Fields | None] = []
        self.live = 0
        self.master_fields = master_fields
        self.shared = False
        self._bytes = EMPTY_BYTES + size_of_int(len(master_fields)) + size_of_int(0)
        """The size of the master entry and of the first ``_measured`` slots."""
        for name in master_fields:
            self._bytes += size_of_bytes(name)
        self._measured = 0
        self._unmeasured_max = 0
        """What the other slots take at most: measuring is put off until it can matter."""

    def copy(self) -> Node:
        """An independent node with the same slots."""
        twin = Node(self.master_fields)
        twin.ids = self.ids.copy()
        twin.slots = self.slots.copy()
        twin.live = self.live
        twin._bytes = self._bytes
        twin._measured = self._measured
        twin._unmeasured_max = self._unmeasured_max
        return twin

    @property
    def size_bytes(self) -> int:
        """What the listpack takes, to the byte."""
        self.measure()
        return self._bytes + size_of_int(self.live) + size_of_int(len(self.ids) - self.live)

    def has_room(self, more_bytes: int, limit: int) -> bool:
        """Whether the listpack stays below ``limit`` with ``more_bytes`` of names and values."""
        if self._bytes + self._unmeasured_max + 2 * INT_BYTES_MAX + more_bytes < limit:
            return True
        return self.size_bytes + more_bytes < limit

    def append(self, entry_id: int, fields: Fields, text_bytes: int) -> None:
        """Adds a slot at the end; ``text_bytes`` is how long its names and values are together."""
        count = len(fields)
        ids = self.ids
        if text_bytes < SHORT_BYTES and count <= SHORT_BYTES and ids and 0 <= entry_id - ids[0] < SOON:
            self._unmeasured_max += text_bytes + 2 * count + SHORT_SLOT_BYTES_MAX
        else:
            self._unmeasured_max += text_bytes + INT_BYTES_MAX * (count + 5)
        ids.append(entry_id)
        self.slots.append(fields)
        self.live += 1

    def bury(self, slot: int) -> None:
        """Makes a live slot a tombstone, which takes as much room as the entry did."""
        assert self.slots[slot] is not None
        self.measure()
        self.slots[slot] = None
        self.live -= 1

    def measure(self) -> None:
        """Adds the slots that were not measured yet to the size."""
        for slot in range(self._measured, len(self.slots)):
            fields = self.slots[slot]
            assert fields is not None, "a slot is measured before it becomes a tombstone"
            self._bytes += self._slot_bytes(self.ids[slot], fields)
        self._measured = len(self.slots)
        self._unmeasured_max = 0

    def _slot_bytes(self, entry_id: int, fields: Fields) -> int:
        """What an entry takes; where its names are those of the first one, only values are stored."""
        count = len(fields) // 2
        master = self.ids[0]
        size = (
            size_of_int(0)
            + size_of_int(signed64((entry_id >> 64) - (master >> 64)))
            + size_of_int(signed64((entry_id & PART_MAX) - (master & PART_MAX)))
        )
        if fields[::2] == self.master_fields:
            return size + sum(map(size_of_bytes, fields[1::2])) + size_of_int(count + 3)
        return size + size_of_int(count) + sum(map(size_of_bytes, fields)) + size_of_int(2 * count + 4)

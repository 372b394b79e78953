"""A stream: entries in nodes, the counters that Redis stores, and its groups."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TypeAlias

from .group import Group
from .ids import PART_MAX, signed64
from .listpack import EMPTY_BYTES, size_of_bytes, size_of_int

Fields: TypeAlias = tuple[bytes, ...]
"""Names and values in turn; names may repeat, and keep their order."""

NODE_BYTES_LIMIT = 1 << 30
"""No node, and no entry, may be larger (STREAM_LISTPACK_MAX_SIZE)."""


class Node:
    """One listpack: slots in ID order, a deleted entry keeping its slot until the node goes."""

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
            + size_of_int((entry_id >> 64) - (master >> 64))
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


class Stream:
    """The value of a stream key. Removing the last entry leaves it there, empty."""

    __slots__ = (
        "_firsts", "born", "entries_added", "groups", "last_id", "length", "max_deleted_id", "nodes",
        "shared",
    )  # fmt: skip

    def __init__(self, born: int) -> None:
        self.born = born
        """Which incarnation of the key this is."""
        self.nodes: list[Node] = []
        self._firsts: list[int] = []
        self.length = 0
        self.last_id = 0
        self.max_deleted_id = 0
        self.entries_added = 0
        self.groups: dict[bytes, Group] = {}
        self.shared = False

    def copy(self, born: int | None = None) -> Stream:
        """An independent stream with the same content; ``born`` makes it a new incarnation."""
        twin = Stream(self.born if born is None else born)
        for node in self.nodes:
            node.shared = True
        for group in self.groups.values():
            group.shared = True
        twin.nodes = self.nodes.copy()
        twin._firsts = self._firsts.copy()
        twin.length = self.length
        twin.last_id = self.last_id
        twin.max_deleted_id = self.max_deleted_id
        twin.entries_added = self.entries_added
        twin.groups = self.groups.copy()
        return twin

    def append(self, entry_id: int, fields: Fields, node_bytes_max: int, node_entries_max: int) -> None:
        """Adds an entry at the end (streamAppendItem). The caller has checked the ID."""
        assert entry_id > self.last_id
        self.last_id = entry_id
        self.length += 1
        self.entries_added += 1
        if self.nodes:
            node = self.nodes[-1]
            limit = node_bytes_max if 0 < node_bytes_max <= NODE_BYTES_LIMIT else NODE_BYTES_LIMIT
            full = node_entries_max and len(node.ids) >= node_entries_max
            if not full and node.size_bytes + sum(map(len, fields)) < limit:
                self._own(len(self.nodes) - 1).append(entry_id, fields)
                return
        self.nodes.append(Node(entry_id, fields))
        self._firsts.append(entry_id)

    def get(self, entry_id: int) -> Fields | None:
        """The fields of a live entry, or ``None``."""
        at = bisect_right(self._firsts, entry_id) - 1
        if at < 0:
            return None
        node = self.nodes[at]
        i = bisect_left(node.ids, entry_id)
        return node.slots[i] if i < len(node.ids) and node.ids[i] == entry_id else None

    def remove(self, entry_id: int) -> bool:
        """Takes one entry out, leaving a tombstone in its node; whether it was there."""
        at = bisect_right(self._firsts, entry_id) - 1
        if at < 0:
            return False
        node = self.nodes[at]
        i = bisect_left(node.ids, entry_id)
        if i == len(node.ids) or node.ids[i] != entry_id or node.slots[i] is None:
            return False
        self.length -= 1
        if node.live == 1:
            self.drop_node(at)
        else:
            node = self._own(at)
            node.slots[i] = None
            node.live -= 1
        return True

    def bury(self, at: int, slot: int) -> None:
        """Makes one live slot of node ``at`` a tombstone, keeping the node even where none is left."""
        node = self._own(at)
        assert node.slots[slot] is not None
        node.slots[slot] = None
        node.live -= 1
        self.length -= 1

    def drop_node(self, at: int) -> None:
        """Removes a whole node; the caller keeps ``length`` in step."""
        del self.nodes[at], self._firsts[at]

    def first_id(self) -> int:
        """The smallest live ID, 0 where the stream is empty."""
        for entry_id, _ in self.ascending(0, self.last_id):
            return entry_id
        return 0

    def last_live_id(self) -> int:
        """The largest live ID, 0 where the stream is empty."""
        for entry_id, _ in self.descending(0, self.last_id):
            return entry_id
        return 0

    def ascending(self, start: int, end: int) -> Iterator[tuple[int, Fields]]:
        """Live entries with ``start <= id <= end``, oldest first."""
        for at in range(max(bisect_right(self._firsts, start) - 1, 0), len(self.nodes)):
            node = self.nodes[at]
            for i in range(bisect_left(node.ids, start), len(node.ids)):
                fields = node.slots[i]
                if node.ids[i] > end:
                    return
                if fields is not None:
                    yield node.ids[i], fields

    def descending(self, start: int, end: int) -> Iterator[tuple[int, Fields]]:
        """Live entries with ``start <= id <= end``, newest first."""
        for at in range(bisect_right(self._firsts, end) - 1, -1, -1):
            node = self.nodes[at]
            for i in range(bisect_right(node.ids, end) - 1, -1, -1):
                fields = node.slots[i]
                if node.ids[i] < start:
                    return
                if fields is not None:
                    yield node.ids[i], fields

    def group_for_write(self, name: bytes) -> Group | None:
        """The group, made this stream's own where a copy shares it."""
        group = self.groups.get(name)
        if group is not None and group.shared:
            group = group.copy()
            self.groups[name] = group
        return group

    def _own(self, at: int) -> Node:
        node = self.nodes[at]
        if node.shared:
            node = node.copy()
            self.nodes[at] = node
        return node


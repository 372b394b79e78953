"""A stream: entries in nodes, the counters that Redis stores, and its groups."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

from .group import Group
from .idempotence import Idempotence
from .ids import ID_MAX
from .node import Fields, Node

__all__ = ["NODE_BYTES_LIMIT", "Fields", "Node", "Stream"]

NODE_BYTES_LIMIT = 1 << 30
"""No node, and no entry, may be larger (STREAM_LISTPACK_MAX_SIZE)."""


class Stream:
    """The value of a stream key. Removing the last entry leaves it there, empty.

    Live entries stand in ID order. Tombstones do, too, until XSETID moves ``last_id`` back behind some of
    them: what is added then stands after larger tombstones, and may stand in a node whose first slot is
    larger. From then on entries are found as the server's iterator finds them, slot by slot.
    """

    __slots__ = (
        "_firsts", "_straight", "born", "entries_added", "groups", "idempotence", "last_id", "length",
        "max_deleted_id", "nodes", "shared", "slowest",
    )  # fmt: skip

    def __init__(self, born: int) -> None:
        self.born = born
        """Which incarnation of the key this is."""
        self.nodes: list[Node] = []
        self._firsts: list[int] = []
        """The first ID of each node, by which nodes are sorted."""
        self._straight = True
        """Whether each slot is larger than the one before, so that slots can be searched by halves."""
        self.length = 0
        self.last_id = 0
        self.max_deleted_id = 0
        self.entries_added = 0
        self.groups: dict[bytes, Group] = {}
        self.idempotence: Idempotence | None = None
        """The records of idempotent XADDs; ``None`` before the first, when the server's settings hold."""
        self.slowest: int | None = None
        """The smallest cursor of the groups, where it is remembered (see ``references.slowest_cursor``)."""
        self.shared = False

    @staticmethod
    def restored(born: int, nodes: list[Node]) -> Stream:
        """A stream of these nodes; the caller sets the counters."""
        stream = Stream(born)
        stream.nodes = nodes
        stream._firsts = [node.ids[0] for node in nodes]
        slots = [entry_id for node in nodes for entry_id in node.ids]
        stream._straight = all(a < b for a, b in pairwise(slots))
        return stream

    def copy(self, born: int | None = None) -> Stream:
        """An independent stream with the same content; ``born`` makes it a new incarnation."""
        twin = Stream(self.born if born is None else born)
        for node in self.nodes:
            node.shared = True
        for group in self.groups.values():
            group.shared = True
        twin.nodes = self.nodes.copy()
        twin._firsts = self._firsts.copy()
        twin._straight = self._straight
        twin.length = self.length
        twin.last_id = self.last_id
        twin.max_deleted_id = self.max_deleted_id
        twin.entries_added = self.entries_added
        twin.groups = self.groups.copy()
        if self.idempotence is not None:
            self.idempotence.shared = True
        twin.idempotence = self.idempotence
        twin.slowest = self.slowest
        return twin

    def append(
        self,
        entry_id: int,
        fields: Fields,
        text_bytes: int,
        node_bytes_max: int,
        node_entries_max: int,
        *,
        tombstones_count: bool = True,
    ) -> None:
        """Adds an entry at the end (streamAppendItem). The caller has checked the ID.

        ``text_bytes`` is how long its names and values are together; ``tombstones_count`` says whether a
        deleted entry fills a node as a live one does.
        """
        assert entry_id > self.last_id
        self.last_id = entry_id
        self.length += 1
        self.entries_added += 1
        if not self.nodes:
            self._straight = True
        else:
            node = self.nodes[-1]
            if entry_id <= node.ids[-1]:
                self._straight = False
            limit = node_bytes_max if 0 < node_bytes_max <= NODE_BYTES_LIMIT else NODE_BYTES_LIMIT
            held = len(node.ids) if tombstones_count else node.live
            full = node_entries_max and held >= node_entries_max
            if not full and node.has_room(text_bytes, limit):
                self._own(len(self.nodes) - 1).append(entry_id, fields, text_bytes)
                return
        at = bisect_left(self._firsts, entry_id)
        if at < len(self._firsts) and self._firsts[at] == entry_id:
            self.drop_node(at)  # of tombstones only: the new node takes its place
        node = Node(fields[::2])
        node.append(entry_id, fields, text_bytes)
        self.nodes.insert(at, node)
        self._firsts.insert(at, entry_id)

    def get(self, entry_id: int) -> Fields | None:
        """The fields of a live entry, or ``None``."""
        at, slot = self._find(entry_id)
        return None if at < 0 else self.nodes[at].slots[slot]

    def remove(self, entry_id: int) -> bool:
        """Takes one entry out, leaving a tombstone in its node; whether it was there."""
        at, slot = self._find(entry_id)
        if at < 0:
            return False
        if self.nodes[at].live == 1:
            self.length -= 1
            self.drop_node(at)
        else:
            self.bury(at, slot)
        return True

    def bury(self, at: int, slot: int) -> None:
        """Makes one live slot of node ``at`` a tombstone, keeping the node even where none is left."""
        self._own(at).bury(slot)
        self.length -= 1

    def drop_node(self, at: int) -> None:
        """Removes a whole node; the caller keeps ``length`` in step."""
        del self.nodes[at], self._firsts[at]

    def first_id(self) -> int:
        """The smallest live ID, 0 where the stream is empty."""
        if self.nodes and self.nodes[0].slots[0] is not None:
            return self.nodes[0].ids[0]  # mostly
        for entry_id, _ in self.ascending(0, ID_MAX, 1):
            return entry_id
        return 0

    def last_live_id(self) -> int:
        """The largest live ID, 0 where the stream is empty."""
        if self.nodes and self.nodes[-1].slots[-1] is not None:
            return self.nodes[-1].ids[-1]  # mostly
        for entry_id, _ in self.descending(0, ID_MAX, 1):
            return entry_id
        return 0

    def ascending(self, start: int, end: int, count: int | None = None) -> list[tuple[int, Fields]]:
        """Live entries with ``start <= id <= end``, oldest first; ``count`` (at least 1) of them at most."""
        assert count != 0
        found: list[tuple[int, Fields]] = []
        for at in range(max(bisect_right(self._firsts, start) - 1, 0), len(self.nodes)):
            ids, slots = self.nodes[at].ids, self.nodes[at].slots
            for i in range(bisect_left(ids, start) if self._straight else 0, len(ids)):
                entry_id, fields = ids[i], slots[i]
                if fields is None or entry_id < start:
                    continue
                if entry_id > end:
                    return found
                found.append((entry_id, fields))
                if len(found) == count:
                    return found
        return found

    def descending(self, start: int, end: int, count: int | None = None) -> list[tuple[int, Fields]]:
        """Live entries with ``start <= id <= end``, newest first; ``count`` (at least 1) of them at most.

        Where no node starts at or below ``end`` the server looks from the very last slot on.
        """
        assert count != 0
        found: list[tuple[int, Fields]] = []
        last = bisect_right(self._firsts, end) - 1
        for at in range(last if last >= 0 else len(self.nodes) - 1, -1, -1):
            ids, slots = self.nodes[at].ids, self.nodes[at].slots
            for i in range((bisect_right(ids, end) if self._straight else len(ids)) - 1, -1, -1):
                entry_id, fields = ids[i], slots[i]
                if fields is None or entry_id > end:
                    continue
                if entry_id < start:
                    return found
                found.append((entry_id, fields))
                if len(found) == count:
                    return found
        return found

    def group_for_write(self, name: bytes) -> Group | None:
        """The group, made this stream's own where a copy shares it."""
        group = self.groups.get(name)
        if group is not None and group.shared:
            group = group.copy()
            self.groups[name] = group
        return group

    def _find(self, entry_id: int) -> tuple[int, int]:
        """The node and the slot of a live entry; the node is -1 where there is none."""
        at = bisect_right(self._firsts, entry_id) - 1
        if self._straight:
            if at >= 0:
                node = self.nodes[at]
                i = bisect_left(node.ids, entry_id)
                if i < len(node.ids) and node.ids[i] == entry_id and node.slots[i] is not None:
                    return at, i
            return -1, 0
        for later in range(max(at, 0), len(self.nodes)):
            node = self.nodes[later]
            for i, known in enumerate(node.ids):
                if known >= entry_id and node.slots[i] is not None:
                    return (later, i) if known == entry_id else (-1, 0)
        return -1, 0

    def _own(self, at: int) -> Node:
        node = self.nodes[at]
        if node.shared:
            node = node.copy()
            self.nodes[at] = node
        return node

"""A consumer group: its cursor, its pending entries, its consumers."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, TypeAlias

from .idmap import IdMap

UNKNOWN = -1
"""The value of ``entries_read`` that XINFO shows as null."""

NEVER = -1
"""The value of ``active_ms`` of a consumer that never got an entry."""


COUNT_MAX = 2**63 - 1
"""The delivery count at which counting stops (8.8), and that of an entry that was given up for good."""


Turn: TypeAlias = "int | Fraction"


class Pending:
    """A delivered entry that waits for its acknowledgment (a NACK, in the server's words).

    It is replaced, never changed: its group, its consumer and copies of both share it.
    """

    __slots__ = ("consumer", "count", "delivered_ms", "turn")

    def __init__(self, consumer: bytes | None, delivered_ms: int, count: int, turn: Turn) -> None:
        self.consumer: Final = consumer
        """Its owner, ``None`` after XNACK."""
        self.delivered_ms: Final = delivered_ms
        self.count: Final = count
        self.turn: Final = turn
        """Its place in the list of pending entries by time: what has the smaller one comes first."""

    def __repr__(self) -> str:
        return f"Pending({self.consumer!r}, {self.delivered_ms}, {self.count})"


class Consumer:
    """A name in a group, with the pending entries that it owns."""

    __slots__ = ("active_ms", "name", "pel", "seen_ms", "shared")

    def __init__(self, name: bytes, seen_ms: int) -> None:
        self.name = name
        self.seen_ms = seen_ms
        self.active_ms = NEVER
        self.pel: IdMap[Pending] = IdMap()
        self.shared = False

    def copy(self) -> Consumer:
        """An independent consumer with the same pending entries."""
        twin = Consumer(self.name, self.seen_ms)
        twin.active_ms = self.active_ms
        twin.pel = self.pel.copy()
        return twin


class Group:
    """A cursor over a stream that several consumers share.

    Every pending entry stands in ``pel`` and in the ``pel`` of exactly one consumer, or of none after XNACK.
    """

    __slots__ = ("consumers", "cursor", "entries_read", "epoch", "name", "newest_ms", "pel", "shared", "turns")

    def __init__(self, name: bytes, cursor: int, entries_read: int, epoch: int) -> None:
        self.name = name
        self.cursor = cursor
        """The last-delivered-id: ``>`` delivers what is greater."""
        self.entries_read = entries_read
        self.epoch = epoch
        self.pel: IdMap[Pending] = IdMap()
        self.consumers: dict[bytes, Consumer] = {}
        self.shared = False
        self.turns = 0
        """How often an entry was put at the end of the list by time: see ``Pending.turn``."""
        self.newest_ms = 0
        """No entry was delivered later: what is as late stands at the end of the list by time."""

    def copy(self) -> Group:
        """An independent group with the same state."""
        twin = Group(self.name, self.cursor, self.entries_read, self.epoch)
        for consumer in self.consumers.values():
            consumer.shared = True
        twin.pel = self.pel.copy()
        twin.consumers = self.consumers.copy()
        twin.turns = self.turns
        twin.newest_ms = self.newest_ms
        return twin

    def consumer_for_write(self, name: bytes) -> Consumer | None:
        """The consumer, made this group's own where a copy shares it."""
        consumer = self.consumers.get(name)
        if consumer is not None and consumer.shared:
            consumer = consumer.copy()
            self.consumers[name] = consumer
        return consumer

    def assign(
        self, entry_id: int, consumer: Consumer, delivered_ms: int, count: int, *, in_time: bool = False
    ) -> bytes | None:
        """Makes an entry pending for ``consumer``, taking it from whoever had it, whom it returns.

        It goes to the end of the list by time, or with ``in_time`` behind the last entry that is as old.
        """
        turn: Turn
        if delivered_ms >= self.newest_ms:
            self.newest_ms = delivered_ms
            self.turns = turn = self.turns + 1
        elif in_time:
            turn = self._place(entry_id, delivered_ms)
        else:
            self.turns = turn = self.turns + 1
        nack = Pending(consumer.name, delivered_ms, count, turn)
        before = self.pel.put(entry_id, nack)
        if before is not None and before.consumer != consumer.name and before.consumer is not None:
            owner = self.consumer_for_write(before.consumer)
            assert owner is not None, "a pending entry's owner is a consumer of its group"
            owner.pel.pop(entry_id)
        consumer.pel.put(entry_id, nack)
        return None if before is None else before.consumer

    def release(self, entry_id: int) -> Pending | None:
        """Takes an entry off the pending list; what it was, or ``None``."""
        nack = self.pel.pop(entry_id)
        if nack is not None and nack.consumer is not None:
            owner = self.consumer_for_write(nack.consumer)
            assert owner is not None, "a pending entry's owner is a consumer of its group"
            owner.pel.pop(entry_id)
        return nack

    def disown(self, entry_id: int, count: int) -> bytes | None:
        """Makes an entry pending for nobody, before all that is owned; returns whose it was."""
        before = self.release(entry_id)
        self.turns += 1
        self.pel.put(entry_id, Pending(None, 0, count, self.turns))
        return None if before is None else before.consumer

    def by_time(self, *, as_listed: bool) -> list[tuple[int, Pending]]:
        """The pending entries, the longest idle first: by time and ID, or as the list has them.

        The list has those of nobody first. It is in order of time unless the clock went back.
        """
        if as_listed:
            return sorted(self.pel.items(), key=lambda item: (item[1].consumer is not None, item[1].turn))
        return sorted(self.pel.items(), key=lambda item: (item[1].delivered_ms, item[0]))

    def sort_by_time(self) -> None:
        """Puts the list of pending entries in order of time and ID; those of nobody stay at its head."""
        listed = self.by_time(as_listed=True)
        released = [item for item in listed if item[1].consumer is None]
        owned = [item for item in self.by_time(as_listed=False) if item[1].consumer is not None]
        if released + owned == listed:
            return
        self.turns = 0
        for entry_id, nack in released + owned:
            self.turns += 1
            moved = Pending(nack.consumer, nack.delivered_ms, nack.count, self.turns)
            self.pel.put(entry_id, moved)
            if nack.consumer is not None:
                owner = self.consumer_for_write(nack.consumer)
                assert owner is not None, "a pending entry's owner is a consumer of its group"
                owner.pel.put(entry_id, moved)

    def _place(self, entry_id: int, delivered_ms: int) -> Turn:
        """A turn just after the last entry that was delivered at that time or before."""
        after: Turn | None = None
        for known, nack in reversed(self.by_time(as_listed=True)):
            if known == entry_id or nack.consumer is None:
                continue
            if nack.delivered_ms <= delivered_ms:
                if after is not None:
                    return Fraction(nack.turn + after, 2)
                break
            after = nack.turn
        if after is not None:
            return after - 1
        self.turns += 1
        return self.turns

    def sorted_consumers(self) -> list[Consumer]:
        """The consumers in byte order of their names, as the server's radix tree lists them."""
        return [self.consumers[name] for name in sorted(self.consumers)]

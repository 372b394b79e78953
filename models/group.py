"""A consumer group: its cursor, its pending entries, its consumers."""

from __future__ import annotations

from typing import Final

from .idmap import IdMap

UNKNOWN = -1
"""The value of ``entries_read`` that XINFO shows as null."""

NEVER = -1
"""The value of ``active_ms`` of a consumer that never got an entry."""


class Pending:
    """A delivered entry that waits for its acknowledgment (a NACK, in the server's words).

    It is replaced, never changed: its group, its consumer and copies of both share it.
    """

    __slots__ = ("consumer", "count", "delivered_ms")

    def __init__(self, consumer: bytes, delivered_ms: int, count: int) -> None:
        self.consumer: Final = consumer
        self.delivered_ms: Final = delivered_ms
        self.count: Final = count

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

    Every pending entry stands in ``pel`` and in the ``pel`` of exactly one consumer.
    """

    __slots__ = ("consumers", "cursor", "entries_read", "epoch", "name", "pel", "shared")

    def __init__(self, name: bytes, cursor: int, entries_read: int, epoch: int) -> None:
        self.name = name
        self.cursor = cursor
        """The last-delivered-id: ``>`` delivers what is greater."""
        self.entries_read = entries_read
        self.epoch = epoch
        self.pel: IdMap[Pending] = IdMap()
        self.consumers: dict[bytes, Consumer] = {}
        self.shared = False

    def copy(self) -> Group:
        """An independent group with the same state."""
        twin = Group(self.name, self.cursor, self.entries_read, self.epoch)
        for consumer in self.consumers.values():
            consumer.shared = True
        twin.pel = self.pel.copy()
        twin.consumers = self.consumers.copy()
        return twin

    def consumer_for_write(self, name: bytes) -> Consumer | None:
        """The consumer, made this group's own where a copy shares it."""
        consumer = self.consumers.get(name)
        if consumer is not None and consumer.shared:
            consumer = consumer.copy()
            self.consumers[name] = consumer
        return consumer

    def assign(self, entry_id: int, consumer: Consumer, delivered_ms: int, count: int) -> bytes | None:
        """Makes an entry pending for ``consumer``, taking it from whoever had it, whom it returns."""
        nack = Pending(consumer.name, delivered_ms, count)
        before = self.pel.put(entry_id, nack)
        if before is not None and before.consumer != consumer.name:
            owner = self.consumer_for_write(before.consumer)
            assert owner is not None, "a pending entry's owner is a consumer of its group"
            owner.pel.pop(entry_id)
        consumer.pel.put(entry_id, nack)
        return None if before is None else before.consumer

    def release(self, entry_id: int) -> Pending | None:
        """Takes an entry off the pending list; what it was, or ``None``."""
        nack = self.pel.pop(entry_id)
        if nack is not None:
            owner = self.consumer_for_write(nack.consumer)
            assert owner is not None, "a pending entry's owner is a consumer of its group"
            owner.pel.pop(entry_id)
        return nack

    def sorted_consumers(self) -> list[Consumer]:
        """The consumers in byte order of their names, as the server's radix tree lists them."""
        return [self.consumers[name] for name in sorted(self.consumers)]

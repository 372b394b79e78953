"""What a stream remembers of idempotent XADDs: per producer, which idempotent ID became which entry.

A server forgets a record in a cron that runs once a second, up to a second after ``duration_s``. Here time comes
from outside, so the rule is exact: a record counts for as long as the milliseconds of its entry's ID are greater
than now minus the duration, and is gone from then on, whoever looks. That is the earliest that a server does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from . import ids

Iid: TypeAlias = "bytes | tuple[tuple[bytes, bytes], ...]"
"""An idempotent ID: as given, or for IDMPAUTO the pairs in a canonical order (the server hashes them alike)."""


def automatic_iid(fields: tuple[bytes, ...]) -> Iid:
    """What IDMPAUTO makes of an entry: the same for the same pairs in whatever order."""
    return tuple(sorted(zip(fields[::2], fields[1::2], strict=True)))


class Idempotence:
    """The records and settings of one stream; shared between copies until one of them writes."""

    __slots__ = ("added", "duplicates", "duration_s", "maxsize", "producers", "shared")

    def __init__(self, duration_s: int, maxsize: int) -> None:
        self.duration_s = duration_s
        self.maxsize = maxsize
        """How many records each producer has at most."""
        self.producers: dict[bytes, dict[Iid, int]] = {}
        """Producer to idempotent ID to entry, oldest record first. The inner ones are replaced, never changed."""
        self.added = 0
        self.duplicates = 0
        self.shared = False

    def copy(self) -> Idempotence:
        """An independent one with the same records."""
        twin = Idempotence(self.duration_s, self.maxsize)
        twin.producers = self.producers.copy()
        twin.added = self.added
        twin.duplicates = self.duplicates
        return twin

    def tracked(self, now_ms: int) -> Iterator[tuple[bytes, dict[Iid, int]]]:
        """The producers that are still remembered, each with its records that still count."""
        for producer, records in self.producers.items():
            kept = self._kept(records, now_ms)
            if kept or not records:
                yield producer, kept

    def forget_old(self, now_ms: int) -> None:
        """Drops what does not count any more, and producers of which nothing is left."""
        self.producers = dict(self.tracked(now_ms))

    def find(self, producer: bytes, iid: Iid) -> int | None:
        """The entry that was added for an idempotent ID; the producer is remembered from now on."""
        return self.producers.setdefault(producer, {}).get(iid)

    def record(self, producer: bytes, iid: Iid, entry_id: int) -> None:
        """Remembers what an idempotent ID became; the producer's oldest record goes where there are too many."""
        records = {**self.producers.get(producer, {}), iid: entry_id}
        if len(records) > self.maxsize:
            del records[next(iter(records))]
        self.producers[producer] = records

    def _kept(self, records: dict[Iid, int], now_ms: int) -> dict[Iid, int]:
        oldest_ms = now_ms - 1000 * self.duration_s
        if all(ids.ms_of(entry_id) > oldest_ms for entry_id in records.values()):
            return records
        return {iid: entry_id for iid, entry_id in records.items() if ids.ms_of(entry_id) > oldest_ms}

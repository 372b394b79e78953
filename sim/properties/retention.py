"""Application properties of retention: does what is cut off, or deleted, belong to nobody any more?"""

from __future__ import annotations

from ...models.facts import (
    Acked,
    Claimed,
    ConsumerRemoved,
    CursorMoved,
    Deleted,
    Delivered,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    Nacked,
    Trimmed,
)
from ..events import Event
from ..watch import Monitor, Property
from .wording import GroupKey, name, show


class TrimRespectsPending(Monitor):
    """Knows what is pending in each group, and reports what is trimmed or deleted of it."""

    def __init__(self) -> None:
        self.pending: dict[GroupKey, dict[int, bytes]] = {}
        """Entry to owner; the empty name where nobody has it."""

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """It is pending, unless it was given (NOACK)."""
        if not fact.noack:
            self.pending.setdefault((fact.born, fact.group), {})[fact.id] = fact.consumer
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """It is pending for another."""
        self.pending.setdefault((fact.born, fact.group), {})[fact.id] = fact.consumer
        return None

    def on_nacked(self, fact: Nacked, event: Event) -> str | None:
        """It is pending for nobody."""
        self.pending.setdefault((fact.born, fact.group), {})[fact.id] = b""
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It is settled."""
        self._settle(fact.born, fact.group, (fact.id,))
        return None

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """It is pending no more; where a trim forgot it, that is what must not be."""
        owner = self.pending.get((fact.born, fact.group), {}).get(fact.id)
        self._settle(fact.born, fact.group, (fact.id,))
        if owner is None or not _takes_content(fact.cause):
            return None
        return self._message(fact.id, fact.cause, fact.group, owner)

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """What it had is pending no more."""
        self._settle(fact.born, fact.group, fact.pending)
        return None

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """Nothing is pending in it any more."""
        self.pending.pop((fact.born, fact.group), None)
        return None

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Was something of it pending?"""
        return self._needed(fact.born, fact.ids, fact.cause)

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Was something of it pending?"""
        return self._needed(fact.born, fact.ids, fact.cause)

    def _settle(self, born: int, group: bytes, entries: tuple[int, ...]) -> None:
        pending = self.pending.get((born, group), {})
        for entry_id in entries:
            pending.pop(entry_id, None)

    def _needed(self, born: int, gone: tuple[int, ...], cause: str) -> str | None:
        for (stream, group), pending in self.pending.items():
            if stream != born:
                continue
            for entry_id in gone:
                if entry_id in pending:
                    return self._message(entry_id, cause, group, pending[entry_id])
        return None

    @staticmethod
    def _message(entry_id: int, cause: str, group: bytes, owner: bytes) -> str:
        whose = f"{name(owner)} had it" if owner else "it was"
        return f"{cause} took entry {show(entry_id)} while {whose} pending in group {name(group)}"


def _takes_content(cause: str) -> bool:
    """Whether a pending entry was forgotten by what took its content, and not by a claim that found it gone."""
    return cause.split()[0] in ("XADD", "XTRIM", "XDEL", "XDELEX", "XACKDEL")


class TrimRespectsCursor(Monitor):
    """Knows how far each group has come, and reports what is trimmed or deleted before it got there."""

    def __init__(self) -> None:
        self.cursors: dict[GroupKey, int] = {}

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """It gets what comes after its start."""
        self.cursors[fact.born, fact.group] = fact.cursor
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """It has come so far, by reading or because it was set there."""
        self.cursors[fact.born, fact.group] = fact.cursor
        return None

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """It gets nothing any more."""
        self.cursors.pop((fact.born, fact.group), None)
        return None

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Has every group come to it?"""
        return self._needed(fact.born, fact.ids, fact.cause)

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Has every group come to it?"""
        return self._needed(fact.born, fact.ids, fact.cause)

    def _needed(self, born: int, gone: tuple[int, ...], cause: str) -> str | None:
        for (stream, group), cursor in self.cursors.items():
            if stream != born:
                continue
            missed = [entry_id for entry_id in gone if entry_id > cursor]
            if missed:
                more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
                return f"{cause} took entry {show(missed[0])} before group {name(group)} came to it{more}"
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "trim-respects-pending", "always", "nothing is trimmed or deleted while it is pending", TrimRespectsPending,
        "no ID of a Trimmed or Deleted fact is in the pending list of a group of that stream, nor does the command "
        "that trims or deletes forget it there",
        ("what was given with NOACK is not pending",),
    ),
    Property(
        "trim-respects-cursor", "always", "nothing is trimmed or deleted before every group came to it",
        TrimRespectsCursor,
        "every ID of a Trimmed or Deleted fact is at most the last-delivered-id of each group of that stream",
        ("a group that was set past an entry has come to it",),
    ),
)  # fmt: skip

"""Server invariants of what only ever grows: a group's cursor, and how often a pending entry was delivered."""

from __future__ import annotations

from typing import TypeAlias

from ...models.facts import (
    NEW_EPOCH,
    Acked,
    Claimed,
    ConsumerRemoved,
    CursorMoved,
    Delivered,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    Nacked,
    Recounted,
    Reinstated,
    Reread,
)
from ..events import Event
from ..watch import Monitor
from .wording import GroupKey, name, show

Counted: TypeAlias = (
    Delivered | Reread | Claimed | Recounted | Reinstated | Nacked | Acked | Forgotten | ConsumerRemoved
)


class CursorMonotone(Monitor):
    """Remembers where the cursor of each group stands."""

    def __init__(self) -> None:
        self.cursors: dict[GroupKey, int] = {}

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """Where the cursor starts."""
        self.cursors[fact.born, fact.group] = fact.cursor
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """Back only by SETID."""
        before = self.cursors.get((fact.born, fact.group), fact.before)
        self.cursors[fact.born, fact.group] = fact.cursor
        if fact.cursor >= before or fact.cause in NEW_EPOCH:
            return None
        return f"the cursor of group {name(fact.group)} went back from {show(before)} to {show(fact.cursor)}"

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """A group of the same name is another group."""
        self.cursors.pop((fact.born, fact.group), None)
        return None


class CountMonotone(Monitor):
    """Remembers how often each pending entry was delivered."""

    def __init__(self) -> None:
        self.counts: dict[GroupKey, dict[int, int]] = {}

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """By ``>`` it is counted from 1."""
        if not fact.noack:
            self._of(fact)[fact.id] = fact.count
        return None

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """As often as before, or more often."""
        return self._count(fact)

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """As often as before, or more often."""
        return self._count(fact)

    def on_recounted(self, fact: Recounted, event: Event) -> str | None:
        """From now on it is as XCLAIM says."""
        self._of(fact)[fact.id] = fact.count
        return None

    def on_reinstated(self, fact: Reinstated, event: Event) -> str | None:
        """From now on it is as it was before."""
        self._of(fact)[fact.id] = fact.count
        return None

    def on_nacked(self, fact: Nacked, event: Event) -> str | None:
        """From now on it is as XNACK says."""
        self._of(fact)[fact.id] = fact.count
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It is counted no more."""
        self._of(fact).pop(fact.id, None)
        return None

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """It is counted no more."""
        self._of(fact).pop(fact.id, None)
        return None

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """They are counted no more."""
        for entry_id in fact.pending:
            self._of(fact).pop(entry_id, None)
        return None

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """Nothing of it is counted any more."""
        self.counts.pop((fact.born, fact.group), None)
        return None

    def _of(self, fact: Counted) -> dict[int, int]:
        return self.counts.setdefault((fact.born, fact.group), {})

    def _count(self, fact: Reread | Claimed) -> str | None:
        counts = self._of(fact)
        before = counts.get(fact.id, 0)
        counts[fact.id] = fact.count
        if fact.count >= before:
            return None
        return f"entry {show(fact.id)} had been delivered {before} times, and now the server counts {fact.count}"

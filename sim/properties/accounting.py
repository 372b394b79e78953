"""Monitors that keep the books of a stream: which entries live, and where each of them is in a group."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from ...models.facts import (
    Acked,
    Added,
    Claimed,
    ConsumerRemoved,
    CursorMoved,
    Deleted,
    Delivered,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    LagReported,
    LastIdSet,
    Nacked,
    Restored,
    StreamRemoved,
    Trimmed,
)
from ..events import Event
from ..watch import Monitor
from .wording import GroupKey, name, show


class LiveEntries(Monitor):
    """Base of the monitors that know which entries a stream holds."""

    def __init__(self) -> None:
        self.live: dict[int, list[int]] = {}
        """Incarnation of a stream to its live IDs, ascending."""

    def on_added(self, fact: Added, event: Event) -> str | None:
        """An entry is there."""
        live = self.live.setdefault(fact.born, [])
        if live and fact.id < live[-1]:
            insort(live, fact.id)
        else:
            live.append(fact.id)
        return None

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Entries are gone."""
        return self._gone(fact.born, fact.ids)

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Entries are gone."""
        return self._gone(fact.born, fact.ids)

    def on_restored(self, fact: Restored, event: Event) -> str | None:
        """Entries are there again."""
        for entry_id in fact.ids:
            insort(self.live.setdefault(fact.born, []), entry_id)
        return None

    def on_stream_removed(self, fact: StreamRemoved, event: Event) -> str | None:
        """All its entries are gone."""
        self.live.pop(fact.born, None)
        return None

    def _gone(self, born: int, gone: tuple[int, ...]) -> str | None:
        live = self.live[born]
        for entry_id in gone:
            del live[bisect_left(live, entry_id)]
        return None


class AccountedFor(LiveEntries):
    """Follows every group: what its cursor passes must have been delivered, what was pending must be settled."""

    def __init__(self) -> None:
        super().__init__()
        self.cursors: dict[GroupKey, int] = {}
        self.pending: dict[GroupKey, dict[int, None]] = {}
        self.delivered: dict[GroupKey, dict[int, None]] = {}
        """Delivered by the command at hand."""

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """Delivered entries become pending, unless they were given (NOACK)."""
        key = (fact.born, fact.group)
        self.delivered.setdefault(key, {})[fact.id] = None
        if not fact.noack:
            self.pending.setdefault(key, {})[fact.id] = None
        return None

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """Where the cursor starts."""
        self.cursors[fact.born, fact.group] = fact.cursor
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """A read may move the cursor past nothing that it did not deliver."""
        key = (fact.born, fact.group)
        delivered = self.delivered.pop(key, {})
        before = self.cursors.get(key, fact.before)
        self.cursors[key] = fact.cursor
        if fact.cause != "read":
            return None
        live = self.live.get(fact.born, [])
        at = bisect_right(live, before)
        for entry_id in live[at : bisect_right(live, fact.cursor, at)]:
            if entry_id not in delivered:
                return f"group {name(fact.group)} passed entry {show(entry_id)} without delivering it"
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """A claimed entry was pending, or FORCE made it so."""
        pending = self.pending.setdefault((fact.born, fact.group), {})
        if fact.idle_ms is not None and fact.id not in pending:
            return f"entry {show(fact.id)} was claimed and was not pending in group {name(fact.group)}"
        pending[fact.id] = None
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """An acknowledged entry was pending until now."""
        return self._settled(fact.born, fact.group, (fact.id,), "acknowledged")

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """A dangling pending entry leaves by name."""
        return self._settled(fact.born, fact.group, (fact.id,), f"dropped by {fact.cause}")

    def on_nacked(self, fact: Nacked, event: Event) -> str | None:
        """What is given back stays pending; with FORCE it may become so only now."""
        pending = self.pending.setdefault((fact.born, fact.group), {})
        if not fact.new and fact.id not in pending:
            return f"entry {show(fact.id)} was given back and was not pending in group {name(fact.group)}"
        pending[fact.id] = None
        return None

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """Its pending entries leave by name."""
        return self._settled(fact.born, fact.group, fact.pending, "dropped by DELCONSUMER")

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """What was pending goes with the group, all of it and nothing else."""
        self.cursors.pop((fact.born, fact.group), None)
        pending = self.pending.pop((fact.born, fact.group), {})
        if sorted(pending) != list(fact.pending):
            return f"group {name(fact.group)} went with other pending entries than were in it"
        return None

    def _settled(self, born: int, group: bytes, entries: tuple[int, ...], how: str) -> str | None:
        pending = self.pending.get((born, group), {})
        for entry_id in entries:
            if entry_id not in pending:
                return f"entry {show(entry_id)} was {how} and was not pending in group {name(group)}"
            del pending[entry_id]
        return None


class LagExactOrNull(LiveEntries):
    """Counts what each group has still to get, and holds the server's lag against it."""

    def __init__(self) -> None:
        super().__init__()
        self.unsure: dict[GroupKey, None] = {}
        """Groups of which Redis itself promises nothing, see the exceptions."""

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """The lag after a read is what is left beyond the cursor, or null."""
        key = (fact.born, fact.group)
        if fact.cause == "read":
            return self._compare(key, fact.cursor, fact.lag)
        self.unsure[key] = None
        return None

    def on_lag_reported(self, fact: LagReported, event: Event) -> str | None:
        """So is the lag that XINFO tells."""
        return self._compare((fact.born, fact.group), fact.cursor, fact.lag)

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """A group that starts inside the stream is estimated; one with ENTRIESREAD is taken at its word."""
        live = self.live.get(fact.born, [])
        inside = bool(fact.cursor and live and fact.cursor != live[-1])
        if inside or fact.entries_read is not None:
            self.unsure[fact.born, fact.group] = None
        return None

    def on_last_id_set(self, fact: LastIdSet, event: Event) -> str | None:
        """XSETID may say anything of the entries that were added."""
        self.live.setdefault(fact.born, [])
        self.unsure[fact.born, b""] = None
        return None

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Deletions make the count uncertain."""
        self.unsure[fact.born, b""] = None
        return super().on_deleted(fact, event)

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Trims do so too, up to 7.4 and on Valkey."""
        self.unsure[fact.born, b""] = None
        return super().on_trimmed(fact, event)

    def _compare(self, key: GroupKey, cursor: int, lag: int | None) -> str | None:
        if lag is None or key in self.unsure or (key[0], b"") in self.unsure:
            return None
        live = self.live.get(key[0], [])
        left = len(live) - bisect_right(live, cursor)
        return None if lag == left else f"the lag of group {name(key[1])} is {lag}, and {left} entries are left"

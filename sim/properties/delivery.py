"""Application properties of delivery: is every entry handled, and is none lost on the way?"""

from __future__ import annotations

from ...models import ids
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
    StreamRemoved,
    Trimmed,
)
from ..events import Crashed, Event, Handled, HandleFailed, Handling
from ..watch import Monitor, Property
from .accounting import LiveEntries
from .wording import GroupKey, name, show


class NoEntryLost(LiveEntries):
    """Knows which entries each group still needs, and reports the first that goes."""

    def __init__(self) -> None:
        super().__init__()
        self.cursors: dict[GroupKey, int] = {}
        self.pending: dict[GroupKey, dict[int, bytes]] = {}

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """The group needs what comes after its start."""
        self.cursors[fact.born, fact.group] = fact.cursor
        self.pending[fact.born, fact.group] = {}
        return None

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """It is needed until it is acknowledged."""
        if not fact.noack:
            self.pending[fact.born, fact.group][fact.id] = fact.consumer
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """It is needed until it is acknowledged."""
        self.pending[fact.born, fact.group][fact.id] = fact.consumer
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It is needed no more."""
        self.pending[fact.born, fact.group].pop(fact.id, None)
        return None

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """Its entry was gone before; that was the loss."""
        self.pending[fact.born, fact.group].pop(fact.id, None)
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """SETID and LASTID may skip entries that nobody was given."""
        self.cursors[fact.born, fact.group] = fact.cursor
        if fact.cause == "read":
            return None
        for entry_id in self.live.get(fact.born, []):
            if fact.before < entry_id <= fact.cursor:
                return f"{fact.cause} skipped entry {show(entry_id)}: group {name(fact.group)} never gets it"
        return None

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Deleted while a group needed it?"""
        return self._needed(fact.born, fact.ids, f"deleted by {fact.cause}") or super().on_deleted(fact, event)

    def on_trimmed(self, fact: Trimmed, event: Event) -> str | None:
        """Trimmed while a group needed it?"""
        return self._needed(fact.born, fact.ids, f"trimmed by {fact.cause}") or super().on_trimmed(fact, event)

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """Its pending entries are nobody's now."""
        for entry_id in fact.pending:
            self.pending[fact.born, fact.group].pop(entry_id, None)
        if not fact.pending:
            return None
        return f"DELCONSUMER {name(fact.consumer)} dropped pending entry {show(fact.pending[0])}: nobody gets it again"

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """What it had not acknowledged, and not yet been given, is forgotten."""
        cursor = self.cursors.pop((fact.born, fact.group))
        self.pending.pop((fact.born, fact.group))
        if fact.pending:
            return f"{fact.cause} of group {name(fact.group)} forgot pending entry {show(fact.pending[0])}"
        for entry_id in self.live.get(fact.born, []):
            if entry_id > cursor:
                return f"{fact.cause} of group {name(fact.group)} forgot undelivered entry {show(entry_id)}"
        return None

    def on_stream_removed(self, fact: StreamRemoved, event: Event) -> str | None:
        """Its groups were reported before it."""
        return super().on_stream_removed(fact, event)

    def _needed(self, born: int, gone: tuple[int, ...], how: str) -> str | None:
        for (stream, group), cursor in self.cursors.items():
            if stream != born:
                continue
            for entry_id in gone:
                if entry_id > cursor:
                    return f"entry {show(entry_id)} was {how} before group {name(group)} got it"
                owner = self.pending[stream, group].get(entry_id)
                if owner is not None:
                    return f"entry {show(entry_id)} was {how} while {name(owner)} had it pending in {name(group)}"
        return None


class HandledAtLeastOnce(Monitor):
    """Collects what each group ought to handle, and crosses off what was."""

    def __init__(self) -> None:
        self.groups: dict[tuple[bytes, bytes], int] = {}
        self.added: dict[bytes, list[int]] = {}
        self.handled: dict[tuple[bytes, bytes, bytes], None] = {}

    def on_added(self, fact: Added, event: Event) -> str | None:
        """Every group of the stream must handle it."""
        self.added.setdefault(fact.stream, []).append(fact.id)
        return None

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """The group must handle what comes after its start (of the first one of that name)."""
        self.groups.setdefault((fact.stream, fact.group), fact.cursor)
        return None

    def on_handled(self, event: Handled) -> str | None:
        """Done."""
        self.handled[event.stream, event.group, event.entry] = None
        return None

    def at_end(self, at_ms: int) -> str | None:
        """What was never handled?"""
        for (stream, group), start in self.groups.items():
            missing = [
                entry_id
                for entry_id in self.added.get(stream, [])
                if entry_id > start and (stream, group, ids.show(entry_id)) not in self.handled
            ]
            if missing:
                more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
                return f"entry {show(missing[0])} of {name(stream)} was never handled in group {name(group)}{more}"
        return None


class AddedImpliesHandled(Monitor):
    """Collects what was added, and crosses off what anybody handled."""

    def __init__(self) -> None:
        self.left: dict[tuple[bytes, bytes], None] = {}

    def on_added(self, fact: Added, event: Event) -> str | None:
        """Somebody must handle it."""
        self.left[fact.stream, ids.show(fact.id)] = None
        return None

    def on_handled(self, event: Handled) -> str | None:
        """Done."""
        self.left.pop((event.stream, event.entry), None)
        return None

    def at_end(self, at_ms: int) -> str | None:
        """What did nobody ever handle?"""
        if not self.left:
            return None
        (stream, entry), *others = self.left
        more = f" (and {len(others)} more)" if others else ""
        return f"nobody ever handled entry {name(entry)} of {name(stream)}{more}"


class HandledAtMostOnce(Monitor):
    """Remembers what was handled to its end in each group."""

    def __init__(self) -> None:
        self.handled: dict[tuple[bytes, bytes, bytes], None] = {}

    def on_handled(self, event: Handled) -> str | None:
        """Never before in this group."""
        key = (event.stream, event.group, event.entry)
        if not event.group or key not in self.handled:
            self.handled[key] = None
            return None
        return f"{event.process} handled entry {name(event.entry)} again in group {name(event.group)}"


class SingleHandler(Monitor):
    """Knows who is working on which entry right now."""

    def __init__(self) -> None:
        self.working: dict[tuple[bytes, bytes, bytes], list[str]] = {}

    def on_handling(self, event: Handling) -> str | None:
        """Nobody else may be at it in the same group."""
        if not event.group:
            return None
        workers = self.working.setdefault((event.stream, event.group, event.entry), [])
        workers.append(event.process)
        if len(workers) == 1:
            return None
        others = " and ".join(workers[:-1])
        return f"{event.process} began to handle entry {name(event.entry)} while {others} was still at it"

    def on_handled(self, event: Handled) -> str | None:
        """One handler fewer."""
        workers = self.working.get((event.stream, event.group, event.entry), [])
        if event.process in workers:
            workers.remove(event.process)
            if not workers:
                del self.working[event.stream, event.group, event.entry]
        return None

    def on_handle_failed(self, event: HandleFailed) -> str | None:
        """One handler fewer, too."""
        return self.on_handled(Handled(*event))

    def on_crashed(self, event: Crashed) -> str | None:
        """A dead process handles nothing."""
        for entry, workers in list(self.working.items()):
            left = [worker for worker in workers if worker != event.process]
            if left:
                self.working[entry] = left
            else:
                del self.working[entry]
        return None


class AckedImpliesHandled(Monitor):
    """Remembers which entries that are not acknowledged yet were handled."""

    def __init__(self) -> None:
        self.handled: dict[tuple[bytes, bytes, bytes], None] = {}

    def on_handled(self, event: Handled) -> str | None:
        """It may be acknowledged now."""
        self.handled[event.stream, event.group, event.entry] = None
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """Was it handled?"""
        key = (fact.stream, fact.group, ids.show(fact.id))
        if key in self.handled:
            del self.handled[key]
            return None
        return f"entry {show(fact.id)} was acknowledged in group {name(fact.group)} and nobody had handled it"


PROPERTIES: tuple[Property, ...] = (
    Property(
        "no-entry-lost", "always", "no entry is forgotten while a group still needs it", NoEntryLost,
        "no entry is trimmed or deleted while undelivered or pending in a group, dropped by DELCONSUMER, DESTROY or "
        "the removal of the key, or skipped by SETID or LASTID",
    ),
    Property(
        "handled-at-least-once", "eventually", "every entry is handled in every group that it was meant for",
        HandledAtLeastOnce,
        "at the end, each entry added past the start of a group has a Handled event of that group",
    ),
    Property(
        "added-implies-handled", "eventually", "every entry is handled by somebody, whenever it was added",
        AddedImpliesHandled,
        "at the end, each Added fact has a Handled event of that stream and ID, in whatever group or in none",
    ),
    Property(
        "handled-at-most-once", "always", "no entry is handled twice in a group", HandledAtMostOnce,
        "there is at most one Handled event for each entry and group",
        ("what a crash interrupted was not handled, and may be handled again",
         "entries read without a group may be handled by everybody"),
    ),
    Property(
        "acked-implies-handled", "always", "whatever is acknowledged was handled", AckedImpliesHandled,
        "each Acked fact follows a Handled event of that entry in that group, after any Acked before it",
    ),
    Property(
        "single-handler", "always", "at most one process handles an entry of a group at a time", SingleHandler,
        "between Handling and Handled (or the crash of its process) there is no other Handling of that entry",
        ("entries read without a group may be handled by everybody",),
    ),
)  # fmt: skip

"""Application properties of claiming: is a dead consumer's work taken over?"""

from __future__ import annotations

from ...models import ids
from ...models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Forgotten, GroupRemoved, Reread
from ..events import Crashed, Event, Handled, HandleFailed, Handling, Healed
from ..watch import Monitor, Property
from .wording import name, show

PendingKey = tuple[bytes, bytes, int]


class NoOrphan(Monitor):
    """Remembers to whom each pending entry was last given, and whether that was after the faults had stopped."""

    unread = frozenset({"given_ms"})

    def __init__(self) -> None:
        self.given: dict[PendingKey, tuple[bool, bytes]] = {}
        """(stream, group, id) to whether it was given after the faults had stopped, and to which consumer."""
        self.given_ms: dict[PendingKey, int] = {}
        """When that was."""
        self.working: dict[str, list[tuple[bytes, bytes, bytes]]] = {}
        self.healed = False

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """Somebody has it."""
        if not fact.noack:
            self._give((fact.stream, fact.group, fact.id), fact.consumer, event.at_ms)
        return None

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """Somebody has taken it up again."""
        self._give((fact.stream, fact.group, fact.id), fact.consumer, event.at_ms)
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Somebody has taken it over."""
        self._give((fact.stream, fact.group, fact.id), fact.consumer, event.at_ms)
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It is settled."""
        self._forget((fact.stream, fact.group, fact.id))
        return None

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """It is gone, which is another property's matter."""
        self._forget((fact.stream, fact.group, fact.id))
        return None

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """They are gone, which is another property's matter."""
        for entry_id in fact.pending:
            self._forget((fact.stream, fact.group, entry_id))
        return None

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """They are gone, which is another property's matter."""
        for entry_id in fact.pending:
            self._forget((fact.stream, fact.group, entry_id))
        return None

    def on_handling(self, event: Handling) -> str | None:
        """An entry that is being handled is no orphan, however long it takes."""
        self.working.setdefault(event.process, []).append((event.stream, event.group, event.entry))
        return None

    def on_handled(self, event: Handled) -> str | None:
        """Not handled any more."""
        entry = (event.stream, event.group, event.entry)
        entries = self.working.get(event.process, [])
        if entry in entries:
            entries.remove(entry)
            if not entries:
                del self.working[event.process]
        return None

    def on_handle_failed(self, event: HandleFailed) -> str | None:
        """Not handled any more either."""
        return self.on_handled(Handled(*event))

    def on_crashed(self, event: Crashed) -> str | None:
        """A dead process handles nothing."""
        self.working.pop(event.process, None)
        return None

    def on_healed(self, event: Healed) -> str | None:
        """From here on, what is left alone stays alone for nobody's fault."""
        self.healed = True
        return None

    def _give(self, key: PendingKey, consumer: bytes, at_ms: int) -> None:
        self.given[key] = (self.healed, consumer)
        self.given_ms[key] = at_ms

    def _forget(self, key: PendingKey) -> None:
        self.given.pop(key, None)
        self.given_ms.pop(key, None)

    def at_end(self, at_ms: int) -> str | None:
        """Is something still pending that nobody took up since the faults stopped?"""
        handled = {entry for entries in self.working.values() for entry in entries}
        orphans = [
            (key, consumer)
            for key, (after, consumer) in self.given.items()
            if not after and (key[0], key[1], ids.show(key[2])) not in handled
        ]
        if not orphans:
            return None
        (stream, group, entry_id), consumer = orphans[0]
        given_ms = self.given_ms.get(orphans[0][0], at_ms)
        more = f" (and {len(orphans) - 1} more)" if len(orphans) > 1 else ""
        return (
            f"entry {show(entry_id)} of {name(stream)} is pending for {name(consumer)} since {given_ms} ms and nobody "
            f"in group {name(group)} takes it up: {at_ms - given_ms} ms later it still waits{more}"
        )


PROPERTIES: tuple[Property, ...] = (
    Property(
        "no-orphan", "eventually", "no pending entry is left alone once the faults have stopped", NoOrphan,
        "at the end, each pending entry was delivered, claimed or read from history after the faults stopped, or is "
        "being handled",
    ),
)  # fmt: skip

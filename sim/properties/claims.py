"""Application properties of claiming: is a dead consumer's work taken over?"""

from __future__ import annotations

from typing import Any

from ...models import ids
from ...models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Forgotten, GroupRemoved, Reread
from ..events import Crashed, Effect, Event, Handled, HandleFailed, Handling, Healed, Served
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


class Settling(Monitor):
    """Base of monitors that keep something for each pending entry until it is settled."""

    def __init__(self) -> None:
        self.known: dict[PendingKey, Any] = {}

    def on_acked(self, fact: Acked, event: Effect) -> str | None:
        """It is settled."""
        return self._settle((fact.stream, fact.group, fact.id))

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """It is gone."""
        return self._settle((fact.stream, fact.group, fact.id))

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """They are gone."""
        return self._settle(*((fact.stream, fact.group, entry_id) for entry_id in fact.pending))

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """They are gone."""
        return self._settle(*((fact.stream, fact.group, entry_id) for entry_id in fact.pending))

    def _settle(self, *keys: PendingKey) -> str | None:
        for key in keys:
            self.known.pop(key, None)
        return None


class NoStealBack(Settling):
    """Remembers from whom each pending entry was claimed away."""

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Does somebody take back, without waiting, what was claimed from them?"""
        key = (fact.stream, fact.group, fact.id)
        before = fact.owner_before
        if before is None or before == fact.consumer:
            return None
        losers: list[bytes] = self.known.setdefault(key, [])
        if fact.consumer in losers and not fact.min_idle_ms:
            return (
                f"{name(fact.consumer)} lost entry {show(fact.id)} to {name(before)} and takes it back without waiting "
                f"for it to be idle"
            )
        if before not in losers:
            losers.append(before)
        return None


class NoZombieAck(Settling):
    """Remembers to which process each pending entry was given last."""

    def on_delivered(self, fact: Delivered, event: Effect | Served) -> str | None:
        """It has it."""
        if not fact.noack:
            self.known[fact.stream, fact.group, fact.id] = event.process
        return None

    def on_claimed(self, fact: Claimed, event: Effect | Served) -> str | None:
        """It has it now."""
        self.known[fact.stream, fact.group, fact.id] = event.process
        return None

    def on_reread(self, fact: Reread, event: Effect | Served) -> str | None:
        """It has it now: another program may have had it under that name before."""
        self.known[fact.stream, fact.group, fact.id] = event.process
        return None

    def on_acked(self, fact: Acked, event: Effect) -> str | None:
        """Does the process that has it acknowledge it?"""
        holder = self.known.get((fact.stream, fact.group, fact.id), event.process)
        super().on_acked(fact, event)
        if holder == event.process:
            return None
        return f"{event.process} acknowledged entry {show(fact.id)}, which {holder} had taken over"


PROPERTIES: tuple[Property, ...] = (
    Property(
        "no-orphan", "eventually", "no pending entry is left alone once the faults have stopped", NoOrphan,
        "at the end, each pending entry was delivered, claimed or read from history after the faults stopped, or is "
        "being handled",
    ),
    Property(
        "no-steal-back", "always", "nobody takes back without waiting what was claimed from them", NoStealBack,
        "no Claimed fact with min-idle 0 names as new owner a consumer from which that entry was claimed before",
        ("after a min-idle time anybody may claim it",),
    ),
    Property(
        "no-zombie-ack", "always", "an entry is acknowledged by the process that has it", NoZombieAck,
        "the process of an Acked fact is the one to which the entry was last delivered or claimed, or read again",
        ("what was given with NOACK, or to nobody, anybody may settle",),
    ),
)  # fmt: skip

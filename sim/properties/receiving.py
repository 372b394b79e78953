"""Application properties of links: does what the server did reach whom it was for, once?"""

from __future__ import annotations

from ...models.facts import (
    Acked,
    Added,
    Claimed,
    ConsumerRemoved,
    Delivered,
    Forgotten,
    GroupRemoved,
    Reread,
    StreamRemoved,
)
from ..events import Crashed, Effect, Lost, Replied, Served
from ..watch import Monitor, Property
from .claims import PendingKey
from .wording import name, show

Carrying = tuple[str, int]
"""A process and the number of its command."""


class DeliveredImpliesReceived(Monitor):
    """Knows which replies carry entries, and which of these were lost with nobody having got them since."""

    def __init__(self) -> None:
        self.carried: dict[Carrying, list[PendingKey]] = {}
        self.missed: dict[PendingKey, None] = {}
        """Entries that nobody has got."""

    def on_delivered(self, fact: Delivered, event: Effect | Served) -> str | None:
        """The reply carries it."""
        return self._carry(fact, event)

    def on_claimed(self, fact: Claimed, event: Effect | Served) -> str | None:
        """The reply carries it, or at least its ID."""
        return self._carry(fact, event)

    def on_reread(self, fact: Reread, event: Effect | Served) -> str | None:
        """The reply carries it."""
        return self._carry(fact, event)

    def on_acked(self, fact: Acked, event: Effect) -> str | None:
        """Whoever acknowledged it has got it, or does not need it."""
        self.missed.pop((fact.stream, fact.group, fact.id), None)
        return None

    def on_forgotten(self, fact: Forgotten, event: Effect) -> str | None:
        """There is nothing to get any more, which is another property's matter."""
        self.missed.pop((fact.stream, fact.group, fact.id), None)
        return None

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Effect) -> str | None:
        """They are gone, which is another property's matter."""
        return self._drop(fact)

    def on_group_removed(self, fact: GroupRemoved, event: Effect) -> str | None:
        """They are gone, which is another property's matter."""
        return self._drop(fact)

    def on_replied(self, event: Replied) -> str | None:
        """What the reply carried has arrived."""
        for key in self.carried.pop((event.process, event.call), ()):
            self.missed.pop(key, None)
        return None

    def on_lost(self, event: Lost) -> str | None:
        """What the reply carried has not."""
        for key in self.carried.pop((event.process, event.call), ()):
            self.missed[key] = None
        return None

    def on_crashed(self, event: Crashed) -> str | None:
        """What was on its way to a dead process is lost by name."""
        for key in [key for key in self.carried if key[0] == event.process]:
            for entry in self.carried.pop(key):
                self.missed[entry] = None
        return None

    def _carry(self, fact: Delivered | Claimed | Reread, event: Effect | Served) -> str | None:
        self.carried.setdefault((event.process, event.call), []).append((fact.stream, fact.group, fact.id))
        return None

    def _drop(self, fact: ConsumerRemoved | GroupRemoved) -> str | None:
        for entry_id in fact.pending:
            self.missed.pop((fact.stream, fact.group, entry_id), None)
        return None

    def at_end(self, at_ms: int) -> str | None:
        """Is there something that nobody has got, though it was delivered?"""
        if not self.missed:
            return None
        stream, group, entry_id = next(iter(self.missed))
        more = f" (and {len(self.missed) - 1} more)" if len(self.missed) > 1 else ""
        return (
            f"entry {show(entry_id)} of {name(stream)} was delivered in group {name(group)} and nobody ever received "
            f"it: the reply was lost{more}"
        )


class OneIntentOneEntry(Monitor):
    """Knows the fields of all entries of each stream."""

    def __init__(self) -> None:
        self.added: dict[int, dict[tuple[bytes, ...], int]] = {}

    def on_added(self, fact: Added, event: Effect) -> str | None:
        """Is it there already?"""
        added = self.added.setdefault(fact.born, {})
        first = added.setdefault(fact.fields, fact.id)
        if first == fact.id:
            return None
        pairs = zip(fact.fields[::2], fact.fields[1::2], strict=True)
        what = ", ".join(f"{name(key)} {name(value)}" for key, value in pairs)
        return f"entry {show(fact.id)} says what entry {show(first)} says already: {what}"

    def on_stream_removed(self, fact: StreamRemoved, event: Effect) -> str | None:
        """A stream of the same name is another stream."""
        self.added.pop(fact.born, None)
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "delivered-implies-received", "eventually", "whatever is delivered is received by somebody in the end",
        DeliveredImpliesReceived,
        "at the end, each entry of a Delivered, Claimed or Reread fact whose reply was lost was carried by a later "
        "reply that arrived, or is not pending any more",
        ("what is acknowledged, forgotten or dropped needs no receiver",),
    ),
    Property(
        "one-intent-one-entry", "always", "what a producer means to add once is in the stream once", OneIntentOneEntry,
        "no two Added facts of one stream have the same fields: they are taken to name the intent",
        ("a stream that was removed is another stream",),
    ),
)  # fmt: skip

"""Application properties of order: do the entries of one key take effect one after the other?"""

from __future__ import annotations

from ...models import ids
from ...models.facts import Added
from ..events import Event, Handled
from ..watch import Monitor, Property
from .wording import name, show

KEY_FIELD = b"key"
"""The field of an entry that says what it is about."""


class PerKeyOrder(Monitor):
    """Remembers the newest entry of each key that was handled in each group."""

    def __init__(self) -> None:
        self.keys: dict[tuple[bytes, int], bytes] = {}
        """(stream, id) to the value of the entry's field ``key``."""
        self.newest: dict[tuple[bytes, bytes, bytes], int] = {}
        """(stream, group, key) to the newest entry that was handled."""

    def on_added(self, fact: Added, event: Event) -> str | None:
        """An entry with a field ``key`` has a place in the order of that key."""
        for field, value in zip(fact.fields[::2], fact.fields[1::2], strict=True):
            if field == KEY_FIELD:
                self.keys[fact.stream, fact.id] = value
        return None

    def on_handled(self, event: Handled) -> str | None:
        """No newer entry of its key may have been handled before it."""
        entry_id = ids.parse(event.entry, 0, strict=True)
        if entry_id is None or not event.group:
            return None
        key = self.keys.get((event.stream, entry_id))
        if key is None:
            return None
        newest = self.newest.get((event.stream, event.group, key), 0)
        if entry_id >= newest:
            self.newest[event.stream, event.group, key] = entry_id
            return None
        return (
            f"{event.process} handled entry {show(entry_id)} of key {name(key)} in group {name(event.group)} after "
            f"the newer {show(newest)}"
        )


PROPERTIES: tuple[Property, ...] = (
    Property(
        "per-key-order", "always", "the entries of one key are handled in the order in which they were added",
        PerKeyOrder,
        "in each group the IDs of the Handled events of entries whose field 'key' has the same value ascend, or stay",
        ("an entry may be handled again as long as no newer one of its key was", "entries without a key have no order",
         "entries read without a group have none either"),
    ),
)  # fmt: skip

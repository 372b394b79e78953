"""Server invariants of ownership: to whom each pending entry belongs, and what the server says of it."""

from __future__ import annotations

from ...models.facts import Acked, Claimed, ConsumerRemoved, Delivered, Forgotten, GroupRemoved, Nacked, Reread
from ..events import Event
from ..watch import Monitor
from .wording import GroupKey, name, show


class Owners(Monitor):
    """Base of the monitors that follow who owns each pending entry."""

    def __init__(self) -> None:
        self.owners: dict[GroupKey, dict[int, bytes]] = {}
        """Entry to owner, for the entries that have one."""

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """The reader owns it from now on."""
        owners = self.owners.setdefault((fact.born, fact.group), {})
        if fact.noack:
            return None
        wrong = self.said(owners, fact.id, fact.owner_before)
        owners[fact.id] = fact.consumer
        return wrong

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """The claimer takes it from its owner."""
        owners = self.owners.setdefault((fact.born, fact.group), {})
        wrong = self.said(owners, fact.id, fact.owner_before)
        owners[fact.id] = fact.consumer
        return wrong

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """It leaves its owner's list."""
        return self._left(fact.born, fact.group, fact.id, fact.owner)

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """It leaves its owner's list."""
        return self._left(fact.born, fact.group, fact.id, fact.owner)

    def on_nacked(self, fact: Nacked, event: Event) -> str | None:
        """It leaves its owner's list, and is on nobody's."""
        return self._left(fact.born, fact.group, fact.id, fact.owner_before)

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """What it owned goes with it."""
        owners = self.owners.get((fact.born, fact.group), {})
        owned = sorted(entry_id for entry_id, owner in owners.items() if owner == fact.consumer)
        for entry_id in owned:
            del owners[entry_id]
        return self.listed(fact, owned)

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """Nothing is owned any more."""
        self.owners.pop((fact.born, fact.group), None)
        return None

    def said(self, owners: dict[int, bytes], entry_id: int, said: bytes | None) -> str | None:
        """What is wrong with the owner that the server names, before the entry changes hands."""
        return None

    def listed(self, fact: ConsumerRemoved, owned: list[int]) -> str | None:
        """What is wrong with what the server takes for a consumer's."""
        return None

    def _left(self, born: int, group: bytes, entry_id: int, said: bytes | None) -> str | None:
        owners = self.owners.get((born, group), {})
        wrong = self.said(owners, entry_id, said)
        owners.pop(entry_id, None)
        return wrong


def compare(owners: dict[int, bytes], entry_id: int, said: bytes | None) -> str | None:
    """What is wrong where the server says that an entry is ``said``'s."""
    owner = owners.get(entry_id)
    if owner == said:
        return None
    have = "nobody" if owner is None else name(owner)
    told = "nobody" if said is None else name(said)
    return f"entry {show(entry_id)} belongs to {have}, the server says {told}"


class OneOwner(Owners):
    """Holds what the server says of an entry's owner against whom it was last given to."""

    def said(self, owners: dict[int, bytes], entry_id: int, said: bytes | None) -> str | None:
        """Is it the last to whom it was given?"""
        return compare(owners, entry_id, said)


class PendingIsOwned(Owners):
    """Holds what is on a consumer's list against what it was given and still has."""

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """Only the owner has it in its history."""
        return compare(self.owners.get((fact.born, fact.group), {}), fact.id, fact.consumer)

    def listed(self, fact: ConsumerRemoved, owned: list[int]) -> str | None:
        """Exactly what it owned was on its list."""
        if owned == list(fact.pending):
            return None
        return f"consumer {name(fact.consumer)} left with other pending entries than it owned"

"""Server invariants: true of every correct server, in every epoch of a group's cursor."""

from __future__ import annotations

from ...models import ids
from ...models.facts import (
    NEW_EPOCH,
    Acked,
    Added,
    Claimed,
    ConsumerRemoved,
    CursorMoved,
    Delivered,
    Forgotten,
    GroupCreated,
    GroupRemoved,
    LastIdSet,
    Nacked,
    Reread,
)
from ..events import Effect, Event, Served
from ..watch import Monitor, Property
from .accounting import AccountedFor, LagExactOrNull
from .monotone import CountMonotone, CursorMonotone
from .owners import OneOwner, PendingIsOwned
from .wording import GroupKey, name, show


class DeliveredOnce(Monitor):
    """Remembers what ``>`` delivered in each epoch."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, bytes, int], dict[int, None]] = {}

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """A second delivery in one epoch is wrong."""
        seen = self.seen.setdefault((fact.born, fact.group, fact.epoch), {})
        if fact.id in seen:
            return f"entry {show(fact.id)} was delivered twice by '>' to group {name(fact.group)}"
        seen[fact.id] = None
        return None


class DeliveryInOrder(Monitor):
    """Remembers the last ID that ``>`` delivered in each epoch."""

    def __init__(self) -> None:
        self.last: dict[tuple[int, bytes, int], int] = {}

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """Deliveries ascend."""
        key = (fact.born, fact.group, fact.epoch)
        last = self.last.get(key, -1)
        self.last[key] = fact.id
        if fact.id <= last:
            return f"group {name(fact.group)} got entry {show(fact.id)} after {show(last)}"
        return None


class IdsIncrease(Monitor):
    """Remembers the last ID of each stream."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}

    def on_added(self, fact: Added, event: Event) -> str | None:
        """Each ID is greater than the one before."""
        last = self.last.get(fact.born, 0)
        self.last[fact.born] = max(last, fact.id)
        if fact.id <= last:
            return f"stream {name(fact.stream)} took ID {show(fact.id)} after {show(last)}"
        return None

    def on_last_id_set(self, fact: LastIdSet, event: Event) -> str | None:
        """XSETID says from where IDs go on."""
        self.last[fact.born] = fact.last_id
        return None


class AckedStaysAcked(Monitor):
    """Remembers what was acknowledged since the cursor's epoch began."""

    def __init__(self) -> None:
        self.cursors: dict[GroupKey, int] = {}
        self.acked: dict[GroupKey, dict[int, bool]] = {}
        """What was acknowledged, and whether the cursor had come to it by then."""

    def on_group_created(self, fact: GroupCreated, event: Event) -> str | None:
        """Where the cursor starts."""
        self.cursors[fact.born, fact.group] = fact.cursor
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """From now on it is settled; what stands past the cursor has still to be delivered."""
        key = (fact.born, fact.group)
        self.acked.setdefault(key, {})[fact.id] = fact.id <= self.cursors.get(key, ids.ID_MAX)
        return None

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """SETID opens a new epoch, in which all may be delivered again."""
        self.cursors[fact.born, fact.group] = fact.cursor
        if fact.cause in NEW_EPOCH:
            self.acked.pop((fact.born, fact.group), None)
        return None

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """A group of the same name is another group."""
        self.acked.pop((fact.born, fact.group), None)
        self.cursors.pop((fact.born, fact.group), None)
        return None

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """Not again in this epoch, unless the cursor has only now come to it."""
        acked = self.acked.get((fact.born, fact.group), {})
        if acked.get(fact.id) is False:
            del acked[fact.id]
        return self._again(fact.born, fact.group, fact.id, "delivered")

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """Not again in this epoch."""
        return self._again(fact.born, fact.group, fact.id, "read from history")

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """Not again in this epoch, but for FORCE, which is asked for by name."""
        if fact.idle_ms is None:
            self.acked.get((fact.born, fact.group), {}).pop(fact.id, None)
            return None
        return self._again(fact.born, fact.group, fact.id, "claimed")

    def on_nacked(self, fact: Nacked, event: Event) -> str | None:
        """Not again in this epoch, but for FORCE, which is asked for by name."""
        if fact.new:
            self.acked.get((fact.born, fact.group), {}).pop(fact.id, None)
            return None
        return self._again(fact.born, fact.group, fact.id, "given back")

    def _again(self, born: int, group: bytes, entry_id: int, how: str) -> str | None:
        if entry_id in self.acked.get((born, group), ()):
            return f"entry {show(entry_id)} was {how} in group {name(group)} after it was acknowledged"
        return None


class ClaimRespectsIdle(Monitor):
    """Keeps its own idle clocks of what is pending, and holds every claim against them."""

    server_times = frozenset({"since"})

    def __init__(self) -> None:
        self.since: dict[GroupKey, dict[int, int]] = {}

    def on_delivered(self, fact: Delivered, event: Effect | Served) -> str | None:
        """The idle clock starts."""
        if not fact.noack:
            self.since.setdefault((fact.born, fact.group), {})[fact.id] = event.server_ms
        return None

    def on_reread(self, fact: Reread, event: Effect | Served) -> str | None:
        """The idle clock starts again."""
        self.since.setdefault((fact.born, fact.group), {})[fact.id] = event.server_ms
        return None

    def on_nacked(self, fact: Nacked, event: Effect | Served) -> str | None:
        """What belongs to nobody is idle without end."""
        self.since.get((fact.born, fact.group), {}).pop(fact.id, None)
        return None

    def on_claimed(self, fact: Claimed, event: Effect | Served) -> str | None:
        """It must have been idle for as long as the claimer asked."""
        since = self.since.setdefault((fact.born, fact.group), {})
        began = since.get(fact.id)
        since[fact.id] = fact.delivered_ms
        if fact.idle_ms is None or not fact.min_idle_ms or began is None:
            return None
        if fact.idle_ms < 0 and event.server_ms < began:
            return None  # XREADGROUP CLAIM, for which what stands in the future is idle without end
        idle_ms = event.server_ms - began
        if idle_ms < fact.min_idle_ms:
            return (
                f"{name(fact.consumer)} claimed entry {show(fact.id)} after {idle_ms} ms of idleness, "
                f"with min-idle {fact.min_idle_ms} ms"
            )
        return None

    def on_acked(self, fact: Acked, event: Event) -> str | None:
        """Its clock is of no use any more."""
        return self._stop((fact.born, fact.group), (fact.id,))

    def on_forgotten(self, fact: Forgotten, event: Event) -> str | None:
        """Its clock is of no use any more."""
        return self._stop((fact.born, fact.group), (fact.id,))

    def on_consumer_removed(self, fact: ConsumerRemoved, event: Event) -> str | None:
        """Their clocks are of no use any more."""
        return self._stop((fact.born, fact.group), fact.pending)

    def on_group_removed(self, fact: GroupRemoved, event: Event) -> str | None:
        """Nor are those of all that was pending in it."""
        self.since.pop((fact.born, fact.group), None)
        return None

    def _stop(self, key: GroupKey, entries: tuple[int, ...]) -> str | None:
        since = self.since.get(key, {})
        for entry_id in entries:
            since.pop(entry_id, None)
        return None


PROPERTIES: tuple[Property, ...] = (
    Property(
        "accounted-for", "always",
        "each entry past the group's start is undelivered, pending, acknowledged, given (NOACK), or forgotten by a "
        "named fact",
        AccountedFor,
        "for every read that moves a cursor from a to b, every live entry in (a, b] is delivered by that read; an "
        "entry leaves the pending list only by Acked, Forgotten, ConsumerRemoved or GroupRemoved, and was on it",
    ),
    Property(
        "delivered-once", "always", "'>' delivers an entry at most once in each epoch of the group's cursor",
        DeliveredOnce, "no two Delivered facts agree in stream, group, epoch and ID",
    ),
    Property(
        "delivery-in-order", "always", "'>' delivers entries in the order of their IDs", DeliveryInOrder,
        "the IDs of the Delivered facts of one epoch ascend",
    ),
    Property(
        "ids-increase", "always", "each entry's ID is greater than every ID before it in its stream", IdsIncrease,
        "the IDs of the Added facts of one stream ascend", ("XSETID says from where they go on",),
    ),
    Property(
        "cursor-monotone", "always", "a group's cursor never goes back", CursorMonotone,
        "within one epoch the cursors of the CursorMoved facts ascend, or stay",
        ("SETID opens a new epoch, by name",),
    ),
    Property(
        "acked-stays-acked", "always", "an acknowledged entry is not delivered, claimed or read from history again",
        AckedStaysAcked, "within one epoch no Delivered, Claimed or Reread follows Acked of the same entry",
        ("XCLAIM FORCE and XNACK FORCE make it pending again, by name", "SETID opens a new epoch",
         "what was acknowledged past the cursor (FORCE made it pending, or SETID went back) is still delivered once"),
    ),
    Property(
        "pending-is-owned", "always", "what is pending in a group is what is pending for its consumers, each for one",
        PendingIsOwned,
        "Reread names the last consumer to whom the entry was delivered or claimed, and ConsumerRemoved all that the "
        "consumer has so, and nothing else",
        ("after XNACK it belongs to nobody, until it is claimed",),
    ),
    Property(
        "one-owner", "always", "a pending entry has one owner at a time: the last to whom it was given", OneOwner,
        "the owner that Delivered, Claimed, Acked, Forgotten and Nacked name is the last one to whom the entry was "
        "delivered or claimed",
        ("after XNACK it belongs to nobody, until it is claimed",),
    ),
    Property(
        "count-monotone", "always", "the delivery count of a pending entry never falls", CountMonotone,
        "the counts of the Delivered, Reread and Claimed facts of a pending entry ascend, or stay",
        ("RETRYCOUNT sets the count, by name", "XNACK says from where it goes on",
         "'>' counts from 1 again where SETID went back"),
    ),
    Property(
        "claim-respects-idle", "always", "no entry is claimed before it was idle for the claimer's min-idle time",
        ClaimRespectsIdle, "at Claimed, the server's clock minus the delivery time is at least min-idle",
        ("min-idle 0 asks for nothing", "FORCE makes new pending entries", "what XNACK gave back waits for nothing",
         "XREADGROUP CLAIM takes what was delivered in the future, after the clock went back"),
    ),
    Property(
        "lag-exact-or-null", "always", "a group's lag is the number of entries beyond its cursor, or null",
        LagExactOrNull, "CursorMoved.lag and LagReported.lag are None or the count of live IDs past the cursor",
        ("after XSETID, XGROUP SETID or LASTID the server estimates", "after XDEL or a trim it may count what is gone",
         "a group that starts inside the stream is estimated, and ENTRIESREAD is believed"),
    ),
)  # fmt: skip
"""The server invariants, in the order in which they are reported."""

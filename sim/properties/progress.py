"""Application properties of progress: does what is pending get settled, and is nothing asked for in vain for ever?"""

from __future__ import annotations

from ...models import ids
from ...models.facts import Claimed, ConsumerCreated, Delivered, LagReported, Reread
from ...models.replies import BLOCKED, Simple
from ..events import Crashed, Effect, Event, Handled, Handling, Healed
from ..watch import Monitor, Property
from .claims import NoOrphan, PendingKey
from .wording import name, show

DELIVERIES_MAX = 5
"""An entry that was delivered so often and is still pending is not going to be settled by one time more."""
BY_THE_WAY = (LagReported, ConsumerCreated)
"""Facts of which nobody could say that something came of the command."""
IN_VAIN_MAX = 30
"""So many commands in a row may change nothing: a turn may well look at several things before it waits."""


class PelDrains(NoOrphan):
    """Remembers who has what pending, whenever it was given."""

    def on_healed(self, event: Healed) -> str | None:
        """What is given after the faults has to be settled no less."""
        return None

    def at_end(self, at_ms: int) -> str | None:
        """Is something still pending that nobody is working on?"""
        handled = {entry for entries in self.working.values() for entry in entries}
        left = [
            (key, consumer)
            for key, (_, consumer) in self.given.items()
            if (key[0], key[1], ids.show(key[2])) not in handled
        ]
        if not left:
            return None
        (key, consumer), more = left[0], len(left) - 1
        return self._say(key, consumer, at_ms) + (f" (and {more} more)" if more else "")

    def _say(self, key: PendingKey, consumer: bytes, at_ms: int) -> str:
        stream, group, entry_id = key
        given_ms = self.given_ms.get(key, at_ms)
        return (
            f"entry {show(entry_id)} of {name(stream)} is still pending for {name(consumer)} in group {name(group)} "
            f"at the end, {at_ms - given_ms} ms after it was given"
        )


class NoHotLoop(Monitor):
    """Counts the commands of each process that changed nothing, as long as they follow each other without a pause."""

    server_times = frozenset({"last"})
    tells_ms = 1

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        """The server's time at the last of them."""
        self.in_vain: dict[str, int] = {}

    def on_effect(self, event: Effect) -> str | None:
        """One more, if it changed nothing and came within a millisecond of the last."""
        if not event.process:
            return None
        waits = any(reply is BLOCKED for reply in event.replies)
        wrote = any(isinstance(reply, Simple) for reply in event.replies)
        if waits or wrote or any(not isinstance(fact, BY_THE_WAY) for fact in event.facts):
            return self._rest(event.process)
        last = self.last.get(event.process)
        at_once = last is not None and event.server_ms - last <= 1
        count = self.in_vain.get(event.process, 0) + 1 if at_once else 1
        self.last[event.process] = event.server_ms
        self.in_vain[event.process] = min(count, IN_VAIN_MAX + 1)
        if count <= IN_VAIN_MAX:
            return None
        what = name(event.commands[0][0]).upper()
        return f"{event.process} sent {count} commands in a row without a pause that changed nothing, {what} the last"

    def on_handling(self, event: Handling) -> str | None:
        """Who works does not ask in vain."""
        return self._rest(event.process)

    def on_handled(self, event: Handled) -> str | None:
        """Nor who has worked."""
        return self._rest(event.process)

    def on_crashed(self, event: Crashed) -> str | None:
        """A dead process sends nothing."""
        return self._rest(event.process)

    def _rest(self, process: str) -> str | None:
        self.last.pop(process, None)
        self.in_vain.pop(process, None)
        return None


class BoundedDeliveries(Monitor):
    """Looks at the delivery count of what is given out."""

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        """How often now?"""
        return self._look(fact)

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        """How often now?"""
        return self._look(fact)

    def on_reread(self, fact: Reread, event: Event) -> str | None:
        """How often now?"""
        return self._look(fact)

    @staticmethod
    def _look(fact: Delivered | Claimed | Reread) -> str | None:
        if fact.count <= DELIVERIES_MAX:
            return None
        return f"entry {show(fact.id)} is delivered for the {fact.count}th time, to {name(fact.consumer)}"


PROPERTIES: tuple[Property, ...] = (
    Property(
        "pel-drains", "eventually", "once the faults have stopped, everything that is pending gets settled", PelDrains,
        "at the end no entry is pending: each Delivered and Claimed fact is followed by Acked, Forgotten, "
        "ConsumerRemoved or GroupRemoved",
        ("what is being handled at the end has its time",),
    ),
    Property(
        "no-hot-loop", "always", "nobody asks again and again, without a pause, for what is not there", NoHotLoop,
        f"no process sends more than {IN_VAIN_MAX} commands in a row without facts, each within 1 ms of the one before",
        ("a command that blocks has waited", "a write to a plain key is answered OK and leaves no fact"),
    ),
    Property(
        "bounded-deliveries", "always", f"no entry is delivered more than {DELIVERIES_MAX} times", BoundedDeliveries,
        f"the count of each Delivered, Claimed and Reread fact is at most {DELIVERIES_MAX}",
        ("a claim with JUSTID does not count",),
    ),
)  # fmt: skip

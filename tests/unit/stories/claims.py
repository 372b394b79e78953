"""Stories of claiming: each property, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.sim.events import Ended, Healed

from .telling import (
    START,
    A,
    Case,
    acked,
    claimed,
    consumer_removed,
    crashed,
    did,
    forgotten,
    group_removed,
    handled,
    handling,
    read,
    reread,
)

BREAKS = [
    Case("no-orphan", "a consumer that is dead has it since before the faults stopped",
         [*START, read(1, 0, at=30), handling(1, at=30), crashed("a", at=40), Healed(100), Ended(900)],
         ("entry 1-0 of s", "pending for a", "since 30 ms", "group g", "870 ms")),
    Case("no-orphan", "it was delivered in the very moment in which the faults stopped",
         [*START, read(1, 0, at=100), Healed(100), Ended(900)], ("1-0", "since 100 ms")),
    Case("no-orphan", "two wait", [*START, read(1, 0), read(2, 1), Healed(100), Ended(900)], ("1-0", "1 more")),
    Case("no-orphan", "it was handled and never acknowledged",
         [*START, read(1, 0), handling(1), Healed(100), handled(1, at=200), Ended(900)], ("1-0",)),
    Case("no-orphan", "its claimer died in the first phase",
         [*START, read(1, 0), claimed(1, at=50), Healed(100), Ended(900)], ("pending for b", "since 50 ms")),
    Case("no-orphan", "its owner handles another entry, and another handles it in another group",
         [*START, read(1, 0), Healed(100), handling(2), handling(1, "b", group=b"h"), Ended(900)], ("1-0",)),
]  # fmt: skip

NEARLY = [
    Case("no-orphan", "it is claimed in the second phase",
         [*START, read(1, 0), Healed(100), claimed(1, at=101), Ended(900)]),
    Case("no-orphan", "it is read again in the second phase",
         [*START, read(1, 0), Healed(100), reread(1, at=101), Ended(900)]),
    Case("no-orphan", "it is delivered in the second phase", [*START, Healed(100), read(1, 0, at=101), Ended(900)]),
    Case("no-orphan", "it is acknowledged in the second phase",
         [*START, read(1, 0), Healed(100), acked(1, at=900), Ended(900)]),
    Case("no-orphan", "its slow handler is at it to the end",
         [*START, read(1, 0), handling(1), Healed(100), Ended(900)]),
    Case("no-orphan", "it was given with NOACK", [*START, read(1, 0, noack=True), Healed(100), Ended(900)]),
    Case("no-orphan", "it was forgotten, which is another property's matter",
         [*START, read(1, 0), forgotten(1), read(2, 1), consumer_removed(A, 2), Healed(100), Ended(900)]),
    Case("no-orphan", "its group went, which is another property's matter",
         [*START, read(1, 0), did(group_removed(1)), Healed(100), Ended(900)]),
]  # fmt: skip

EXCEPTIONS: list[Case] = []

"""What meets a *sometimes* statement, and what nearly does: of the shared ones, and of the scenarios' own."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.sim.events import ClockJumped

from .telling import (
    START,
    A,
    B,
    Case,
    G,
    S,
    acked,
    claimed,
    consumer_removed,
    crashed,
    deleted,
    did,
    entry,
    forgotten,
    group_removed,
    handled,
    handling,
    moved,
    read,
    started,
    trimmed,
)

MEETS = [
    Case("cancelled", "XDEL deleted an entry", [*START, deleted(2)]),
    Case("clock-back", "the clock of a host was set back", [*START, ClockJumped(5, "redis", -1)]),
    Case("lag-told", "XINFO told that it knows no lag", [*START, did(f.LagReported(S, 1, G, entry(1), None))]),
    Case("rewound", "SETID went back", [*START, read(1, 0), did(moved(1, 0, "SETID"))]),
    Case("stream-deleted", "DEL took the stream", [*START, did(f.StreamRemoved(S, 1, "DEL"))]),
    Case("consumer-deleted", "a consumer with nothing pending was deleted", [*START, consumer_removed(A)]),
    Case("crashed-busy", "it crashed while it handled an entry", [*START, read(1, 0), handling(1), crashed("a")]),
    Case("crashed-holding", "it crashed with what it was delivered",
         [started("p1", "a"), *START, read(1, 0), crashed("p1")]),
    Case("crashed-holding", "it crashed with what it had claimed",
         [started("p1", "a"), started("p2", "b"), *START, read(1, 0), claimed(1), crashed("p2")]),
    Case("taken-over", "another has claimed it", [*START, read(1, 0), claimed(1)]),
    Case("renewed", "its owner has claimed it", [*START, read(1, 0), claimed(1, A)]),
    Case("trimmed", "XADD trimmed an entry", [*START, trimmed(1, cause="XADD")]),
]  # fmt: skip

NEARLY_MEETS = [
    Case("cancelled", "XTRIM trimmed an entry", [*START, trimmed(2)]),
    Case("clock-back", "the clock of a host was set forward", [*START, ClockJumped(5, "redis", 1)]),
    Case("lag-told", "a read moved the cursor", [*START, read(1, 0)]),
    Case("rewound", "SETID went forward, and LASTID", [*START, did(moved(0, 1, "SETID")), did(moved(1, 2, "LASTID"))]),
    Case("stream-deleted", "its group was destroyed", [*START, did(group_removed())]),
    Case("consumer-deleted", "its group went with it", [*START, read(1, 0), did(group_removed(1))]),
    Case("crashed-busy", "it came to the end of its work", [*START, read(1, 0), handling(1), handled(1), acked(1)]),
    Case("crashed-holding", "it crashed after it had acknowledged",
         [started("p1", "a"), *START, read(1, 0), acked(1), crashed("p1")]),
    Case("crashed-holding", "it crashed after another had claimed it",
         [started("p1", "a"), started("p2", "b"), *START, read(1, 0), claimed(1), crashed("p1")]),
    Case("crashed-holding", "it crashed with what it was given with NOACK",
         [started("p1", "a"), *START, read(1, 0, noack=True), crashed("p1")]),
    Case("crashed-holding", "it crashed under its new name",
         [started("p1", "a"), *START, read(1, 0), started("p1", "a-2"), crashed("p1")]),
    Case("crashed-holding", "what it had was dropped before",
         [started("p1", "a"), *START, read(1, 0), consumer_removed(A, 1), crashed("p1")]),
    Case("crashed-holding", "what it had went with its group",
         [started("p1", "a"), *START, read(1, 0), did(group_removed(1)), crashed("p1")]),
    Case("crashed-holding", "what it had was forgotten",
         [started("p1", "a"), *START, read(1, 0), forgotten(1), crashed("p1")]),
    Case("taken-over", "its owner has claimed it, and FORCE took what was nobody's",
         [*START, read(1, 0), claimed(1, A), claimed(2, B, of=None)]),
    Case("renewed", "another has claimed it, and FORCE took what was nobody's",
         [*START, read(1, 0), claimed(1), claimed(2, B, of=None)]),
    Case("trimmed", "entries were deleted", [*START, deleted(1, 2)]),
]  # fmt: skip

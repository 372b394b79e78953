"""Stories of links: each property of what is received, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.sim.events import Ended, Event, Lost, Replied

from .telling import (
    START,
    A,
    B,
    Case,
    G,
    S,
    acked,
    added,
    claimed,
    consumer_removed,
    crashed,
    did,
    entry,
    forgotten,
    group_removed,
    read,
    reread,
)

LOST: list[Event] = [*START, read(1, 0), Lost(5, "p", 1, "reply")]
"""The reply that carries entry 1 is lost."""


def stolen_back(min_idle_ms: int) -> Event:
    return did(f.Claimed(S, 1, G, A, entry(1), B, 9, min_idle_ms, 3, 1000))


def given(n: int, count: int) -> Event:
    return did(f.Claimed(S, 1, G, B, entry(n), A, 9, 5, count, 1000))


BREAKS = [
    Case("delivered-implies-received", "nobody gets it afterwards", [*LOST, Ended(900)], ("1-0", "group g", "lost")),
    Case("delivered-implies-received", "the reply to its claim is lost as well, and another entry arrives",
         [*LOST, claimed(1), Lost(6, "p", 1, "reply"), read(2, 1), Replied(7, "p", 1), Ended(900)], ("1-0",)),
    Case("delivered-implies-received", "two are lost with one reply",
         [*START, read(1, 0), read(2, 1), Lost(5, "p", 1, "reply"), Ended(900)], ("1-0", "1 more")),
    Case("delivered-implies-received", "its process crashes before the reply is there",
         [*START, read(1, 0), crashed("p"), Ended(900)], ("1-0",)),
    Case("one-intent-one-entry", "an entry has the fields of another", [did(added(1)), did(added(2))],
         ("2-0", "1-0", "k v")),
    Case("no-steal-back", "it is claimed from a, who claims it back with min-idle 0",
         [*START, read(1, 0), claimed(1), stolen_back(0)], ("a lost entry 1-0 to b",)),
    Case("no-zombie-ack", "another process has claimed it",
         [*START, read(1, 0), did(f.Claimed(S, 1, G, B, entry(1), A, 9, 5, 2, 1000), process="q"), acked(1, B)],
         ("p acknowledged entry 1-0", "q had")),
    Case("bounded-deliveries", "it is claimed for the sixth time", [*START, read(1, 0), given(1, 5), given(1, 6)],
         ("1-0", "6th", "b")),
]  # fmt: skip

NEARLY = [
    Case("delivered-implies-received", "its reply arrives",
         [*START, read(1, 0), Replied(5, "p", 1), Lost(6, "p", 1, "request"), Ended(900)]),
    Case("delivered-implies-received", "it is read again from history",
         [*LOST, reread(1), Replied(9, "p", 1), Ended(900)]),
    Case("delivered-implies-received", "it is claimed", [*LOST, claimed(1), Replied(9, "p", 1), Ended(900)]),
    Case("one-intent-one-entry", "the fields differ",
         [did(added(1)), did(f.Added(S, 1, entry(2), (b"k", b"w"))), did(f.Added(S, 1, entry(3), (b"l", b"v")))]),
    Case("no-steal-back", "a renews what it has, and b claims what a had",
         [*START, read(1, 0), claimed(1, A), claimed(1)]),
    Case("no-steal-back", "it was settled in between: another entry of that ID is another matter",
         [*START, read(1, 0), claimed(1), acked(1, B), stolen_back(0)]),
    Case("no-steal-back", "it was forgotten, or went with its consumer or its group",
         [*START, read(1, 0), claimed(1), forgotten(1, B), stolen_back(0), acked(1), claimed(1),
          consumer_removed(B, 1), stolen_back(0), acked(1), claimed(1), did(group_removed(1)), stolen_back(0)]),
    Case("no-zombie-ack", "who has it acknowledges it", [*START, read(1, 0), claimed(1), acked(1, B)]),
    Case("no-zombie-ack", "it was read again by the process that acknowledges it",
         [*START, read(1, 0), reread(1), acked(1)]),
    Case("no-zombie-ack", "it was settled and claimed by force since",
         [*START, read(1, 0), acked(1), claimed(1, B, of=None), acked(1, B)]),
    Case("bounded-deliveries", "the fifth time", [*START, read(1, 0), given(1, 5), reread(1)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("delivered-implies-received", "it is acknowledged by its ID", [*LOST, acked(1), Ended(900)],
         exception="what is acknowledged"),
    Case("delivered-implies-received", "it is forgotten, or its consumer or group goes",
         [*LOST, forgotten(1), *LOST[-2:], consumer_removed(A, 1), *LOST[-2:], did(group_removed(1)), Ended(900)],
         exception="what is acknowledged"),
    Case("one-intent-one-entry", "the stream was deleted in between",
         [did(added(1)), did(f.StreamRemoved(S, 1, "DEL")), did(f.Added(S, 1, entry(2), (b"k", b"v")))],
         exception="a stream that was removed"),
    Case("no-steal-back", "a waits for its min-idle", [*START, read(1, 0), claimed(1), stolen_back(5)],
         exception="after a min-idle"),
    Case("no-zombie-ack", "it was given with NOACK", [*START, read(1, 0, noack=True), acked(1)],
         exception="what was given with NOACK"),
    Case("bounded-deliveries", "a claim with JUSTID leaves the count as it was",
         [*START, read(1, 0), *[given(1, 5)] * 4], exception="a claim with JUSTID"),
]  # fmt: skip


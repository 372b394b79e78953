"""Stories of progress: each property, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.models import facts as f
from redelivery.models.replies import BLOCKED, Failure, Reply, Simple
from redelivery.sim.events import Effect, Ended, Event, Healed

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
    did,
    forgotten,
    group_removed,
    handled,
    handling,
    read,
)


def asked(at: int, reply: Reply = (), *facts: f.Fact, process: str = "a") -> Effect:
    """A command of which nothing matters but when it came and what came of it."""
    return Effect(at, process, 1, 1, at, 1000 + at, ((b"xreadgroup",),), (reply,), facts)


def in_vain(times: int, *, every: int = 1, start: int = 0, process: str = "a") -> list[Event]:
    return [asked(start + every * i, process=process) for i in range(times)]


def beside_work(times: int) -> list[Event]:
    """One asks for the lag, and another acknowledges something."""
    found: list[Event] = []
    for i in range(times):
        found += [asked(i, (), LAG), asked(i, (), f.Acked(S, 1, G, 1, B), process="b")]
    return found


LAG = f.LagReported(S, 1, G, 0, 0)
SEEN = f.ConsumerCreated(S, 1, G, A)

BREAKS = [
    Case("pel-drains", "it was given after the faults had stopped, and is never acknowledged",
         [*START, Healed(100), read(1, 0, at=200), handling(1), handled(1), Ended(900)],
         ("entry 1-0 of s", "pending for a", "group g", "700 ms after")),
    Case("pel-drains", "two are left, one of them claimed", [*START, read(1, 0), read(2, 1), claimed(2), Ended(9)],
         ("entry 1-0", "1 more")),
    Case("pel-drains", "its handler is dead", [*START, read(1, 0), handling(1), crashed(), Ended(9)], ("1-0",)),
    Case("no-hot-loop", "it reads 31 times, once a millisecond, and gets nothing",
         in_vain(31), ("a sent 31 commands", "XREADGROUP the last")),
    Case("no-hot-loop", "it gets an error each time, in no time at all",
         [asked(0, Failure(b"NOGROUP")) for _ in range(31)], ("a sent 31",)),
    Case("no-hot-loop", "it only looks at the lag, and another does its work between",
         [*beside_work(30), asked(30, (), LAG)], ("a sent 31",)),
    Case("no-hot-loop", "its reads make the consumer, and nothing else",
         [asked(0, (), SEEN), *in_vain(30)], ("a sent 31",)),
]  # fmt: skip

NEARLY = [
    Case("pel-drains", "every way off the list is taken",
         [*START, read(1, 0), read(2, 1), acked(1), claimed(2), acked(2, B), read(3, 2), consumer_removed(A, 3),
          Ended(9)]),
    Case("pel-drains", "it is acknowledged in the last moment", [*START, Healed(1), read(1, 0), acked(1), Ended(1)]),
    Case("pel-drains", "it was forgotten, or went with its group",
         [*START, read(1, 0), forgotten(1), read(2, 1), did(group_removed(2)), Ended(9)]),
    Case("no-hot-loop", "30 times is no loop", in_vain(30)),
    Case("no-hot-loop", "there is a pause of two milliseconds between", in_vain(60, every=2)),
    Case("no-hot-loop", "one of them brings something", [*in_vain(30), asked(30, (), LAG, f.Acked(S, 1, G, 1, A)),
         *in_vain(30, start=31)]),
    Case("no-hot-loop", "two processes take turns", [*in_vain(30), *in_vain(30, process="b")]),
    Case("no-hot-loop", "it works, or crashes, between",
         [*in_vain(30), handling(1), *in_vain(30), handled(1), *in_vain(30), crashed(), *in_vain(30)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("pel-drains", "its slow handler is at it to the end", [*START, read(1, 0), handling(1), Ended(9)],
         exception="what is being handled"),
    Case("no-hot-loop", "one of the reads blocks", [*in_vain(30), asked(30, BLOCKED), *in_vain(30, start=30)],
         exception="a command that blocks"),
    Case("no-hot-loop", "it sets a key between", [*in_vain(30), asked(30, Simple(b"OK")), *in_vain(30, start=30)],
         exception="a write to a plain key"),
]  # fmt: skip

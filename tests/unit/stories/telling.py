"""How stories are told to properties: events of one stream, one group and two consumers, in a line each."""

from __future__ import annotations

from typing import NamedTuple

from redelivery.models import facts as f
from redelivery.models import ids
from redelivery.scenarios.event_sourcing import EVENTS
from redelivery.sim.events import Crashed, Effect, Event, Handled, Handling, Projected, Started

S, G, A, B = b"s", b"g", b"a", b"b"


def entry(n: int) -> int:
    return ids.make(n, 0)


def entries(*numbers: int) -> tuple[int, ...]:
    return tuple(entry(n) for n in numbers)


def did(*facts: f.Fact, at: int = 0, process: str = "p") -> Effect:
    """A command of which only its facts matter."""
    return Effect(at, process, 1, 1, at, 1000 + at, ((b"X",),), (0,), facts)


def added(n: int) -> f.Added:
    return f.Added(S, 1, entry(n), (b"k", b"v"))


def created(cursor: int = 0, *, group: bytes = G) -> f.GroupCreated:
    return f.GroupCreated(S, 1, group, 1, entry(cursor))


def moved(before: int, cursor: int, cause: str = "read") -> f.CursorMoved:
    return f.CursorMoved(S, 1, G, 1, entry(before), entry(cursor), None, None, cause)


def read(n: int, before: int, to: bytes = A, *, at: int = 0, noack: bool = False) -> Effect:
    """``XREADGROUP ... COUNT 1 >`` that gets entry ``n``."""
    return did(f.Delivered(S, 1, G, 1, to, entry(n), 1, noack, None), moved(before, n), at=at)


def acked(n: int, owner: bytes = A, *, at: int = 0) -> Effect:
    return did(f.Acked(S, 1, G, entry(n), owner), at=at)


def claimed(n: int, by: bytes = B, *, of: bytes | None = A, at: int = 0) -> Effect:
    return did(f.Claimed(S, 1, G, by, entry(n), of, None if of is None else 0, 0, 2, 1000), at=at)


def reread(n: int, by: bytes = A, *, at: int = 0) -> Effect:
    return did(f.Reread(S, 1, G, by, entry(n), 2), at=at)


def forgotten(n: int, owner: bytes = A) -> Effect:
    return did(f.Forgotten(S, 1, G, entry(n), owner, "XAUTOCLAIM"))


def consumer_removed(consumer: bytes, *pending: int) -> Effect:
    return did(f.ConsumerRemoved(S, 1, G, consumer, entries(*pending)))


def group_removed(*pending: int, cause: str = "XGROUP DESTROY") -> f.GroupRemoved:
    return f.GroupRemoved(S, 1, G, 1, entries(*pending), cause)


def deleted(*numbers: int) -> Effect:
    return did(f.Deleted(S, 1, entries(*numbers), "XDEL"))


def trimmed(*numbers: int, cause: str = "XTRIM") -> Effect:
    return did(f.Trimmed(S, 1, entries(*numbers), cause))


def handling(n: int, by: str = "a", *, group: bytes = G, stream: bytes = S, at: int = 0) -> Handling:
    return Handling(at, by, stream, group, b"%d-0" % n)


def handled(n: int, by: str = "a", *, group: bytes = G, stream: bytes = S, at: int = 0) -> Handled:
    return Handled(at, by, stream, group, b"%d-0" % n)


def crashed(process: str = "a", *, at: int = 0) -> Crashed:
    return Crashed(at, process, "fault", "crashed")


def started(process: str, consumer: str) -> Started:
    return Started(0, process, consumer, process, 1)


def projected(value: int, upto: int, by: str, name: str = "balance") -> Projected:
    return Projected(0, by, name, str(value), b"%d-0" % upto)


def journal(kind: bytes, points: int, n: int, *, stream: bytes = EVENTS.encode()) -> Effect:
    fact = f.Added(stream, 1, entry(n), (b"type", kind, b"points", b"%d" % points))
    return did(fact, at=n, process="shop")


START = [did(added(1)), did(added(2)), did(added(3)), did(created(0))]
"""Three entries, and a group that starts before them."""


class Case(NamedTuple):
    """A story, and what the message has to name where its last event breaks the property (or its end does)."""

    property: str
    story: str
    events: list[Event]
    names: tuple[str, ...] = ()
    exception: str = ""
    """The documented exception that it shows: how its text starts."""

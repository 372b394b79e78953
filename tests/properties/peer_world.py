"""The peer's specification of ``group-world`` as a naive search: a cursor, a map of owners, counts, and no Redis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any, NamedTuple

from redelivery.models import ids
from redelivery.models.facts import Claimed, Delivered
from redelivery.sim.catalogue import find
from redelivery.sim.events import Event, Handled
from redelivery.sim.plan import Params
from redelivery.sim.watch import Monitor, Property, Watch
from redelivery.sim.world import World


class Abstract(NamedTuple):
    """A state of the specification; entries and consumers count from 0, -1 is nobody."""

    added: int
    cursor: int
    owner: tuple[int, ...]
    delivered: tuple[int, ...]
    acked: tuple[bool, ...]
    handled: tuple[int, ...]
    doing: tuple[tuple[str, int], ...]
    crashes: int


def put(values: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*values[:at], value, *values[at + 1 :])


def following(s: Abstract, entries: int, crashes: int, deliveries: int) -> Iterator[Abstract]:
    if s.added < entries:
        yield s._replace(added=s.added + 1)
    for c, (what, m) in enumerate(s.doing):
        if what == "idle":
            if s.cursor < s.added:
                new = s.cursor
                yield s._replace(
                    cursor=new + 1, owner=put(s.owner, new, c), delivered=put(s.delivered, new, 1),
                    doing=put(s.doing, c, ("got", new)),
                )  # fmt: skip
            for k in range(entries):
                if s.owner[k] not in (-1, c) and s.delivered[k] < deliveries:
                    yield s._replace(
                        owner=put(s.owner, k, c), delivered=put(s.delivered, k, s.delivered[k] + 1),
                        doing=put(s.doing, c, ("got", k)),
                    )  # fmt: skip
                    break
            continue
        if what == "got":
            yield s._replace(handled=put(s.handled, m, s.handled[m] + 1), doing=put(s.doing, c, ("done", m)))
        else:
            acked = put(s.acked, m, True) if s.owner[m] != -1 else s.acked
            yield s._replace(acked=acked, owner=put(s.owner, m, -1), doing=put(s.doing, c, ("idle", -1)))
        if s.crashes < crashes:
            yield s._replace(crashes=s.crashes + 1, doing=put(s.doing, c, ("idle", -1)))


def counts(consumers: int, entries: int, crashes: int, deliveries: int) -> tuple[int, int]:
    """How many states there are, and how many up to who is who."""
    zero = (0,) * entries
    start = Abstract(
        0, 0, (-1,) * entries, zero, (False,) * entries, zero, (("idle", -1),) * consumers, 0
    )  # fmt: skip
    seen, todo = {start}, [start]
    while todo:
        for after in following(todo.pop(), entries, crashes, deliveries):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return len(seen), len({min(exchanged(s, order) for order in permutations(range(consumers))) for s in seen})


def exchanged(s: Abstract, order: tuple[int, ...]) -> Abstract:
    doing = tuple(s.doing[order.index(c)] for c in range(len(order)))
    return s._replace(owner=tuple(-1 if c < 0 else order[c] for c in s.owner), doing=doing)


class AsTheySay(Monitor):
    """Counts what the specification counts: deliveries, for ever, and handlings."""

    def __init__(self) -> None:
        self.delivered: dict[int, int] = {}
        self.handled: dict[int, int] = {}

    def on_delivered(self, fact: Delivered, event: Event) -> str | None:
        self.delivered[fact.id] = 1
        return None

    def on_claimed(self, fact: Claimed, event: Event) -> str | None:
        self.delivered[fact.id] = fact.count
        return None

    def on_handled(self, event: Handled) -> str | None:
        entry = ids.parse(event.entry, 0, strict=True)
        assert entry is not None
        self.handled[entry] = self.handled.get(entry, 0) + 1
        return None


def world(**params: int) -> World:
    """``group-world`` with the specification's own state, and nothing else that is watched."""
    scenario = find("group-world")
    plan = scenario.variant("repaired").plan(Params(dict(scenario.params), {k: str(v) for k, v in params.items()}))
    watch = Watch([Property("as-they-say", "always", "what the specification counts", AsTheySay)])
    return World(plan, "redis-8.6", watch=watch, record=False)

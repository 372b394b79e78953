"""Payload values that are interchangeable are taken for one another, unless somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redelivery.models.facts import Added
from redelivery.sim.check import payloads, sleeping
from redelivery.sim.check.abstraction import Abstraction, Refined
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.reduced import Reduced, machine_for
from redelivery.sim.plan import Plan, Process
from redelivery.sim.properties import named
from redelivery.sim.requests import handle, pick
from redelivery.sim.watch import Monitor, Property, Watch
from redelivery.sim.world import World

FRUIT = ("apple", "grape", "peach")


async def sell(redis: Any, me: str) -> None:
    await redis.xlen("s")
    await redis.xadd("s", {"fruit": await pick(FRUIT, "fruit")})


async def pack(redis: Any, me: str) -> None:
    """Passes on what it reads, whatever it is."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        entry, fields = entries[0]
        await redis.rpush("packed", fields[b"fruit"])
        await handle(entry, fields)
        await redis.xack("s", "g", entry)


async def picky(redis: Any, me: str) -> None:
    """Handles peaches alone: the others it only reads."""
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        entry, fields = entries[0]
        if fields[b"fruit"].startswith(b"pe"):
            await handle(entry, fields)
        await redis.xack("s", "g", entry)


class NoGrape(Monitor):
    """Looks at what is added."""

    def on_added(self, fact: Added, event: Any) -> str | None:
        return "a grape" if fact.fields[1] == b"grape" else None


NO_GRAPE = Property("no-grape", "always", "nobody sells grapes", NoGrape)


def shop(turn: Any, *more: Property, **plan: Any) -> Callable[[], World]:
    made = Plan(
        [Process("shop", sell, turns=3), Process("packer", turn, turns=3, handle_ms=0)],
        [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")], **{"frozen": True, "values": FRUIT, **plan},
    )  # fmt: skip
    return lambda: World(
        made, "redis-8.6", watch=Watch([*named(["handled-at-least-once", "no-orphan"]), *more]), record=False
    )


def searched(make: Callable[[], World], *reductions: str) -> tuple[Machine, Outcome]:
    abstraction = Abstraction()
    while True:
        try:
            machine = machine_for(make(), abstraction, ("zones", *reductions))
            if isinstance(machine, Reduced) and machine.sleeps:
                return machine, sleeping.breadth_first(machine, lambda broken: False)
            return machine, breadth_first(machine, lambda broken: False)
        except Refined as refined:
            abstraction = refined.abstraction


@pytest.mark.parametrize("also", [(), ("local", "sleep")])
def test_which_value_is_which_does_not_matter(also: tuple[str, ...]) -> None:
    _, whole = searched(shop(pack))
    machine, reduced = searched(shop(pack), "values", *also)
    assert machine.abstraction.notes == ()
    assert reduced.broken.keys() == whole.broken.keys()
    assert reduced.states < whole.states / 2


def test_entries_are_never_taken_for_one_another() -> None:
    """Two different values and twice the same one are two states, whichever they are."""
    machine, _ = searched(shop(pack), "values")
    contents = set()
    for frozen, _ in machine.taking.servers.table:
        stream = next(value for key, value in frozen[0] if key == b"s")
        contents.add(tuple(fields for node in stream[1] for fields in node[1]))
    assert len({fields[:2] for fields in contents if len(fields) >= 2}) >= 2


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (shop(picky), "process 'packer' looks at them"),
        (shop(pack, NO_GRAPE), "property 'no-grape' looks at what entries hold"),
        (shop(pack, values=("apple", "shop")), "'shop' is a name, too"),
        (shop(pack, values=("apple", "1-1")), "the value '1-1' is more than a word"),
    ],
)
def test_it_is_off_where_somebody_looks(make: Callable[[], World], why: str) -> None:
    machine, outcome = searched(make, "values")
    assert why in machine.abstraction.notes[-1]
    _, whole = searched(make)
    assert (outcome.states, outcome.broken) == (whole.states, whole.broken)


def test_a_careless_version_loses_the_grape(monkeypatch: pytest.MonkeyPatch) -> None:
    make = shop(pack, NO_GRAPE)
    grape = 2
    assert grape in searched(make, "values")[1].broken
    monkeypatch.setattr(payloads, "_looks", lambda monitor, values: False)
    with_it, without = searched(make, "values")[1], searched(make)[1]
    assert with_it.states < without.states

"""Sleep sets of a careless kind lose states and violations; ours do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from redelivery.sim.check import sleeping
from redelivery.sim.check.abstraction import Abstraction
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.independence import Independence
from redelivery.sim.check.reduced import Reduced
from redelivery.sim.check.taking import Edge
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import handle
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

from .check_worlds import SYMMETRIC
from .drawn_worlds import SETUP, Op, pattern, turn_of


async def work(redis: Any, me: str) -> None:
    await handle(b"1-1", None)


def race() -> World:
    """Whoever comes last decides what the other has seen."""
    processes = [
        Process("a", turn_of((Op("add"),)), turns=1),
        Process("b", turn_of((Op("read"), Op("ack"))), turns=1),
        Process("c", turn_of((Op("read"), Op("ack"))), turns=1),
    ]
    plan = Plan(processes, SETUP, frozen=True)
    return World(plan, "redis-8.6", watch=Watch([pattern([("added", "*"), ("acked", "*")])]), record=False)


def heard() -> World:
    """Nothing is shared but the property that hears who was first."""
    processes = [Process(name, work, turns=1, handle_ms=1) for name in ("a", "b")]
    plan = Plan(processes, SETUP, faults_ms=0, within_ms=3)
    return World(plan, "redis-8.6", watch=Watch([pattern([("handled", "b"), ("handled", "a")])]), record=False)


def searched(make: Callable[[], World]) -> tuple[Outcome, Outcome]:
    """With every order, and with sleep sets."""
    machines = [Reduced(make(), Abstraction(symmetry=False), ("zones", "sleep")) for _ in range(2)]
    return breadth_first(machines[0], lambda broken: False), sleeping.breadth_first(machines[1], lambda broken: False)


@pytest.mark.parametrize("make", [race, heard, SYMMETRIC["group"]])
def test_nothing_is_lost(make: Callable[[], World]) -> None:
    whole, asleep = searched(make)
    assert (asleep.states, asleep.broken, asleep.ends) == (whole.states, whole.broken, whole.ends)


@pytest.mark.parametrize(
    ("make", "where", "careless", "instead"),
    [
        (race, Independence, "of", lambda self, state, one, other: one.process != other.process),
        (heard, Independence, "_is_heard_alike", lambda self, whole, one, other: True),
    ],
)
def test_a_careless_version_loses_something(
    make: Callable[[], World], where: Any, careless: str, instead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = searched(make)
    monkeypatch.setattr(where, careless, instead)
    _, asleep = searched(make)
    assert (asleep.states, asleep.broken) != (whole.states, whole.broken)



class Toy:
    """Three little programs over two switches, as a machine: every state and every step can be counted by hand."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)

        def switch() -> tuple[int, int] | None:
            return draw.choice([None, (draw.randrange(2), draw.randrange(2))])

        self.programs = [
            [(draw.randrange(3), switch(), switch(), draw.randrange(3)) for _ in range(draw.randint(1, 3))]
            for _ in range(3)
        ]
        self.initial = (0,) * 5

    def ways(self, state: tuple[int, ...]) -> list[Any]:
        found = []
        for process, program in enumerate(self.programs):
            for which, (at, wanted, turned, then) in enumerate(program):
                if state[2 + process] == at and (wanted is None or state[wanted[0]] == wanted[1]):
                    after = list(state)
                    after[2 + process] = then
                    if turned is not None:
                        after[turned[0]] = turned[1]
                    found.append(((Edge("due", process, which, ()),), tuple(after), ()))
        return found

    def at_end(self, state: Any, found: list[Any]) -> tuple[int, ...] | None:
        return None if found else ()

    def ordered(self, state: Any) -> tuple[Any, None]:
        return state, None


class ByTrying:
    """Independence as it is defined: both orders are possible, and lead to the same."""

    def __init__(self, machine: Toy) -> None:
        self._machine = machine

    def of(self, state: Any, one: Edge, other: Edge) -> bool:
        def go(here: Any, edge: Edge) -> Any:
            return next((after for edges, after, _ in self._machine.ways(here) if edges[0] == edge), None)

        first, second = go(state, one), go(state, other)
        there = None if first is None or second is None else go(first, other)
        return one.process != other.process and there is not None and there == go(second, one)


def test_every_state_of_many_little_programs_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sleeping, "Independence", ByTrying)
    saved = 0
    for seed in range(500):
        toy: Any = Toy(seed)
        seen, steps, todo = {toy.initial}, 0, [toy.initial]
        while todo:
            for _, after, _ in toy.ways(todo.pop()):
                steps += 1
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        outcome = sleeping.breadth_first(toy, lambda broken: False)
        assert outcome.states == len(seen), seed
        saved += steps - outcome.transitions
    assert saved > 400, "many of these programs have steps that may come in either order"

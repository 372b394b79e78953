"""The checker's fast search sees what the search that compares worlds to the last digit sees."""

from __future__ import annotations

import random
from typing import Any

import pytest
from redelivery.sim.check.abstraction import Abstraction, Refined
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.plain import Plain, edge_of
from redelivery.sim.check.taking import Edge
from redelivery.sim.choices import Drawn
from redelivery.sim.world import World

from .check_worlds import WORLDS


def machine_of(make: Any, **abstraction: Any) -> Machine:
    """A machine under an abstraction that knows all thresholds."""
    mine = Abstraction(**abstraction)
    while True:
        machine = Machine(make(), mine)
        try:
            breadth_first(machine, lambda broken: False)
        except Refined as refined:
            mine = refined.abstraction
        else:
            return machine


def whole(model: Any) -> Outcome:
    """The search that nothing stops."""
    return breadth_first(model, lambda broken: False)


@pytest.fixture(scope="module", params=WORLDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_both_searches_see_the_same_violations_at_the_same_depths(name: str) -> None:
    plain, machine = Plain(WORLDS[name]()), machine_of(WORLDS[name])
    exact, fast = whole(plain), whole(machine)
    assert fast.broken == exact.broken
    assert fast.depth <= exact.depth
    assert fast.states <= exact.states
    assert machine.unmet() == plain.unmet()


def test_a_random_tape_is_a_walk_through_the_graph_of_the_machine(name: str) -> None:
    machine = machine_of(WORLDS[name], symmetry=False)
    for seed in range(8):
        walk(machine, WORLDS[name](), seed)


def walk(machine: Machine, world: World, seed: int) -> None:
    rng, choices = random.Random(seed), Drawn(seed)
    state = machine.initial
    while steps := world.enabled():
        edges = machine.successors(state)
        offered = {edge_of(steps, place) for place in range(len(steps))}
        assert {edge._replace(answers=()) for edge, _, _ in edges} == offered
        place = rng.randrange(len(steps))
        before, broken = len(choices.answers), broken_in(world)
        world.take(steps[place], choices)
        taken = edge_of(steps, place)._replace(answers=tuple(choices.answers[before:]))
        state, seen = follow(edges, taken)
        assert seen - broken == broken_in(world) - broken  # a world reports each property once
    over = machine.at_end(state, machine.successors(state))
    assert over is not None, "the machine knows that the run is over"
    before_end = broken_in(world)
    world.finish()
    assert set(over) == broken_in(world) - before_end | (set(over) & before_end)


def broken_in(world: World) -> set[int]:
    assert world.watch is not None
    places = {p.name: which for which, p in enumerate(world.watch.properties)}
    return {places[violation.property] for violation in world.watch.violations}


def follow(edges: list[Any], taken: Edge) -> tuple[Any, set[int]]:
    found = [(after, set(broken)) for edge, after, broken in edges if edge == taken]
    assert len(found) == 1, taken
    return found[0]

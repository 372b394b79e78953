"""Whatever is left out of a search, it sees the same violations: held against the search that leaves nothing out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from redelivery.sim.check import sleeping
from redelivery.sim.check.abstraction import Abstraction, Refined, Unabstract
from redelivery.sim.check.breadth import breadth_first
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.plain import Plain
from redelivery.sim.check.reduced import Reduced, machine_for
from redelivery.sim.errors import ScenarioError
from redelivery.sim.plan import Plan
from redelivery.sim.watch import Property
from redelivery.sim.world import World

from .check_worlds import SYMMETRIC, WORLDS
from .drawn_worlds import BUILT_IN, patterns, plans, world_of

STATES_MAX = 400
"""Larger worlds are drawn again: there are enough small ones."""
NO_BOUND = 10**9
DRAWN = settings(max_examples=25, suppress_health_check=list(HealthCheck), print_blob=True)


class Seen(NamedTuple):
    """What a search has shown."""

    broken: frozenset[int]
    unmet: tuple[str, ...]
    ends: int
    states: int
    transitions: int


class TooLarge(Exception):
    """There are more states than a test has time for."""


class Bounded:
    """A machine that gives up when a search takes too long; it is searched state by state."""

    sweeps = False

    def __init__(self, machine: Machine, states_max: int) -> None:
        self._machine, self._left = machine, states_max

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def successors(self, state: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooLarge
        return self._machine.successors(state)


def search(make: Any, reductions: Sequence[str], states_max: int = NO_BOUND) -> Seen:
    """Searches all of a world under these reductions."""
    abstraction = Abstraction(symmetry="symmetry" in reductions)
    while True:
        try:
            machine = machine_for(make(), abstraction, reductions)
            if isinstance(machine, Reduced) and machine.sleeps:
                outcome = sleeping.breadth_first(machine, lambda broken: False)
            else:
                model: Any = Bounded(machine, states_max) if states_max < NO_BOUND else machine
                outcome = breadth_first(model, lambda broken: False)
        except Refined as refined:
            abstraction = refined.abstraction
        except Unabstract:  # then nothing is left out, whatever is asked for
            plain: Any = Plain(make())
            outcome = breadth_first(Bounded(plain, states_max), lambda broken: False)
            exact = outcome.ends, outcome.states, outcome.transitions
            return Seen(frozenset(outcome.broken), tuple(plain.unmet()), *exact)
        else:
            counts = outcome.ends, outcome.states, outcome.transitions
            return Seen(frozenset(outcome.broken), tuple(machine.unmet()), *counts)


BASE = ("zones",)
ADDED = [("local",), ("ample", "sleep"), ("symmetry", "local", "ample", "sleep")]


@pytest.mark.parametrize("added", ADDED, ids="+".join)
@pytest.mark.parametrize("name", [*WORLDS, *SYMMETRIC])
def test_the_same_is_broken_in_worlds_made_by_hand(name: str, added: tuple[str, ...]) -> None:
    make = WORLDS.get(name) or SYMMETRIC[name]
    whole, reduced = search(make, BASE), search(make, (*BASE, *added))
    assert reduced.broken == whole.broken
    assert reduced.unmet == whole.unmet
    assert reduced.states <= whole.states
    if "symmetry" not in added:
        assert reduced.ends == whole.ends


def agree(plan: Plan, properties: list[Property], added: Sequence[str], *built_in: str) -> None:
    """Fails where a reduction loses a violation or an end, or invents one."""

    def make() -> World:
        return world_of(plan, properties, built_in or BUILT_IN)

    try:
        whole = search(make, BASE, STATES_MAX)
    except (TooLarge, ScenarioError, Unabstract):
        assume(False)
    reduced = search(make, (*BASE, *added))
    assert reduced.broken == whole.broken
    assert reduced.unmet == whole.unmet
    if "symmetry" not in added:
        assert reduced.ends == whole.ends


@DRAWN
@given(plans(), patterns())
def test_local_steps_lose_nothing(plan: Plan, properties: list[Property]) -> None:
    agree(plan, properties, ("local",))


@pytest.mark.parametrize("name", [*WORLDS, *SYMMETRIC])
def test_every_state_is_seen_by_fewer_steps(name: str) -> None:
    make = WORLDS.get(name) or SYMMETRIC[name]
    whole, asleep = search(make, BASE), search(make, (*BASE, "sleep"))
    assert (asleep.states, asleep.ends) == (whole.states, whole.ends)
    assert asleep.transitions <= whole.transitions


def test_a_step_that_sleeps_saves_steps() -> None:
    whole, asleep = search(SYMMETRIC["group"], BASE), search(SYMMETRIC["group"], (*BASE, "sleep"))
    assert asleep.transitions < whole.transitions


@DRAWN
@given(plans(), patterns())
def test_sleep_sets_lose_nothing(plan: Plan, properties: list[Property]) -> None:
    agree(plan, properties, ("sleep",))


@DRAWN
@given(plans(), patterns())
def test_ample_sets_lose_nothing(plan: Plan, properties: list[Property]) -> None:
    """Few properties are watched, so that there is something that none of them hears of."""
    agree(plan, properties, ("ample",), "no-orphan" if properties[0].name > "h" else "single-handler")


@DRAWN
@given(plans(), patterns())
def test_all_of_them_together_lose_nothing(plan: Plan, properties: list[Property]) -> None:
    agree(plan, properties, ADDED[-1])

"""A search that looks at all states of a scene at once comes to every number of one that goes state by state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redelivery.sim.check import breadth, sweep
from redelivery.sim.check.abstraction import Abstraction, Refined
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.machine import Machine
from redelivery.sim.world import World

from .check_worlds import SYMMETRIC, WORLDS

MAKE = {**dict(list(WORLDS.items())[::3]), **{f"{name}-twins": make for name, make in SYMMETRIC.items()}}
"""The tests of workers and of exact searches go by scene, too, on all of them."""


def never(broken: tuple[int, ...]) -> bool:
    return False


def searched(make: Callable[[], World], depth: int | None = None) -> tuple[Outcome, Any]:
    abstraction = Abstraction(idle_ms_max=make().plan.idle_ms_max or 0)
    while True:
        machine = Machine(make(), abstraction)
        try:
            out = breadth_first(machine, never, None, depth)
        except Refined as refined:
            abstraction = refined.abstraction
            continue
        return replace(out, degrees=dict(sorted(out.degrees.items()))), (machine.unmet(), machine.watching.came())


@pytest.mark.parametrize(("name", "depth"), [*((name, None) for name in MAKE), (next(iter(MAKE)), 5)])
def test_scenes_with_all_their_pasts_come_to_the_numbers_of_states(
    name: str, depth: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_scene = searched(MAKE[name], depth)
    monkeypatch.setattr(Machine, "sweeps", False)
    assert searched(MAKE[name], depth) == by_scene


@pytest.mark.parametrize(("states_min", "name"), [(12, name) for name in MAKE] + [(1, next(iter(MAKE)))])
def test_a_search_goes_on_state_by_state_where_that_takes_less(
    name: str, states_min: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_scene = searched(MAKE[name])
    monkeypatch.setattr(sweep, "STATES_MIN", states_min)
    monkeypatch.setattr(sweep, "STATE_BYTES_MAX", 0)
    went_on: list[int] = []
    state_by_state = breadth._breadth_first

    def note(*what: Any) -> Outcome | None:
        went_on.append(len(what[6].seen))
        return state_by_state(*what)

    monkeypatch.setattr(breadth, "_breadth_first", note)
    assert searched(MAKE[name]) == by_scene
    assert any(states >= states_min for states in went_on) or by_scene[0].states < states_min

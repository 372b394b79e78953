"""Processes whose keys are their own go first, and nothing is lost; what they declare, they are held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from redelivery.sim.check import ample_steps
from redelivery.sim.check.abstraction import Abstraction
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.reduced import machine_for
from redelivery.sim.errors import ScenarioError
from redelivery.sim.faults import Crash
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import handle
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

from .drawn_worlds import SETUP, Op, pattern, turn_of


async def mark_then_work(redis: Any, me: str) -> None:
    """Works only where the other has not been there before."""
    if not await redis.get("mark-a"):
        await handle(b"1-1", None)


async def marks(redis: Any, me: str) -> None:
    await redis.set("mark-a", me)
    await redis.set("other-a", me)


async def marks_own(redis: Any, me: str) -> None:
    await redis.set("own-b", me)
    await redis.get("own-b")


ADDS = turn_of((Op("add", "s"),))
ADDS_TOO = turn_of((Op("add", "t"),))
LOOKS = turn_of((Op("read", "t"), Op("ack", "t")))


def world(order: Sequence[tuple[str, str]], *processes: Process, **more: Any) -> Callable[[], World]:
    plan = Plan(processes, SETUP, **{"frozen": True, **more})
    return lambda: World(plan, "redis-8.6", watch=Watch([pattern(order)]), record=False)


def searched(make: Callable[[], World], *reductions: str) -> Outcome:
    machine = machine_for(make(), Abstraction(symmetry=False), ("zones", *reductions))
    return breadth_first(machine, lambda broken: False)


APART = world(
    [("added", "*"), ("handled", "*")],
    Process("a", marks, turns=1, touches=["mark-a", "other-a"]), Process("b", marks_own, turns=1, touches=["own-b"]),
    Process("c", ADDS, turns=1, touches=["s"]), faults_ms=0,
)  # fmt: skip


def test_whose_keys_are_their_own_go_first() -> None:
    whole, reduced = searched(APART), searched(APART, "ample")
    assert reduced.states < whole.states / 2
    assert (reduced.broken, reduced.ends) == (whole.broken, whole.ends)


def test_who_declares_nothing_may_touch_anything() -> None:
    open_world = world(
        [("added", "*")], Process("a", marks, turns=1, touches=["mark-a", "other-a"]), Process("c", ADDS, turns=1)
    )
    assert searched(open_world, "ample").states == searched(open_world).states


NASTY = {
    "a key that is shared": (
        world(
            [("handled", "z")], Process("a", marks, turns=1, touches=["mark-a", "other-a"]),
            Process("z", mark_then_work, turns=1, handle_ms=0, touches=["mark-a"]),
        ),
        "parties", lambda plan: [(place,) for place in range(len(plan.processes))],
    ),
    "facts that a property hears": (
        world(
            [("added", "c"), ("added", "a")], Process("a", ADDS, turns=1, touches=["s"]),
            Process("c", ADDS_TOO, turns=1, touches=["t"]),
        ),
        "AmpleSteps._is_unseen", lambda self, outcome, server, life: True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NASTY)
def test_a_careless_version_loses_a_violation(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, where, careless = NASTY[what]
    assert searched(make).broken.keys() == searched(make, "ample").broken.keys() == {0}
    monkeypatch.setattr(f"{ample_steps.__name__}.{where}", careless)
    assert not searched(make, "ample").broken


def test_nobody_goes_first_who_may_be_struck() -> None:
    struck = world(
        [("crashed", "a"), ("added", "*")], Process("a", marks, turns=1, touches=["mark-a", "other-a"]),
        Process("c", ADDS, turns=1, touches=["s"]), faults=[Crash("a")],
    )  # fmt: skip
    assert searched(struck, "ample").broken.keys() == searched(struck).broken.keys() == {0}


@pytest.mark.parametrize(
    ("turn", "declared", "said"),
    [
        (marks, ["mark-a"], "declares to touch 'mark-a', and its SET touches 'other-a': add it to touches="),
        (ADDS, [], "declares to touch nothing, and its XADD touches 's'"),
    ],
)
def test_a_process_is_held_to_what_it_declares(turn: Any, declared: list[str], said: str) -> None:
    plan = Plan([Process("a", turn, turns=1, touches=declared)], SETUP)
    scenario = Scenario("mine", "it", {"broken": Variant("it", lambda params: plan)})
    with pytest.raises(ScenarioError) as raised:
        simulate(scenario)
    assert said in str(raised.value)
    with pytest.raises(ScenarioError):
        searched(lambda: World(plan, "redis-8.6", watch=Watch([pattern([("added", "*")])]), record=False))

"""Worlds in which local steps, merged carelessly, would hide a violation: found as it is, lost by each mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from redelivery.sim.check.abstraction import Abstraction
from redelivery.sim.check.breadth import breadth_first
from redelivery.sim.check.local_steps import LocalSteps
from redelivery.sim.check.reduced import machine_for
from redelivery.sim.plan import Crash, Plan, Process, Restart
from redelivery.sim.requests import handle, sleep
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

from .drawn_worlds import SETUP, pattern


async def work(redis: Any, me: str) -> None:
    await handle(b"1-1", None)


async def doze(redis: Any, me: str) -> None:
    await sleep(1)
    await sleep(6)


async def rest(redis: Any, me: str) -> None:
    await sleep(9)


async def flip(redis: Any, me: str, n: int = 0) -> int:
    await sleep(0)
    return 1 - n


async def add(redis: Any, me: str) -> None:
    await redis.xadd("s", {"n": 1})


async def late(redis: Any, me: str) -> None:
    """Is in a turn that has got an answer for one instant only: it ends there by itself."""
    await sleep(1)


def world(order: Sequence[tuple[str, str]], *processes: Process, **more: Any) -> Callable[[], World]:
    plan = Plan(processes, SETUP, **{"faults_ms": 2, "within_ms": 3, **more})
    return lambda: World(plan, "redis-8.6", watch=Watch([pattern(order)]), record=False)


NASTY: dict[str, tuple[Callable[[], World], str]] = {
    "what a property hears of is left to its order": (
        world([("handled", "b"), ("handled", "a")], Process("a", work, turns=1, handle_ms=1),
              Process("b", work, turns=1, handle_ms=1)),
        "_is_unseen",
    ),
    "a fault strikes another while the instant lasts": (
        world(
            [("handled", "c"), ("crashed", "b")],
            Process("a", doze, turns=1), Process("b", rest, turns=1), Process("c", work, turns=1, handle_ms=1),
            faults=[Crash("b")],
        ),
        "_stands_strikes",
    ),
    "a process may crash before it ends": (
        world(
            [("handled", "c"), ("crashed", "a")],
            Process("a", late, turns=1, restart=None), Process("c", work, turns=1, handle_ms=1),
            faults=[Crash("a")],
        ),
        "_stands_strikes",
    ),
    "who turns round and round puts nobody off": (
        world([("added", "*")], Process("a", flip, initial=0), Process("b", add, turns=1), frozen=True),
        "_is_longer",
    ),
}  # fmt: skip


def broken(make: Callable[[], World], *reductions: str) -> set[int]:
    machine = machine_for(make(), Abstraction(symmetry=False), ("zones", *reductions))
    return set(breadth_first(machine, lambda broken: False).broken)


@pytest.mark.parametrize("what", NASTY)
def test_the_violation_is_there(what: str) -> None:
    make, _ = NASTY[what]
    assert broken(make) == broken(make, "local") == {0}


@pytest.mark.parametrize("what", NASTY)
def test_a_careless_version_loses_it(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, careless = NASTY[what]
    monkeypatch.setattr(LocalSteps, careless, lambda self, *rest: True)
    try:
        assert broken(make, "local") != {0}
    except AssertionError as error:
        assert "come to an end" in str(error)


def test_a_crash_that_leaves_something_under_way_is_not_the_same_before_and_after() -> None:
    """With latency, what a local step sends outlives its process: only a crash before it keeps it from being sent."""
    make = world(
        [("crashed", "a"), ("added", "*")], Process("a", add, turns=1, restart=Restart(9)),
        faults=[Crash("a")], latency_ms=(1,),
    )  # fmt: skip
    assert broken(make) == broken(make, "local") == {0}
    never = world(
        [("added", "*")], Process("a", add, turns=1, restart=Restart(9)), faults=[Crash("a")], latency_ms=(1,)
    )
    assert broken(never) == broken(never, "local") == {0}

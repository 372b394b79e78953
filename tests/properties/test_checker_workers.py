"""One search shared among workers comes to the numbers, the levels and the verdict of one worker, on any world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check import breadth
from redelivery.sim.check.abstraction import Abstraction, Refined
from redelivery.sim.check.breadth import Outcome, breadth_first
from redelivery.sim.check.check import check
from redelivery.sim.check.machine import Machine
from redelivery.sim.check.parallel import crew, worker
from redelivery.sim.check.parallel.search import Parallel, Recipe
from redelivery.sim.check.report import Result
from redelivery.sim.scenario import Variant
from redelivery.sim.world import World

from .check_worlds import SYMMETRIC, WORLDS

MAKE = {**WORLDS, **{f"{name}-twins": make for name, make in SYMMETRIC.items()}}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers start early, and hand on often."""
    monkeypatch.setattr(breadth, "WIDE", 3)
    monkeypatch.setattr(worker, "ROUND_STATES", 40)


def never(broken: tuple[int, ...]) -> bool:
    return False


def searched(
    make: Callable[[], World], workers: int, *, symmetry: bool, depth: int | None = None
) -> tuple[Outcome, object, list[str]]:
    """What is counted, what was met, and what was not, under the abstraction that the world needs."""
    abstraction = Abstraction(idle_ms_max=make().plan.idle_ms_max or 0, symmetry=symmetry)
    while True:
        try:
            machine = Machine(make(), abstraction)
            parallel = Parallel(workers, Recipe("", "", "", {}, (), abstraction), never, none, lambda: 0.0)
            hand_over = partial(parallel.search, machine, None, depth, None) if workers > 1 else None
            out = breadth_first(machine, never, None, depth, None, None, hand_over)
        except Refined as refined:
            abstraction = refined.abstraction
            continue
        assert parallel.used is (workers > 1)
        return replace(out, degrees=dict(sorted(out.degrees.items()))), met(machine), machine.unmet()


def none(variant: Variant, names: Sequence[str]) -> Any:
    return never


def met(machine: Machine) -> object:
    return sorted(machine.taking.actions), sorted(machine.taking.struck)


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("name", MAKE)
def test_every_number_is_the_same_with_any_number_of_workers(name: str, *, symmetry: bool) -> None:
    alone = searched(MAKE[name], 1, symmetry=symmetry)
    assert searched(MAKE[name], 2, symmetry=symmetry) == alone
    assert searched(MAKE[name], 3, symmetry=symmetry) == alone


@pytest.mark.parametrize("depth", [9, 12, 500])
def test_a_bound_cuts_at_the_same_place(depth: int) -> None:
    make = MAKE["read-only"]
    alone = searched(make, 1, symmetry=True, depth=depth)
    assert searched(make, 2, symmetry=True, depth=depth) == alone
    assert alone[0].bounded is (depth < 500)


def shown(result: Result) -> Result:
    """All but how many took part, and what is said of that."""
    notes = tuple(note for note in result.notes if not note.startswith("one worker"))
    return replace(result, workers=1, notes=notes)


BOTH = ("zones", "symmetry")
SHARED = (*BOTH, "local")
"""All reductions that several workers can use."""
CHECKS: dict[str, tuple[str, str, dict[str, str], tuple[str, ...], int | None]] = {
    "proof": ("group-world", "repaired", {"entries": "2"}, BOTH, None),
    "proof without symmetry": ("group-world", "repaired", {"entries": "2", "consumers": "2"}, ("zones",), None),
    "proof with time": ("crash-before-ack", "repaired", {"entries": "1"}, BOTH, None),
    "proof with all reductions": ("crash-before-ack", "repaired", {"entries": "1"}, SHARED, None),
    "violation": ("group-world", "broken", {"entries": "2"}, BOTH, None),
    "violation far in": ("crash-before-ack", "broken", {"entries": "2"}, BOTH, None),
    "violation without symmetry": ("crash-before-ack", "broken", {"entries": "1"}, ("zones",), None),
    "compared exactly": ("group-world", "repaired", {"entries": "1", "consumers": "2"}, (), 5),
    "bounded": ("group-world", "repaired", {"entries": "2"}, BOTH, 11),
    "nothing happens": ("group-world", "repaired", {"entries": "2", "crashes": "0"}, BOTH, None),
}


@pytest.mark.parametrize(
    ("name", "start"),
    [*((name, "fork") for name in CHECKS), ("proof with all reductions", "spawn"), ("violation far in", "spawn")],
)
def test_a_check_shows_the_same(name: str, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "START_METHOD", start)
    scenario, variant, params, reduce, depth = CHECKS[name]

    def checked(workers: int) -> Result:
        return check(find(scenario), variant, params=params, reduce=reduce, depth=depth, workers=workers)

    together = checked(2)
    assert shown(together) == shown(checked(1))
    assert together.workers == (1 if name in ("compared exactly", "violation") else 2)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_scenario_in_a_file_is_found_by_each_worker(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "START_METHOD", start)
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    scenario = find(f"{file}:mine")
    together = check(scenario, "given", workers=2, reference=f"{file}:mine")
    assert together.workers == 2, together.notes
    assert shown(together) == shown(check(scenario, "given", reference=f"{file}:mine"))
    assert together.states > 100


MINE = '''
from dataclasses import dataclass
from redelivery import Crash, Plan, Process, Restart, Scenario, Variant


@dataclass(frozen=True)
class Done:
    """A state of one's own, which travels between workers."""

    entries: tuple[bytes, ...] = ()


async def add(redis, me, n=0):
    await redis.xadd("s", {"n": n})
    return n + 1


async def work(redis, me, done):
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3):
        for entry_id, fields in entries:
            await redis.xack("s", "g", entry_id)
            return Done((*done.entries, entry_id))
    return done


mine = Scenario(
    name="mine", summary="mine", properties=["ids-increase"],
    variants={"given": Variant("as it is", lambda params: Plan(
        processes=[Process("p", add, turns=3, initial=0), Process("a", work, initial=Done()),
                   Process("b", work, initial=Done())],
        setup=[("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")],
        faults=[Crash(("a", "b"))], faults_ms=3, within_ms=4))},
)
'''

"""The fewest faults: every smaller budget is searched, and what is found there is a tape of the whole world."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.course import follow
from redelivery.sim.check.fewest import fewest, shared_out, translated, with_budgets
from redelivery.sim.check.liveness import check_liveness
from redelivery.sim.check.policies import Lenient, RandomWalk
from redelivery.sim.check.refine import refine
from redelivery.sim.check.report import LIVENESS, Counterexample
from redelivery.sim.check.schedules import Start, search
from redelivery.sim.choices import Replayed
from redelivery.sim.events import ClockJumped, Crashed
from redelivery.sim.plan import ClockJump, Crash, Plan, Process, Restart
from redelivery.sim.run import drive, simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.watch import Monitor, Property


class Gone(Monitor):
    """Broken once ``a`` has crashed and the clock has jumped, or ``b`` has crashed three times."""

    def __init__(self) -> None:
        self.jumped, self.crashes = 0, {"a": 0, "b": 0}

    def on_clock_jumped(self, event: ClockJumped) -> str | None:
        self.jumped += 1
        return self._judge()

    def on_crashed(self, event: Crashed) -> str | None:
        self.crashes[event.process] += 1
        return self._judge()

    def _judge(self) -> str | None:
        return "gone" if (self.jumped and self.crashes["a"]) or self.crashes["b"] == 3 else None


async def beat(redis: Any, me: str) -> None:
    await redis.xlen("s")


def plan(params: Any) -> Plan:
    return Plan(
        processes=[Process(name, beat, turns=2, restart=Restart(1)) for name in ("a", "b")],
        faults=[Crash("b", 3), Crash("a", 2), ClockJump("redis", 5, 1)], faults_ms=3, within_ms=3,
        latency_ms=(0, 1),
    )  # fmt: skip


GONE = Property("stays", "always", "nothing is gone", Gone)
START = Start(Scenario("own", "Two beat.", {"v": Variant("x", plan, properties=[GONE])}), "v")


def exhaust(start: Start) -> tuple[int, ...] | None:
    """By chance, often enough for this small world."""
    found = search(start, "swarm", runs=300, only="stays").found
    return None if found is None else found.course.answers


def test_budgets_are_shared_out_in_every_way() -> None:
    assert list(shared_out((2, 1), 2)) == [(1, 1), (2, 0)]
    assert list(shared_out((), 0)) == [()]
    assert list(shared_out((), 1)) == []
    for total in range(7):
        ways = [way for way in product(range(4), range(3), range(2)) if sum(way) == total]
        assert sorted(shared_out((3, 2, 1), total)) == sorted(ways)


def test_a_budget_of_a_scenario_is_replaced_in_its_order() -> None:
    small = with_budgets(START.scenario, "v", (0, 2, 1))
    assert Start(small, "v").world().budgets == [0, 2, 1]
    assert START.world().budgets == [3, 2, 1]


def test_two_faults_are_found_where_three_would_do_too() -> None:
    less = fewest(START, exhaust, 3)
    assert less.answers is not None
    course = follow(START.world(), Lenient(less.answers), ("stays",))
    assert course.violation is not None
    assert course.counts.faults == 2
    assert less.tried == {0: 1, 1: 3}


def test_where_nothing_smaller_breaks_it_all_was_tried() -> None:
    less = fewest(START, exhaust, 2)
    assert (less.answers, less.tried) == (None, {0: 1, 1: 3})
    assert fewest(START, exhaust, 0).tried == {}


@pytest.mark.parametrize("seed", range(12))
def test_a_tape_of_the_small_world_does_the_same_in_the_whole_one(seed: int) -> None:
    small = Start(with_budgets(START.scenario, "v", (1, 1, 0)), "v")
    course = follow(small.world(), RandomWalk(seed), ())
    world = START.world()
    drive(world, Replayed(translated(small, START, course.answers)))
    assert world.history is not None
    assert world.history == course.history


def test_a_tape_of_a_shipped_scenario_is_translated_too() -> None:
    start = Start(find("crash-before-ack"), "broken")
    small = Start(with_budgets(start.scenario, "broken", (0,)), "broken")
    course = follow(small.world(), RandomWalk(3), ())
    world = start.world()
    drive(world, Replayed(translated(small, start, course.answers)))
    assert world.history == course.history


# ---- from a counterexample to a finding ----


def test_a_counterexample_with_too_many_faults_is_refined_to_the_fewest() -> None:
    found = next(
        search(START, "random", seed=seed, runs=1, only="stays").found
        for seed in range(200)
        if (course := follow(START.world(), RandomWalk(seed), ("stays",))).violation and course.counts.faults > 2
    )
    assert found is not None
    example = Counterexample("own", "v", "redis-8.6", {}, found.course.answers, "stays")
    refined = refine(START, example, exhaust, method="bfs")
    assert refined.finding.size["faults"] == 2
    assert refined.tried == {0: 1, 1: 3}
    assert refined.finding.found_by["fewer_faults_tried"] == {"0": 1, "1": 3}
    assert refined.finding.found_by["fewest_faults"] == "shown"
    assert refined.minimal is not None
    assert refined.minimal.local
    plain = refine(START, example, None, method="dfs")
    assert (plain.tried, plain.finding.found_by["fewest_faults"]) == ({}, "not searched for")
    assert plain.finding.size["faults"] == 2, "the way down leads there as well"


def test_a_lasso_with_too_many_faults_is_refined_to_the_fewest() -> None:
    """Two crashes, and round and round by the plain course from then on; one crash does it, too."""
    start = Start(with_budgets(find("crash-before-ack"), "broken", (2,)), "broken", params={"entries": "2"})
    tape = next(
        course.answers
        for seed in range(200)
        if (course := follow(start.world(), RandomWalk(seed), ("no-orphan",))).violation and course.counts.faults == 2
    )
    lasso = Counterexample(
        "crash-before-ack", "broken", "redis-8.6", {"entries": "2"}, tape, "no-orphan", LIVENESS,
        loop_start=len(tape), loop_end=len(tape), loop_ms=2001,
    )  # fmt: skip

    def loops(within: Sequence[int]) -> Counterexample | None:
        return check_liveness(start.scenario, "broken", params=start.params, within=within).counterexample

    refined = refine(start, lasso, None, method="bfs", loops=loops)
    assert (refined.minimal, refined.tried) == (None, {0: 1})
    assert (refined.finding.kind, refined.finding.size["faults"]) == (LIVENESS, 1)
    assert refined.finding.found_by["fewest_faults"] == "shown"
    run = simulate(start.scenario, tape=refined.finding.tape)
    assert "no-orphan" in {violation.property for violation in run.violations}
    assert sum(isinstance(event, Crashed) for event in run.history) == 1
    plain = refine(start, lasso, None, method="bfs")
    assert (plain.finding.size["faults"], plain.finding.found_by["fewest_faults"]) == (2, "not searched for")
    assert plain.finding.tape.choices == tape

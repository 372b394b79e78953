"""Schedule search: the same transition relation, the same outcome for a seed, and no proof claimed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import pytest
from redelivery.sim.catalogue import find
from redelivery.sim.check.course import Policy, follow
from redelivery.sim.check.drawing import search_by_hypothesis
from redelivery.sim.check.hunt import hunt
from redelivery.sim.check.policies import Lenient, Priorities, RandomWalk, Swarm
from redelivery.sim.check.schedules import METHODS, Search, Start, search
from redelivery.sim.choices import Replayed
from redelivery.sim.errors import BadInput
from redelivery.sim.events import ClockJumped, Crashed
from redelivery.sim.plan import ClockJump, Crash, Plan, Process
from redelivery.sim.requests import sleep
from redelivery.sim.run import build, drive, simulate, weights
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.steps import Due, Strike
from redelivery.sim.watch import Monitor, Property
from redelivery.sim.world import World

BROKEN = Start(find("crash-before-ack"), "broken")
REPAIRED = Start(find("crash-before-ack"), "repaired")

POLICIES: dict[str, Callable[[int], Policy]] = {
    "random": RandomWalk,
    "swarm": Swarm,
    "pct": lambda seed: Priorities(seed, depth=3, steps_expected=30, units=1),
}


def searched(start: Start, method: str, **options: Any) -> Search:
    if method == "hypothesis":
        return search_by_hypothesis(start, **options)
    return search(start, method, **options)


# ---- one transition relation ----


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(5))
def test_whatever_a_policy_did_is_a_tape_that_replays_to_the_same_history(name: str, seed: int) -> None:
    policy = POLICIES[name](seed)
    course = follow(REPAIRED.world(), policy)
    assert course.history is not None
    again = REPAIRED.world()
    drive(again, Replayed(course.answers))
    assert again.history is not None
    assert list(again.history.lines()) == list(course.history.lines())


@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_is_the_run_of_its_seed(seed: int) -> None:
    course = follow(REPAIRED.world(), RandomWalk(seed))
    run = simulate(REPAIRED.scenario, "repaired", seed=seed)
    assert run.tape.choices == course.answers


def test_a_course_ends_at_the_first_violation_that_is_wanted() -> None:
    start = Start(find("slow-handler-claimed"), "broken")
    course = follow(start.world(), RandomWalk(0), ("single-handler",))
    whole = simulate(start.scenario, "broken", seed=0)
    assert course.violation == next(v for v in whole.violations if v.property == "single-handler")
    assert whole.tape.choices[: len(course.answers)] == course.answers
    assert course.at_ms < whole.sim_ms
    other = follow(start.world(), RandomWalk(0), ("ids-increase",))
    assert other.violation is None
    assert other.answers == whole.tape.choices


# ---- policies ----


def faulty(*faults: Any, turns: int = 6) -> World:
    async def tick(redis: Any, me: str, n: int = 0) -> int:
        await redis.xadd("s", {"n": n})
        await sleep(10)
        return n + 1

    names = ("a", "b", "c")
    plan = Plan(
        processes=[Process(name, tick, turns=turns, initial=0) for name in names],
        faults=faults,
        faults_ms=1000,
        within_ms=1000,
    )
    scenario = Scenario("ticking", "Three processes tick.", {"given": Variant("as it is", lambda params: plan)})
    return build(scenario, "given", "redis-8.6", {})[0]


def struck(course: Any) -> list[str]:
    faults = [event for event in course.history if isinstance(event, Crashed | ClockJumped)]
    return [fault.process if isinstance(fault, Crashed) else fault.host for fault in faults]


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_goes_beyond_the_faults_it_may_strike(name: str) -> None:
    makers: dict[str, Callable[[int, int], Policy]] = {
        "random": RandomWalk,
        "swarm": Swarm,
        "pct": lambda seed, most: Priorities(seed, 2, 20, 6, most),
    }
    seen = set()
    for seed in range(40):
        for most in (0, 1, 2):
            course = follow(faulty(Crash(("a", "b"), 3), ClockJump("c", 5000, 3)), makers[name](seed, most))
            assert len(struck(course)) == course.counts.faults <= most
            seen.add(course.counts.faults)
    assert seen == {0, 1, 2}, "and it does strike"


def test_a_swarm_switches_faults_on_in_every_combination() -> None:
    sets = set()
    for seed in range(120):
        sets.add(frozenset(struck(follow(faulty(Crash(("a", "b"), 9), ClockJump("c", 5000, 9)), Swarm(seed)))))
    assert sets == {
        frozenset(kinds)
        for kinds in ((), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"))
    }


def test_depth_one_runs_whoever_has_the_highest_priority_and_a_change_point_takes_it_away() -> None:
    orders: dict[int, set[tuple[int, ...]]] = {1: set(), 2: set()}
    for depth, found in orders.items():
        for seed in range(40):
            world, policy = faulty(turns=1), Priorities(seed, depth, 3, 0)
            taken = []
            while steps := world.enabled():
                step = steps[policy.pick(world, steps, None)] if len(steps) > 1 else steps[0]
                assert isinstance(step, Due)
                taken.append(step.scheduled.event.process)
                world.take(step, policy)
            found.add(tuple(taken[:6]))  # each process rises, and its command takes effect
    # Without a change point a process has done all it can before the next one begins.
    assert orders[1] == {(a, a, b, b, c, c) for a, b, c in permutations(range(3))}
    assert any(taken[0] != taken[1] for taken in orders[2])


def test_pct_finds_a_bug_of_depth_two_more_often_than_a_random_walk_does() -> None:
    """One process must do all its steps of an instant before another does its first: rare for a fair coin."""

    class InARow(Monitor):
        def __init__(self) -> None:
            self.last, self.row = "", 0

        def on_added(self, fact: Any, event: Any) -> str | None:
            self.row = self.row + 1 if event.process == self.last else 1
            self.last = event.process
            return "seven in a row" if self.row == 7 else None

    async def hurry(redis: Any, me: str) -> None:
        for n in range(7):
            await redis.xadd("s", {"n": n})

    plan = Plan([Process(name, hurry, turns=1) for name in "abcdef"], faults_ms=10, within_ms=10)
    rule = Property("no-row", "always", "nobody adds seven in a row", InARow)
    variants = {"given": Variant("as it is", lambda params: plan, properties=[rule])}
    start = Start(Scenario("hurry", "Six processes hurry.", variants), "given")
    found = {method: search(start, method, runs=60).found for method in ("pct", "random")}
    assert found["pct"] is not None
    assert found["random"] is None


def test_answers_that_do_not_fit_take_the_plain_course() -> None:
    policy = Lenient((9, 1, -1, 2))
    assert [policy.choose(3, "x") for _ in range(5)] == [0, 1, 0, 2, 0]
    assert policy.choose(1, "x") == 0
    assert (policy.answers, policy.sizes) == ([0, 1, 0, 2, 0], [3] * 5)


# ---- searches ----


@pytest.mark.parametrize("method", METHODS)
def test_a_search_is_the_same_for_a_seed(method: str) -> None:
    first = searched(REPAIRED, method, seed=3, runs=12)
    assert searched(REPAIRED, method, seed=3, runs=12) == first
    assert searched(REPAIRED, method, seed=9_000, runs=12).as_dict() != first.as_dict()


@pytest.mark.parametrize("method", METHODS)
def test_what_finds_nothing_is_incomplete(method: str) -> None:
    report = searched(REPAIRED, method, runs=10)
    assert (report.verdict, report.found, report.stopped) == ("incomplete", None, "runs")
    assert report.runs >= 10
    assert report.steps > 10 * report.runs
    assert 0 < report.states <= report.steps
    assert [point.runs for point in report.curve][:4] == [1, 2, 4, 8]
    assert [point.states for point in report.curve] == sorted(point.states for point in report.curve)
    assert report.curve[-1][2:] == (report.states, report.behaviours)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_broken_is_found_and_replays(method: str) -> None:
    report = searched(BROKEN, method, seed=5, runs=100)
    assert report.verdict == "violated"
    assert report.found is not None
    assert report.stopped == "found"
    run = simulate(BROKEN.scenario, tape=BROKEN.tape(report.found.course.answers))
    assert report.found.violation in run.violations
    if method == "random":
        assert report.found.seed == 5 + report.found.run - 1
        assert simulate(BROKEN.scenario, "broken", seed=report.found.seed).violations


def test_states_are_counted_exactly() -> None:
    """Against every fingerprint at every decision, without the memory of ways."""
    report, states = search(REPAIRED, "random", runs=8), set()
    for seed in range(8):
        world, policy = REPAIRED.world(), RandomWalk(seed)
        while steps := world.enabled():
            if len(steps) > 1:
                states.add(world.fingerprint())
                world.take(steps[policy.pick(world, steps, weights(steps))], policy)
            else:
                world.take(steps[0], policy)
    assert report.states == len(states)


def test_a_search_can_be_stopped_after_any_run() -> None:
    for method in METHODS:
        report = searched(REPAIRED, method, runs=50, stop=lambda report: report.runs == 3)
        assert (report.runs, report.stopped, report.verdict) == (3, "seconds", "incomplete")


def test_sometimes_statements_that_no_run_met_are_named() -> None:
    calm = search(REPAIRED, "random", runs=5, faults_max=0)
    assert calm.unmet == ["crashed-holding", "taken-over"]
    assert search(REPAIRED, "random", runs=5).unmet == []


def test_only_what_is_wanted_ends_a_search() -> None:
    assert search(BROKEN, "random", runs=5, only="ids-increase").found is None
    found = search(BROKEN, "random", runs=20, only="handled-at-least-once").found
    assert found is not None
    assert found.violation.property == "handled-at-least-once"
    assert BROKEN.wanted() is not None
    assert "no-orphan" in BROKEN.wanted()  # type: ignore[operator]
    assert REPAIRED.wanted() is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "rnd"}, "unknown search 'rnd'; did you mean 'random'?"),
        ({"runs": 0}, "a search of 0 runs searches nothing"),
        ({"method": "pct", "depth": 0}, "a depth of 0 is none"),
        ({"only": "no-orphans"}, "unknown property of 'crash-before-ack' 'no-orphans'; did you mean 'no-orphan'?"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says.replace("?", r"\?")):
        search(REPAIRED, **options)


def test_a_course_counts_steps_faults_and_switches() -> None:
    course = follow(BROKEN.world(), RandomWalk(0), ("no-orphan",))
    world, policy = BROKEN.world(), Replayed(course.answers)
    order: list[int] = []
    faults = steps_n = 0
    while steps := world.enabled():
        step = steps[policy.choose(len(steps), "x")]
        steps_n += 1
        faults += isinstance(step, Strike)
        if isinstance(step, Due):
            order.append(step.scheduled.event.process)
        world.take(step, policy)
    switches = sum(a != b for a, b in pairwise(order))
    assert course.counts == (steps_n, faults, switches)
    assert course.cost[:4] == (faults, switches, 4, steps_n)


@pytest.mark.parametrize("method", METHODS)
def test_a_scenario_that_is_wrong_is_one_line_whatever_searches(method: str) -> None:
    class Wrong(Monitor):
        def on_crashed(self, event: Crashed) -> str | None:
            raise KeyError("nobody")

    variant = REPAIRED.scenario.variant("repaired")
    rule = Property("wrong", "always", "it raises", Wrong)
    scenario = Scenario("own", "One.", {"given": Variant("x", variant.plan, properties=[rule])}, params={
        "entries": 2, "handle_ms": 300, "min_idle_ms": 5000,
    })  # fmt: skip
    says = r"property 'wrong' raised KeyError at event \d+: 'nobody' .* \(in run \d+ of the search\); it does so again"
    with pytest.raises(BadInput, match=says):
        hunt(Start(scenario, "given"), method, runs=30)

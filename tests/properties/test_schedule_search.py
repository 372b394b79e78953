"""Schedule search over every shipped scenario: what is broken is found, what is repaired is not accused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.check.course import follow
from redelivery.sim.check.drawing import search_by_hypothesis
from redelivery.sim.check.policies import Lenient, Priorities, RandomWalk, Swarm
from redelivery.sim.check.schedules import METHODS, Search, Start, search
from redelivery.sim.choices import Replayed
from redelivery.sim.run import drive

VARIANTS = [(scenario.name, name, v.violates) for scenario in shipped() for name, v in scenario.variants.items()]


def searched(start: Start, method: str, runs: int) -> Search:
    if method == "hypothesis":
        return search_by_hypothesis(start, runs=runs)
    return search(start, method, runs=runs)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "variant", "violates"), VARIANTS)
def test_what_is_declared_is_what_is_found(name: str, variant: str, violates: str | None, method: str) -> None:
    report = searched(Start(find(name), variant), method, 60 if violates else 12)
    assert (report.verdict == "violated") == (violates is not None)
    if report.found is not None:
        assert report.found.violation.property == violates


@settings(max_examples=40)
@given(
    case=st.sampled_from(VARIANTS), seed=st.integers(0, 10_000), method=st.sampled_from(["random", "swarm", "pct"]),
    noise=st.lists(st.integers(-1, 5), max_size=40),
)  # fmt: skip
def test_a_lenient_replay_of_a_tape_is_the_tape_and_of_anything_is_a_tape(
    case: tuple[str, str, str | None], seed: int, method: str, noise: list[int]
) -> None:
    scenario = find(case[0])
    start = Start(scenario, case[1], params={"entries": "2"} if "entries" in scenario.params else {})
    policy = {"random": RandomWalk, "swarm": Swarm}.get(method, lambda s: Priorities(s, 3, 40, 1))(seed)
    course = follow(start.world(), policy, ())
    again = follow(start.world(), Lenient(course.answers), ())
    assert again == course
    fitted = follow(start.world(), Lenient(noise), ())
    world = start.world()
    drive(world, Replayed(fitted.answers))
    assert world.history is not None
    assert world.history == fitted.history

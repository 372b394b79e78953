"""The smallest counterexamples, pinned: whatever search found it, the reader gets this one."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.sim.catalogue import find
from redelivery.sim.check.course import follow
from redelivery.sim.check.minimise import Minimal, minimise
from redelivery.sim.check.policies import Lenient
from redelivery.sim.check.schedules import Start, search

MINIMAL = {
    ("crash-before-ack", "broken"): ("no-orphan", {"entries": "1"}, "1.2.3x1", (1, 12, 1, 28, 10005)),
    ("slow-handler-claimed", "broken"): ("single-handler", {"entries": "1"}, "1.2x2.3x1", (0, 3, 1, 38, 10010)),
    ("event-sourcing", "broken"): (
        "replay-equals-live", {"entries": "3"}, "0.3.2.0.4x1.0.1.0.1", (0, 17, 3, 36, 4000),
    ),
    ("event-sourcing", "double-spend"): (
        "never-overdrawn", {}, "3.0.3.2.0.4x1.0.1.0.2x1.0.1", (0, 12, 4, 28, 950),
    ),
    ("group-world", "broken"): ("acked-implies-handled", {"consumers": "1", "entries": "1"}, "1", (0, 1, 1, 3, 0)),
}  # fmt: skip
"""Scenario and variant to the property, the lowered parameters, the choices, and: faults, context switches, entries,
steps, time."""


@cache
def lowered(name: str, variant: str, method: str, seed: int) -> Minimal:
    start = Start(find(name), variant)
    found = search(start, method, seed=seed, runs=100).found
    assert found is not None
    return minimise(start, found.violation.property, found.course.answers)


@pytest.mark.parametrize(
    ("name", "variant", "method", "seed"),
    [(*which, method, seed) for which in MINIMAL for method, seed in (("random", 0), ("swarm", 20))],
)
def test_whatever_was_found_the_smallest_is_this(name: str, variant: str, method: str, seed: int) -> None:
    broken, params, choices, cost = MINIMAL[name, variant]
    minimal = lowered(name, variant, method, seed)
    tape = minimal.start.tape(minimal.course.answers)
    assert minimal.course.violation is not None
    assert minimal.course.violation.property == broken
    assert (tape.params, str(tape).rpartition(":")[2]) == (params, choices)
    assert minimal.cost[:5] == cost
    assert minimal.local


@pytest.mark.parametrize(("name", "variant"), [("crash-before-ack", "broken"), ("slow-handler-claimed", "broken")])
def test_no_single_change_makes_it_smaller(name: str, variant: str) -> None:
    """By brute force, with none of the minimiser's own candidates."""
    minimal = lowered(name, variant, "random", 3)
    answers, sizes = minimal.course.answers, Lenient(minimal.course.answers)
    follow(minimal.start.world(), sizes, ())
    around = {answers[:at] + answers[at + 1 :] for at in range(len(answers))}
    for at, size in enumerate(sizes.sizes[: len(answers)]):
        around |= {(*answers[:at], other, *answers[at + 1 :]) for other in range(size)}
    broken = MINIMAL[name, variant][0]
    for candidate in sorted(around - {answers}):
        course = follow(minimal.start.world(), Lenient(candidate), (broken,))
        assert course.violation is None or course.cost >= minimal.cost


def test_it_is_the_smallest_of_all_where_all_can_be_tried() -> None:
    """Every tape of the smallest world that deviates in its first decisions only."""
    minimal = lowered("slow-handler-claimed", "broken", "random", 0)
    for head in product(range(3), repeat=5):
        course = follow(minimal.start.world(), Lenient(head), ("single-handler",))
        assert course.violation is None or course.cost >= minimal.cost


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_lowering_keeps_the_property_broken_and_never_costs_more(seed: int) -> None:
    start = Start(find("crash-before-ack"), "broken")
    found = search(start, "random", seed=seed, runs=50).found
    assert found is not None
    minimal = minimise(start, "no-orphan", found.course.answers, replays_max=60)
    assert minimal.replays <= 60
    assert minimal.cost <= found.course.cost
    again = follow(minimal.start.world(), Lenient(minimal.course.answers), ("no-orphan",))
    assert again.violation == minimal.course.violation
    assert again.cost == minimal.cost


def test_the_bound_on_the_work_holds_and_is_told() -> None:
    start = Start(find("event-sourcing"), "double-spend")
    found = search(start, "random", runs=5).found
    assert found is not None
    short = minimise(start, "never-overdrawn", found.course.answers, replays_max=5)
    assert (short.replays, short.local) == (5, False)
    assert short.course.violation is not None


def test_a_tape_that_breaks_nothing_cannot_be_lowered() -> None:
    with pytest.raises(ValueError, match="does not break no-orphan"):
        minimise(Start(find("crash-before-ack"), "repaired"), "no-orphan", ())

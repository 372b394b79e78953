"""From a counterexample that an exhaustive search found to a finding: the fewest faults, then the smallest tape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..run import Run
from .course import follow
from .fewest import Exhaust, Loops, fewest, fewest_on_a_lasso
from .finding import Finding, make
from .minimise import REPLAYS_MAX, Minimal, minimise
from .policies import Lenient
from .report import LIVENESS, Counterexample
from .schedules import Start
from .unroll import unrolled


@dataclass(frozen=True, slots=True)
class Refined:
    """A finding, and what was done to make it small."""

    finding: Finding
    run: Run
    minimal: Minimal | None
    """``None`` for a lasso: its ways are shortest as they are found."""
    tried: dict[int, int]
    """So many faults to so many worlds that were searched in vain."""


def refine(
    start: Start,
    counterexample: Counterexample,
    exhaust: Exhaust | None,
    *,
    method: str,
    replays_max: int = REPLAYS_MAX,
    tell: Callable[[int], None] = lambda replays: None,
    loops: Loops | None = None,
) -> Refined:
    """The smallest finding that a counterexample of ``start`` leads to.

    ``exhaust`` searches all of a world with smaller budgets: then no counterexample has fewer faults. ``None`` leaves
    that out; ``loops`` is the same for a lasso. ``method`` is how the search is called, ``tell`` hears how the lowering
    goes on.
    """
    name = counterexample.property_name
    found_by: dict[str, Any] = {"search": method, "first_tape": str(counterexample.tape)}
    if counterexample.kind == LIVENESS:
        return _refined_lasso(start, counterexample, loops, found_by)
    answers, tried = counterexample.choices, dict[int, int]()
    if exhaust is not None:
        below = follow(start.world(), Lenient(answers), (name,)).counts.faults
        less = fewest(start, exhaust, below)
        answers = answers if less.answers is None else less.answers
        tried = less.tried
    minimal = minimise(start, name, answers, replays_max=replays_max, tell=tell)
    tape = minimal.start.tape(minimal.course.answers)
    small = replace(counterexample, params=tape.params, choices=tape.choices)
    found_by |= {
        "fewer_faults_tried": {str(faults): worlds for faults, worlds in tried.items()},
        "fewest_faults": "shown" if exhaust is not None else "not searched for",
        "replays": minimal.replays,
        "locally_minimal": minimal.local,
    }
    finding, run = make(small, start.scenario, size=minimal.cost._asdict(), found_by=found_by)
    return Refined(finding, run, minimal, tried)


def _refined_lasso(
    start: Start, lasso: Counterexample, loops: Loops | None, found_by: dict[str, Any]
) -> Refined:
    """The way to the nearest loop, and the shortest way round it, are short already; what is left is the faults."""
    lasso, tried = (lasso, {}) if loops is None else fewest_on_a_lasso(start, loops, lasso)
    found_by |= {
        "fewer_faults_tried": {str(faults): worlds for faults, worlds in tried.items()},
        "fewest_faults": "shown" if loops is not None else "not searched for",
    }
    answers = unrolled(start.scenario, lasso)
    course = follow(start.world(), Lenient(answers), (lasso.property_name,))
    finding, run = make(lasso, start.scenario, size=course.cost._asdict(), found_by=found_by)
    return Refined(finding, run, None, tried)

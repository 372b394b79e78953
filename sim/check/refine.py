"""From a counterexample that an exhaustive search found to a finding: the fewest faults, then the smallest tape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..run import Run
from .course import follow
from .fewest import Exhaust, fewest
from .finding import Finding, make
from .minimise import REPLAYS_MAX, Minimal, minimise
from .policies import Lenient
from .report import LIVENESS, Counterexample
from .schedules import Start


@dataclass(frozen=True, slots=True)
class Refined:
    """A finding, and what was done to make it small."""

    finding: Finding
    run: Run
    minimal: Minimal | None
    """``None`` for a lasso, which is told as it is."""
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
) -> Refined:
    """The smallest finding that a counterexample of ``start`` leads to.

    ``exhaust`` searches all of a world with smaller budgets: then no counterexample has fewer faults. ``None`` leaves
    that out. ``method`` is how the search is called, ``tell`` hears how the lowering goes on.
    """
    name = counterexample.property_name
    found_by: dict[str, Any] = {"search": method, "first_tape": str(counterexample.tape)}
    if counterexample.kind == LIVENESS:
        finding, run = make(counterexample, start.scenario, found_by=found_by)
        return Refined(finding, run, None, {})
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

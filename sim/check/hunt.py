"""From a search to a finding: what was known is tried first, fewer faults are tried, and the tape is lowered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import BadInput
from ..plan import Params
from ..run import Run
from ..watch import PropertyRaised
from .course import Visitor, follow
from .drawing import search_by_hypothesis
from .finding import Finding, make
from .memory import Memory
from .minimise import REPLAYS_MAX, Minimal, counts, minimise
from .policies import Lenient
from .report import Counterexample
from .schedules import DEPTH, RUNS, Found, Search, Start, Stop, never, search

FEWER_RUNS_MAX = 200
"""With each smaller number of faults so many runs are tried, at most."""


@dataclass(slots=True)
class Hunt:
    """What came of it."""

    search: Search
    minimal: Minimal | None = None
    finding: Finding | None = None
    run: Run | None = None
    """The run of the finding's tape."""
    fewer: dict[int, int] = field(default_factory=dict)
    """How many runs were tried in vain with so many faults."""
    first: str = ""
    """The tape as the search found it."""


def hunt(
    start: Start,
    method: str,
    *,
    seed: int = 0,
    runs: int = RUNS,
    depth: int = DEPTH,
    only: str | None = None,
    memory: Memory | None = None,
    replays_max: int = REPLAYS_MAX,
    stop: Stop = never,
    tell: Callable[[int], None] = lambda replays: None,
    visitor: Visitor | None = None,
) -> Hunt:
    """Searches; a violation is brought down to a small counterexample, and kept in ``memory``.

    The number of faults comes first, so each smaller number is tried, one by one, from none on: by chance, which
    finds but does not prove. ``tell`` hears how the lowering goes on.
    """
    known = _recall(start, memory, seed, runs, only)
    try:
        done = Hunt(known or _search(start, method, seed, runs, depth, only, stop, visitor))
    except PropertyRaised as error:
        if error.answers is None:
            raise
        raise error.on(start.tape(error.answers), f" (in run {error.so_far.runs + 1} of the search)") from error
    found = done.search.found
    if found is None:
        return done
    name, world, answers = found.violation.property, found.start, found.course.answers
    done.first = str(world.tape(answers))
    for faults in range(found.course.counts.faults):
        again = search(world, "swarm", seed=seed, runs=min(runs, FEWER_RUNS_MAX), only=name, faults_max=faults)
        if again.found is not None:
            answers = again.found.course.answers
            break
        done.fewer[faults] = again.runs
    done.minimal = minimise(world, name, answers, replays_max=replays_max, tell=tell)
    done.finding, done.run = _finding(done, name)
    if memory is not None:
        memory.keep(start, done.finding.tape)
    return done


def _finding(done: Hunt, name: str) -> tuple[Finding, Run]:
    minimal = done.minimal
    assert minimal is not None
    tape = minimal.start.tape(minimal.course.answers)
    counterexample = Counterexample(
        tape.scenario, tape.variant, tape.dialect, tape.params, tape.choices, property_name=name
    )
    return make(counterexample, minimal.start.scenario, size=minimal.cost._asdict(), found_by=found_by(done))


def found_by(done: Hunt) -> dict[str, Any]:
    """How a finding came about, for its file."""
    report = done.search
    assert report.found is not None
    return {
        "search": report.method,
        "seed": report.found.seed,
        "run": report.found.run,
        "first_tape": done.first,
        "fewer_faults_tried": {str(faults): runs for faults, runs in done.fewer.items()},
        "replays": done.minimal.replays if done.minimal else 0,
        "locally_minimal": done.minimal.local if done.minimal else False,
    }


def _search(
    start: Start, method: str, seed: int, runs: int, depth: int, only: str | None, stop: Stop,
    visitor: Visitor | None,
) -> Search:  # fmt: skip
    if method == "hypothesis":
        return search_by_hypothesis(start, seed=seed, runs=runs, only=only, stop=stop, visitor=visitor)
    return search(start, method, seed=seed, runs=runs, depth=depth, only=only, stop=stop, visitor=visitor)


def _recall(start: Start, memory: Memory | None, seed: int, runs: int, only: str | None) -> Search | None:
    """What was found before, if it still breaks; what does not is forgotten."""
    if memory is None:
        return None
    wanted = start.wanted(only)
    report = Search("memory", seed, runs)
    for tape in memory.of(start):
        again = replace(start, params=tape.params)
        if not _is_smaller(again, start):
            continue
        course = follow(again.world(), Lenient(tape.choices), wanted)
        report.runs += 1
        report.remembered += 1
        report.steps += course.counts.steps
        report.depth = max(report.depth, course.counts.steps)
        if course.violation is not None:
            report.found, report.stopped = Found(report.runs, None, course.violation, course, again), "found"
            return report
        if only is None:  # else it may still break what is not asked for
            memory.drop(start, tape)
    return None


def _is_smaller(small: Start, whole: Start) -> bool:
    """Whether two worlds differ in their counts alone, and those of the first are no larger."""
    try:
        few, many = counts(small), counts(whole)
    except BadInput:
        return False  # the scenario has other parameters by now
    settings = [
        {name: value for name, value in values.as_dict().items() if name not in many}
        for values in (Params(dict(of.scenario.params), dict(of.params)) for of in (small, whole))
    ]
    return settings[0] == settings[1] and all(few[name] <= many[name] for name in many)

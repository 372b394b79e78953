"""Schedule search: many runs of a world too large to exhaust, until one violates a property.

A search that found nothing proves nothing: its verdict is ``incomplete``. Everything but the wall time depends on the
seed and the number of runs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadInput, RedeliveryError, unknown
from ..properties import SERVER_INVARIANTS
from ..run import INCOMPLETE, VIOLATED, build
from ..scenario import Scenario
from ..tape import Tape
from ..unsent import unsent_of
from ..watch import Violation
from ..world import World
from .course import Course, Policy, Visitor, follow
from .policies import NO_LIMIT, Priorities, RandomWalk, Swarm
from .seen import Point, Seen

METHODS = ("random", "pct", "swarm", "hypothesis")
RUNS = 1000
DEPTH = 3
PILOTS = 4
"""Runs that tell PCT how long a run is; they count as runs."""


@dataclass(frozen=True, slots=True)
class Start:
    """A world at its start, as often as it is needed."""

    scenario: Scenario
    variant: str
    dialect: str = ""
    """Empty: the one in which the variant is run where none is asked for."""
    params: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    """How tapes name the scenario."""

    def __post_init__(self) -> None:
        if not self.dialect:
            object.__setattr__(self, "dialect", self.scenario.variant(self.variant).dialect)

    def world(self, *, record: bool = True) -> World:
        """A fresh one."""
        return build(self.scenario, self.variant, self.dialect, self.params, record=record)[0]

    def tape(self, answers: tuple[int, ...]) -> Tape:
        """Answers as a tape of this world."""
        _, params = build(self.scenario, self.variant, self.dialect, self.params, record=False)
        return Tape(self.reference or self.scenario.name, self.variant, self.dialect, params.given, answers)

    def wanted(self, only: str | None = None) -> frozenset[str] | None:
        """The properties whose violation ends a search; ``None`` for any.

        Where a variant is declared to break one, breaking others on the way is not news, but for the server's.
        """
        variant = self.scenario.variant(self.variant)
        names = [p.name for p in self.scenario.properties_of(variant) if p.kind != "sometimes"]
        if only is not None:
            if only not in names:
                raise unknown(f"property of {self.scenario.name!r}", only, names)
            return frozenset((only,))
        if variant.violates is None:
            return None
        return frozenset((variant.violates, *(p.name for p in SERVER_INVARIANTS)))


@dataclass(slots=True)
class Found:
    """The first violation: by which run, and with which answers."""

    run: int
    """Which run of the search, from 1."""
    seed: int | None
    """What drew it; ``None`` where Hypothesis did."""
    violation: Violation
    course: Course
    start: Start
    """The world that it was found in."""


@dataclass(slots=True)
class Search:
    """What came of a search."""

    method: str
    seed: int
    runs_max: int
    runs: int = 0
    steps: int = 0
    depth: int = 0
    """The steps of the longest run."""
    states: int = 0
    behaviours: int = 0
    curve: list[Point] = field(default_factory=list)
    found: Found | None = None
    unmet: list[str] = field(default_factory=list)
    """The *sometimes* statements that no run met."""
    notes: list[str] = field(default_factory=list)
    """Faults that no run could strike with."""
    stopped: str = ""
    """Why it ended: ``found``, ``runs`` or ``seconds``."""
    remembered: int = 0
    """How many of the runs came from Hypothesis's example database."""

    @property
    def verdict(self) -> str:
        """``violated`` or ``incomplete``: chance proves nothing."""
        return VIOLATED if self.found is not None else INCOMPLETE

    def as_dict(self) -> dict[str, Any]:
        """For JSON, but for the wall time."""
        return {
            "search": self.method,
            "seed": self.seed,
            "runs": self.runs,
            "runs_max": self.runs_max,
            "stopped": self.stopped,
            "transitions": self.steps,
            "depth": self.depth,
            "states": self.states,
            "coverage": {"behaviours": self.behaviours, "over_runs": [point._asdict() for point in self.curve]},
            "remembered": self.remembered,
            "found_by": None if self.found is None else {"run": self.found.run, "seed": self.found.seed},
        }


Stop = Callable[["Search"], bool]
"""Asked after every run, with the search so far: whether to stop. A clock or a progress bar hides behind it."""


def never(search: Search) -> bool:
    """Goes on until the runs are used up."""
    return False


def search(
    start: Start,
    method: str = "random",
    *,
    seed: int = 0,
    runs: int = RUNS,
    depth: int = DEPTH,
    only: str | None = None,
    faults_max: int = NO_LIMIT,
    stop: Stop = never,
    visitor: Visitor | None = None,
) -> Search:
    """Searches by ``random``, ``pct`` or ``swarm`` until a violation, the last run, or ``stop``.

    Run i (from 0) has the seed ``seed + i``. ``depth`` is PCT's. ``visitor`` sees every run.
    """
    if runs < 1:
        raise BadInput(f"a search of {runs} runs searches nothing: give at least 1")
    if depth < 1:
        raise BadInput(f"a depth of {depth} is none: a bug that takes no order of steps has depth 1")
    wanted = start.wanted(only)
    report, seen = Search(method, seed, runs), Seen(visitor)
    policies = _Policies(start, method, depth, faults_max)
    unmet: Collection[str] | None = None
    for at in range(runs):
        policy = policies.make(seed + at)
        try:
            course = follow(start.world(), policy, wanted, seen)
        except RedeliveryError as error:
            error.so_far = report
            raise
        policies.learn(course)
        report.runs += 1
        report.steps += course.counts.steps
        report.depth = max(report.depth, course.counts.steps)
        seen.end(report.runs, report.steps, course.history)
        report.states, report.behaviours = len(seen.states), len(seen.behaviours)
        unmet = course.unmet if unmet is None else [name for name in unmet if name in course.unmet]
        over = stop(report)
        if course.violation is not None:
            report.found = Found(report.runs, seed + at, course.violation, course, start)
            report.stopped = "found"
            break
        if over:
            report.stopped = "seconds"
            break
    seen.mark(report.runs, report.steps)
    report.curve, report.unmet = seen.curve, list(unmet or ())
    report.notes = notes_of(start, seen)
    report.stopped = report.stopped or "runs"
    return report


def notes_of(start: Start, seen: Seen) -> list[str]:
    """A line for each fault that no run of a search could strike with for want of its command."""
    plan = start.world(record=False).plan
    return unsent_of(plan.faults, [process.name for process in plan.processes], seen.sent, "in any of these runs")


class _Policies:
    """Makes the policy of each run; for PCT it remembers how long the pilots were."""

    def __init__(self, start: Start, method: str, depth: int, faults_max: int) -> None:
        if method not in METHODS[:3]:
            raise unknown("search", method, METHODS)
        self.method, self.depth, self.faults_max = method, depth, faults_max
        self.units = sum(start.world(record=False).budgets)
        self.decisions: list[int] = []

    def make(self, seed: int) -> Policy:
        if self.method == "swarm":
            return Swarm(seed, self.faults_max)
        if self.method == "pct" and len(self.decisions) == PILOTS:
            return Priorities(seed, self.depth, max(self.decisions), self.units, self.faults_max)
        return RandomWalk(seed, self.faults_max)

    def learn(self, course: Course) -> None:
        if len(self.decisions) < PILOTS:
            self.decisions.append(len(course.answers))

"""Hypothesis draws the tape, and shrinks what it finds."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from ..errors import BadInput, RedeliveryError
from ..steps import Step
from ..world import World
from .course import Course, Visitor, follow
from .schedules import RUNS, Found, Search, Start, Stop, never, notes_of
from .seen import Seen


class Draw(Protocol):
    """The ``draw`` of a composite strategy."""

    def __call__(self, strategy: Any, label: Any = None) -> Any:
        """A value of the strategy."""
        ...


class ByHypothesis:
    """Every decision is one integer that Hypothesis draws, 0 the simplest: it shrinks towards the plain course."""

    def __init__(self, draw: Draw) -> None:
        from hypothesis import strategies as st

        self._draw = draw
        self._integers: Callable[[int, int], Any] = st.integers
        self.answers: list[int] = []

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """An answer; weights become a point among all of them, so that rare answers stay rare."""
        if n == 1:
            return 0
        answer = self._draw(self._integers(0, (n if weights is None else sum(weights)) - 1))
        if weights is not None:
            point = answer
            for answer, weight in enumerate(weights):  # noqa: B007
                point -= weight
                if point < 0:
                    break
        self.answers.append(answer)
        return int(answer)

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """A step."""
        return self.choose(len(steps), "next step", weights)


def _violates(course: Course) -> bool:
    return course.violation is not None


class _Stopped(KeyboardInterrupt):
    """Time is over, or the scenario is wrong: Hypothesis lets this through and shrinks nothing."""


def search_by_hypothesis(
    start: Start,
    *,
    seed: int = 0,
    runs: int = RUNS,
    only: str | None = None,
    stop: Stop = never,
    visitor: Visitor | None = None,
) -> Search:
    """Searches like ``schedules.search``; what it finds is shrunk already, which takes runs beyond ``runs``.

    Hypothesis leaves its database alone where it is given a seed, so ``memory`` keeps what was found.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisWarning, NoSuchExample

    if runs < 1:
        raise BadInput(f"a search of {runs} runs searches nothing: give at least 1")
    wanted = start.wanted(only)
    search = _Attempts(Search("hypothesis", seed, runs), start, wanted, stop, visitor)

    @st.composite
    def courses(draw: Draw) -> Course:
        return search.run(ByHypothesis(draw))

    choice = settings(
        max_examples=runs, database=None, phases=[Phase.generate, Phase.shrink], deadline=None,
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
    )  # fmt: skip
    course: Course | None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)  # a course is long to print, and nobody does
            course = find(courses(), _violates, settings=choice, random=random.Random(seed))
    except NoSuchExample:
        course = None
    except _Stopped as stopped:
        if isinstance(stopped.__cause__, RedeliveryError):
            raise stopped.__cause__ from None
        course = search.first
    return search.finish(course)


class _Attempts:
    """Counts what Hypothesis makes of the world."""

    def __init__(
        self, report: Search, start: Start, wanted: Collection[str] | None, stop: Stop, visitor: Visitor | None
    ) -> None:
        self.report, self.start, self.wanted, self.stop = report, start, wanted, stop
        self.seen = Seen(visitor)
        self.unmet: list[str] | None = None
        self.first: Course | None = None
        self.found_by = 0

    def run(self, policy: ByHypothesis) -> Course:
        """One run; the coverage is that of the search alone, not of the shrinking."""
        report = self.report
        try:
            course = follow(self.start.world(), policy, self.wanted, self.seen if self.first is None else None)
        except RedeliveryError as error:
            error.so_far = report
            raise _Stopped from error
        report.runs += 1
        report.steps += course.counts.steps
        report.depth = max(report.depth, course.counts.steps)
        if self.first is None:
            self.seen.end(report.runs, report.steps, course.history)
            report.states, report.behaviours = len(self.seen.states), len(self.seen.behaviours)
            self.unmet = list(course.unmet) if self.unmet is None else [n for n in self.unmet if n in course.unmet]
            if course.violation is not None:
                self.first, self.found_by = course, report.runs
                self.seen.mark(report.runs, report.steps)
        elif course.violation is not None and course.cost < self.first.cost:
            self.first = course
        if self.stop(report):
            report.stopped = "seconds"
            raise _Stopped
        return course

    def finish(self, course: Course | None) -> Search:
        """The report."""
        report = self.report
        if course is not None and course.violation is not None:
            report.found = Found(self.found_by, None, course.violation, course, self.start)
            report.stopped = "found"
        report.stopped = report.stopped or "runs"
        self.seen.mark(self.found_by or report.runs, report.steps)
        report.curve, report.unmet = self.seen.curve, self.unmet or []
        report.notes = notes_of(self.start, self.seen)
        return report

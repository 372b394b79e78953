"""Searching real client code: many runs until one violates a property; then the tape is lowered and run twice."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..check.drawing import ByHypothesis, Draw
from ..check.policies import Lenient
from ..errors import BadInput, RedeliveryError
from .policies import policies
from .simulation import Outcome, Simulation
from .stand_ins import stand_ins

RUNS = 200
DEPTH = 3
REPLAYS_MAX = 150
"""A tape is lowered with so many runs, at most."""

Stop = Callable[[int], bool]
"""Asked after every run with how many there were: whether to stop."""


@dataclass(slots=True)
class Found:
    """What came of a search."""

    method: str
    seed: int
    runs: int = 0
    replays: int = 0
    """How many runs the lowering took."""
    run: int | None = None
    """Which run of the search broke something, from 1."""
    outcome: Outcome | None = None
    """The run of the lowered tape."""
    first: str = ""
    """The tape as it was found."""
    seen: list[str] = field(default_factory=list)
    """The verdicts met, for whoever wants to know how often each came."""

    @property
    def property(self) -> str | None:
        """What was violated first."""
        return self.outcome.violations[0].property if self.outcome is not None else None


def search(
    simulation: Simulation, method: str = "random", *, seed: int = 0, runs: int = RUNS, depth: int = DEPTH,
    only: str | None = None, replays_max: int = REPLAYS_MAX, stop: Stop = lambda runs: False,
) -> Found:  # fmt: skip
    """Searches until a violation (of ``only``, where that is given), the last run, or ``stop``.

    Run i has the seed ``seed + i``; the first is made twice. ``NotRepeatable`` where its two histories differ.
    """
    if runs < 1:
        raise BadInput(f"a search of {runs} runs searches nothing: give at least 1")
    found = Found(method, seed)
    with stand_ins():
        if method == "hypothesis":
            first = _by_hypothesis(simulation, found, runs, only, stop)
        else:
            first = _by_seeds(simulation, found, runs, depth, only, stop)
        if first is None:
            return found
        found.first = str(first.tape)
        name = only or first.violations[0].property
        best, found.replays = lower(simulation, first, name, replays_max)
        found.outcome = simulation.twice(best.answers, best)
    return found


def _by_seeds(
    simulation: Simulation, found: Found, runs: int, depth: int, only: str | None, stop: Stop
) -> Outcome | None:
    make = policies(found.method, depth, 1)
    for at in range(runs):
        outcome = simulation.run(make(found.seed + at))
        if not at:
            simulation.twice(outcome.answers, outcome)
            if found.method == "pct":
                make = policies("pct", depth, len(outcome.answers))
        found.runs += 1
        if outcome.breaks(only):
            found.run = found.runs
            return outcome
        if stop(found.runs):
            break
    return None


class _Stopped(KeyboardInterrupt):
    """Hypothesis lets this through, and shrinks nothing."""


def _by_hypothesis(simulation: Simulation, found: Found, runs: int, only: str | None, stop: Stop) -> Outcome | None:
    from hypothesis import HealthCheck, Phase, Verbosity, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisWarning, NoSuchExample

    @st.composite
    def outcomes(draw: Draw) -> Outcome:
        try:
            outcome = simulation.run(ByHypothesis(draw))
        except RedeliveryError as error:
            raise _Stopped from error
        if found.run is None:
            found.runs += 1
            if outcome.breaks(only):
                found.run = found.runs
            elif stop(found.runs):
                raise _Stopped
        return outcome

    choice = settings(
        max_examples=runs, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
    )  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            drawn: Any = find(
                outcomes(), lambda o: o.breaks(only), settings=choice, random=random.Random(found.seed)
            )
    except NoSuchExample:
        return None
    except _Stopped as stopped:
        if isinstance(stopped.__cause__, RedeliveryError):
            raise stopped.__cause__ from None
        return None
    outcome: Outcome = drawn
    return outcome


# -- lowering --------------------------------------------------------------------------------------------


def lower(simulation: Simulation, outcome: Outcome, only: str, replays_max: int = REPLAYS_MAX) -> tuple[Outcome, int]:
    """A smaller tape that breaks the same property, and how many runs that took.

    Fewer faults first, then fewer and smaller deviations from the plain order of things.
    """
    lowering = _Lowering(simulation, outcome, only, replays_max)
    try:
        while lowering.round():
            pass
    except _UsedUp:
        pass
    return lowering.best, lowering.replays


class _UsedUp(Exception):
    """The bound on the work is reached."""


class _Lowering:
    def __init__(self, simulation: Simulation, outcome: Outcome, only: str, replays_max: int) -> None:
        self.simulation, self.only, self.left = simulation, only, replays_max
        self.best = outcome
        self.places_n = sum(fault.budget for fault in simulation.faults)
        self.tried: set[tuple[int, ...]] = {_trimmed(outcome.answers)}

    @property
    def replays(self) -> int:
        return len(self.tried) - 1

    def cost(self, outcome: Outcome) -> tuple[int, ...]:
        answers = _trimmed(outcome.answers)
        places, order = answers[: self.places_n], answers[self.places_n + 1 :]
        return (
            len(outcome.struck), sum(map(bool, places)), sum(map(bool, order)), sum(places),
            len(order), sum(answers),
        )  # fmt: skip

    def attempt(self, answers: Sequence[int]) -> bool:
        key = _trimmed(answers)
        if key in self.tried:
            return False
        if len(self.tried) > self.left:
            raise _UsedUp
        self.tried.add(key)
        outcome = self.simulation.run(Lenient(key))
        if not outcome.breaks(self.only) or self.cost(outcome) >= self.cost(self.best):
            return False
        self.best = outcome
        return True

    def round(self) -> bool:
        """Every kind of candidate once; whether one of them was better."""
        better = [self._plain(), self._fewer_faults(), self._earlier(), self._calmer()]
        return any(better)

    def _plain(self) -> bool:
        """The plain order of things, and no chance."""
        answers = self.best.answers
        return self.attempt(answers[: self.places_n]) or self.attempt(answers[: self.places_n + 1])

    def _fewer_faults(self) -> bool:
        better = False
        for at in range(self.places_n):
            answers = list(self.best.answers)
            if at < len(answers) and answers[at]:
                answers[at] = 0
                better = self.attempt(answers) or better
        return better

    def _earlier(self) -> bool:
        """Faults at earlier opportunities."""
        better = False
        for at in range(self.places_n):
            step = self.best.answers[at] // 2 if at < len(self.best.answers) else 0
            while step:
                answers = list(self.best.answers)
                if answers[at] > step:
                    answers[at] -= step
                    if self.attempt(answers):
                        better = True
                        continue
                step //= 2
        return better

    def _calmer(self) -> bool:
        """Pieces of the order are made plain, large ones first."""
        better = False
        begin = self.places_n + 1
        size = max(len(_trimmed(self.best.answers)) - begin, 0)
        while size:
            at = begin
            while at < len(_trimmed(self.best.answers)):
                answers = list(self.best.answers)
                if any(answers[at : at + size]):
                    answers[at : at + size] = [0] * len(answers[at : at + size])
                    better = self.attempt(answers) or better
                at += size
            size //= 2
        return better


def _trimmed(answers: Sequence[int]) -> tuple[int, ...]:
    end = len(answers)
    while end and not answers[end - 1]:
        end -= 1
    return tuple(answers[:end])

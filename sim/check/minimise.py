"""Smaller and smaller tapes that still break the same property: delta debugging, in one stated order.

A candidate is taken when it costs less (``order.Cost``): fewest faults, then fewest context switches, entries, steps,
the earliest time, the fewest and the smallest deviations from the plain course. What comes out is locally minimal: no
single answer can be changed, left out or swapped with the next, and no count among the parameters lowered, for less.
Several ways down are tried, so that different finds end in the same place more often than not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..errors import RedeliveryError
from ..plan import Params
from .course import Course, follow
from .order import Cost
from .policies import Lenient, RandomWalk
from .schedules import Start

REPLAYS_MAX = 2000
"""The bound on the work: so many candidates are run at most."""
PIECES = (16, 8, 4, 2, 1)
"""How many answers in a row are left out at once."""
RESTARTS = 8
"""Random walks through the lowered world that are lowered as well: the way down from one tape ends where it ends."""


@dataclass(frozen=True, slots=True)
class Minimal:
    """The smallest counterexample that was come to."""

    start: Start
    """The world, with its parameters lowered."""
    course: Course
    replays: int
    local: bool
    """Whether it is locally minimal; false where the bound on the work was hit first."""

    @property
    def cost(self) -> Cost:
        """What a reader has to follow."""
        return self.course.cost


def minimise(
    start: Start,
    property: str,
    answers: tuple[int, ...],
    *,
    replays_max: int = REPLAYS_MAX,
    tell: Callable[[int], None] = lambda replays: None,
) -> Minimal:
    """Lowers a tape that breaks ``property``; deterministic, at most ``replays_max`` runs.

    ``tell`` hears how many runs it has taken so far. ``ValueError`` where the tape does not break the property.
    """
    search = _Lowering(start, property, replays_max, tell)
    if not search.attempt(start, answers):
        raise ValueError(f"the tape does not break {property}")
    local = False
    try:
        search.lower()
        local = True
        search.restart()
    except _UsedUp:
        pass  # the best so far it is
    return Minimal(search.start, search.best, search.replays, local)


class _UsedUp(Exception):
    """The bound on the work is reached."""


class _Lowering:
    """The best so far, and the candidates around it."""

    best: Course

    def __init__(self, start: Start, property: str, replays_max: int, tell: Callable[[int], None]) -> None:
        self.start = start
        self.property = property
        self.replays = 0
        self.replays_max = replays_max
        self._tell = tell
        self.cost: Cost | None = None
        self.sizes: list[int] = []
        self._tried: set[tuple[tuple[tuple[str, str], ...], tuple[int, ...]]] = set()

    @property
    def answers(self) -> tuple[int, ...]:
        return self.best.answers

    def attempt(self, start: Start, answers: tuple[int, ...]) -> bool:
        """Runs a candidate; whether it is the best now."""
        key = (tuple(sorted(start.params.items())), _without_zeros(answers))
        if key in self._tried:
            return False
        self._tried.add(key)
        self._count()
        policy = Lenient(answers)
        try:
            course = follow(start.world(), policy, (self.property,))
        except RedeliveryError:
            return False  # a world that cannot be is no counterexample
        self._tried.add((key[0], _without_zeros(course.answers)))
        if course.violation is None or (self.cost is not None and course.cost >= self.cost):
            return False
        self.start, self.best, self.cost, self.sizes = start, course, course.cost, policy.sizes
        return True

    def _count(self) -> None:
        if self.replays >= self.replays_max:
            raise _UsedUp
        self.replays += 1
        self._tell(self.replays)

    def lower(self) -> None:
        """Tries every kind of candidate, round after round, until none is better."""
        # A tuple, not any(): every kind has its turn in every round.
        while True in (self._lower_counts(), self._calm_down(), self._leave_out(), self._answer_otherwise()):
            pass

    def restart(self) -> None:
        """Lowers other counterexamples of the lowered world too, and keeps the best of all."""
        kept = (self.start, self.best, self.cost, self.sizes)
        start, faults = self.start, self.best.counts.faults
        try:
            for seed in range(RESTARTS):
                self._count()
                course = follow(start.world(), RandomWalk(seed, faults), (self.property,))
                self.cost = None
                if course.violation is not None and self.attempt(start, course.answers):
                    self.lower()
                    if kept[2] is None or self.best.cost < kept[2]:
                        kept = (self.start, self.best, self.cost, self.sizes)
        finally:
            self.start, self.best, self.cost, self.sizes = kept

    def _lower_counts(self) -> bool:
        better = False
        for name, value in counts(self.start).items():
            for lower in dict.fromkeys((1, value // 2, value - 1)):
                if 1 <= lower < value:
                    params = {**self.start.params, name: str(lower)}
                    if self.attempt(replace(self.start, params=params), self.answers):
                        better = True
                        break
        return better

    def _calm_down(self) -> bool:
        """Lets several deviations at once take the plain course: all, halves, quarters."""
        better = False
        pieces = 1
        while pieces <= max(sum(map(bool, self.answers)), 1):
            odd = [at for at, answer in enumerate(self.answers) if answer]
            length = -(-len(odd) // pieces) or 1
            for begin in range(0, len(odd), length):
                calm = set(odd[begin : begin + length])
                answers = tuple(0 if at in calm else answer for at, answer in enumerate(self.answers))
                better |= self.attempt(self.start, answers)
            pieces *= 2
        return better

    def _leave_out(self) -> bool:
        """Leaves out answers in a row, so that what follows happens earlier."""
        better = False
        for length in PIECES:
            at = len(_without_zeros(self.answers)) - length
            while at >= 0:
                better |= self.attempt(self.start, self.answers[:at] + self.answers[at + length :])
                at = min(at - 1, len(self.answers) - length)
        return better

    def _answer_otherwise(self) -> bool:
        """Changes one answer, or swaps it with the next."""
        better = False
        at = 0
        while at < len(self.answers):
            for answers in self._around(at):
                if self.attempt(self.start, answers):
                    better = True
                    break
            else:
                at += 1
        return better

    def _around(self, at: int) -> Iterator[tuple[int, ...]]:
        answers = self.answers
        head, tail = answers[:at], answers[at + 1 :]
        for other in range(self.sizes[at]):
            if other != answers[at]:
                yield (*head, other, *tail)
        if tail and tail[0] != answers[at]:
            yield (*head, tail[0], answers[at], *tail[1:])


def _without_zeros(answers: tuple[int, ...]) -> tuple[int, ...]:
    end = len(answers)
    while end and answers[end - 1] == 0:
        end -= 1
    return answers[:end]


def counts(start: Start) -> dict[str, int]:
    """The parameters that say how many there are of something: whole numbers that are no times."""
    values = Params(dict(start.scenario.params), dict(start.params)).as_dict()
    return {
        name: value for name, value in values.items() if type(value) is int and not name.endswith(("_ms", "_s"))
    }

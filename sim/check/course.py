"""One course through a world, from its start to its end or to the first violation that is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..choices import Choices
from ..events import Effect
from ..history import History
from ..run import weights
from ..steps import Due, Step, Strike
from ..watch import Violation
from ..world import World
from .order import Cost


class Policy(Choices, Protocol):
    """Decides which enabled step comes next, and, as ``Choices``, what is left open within a step.

    ``pick`` is asked only where there are two steps or more, and appends its answer to ``answers``: so what
    any policy did is a tape.
    """

    def pick(self, world: World, steps: Sequence[Step], weights: Sequence[int] | None) -> int:
        """The place of the step to take in ``steps``, which are at least two."""
        ...


class Visitor(Protocol):
    """Who looks at the states on the way."""

    def at_decision(self, world: World, answers: Sequence[int]) -> None:
        """Called wherever more than one step is enabled, before one is picked."""
        ...


class Counts(NamedTuple):
    """What a course took."""

    steps: int = 0
    faults: int = 0
    switches: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """Where a course led.

    ``violation`` is the first of a property that was asked for; the course ends there. ``answers`` is the tape up
    to it. ``history`` is ``None`` where the world does not record.
    """

    answers: tuple[int, ...]
    counts: Counts
    violation: Violation | None
    unmet: tuple[str, ...]
    at_ms: int
    history: History | None

    @property
    def cost(self) -> Cost:
        """How much a reader has to follow, in the one order in which counterexamples are compared."""
        added = 0
        for event in self.history or ():
            if isinstance(event, Effect):
                added += sum(type(fact).__name__ == "Added" for fact in event.facts)
        answers = self.answers
        deviations = sum(answer != 0 for answer in answers)
        return Cost(
            self.counts.faults, self.counts.switches, added, self.counts.steps, self.at_ms, deviations, sum(answers)
        )


def follow(
    world: World, policy: Policy, wanted: Collection[str] | None = None, visitor: Visitor | None = None
) -> Course:
    """Takes steps as ``policy`` says until none is left, or until a property of ``wanted`` is violated.

    ``wanted`` is ``None`` for any property. The steps are those that a simulation chooses from.
    """
    watch = world.watch
    assert watch is not None, "a world without properties has no violations"
    steps_n = faults = switches = known = 0
    found: Violation | None = None
    before: int | None = None
    while found is None and (steps := world.enabled()):
        if len(steps) == 1:
            step = steps[0]
        else:
            if visitor is not None:
                visitor.at_decision(world, policy.answers)
            step = steps[policy.pick(world, steps, weights(steps))]
        world.take(step, policy)
        steps_n += 1
        if isinstance(step, Strike):
            faults += 1
        elif isinstance(step, Due):
            process = step.scheduled.event.process
            switches += before is not None and before != process
            before = process
        if len(watch.violations) > known:
            found = _first(watch.violations[known:], wanted)
            known = len(watch.violations)
    if found is None:
        world.finish()
        found = _first(watch.violations[known:], wanted)
    counts = Counts(steps_n, faults, switches)
    at_ms = world.now_ms if found is None else found.at_ms
    return Course(tuple(policy.answers), counts, found, tuple(watch.unmet()), at_ms, world.history)


def _first(violations: Sequence[Violation], wanted: Collection[str] | None) -> Violation | None:
    return next((found for found in violations if wanted is None or found.property in wanted), None)

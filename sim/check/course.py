"""One course through a world, from its start to its end or to the first violation that is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..choices import Choices
from ..events import Effect
from ..history import History
from ..run import STEPS_MAX, weights
from ..steps import Due, Step, Strike
from ..watch import PropertyRaised, Violation
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


class Visitor:
    """Who looks at a run on its way. Each method is called at its moment; this one looks away."""

    def began(self, world: World) -> None:
        """The world is at its start."""

    def at_decision(self, world: World, answers: Sequence[int]) -> None:
        """More than one step is enabled, and none is picked yet."""

    def took(self, world: World, step: Step) -> None:
        """A step has been taken."""

    def ended(self, world: World) -> None:
        """No step is left, or the property that was asked for is broken."""


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

    ``wanted`` is ``None`` for any property. The steps are those that a simulation chooses from. Where a property's own
    code raises, the error has the answers up to there.
    """
    try:
        return _follow(world, policy, wanted, visitor)
    except PropertyRaised as error:
        error.answers = tuple(policy.answers)
        raise


def _follow(world: World, policy: Policy, wanted: Collection[str] | None, visitor: Visitor | None) -> Course:
    watch = world.watch
    assert watch is not None, "a world without properties has no violations"
    steps_n = faults = switches = known = 0
    found: Violation | None = None
    before: int | None = None
    look = visitor or Visitor()
    look.began(world)
    steps_max = STEPS_MAX if world.plan.frozen else -1
    while found is None and steps_n != steps_max and (steps := world.enabled()):
        if len(steps) == 1:
            step = steps[0]
        else:
            look.at_decision(world, policy.answers)
            step = steps[policy.pick(world, steps, weights(steps))]
        world.take(step, policy)
        look.took(world, step)
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
        look.ended(world)
        found = _first(watch.violations[known:], wanted)
    else:
        look.ended(world)
    counts = Counts(steps_n, faults, switches)
    at_ms = world.now_ms if found is None else found.at_ms
    return Course(tuple(policy.answers), counts, found, tuple(watch.unmet()), at_ms, world.history)


def _first(violations: Sequence[Violation], wanted: Collection[str] | None) -> Violation | None:
    return next((found for found in violations if wanted is None or found.property in wanted), None)

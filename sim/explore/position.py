"""A position in a world's runs: what was decided so far, and what can be decided now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ..check.plain import edge_of
from ..check.schedules import Start
from ..check.taking import Edge
from ..errors import BadInput
from ..faults import Fault
from ..run import STEPS_MAX
from ..steps import Begin, Deliver, Due, Rise, Step, Strike, describe
from ..world import World

NEXT_STEP = "next step"
KEPT = 64
"""So many positions are remembered, so that one step more is one step's work."""


class Option:
    """One answer to the decision at hand: in words, and whether it is a fault."""

    __slots__ = ("at_ms", "edge", "fault", "text")

    def __init__(self, text: str, at_ms: int, edge: Edge, fault: bool) -> None:
        self.text = text
        self.at_ms = at_ms
        self.edge = edge
        """What the checker calls it; within a step, with the answers so far and this one."""
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run is after some decisions. Nothing of it is changed: whoever goes on takes a fork."""

    answers: tuple[int, ...]
    world: World
    """Before the step in whose midst the decision at hand is, if it is in one."""
    edges: tuple[Edge, ...]
    """The steps that were taken, as the checker calls them."""
    label: str
    """What is to be decided: ``next step``, or what is open within one; empty where the run is over."""
    within: str
    """The step in whose midst it is to be decided, in words; else empty."""
    options: tuple[Option, ...]

    @property
    def over(self) -> bool:
        """Whether nothing can happen any more."""
        return not self.label


class Undecided(Exception):
    """A decision that no answer was given for."""

    def __init__(self, n: int, label: str) -> None:
        super().__init__(label)
        self.n = n
        self.label = label


class _Given:
    """Choices that were given; behind the last one, ``Undecided``."""

    def __init__(self, answers: Sequence[int]) -> None:
        self.answers: list[int] = []
        self._given = answers

    @property
    def used_up(self) -> bool:
        return len(self.answers) == len(self._given)

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """The next answer."""
        if n == 1:
            return 0
        if self.used_up:
            raise Undecided(n, label)
        answer = self._given[len(self.answers)]
        if not 0 <= answer < n:
            raise BadInput(
                f"the tape does not fit this run: decision {len(self.answers) + 1} ({label}) has {n} answers, the tape "
                f"says {answer}"
            )
        self.answers.append(answer)
        return answer


class Positions:
    """Goes to positions in the runs of one world; those that were looked at last are remembered."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self._kept: OrderedDict[tuple[int, ...], Position] = OrderedDict()

    def at(self, answers: Sequence[int]) -> Position:
        """The position after these answers, or, where the run is over before, at its end.

        ``BadInput`` where the run cannot take one of them.
        """
        wanted = tuple(answers)
        before = self._nearest(wanted)
        position = before if before is not None and before.answers == wanted else self._go(before, wanted)
        self._kept[position.answers] = position
        self._kept.move_to_end(position.answers)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return position

    def _nearest(self, wanted: tuple[int, ...]) -> Position | None:
        for length in range(len(wanted), -1, -1):
            position = self._kept.get(wanted[:length])
            if position is not None and (not position.within or length == len(wanted)):
                return position
        return None

    def _go(self, before: Position | None, wanted: tuple[int, ...]) -> Position:
        world = self.start.world() if before is None else before.world.fork()
        edges = [] if before is None else list(before.edges)
        choices = _Given(wanted)
        choices.answers = [] if before is None else list(before.answers)
        while (steps := world.enabled()) and not (world.plan.frozen and len(edges) >= STEPS_MAX):
            try:
                place = choices.choose(len(steps), NEXT_STEP)
            except Undecided:
                return self._decision(world, edges, choices)
            made = len(choices.answers)
            kept = world.fork() if choices.used_up else world
            try:
                world.take(steps[place], choices)
            except Undecided as open_:
                return self._inner(kept, edges, choices, place, made, open_)
            edges.append(edge_of(steps, place)._replace(answers=tuple(choices.answers[made:])))
        if not world.ended:
            world.finish()
        return Position(tuple(choices.answers), world, tuple(edges), "", "", ())

    def _decision(self, world: World, edges: list[Edge], choices: _Given) -> Position:
        steps = world.enabled()
        names, faults = tuple(process.name for process in world.plan.processes), tuple(world.plan.faults)
        options = [
            Option(_said(step, names, faults), step.at_ms, edge_of(steps, place), isinstance(step, Strike))
            for place, step in enumerate(steps)
        ]
        return Position(tuple(choices.answers), world, tuple(edges), NEXT_STEP, "", tuple(options))

    def _inner(
        self, world: World, edges: list[Edge], choices: _Given, place: int, made: int, open_: Undecided
    ) -> Position:
        steps = world.enabled()
        step, edge = steps[place], edge_of(steps, place)
        names, faults = tuple(process.name for process in world.plan.processes), tuple(world.plan.faults)
        so_far = tuple(choices.answers[made:])
        latencies = world.plan.latency_ms if open_.label == "latency" else ()
        options = []
        for answer in range(open_.n):
            text = f"{latencies[answer]} ms" if len(latencies) == open_.n else str(answer)
            whole = edge._replace(answers=(*so_far, answer))
            options.append(Option(f"{open_.label}: {text}", step.at_ms, whole, False))
        within = _said(step, names, faults)
        return Position(tuple(choices.answers), world, tuple(edges), open_.label, within, tuple(options))


_SAID: dict[type, str] = {Rise: "starts", Begin: "begins its next turn", Deliver: "the reply arrives"}


def _said(step: Step, names: tuple[str, ...], faults: tuple[Fault, ...]) -> str:
    """A step in words, for somebody who meets it for the first time."""
    if isinstance(step, Due) and type(step.scheduled.event) in _SAID:
        event = step.scheduled.event
        return f"{names[event.process]}: {_SAID[type(event)]}"
    return describe(step, names, faults)

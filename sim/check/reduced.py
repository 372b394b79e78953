"""A machine with the reductions that leave steps out: fewer states, the same violations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..world import World
from .abstraction import Abstraction, Refined
from .ample_steps import AmpleSteps
from .local_steps import LocalSteps, Way
from .machine import Found, Machine, State
from .payloads import TOLD_APART, Payloads, why_not
from .scenes import CLOCK_AT, SCENE_AT
from .taking import Edge, Outcome, Woken

STEPS_LEFT_OUT = frozenset({"local", "sleep", "ample", "values"})
"""The reductions that need such a machine."""


def machine_for(world: World, abstraction: Abstraction, reductions: Sequence[str]) -> Machine:
    """The machine that searches a world under these reductions."""
    if not STEPS_LEFT_OUT.isdisjoint(reductions):
        return Reduced(world, abstraction, reductions)
    return Machine(world, abstraction)


class Reduced(Machine):
    """Where one of several steps may as well come first, only that one is taken."""

    sweeps = False

    def __init__(
        self, world: World, abstraction: Abstraction, reductions: Sequence[str], *, endless: bool = False
    ) -> None:
        self._payloads: Payloads | None = None
        super().__init__(world, abstraction, endless=endless)
        if "values" in reductions and abstraction.values and len(self.plan.values) > 1:
            why = why_not(self.plan, self.properties)
            if why is not None:
                raise Refined(replace(abstraction, values=False, notes=(*abstraction.notes, f"{TOLD_APART}{why}")))
            self._payloads = Payloads(self, tuple(value.encode() for value in self.plan.values))
            self.initial = self.canonical(self.initial)
        self.wakeful = "sleep" in reductions and world.server.survivors is not None
        """Whether no step may sleep: a file and a replica keep the order of commands that commute elsewhere."""
        self.sleeps = "sleep" in reductions and not self.wakeful
        """Whether the search is to take one order only of steps that may come in either."""
        self._ample = AmpleSteps(self) if "ample" in reductions else None
        self._local = LocalSteps(self) if "local" in reductions else None

    def successors(self, state: State) -> Found:
        """Every step that has to be looked at, with the local steps that follow it."""
        return [(edges[0], self.canonical(after), broken) for edges, after, broken in self.ways(state)]

    def canonical(self, state: State) -> State:
        """The one of all states that differ by who is who, and by which value is which."""
        found = super().canonical(state)
        return found if self._payloads is None else self._payloads.canonical(found)

    def ways(self, state: State) -> list[Way]:
        """The steps from a state that have to be looked at, each with all that is taken together with it."""
        alone = None if self._local is None else self._local.alone(state)
        if alone is not None and self._local is not None:
            found = [(each.edge, *self._local.take(state, each)[:2]) for each in alone]
        else:
            ample = None if self._ample is None else self._ample.of(state)
            found = self.steps(state) if ample is None else ample
        if self._local is None:
            return [((edge,), after, broken) for edge, after, broken in found]
        return [way for edge, after, broken in found for way in self._local.finish(edge, after, broken)]

    def concrete(self, states: list[State], broken: tuple[int, ...]) -> list[Edge]:
        """The steps of a way through canonical states, as the world itself takes them; the last may break something."""
        way: list[Edge] = []
        at = self.first
        for number, there in enumerate(states[1:], 2):
            wanted = broken if broken and number == len(states) else None
            edges, at = next(
                (edges, after)
                for edges, after, breaks in self.ways(at)
                if self.canonical(after) == there and (wanted is None or breaks == wanted)
            )
            way.extend(edges)
        return way

    # -- what its reductions ask -----------------------------------------------------------------------

    def outcomes_of(self, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """What all that is due for a process leads to."""
        return self.order.due(index, server, life)

    def crash_of(self, fault: int, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """What a crash of a process leads to."""
        return self.order.strike(fault, index, server, life)

    def exchange_of(self, index: int, before: int, after: int) -> int:
        """By how much a state changes where a process becomes another."""
        return after - before << SCENE_AT + self.scenes.shifts[index]

    def may_be_struck(self, clock: int) -> bool:
        """Whether a fault may strike at this instant, now or after something else."""
        return bool(self.strikes(clock))

    def strikes(self, clock: int) -> tuple[int, ...]:
        """The faults that may strike at this instant."""
        return self.may_strike(clock) or ()

    def ordered(self, state: State) -> tuple[State, tuple[int, ...] | None]:
        """The canonical state, and which process stands at each place then.

        ``None`` where each stands as before, and nobody where payload values have become others: a step that picks one
        is then another step.
        """
        there = self.canonical(state)
        if self._payloads is not None and there != super().canonical(state):
            return there, ()
        order = self.scenes.in_order(state >> SCENE_AT)[1] if self.order.classes else -1
        return there, None if order < 0 else self.order.orders[order]

    def joined(self, scene: int, whole: int, clock: int) -> State:
        """A state of its parts."""
        return whole | clock << CLOCK_AT | scene << SCENE_AT

    def told(self, clock: int, tells: int) -> int:
        """By how much a state changes where a budget is spent, or an ID is made: see ``Move.tells``."""
        return self._clock(clock, tells)

"""What the checker knows of where a run may go: how near the next violation is, and whether it can still be avoided.

All states are looked at once, as far as there are not too many of them; then each is told how many steps there are
from it to the nearest violation. A run is followed through the same states, step by step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..check.breadth import Progress
from ..check.check import model_of, refuse_unbounded
from ..check.plain import Plain
from ..check.reductions import DEFAULT
from ..check.schedules import Start
from ..check.taking import Edge
from ..errors import RedeliveryError
from .states import Abstract, Exact, State

EVERY = 32
"""After so many states whoever asks meanwhile is answered."""
STATES_MAX = 100_000
"""Of a larger world nothing is known beforehand."""


class Unknown(RedeliveryError):
    """Nothing is known beforehand of this world, and why."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What may come of a step."""

    breaks: tuple[str, ...]
    """Properties that the step itself breaks."""
    soonest: int | None
    """How many steps there are to the nearest violation, this one included; ``None``: there is none any more."""
    nearest: str
    """The property that it breaks."""
    doomed: bool
    """Whether every way from here breaks something."""
    states: frozenset[State]
    """The states that it may lead to."""


class Foresight:
    """The graph of one world, searched whole. ``breathe`` is called now and then while it is."""

    def __init__(self, start: Start, breathe: Callable[[], None] = lambda: None) -> None:
        def look_up(progress: Progress) -> None:
            breathe()
            if progress.states > STATES_MAX:
                raise Unknown(f"there are more than {STATES_MAX:,} states")

        refuse_unbounded(start.world(record=False).plan)
        model = model_of(lambda: start.world(record=False), DEFAULT, look_up)
        self._model: Abstract | Exact = Exact(model) if isinstance(model, Plain) else Abstract(model)
        self._nearest: dict[State, tuple[int, int]] = {}
        """How many steps there are to a violation, and of which property."""
        self._safe: set[State] = set()
        """From where a run can end with nothing broken on the way there."""
        self.states = 0
        self._explore(breathe)

    def walk(self, edges: Sequence[Edge]) -> list[State]:
        """The states of a run that takes these steps: before the first, and after each."""
        states = [self._model.first]
        for edge in edges:
            states.append(self.step(states[-1], edge))
        return states

    def step(self, state: State, edge: Edge) -> State:
        """The state after one more step; ``Unknown`` where the checker knows no such step."""
        for known, after, _ in self._model.steps(state):
            if known == edge:
                return after
        raise Unknown("the checker knows no such step")

    def seen_as(self, state: State) -> State:
        """The one of all states that differ by who is who."""
        return self._model.canonical(state)

    def prospect(self, state: State, edge: Edge) -> Prospect:
        """What may come of all steps that begin with an edge's answers."""
        given = len(edge.answers)
        found = [
            (self._model.canonical(after), broken)
            for known, after, broken in self._model.steps(state)
            if known._replace(answers=known.answers[:given]) == edge
        ]
        if not found:
            raise Unknown("the checker knows no such step")
        names = [p.name for p in self._model.properties]
        breaks = sorted({which for _, broken in found for which in broken})
        soonest: int | None = None
        nearest = ""
        for after, broken in found:
            there = self._nearest.get(after)
            steps = 1 if broken else None if there is None else there[0] + 1
            if steps is not None and (soonest is None or steps < soonest):
                soonest, nearest = steps, names[broken[0] if broken else there[1] if there else 0]
        doomed = all(broken or after not in self._safe for after, broken in found)
        states = frozenset(after for after, _ in found)
        return Prospect(tuple(names[which] for which in breaks), soonest, nearest, doomed, states)

    def _explore(self, breathe: Callable[[], None]) -> None:
        model = self._model
        order, before = [model.initial], {model.initial: list[tuple[State, bool]]()}
        near: deque[State] = deque()
        good: deque[State] = deque()
        for number, state in enumerate(order):
            if number % EVERY == 0:
                breathe()
            found, at_end = model.look(state)
            if at_end is not None and not at_end:
                good.append(state)
            broken_here = [0, at_end[0]] if at_end else None
            for _, after, broken in found:
                if after not in before:
                    before[after] = []
                    order.append(after)
                before[after].append((state, bool(broken)))
                if broken:
                    broken_here = [0, broken[0]]
            if broken_here is not None:
                self._nearest[state] = (0 if at_end else 1, broken_here[1])
                near.append(state)
        self.states = len(order)
        self._spread(near, good, before)

    def _spread(
        self, near: deque[State], good: deque[State], before: dict[State, list[tuple[State, bool]]]
    ) -> None:
        """Back from violations, the nearest first; and back from good ends, along steps that break nothing."""
        queue = deque(sorted(near, key=lambda state: self._nearest[state][0]))
        while queue:
            state = queue.popleft()
            steps, which = self._nearest[state]
            for earlier, _ in before[state]:
                if earlier not in self._nearest:
                    self._nearest[earlier] = (steps + 1, which)
                    queue.append(earlier)
        self._safe.update(good)
        while good:
            for earlier, broken in before[good.popleft()]:
                if not broken and earlier not in self._safe:
                    self._safe.add(earlier)
                    good.append(earlier)

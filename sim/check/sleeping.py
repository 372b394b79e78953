"""Sleep sets: of two steps that may come in either order, one order is enough.

A step that was taken from a state *sleeps* in the states behind its siblings for as long as nothing happens that
depends on it: whatever it leads to there was reached the other way round. Every state is still seen, by fewer steps.
With states that are met again this takes care: each keeps what slept when it was met, and where it is met again with
less asleep, what has woken is taken then.
"""

from __future__ import annotations

from collections.abc import Iterable

from .breadth import EVERY, Hit, Outcome, Progress, Report, Stop
from .independence import Independence
from .machine import State
from .reduced import Reduced
from .taking import Edge

Steps = tuple[Edge, ...]
"""Steps that are taken together."""
Asleep = frozenset[Steps]
Visit = tuple[State, "Asleep | None", Asleep]
"""A state, the steps to take from it (``None``: all that do not sleep), and those that sleep."""


def breadth_first(machine: Reduced, stop: Stop, report: Report | None = None, depth_max: int | None = None) -> Outcome:
    """Searches level by level, with one of the orders of steps that may come in either."""
    return Sleeping(machine, stop, report, depth_max).search()


class Sleeping:
    """One search."""

    def __init__(self, machine: Reduced, stop: Stop, report: Report | None, depth_max: int | None) -> None:
        self._machine = machine
        self._stop = stop
        self._report = report
        self._depth_max = depth_max
        self._independence = Independence(machine)
        self._slept: dict[State, Asleep] = {machine.initial: frozenset()}
        self._parents: dict[State, State] = {}
        self._out = Outcome(states=1)

    def search(self) -> Outcome:
        """Until nothing is left, or something is found to stop at."""
        out = self._out
        level: list[Visit] = [(self._machine.initial, None, frozenset())]
        visits = 0
        while level:
            out.levels.append(len(level))
            deeper: list[Visit] = []
            for visit in level:
                if self._visit(visit, deeper):
                    return self._counted()
                visits += 1
                if self._report is not None and not visits % EVERY:
                    queue = len(level) + len(deeper)
                    self._report(Progress(len(self._slept), out.transitions, queue, out.depth))
            if deeper and self._depth_max is not None and out.depth >= self._depth_max:
                out.bounded = True
                break
            out.depth += bool(deeper)
            level = deeper
        return self._counted()

    def _counted(self) -> Outcome:
        self._out.states = len(self._slept)
        return self._out

    def _visit(self, visit: Visit, deeper: list[Visit]) -> bool:
        """Takes the steps of a state that have to be taken; whether the search ends with one."""
        machine, out = self._machine, self._out
        state, wanted, asleep = visit
        ways = machine.ways(state)
        if wanted is None:
            out.degrees[len(ways)] = out.degrees.get(len(ways), 0) + 1
            over = machine.at_end(state, [(edges[0], after, broken) for edges, after, broken in ways])
            if over is not None:
                out.ends += 1
                if over and self._note(over, state, None):
                    return True
        done: list[Steps] = list(asleep)
        for edges, after, broken in ways:
            if edges in asleep or (wanted is not None and edges not in wanted):
                continue
            out.transitions += 1
            there, order = machine.ordered(after)
            if broken and self._note(broken, state, there):
                return True
            self._meet(state, there, _moved(self._still_asleep(state, edges, done), order), deeper)
            done.append(edges)
        return False

    def _still_asleep(self, state: State, edges: Steps, done: Iterable[Steps]) -> list[Steps]:
        return [other for other in done if self._independence.of(state, edges[0], other[0])]

    def _meet(self, state: State, there: State, asleep: Asleep, deeper: list[Visit]) -> None:
        before = self._slept.get(there)
        if before is None:
            self._slept[there] = asleep
            self._parents[there] = state
            deeper.append((there, None, asleep))
        elif not before <= asleep:
            self._slept[there] = before & asleep
            deeper.append((there, before - asleep, before & asleep))

    def _note(self, broken: tuple[int, ...], state: State, there: State | None) -> bool:
        out = self._out
        for which in broken:
            out.broken.setdefault(which, out.depth + (there is not None))
        if not self._stop(broken):
            return False
        keys = [state] if there is None else [there, state]
        while state in self._parents:
            state = self._parents[state]
            keys.append(state)
        out.hit = Hit(broken, (), there is None, tuple(reversed(keys)))
        return True


def _moved(asleep: Iterable[Steps], order: tuple[int, ...] | None) -> Asleep:
    """The same steps where the process at ``order[i]`` stands at place ``i`` now; none where that cannot be said."""
    if order is None:
        return frozenset(asleep)
    if not order:
        return frozenset()
    becomes = {before: place for place, before in enumerate(order)}
    return frozenset(
        tuple([edge._replace(process=becomes.get(edge.process, edge.process)) for edge in edges]) for edges in asleep
    )

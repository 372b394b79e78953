"""Liveness: a way into a loop that can go on for ever, and on which what must come true never does.

Once the faults have stopped, time is no longer counted, so a world that only polls comes back to where it was. A loop
in which time passes is fair by itself: time passes only when everything that was due has happened, so no process
that could go on, and no timer, is put off for ever. Where time is frozen, a loop counts only if it puts nobody off
for ever: each process takes a step on it, or has nothing to do at some moment of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .breadth import EVERY, Progress, Report
from .frozen_walk import FrozenWalk
from .machine import Machine, State
from .reduced import Reduced
from .taking import Edge

Node = Any
Step = tuple[Edge, Node]


class Walk(Protocol):
    """What loops are looked for in."""

    @property
    def first(self) -> Node:
        """Where it begins."""
        ...

    def steps(self, node: Node) -> list[Step]:
        """Every step that can happen next."""
        ...

    def broken(self, node: Node) -> tuple[int, ...]:
        """The properties that would be broken if the run were over here."""
        ...

    def waiting(self, node: Node) -> Iterable[int]:
        """The processes that may not be put off for ever."""
        ...


class TimedWalk:
    """States in which who is who does not matter; every loop of theirs is fair."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.first = machine.initial

    def steps(self, node: State) -> list[Step]:
        """Every step that can happen next."""
        return [(edge, after) for edge, after, _ in self._machine.successors(node)]

    def broken(self, node: State) -> tuple[int, ...]:
        """Nothing while faults may still strike."""
        return self._machine.broken_now(node) if self._machine.is_healed(node) else ()

    def waiting(self, node: State) -> Iterable[int]:
        """Nobody is put off where time passes."""
        return ()


class StillWalk(FrozenWalk):
    """The same where time is frozen: faults are bounded by their budgets alone, so no loop has any."""

    def broken(self, node: Any) -> tuple[int, ...]:
        """What would be broken if nothing happened any more."""
        return self._machine.broken_now(node.state)


@dataclass(slots=True)
class Lasso:
    """The steps into the loop, those of the loop, and the property that never comes true on it."""

    broken: int
    prefix: list[Edge]
    loop: list[Edge]


@dataclass(slots=True)
class Explored:
    """What a search for loops came to."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    lasso: Lasso | None = None


@dataclass(slots=True)
class Graph:
    """The states with their ways, and the steps between those in which time is not counted any more."""

    order: list[Node] = field(default_factory=list)
    parents: dict[Node, tuple[Node, Edge]] = field(default_factory=dict)
    depths: dict[Node, int] = field(default_factory=dict)
    steps: dict[Node, list[Step]] = field(default_factory=dict)


def find_lasso(machine: Reduced, fresh: Any, report: Report | None = None, first: str | None = None) -> Explored:
    """Searches all there is, level by level, then for a loop on which an *eventually* property stays broken.

    The loop whose entry is nearest to the beginning is taken, and of its ways round a short one; ``first`` is the
    property that is looked at before the others. ``fresh`` makes the world at its start.
    """
    assert machine.endless, "time must not be counted once the faults have stopped"
    walk: Walk = StillWalk(machine, fresh()) if machine.plan.frozen else TimedWalk(machine)
    graph = _explore(walk, report)
    out = Explored(len(graph.order), sum(map(len, graph.steps.values())), max(graph.depths.values()))
    broken = {node: walk.broken(node) for node in graph.order}
    wanted = [(p.name != first, which) for which, p in enumerate(machine.properties) if p.kind == "eventually"]
    for _, which in sorted(wanted):
        bad = {node for node in graph.order if which in broken[node]}
        for component in _components(graph, bad):
            must = _must(graph, walk, component)
            if must is None:
                continue
            entry = next(node for node in graph.order if node in component)
            loop = _round(graph, walk, component, entry, must)
            out.lasso = _lasso(machine, which, _way(graph, entry), loop)
            return out
    return out


def _explore(walk: Walk, report: Report | None) -> Graph:
    graph = Graph([walk.first], {}, {walk.first: 0}, {})
    transitions = 0
    for at, node in enumerate(graph.order):
        found = graph.steps[node] = walk.steps(node)
        transitions += len(found)
        for edge, after in found:
            if after not in graph.depths:
                graph.depths[after] = graph.depths[node] + 1
                graph.parents[after] = node, edge
                graph.order.append(after)
        if report is not None and not (at + 1) % EVERY:
            report(Progress(len(graph.order), transitions, len(graph.order) - at, graph.depths[node]))
    return graph


def _components(graph: Graph, bad: set[Node]) -> list[set[Node]]:
    """The broken states that lie on loops of such, in parts that come to each other; the nearest part first."""
    import networkx

    steps = networkx.DiGraph()
    for node in graph.order:
        if node in bad:
            steps.add_edges_from((node, after) for _, after in graph.steps[node] if after in bad)
    place = {node: at for at, node in enumerate(graph.order)}
    found = [
        component
        for component in networkx.strongly_connected_components(steps)
        if len(component) > 1 or any(steps.has_edge(node, node) for node in component)
    ]
    return sorted(found, key=lambda component: min(place[node] for node in component))


def _must(graph: Graph, walk: Walk, component: set[Node]) -> list[int] | None:
    """Who has to be seen to on the loop; ``None`` where somebody would be put off for ever on each."""
    everywhere: set[int] | None = None
    somewhere: set[int] = set()
    movers: set[int] = set()
    for node in component:
        waits = set(walk.waiting(node))
        somewhere |= waits
        everywhere = waits if everywhere is None else everywhere & waits
        movers.update(edge.process for edge, after in graph.steps[node] if after in component)
    assert everywhere is not None
    return None if everywhere - movers else sorted(somewhere)


def _round(graph: Graph, walk: Walk, component: set[Node], entry: Node, must: list[int]) -> list[Step]:
    """A way round a part, from ``entry`` back to it, on which all are seen to that have to be."""
    loop: list[Step] = []

    def at() -> Node:
        return loop[-1][1] if loop else entry

    for process in must:
        passed = [entry, *(node for _, node in loop)]
        if any(edge.process == process for edge, _ in loop) or any(process not in walk.waiting(n) for n in passed):
            continue
        loop += _shortest(
            graph, component, at(),
            lambda step, who=process: step[0].process == who or who not in walk.waiting(step[1]),  # type: ignore[misc]
        )
    if at() != entry or not loop:
        loop += _shortest(graph, component, at(), lambda step: step[1] == entry)
    return loop


def _shortest(graph: Graph, component: set[Node], start: Node, is_it: Callable[[Step], bool]) -> list[Step]:
    """The shortest way within a part whose last step is what is looked for."""
    parents: dict[Node, tuple[Node, Step]] = {}
    level = [start]
    while True:
        deeper = []
        for here in level:
            for step in graph.steps[here]:
                after = step[1]
                if after not in component:
                    continue
                if is_it(step):
                    way = [step]
                    while here != start:
                        here, before = parents[here]
                        way.append(before)
                    return list(reversed(way))
                if after != start and after not in parents:
                    parents[after] = here, step
                    deeper.append(after)
        assert deeper, "a part of the graph hangs together"
        level = deeper


def _way(graph: Graph, node: Node) -> list[Step]:
    way = []
    while node in graph.parents:
        before, edge = graph.parents[node]
        way.append((edge, node))
        node = before
    return list(reversed(way))


def _lasso(machine: Reduced, which: int, way: list[Step], loop: list[Step]) -> Lasso:
    """The steps as the world takes them.

    Where who is who was left open, one round may lead to the same state with others in each other's places: it is
    gone round until everybody is back in their own.
    """
    if machine.plan.frozen:
        return Lasso(which, [edge for edge, _ in way], [edge for edge, _ in loop])
    prefix, at = _follow(machine, machine.first, way)
    rounds: list[list[Edge]] = []
    seen = {at: 0}
    while True:
        edges, at = _follow(machine, at, loop)
        rounds.append(edges)
        if at in seen:
            break
        seen[at] = len(rounds)
    first = seen[at]
    return Lasso(which, [*prefix, *_flat(rounds[:first])], _flat(rounds[first:]))


def _flat(rounds: list[list[Edge]]) -> list[Edge]:
    return [edge for edges in rounds for edge in edges]


def _follow(machine: Reduced, at: State, way: list[Step]) -> tuple[list[Edge], State]:
    """The steps from a state whose followers are those of a way, up to who is who."""
    edges: list[Edge] = []
    for _, there in way:
        taken, at, _ = next(each for each in machine.ways(at) if machine.canonical(each[1]) == there)
        edges.extend(taken)
    return edges, at

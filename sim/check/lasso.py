"""Liveness: a way into a loop that can go on for ever, and on which what must come true never does.

Once the faults have stopped, time is no longer counted, so a world that only polls comes back to where it was. A loop
in which time passes is fair by itself: time passes only when everything that was due has happened, so no process
that could go on, and no timer, is put off for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .breadth import EVERY, Progress, Report
from .machine import Found, Machine, State
from .taking import Edge


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

    order: list[State] = field(default_factory=list)
    parents: dict[State, tuple[State, Edge]] = field(default_factory=dict)
    depths: dict[State, int] = field(default_factory=dict)
    steps: dict[State, Found] = field(default_factory=dict)


def find_lasso(machine: Machine, report: Report | None = None, first: str | None = None) -> Explored:
    """Searches all there is, level by level, then for a loop on which an *eventually* property stays broken.

    The loop whose entry is nearest to the beginning is taken, and of its ways round the shortest; ``first`` is the
    property that is looked at before the others.
    """
    assert machine.endless, "time must not be counted once the faults have stopped"
    graph = _explore(machine, report)
    out = Explored(len(graph.order), sum(map(len, graph.steps.values())), max(graph.depths.values()))
    wanted = [(p.name != first, which) for which, p in enumerate(machine.properties) if p.kind == "eventually"]
    for _, which in sorted(wanted):
        bad = {state for state in graph.order if machine.is_healed(state) and which in machine.broken_now(state)}
        loops = _on_loops(graph, bad)
        entry = next((state for state in graph.order if state in loops), None)
        if entry is not None:
            out.lasso = Lasso(which, _way(graph, entry), _round(graph, bad, entry))
            break
    return out


def _explore(machine: Machine, report: Report | None) -> Graph:
    graph = Graph([machine.first], {}, {machine.first: 0}, {})
    transitions = 0
    for at, state in enumerate(graph.order):
        found = graph.steps[state] = machine.steps(state)
        transitions += len(found)
        for edge, after, _ in found:
            if after not in graph.depths:
                graph.depths[after] = graph.depths[state] + 1
                graph.parents[after] = state, edge
                graph.order.append(after)
        if report is not None and not (at + 1) % EVERY:
            report(Progress(len(graph.order), transitions, len(graph.order) - at, graph.depths[state]))
    return graph


def _round(graph: Graph, bad: set[State], entry: State) -> list[Edge]:
    """The shortest way from a state of a loop back to itself, through broken states only."""
    parents: dict[State, tuple[State, Edge]] = {}
    level = [entry]
    while True:
        deeper = []
        for here in level:
            for edge, after, _ in graph.steps[here]:
                if after == entry:
                    loop = [edge]
                    while here != entry:
                        here, edge = parents[here]
                        loop.append(edge)
                    return list(reversed(loop))
                if after in bad and after not in parents:
                    parents[after] = here, edge
                    deeper.append(after)
        level = deeper


def _on_loops(graph: Graph, bad: set[State]) -> set[State]:
    """The broken states that lie on a loop of such."""
    import networkx

    steps = networkx.DiGraph()
    for state in graph.order:
        if state in bad:
            steps.add_edges_from((state, after) for _, after, _ in graph.steps[state] if after in bad)
    found: set[State] = set()
    for component in networkx.strongly_connected_components(steps):
        if len(component) > 1:
            found |= component
    return found | {state for state in steps if steps.has_edge(state, state)}


def _way(graph: Graph, state: State) -> list[Edge]:
    way = []
    while state in graph.parents:
        state, edge = graph.parents[state]
        way.append(edge)
    return list(reversed(way))

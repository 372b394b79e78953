"""The states that runs went through, as a graph."""

from __future__ import annotations

from collections.abc import Callable

from ..steps import Due, Step, Strike, describe
from ..world import World
from .course import Visitor
from .report import Edge, Node, StateGraph

STATES_MAX = 200_000
"""A graph of more states is not kept: it says that it is not complete."""


class Recorder(Visitor):
    """Sees every state of every run, and keeps each once, with the steps between them."""

    def __init__(
        self, scenario: str, variant: str, fingerprint: Callable[[World], bytes] = World.fingerprint,
        states_max: int = STATES_MAX,
    ) -> None:  # fmt: skip
        self.scenario, self.variant = scenario, variant
        self.full = False
        self._fingerprint = fingerprint
        self._states_max = states_max
        self._nodes: dict[str, Node] = {}
        self._edges: dict[Edge, None] = {}
        self._at = ""
        self._depth = 0
        self._initial = ""

    def began(self, world: World) -> None:
        """A run starts, from where all start."""
        self._depth = 0
        self._at = self._come_to(world)
        self._initial = self._at

    def took(self, world: World, step: Step) -> None:
        """A run went from one state to the next."""
        names = tuple(process.plan.name for process in world.processes)
        self._depth += 1
        source, self._at = self._at, self._come_to(world)
        process = ""
        if isinstance(step, Due):
            process = names[step.scheduled.event.process]
        elif isinstance(step, Strike) and step.process >= 0:
            process = names[step.process]
        if source and self._at:
            words = describe(step, names, tuple(world.plan.faults))
            self._edges[Edge(source, self._at, words, process, isinstance(step, Strike))] = None

    def ended(self, world: World) -> None:
        """A run is over: what had to come true by then and did not is broken in its last state."""
        if self._at and world.watch is not None:
            node = self._nodes[self._at]
            broken = dict.fromkeys((*node.violated, *(each.property for each in world.watch.violations)))
            self._nodes[self._at] = Node(node.key, node.depth, node.labels, tuple(broken))

    def graph(self, *, complete: bool = False) -> StateGraph:
        """What was seen so far."""
        return StateGraph(
            self.scenario, self.variant, self._initial, tuple(self._nodes.values()), tuple(self._edges),
            complete and not self.full,
        )  # fmt: skip

    def _come_to(self, world: World) -> str:
        key = self._fingerprint(world).hex()
        known = self._nodes.get(key)
        if known is None and len(self._nodes) >= self._states_max:
            self.full = True
            return ""
        if known is None or known.depth > self._depth:
            broken = tuple(each.property for each in world.watch.violations) if world.watch is not None else ()
            self._nodes[key] = Node(key, self._depth, labels_of(world), broken)
        return key


def labels_of(world: World) -> tuple[tuple[str, str], ...]:
    """What most properties are about: who is down, who holds how many entries, how many faults are left."""
    names = [process.plan.name for process in world.processes]
    down = [name for name, process in zip(names, world.processes, strict=True) if process.down and process.incarnation]
    holds = [
        f"{name} {len(held)}" for name, held in zip(names, world.held, strict=True) if held
    ]
    return (
        ("phase", "over" if world.ended else "healed" if world.healed else "faults"),
        ("down", ", ".join(down) or "nobody"),
        ("holds", ", ".join(holds) or "nothing"),
        ("faults left", str(sum(world.budgets))),
    )

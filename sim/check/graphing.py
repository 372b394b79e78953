"""The graph of all states of a small world, for people to look at."""

from __future__ import annotations

from ..errors import BadInput
from ..plan import Plan
from ..steps import Arrive, Begin, Deliver, Enter, Happening, Lapse, Mend, Resend, Resume, Rise, Wake
from .labelling import labels
from .machine import Machine, State
from .report import Edge as Drawn
from .report import Node, StateGraph
from .taking import Edge

STATES_MAX = 20_000
"""More than this nobody looks at, and most programs do not open."""


def state_graph(machine: Machine, scenario: str, variant: str) -> StateGraph:
    """Every state with its labels, and every step in words; ``BadInput`` where there are too many."""
    nodes: dict[State, Node] = {}
    edges: dict[Drawn, None] = {}
    order, depths = [machine.initial], {machine.initial: 0}
    for state in order:
        found = machine.successors(state)
        broken: set[int] = set(machine.at_end(state, found) or ())
        for edge, after, breaks in found:
            if after not in depths:
                depths[after] = depths[state] + 1
                order.append(after)
            broken_there = tuple(machine.properties[which].name for which in breaks)
            name = "" if edge.process < 0 else machine.plan.processes[edge.process].name
            words = _words(machine, state, edge) + "".join(f" ({text} broken)" for text in broken_there)
            edges.setdefault(Drawn(f"{state:x}", f"{after:x}", words, name, edge.kind == "strike"))
        violated = tuple(machine.properties[which].name for which in sorted(broken))
        nodes[state] = Node(f"{state:x}", depths[state], labels(machine, state), violated)
        if len(order) > STATES_MAX:
            raise BadInput(f"the graph has more than {STATES_MAX:,} states; give smaller parameters with --param")
    return StateGraph(scenario, variant, f"{machine.initial:x}", tuple(nodes[state] for state in order), tuple(edges))


def _words(machine: Machine, state: State, edge: Edge) -> str:
    plan: Plan = machine.plan
    if edge.kind == "expire":
        return "the server gives up a blocked read"
    if edge.kind == "strike":
        fault = plan.faults[edge.which]
        struck = "" if edge.process < 0 else plan.processes[edge.process].name
        return fault.deed(struck) if struck else str(fault).partition(": at most")[0]
    life = machine.taking.lives.table[machine.unpack(state)[3][edge.process]]
    due: list[Happening] = [event for left, event in life.events if left == 0]
    event, name = due[edge.which], plan.processes[edge.process].name
    if isinstance(event, Arrive):
        command = b" ".join(event.commands[-1 if len(event.commands) == 1 else 1])
        return f"{name}: {command.decode(errors='replace')}"
    if isinstance(event, Wake):
        return f"{name}: handled" if event.handled else f"{name}: slept"
    return f"{name}: {_DEEDS[type(event)]}"


_DEEDS: dict[type, str] = {
    Deliver: "gets an answer", Lapse: "gives up waiting", Resend: "sends it again", Resume: "goes on",
    Mend: "has its link back", Enter: "an atomic block", Begin: "begins a turn", Rise: "starts",
}  # fmt: skip

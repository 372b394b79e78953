"""What a check found, as plain values: a counterexample, a result, and the graph of the states it saw.

Whoever searches makes these; whoever draws, tells, minimises or saves reads them. Nothing here runs a world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tape import Tape

SAFETY = "safety"
"""The run reaches an event, or its end, where the property is broken."""
LIVENESS = "liveness"
"""The run can go round a loop for ever and the property never comes true."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A tape that breaks a property.

    ``scenario`` is how the user named it. For a lasso (``kind`` is ``liveness``) the choices go once through
    the prefix and once through the loop: the loop is ``choices[loop_start:loop_end]`` and leads back to the state
    before it, up to a shift of all clocks; it takes ``loop_ms``.
    """

    scenario: str
    variant: str
    dialect: str
    params: Mapping[str, str]
    choices: tuple[int, ...]
    property_name: str
    kind: str = SAFETY
    message: str = ""
    loop_start: int | None = None
    loop_end: int | None = None
    loop_ms: int | None = None

    @property
    def tape(self) -> Tape:
        """The tape that ``redelivery replay`` runs."""
        return Tape(self.scenario, self.variant, self.dialect, dict(self.params), self.choices)


@dataclass(frozen=True, slots=True)
class Node:
    """A state. ``labels`` are what people may want to collapse a graph by: name and value, in order."""

    key: str
    """Its fingerprint, in hex: the same on every run."""
    depth: int
    labels: tuple[tuple[str, str], ...] = ()
    violated: tuple[str, ...] = ()
    """The properties that are broken here."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A step from one state to another, in words."""

    source: str
    target: str
    step: str
    process: str = ""
    """Who took it; empty for the server and for faults of a host."""
    fault: bool = False


@dataclass(frozen=True, slots=True)
class StateGraph:
    """The states that a search saw, in the order in which it saw them, and the steps between them."""

    scenario: str
    variant: str
    initial: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    complete: bool = True
    """Whether the search was exhausted, so that these are all."""

    def _repr_svg_(self) -> str:
        """The picture, for a notebook."""
        from ..views.notebook import graph_svg

        return graph_svg(self)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check."""

    scenario: str
    variant: str
    dialect: str
    verdict: str
    """``holds``, ``violated`` or ``incomplete``."""
    property_name: str | None
    """The first property that is broken."""
    states: int
    transitions: int
    depth: int
    seconds: float
    unmet: tuple[str, ...] = ()
    """The *sometimes* statements that no state met."""
    coverage: Mapping[str, Any] = field(default_factory=dict)
    counterexample: Counterexample | None = None
    steps: tuple[str, ...] = ()
    """The counterexample's steps in words."""
    reductions: tuple[str, ...] = ()
    """What was switched on."""
    notes: tuple[str, ...] = ()
    """What the reader ought to know: an abstraction that was switched off, and why; a bound that was hit."""
    collision_probability: float = 0.0
    """How likely it is that two different states were taken for one; 0 where states are compared exactly."""
    statistics: Mapping[str, Any] = field(default_factory=dict)
    graph: StateGraph | None = None
    workers: int = 1
    """How many processes took part in the search."""
    parts: Mapping[str, float] = field(default_factory=dict, compare=False)
    """How many seconds each part of the search took, of the first process's; see ``parts.WORDS``."""

    def _repr_html_(self) -> str:
        """The verdict, what was searched and the steps to what broke, for a notebook."""
        from ..views.notebook import result_html

        return result_html(self)

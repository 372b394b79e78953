"""Which steps of a state may come in either order: by what they touch, and by what properties make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...models.replies import Reply
from ...models.touched import Touched, touched
from ..choices import Replayed
from ..events import Effect, Event, Served
from .machine import State
from .piece import Piece
from .taking import Edge

if TYPE_CHECKING:
    from .reduced import Reduced


class Trace(NamedTuple):
    """What a step of one process leaves behind."""

    processes: frozenset[int]
    """Who took part: whoever takes the step, and whom it answers."""
    touched: Touched
    batch: int
    """What the properties hear that float above the server, and those that go with it."""
    facts: int


class Independence:
    """Looks at pairs of steps of one machine; everything is remembered."""

    def __init__(self, machine: Reduced) -> None:
        self._machine = machine
        self._traces: dict[tuple[Edge, int, int], Trace] = {}
        self._apart: dict[tuple[Edge, int, int, Edge, int], bool] = {}
        self._floating: dict[tuple[int, int, int], bool] = {}
        self._attached: dict[tuple[tuple[int, ...], int, int], bool] = {}

    def of(self, state: State, one: Edge, other: Edge) -> bool:
        """Whether it makes no difference which of two steps of a state comes first.

        Faults, and reads that the server gives up, are held for dependent on everything.
        """
        if one.kind != "due" or other.kind != "due" or one.process == other.process:
            return False
        server, whole, _, numbers = self._machine.unpack(state)
        if other < one:
            one, other = other, one
        mine, theirs = numbers[one.process], numbers[other.process]
        key = (one, mine, server, other, theirs)
        apart = self._apart.get(key)
        first, second = self.trace(one, server, mine), self.trace(other, server, theirs)
        if apart is None:
            apart = first.processes.isdisjoint(second.processes) and first.touched.independent(second.touched)
            self._apart[key] = apart
        return apart and self._is_heard_alike(whole, first, second) and self._is_judged_alike(server, first, second)

    def trace(self, edge: Edge, server: int, life: int) -> Trace:
        """What a step of a process leaves behind."""
        known = self._traces.get((edge, server, life))
        if known is None:
            known = self._traces[edge, server, life] = self._take(edge, server, life)
        return known

    def _take(self, edge: Edge, server: int, life: int) -> Trace:
        machine = self._machine
        seats = {edge.process: life}
        piece = machine.taking.look(edge, server, seats, Replayed(edge.answers))
        return Trace(
            frozenset({edge.process, *piece.touched}), _touched(piece), machine.watching.batch(piece.batch),
            machine.watching.facts(piece.batch),
        )  # fmt: skip

    def _is_heard_alike(self, whole: int, one: Trace, other: Trace) -> bool:
        """Whether the properties come to the same, and say the same, either way."""
        if not one.batch or not other.batch:
            return True
        key = (whole, one.batch, other.batch)
        known = self._floating.get(key)
        if known is None:
            step = self._machine.watching.step
            first, broken = step(whole, one.batch)
            then, more = step(first, other.batch)
            second, broken_too = step(whole, other.batch)
            there, more_too = step(second, one.batch)
            known = then == there and broken == more_too and more == broken_too
            self._floating[key] = known
        return known

    def _is_judged_alike(self, server: int, one: Trace, other: Trace) -> bool:
        """The same of the properties that go with the server."""
        watching = self._machine.watching
        attached = self._machine.taking.servers.table[server][1]
        key = (attached, one.facts, other.facts)
        known = self._attached.get(key)
        if known is None:
            first, broken = watching.step_attached(attached, one.facts)
            then, more = watching.step_attached(first, other.facts)
            second, broken_too = watching.step_attached(attached, other.facts)
            there, more_too = watching.step_attached(second, one.facts)
            known = then == there and broken == more_too and more == broken_too
            self._attached[key] = known
        return known


def _touched(piece: Piece) -> Touched:
    found = Touched()
    events: list[Event] = piece.batch
    served = bool(piece.touched) or any(isinstance(event, Served) for event in events)
    for event in events:
        if isinstance(event, Effect):
            facts = event.facts
            replies: tuple[Reply, ...] = event.replies
            for argv, reply in zip(event.commands, replies, strict=True):
                found = found | touched(argv, reply, facts, served or len(event.commands) > 1)
    return found

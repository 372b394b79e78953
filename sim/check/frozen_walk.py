"""Where time is frozen: who has something to do, and who waits until something happens, as part of every state.

A process whose turn did nothing is *parked* until anything happens. The search for what can happen does without that:
a turn that does nothing leads back to where it began. A search for loops needs it, or looking in vain would be one.
"""

from __future__ import annotations

from typing import NamedTuple

from ..choices import Enumerated
from ..errors import BadInput
from ..process import Running
from ..world import World
from .machine import State
from .piece import Piece
from .reduced import Reduced
from .taking import AS_BEFORE, Edge, Outcome

STIRRED, PARKED = 1, 2


class Still(NamedTuple):
    """A state, and of each process whether its turn has done anything yet, and whether it is parked."""

    state: State
    flags: tuple[int, ...]


class Taken(NamedTuple):
    """One outcome of a step, with what it makes of the flags."""

    outcome: Outcome
    flags: tuple[tuple[int, int], ...]
    """Process to flags, for all that took part."""
    stirs: bool
    """Whether it makes everybody look again."""


Steps = list[tuple[Edge, Still]]


class FrozenWalk:
    """The steps of a frozen world, as the world itself offers them."""

    def __init__(self, machine: Reduced, world: World) -> None:
        self._machine = machine
        flags = tuple(running.stirred * STIRRED + running.parked * PARKED for running in world.processes)
        self.first = Still(machine.first, flags)
        self._known: dict[tuple[object, ...], tuple[Taken, ...]] = {}

    def steps(self, node: Still) -> Steps:
        """Every step that can happen next."""
        machine = self._machine
        server, _, clock, numbers = machine.unpack(node.state)
        if machine.times.table[clock].over:
            return []
        found: Steps = []
        for index in self.waiting(node):
            events = machine.taking.lives.table[numbers[index]].events
            for which in range(sum(left == 0 for left, _ in events)):
                self._apply(node, Edge("due", index, which, ()), server, {index: numbers[index]}, found)
        strikes = {edge._replace(answers=()) for edge, _, _ in machine.steps(node.state) if edge.kind == "strike"}
        for edge in sorted(strikes):
            if edge.process < 0:
                raise BadInput("where time is frozen no clock can jump: loops are not looked for in this world")
            self._apply(node, edge, server, {edge.process: numbers[edge.process]}, found)
        return found

    def waiting(self, node: Still) -> list[int]:
        """The processes that have something to do, and are not parked."""
        nexts, numbers = self._machine.taking.nexts, self._machine.unpack(node.state)[3]
        return [index for index, life in enumerate(numbers) if nexts[life] == 0 and not node.flags[index] & PARKED]

    def _apply(self, node: Still, edge: Edge, server: int, seats: dict[int, int], found: Steps) -> None:
        machine = self._machine
        _, whole, clock, numbers = machine.unpack(node.state)
        for outcome, flags, stirs in self._take(edge, server, seats, node, numbers):
            lives, after = list(numbers), list(node.flags)
            if stirs:
                after = [flag & ~PARKED for flag in after]
            for (index, life), (_, flag) in zip(outcome.lives, flags, strict=True):
                lives[index], after[index] = life, flag
            spent = edge.which + 1 if edge.kind == "strike" else 0
            batch, _ = machine.watching.step(whole, outcome.batch)
            after_server = server if outcome.server == AS_BEFORE else outcome.server
            there = machine.pack(after_server, batch, clock, lives) + machine.told(clock, spent * 2 + outcome.added)
            found.append((outcome.edge, Still(machine.settle(there)[0], tuple(after))))

    def _take(
        self, edge: Edge, server: int, seats: dict[int, int], node: Still, numbers: list[int]
    ) -> tuple[Taken, ...]:
        key = (edge, server, *[(index, life, node.flags[index]) for index, life in seats.items()])
        known = self._known.get(key)
        if known is not None:
            return known
        found: list[Taken] = []
        inner = Enumerated()

        def ready(piece: Piece) -> None:
            """Tells the piece how far the turns are, and lets somebody look on, parked."""
            for index in seats:
                piece.processes[index].stirred = bool(node.flags[index] & STIRRED)
            piece.processes.append(Running(self._machine.plan.processes[0]))
            piece.processes[-1].parked = True

        while True:
            piece, outcome = self._machine.taking.play(edge, server, seats, inner, ready)
            others = set(piece.touched) - set(seats)
            if others:  # it answers others too: what comes of it depends on them
                return self._take(edge, server, {i: numbers[i] for i in sorted({*seats, *others})}, node, numbers)
            after = [piece.processes[index] for index in seats]
            flags = [running.stirred * STIRRED + running.parked * PARKED for running in after]
            found.append(Taken(outcome, tuple(zip(seats, flags, strict=True)), not piece.processes[-1].parked))
            if not inner.advance():
                break
        self._known[key] = tuple(found)
        return tuple(found)

"""Local steps: what a process does by itself, unseen, is taken together with the step before it.

A step is *local* if it asks nothing of the server and no property hears of it: a turn that begins, a sleep that ends, a
reply that comes. Whatever others do meanwhile, it could as well have happened first; so it does, and the state between
is never kept. What could tell the two orders apart is looked at one by one:

- another step of the same process, or a blocked read of it that may be answered: then nothing is taken alone;
- a crash of the process, which must leave the same before and after (a step after which it is not struck any more, or
  by which a request is under way that survives, is not local);
- a fault that strikes at this very instant, when the step lets the instant end: it is local only where the process
  has something to do at this instant still, or no fault can strike any more;
- a loop of nothing but local steps would put everybody else off for ever. Time passes on each loop of a timed world,
  and only when nobody has anything to do; where time is frozen, a local step must leave its turn longer than it was, or
  be its process's last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..plan import ClockJump, Crash
from ..steps import Begin, Deliver, Rise, Wake
from .lives import Life
from .taking import AS_BEFORE, Edge, Outcome

if TYPE_CHECKING:
    from .machine import State
    from .reduced import Reduced

KINDS: frozenset[type] = frozenset((Begin, Deliver, Rise, Wake))
"""Events that ask nothing of the server."""
STRIKES: frozenset[type] = frozenset((Crash, ClockJump))
"""Faults of which it is known how they go with local steps."""
UNHEARD = 0
"""The number of the batch in which nothing is that a property hears."""

CHAIN_MAX = 10_000
"""More local steps than this, one after the other, would be a loop."""

Way = tuple[tuple[Edge, ...], "State", tuple[int, ...]]
"""Steps that are taken together, where they lead, and what they break."""


class Alone(NamedTuple):
    """One outcome of a local step."""

    edge: Edge
    before: int
    after: int
    """What the process was, and what it becomes: numbers of lives."""


class LocalSteps:
    """Which steps of one machine are local; remembered by what the process is."""

    def __init__(self, machine: Reduced) -> None:
        self._machine = machine
        self._known: dict[int, tuple[Alone, ...]] = {}
        self._stand: dict[int, bool] = {}
        self._faults_are_known = all(type(fault) in STRIKES for fault in machine.plan.faults)

    def finish(self, edge: Edge, state: State, broken: tuple[int, ...]) -> list[Way]:
        """A step with all local steps that can follow it at once."""
        todo: list[Way] = [((edge,), state, broken)]
        done: list[Way] = []
        while todo:
            way = todo.pop()
            assert len(way[0]) < CHAIN_MAX, "local steps come to an end"
            here = self.alone(way[1])
            if here is None:
                done.append(way)
                continue
            for alone in reversed(here):
                there, more, later = self.take(way[1], alone)
                (done if later else todo).append(((*way[0], alone.edge), there, way[2] + more))
        return done

    def take(self, state: State, alone: Alone) -> tuple[State, tuple[int, ...], bool]:
        """A local step: where it leads, what breaks because time passes then, and whether it passes."""
        machine = self._machine
        there = state + machine.exchange_of(self._place(alone.before), alone.before, alone.after)
        if machine.plan.frozen or machine.taking.nexts[alone.after] == 0:
            return there, (), False
        settled, broken = machine.settle(there)
        return settled, broken, settled != there

    def alone(self, state: State) -> tuple[Alone, ...] | None:
        """The steps of the first process that has nothing to do but local ones; ``None`` where there is none."""
        machine = self._machine
        nexts = machine.taking.nexts
        server, _, clock, numbers = machine.unpack(state)
        struck: bool | None = None
        for life in numbers:
            if nexts[life] != 0:
                continue
            outcomes = self._known.get(life)
            if outcomes is None:
                outcomes = self._known[life] = self._look(server, life)
            if not outcomes:
                continue
            if struck is None:
                struck = machine.may_be_struck(clock)
            if not struck or self._stands(server, life, outcomes):
                return outcomes
        return None

    def _place(self, life: int) -> int:
        return self._machine.taking.lives.table[life].whose

    def _look(self, server: int, life: int) -> tuple[Alone, ...]:
        """The outcomes of all that is due for a process, if all of it is local."""
        machine = self._machine
        what: Life = machine.taking.lives.table[life]
        if what.waits or not all(type(event) in KINDS for left, event in what.events if left == 0):
            return ()
        found = []
        for outcome in machine.outcomes_of(what.whose, server, life):
            if not isinstance(outcome, Outcome) or not self._is_unseen(outcome, server):
                return ()
            after = outcome.lives[0][1]
            if machine.plan.frozen and not self._is_longer(what, machine.taking.lives.table[after]):
                return ()
            found.append(Alone(outcome.edge, life, after))
        return tuple(found)

    def _stands(self, server: int, life: int, outcomes: tuple[Alone, ...]) -> bool:
        """Whether it is all the same if a fault strikes before a step or after it."""
        known = self._stand.get(life)
        if known is None:
            known = all(self._stands_strikes(server, life, alone.after) for alone in outcomes)
            self._stand[life] = known
        return known

    def _is_unseen(self, outcome: Outcome, server: int) -> bool:
        untouched = outcome.server in (AS_BEFORE, server) and not outcome.added
        return untouched and outcome.batch == UNHEARD and not outcome.broken

    def _is_longer(self, before: Life, after: Life) -> bool:
        """Whether the same turn has gone on, or the process is done: neither can go on for ever."""
        return after.finished or (before.state == after.state and len(after.log) > len(before.log))

    def _stands_strikes(self, server: int, before: int, after: int) -> bool:
        """The same of one outcome."""
        machine, taking = self._machine, self._machine.taking
        if not self._faults_are_known or (not machine.plan.frozen and taking.nexts[after] != 0):
            return False
        whose = taking.lives.table[before].whose
        name = machine.plan.processes[whose].name
        for fault, what in enumerate(machine.plan.faults):
            if not isinstance(what, Crash) or name not in what.names or not self._may_strike(what, before):
                continue
            if not self._may_strike(what, after):
                return False
            if machine.crash_of(fault, whose, server, before) != machine.crash_of(fault, whose, server, after):
                return False
        return True

    def _may_strike(self, what: Crash, life: int) -> bool:
        taking = self._machine.taking
        return taking.up[life] and (what.when != "busy" or taking.busy[life])

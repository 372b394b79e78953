"""Ample sets: the steps of those whose keys are their own, taken before all others.

What a process will do next cannot be known; what it may ever touch, it can declare (``Process.touches``). Processes
that share keys with nobody else, now or ever, are a *party* of their own, and whatever others do meanwhile, the steps
of a party could as well have come first. So they do, and nobody else's are looked at there, if on top of that

- no checked property hears of what they did, and they are nobody's first in what the whole server counts;
- no fault may strike one of them, and where any may strike at all, the party has something to do at this instant
  still, so that the instant lasts;
- they do not wait for an answer that the server gives up for several at once;
- the loop proviso holds: time passes on each loop of a timed world, and only when nobody has anything to do; where
  time is frozen, the turn that takes the step is longer after it than it was, or it was the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..faults import Crash
from ..plan import Plan
from .independence import Independence
from .lives import Life
from .local_steps import STRIKES, UNHEARD
from .taking import AS_BEFORE, Outcome

if TYPE_CHECKING:
    from .machine import Found, State
    from .reduced import Reduced


def parties(plan: Plan) -> list[tuple[int, ...]]:
    """The places of processes that share keys with nobody else; none where somebody does not declare any."""
    if any(process.touches is None for process in plan.processes):
        return []
    groups: list[tuple[set[int], set[str]]] = []
    for place, process in enumerate(plan.processes):
        mine, keys = {place}, set(process.touches or ())
        apart = []
        for others, theirs in groups:
            if theirs & keys:
                mine, keys = mine | others, keys | theirs
            else:
                apart.append((others, theirs))
        groups = [*apart, (mine, keys)]
    found = sorted(tuple(sorted(places)) for places, _ in groups)
    return found if len(found) > 1 else []


class AmpleSteps:
    """The steps that stand for all that can happen in a state."""

    def __init__(self, machine: Reduced) -> None:
        self._machine = machine
        plan = machine.plan
        known = all(type(fault) in STRIKES for fault in plan.faults)
        struck = {name for fault in plan.faults if isinstance(fault, Crash) for name in fault.names}
        self._parties = [
            (places, known and struck.isdisjoint(plan.processes[place].name for place in places))
            for places in parties(plan)
        ]
        """Each with whether no fault may strike it."""
        self._independence = Independence(machine)
        self._silent = machine.watching.facts(())
        self._known: dict[tuple[int, int], tuple[int, ...] | None] = {}

    def of(self, state: State) -> Found | None:
        """The steps of the first party that may go first; ``None`` where all have to be looked at."""
        if not self._parties:
            return None
        machine = self._machine
        server, _, clock, numbers = machine.unpack(state)
        nexts = machine.taking.nexts
        for places, unstruck in self._parties:
            due = [place for place in places if nexts[numbers[place]] == 0]
            if not due or any(machine.taking.lives.table[numbers[place]].waits for place in places):
                continue
            struck = machine.may_be_struck(clock)
            if struck and not unstruck:
                continue
            if all(self._is_ample(server, numbers[place], struck and len(due) == 1) for place in due):
                return [
                    found for found in machine.steps(state) if found[0].kind == "due" and found[0].process in due
                ]
        return None

    def _is_ample(self, server: int, life: int, lasting: bool) -> bool:
        """Whether what is due for a process may go first; ``lasting`` asks that it has something to do then, too."""
        key = (server, life)
        if key not in self._known:
            self._known[key] = self._look(server, life)
        after = self._known[key]
        nexts = self._machine.taking.nexts
        return after is not None and (
            not lasting or self._machine.plan.frozen or all(nexts[number] == 0 for number in after)
        )

    def _look(self, server: int, life: int) -> tuple[int, ...] | None:
        """What a process may become by what is due for it; ``None`` where a step of it may not go first."""
        machine = self._machine
        what: Life = machine.taking.lives.table[life]
        found = []
        for outcome in machine.outcomes_of(what.whose, server, life):
            if not isinstance(outcome, Outcome) or not self._is_unseen(outcome, server, life):
                return None
            number = outcome.lives[0][1]
            after: Life = machine.taking.lives.table[number]
            if after.waits or (machine.plan.frozen and not _goes_on(what, after)):
                return None
            found.append(number)
        return tuple(found)

    def _is_unseen(self, outcome: Outcome, server: int, life: int) -> bool:
        """Whether no property hears of a step, and what all keys of the server share is as before."""
        if outcome.batch != UNHEARD or outcome.added or outcome.broken:
            return False
        if outcome.server == AS_BEFORE:
            return True
        servers = self._machine.taking.servers.table
        if servers[server][0][3:] != servers[outcome.server][0][3:]:
            return False
        return self._independence.trace(outcome.edge, server, life).facts == self._silent


def _goes_on(before: Life, after: Life) -> bool:
    """Whether the same turn has gone on, or the process is done: neither can go on for ever."""
    return bool(after.finished or (before.state == after.state and len(after.log) > len(before.log)))

"""Whether the faults of a world on commands can ever strike: a small world is searched whole to know it.

What a process may send (a claim, say) may depend on another fault that strikes before, or on who is first; so no run
can tell that a command is never sent, and only a whole search refuses a fault. Where the world is too large for that,
the result tells that the fault never struck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import RedeliveryError
from ..plan import Plan
from ..unsent import SeenSent, never_struck, refuse, unsent
from .breadth import Outcome, Progress, Report, Stop, breadth_first
from .machine import Machine
from .reductions import DEFAULT as REDUCE

if TYPE_CHECKING:
    from ..world import World
    from .plain import Plain
    from .schedules import Start

STATES_MAX = 3000
"""A world that is larger is not searched for this alone."""


class _Enough(Exception):
    """The world is too large, or cannot be searched so."""


def sent_in(machine: Machine, plan: Plan) -> SeenSent:
    """What a search saw each process send; what one did, those did, too, who can take its place."""
    seen = SeenSent([process.name for process in plan.processes])
    of = {plan.processes[place].name: places for places in machine.taking.names.classes for place in places}
    for name, command in sorted(machine.taking.sent):
        for place in of.get(name, ()):
            seen.add(plan.processes[place].name, command)
        seen.add(name, command)
    return seen


def judge(model: Machine | Plain, plan: Plan, outcome: Outcome) -> list[str]:
    """After a search: ``BadInput`` for faults that can never strike; else a line for each that did not."""
    if not isinstance(model, Machine):
        return []
    seen = sent_in(model, plan)
    suspects = [which for which in unsent(plan.faults, seen) if which not in model.taking.struck]
    if outcome.hit is None and outcome.cut is None and not outcome.bounded:
        refuse(plan.faults, seen, suspects)
    return never_struck(plan.faults, seen, suspects, "until the search ended")


def refuse_if_certain(start: Start) -> None:
    """``BadInput`` for faults that can never strike; nothing where the world is too large to know it."""
    from .check import refuse_unbounded, searched

    def fresh() -> World:
        return start.world(record=False)

    plan = fresh().plan

    def enough(progress: Progress) -> None:
        if progress.states > STATES_MAX:
            raise _Enough

    def search(model: Any, stop: Stop, report: Report | None, depth: int | None) -> Outcome:
        if not isinstance(model, Machine):
            raise _Enough
        return breadth_first(model, stop, report, depth)

    try:
        refuse_unbounded(plan)
        model, outcome = searched(fresh, REDUCE, enough, search)
    except (_Enough, RedeliveryError):
        return  # whatever is wrong beside that, a check tells
    judge(model, plan, outcome)



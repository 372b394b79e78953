"""A check for loops: can what must come true eventually be put off for ever?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import BadInput
from ..run import HOLDS, VIOLATED, build
from ..scenario import Scenario
from ..world import World
from .abstraction import Abstraction, Refined, Unabstract
from .breadth import Report
from .check import Clock, refuse_unbounded
from .fewest import with_budgets
from .lasso import Explored, Lasso, find_lasso
from .machine import Machine
from .report import LIVENESS, Counterexample, Result
from .trace import follow

SYMMETRY_OFF = "processes are not taken for one another: a loop must come back to the same ones"


def check_liveness(
    scenario: Scenario,
    variant: str | None = None,
    *,
    dialect: str | None = None,
    params: Mapping[str, str] | None = None,
    report: Report | None = None,
    clock: Clock = lambda: 0.0,
    reference: str | None = None,
    within: Sequence[int] | None = None,
) -> Result:
    """Searches for a loop on which an *eventually* property stays broken, once the faults have stopped.

    Time goes on for ever here: ``within_ms`` is no bound. The result's counterexample is a lasso. ``within`` gives the
    faults, in the order of the plan, smaller budgets; the lasso is one of the whole world all the same.
    """
    name = variant or scenario.default_variant
    dialect = dialect or scenario.variant(name).dialect
    given = dict(params or {})

    def fresh() -> World:
        return build(scenario, name, dialect, given, record=False)[0]

    world = fresh()
    refuse_unbounded(world.plan)
    if world.plan.frozen:
        raise BadInput("time is frozen in this scenario: its runs end when nobody does anything, there are no loops")
    began_s = clock()
    smaller = scenario if within is None else with_budgets(scenario, name, within)

    def searched() -> World:
        return build(smaller, name, dialect, given, record=False)[0]

    machine, explored, notes = _explore(searched, report, scenario.variant(name).violates)
    seconds = clock() - began_s
    example: Counterexample | None = None
    steps: tuple[str, ...] = ()
    if explored.lasso is not None:
        example, steps = _example(fresh, machine, explored.lasso, (reference or scenario.name, name, dialect), given)
    return Result(
        scenario.name, name, dialect, VIOLATED if example else HOLDS, example.property_name if example else None,
        explored.states, explored.transitions, explored.depth, seconds, (), {}, example, steps, ("zones",),
        (*notes, SYMMETRY_OFF),
    )  # fmt: skip


def _explore(
    fresh: Callable[[], World], report: Report | None, first: str | None
) -> tuple[Machine, Explored, tuple[str, ...]]:
    declared = fresh().plan.idle_ms_max
    abstraction = Abstraction(idle_ms_max=declared or 0, idle_learned=declared is None, symmetry=False)
    while True:
        try:
            machine = Machine(fresh(), abstraction, endless=True)
            return machine, find_lasso(machine, report, first), abstraction.notes
        except Refined as refined:
            abstraction = refined.abstraction
        except Unabstract as why:
            raise BadInput(f"no loop can be closed in this world: {why}") from why


def _example(
    fresh: Callable[[], World], machine: Machine, lasso: Lasso, where: tuple[str, str, str], given: Mapping[str, str]
) -> tuple[Counterexample, tuple[str, ...]]:
    name = machine.properties[lasso.broken].name
    before, after = fresh(), fresh()
    prefix, _ = follow(before, lasso.prefix)
    whole, steps = follow(after, [*lasso.prefix, *lasso.loop])
    example = Counterexample(
        *where, dict(given), whole, name, LIVENESS, f"{name} stays broken on a loop of {len(lasso.loop)} steps",
        len(prefix), len(whole), after.now_ms - before.now_ms,
    )  # fmt: skip
    return example, steps

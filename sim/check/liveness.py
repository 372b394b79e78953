"""A check for loops: can what must come true eventually be put off for ever?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..errors import BadInput
from ..run import HOLDS, VIOLATED, build
from ..scenario import Scenario
from ..watch import Watch
from ..world import World
from .abstraction import FAR_MS, Abstraction, Refined, Unabstract
from .breadth import Report
from .check import Clock, refuse_unbounded
from .fewest import with_budgets
from .lasso import Explored, Lasso, find_lasso
from .reduced import Reduced
from .reductions import DEFAULT as REDUCE
from .reductions import chosen
from .report import LIVENESS, Counterexample, Result
from .trace import follow

EVENTUALLY = "eventually"
USED = ("zones", "symmetry")
"""The reductions that keep every loop."""
OFF = "{} is off: it may leave out steps of a loop"
FROZEN_OFF = "symmetry is off: where time is frozen, it matters who is put off for ever"


def check_liveness(
    scenario: Scenario,
    variant: str | None = None,
    *,
    dialect: str | None = None,
    params: Mapping[str, str] | None = None,
    reduce: Sequence[str] = REDUCE,
    report: Report | None = None,
    clock: Clock = lambda: 0.0,
    reference: str | None = None,
    within: Sequence[int] | None = None,
) -> Result:
    """Searches for a loop on which an *eventually* property stays broken, once the faults have stopped.

    Time goes on for ever here: ``within_ms`` is no bound. The result's counterexample is a lasso. Of the reductions in
    ``reduce``, those that might lose a loop are off, which the result says. ``within`` gives the faults, in the order
    of the plan, smaller budgets; the lasso is one of the whole world all the same.
    """
    name = variant or scenario.default_variant
    dialect = dialect or scenario.variant(name).dialect
    given = dict(params or {})

    def fresh() -> World:
        return build(scenario, name, dialect, given, record=False)[0]

    world = fresh()
    refuse_unbounded(world.plan)
    assert world.watch is not None
    if all(p.kind != EVENTUALLY for p in world.watch.properties):
        raise BadInput(
            f"{scenario.name} {name} checks nothing that must come true eventually, so no loop can put anything off: "
            "check it without --liveness, or give it such a property (pel-drains, no-orphan and others)"
        )
    used = [each for each in chosen(reduce) if each in USED]
    if "zones" not in used:
        raise BadInput("no loop can be closed where times are compared exactly: --liveness needs the reduction 'zones'")
    off = [OFF.format(each) for each in chosen(reduce) if each not in USED]
    if world.plan.frozen and "symmetry" in used:
        used.remove("symmetry")
        off.append(FROZEN_OFF)
    began_s = clock()
    smaller = scenario if within is None else with_budgets(scenario, name, within)

    def searched() -> World:
        return build(smaller, name, dialect, given, record=False)[0]

    machine, explored, notes = _explore(searched, used, report, scenario.variant(name).violates)
    seconds = clock() - began_s
    example: Counterexample | None = None
    steps: tuple[str, ...] = ()
    if explored.lasso is not None:
        example, steps = _example(fresh, machine, explored.lasso, (reference or scenario.name, name, dialect), given)
    return Result(
        scenario.name, name, dialect, VIOLATED if example else HOLDS, example.property_name if example else None,
        explored.states, explored.transitions, explored.depth, seconds, (), {}, example, steps, tuple(used),
        (*notes, *off),
    )  # fmt: skip


def _explore(
    fresh: Callable[[], World], used: Sequence[str], report: Report | None, first: str | None
) -> tuple[Reduced, Explored, tuple[str, ...]]:
    declared = fresh().plan.idle_ms_max
    abstraction = Abstraction(idle_ms_max=declared or 0, idle_learned=declared is None, symmetry="symmetry" in used)
    while True:
        try:
            machine = Reduced(fresh(), abstraction, used, endless=True)
            return machine, find_lasso(machine, fresh, report, first), abstraction.notes
        except Refined as refined:
            abstraction = refined.abstraction
        except Unabstract as why:
            raise BadInput(f"no loop can be closed in this world: {why}") from why


def _endless(world: World) -> World:
    """The same world, with time enough for the way into the loop and round it."""
    assert world.watch is not None
    plan = replace(world.plan, within_ms=FAR_MS)
    return World(plan, world.server.dialect.name, watch=Watch(world.watch.properties), record=False)


def _example(
    fresh: Callable[[], World], machine: Reduced, lasso: Lasso, where: tuple[str, str, str], given: Mapping[str, str]
) -> tuple[Counterexample, tuple[str, ...]]:
    name = machine.properties[lasso.broken].name
    before, after = _endless(fresh()), _endless(fresh())
    prefix, _ = follow(before, lasso.prefix)
    whole, steps = follow(after, [*lasso.prefix, *lasso.loop])
    example = Counterexample(
        *where, dict(given), whole, name, LIVENESS, f"{name} stays broken on a loop of {len(lasso.loop)} steps",
        len(prefix), len(whole), after.now_ms - before.now_ms,
    )  # fmt: skip
    return example, steps

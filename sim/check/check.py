"""A check from its scenario to its result: which search, under which abstraction, and what it shows."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import BadInput, RedeliveryError, ScenarioError
from ..plan import SERVER, ClockJump, Plan
from ..properties import SERVER_INVARIANTS
from ..run import HOLDS, INCOMPLETE, VIOLATED, build, simulate
from ..scenario import Scenario, Variant
from ..views.words import counted
from ..watch import PropertyRaised
from ..world import World
from . import sleeping
from .abstraction import FAR_MS, Abstraction, Refined, Unabstract
from .breadth import WIDE, Hit, Outcome, Report, breadth_first, depth_first
from .certain import judge
from .checkpoint import Saved, Saver
from .machine import Machine
from .parallel.search import Parallel, Recipe
from .plain import Plain
from .raising import shortest
from .reduced import Reduced, machine_for
from .reductions import DEFAULT as REDUCE
from .reductions import able, chosen
from .report import Counterexample, Result
from .schedules import Start
from .taking import Edge
from .trace import follow

Clock = Callable[[], float]


def no_clock() -> float:
    """The time where nobody wants to know it."""
    return 0.0


SERVER_NAMES = frozenset(p.name for p in SERVER_INVARIANTS)
SEARCHES = {"bfs": breadth_first, "dfs": depth_first}


@contextmanager
def unhindered() -> Iterator[None]:
    """While a search makes millions of small values that all stay, nothing is gained by looking for garbage.

    It lasts until they are gone: else they would all be looked through once.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@unhindered()
def check(
    scenario: Scenario,
    variant: str | None = None,
    *,
    dialect: str | None = None,
    params: Mapping[str, str] | None = None,
    search: str = "bfs",
    reduce: Sequence[str] = REDUCE,
    depth: int | None = None,
    report: Report | None = None,
    clock: Clock = no_clock,
    reference: str | None = None,
    checkpoint: str | Path | None = None,
    resume: str | Path | None = None,
    workers: int = 1,
) -> Result:
    """Tries every interleaving and every fault of a variant.

    ``reduce`` names the reductions that are on; ``depth`` bounds how many steps are taken, ``report`` is told how far
    it is, and ``clock`` (seconds) tells how long it took. ``reference`` is how tapes name the scenario. A breadth-first
    search is saved to ``checkpoint`` every half a minute, and goes on from ``resume``; ``workers`` share it where it is
    large enough, and come to the same numbers.
    """
    name = variant or scenario.default_variant
    dialect = dialect or scenario.variant(name).dialect
    given = dict(params or {})
    reductions, off = able(chosen(reduce), search, workers, kept=checkpoint is not None or resume is not None)
    world, values = build(scenario, name, dialect, given, record=False)
    refuse_unbounded(world.plan)
    began_s = clock()
    stop = _stop(scenario.variant(name), world)

    def fresh() -> World:
        return build(scenario, name, dialect, given, record=False)[0]

    parallel = None
    if workers > 1 and search == "bfs":
        recipe = Recipe(reference or scenario.name, name, dialect, given, reductions, Abstraction())
        parallel = Parallel(workers, recipe, stop, stop_at, clock)
    identity = (scenario.name, name, dialect, tuple(sorted(values.as_dict().items())), reductions, depth)
    means = Means(
        None if checkpoint is None else Saver(Path(checkpoint), identity, clock),
        None if resume is None else Saved(Path(resume), identity),
        parallel,
    )
    try:
        model, outcome, notes = _search(fresh, SEARCHES[search], stop, report, depth, reductions, means, clock)
    except PropertyRaised as error:
        raise shortest(error, scenario, name, partial(
            check, variant=name, dialect=dialect, params=given, search=search, reduce=reduce, depth=depth,
            report=report, reference=reference or scenario.name,
        )) from error  # fmt: skip
    seconds, notes = clock() - began_s, (*notes, *judge(model, world.plan, outcome))
    unmet = tuple(model.unmet())
    verdict = VIOLATED if outcome.broken else INCOMPLETE if outcome.bounded or outcome.cut or unmet else HOLDS
    example: Counterexample | None = None
    steps: tuple[str, ...] = ()
    if outcome.broken:
        start = Start(scenario, name, dialect, given, reference or scenario.name)
        example, steps = _example(start, model, outcome, SEARCHES[search], depth)
    used = workers if parallel is not None and parallel.used and parallel.trouble is None else 1
    return Result(
        scenario.name, name, dialect, verdict, None if example is None else example.property_name, outcome.states,
        outcome.transitions, outcome.depth, seconds, unmet, _coverage(model, world.plan, outcome), example, steps,
        tuple(reductions), (*off, *notes, *_more_notes(outcome, depth, means, used, workers, search, model)),
        statistics=_statistics(outcome), workers=used, parts=_parts(model),
    )  # fmt: skip


def _example(
    start: Start, model: Machine | Plain, outcome: Outcome, search: Any, depth: int | None
) -> tuple[Counterexample, tuple[str, ...]]:
    """The tape to what is broken, as the simulator sees it, and its steps in words."""
    scenario, variant = start.scenario, start.scenario.variant(start.variant)
    hit = outcome.hit or _find(model, search, depth, outcome)
    name = _first(variant, [model.properties[which].name for which in hit.broken])
    choices, steps = follow(start.world(record=False), _concrete(model, hit))
    given = start.tape(choices).params
    return Counterexample(
        start.reference, start.variant, start.dialect, given, choices, name,
        message=_message(scenario, start.variant, start.dialect, given, choices, name),
    ), steps  # fmt: skip


@dataclass(frozen=True, slots=True)
class Means:
    """What a search is helped by."""

    saver: Saver | None = None
    saved: Saved | None = None
    parallel: Parallel | None = None


def _more_notes(
    outcome: Outcome, depth: int | None, means: Means, used: int, wanted: int, search: str, model: Machine | Plain
) -> list[str]:
    """What is said of how the search went."""
    found = []
    if isinstance(model, Plain) and (means.saver or means.saved):
        found.append("no checkpoint is kept of a search in which states are compared exactly")
    if means.saver is not None and means.saver.trouble is not None:
        found.append(means.saver.trouble)
    if isinstance(model, Reduced) and model.wakeful:
        found.append("sleep is off: what survives a server depends on the order of what was written")
    if used < wanted:
        found.append(f"one worker: {_why_alone(means, search, model)}")
    if outcome.bounded:
        found.append(f"bounded: nothing deeper than {depth} steps was looked at")
    if outcome.cut is not None:
        hint = "" if means.saver is None else f"; go on with --resume {means.saver.path}"
        found.append(f"{outcome.cut}: the numbers are of what was seen until then{hint}")
    return found


def _why_alone(means: Means, search: str, model: Machine | Plain) -> str:
    if search != "bfs":
        return "a depth-first search goes one way after the other"
    if isinstance(model, Plain):
        return "states that are compared exactly stay where they are"
    if means.parallel is not None and means.parallel.trouble is not None:
        return means.parallel.trouble
    return f"there were never {WIDE:,} states to look at, so more would have taken longer"


def _search(
    fresh: Callable[[], World], search: Any, stop: Any, report: Report | None, depth: int | None,
    reductions: Sequence[str], means: Means, clock: Clock = no_clock,
) -> tuple[Machine | Plain, Outcome, tuple[str, ...]]:  # fmt: skip
    notes: tuple[str, ...] = ()
    world = fresh()
    if "zones" in reductions:
        declared = world.plan.idle_ms_max
        abstraction = Abstraction(
            idle_ms_max=declared or 0, idle_learned=declared is None, symmetry="symmetry" in reductions,
            over_ms=_over_ms(world.plan),
        )  # fmt: skip
        saved = means.saved
        if saved is not None:
            abstraction = saved.abstraction
        try:
            while True:
                try:
                    machine = machine_for(world, abstraction, reductions)
                    machine.taking.parts.start(clock)
                    return machine, _run(machine, search, stop, report, depth, means, saved), abstraction.notes
                except Refined as refined:
                    abstraction, saved = refined.abstraction, None
                    world = fresh()
        except Unabstract as why:
            notes = (f"states are compared exactly: {why}",)
            world = fresh()
        except RedeliveryError as error:
            raise _with_what_was_seen(error, world) from error
    plain = Plain(world)
    try:
        return plain, search(plain, stop, report, depth), notes
    except RedeliveryError as error:
        raise _with_what_was_seen(error, world) from error


def _over_ms(plan: Plan) -> int | None:
    """After how long every run is over; ``None`` where the server's clock may be moved meanwhile."""
    if any(isinstance(fault, ClockJump) and fault.host == SERVER for fault in plan.faults):
        return None
    return plan.faults_ms + plan.within_ms


def _with_what_was_seen(error: RedeliveryError, world: World) -> RedeliveryError:
    """The error that ended a search, with what that had come to."""
    out: Outcome | None = error.so_far
    if out is None or world.watch is None:
        return error
    broken = [world.watch.properties[which].name for which in sorted(out.broken)]
    found = f"with {', '.join(map(repr, broken))} broken" if broken else "with nothing broken"
    seen = f" (the search ended after {counted(out.states, 'state')}, {found})"
    told = type(error)(f"{error}{seen}")
    vars(told).update(vars(error), seen=seen)
    return told


def searched(
    fresh: Callable[[], World], reductions: Sequence[str], report: Report | None = None, search: Any = breadth_first
) -> tuple[Machine | Plain, Outcome]:
    """A search of all there is, whatever it breaks: what the world was searched as, and what it came to."""
    return _search(fresh, search, lambda broken: False, report, None, reductions, Means())[:2]


def model_of(fresh: Callable[[], World], reductions: Sequence[str], report: Report | None = None) -> Machine | Plain:
    """What a world is searched as, after it has been searched whole; a machine will need no other abstraction."""
    return searched(fresh, reductions, report)[0]


def machine_of(fresh: Callable[[], World], reductions: Sequence[str]) -> Machine:
    """The machine of a world that has been searched whole, so that nothing will need another abstraction."""
    model, _, notes = _search(fresh, breadth_first, lambda broken: False, None, None, reductions, Means())
    if isinstance(model, Plain):
        raise BadInput(f"a graph is drawn of abstract states only; {notes[0] if notes else 'switch reductions on'}")
    return model


@unhindered()
def census(
    scenario: Scenario, variant: str, *, dialect: str | None = None, params: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Every property that can be broken, in their order, whatever the variant declares."""
    dialect = dialect or scenario.variant(variant).dialect

    def fresh() -> World:
        return build(scenario, variant, dialect, dict(params or {}), record=False)[0]

    refuse_unbounded(fresh().plan)
    model, outcome = searched(fresh, REDUCE)
    return tuple(p.name for which, p in enumerate(model.properties) if which in outcome.broken)


def _run(
    machine: Machine, search: Any, stop: Any, report: Report | None, depth: int | None, means: Means,
    saved: Saved | None,
) -> Outcome:  # fmt: skip
    saver, parallel = means.saver, means.parallel
    if isinstance(machine, Reduced) and machine.sleeps:
        return sleeping.breadth_first(machine, stop, report, depth)
    if saver is None and saved is None and parallel is None:
        outcome: Outcome = search(machine, stop, report, depth)
        return outcome
    begun = None if saved is None else saved.restore(machine)
    save = None if saver is None else partial(saver.save, machine)
    hand_over = None if parallel is None else partial(parallel.search, machine, report, depth, saver)
    return breadth_first(machine, stop, report, depth, save, begun, hand_over)


def refuse_unbounded(plan: Plan) -> None:
    """``BadInput`` where nothing bounds a world."""
    if plan.frozen and all(process.turns is None for process in plan.processes):
        raise BadInput("the scenario has no bounds: time is frozen and no process has a number of turns")
    if plan.faults_ms + plan.within_ms >= FAR_MS // 2:
        raise BadInput(
            f"the scenario has no bounds that a check could reach: it runs for {plan.faults_ms + plan.within_ms} ms "
            f"(faults_ms + within_ms); less than {FAR_MS // 2} are wanted"
        )


def _stop(variant: Variant, world: World) -> Callable[[tuple[int, ...]], bool]:
    """A search ends at what the variant is declared to break; where it declares nothing, at anything."""
    assert world.watch is not None
    return stop_at(variant, [p.name for p in world.watch.properties])


def stop_at(variant: Variant, names: Sequence[str]) -> Callable[[tuple[int, ...]], bool]:
    """The same, by the names of all properties."""
    if variant.violates is None:
        return lambda broken: True
    wanted = {which for which, name in enumerate(names) if name == variant.violates or name in SERVER_NAMES}
    return lambda broken: not wanted.isdisjoint(broken)


def _find(model: Machine | Plain, search: Any, depth: int | None, outcome: Outcome) -> Hit:
    """The way to what was broken though it was not what the search looked for."""
    again = search(model, lambda broken: True, None, depth)
    assert again.hit is not None
    hit: Hit = again.hit
    return hit


def _concrete(model: Machine | Plain, hit: Hit) -> Sequence[Edge]:
    """The steps of a way, as the world itself takes them."""
    if isinstance(model, Plain) or not hit.keys:
        return hit.path
    return model.concrete([key for key in hit.keys if isinstance(key, int)], () if hit.at_end else hit.broken)


def _first(variant: Variant, names: list[str]) -> str:
    return variant.violates if variant.violates is not None and variant.violates in names else names[0]


def _message(
    scenario: Scenario, variant: str, dialect: str, given: Mapping[str, str], tape: tuple[int, ...], name: str
) -> str:
    """What the simulator says of the tape: it must see the violation, too."""
    from ..tape import Tape

    run = simulate(scenario, tape=Tape(scenario.name, variant, dialect, dict(given), tape))
    for violation in run.violations:
        if violation.property == name:
            return violation.message
    raise ScenarioError(f"the checker found {name!r} broken, and the simulator does not: {run.tape}")


def _coverage(model: Machine | Plain, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    if isinstance(model, Plain):
        return {"taken": [], "never_struck": [], "never_ran": [], "never_observed": {}}
    taken = _by_all(model, plan)
    done = " ".join(taken)
    struck = [str(fault) for which, fault in enumerate(plan.faults) if which not in model.taking.struck]
    idle = [process.name for process in plan.processes if f"{process.name}: " not in done]
    heard = model.watching.never_observed(SERVER_NAMES)
    return {"taken": taken, "never_struck": struck, "never_ran": idle, "never_observed": heard}


def _by_all(model: Machine, plan: Plan) -> list[str]:
    """What was done, by everybody: of those who can take each other's places, what one did the others did, too."""
    taken = set(model.taking.actions)
    for places in model.taking.names.classes:
        names = [plan.processes[place].name for place in places]
        for text in sorted(taken):
            words = text.split(" ")
            for name in names:
                if name in words or f"{name}:" in words:
                    becomes = ({name: other, f"{name}:": f"{other}:"} for other in names)
                    taken.update(" ".join(there.get(word, word) for word in words) for there in becomes)
    return sorted(taken)


def _parts(model: Machine | Plain) -> dict[str, float]:
    return {} if isinstance(model, Plain) else model.taking.parts.so_far()


def _statistics(outcome: Outcome) -> dict[str, Any]:
    return {
        "ends": outcome.ends,
        "levels": list(outcome.levels),
        "widest_level": max(outcome.levels, default=0),
        "out_degree": {str(degree): n for degree, n in sorted(outcome.degrees.items())},
    }


def as_declared(result: Result, variant: Variant) -> bool:
    """Whether a check shows what the variant is declared to show."""
    if variant.violates is None:
        return result.verdict == HOLDS
    return result.verdict == VIOLATED and result.property_name == variant.violates


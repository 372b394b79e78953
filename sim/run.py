"""One run: a world from a scenario, a tape through it, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..models.dialects import DIALECTS
from .choices import Choices, Drawn, Replayed
from .errors import BadInput, RedeliveryError, ScenarioError, unknown
from .events import Effect
from .history import History
from .plan import Params
from .properties import SERVER_INVARIANTS
from .running_loop import hold_stage
from .scenario import Scenario, Variant
from .steps import Step, Strike
from .tape import Tape
from .watch import PropertyRaised, Violation, Watch
from .world import World

HOLDS = "holds"
VIOLATED = "violated"
INCOMPLETE = "incomplete"


@dataclass(slots=True)
class Run:
    """What came of one tape."""

    scenario: Scenario
    variant_name: str
    dialect: str
    seed: int | None
    tape: Tape
    budget: dict[str, Any]
    params: dict[str, Any]
    history: History
    violations: list[Violation]
    unmet: list[str]
    properties: dict[str, str] = field(default_factory=dict)
    """Each property's name with its verdict."""
    commands: int = 0
    sim_ms: int = 0
    unsent: list[str] | None = field(default=None, repr=False, compare=False)
    """What ``sim/unsent.py`` has said of this run, once it was asked."""

    def _repr_svg_(self) -> str:
        """The timeline, for a notebook: it holds the verdict and how to run it again."""
        return self.history._repr_svg_()

    @property
    def variant(self) -> Variant:
        """The variant that was run."""
        return self.scenario.variant(self.variant_name)

    @property
    def verdict(self) -> str:
        """``violated``, ``incomplete`` (a *sometimes* was never met), or ``holds``: in this order."""
        if self.violations:
            return VIOLATED
        return INCOMPLETE if self.unmet else HOLDS

    @property
    def as_declared(self) -> bool:
        """Whether the run shows what the variant is declared to show.

        What breaks one application property may break another; no variant is declared to break the server.
        """
        violates = self.variant.violates
        if violates is None:
            return self.verdict == HOLDS
        broken = {violation.property for violation in self.violations}
        return violates in broken and not broken.intersection(p.name for p in SERVER_INVARIANTS)


def build(
    scenario: Scenario, variant_name: str, dialect: str, given: Mapping[str, str], *, record: bool = True
) -> tuple[World, Params]:
    """The world of a variant at its start, with its parameters."""
    if dialect not in DIALECTS:
        raise unknown("dialect", dialect, DIALECTS)
    variant = scenario.variant(variant_name)
    params = Params(dict(scenario.params), dict(given))
    try:
        plan = variant.plan(params)
    except RedeliveryError:
        raise
    except Exception as error:
        raise ScenarioError(
            f"the plan of {scenario.name!r}, variant {variant_name!r}, raised {type(error).__name__}: {error}"
        ) from error
    return World(plan, dialect, watch=Watch(scenario.properties_of(variant)), record=record), params


STEPS_MAX = 1000
"""Where time is frozen no clock ends a run that could go on for ever: after so many steps it is over."""


def drive(world: World, choices: Choices) -> None:
    """Takes steps until none is left, as ``choices`` decide; where time is frozen, so many at most."""
    left = STEPS_MAX if world.plan.frozen else -1
    with hold_stage():
        while left and (steps := world.enabled()):
            left -= 1
            if len(steps) == 1:
                world.take(steps[0], choices)
                continue
            world.take(steps[choices.choose(len(steps), "next step", weights(steps))], choices)
    world.finish()


def weights(steps: Sequence[Step]) -> list[int] | None:
    """Where faults may strike, one does in every third draw, however many other steps there are."""
    faults = sum(isinstance(step, Strike) for step in steps)
    if not faults:
        return None
    plain = len(steps) - faults
    return [plain if isinstance(step, Strike) else 2 * faults for step in steps]


def simulate(
    scenario: Scenario,
    variant: str | None = None,
    *,
    dialect: str | None = None,
    seed: int = 0,
    params: Mapping[str, str] | None = None,
    tape: Tape | None = None,
    reference: str | None = None,
) -> Run:
    """Runs one tape: the one that ``seed`` draws, or ``tape`` again.

    Without a ``dialect`` it is the variant's, see ``Variant.dialect``.
    A tape brings its own variant, dialect and parameters with it; ``BadInput`` where others are given besides.
    ``reference`` is how the tape of this run names the scenario, by default its name.
    """
    if tape is not None:
        _must_agree(scenario, tape, variant, dialect, params)
        variant, dialect, params = tape.variant, tape.dialect, tape.params
    name = variant or scenario.default_variant
    dialect = dialect or scenario.variant(name).dialect
    choices: Drawn | Replayed = Drawn(seed) if tape is None else Replayed(tape.choices)
    world, values = build(scenario, name, dialect, params or {})
    if reference is None:
        reference = scenario.name if tape is None else tape.scenario
    try:
        drive(world, choices)
    except PropertyRaised as error:
        if tape is not None:
            raise
        raise error.on(Tape(reference, name, dialect, values.given, tuple(choices.answers))) from error
    if isinstance(choices, Replayed) and choices.unused:
        raise BadInput(f"the tape does not fit this run: the run is over and {choices.unused} choices are left")
    return _report(scenario, name, world, values, choices, None if tape else seed, reference)


def _must_agree(
    scenario: Scenario, tape: Tape, variant: str | None, dialect: str | None, params: Mapping[str, str] | None
) -> None:
    """Refuses what contradicts a tape: the run would silently be another than was asked for."""
    wanted: dict[str, object] = {"variant": variant, "dialect": dialect}
    own: dict[str, object] = {"variant": tape.variant, "dialect": tape.dialect}
    if params is not None:
        wanted["params"], own["params"] = (
            Params(dict(scenario.params), dict(given)).given for given in (params, tape.params)
        )
    for name, value in wanted.items():
        if value is not None and value != own[name]:
            raise BadInput(
                f"the tape says {name} {own[name]!r}, and {value!r} is asked for: leave {name} out, or change the tape "
                f"(dataclasses.replace(tape, {name}=...))"
            )


def _report(
    scenario: Scenario, variant: str, world: World, params: Params, choices: Choices, seed: int | None, reference: str
) -> Run:
    assert world.watch is not None
    assert world.history is not None, "only a recorded world can be reported"
    watch = world.watch
    tape = Tape(reference, variant, world.server.dialect.name, params.given, tuple(choices.answers))
    run = Run(
        scenario, variant, world.server.dialect.name, seed, tape, world.plan.budget(), params.as_dict(),
        world.history, watch.violations, watch.unmet(),
    )  # fmt: skip
    broken = {violation.property for violation in watch.violations}
    for p in watch.properties:
        if p.kind == "sometimes":
            run.properties[p.name] = "not met" if p.name in run.unmet else "met"
        else:
            run.properties[p.name] = VIOLATED if p.name in broken else HOLDS
    run.commands = sum(len(event.commands) for event in world.history if isinstance(event, Effect))
    run.sim_ms = world.now_ms
    world.history.header = header(run)
    return run


def header(run: Run) -> dict[str, Any]:
    """What the first line of the run's history says."""
    return {
        "scenario": run.scenario.name,
        "summary": run.scenario.summary,
        "variant": run.variant_name,
        "declared": run.variant.declared,
        "dialect": run.dialect,
        "params": run.params,
        "budget": run.budget,
        "tape": str(run.tape),
        "verdict": run.verdict,
        "properties": run.properties,
        "violations": [violation._asdict() for violation in run.violations],
        "unmet": run.unmet,
        "sim_ms": run.sim_ms,
    }

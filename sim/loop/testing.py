"""Tests whose programs run in a world, once for each seed; the failing tape lowered, and a line that runs it again."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...models.dialects import DEFAULT
from ..choices import Drawn
from ..errors import BadInput
from ..events import Effect, Handled
from ..faults import Fault
from ..history import History
from ..tape import Tape
from ..unsent import sent_in, unsent_of
from ..watch import Property
from .policies import Swarm
from .program import Main, Program
from .searching import REPLAYS_MAX, lower
from .simulation import CLIENT_PROPERTIES, TEST, Outcome, Simulation
from .stand_ins import stand_ins
from .world import LoopWorld

SEEDS = 50


class PropertyBroken(AssertionError):
    """A run of a test broke a property, or an assertion of the test; the text tells how to run it again."""

    def __init__(self, text: str, outcome: Outcome, picture: Path | None) -> None:
        super().__init__(text)
        self.outcome = outcome
        self.picture = picture


@dataclass(slots=True)
class UnderTest:
    """What the plugin knows of the test that is being run."""

    rerun: str = ""
    """The command that runs this test alone, without the tape."""
    seeds: int | None = None
    tape: str | None = None
    folder: Path | None = None
    """Where pictures go; nowhere without it."""


class Sim:
    """A world, as a test holds it: ``start`` processes, and ``run`` it; what is not run runs when the test is over."""

    def __init__(self, world: LoopWorld) -> None:
        self.world = world

    def start(
        self, name: str, main: Main | Callable[[], Any], *, host: str = "", start_ms: int = 0,
        restart_ms: int | None = None,
    ) -> Program:  # fmt: skip
        """Adds a process; see ``LoopWorld.start``."""
        return self.world.start(name, main, host=host, start_ms=start_ms, restart_ms=restart_ms)

    def run(self) -> History:
        """Runs the world to its end, once; afterwards it tells what happened."""
        if self.world.over:
            raise BadInput("a simulation runs once: assert on what the first run() gave")
        return self.world.run()

    @property
    def history(self) -> History:
        """What has happened so far."""
        return self.world.history

    def handled(self) -> list[bytes]:
        """The entries that were handled, in order, as often as they were."""
        return [event.entry for event in self.history if isinstance(event, Handled)]

    def commands(self) -> list[tuple[bytes, ...]]:
        """The commands that took effect, in order."""
        return [command for event in self.history if isinstance(event, Effect) for command in event.commands]


@dataclass(frozen=True, slots=True)
class Spec:
    """How a test is simulated: see ``redelivery.simulate``."""

    seeds: int = SEEDS
    faults: tuple[Fault, ...] = ()
    properties: tuple[str | Property, ...] = CLIENT_PROPERTIES
    dialect: str = DEFAULT
    faults_ms: int = 10_000
    within_ms: int = 30_000
    replays_max: int = REPLAYS_MAX
    under: UnderTest = field(default_factory=UnderTest)


PRESENT = UnderTest()
"""Of the test at hand; the plugin fills it."""


def decorate(spec: Spec) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """A decorator of tests. The test is called once for each seed, with a ``sim`` of its own if it takes one."""
    if spec.seeds < 1:
        raise BadInput(f"simulate(seeds={spec.seeds}) tries nothing: give at least 1")

    def wrap(function: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(function)
        def test(*args: Any, **given: Any) -> None:
            __tracebackhide__ = True
            _try_all(spec, function, args, given)

        if "pytest" in sys.modules:
            mark = sys.modules["pytest"].mark.redelivery
            mark(test)
        return test

    return wrap


def _try_all(spec: Spec, function: Callable[..., Any], args: Sequence[Any], given: dict[str, Any]) -> None:
    __tracebackhide__ = True
    simulation = Simulation(
        lambda world: _build(world, function, args, given), function.__qualname__, spec.faults, spec.properties,
        spec.dialect, spec.faults_ms, spec.within_ms, asserts=True,
    )  # fmt: skip
    with stand_ins():
        if PRESENT.tape is not None:
            tape = Tape.parse(PRESENT.tape)
            if tape.scenario != simulation.name:
                raise BadInput(f"the tape is of {tape.scenario}, and this is {simulation.name}: run that test alone")
            outcome = simulation.twice(tape.choices)
            if outcome.violations:
                raise _broken(outcome, "the tape") from outcome.error
            return
        seeds = PRESENT.seeds if PRESENT.seeds is not None else spec.seeds
        sent: set[tuple[str, str]] = set()
        for seed in range(seeds):
            outcome = simulation.run(Swarm(seed) if spec.faults else Drawn(seed))
            if not seed:
                simulation.twice(outcome.answers, outcome)
            if outcome.violations:
                outcome, _ = lower(simulation, outcome, outcome.violations[0].property, spec.replays_max)
                outcome = simulation.twice(outcome.answers, outcome)
                raise _broken(outcome, f"seed {seed} of {seeds}") from outcome.error
            sent |= sent_in(outcome.history)
    for note in unsent_of(spec.faults, sorted({process for process, _ in sent}), sent, f"with any of {seeds} seeds"):
        warnings.warn(f"{function.__qualname__}: {note}", stacklevel=3)


def _build(world: LoopWorld, function: Callable[..., Any], args: Sequence[Any], given: dict[str, Any]) -> None:
    taken = inspect.signature(function).parameters
    values = {**given}
    if "sim" in taken:
        values["sim"] = Sim(world)
    if not inspect.iscoroutinefunction(function):
        if "sim_redis" in taken:
            raise BadInput(f"{function.__qualname__}: sim_redis needs an asynchronous test; here, start a process")
        function(*args, **values)
        return

    async def body() -> None:
        if "sim_redis" in taken:
            import redis.asyncio

            values["sim_redis"] = redis.asyncio.Redis()
        await function(*args, **values)

    if "sim_redis" in taken:
        import redis.asyncio  # noqa: F401  # before the world begins: what is loaded in it takes of its chance
    world.waits_for = world.start(TEST, body)


def _broken(outcome: Outcome, where: str) -> PropertyBroken:
    violation = outcome.violations[0]
    picture = _draw(outcome)
    lines = [f"{violation.property}: {violation.message}  ({where}, at {violation.at_ms} ms)"]
    lines += [f"  struck: {fault}" for fault in outcome.struck]
    if PRESENT.rerun:
        lines.append(f"  again: {PRESENT.rerun} --redelivery-tape={outcome.tape}")
    else:
        lines.append(f"  tape: {outcome.tape}")
    if picture is not None:
        lines.append(f"  timeline: {picture}")
    return PropertyBroken("\n".join(lines), outcome, picture)


def _draw(outcome: Outcome) -> Path | None:
    if PRESENT.folder is None:
        return None
    from ..views.timeline import draw

    PRESENT.folder.mkdir(parents=True, exist_ok=True)
    path = PRESENT.folder / f"{outcome.tape.scenario.replace('.<locals>.', '-')}.svg"
    draw(outcome.history, path)
    return path

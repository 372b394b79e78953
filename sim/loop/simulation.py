"""A world of real client code, as often as it is needed: run by a tape, held against properties, run twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...models.dialects import DEFAULT
from ..choices import Choices, Replayed
from ..errors import RedeliveryError
from ..faults import Fault
from ..history import History
from ..properties import SERVER_INVARIANTS, named
from ..run import HOLDS, VIOLATED
from ..tape import Tape
from ..watch import Property, Violation, Watch
from .strikes import REACH
from .watchdog import REAL_S_MAX
from .world import LoopWorld

CLIENT_PROPERTIES = (
    "no-entry-lost", "added-implies-handled", "acked-implies-handled", "pel-drains", "bounded-deliveries",
    "no-hot-loop",
)  # fmt: skip
"""What every consumer ought to keep, however often it may handle an entry."""

ASSERTION = "assertion"
"""What is broken where an assertion of a test is."""

TEST = "test"
"""The process in which an asynchronous test runs."""

VARIANT = "client"
"""What stands for the variant in a tape of real code."""


class NotRepeatable(RedeliveryError):
    """Two runs of one tape differ: something that the tape does not hold reached a program."""


@dataclass(slots=True)
class Outcome:
    """What came of one tape."""

    history: History
    violations: list[Violation]
    properties: dict[str, str]
    """Each property's name with its verdict."""
    struck: list[Fault]
    """The faults that happened, in order."""
    answers: tuple[int, ...]
    tape: Tape
    offered: dict[int, list[int]]
    """Fault, by its index, to when it could have struck: how many events there were by then."""
    connections: int
    refused: list[str]
    """Addresses that programs tried, and at which nobody is."""
    unsupported: list[str]
    """Commands that clients sent, and the dialect does not have."""
    complaints: list[str]
    """What asyncio told of exceptions that nobody looked at."""
    error: Exception | None = None
    """What a test raised."""

    @property
    def verdict(self) -> str:
        """``violated`` or ``holds``."""
        return VIOLATED if self.violations else HOLDS

    def breaks(self, only: str | None) -> bool:
        """Whether it violates a property: any, or the one that is named."""
        return any(only in (None, violation.property) for violation in self.violations)

    def digest(self) -> str:
        """A short name of the history's bytes."""
        return hashlib.sha256("\n".join(self.history.lines()).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Simulation:
    """A world at its start. ``build`` adds its programs: ``world.start(name, main)``."""

    build: Callable[[LoopWorld], object]
    name: str = "simulation"
    """How tapes name it."""
    faults: tuple[Fault, ...] = ()
    properties: tuple[str | Property, ...] = CLIENT_PROPERTIES
    dialect: str = DEFAULT
    faults_ms: int = 10_000
    within_ms: int = 30_000
    real_s_max: float = REAL_S_MAX
    params: Mapping[str, str] = field(default_factory=dict)
    variant: str = VARIANT
    asserts: bool = False
    """Whether ``build`` is a test, which may assert: what it raises counts as a broken property."""
    reach: int = REACH
    """A fault strikes at one of its first so many opportunities, or never."""
    again: str = "redelivery verify --tape"
    """The command before a tape that runs it again."""

    def watched(self) -> list[Property]:
        """The properties that every run is held against: the server's own first."""
        given = named(self.properties)
        return [*SERVER_INVARIANTS, *(p for p in given if p not in SERVER_INVARIANTS)]

    def run(self, choices: Choices) -> Outcome:
        """One run."""
        world = LoopWorld(
            choices, dialect=self.dialect, faults=self.faults, faults_ms=self.faults_ms, within_ms=self.within_ms,
            real_s_max=self.real_s_max, reach=self.reach,
        )  # fmt: skip
        error = self._lived(world)
        watch = Watch(self.watched())
        for event in world.history:
            watch.observe(event)
        watch.finish(world.now_ms)
        outcome = self._outcome(world, watch)
        world.forget()
        if error is not None:
            outcome.error = error
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            outcome.violations.insert(0, Violation(ASSERTION, len(outcome.history), world.now_ms, told))
            outcome.history.header["violations"] = [violation._asdict() for violation in outcome.violations]
            outcome.history.header["verdict"] = VIOLATED
        return outcome

    def _lived(self, world: LoopWorld) -> Exception | None:
        """Lets a world live; what a test raised, if it did."""
        error: Exception | None = None
        try:
            self.build(world)
        except RedeliveryError:
            raise
        except Exception as raised:
            if not self.asserts:
                raise
            error = raised
        if not world.over:
            world.run()
        test = world.waits_for
        if error is None and test is not None:
            error = world.failures.get(test.name)
            if error is None and not test.finished:
                error = AssertionError("the test never ends: it waits for something that never comes")
        return error

    def replay(self, answers: Sequence[int]) -> Outcome:
        """The run of a tape; ``BadInput`` where the tape does not fit."""
        return self.run(Replayed(answers))

    def twice(self, answers: Sequence[int], first: Outcome | None = None) -> Outcome:
        """The run of a tape, made twice; ``NotRepeatable`` names the first difference."""
        one = first or self.replay(answers)
        other = self.replay(answers)
        told = difference(one.history, other.history)
        if told is not None:
            raise NotRepeatable(
                f"{self.name}: two runs of one tape differ, so something that the tape does not hold reached a "
                f"program. {told}"
            )
        return other

    def _outcome(self, world: LoopWorld, watch: Watch) -> Outcome:
        broken = {violation.property for violation in watch.violations}
        properties = {p.name: VIOLATED if p.name in broken else HOLDS for p in watch.properties}
        answers = tuple(world.choices.answers)
        tape = Tape(self.name, self.variant, self.dialect, self.params, answers)
        outcome = Outcome(
            world.history, watch.violations, properties, world.strikes.struck, answers, tape, world.strikes.offered,
            world.network.made, list(world.network.refused), list(world.unsupported),
            [f"{program.name}: {said}" for program in world.programs for said in program.complaints],
        )  # fmt: skip
        world.history.header = self._header(outcome, world.now_ms)
        return outcome

    def _header(self, outcome: Outcome, sim_ms: int) -> dict[str, Any]:
        return {
            "scenario": self.name,
            "variant": self.variant,
            "source": "real client code",
            "dialect": self.dialect,
            "params": dict(self.params),
            "budget": {"faults": [str(fault) for fault in self.faults], "faults_ms": self.faults_ms},
            "tape": str(outcome.tape),
            "again": self.again,
            "verdict": outcome.verdict,
            "properties": outcome.properties,
            "violations": [violation._asdict() for violation in outcome.violations],
            "unmet": [],
            "sim_ms": sim_ms,
        }


def difference(one: History, other: History) -> str | None:
    """The first event in which two histories differ, in one line; ``None`` where they are the same."""
    for n, (first, second) in enumerate(zip(one.events, other.events, strict=False)):
        if first != second:
            return f"Event {n}, at {first.at_ms} ms: {_short(first)} against {_short(second)}"
    if len(one) != len(other):
        longer = one if len(one) > len(other) else other
        n = min(len(one), len(other))
        return f"Event {n} is in one of them alone: {_short(longer.events[n])}"
    return None


def _short(event: object) -> str:
    text = repr(event)
    return text if len(text) <= 300 else text[:297] + "..."

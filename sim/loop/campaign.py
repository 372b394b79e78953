"""The standard campaign: every situation, its faults at every opportunity, and what each property says to it.

Nothing here knows a framework. In each situation the plain course comes first, then its fault at the first, the
second, the third … time that it could strike, then runs by chance (swarm). Where a property breaks, the run with the
fewest faults is kept; what chance found is lowered first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ...models.dialects import DEFAULT
from ...models.facts import Added
from .. import events
from ..check.policies import Lenient
from ..errors import BadInput, unknown
from ..faults import ANY, Crash, Fault, Lose, Pause, Reset, SlowHandler
from ..history import History
from ..server_faults import Failover, Flush, ServerRestart
from ..watch import Property
from .policies import Swarm
from .searching import lower
from .simulation import Outcome, Simulation
from .stages import JOB, PRODUCER, WORKERS, WORKERS_LIVE, Situation, simulation
from .stand_ins import silence, stand_ins
from .target import Target, find_target

PROPERTIES: tuple[str | Property, ...] = (
    "added-implies-handled", "no-entry-lost", "acked-implies-handled", "single-handler", "handled-at-most-once",
    "pel-drains", "bounded-deliveries", "no-hot-loop", "one-intent-one-entry", WORKERS_LIVE,
)  # fmt: skip
"""What a report card asks, in the order of its columns."""

OF_ONE_ENTRY = frozenset(
    ("added-implies-handled", "acked-implies-handled", "single-handler", "handled-at-most-once")
)
"""Not judged in runs in which a job is in a stream twice: which of two equal entries is handled nobody can tell."""

PLACES_MAX = 12
"""A fault is tried at its first so many opportunities."""
CHANCE_RUNS = 4
"""So many runs of each situation are drawn by chance."""
LOWER_MAX = 40

SITUATIONS: tuple[Situation, ...] = (
    Situation("plain", "nothing goes wrong"),
    Situation("early", "jobs come before the first worker", early=True),
    Situation("crash-before-ack", "a worker crashes while it has a job", lambda t: (Crash(WORKERS, when="holding"),)),
    Situation("crash-any-time", "a worker crashes at any time", lambda t: (Crash(WORKERS),)),
    Situation(
        "quiet-stream", "a worker crashes with a job, and no more jobs come",
        lambda t: (Crash(WORKERS, when="holding"),), stays_busy=False,
    ),
    Situation(
        "new-names", "a worker crashes with a job, and comes back under a new name",
        lambda t: (Crash(WORKERS, when="holding"),), renames=True,
    ),
    Situation(
        "slow-handler", "a job takes longer than a worker may have it",
        lambda t: (SlowHandler(WORKERS, t.lease_ms + t.lease_ms // 2),),
    ),
    Situation(
        "pause", "a worker stands still for longer than it may have a job",
        lambda t: (Pause(WORKERS, t.lease_ms + t.lease_ms // 2, when="holding"),),
    ),
    Situation("poison", "one job fails every time", poison=True, leases=10),
    Situation("trimmed", "somebody trims what is pending", lambda t: (Crash(WORKERS, when="holding"),), trims=True),
    Situation("reset", "the connections of a worker break", lambda t: (Reset(WORKERS),)),
    Situation("restart-empty", "the server restarts empty", lambda t: (ServerRestart(keeps="nothing"),)),
    Situation("restart-log", "the server restarts from its file", lambda t: (ServerRestart(),)),
    Situation("failover", "a replica that lacks the last write takes over", lambda t: (Failover(loses=1),)),
    Situation("flush", "somebody sends FLUSHALL", lambda t: (Flush(),)),
    Situation(
        "long-silence", "no job comes for two minutes, then one", jobs=3, gap_ms=120_000, stays_busy=False,
    ),
    Situation(
        "many-leases", "a worker crashes behind many jobs that are being done",
        lambda t: (Crash(WORKERS, when="holding"),), jobs=400, every_ms=1, leases=12,
    ),
)  # fmt: skip
"""What is tried with every target; to these come, for each command that it sends, the loss of request and reply."""


@dataclass(slots=True)
class Cell:
    """What a property says to a situation: the run that breaks it with the fewest faults."""

    broken: str
    """The property's name."""
    outcome: Outcome
    found_by: str
    """``plain``, ``place 3`` or ``seed 5``."""

    @property
    def message(self) -> str:
        """How it breaks."""
        return next(v.message for v in self.outcome.violations if v.property == self.broken)


@dataclass(slots=True)
class Row:
    """What came of one situation."""

    situation: Situation
    runs: int = 0
    struck: int = 0
    """In how many of the runs a fault did strike."""
    cells: dict[str, Cell] = field(default_factory=dict)


@dataclass(slots=True)
class Card:
    """The report card of a target."""

    target: Target
    dialect: str
    rows: list[Row] = field(default_factory=list)
    unsupported: dict[str, None] = field(default_factory=dict)
    complaints: dict[str, None] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """How many runs it took."""
        return sum(row.runs for row in self.rows)

    @property
    def properties(self) -> list[str]:
        """The columns."""
        return [p if isinstance(p, str) else p.name for p in PROPERTIES]

    def finding(self, situation: str, broken: str) -> Cell:
        """The run in which a property breaks in a situation; ``BadInput`` where none does."""
        rows = {row.situation.key: row for row in self.rows}
        if situation not in rows:
            raise unknown("situation of the card", situation, rows)
        if broken not in rows[situation].cells:
            raise unknown(f"property that breaks in {situation}", broken, rows[situation].cells)
        return rows[situation].cells[broken]

    def __str__(self) -> str:
        from .card import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from .card import as_html

        return as_html(self)


Tell = Callable[[Row], None]


def verify(
    target: Target | str, *, dialect: str = DEFAULT, only: str | Sequence[str] = (), seed: int = 0,
    chance_runs: int = CHANCE_RUNS, places_max: int = PLACES_MAX, tell: Tell = lambda row: None,
) -> Card:  # fmt: skip
    """Runs the campaign on a target, or on the one that a reference such as ``"my_file.py:target"`` means.

    ``only`` names one situation, or some; ``tell`` hears of each that is done.
    """
    target = _found(target)
    card = Card(target, dialect)
    with stand_ins(), silence():
        pilot = _pilot(target, dialect)
        known = {situation.key: situation for situation in situations(pilot.history)}
        named = [only] if isinstance(only, str) else only
        for key in named:
            if key not in known:
                raise unknown("situation", key, known)
        for situation in [known[key] for key in known if not named or key in named]:
            row = _row(target, situation, card, seed, chance_runs, places_max)
            card.rows.append(row)
            tell(row)
    return card


def _pilot(target: Target, dialect: str) -> Outcome:
    """The plain run, made twice; ``BadInput`` where the target never reaches the server, or does nothing."""
    plain = simulation(target, SITUATIONS[0], PROPERTIES, dialect)
    outcome = plain.twice((), plain.replay(()))
    if not outcome.connections:
        tried = f"; it tried {', '.join(outcome.refused)}" if outcome.refused else ""
        raise BadInput(f"{target.name} never connects: its server is redis://localhost:6379{tried}")
    if not any(isinstance(event, events.Handled) for event in outcome.history):
        ends = [e.message for e in outcome.history if isinstance(e, events.Crashed)]
        why = ends[0] if ends else next(iter(outcome.complaints), "")
        told = f"; {why}" if why else ": does the worker call handle(job) with what the producer sent?"
        raise BadInput(f"{target.name} handles no job, though nothing goes wrong{told}")
    return outcome


def situations(pilot: History) -> Iterator[Situation]:
    """The situations of the campaign, with the losses of the commands that a plain run sends."""
    yield from SITUATIONS
    for name, who in sorted(_commands(pilot).items()):
        for part in ("reply", "request"):
            title = f"the {part} of {_article(name)} is lost"
            yield Situation(f"lose-{part}-{name.lower()}", title, partial(_lost, who, name, part))


def _lost(who: tuple[str, ...], name: str, part: str, target: Target) -> tuple[Fault, ...]:
    return (Lose(who, name, part=part),)


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEFHILMNORSX" else f"a {name}"


def _commands(pilot: History) -> dict[str, tuple[str, ...]]:
    """Each command that changes something, or reads entries, to the processes that send it."""
    found: dict[str, dict[str, None]] = {}
    for event in pilot:
        if isinstance(event, events.Effect) and event.process in (*WORKERS, PRODUCER):
            for command in event.commands:
                name = command[0].decode().upper()
                if name.startswith("X") or event.facts:
                    found.setdefault(name, {})[event.process] = None
    return {name: tuple(who) for name, who in found.items() if name != ANY}


def _row(target: Target, situation: Situation, card: Card, seed: int, chance_runs: int, places_max: int) -> Row:
    world = simulation(target, situation, PROPERTIES, card.dialect)
    row = Row(situation)
    plain = world.replay(())
    _take(row, card, plain, "plain")
    for at in range(len(world.faults)):
        place, offered = 1, plain.offered.get(at, 0)
        while place <= min(offered, places_max):
            outcome = world.run(Lenient(_placed(world.faults, at, place)))
            _take(row, card, outcome, f"place {place}")
            place += 1
    for at in range(chance_runs if world.faults else min(chance_runs, 2)):
        _take(row, card, world.run(Swarm(seed + at)), f"seed {seed + at}")
    for cell in row.cells.values():
        if cell.found_by.startswith("seed"):
            cell.outcome, _ = lower(world, cell.outcome, cell.broken, LOWER_MAX)
    return row


def _placed(faults: tuple[Fault, ...], index: int, place: int) -> tuple[int, ...]:
    """The answers that let the first unit of one fault strike at a place, and nothing else."""
    answers: list[int] = []
    for at, fault in enumerate(faults):
        answers += [place if at == index and not unit else 0 for unit in range(fault.budget)]
    return tuple(answers)


def has_twins(history: History) -> bool:
    """Whether some job is in a stream twice, as when a producer sends again what has taken effect."""
    seen: set[tuple[bytes, bytes]] = set()
    for event in history:
        for fact in getattr(event, "facts", ()):
            if isinstance(fact, Added):
                found = JOB.search(b"\n".join(fact.fields))
                if found is not None:
                    key = fact.stream, found.group()
                    if key in seen:
                        return True
                    seen.add(key)
    return False


def _take(row: Row, card: Card, outcome: Outcome, found_by: str) -> None:
    row.runs += 1
    row.struck += bool(outcome.struck)
    card.unsupported.update(dict.fromkeys(outcome.unsupported))
    card.complaints.update(dict.fromkeys(outcome.complaints))
    twice = has_twins(outcome.history)
    for violation in outcome.violations:
        if twice and violation.property in OF_ONE_ENTRY:
            continue
        known = row.cells.get(violation.property)
        if known is None or len(outcome.struck) < len(known.outcome.struck):
            row.cells[violation.property] = Cell(violation.property, outcome, found_by)


def world_of(target: Target | str, key: str, dialect: str = DEFAULT) -> Simulation:
    """The world of one situation, for searches and tapes."""
    target = _found(target)
    with stand_ins(), silence():
        pilot = _pilot(target, dialect)
    known = {situation.key: situation for situation in situations(pilot.history)}
    if key not in known:
        raise unknown("situation", key, known)
    return simulation(target, known[key], PROPERTIES, dialect)


def rerun(target: Target | str, key: str, answers: tuple[int, ...], dialect: str = DEFAULT) -> Outcome:
    """A tape of the campaign again, made twice."""
    world = world_of(target, key, dialect)
    with stand_ins(), silence():
        return world.twice(answers)


def _found(target: Target | str) -> Target:
    """The target, named as tapes name it, with what it needs."""
    found = replace(find_target(target), name=target) if isinstance(target, str) else target
    found.load()
    return found

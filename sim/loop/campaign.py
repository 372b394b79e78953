"""The standard campaign: every situation, its faults at every opportunity, and what each property says to it.

Nothing here knows a framework. In each situation the plain course comes first, then its fault at one opportunity after
the other, spread over the whole run, then runs by chance (swarm). Where a property breaks, the run with the fewest
faults is kept; what chance found is lowered first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ...models.dialects import DEFAULT
from .. import events
from ..check.policies import Lenient
from ..errors import BadInput, unknown
from ..faults import ANY, TORN, Crash, Fault, Lose, Pause, Reset, SlowHandler
from ..history import History
from ..link_faults import HalfOpen, Partition, SlowLink
from ..server_faults import Failover, Flush, ServerRestart
from .judging import JOB, PRODUCER, PROPERTIES, WORKERS, has_twins
from .places import places
from .policies import Swarm
from .searching import lower
from .simulation import Outcome, Simulation
from .stages import Situation, simulation
from .stand_ins import aside, silence, stand_ins
from .strikes import REACH
from .target import Target, find_target

OF_ONE_ENTRY = frozenset(
    ("added-implies-handled", "acked-implies-handled", "single-handler", "handled-at-most-once")
)
"""Not judged in runs in which a job is in a stream twice: which of two equal entries is handled nobody can tell."""

PLACES_MAX = 12
"""A fault is tried at so many of its opportunities, at most."""
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
    Situation(
        "torn-reply", "a reply to a worker is cut off in the middle", lambda t: (Lose(WORKERS, ANY, how=TORN),)
    ),
    Situation(
        "half-open", "the connections of a worker are gone, and it is not told", lambda t: (HalfOpen(WORKERS),)
    ),
    Situation(
        "slow-link", "a fifth of a lease passes before what a worker sends or gets arrives",
        lambda t: (SlowLink(WORKERS, t.lease_ms // 5, t.lease_ms),),
    ),
    Situation(
        "cut-off", "a worker is cut off from the server for longer than it may have a job",
        lambda t: (Partition(WORKERS, t.lease_ms + t.lease_ms // 2),),
    ),
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
    places: int = 0
    """At how many opportunities its faults were tried, one at a time."""
    places_of: int = 0
    """How many opportunities the plain course offers."""
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
    plain = simulation(target, SITUATIONS[0], dialect)
    outcome = plain.twice((), plain.replay(()))
    if not outcome.connections:
        tried = f"; it tried {', '.join(outcome.refused)}" if outcome.refused else ""
        raise BadInput(f"{target.name} never connects: its server is redis://localhost:6379{tried}")
    if not any(isinstance(event, events.Handled) for event in outcome.history):
        raise BadInput(f"{target.name} handles no job, though nothing goes wrong{_why(outcome)}")
    for event in outcome.history:
        if isinstance(event, events.Handling) and not event.stream and JOB.search(event.entry) is None:
            raise BadInput(
                f"{target.name} calls handle with {event.entry.decode(errors='replace')!r}, which is no job that the "
                f"producer sent: hand it the text that came from jobs"
            )
    return outcome


def _why(outcome: Outcome) -> str:
    """Why a plain run may have done nothing: what was not there first, then what programs ended by."""
    if outcome.unsupported:
        return f": it sends {', '.join(outcome.unsupported)}, which the model of its server does not have"
    if outcome.refused:
        return f": it tried {', '.join(outcome.refused)}, and its server is redis://localhost:6379"
    ends = [e.message for e in outcome.history if isinstance(e, events.Crashed)]
    why = ends[0] if ends else next(iter(outcome.complaints), "")
    if why:
        return f"; {why}"
    if any(isinstance(event, events.Finished) and event.process in WORKERS for event in outcome.history):
        return ": its worker returns, and has to run until it is cancelled"
    return ": does the worker call handle(job) with what the producer sent, and await it in an async function?"


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
    spelt = name[0] in "FHLMNRSX" and name[1:2] not in tuple("AEIOU")  # an XACK, an HSET, but a SET
    return f"an {name}" if spelt or name[0] in "AEIO" else f"a {name}"


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
    row, world = Row(situation), simulation(target, situation, card.dialect)
    plain = world.replay(())
    world = _reaching(world, plain)
    _take(row, card, plain, "plain")
    for at in range(len(world.faults)):
        offered = plain.offered.get(at, ())
        chosen = places(plain.history, offered, places_max)
        row.places, row.places_of = row.places + len(chosen), row.places_of + len(offered)
        for place in chosen:
            _take(row, card, world.run(Lenient(_placed(world.faults, at, place))), f"place {place}")
    for at in range(chance_runs if world.faults else min(chance_runs, 2)):
        _take(row, card, world.run(Swarm(seed + at)), f"seed {seed + at}")
    for cell in row.cells.values():
        if cell.found_by.startswith("seed"):
            cell.outcome, _ = lower(world, cell.outcome, cell.broken, LOWER_MAX)
    return row


def _reaching(world: Simulation, plain: Outcome) -> Simulation:
    """The same world, whose faults may strike at any of the opportunities that its plain course offers."""
    return replace(world, reach=max(REACH, *map(len, plain.offered.values()), 0))


def _placed(faults: tuple[Fault, ...], index: int, place: int) -> tuple[int, ...]:
    """The answers that let the first unit of one fault strike at a place, and nothing else."""
    answers: list[int] = []
    for at, fault in enumerate(faults):
        answers += [place if at == index and not unit else 0 for unit in range(fault.budget)]
    return tuple(answers)


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
    """The world of one situation, for searches: faults may strike whenever they could in its plain course."""
    world = _world(target, key, dialect)
    with stand_ins(), silence():
        return _reaching(world, world.replay(()))


def _world(target: Target | str, key: str, dialect: str) -> Simulation:
    target = _found(target)
    with stand_ins(), silence():
        pilot = _pilot(target, dialect)
    known = {situation.key: situation for situation in situations(pilot.history)}
    if key not in known:
        raise unknown("situation", key, known)
    return simulation(target, known[key], dialect)


def rerun(target: Target | str, key: str, answers: tuple[int, ...], dialect: str = DEFAULT) -> Outcome:
    """A tape of the campaign again, made twice."""
    world = _world(target, key, dialect)
    units = sum(fault.budget for fault in world.faults)
    world = replace(world, reach=max(REACH, *answers[:units], 0))
    with stand_ins():
        with silence():
            first = world.replay(answers)
        with aside():
            return world.twice(answers, first)


def _found(target: Target | str) -> Target:
    """The target, named as tapes name it, with what it needs."""
    found = replace(find_target(target), name=target) if isinstance(target, str) else target
    found.load()
    return found

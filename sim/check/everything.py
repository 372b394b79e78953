"""Checking every scenario and variant against what it declares, on all cores: one process for each check at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeAlias

from ..catalogue import find, shipped
from ..errors import RedeliveryError
from ..scenario import WITHOUT
from .check import Clock, as_declared, check
from .parallel.crew import DID, Crew, Lost
from .reductions import DEFAULT as REDUCE

Params: TypeAlias = Mapping[str, str] | None
How: TypeAlias = tuple[str | None, tuple[str, ...], Clock, Params]
"""Dialect, reductions, clock and parameters of a check."""

OK, NOT_AS_DECLARED, OTHER_COUNT = "as declared", "not as declared", "other count"
FAILED, STOPPED = "failed", "stopped"


@dataclass(frozen=True, slots=True)
class Row:
    """What one check came to."""

    scenario: str
    variant: str
    declared: str
    verdict: str
    property: str | None
    states: int
    declared_states: int | None
    transitions: int
    depth: int
    seconds: float
    outcome: str
    message: str = ""


def names(references: Sequence[str] = (), dialect: str | None = None) -> list[tuple[str, str]]:
    """Every scenario with every variant that declares its verdict in ``dialect``, in order."""
    scenarios = [find(reference) for reference in references] or shipped()
    return [
        (scenario.name, name)
        for scenario in scenarios
        for name, variant in scenario.variants.items()
        if dialect is None or not variant.dialects or dialect in variant.dialects
    ]


def ablations(references: Sequence[str] = (), dialect: str | None = None) -> list[tuple[str, str]]:
    """Every scenario with every variant as it is without one of its safeguards, in order."""
    scenarios = [(reference, find(reference)) for reference in references] or [(s.name, s) for s in shipped()]
    return [
        (reference, f"{variant}{WITHOUT}{safeguard}")
        for reference, scenario in scenarios
        for variant, safeguard in scenario.ablations
        if dialect is None or not scenario.variants[variant].dialects or dialect in scenario.variants[variant].dialects
    ]


def check_one(
    name: str, variant: str, dialect: str | None, reduce: tuple[str, ...], clock: Clock, params: Params = None
) -> Row:
    """One check, held against what the variant declares; in its own dialect where none is given."""
    scenario = find(name)
    declaration = scenario.variant(variant)
    try:
        result = check(
            scenario, variant, dialect=dialect, params=params, reduce=reduce, clock=clock, reference=name
        )  # fmt: skip
    except RedeliveryError as error:
        return _failed(name, variant, str(error))
    outcome = OK if as_declared(result, declaration) else NOT_AS_DECLARED
    own = result.dialect == declaration.dialect and result.reductions == REDUCE and not params
    wanted = declaration.states if own else None
    if outcome == OK and wanted is not None and wanted != result.states:
        outcome = OTHER_COUNT
    return Row(
        name, variant, declaration.declared, result.verdict, result.property_name, result.states, wanted,
        result.transitions, result.depth, result.seconds, outcome,
    )  # fmt: skip


def check_all(
    todo: Sequence[tuple[str, str]], dialect: str | None, reduce: tuple[str, ...], workers: int, clock: Clock,
    tell: Callable[[Row], None] = lambda row: None, params: Params = None,
) -> list[Row]:  # fmt: skip
    """Checks them all, in the order of ``todo`` whichever ends first; what a killed worker had, has failed.

    Where Ctrl-C stops it, what is done is kept.
    """
    rows: dict[tuple[str, str], Row] = {}
    try:
        for row in _each(todo, (dialect, reduce, clock, params), workers):
            rows[row.scenario, row.variant] = row
            tell(row)
    except KeyboardInterrupt:
        pass
    return [rows.get(key) or _failed(*key, "the search was stopped before this one was done", STOPPED) for key in todo]


def _each(todo: Sequence[tuple[str, str]], how: How, workers: int) -> Iterator[Row]:
    if workers <= 1:
        for name, variant in todo:
            yield check_one(name, variant, *how)
        return
    waiting = sorted(todo, key=_size)
    running: dict[int, tuple[str, str]] = {}
    places = range(min(workers, len(todo)))
    crew = Crew(len(places), _serve, how)
    try:
        while waiting or running:
            try:
                for place in places:
                    if place not in running and waiting:
                        running[place] = waiting.pop()
                        crew.put(place, running[place])
                for place, row in crew.hear(running).items():
                    del running[place]
                    yield row
            except Lost as lost:
                yield _failed(*running.pop(lost.place), f"{lost} while it did this; check this one alone")
                crew.renew(lost.place)
    finally:
        crew.end()


def _size(each: tuple[str, str]) -> tuple[int, str, str]:
    """The largest is taken first, so that nobody waits for it in the end; of unknown ones, the first by name."""
    name, variant = each
    states = find(name).variant(variant).states
    return (1 << 62 if states is None else states, name, variant)


def _serve(theirs: Connection, place: int, how: How) -> None:
    """What a worker's process does: one check after the other."""
    while True:
        name, variant = theirs.recv()
        try:
            row = check_one(name, variant, *how)
        except Exception as error:  # whatever it is, it is told of this check, and the others go on
            row = _failed(name, variant, f"{type(error).__name__}: {error}")
        theirs.send((DID, row))


def _failed(name: str, variant: str, message: str, outcome: str = FAILED) -> Row:
    declared = find(name).variant(variant).declared
    return Row(name, variant, declared, outcome, None, 0, None, 0, 0, 0.0, outcome, " ".join(message.split()))

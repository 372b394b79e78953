"""Checking every scenario and variant against what it declares, on all cores: one process for each check at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeAlias

from ..catalogue import find, shipped
from ..errors import RedeliveryError
from ..scenario import WITHOUT
from .check import Clock, as_declared, check
from .reductions import DEFAULT as REDUCE

Params: TypeAlias = Mapping[str, str] | None
How: TypeAlias = tuple[str | None, tuple[str, ...], Clock, Params]
"""Dialect, reductions, clock and parameters of a check."""

OK, NOT_AS_DECLARED, OTHER_COUNT, FAILED = "as declared", "not as declared", "other count", "failed"


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
    """Checks them all, in the order of ``todo`` whichever ends first; what a killed worker had, has failed."""
    rows: dict[tuple[str, str], Row] = {}
    for row in _each(todo, (dialect, reduce, clock, params), workers):
        rows[row.scenario, row.variant] = row
        tell(row)
    return [rows[key] for key in todo]


def _each(todo: Sequence[tuple[str, str]], how: How, workers: int) -> Iterator[Row]:
    if workers <= 1:
        for name, variant in todo:
            yield check_one(name, variant, *how)
        return
    dialect, reduce, clock, params = how
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(check_one, *each, dialect, reduce, clock, params): each for each in todo}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: running[each]):
                name, variant = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield _failed(name, variant, "a worker was killed; check this one alone")


def _failed(name: str, variant: str, message: str) -> Row:
    declared = find(name).variant(variant).declared
    return Row(name, variant, declared, FAILED, None, 0, None, 0, 0, 0.0, FAILED, " ".join(message.split()))

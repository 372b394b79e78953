"""The run by which a variant is told: its smallest counterexample if it is declared to break, else its default run."""

from __future__ import annotations

from collections.abc import Mapping

from ..run import Run, simulate
from ..scenario import Scenario
from .check import check
from .refine import refine
from .schedules import Start

REPLAYS_MAX = 600
"""So much is spent on making a counterexample small: it is told, not proved to be the smallest."""


def exemplar(
    scenario: Scenario, variant: str, *, dialect: str | None = None, params: Mapping[str, str] | None = None,
    reference: str | None = None,
) -> Run:  # fmt: skip
    """A run that shows what the variant is about.

    Where the check finds nothing (in another dialect, say) it is the default run, too.
    """
    name = reference or scenario.name
    if scenario.variant(variant).violates is not None:
        result = check(scenario, variant, dialect=dialect, params=params, reference=name)
        if result.counterexample is not None:
            start = Start(scenario, variant, result.dialect, dict(params or {}), name)
            return refine(start, result.counterexample, None, method="bfs", replays_max=REPLAYS_MAX).run
    return simulate(scenario, variant, dialect=dialect, params=params, reference=name)

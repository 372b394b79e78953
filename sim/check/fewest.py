"""The fewest faults: the budget is raised one by one, over every way to share it out among the faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..plan import Params, Plan
from ..scenario import Scenario
from .course import follow
from .policies import Lenient
from .report import Counterexample
from .schedules import Start

Exhaust: TypeAlias = Callable[[Start], tuple[int, ...] | None]
"""Searches all of a world; the answers of a tape that breaks the property, or ``None`` where nothing does."""


@dataclass(frozen=True, slots=True)
class Fewest:
    """What was found with fewer faults, and how much was tried in vain before."""

    answers: tuple[int, ...] | None
    """A tape of the whole world; ``None`` where no smaller number of faults breaks the property."""
    tried: dict[int, int]
    """So many faults to so many worlds that were searched in vain."""


def fewest(start: Start, exhaust: Exhaust, below: int) -> Fewest:
    """The first counterexample with less than ``below`` faults, from none on.

    ``exhaust`` must search all of a world for this to be the fewest: then there is none with fewer.
    """
    budgets = start.world(record=False).budgets
    tried: dict[int, int] = {}
    for total in range(below):
        for shares in shared_out(budgets, total):
            small = replace(start, scenario=with_budgets(start.scenario, start.variant, shares))
            answers = exhaust(small)
            if answers is not None:
                return Fewest(translated(small, start, answers), tried)
            tried[total] = tried.get(total, 0) + 1
    return Fewest(None, tried)


Loops: TypeAlias = Callable[[Sequence[int]], Counterexample | None]
"""Searches all of a world with these budgets for a loop; the lasso as one of the whole world, or ``None``."""


def fewest_on_a_lasso(start: Start, loops: Loops, lasso: Counterexample) -> tuple[Counterexample, dict[int, int]]:
    """The first lasso with less faults than ``lasso`` has, from none on, or itself; and what was tried in vain."""
    world = start.world(record=False)
    below = follow(start.world(), Lenient(lasso.choices), ()).counts.faults
    tried: dict[int, int] = {}
    for total in range(below):
        for shares in shared_out(world.budgets, total):
            found = loops(shares)
            if found is not None and found.property_name == lasso.property_name:
                return found, tried
            tried[total] = tried.get(total, 0) + 1
    return lasso, tried


def shared_out(budgets: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    """Every way to give ``total`` faults to those that have a budget, the first fault's share growing last."""
    if not budgets:
        if not total:
            yield ()
        return
    for share in range(min(budgets[0], total) + 1):
        for rest in shared_out(budgets[1:], total - share):
            yield (share, *rest)


def with_budgets(scenario: Scenario, variant: str, budgets: Sequence[int]) -> Scenario:
    """The scenario with other budgets of its faults, in the order of the plan."""
    given = scenario.variant(variant)

    def plan(params: Params) -> Plan:
        whole = given.plan(params)
        faults = [replace(fault, budget=budget) for fault, budget in zip(whole.faults, budgets, strict=True)]
        return replace(whole, faults=faults)

    return replace(scenario, variants={**scenario.variants, variant: replace(given, plan=plan)})


def translated(small: Start, whole: Start, answers: tuple[int, ...]) -> tuple[int, ...]:
    """A tape of a world with smaller budgets as one of the whole world, which has more steps to choose from."""
    here, there, policy = small.world(record=False), whole.world(record=False), Lenient(answers)
    out: list[int] = []
    while steps := here.enabled():
        step = steps[policy.choose(len(steps), "next step")]
        before = len(policy.answers)
        here.take(step, policy)
        within = policy.answers[before:]
        all_steps = there.enabled()
        if len(all_steps) > 1:
            out.append(all_steps.index(step))
        there.take(step, Lenient(within))
        out.extend(within)
    return tuple(out)

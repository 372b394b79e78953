"""The steps of a tape in words, one a step, up to the violation."""

from __future__ import annotations

from ..run import Run, build
from ..steps import describe
from ..views.words import duration
from .policies import Lenient


def spelled(run: Run, property: str) -> list[str]:
    """What is taken at each step of a run, up to the one at which it breaks ``property``."""
    world, _ = build(run.scenario, run.variant_name, run.dialect, run.tape.params, record=False)
    policy = Lenient(run.tape.choices)
    names = tuple(process.plan.name for process in world.processes)
    faults = tuple(world.plan.faults)
    told: list[str] = []
    assert world.watch is not None
    while steps := world.enabled():
        step = steps[policy.pick(world, steps, None)]
        told.append(f"{duration(step.at_ms)}: {describe(step, names, faults)}")
        world.take(step, policy)
        if any(violation.property == property for violation in world.watch.violations):
            break
    return told

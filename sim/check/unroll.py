"""A lasso as a tape: the prefix, then the loop round and round until the run is over."""

from __future__ import annotations

from ..choices import Replayed
from ..run import STEPS_MAX, build
from ..scenario import Scenario
from .report import Counterexample

ROUNDS_MAX = 10_000


def unrolled(scenario: Scenario, lasso: Counterexample) -> tuple[int, ...]:
    """The choices of a lasso's tape, with as many rounds of the loop as the run has time for.

    A world ends at a fixed time, or after so many steps where time is frozen: the tape ends with it, in the middle of
    the loop if need be.
    """
    assert lasso.loop_start is not None
    assert lasso.loop_end is not None
    prefix, loop = lasso.choices[: lasso.loop_start], lasso.choices[lasso.loop_start : lasso.loop_end]
    if not loop:
        return lasso.choices  # the plain course goes round by itself
    world, _ = build(scenario, lasso.variant, lasso.dialect, lasso.params, record=False)
    rounds = min(world.end_ms // lasso.loop_ms + 1, ROUNDS_MAX) if lasso.loop_ms else STEPS_MAX
    choices = Replayed(prefix + loop * rounds + lasso.choices[lasso.loop_end :])
    left = STEPS_MAX if world.plan.frozen else -1
    while left and (steps := world.enabled()):
        left -= 1
        world.take(steps[choices.choose(len(steps), "next step")], choices)
    return tuple(choices.answers)

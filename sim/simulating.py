"""``redelivery.simulate``: a scenario's run, or, without a scenario, a decorator of tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from ..models.dialects import DEFAULT
from .errors import BadInput
from .faults import Fault
from .run import Run
from .run import simulate as simulate_scenario
from .scenario import Scenario
from .tape import Tape
from .watch import Property


@overload
def simulate(
    scenario: Scenario, variant: str | None = None, *, dialect: str | None = None, seed: int = 0,
    params: Mapping[str, str] | None = None, tape: Tape | None = None, reference: str | None = None,
) -> Run: ...


@overload
def simulate(
    *, seeds: int = ..., faults: Sequence[Fault] = ..., properties: Sequence[str | Property] | None = ...,
    dialect: str | None = ..., faults_ms: int = ..., within_ms: int = ...,
) -> Callable[[Callable[..., Any]], Callable[..., None]]: ...


def simulate(
    scenario: Scenario | None = None, variant: str | None = None, *, dialect: str | None = None, seed: int = 0,
    params: Mapping[str, str] | None = None, tape: Tape | None = None, reference: str | None = None,
    seeds: int = 50, faults: Sequence[Fault] = (), properties: Sequence[str | Property] | None = None,
    faults_ms: int = 10_000, within_ms: int = 30_000,
) -> Run | Callable[[Callable[..., Any]], Callable[..., None]]:  # fmt: skip
    """Runs one tape of ``scenario`` (see ``sim.run.simulate``); or decorates a test whose programs are simulated::

        @redelivery.simulate(seeds=200, faults=[redelivery.Crash("worker")])
        def test_no_order_is_lost(sim):
            sim.start("producer", produce)
            sim.start("worker", work, restart_ms=1000)

    The test is called once for each seed. Its processes are plain asyncio programs, and run when it is over, or by
    ``sim.run()``; an ``async def`` test is a process itself. ``faults`` strike in the first ``faults_ms``; the world
    lives on for ``within_ms``. ``properties`` (by name, or your own) are held against every run; a broken one, or a
    failed assertion, ends the test with a small tape and the line that runs it again.
    """
    if scenario is not None:
        return simulate_scenario(
            scenario, variant, dialect=dialect, seed=seed, params=params, tape=tape, reference=reference
        )
    if variant is not None or params is not None or tape is not None:
        raise BadInput("simulate() needs a scenario first; or, as a decorator of a test, no variant, params or tape")
    from .loop.simulation import CLIENT_PROPERTIES
    from .loop.testing import Spec, decorate
    from .properties import named

    chosen = CLIENT_PROPERTIES if properties is None else tuple(properties)
    named(chosen)
    return decorate(Spec(seeds, tuple(faults), chosen, dialect or DEFAULT, faults_ms, within_ms))

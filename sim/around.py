"""A world around a consumer of the user's own: a producer, several of the consumer, and one crash."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .errors import BadInput
from .plan import Crash, Params, Plan, Process, Restart, TurnFunction
from .properties.sometimes import CRASHED_AT_WORK
from .requests import sleep
from .scenario import Scenario, Variant

PARAMS = {
    "stream": "orders",
    "group": "workers",
    "consumers": 2,
    "entries": 4,
    "every_ms": 400,
    "handle_ms": 300,
    "crashes": 1,
    "within_ms": 20_000,
}


def around(turn: TurnFunction) -> Scenario:
    """The default scenario of a consumer ``async def turn(redis, me)`` or ``(redis, me, state)``.

    Its stream and group are parameters (``--param stream=... --param group=...``). The consumer is declared to
    lose nothing, whichever of its instances crashes.
    """
    signature = inspect.signature(turn)
    parameters = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    arguments = ("redis", "me", "state")[: 3 if len(parameters) > 2 else 2]
    try:
        signature.bind(*arguments)
    except TypeError as error:
        called = ", ".join(arguments)
        raise BadInput(
            f"the consumer {turn.__name__!r} cannot be called with ({called}): {error}; it is called again and again "
            "with a client and its name; a program that brings its own client runs as it is, with @redelivery.simulate "
            "or redelivery verify"
        ) from error
    initial = parameters[2].default if len(parameters) > 2 else None
    return Scenario(
        name=turn.__name__,
        summary=f"The consumer {turn.__name__!r}: nothing is lost when one of its instances crashes.",
        variants={
            "given": Variant(
                "the consumer as it is",
                lambda params: _plan(params, turn, None if initial is inspect.Parameter.empty else initial),
            )
        },
        properties=["no-entry-lost", "handled-at-least-once", "single-handler", "no-orphan"],
        sometimes=[CRASHED_AT_WORK],
        params=PARAMS,
    )


def _plan(params: Params, turn: TurnFunction, initial: Any) -> Plan:
    names = [f"consumer-{i + 1}" for i in range(params.consumers)]
    restart = Restart(after_ms=1000, new_name=True)
    return Plan(
        processes=[
            Process("producer", producing(params.stream, params.every_ms), turns=params.entries, initial=0),
            *(Process(name, turn, handle_ms=params.handle_ms, restart=restart, initial=initial) for name in names),
        ],
        setup=[("XGROUP", "CREATE", params.stream, params.group, "$", "MKSTREAM")],
        faults=[Crash(tuple(names), budget=params.crashes, when="holding")] if params.crashes else [],
        faults_ms=params.entries * params.every_ms + 1000,
        within_ms=params.within_ms,
    )


def producing(stream: str, every_ms: int) -> Callable[..., Any]:
    """A producer that adds one numbered entry a turn."""

    async def produce(redis: Any, me: str, n: int = 0) -> int:
        await redis.xadd(stream, {"n": n + 1})
        await sleep(every_ms)
        return n + 1

    return produce

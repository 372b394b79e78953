"""Work fails and the consumer 'rejects' the order, which on Redis Streams means: nothing happens."""

from __future__ import annotations

from typing import Any

from ..sim.errors import HandlerFailed
from ..sim.faults import FailHandler
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import HANDLER_FAILS
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders


def consumer(*, min_idle_ms: int | None, gives_back: bool) -> TurnFunction:
    """A consumer that claims what was pending for ``min_idle_ms``, or nothing; ``gives_back``: with XNACK."""

    async def work(redis: Any, me: str) -> None:
        batches: Any = []
        if min_idle_ms is not None:
            _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
            batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=500):
            for entry_id, fields in entries:
                try:
                    await handle(entry_id, fields)
                except HandlerFailed:
                    if gives_back:
                        await redis.execute_command("XNACK", STREAM, GROUP, "FAIL", "IDS", 1, entry_id)
                else:
                    await redis.xack(STREAM, GROUP, entry_id)

    return work


def _plan(params: Params, consume: TurnFunction, within_ms: int) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(Process(name, consume, handle_ms=params.handle_ms) for name in ("worker-a", "worker-b")),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[FailHandler(("worker-a", "worker-b"))],
        faults_ms=params.entries * 400 + params.handle_ms,
        within_ms=within_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, consumer(min_idle_ms=None, gives_back=False), params.min_idle_ms + 1500)


scenario = Scenario(
    name="nack-is-noop",
    summary="The work on an order fails; the order must be tried again, not forgotten in a pending list.",
    variants={
        "broken": Variant(
            "a failed order is neither acknowledged nor given back, and nobody claims",
            _broken,
            violates="handled-at-least-once",
            states=283,
        ),
        "repaired": Variant(
            "whatever has been pending for long is claimed",
            lambda params: _plan(
                params, consumer(min_idle_ms=params.min_idle_ms, gives_back=False), params.min_idle_ms + 1500
            ),
            states=363,
            safeguards={"claiming": Without(_broken, "handled-at-least-once")},
        ),
        "given-back": Variant(
            "a failed order is given back with XNACK, and claimed at once: nobody waits for its min-idle time",
            lambda params: _plan(params, consumer(min_idle_ms=params.min_idle_ms, gives_back=True), 1500),
            states=3017,
            dialects=("redis-8.8", "redis-8.10"),
            safeguards={
                "giving-back": Without(
                    lambda params: _plan(params, consumer(min_idle_ms=params.min_idle_ms, gives_back=False), 1500),
                    "handled-at-least-once",
                ),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler"],
    sometimes=[HANDLER_FAILS],
    params={"entries": 4, "handle_ms": 100, "min_idle_ms": 3000},
    evidence="frameworks have a reject or a nack that leaves the entry pending for ever (cssbruno/GoWDK #197), and "
    "users ask how to give a message back (redis/redis #5117, #7649); XNACK came with 8.8 (redis/redis PR #14797)",
    advice="Not acknowledging is not rejecting: the order stays with the consumer that failed, until somebody claims "
    "it. Claim what has been pending for long, or give it back with XNACK from 8.8 on.",
)

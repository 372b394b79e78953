"""A worker reads ten orders and handles one after the other; the last ones grow old in its buffer."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import RENEWED, TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM


async def take_orders_at_once(redis: Any, me: str, n: int = 0) -> int:
    """A burst of orders."""
    await redis.xadd(STREAM, {"order": n + 1})
    return n + 1


def prefetching(count: int, *, renew: bool) -> TurnFunction:
    """Reads ``count`` orders at once; ``renew``: before each of them it renews its claim on all that is left."""

    async def read_ahead(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=count, block=2000):
            left = [entry_id for entry_id, _ in entries]
            for entry_id, fields in entries:
                if renew:
                    await redis.xclaim(STREAM, GROUP, me, 0, left, justid=True)
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
                left.remove(entry_id)

    return read_ahead


def reclaiming(min_idle_ms: int) -> TurnFunction:
    """Looks every half second for what was left alone."""

    async def reclaim(redis: Any, me: str) -> None:
        await sleep(500)
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        for entry_id, fields in claimed:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)

    return reclaim


def _plan(params: Params, count: int, *, renew: bool = False) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders_at_once, turns=params.entries, initial=0),
            Process("worker", prefetching(count, renew=renew), handle_ms=params.handle_ms, start_ms=100),
            Process("reclaimer", reclaiming(params.min_idle_ms), handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * params.handle_ms,
        within_ms=params.min_idle_ms + 2000,
    )


scenario = Scenario(
    name="prefetch-ages-in-buffer",
    summary="Orders that wait in a worker's buffer must not be taken for abandoned.",
    variants={
        "broken": Variant(
            "ten orders are read at once; each is handled in time, and the last ones wait too long for their turn",
            lambda params: _plan(params, params.prefetch),
            violates="single-handler",
            sometimes=[TAKEN_OVER],
            states=25,
        ),
        "repaired": Variant(
            "an order is read when it can be handled at once",
            lambda params: _plan(params, 1),
            properties=["handled-at-most-once"],
            states=60,
            safeguards={
                "reading-one-at-a-time": Without(lambda params: _plan(params, params.prefetch), "single-handler"),
            },
        ),
        "renewing-the-buffer": Variant(
            "ten orders are read at once, and before each of them the claim on all that is left is renewed",
            lambda params: _plan(params, params.prefetch, renew=True),
            sometimes=[RENEWED],
            properties=["handled-at-most-once"],
            states=61,
            safeguards={
                "renewal": Without(lambda params: _plan(params, params.prefetch), "single-handler"),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler", "pel-drains"],
    params={"entries": 4, "prefetch": 10, "handle_ms": 800, "min_idle_ms": 1500},
    evidence="the idle clock starts at the read, the handler's at the queue's other end, so that buffered messages are "
    "redelivered while they run (dapr/components-contrib #4599, PR #4601)",
    advice="Idle time counts from the read, also for what waits in a buffer. Read no more than can be handled within "
    "min-idle, or renew the claim on all that waits.",
)

"""A handler takes longer than the claim threshold, so that another consumer starts on the same order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import RENEWED, TAKEN_OVER
from ..sim.requests import gather, handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(500)
    return n + 1


async def just_handle(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
    """Handles and acknowledges. While it works, the entry's idle time grows."""
    await handle(entry_id, fields)
    await redis.xack(STREAM, GROUP, entry_id)


def renewing(every_ms: int) -> Any:
    """Handling that renews its lease: XCLAIM of its own entry, JUSTID so that no delivery is counted."""

    class Done(Exception):
        """The work is done: what runs beside it in the ``gather`` is cancelled."""

    async def handle_and_renew(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
        async def work() -> None:
            await just_handle(redis, me, entry_id, fields)
            raise Done

        async def renew() -> None:
            while True:
                await sleep(every_ms)
                await redis.xclaim(STREAM, GROUP, me, 0, [entry_id], justid=True)

        with suppress(Done):
            await gather(work(), renew())

    return handle_and_renew


def consumer(min_idle_ms: int, deal_with: Any) -> TurnFunction:
    """A consumer that claims what has been pending for ``min_idle_ms``, then reads."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await deal_with(redis, me, entry_id, fields)
        return bytes(next_cursor)

    return claim_then_read


def _plan(params: Params, deal_with: Any) -> Plan:
    consume = consumer(params.min_idle_ms, deal_with)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("slow", consume, handle_ms=params.handler_ms, initial=b"0-0"),
            Process("quick", consume, handle_ms=params.quick_ms, initial=b"0-0"),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 500,
        within_ms=2 * params.handler_ms,
    )


scenario = Scenario(
    name="slow-handler-claimed",
    summary="A handler outlasts the claim threshold; nobody else may start on an order that is being handled.",
    variants={
        "broken": Variant(
            "the handler takes longer than min-idle and does not renew",
            lambda params: _plan(params, just_handle),
            violates="single-handler",
            sometimes=[TAKEN_OVER],
            states=151,
        ),
        "repaired": Variant(
            "the handler renews its claim at a third of min-idle",
            lambda params: _plan(params, renewing(params.heartbeat_ms)),
            sometimes=[RENEWED],
            states=334,
            safeguards={
                "renewal": Without(lambda params: _plan(params, just_handle), "single-handler"),
                "renewal-before-min-idle": Without(
                    lambda params: _plan(params, renewing(params.min_idle_ms + 500)), "single-handler"
                ),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler", "no-orphan"],
    params={"entries": 3, "handler_ms": 12_000, "quick_ms": 500, "min_idle_ms": 10_000, "heartbeat_ms": 3_333},
    evidence="the commonest duplicate in public threads: a job that runs longer than the idle timeout is started again",
    advice="Idle time counts from the delivery, not from the last sign of life. Renew with XCLAIM JUSTID well before "
    "min-idle, or choose min-idle above the longest handling.",
)

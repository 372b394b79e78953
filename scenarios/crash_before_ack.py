"""A consumer crashes between handling an order and acknowledging it. Who takes the order up?"""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def read_new(redis: Any, me: str) -> None:
    """Reads new orders only. Whatever a dead consumer left pending stays where it is."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=2000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


def claiming(min_idle_ms: int) -> TurnFunction:
    """A consumer that also claims what has been pending for ``min_idle_ms``.

    It keeps the cursor of XAUTOCLAIM from turn to turn, so that a scan goes on where it stopped.
    """

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return bytes(next_cursor)

    return claim_then_read


def _plan(params: Params, consume: TurnFunction) -> Plan:
    back = Restart(after_ms=1500, new_name=True)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker-a", consume, handle_ms=params.handle_ms, restart=back, initial=b"0-0"),
            Process("worker-b", consume, handle_ms=params.handle_ms, restart=back, initial=b"0-0"),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(("worker-a", "worker-b"), when="holding")],
        faults_ms=params.entries * 400 + 1000,
        within_ms=params.min_idle_ms + 5000,
    )


scenario = Scenario(
    name="crash-before-ack",
    summary="A consumer crashes before it acknowledges an order; the order must not wait for ever.",
    variants={
        "broken": Variant(
            "consumers read new orders only, and nobody claims",
            lambda params: _plan(params, read_new),
            violates="no-orphan",
            states=323,
        ),
        "repaired": Variant(
            "consumers also claim with XAUTOCLAIM, and keep its cursor",
            lambda params: _plan(params, claiming(params.min_idle_ms)),
            sometimes=[TAKEN_OVER],
            states=778,
            safeguards={
                "claim": Without(lambda params: _plan(params, read_new), "no-orphan"),
                "min-idle-above-handling": Without(
                    lambda params: _plan(params, claiming(params.handle_ms // 2)), "single-handler"
                ),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler", "no-orphan"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 4, "handle_ms": 300, "min_idle_ms": 5000},
    evidence="the plain subject of many public threads: read, crash, restart under a new name, and the message is "
    "frozen for ever",
    advice="Reading '>' never returns what a dead consumer had: some living consumer must claim it. Run XAUTOCLAIM in "
    "every consumer, with a min-idle time above the longest handling, and keep its cursor.",
)

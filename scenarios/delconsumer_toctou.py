"""A worker is found to have nothing pending, takes an order, and is deleted."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import CONSUMER_DELETED
from ..sim.requests import atomic, handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def work(redis: Any, me: str) -> None:
    """Reads, handles, acknowledges; it does not know that it is to be retired."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


async def delete_idle(redis: Any, pause_ms: int) -> None:
    """Deletes the consumers that have nothing pending, some time after it has looked."""
    idle = [each["name"] for each in await redis.xinfo_consumers(STREAM, GROUP) if not each["pending"]]
    if pause_ms:
        await sleep(pause_ms)
    for name in idle:
        await redis.xgroup_delconsumer(STREAM, GROUP, name)


def retiring(at_ms: int, pause_ms: int) -> TurnFunction:
    """An operator's program that looks first and deletes then."""

    async def look_then_delete(redis: Any, me: str) -> None:
        await sleep(at_ms)
        await delete_idle(redis, pause_ms)

    return look_then_delete


def retiring_at_once(at_ms: int) -> TurnFunction:
    """The same as a script on the server: nothing comes between the look and the deletion."""

    async def look_and_delete(redis: Any, me: str) -> None:
        await sleep(at_ms)
        await atomic(delete_idle, redis, 0)

    return look_and_delete


def _plan(params: Params, retire: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(Process(name, work, handle_ms=params.handle_ms) for name in ("worker-a", "worker-b")),
            Process("operator", retire, turns=1),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400 + 400,
        within_ms=2000,
    )


scenario = Scenario(
    name="delconsumer-toctou",
    summary="A consumer is deleted because it had nothing pending; it must not lose what it was given since.",
    variants={
        "broken": Variant(
            "the operator looks at XINFO CONSUMERS, and deletes a moment later",
            lambda params: _plan(params, retiring(params.look_ms, params.pause_ms)),
            violates="no-entry-lost",
            states=86,
        ),
        "repaired": Variant(
            "a script looks and deletes as one, so that nobody reads in between",
            lambda params: _plan(params, retiring_at_once(params.look_ms)),
            states=112,
            safeguards={
                "one-script": Without(
                    lambda params: _plan(params, retiring(params.look_ms, params.pause_ms)), "no-entry-lost"
                ),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler"],
    sometimes=[CONSUMER_DELETED],
    params={"entries": 3, "handle_ms": 150, "look_ms": 750, "pause_ms": 100},
    evidence="reviews of programs that tidy consumers up found the gap between XINFO CONSUMERS and XGROUP DELCONSUMER "
    "(port-labs/ocean PR #3766, Vexa-ai/vexa #660)",
    advice="That a consumer has nothing pending is true when XINFO says so, and no longer when DELCONSUMER arrives. "
    "Check and delete in one script, or stop the consumer first.",
)

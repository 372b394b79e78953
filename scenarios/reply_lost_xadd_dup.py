"""The reply to an XADD is lost and the client sends it again: one customer, two orders."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ResponseError

from ..sim.client_policies import preset
from ..sim.faults import Lose
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import REPLY_LOST
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_order(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order under an ID that the server makes."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def take_order_once(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order and tells the server which: it adds each one only once."""
    await redis.execute_command("XADD", STREAM, "IDMP", me, f"order-{n + 1}", "*", "order", n + 1)
    await sleep(400)
    return n + 1


async def take_order_by_number(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order under an ID of its own. That it is there already is no error: it was added by the first try."""
    try:
        await redis.xadd(STREAM, {"order": n + 1}, id=f"{n + 1}-0")
    except ResponseError as error:
        if "equal or smaller" not in str(error):
            raise
    await sleep(400)
    return n + 1


async def work(redis: Any, me: str) -> None:
    """Handles and acknowledges what is new."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=2000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


def _plan(params: Params, take: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take, turns=params.entries, initial=0, client=preset("redis-py-8")),
            Process("worker", work, handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Lose("shop", "XADD"), Lose("shop", "XADD", "request")],
        faults_ms=params.entries * 400,
        within_ms=2000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, take_order)


scenario = Scenario(
    name="reply-lost-xadd-dup",
    summary="The reply to an XADD is lost and the client sends it again; the order must be in the stream once.",
    variants={
        "broken": Variant(
            "the server makes the IDs, and the client sends again whatever got no answer",
            _broken,
            violates="one-intent-one-entry",
            states=19,
        ),
        "repaired": Variant(
            "the shop names each order to the server (IDMP), which adds it only once",
            lambda params: _plan(params, take_order_once),
            states=1375,
            dialects=("redis-8.6", "redis-8.8", "redis-8.10"),
            safeguards={"naming-the-order": Without(_broken, "one-intent-one-entry")},
        ),
        "own-id": Variant(
            "the shop makes the ID from the order's number, and an ID that is there already is no error",
            lambda params: _plan(params, take_order_by_number),
            states=294,
            safeguards={"ids-of-its-own": Without(_broken, "one-intent-one-entry")},
        ),
    },
    properties=["no-entry-lost", "one-intent-one-entry", "handled-at-least-once", "handled-at-most-once"],
    sometimes=[REPLY_LOST],
    params={"entries": 5, "handle_ms": 100},
    evidence="measured with redis-py 8.1 and its ten retries: the reply to an XADD is lost and the entry is there "
    "twice; idempotent producing came to the server with 8.6 (redis/redis PR #14615)",
    advice="A client that sends an XADD again cannot know that the first was heard. Let the server tell them apart: "
    "name the order with IDMP from 8.6 on, or make the ID yourself and take 'equal or smaller' for success.",
)

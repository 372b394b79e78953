"""The reply to a read is lost: the server has given the order to a consumer that never saw it."""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import preset
from ..sim.faults import Lose
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import REPLY_LOST, TAKEN_UP_AGAIN
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def deal_with(redis: Any, entries: Any) -> None:
    """Handles and acknowledges."""
    for entry_id, fields in entries:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


async def read_new(redis: Any, me: str) -> None:
    """Reads new orders only. The client sends a read without an answer again, and gets the next order."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
        await deal_with(redis, entries)


def claiming(min_idle_ms: int) -> TurnFunction:
    """A consumer that claims what has been pending for ``min_idle_ms``, its own included."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        await deal_with(redis, claimed)
        if not claimed:
            await read_new(redis, me)
        return bytes(next_cursor)

    return claim_then_read


async def history_then_new(redis: Any, me: str, start: bytes = b"0-0") -> bytes:
    """Reads from its own history what it has not acknowledged, before it reads what is new."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: "0-0"}, count=1):
        if entries:
            await deal_with(redis, entries)
            return start
    await read_new(redis, me)
    return start


def _plan(params: Params, consume: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", consume, handle_ms=params.handle_ms, client=preset("redis-py-8"), initial=b"0-0"),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Lose("worker", "XREADGROUP")],
        faults_ms=params.entries * 400,
        within_ms=2 * params.min_idle_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, read_new)


scenario = Scenario(
    name="reply-lost-read",
    summary="The reply to a read is lost and the client reads again; the order that was in it must be received, too.",
    variants={
        "broken": Variant(
            "the worker reads new orders only",
            _broken,
            violates="delivered-implies-received",
            states=199,
        ),
        "repaired": Variant(
            "the worker also claims what is pending for long, its own included",
            lambda params: _plan(params, claiming(params.min_idle_ms)),
            states=223,
            safeguards={"claiming": Without(_broken, "delivered-implies-received")},
            sometimes=[TAKEN_UP_AGAIN],
        ),
        "own-history": Variant(
            "the worker reads its own history before what is new",
            lambda params: _plan(params, history_then_new),
            states=245,
            safeguards={"reading-its-history": Without(_broken, "delivered-implies-received")},
        ),
    },
    properties=["no-entry-lost", "delivered-implies-received", "handled-at-least-once", "single-handler"],
    sometimes=[REPLY_LOST],
    params={"entries": 5, "handle_ms": 100, "min_idle_ms": 3000},
    evidence="clients send a command again when its connection breaks (measured with redis-py 8.1: the first order "
    "stays in the pending list and the client sees the second); a client that closes a blocked connection leaves the "
    "order of the late reply behind (redisson/redisson #3076, StackExchange/StackExchange.Redis #2475)",
    advice="A read with '>' has an effect, so sending it again is not the same as hearing the first answer. Read your "
    "own history after any error and at the start, or claim what is pending for long.",
)

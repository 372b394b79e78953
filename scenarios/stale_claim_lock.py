"""Only the holder of a lock reclaims. It is killed, the lock has no expiry, and nobody reclaims ever again."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, TAKEN_OVER
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders

LOCK = "reclaiming"


async def deal_with(redis: Any, entries: Any) -> None:
    """One order after the other."""
    for entry_id, fields in entries:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


def locking(min_idle_ms: int, expire_ms: int | None) -> TurnFunction:
    """Reclaims under a lock, so that not all workers scan at once; then reads what is new."""

    expiry = () if expire_ms is None else ("PX", expire_ms)

    async def reclaim_then_read(redis: Any, me: str) -> None:
        # Word by word: redis-py 7 and 8 send what set(nx=..., px=...) says in another order.
        if await redis.execute_command("SET", LOCK, me, "NX", *expiry):
            try:
                _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=10)
                await deal_with(redis, claimed)
            finally:
                await redis.delete(LOCK)
        for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            await deal_with(redis, entries)

    return reclaim_then_read


def _plan(params: Params, expire_ms: int | None) -> Plan:
    consume = locking(params.min_idle_ms, expire_ms)
    back = Restart(after_ms=500, new_name=True)
    workers = ("worker-a", "worker-b")
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0, start_ms=params.min_idle_ms + 1500),
            *(Process(name, consume, handle_ms=params.handle_ms, restart=back) for name in workers),
        ],
        setup=[
            ("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM"),
            ("XADD", STREAM, "*", "order", "oldest"),
            ("XADD", STREAM, "*", "order", "old"),
            ("XREADGROUP", "GROUP", GROUP, "dead", "STREAMS", STREAM, ">"),
        ],
        faults=[Crash(workers, when="holding")],
        faults_ms=params.min_idle_ms + 1500,
        within_ms=params.min_idle_ms + params.expire_ms + params.entries * 500,
    )


scenario = Scenario(
    name="stale-claim-lock",
    summary="The one that reclaims is killed while it holds the lock; somebody else must reclaim after it.",
    variants={
        "broken": Variant(
            "the lock is taken with SET NX, and given back by whoever took it",
            lambda params: _plan(params, None),
            violates="no-orphan",
            states=160,
        ),
        "repaired": Variant(
            "the lock is taken with SET NX PX: it expires if its holder does not come to give it back",
            lambda params: _plan(params, params.expire_ms),
            states=3115,
            safeguards={"expiry": Without(lambda params: _plan(params, None), "no-orphan")},
        ),
    },
    properties=["no-entry-lost", "single-handler", "no-orphan"],
    sometimes=[CRASHED_HOLDING, TAKEN_OVER],
    params={"entries": 1, "handle_ms": 300, "min_idle_ms": 1500, "expire_ms": 1000},
    evidence="the lock around XAUTOCLAIM had no time to live: after a SIGKILL of its holder nothing was reclaimed "
    "again (taskiq-python/taskiq-redis #131)",
    advice="A lock without an expiry outlives its holder. Take it with SET NX PX, or do without: XAUTOCLAIM needs no "
    "lock, since of two claims of one entry the second finds it not idle.",
)

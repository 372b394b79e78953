"""Somebody empties the database, and the group goes with it. The worker asks on, and is told NOGROUP for ever."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ResponseError

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.lost_servers import FLUSHED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.server_faults import Evict, Flush

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer. XADD makes the stream again, not the group."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


def working(start: str | None) -> TurnFunction:
    """A worker that waits a while when it is told NOGROUP; with ``start`` it makes the group again, from there on."""

    async def work(redis: Any, me: str) -> None:
        try:
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
                for entry_id, fields in entries:
                    await handle(entry_id, fields)
                    await redis.xack(STREAM, GROUP, entry_id)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            await sleep(200)
            if start is not None:
                await redis.xgroup_create(STREAM, GROUP, start, mkstream=True)

    return work


def _plan(params: Params, start: str | None, *, evicts: bool = False) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", working(start), handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Evict(keys=(STREAM,), from_ms=params.from_ms) if evicts else Flush(from_ms=params.from_ms)],
        faults_ms=params.entries * 400,
        within_ms=2500,
    )


scenario = Scenario(
    name="nogroup-after-flush",
    summary="The database is emptied, or the server restarts empty: the stream comes back with the next entry, the "
    "group does not.",
    variants={
        "broken": Variant(
            "the worker waits a while and asks again",
            lambda params: _plan(params, None),
            violates="progress-after-nogroup",
            states=170,
        ),
        "evicted": Variant(
            "maxmemory with allkeys-lru: the server evicts the stream, and its group with it",
            lambda params: _plan(params, None, evicts=True),
            violates="progress-after-nogroup",
            states=170,
        ),
        "repaired": Variant(
            "the worker makes the group again, from the beginning of the stream",
            lambda params: _plan(params, "0"),
            states=89,
            safeguards={"create-again": Without(lambda params: _plan(params, None), "progress-after-nogroup")},
        ),
        "evicted-repaired": Variant(
            "the same under maxmemory",
            lambda params: _plan(params, "0", evicts=True),
            states=89,
            safeguards={
                "create-again": Without(
                    lambda params: _plan(params, None, evicts=True), "progress-after-nogroup"
                ),
            },
        ),
    },
    properties=["progress-after-nogroup"],
    sometimes=[FLUSHED],
    params={"entries": 3, "handle_ms": 50, "from_ms": 300},
    evidence="at least eight public threads: ag2ai/faststream #2611, comet-ml/opik #5525, flightctl #2227, "
    "nexi-lab/nexus #4338, dotnetcore/CAP #817 and others, after FLUSHALL, a restart without persistence, an eviction",
    advice="A group lives and dies with its stream, and XADD brings back only the stream. Take NOGROUP for the order "
    "to make the group again, at 0 and with MKSTREAM, then go on reading.",
)

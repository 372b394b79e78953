"""A replica takes the server's place, and lacks what the server told last. What was acknowledged comes again."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as Disconnected

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.lost_servers import ACK_LOST, SERVER_LOST
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.server_faults import Failover

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    try:
        await redis.xadd(STREAM, {"order": n + 1})
    except Disconnected:
        await sleep(100)
        return n
    await sleep(100)
    return n + 1


def working(*, remembers: bool) -> TurnFunction:
    """A worker that looks for orders of its own that are pending first, then for new ones.

    With ``remembers`` it notes in its own database, together with the work, which orders it has handled; an order that
    comes again is only acknowledged. Its state is that database.
    """

    async def work(redis: Any, me: str, done: tuple[bytes, ...] = ()) -> tuple[bytes, ...]:
        try:
            for start in ("0", ">"):
                reply = await redis.xreadgroup(GROUP, me, {STREAM: start}, count=1)
                for _, entries in reply:
                    for entry_id, fields in entries:
                        if not remembers or entry_id not in done:
                            await handle(entry_id, fields)
                            done = (*done, entry_id) if remembers else ()
                        await redis.xack(STREAM, GROUP, entry_id)
                        return done
        except Disconnected:
            pass
        await sleep(100)
        return done

    return work


def _plan(params: Params, *, remembers: bool, loses: int) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", working(remembers=remembers), handle_ms=params.handle_ms, initial=()),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Failover(loses=loses, from_ms=params.from_ms)],
        faults_ms=params.from_ms + 300,
        within_ms=500,
    )


scenario = Scenario(
    name="failover-loses-ack",
    summary="A replica that lags takes the master's place: orders that were acknowledged are delivered again.",
    variants={
        "broken": Variant(
            "the worker trusts that what it has acknowledged never comes again",
            lambda params: _plan(params, remembers=False, loses=params.lag),
            violates="acked-never-handled-again",
            sometimes=[ACK_LOST],
            states=69,
        ),
        "repaired": Variant(
            "the worker notes with its work which orders it has handled, and only acknowledges what comes again",
            lambda params: _plan(params, remembers=True, loses=params.lag),
            sometimes=[ACK_LOST],
            states=199,
            safeguards={
                "own-record": Without(
                    lambda params: _plan(params, remembers=False, loses=params.lag), "acked-never-handled-again"
                ),
            },
        ),
        "no-lag": Variant(
            "the worker trusts, and the replica has everything that the master had",
            lambda params: _plan(params, remembers=False, loses=0),
            states=95,
        ),
    },
    properties=["acked-never-handled-again", "single-handler", "pel-drains"],
    sometimes=[SERVER_LOST],
    params={"entries": 2, "handle_ms": 20, "lag": 2, "from_ms": 200},
    evidence="redis/redis #5433: after a failover by Sentinel, '>' delivered again what had been acknowledged: the "
    "replica had the entries, and not yet the acknowledgments",
    advice="Replication is asynchronous: after a failover the last deliveries and acknowledgments may never have been. "
    "Make handling idempotent, and keep the record of what was handled where the work itself is kept.",
)

"""A cleaner deletes the consumers of dead pods, and with them the orders that they had pending."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CONSUMER_DELETED, CRASHED_HOLDING
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


def claiming(min_idle_ms: int) -> TurnFunction:
    """A worker that claims what a dead one left, as it should."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return bytes(next_cursor)

    return claim_then_read


def cleaning(gone_ms: int, *, only_empty: bool) -> TurnFunction:
    """Deletes consumers that nobody has heard of for ``gone_ms``: pods get new names, and the old ones pile up."""

    async def clean(redis: Any, me: str) -> None:
        await sleep(gone_ms)
        for consumer in await redis.xinfo_consumers(STREAM, GROUP):
            if consumer["idle"] < gone_ms or (only_empty and consumer["pending"]):
                continue
            await redis.xgroup_delconsumer(STREAM, GROUP, consumer["name"])

    return clean


def _plan(params: Params, *, only_empty: bool) -> Plan:
    clean = cleaning(params.gone_ms, only_empty=only_empty)
    cleanings = 2 + (params.entries * 400 + params.min_idle_ms) // params.gone_ms
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(
                Process(
                    name, claiming(params.min_idle_ms), handle_ms=params.handle_ms, initial=b"0-0",
                    restart=Restart(after_ms=500, new_name=True),
                )
                for name in ("worker-a", "worker-b")
            ),
            Process("cleaner", clean, turns=cleanings),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(("worker-a", "worker-b"), when="holding")],
        faults_ms=params.entries * 400 + 400,
        within_ms=params.min_idle_ms + 2 * params.gone_ms + 1000,
    )  # fmt: skip


scenario = Scenario(
    name="delconsumer-ghost",
    summary="Consumers of dead pods are deleted; the orders that they had pending must not go with them.",
    variants={
        "broken": Variant(
            "every consumer that was not seen for long is deleted",
            lambda params: _plan(params, only_empty=False),
            violates="no-entry-lost",
            states=260,
        ),
        "repaired": Variant(
            "a consumer is deleted once others have claimed all that it had",
            lambda params: _plan(params, only_empty=True),
            states=922,
            safeguards={
                "sparing-who-has-pending": Without(lambda params: _plan(params, only_empty=False), "no-entry-lost"),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "no-orphan"],
    sometimes=[CRASHED_HOLDING, CONSUMER_DELETED],
    params={"entries": 2, "handle_ms": 300, "min_idle_ms": 5000, "gone_ms": 1500},
    evidence="deleting a consumer drops its pending list (redis/redis #9745), and pods with names of their own leave "
    "consumers behind that somebody has to delete (redis/redis #11567, #12423)",
    advice="XGROUP DELCONSUMER forgets what the consumer had pending: nobody gets it by '>' or by a claim again. Let "
    "others claim it first, and delete only a consumer with nothing pending.",
)

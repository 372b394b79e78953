"""The connection of a worker is gone, and nobody tells it. It waits for orders that will never come to it."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut

from ..sim.client_policies import BLOCK_AND, PLAIN, ClientPolicy
from ..sim.faults import Fault
from ..sim.link_faults import HalfOpen, Partition
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import LINK_AT_FAULT
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


def working(block_ms: int, *, looks_back: bool) -> TurnFunction:
    """A worker that waits for orders.

    With ``looks_back`` it looks for its own whenever nothing came. To do so once an answer stayed out is not enough:
    the read that was given up may still be under way, and take an order after that.
    """

    async def work(redis: Any, me: str, again: bool = False) -> bool:
        try:
            again = again and looks_back
            start = "0" if again else ">"
            reply = await redis.xreadgroup(GROUP, me, {STREAM: start}, count=1, block=block_ms)
            for _, entries in reply:
                for entry_id, fields in entries:
                    await handle(entry_id, fields)
                    await redis.xack(STREAM, GROUP, entry_id)
            return any(entries for _, entries in reply) if again else not reply
        except (Disconnected, TimedOut):
            await sleep(50)
            return True

    return work


def _plan(params: Params, fault: Fault, *, patient: bool, looks_back: bool) -> Plan:
    client = PLAIN
    if patient:
        client = ClientPolicy(
            "patient", connect_timeout_ms=params.margin_ms, socket_timeout_ms=params.margin_ms, blocking=BLOCK_AND,
            blocking_margin_ms=params.margin_ms,
        )  # fmt: skip
    work = working(params.block_ms if patient else 0, looks_back=looks_back)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", work, handle_ms=params.handle_ms, client=client, initial=False),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[fault],
        faults_ms=800,
        within_ms=4000,
    )


def _half_open(params: Params, *, patient: bool, looks_back: bool) -> Plan:
    return _plan(params, HalfOpen("worker"), patient=patient, looks_back=looks_back)


def _cut_off(params: Params, *, looks_back: bool) -> Plan:
    return _plan(params, Partition("worker", params.cut_ms), patient=True, looks_back=looks_back)


scenario = Scenario(
    name="half-open-read",
    summary="The connection of a blocked read is gone, or cut off for a while, and the worker is not told.",
    variants={
        "broken": Variant(
            "BLOCK 0 on a client that waits for ever: nothing tells the worker that nothing will come",
            lambda params: _half_open(params, patient=False, looks_back=False),
            violates="handled-at-least-once",
            states=108,
        ),
        "repaired": Variant(
            "the read blocks for a while, the client waits a little longer, and the worker looks for its own",
            lambda params: _half_open(params, patient=True, looks_back=True),
            states=189,
            safeguards={
                "timeout": Without(
                    lambda params: _half_open(params, patient=False, looks_back=True), "handled-at-least-once"
                ),
            },
        ),
        "cut-off": Variant(
            "cut off for longer than the client waits: what the server delivered meanwhile, nobody looks for",
            lambda params: _cut_off(params, looks_back=False),
            violates="handled-at-least-once",
            states=475,
        ),
        "cut-off-repaired": Variant(
            "cut off for longer than the client waits: the worker looks for its own whenever nothing came",
            lambda params: _cut_off(params, looks_back=True),
            states=503,
            safeguards={
                "own-history": Without(lambda params: _cut_off(params, looks_back=False), "handled-at-least-once"),
            },
        ),
    },
    properties=["handled-at-least-once"],
    sometimes=[LINK_AT_FAULT],
    params={"entries": 8, "handle_ms": 50, "block_ms": 500, "margin_ms": 200, "cut_ms": 1000},
    evidence="taskforcesh/bullmq PR #4484, Nine-Minds/alga-psa PR #1504, redis/ioredis #1285: after a connection was "
    "lost without a word the blocked read never ended, while the client counted as ready",
    advice="Never read with BLOCK 0 on a client without a socket timeout: let the read block for a while, and the "
    "client wait a little longer than that. Read your own pending entries whenever nothing comes: a read that was "
    "given up may still take an entry later.",
)

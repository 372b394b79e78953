"""A program gives up a blocked read and its client keeps the connection: the next order goes to a reader who left."""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import KEEPS, ClientPolicy
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import READ_GIVEN_UP
from ..sim.requests import handle, sleep, timeout
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders

KEEPER = ClientPolicy("keeps-the-connection", given_up=KEEPS)
CLOSER = ClientPolicy("closes-the-connection")


def impatient(block_ms: int, patience_ms: int) -> TurnFunction:
    """A consumer that waits no longer than ``patience_ms`` for new orders, then looks after other things."""

    async def read_or_leave(redis: Any, me: str) -> None:
        try:
            batches = await timeout(patience_ms, redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=block_ms))
        except TimeoutError:
            batches = []
        for _, entries in batches:
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        if not batches:
            await sleep(250)

    return read_or_leave


def _plan(params: Params, client: ClientPolicy, block_ms: int) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0, start_ms=700),
            Process("worker", impatient(block_ms, 500), handle_ms=params.handle_ms, client=client),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=0,
        within_ms=params.entries * 400 + 3000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, KEEPER, params.block_ms)


scenario = Scenario(
    name="cancelled-read-steals",
    summary="A blocked read is given up by its program; no order may be given to it afterwards.",
    variants={
        "broken": Variant(
            "the client keeps the connection on which the server still waits",
            _broken,
            violates="delivered-implies-received",
            states=28,
            sometimes=[READ_GIVEN_UP],
        ),
        "repaired": Variant(
            "the client closes the connection of a read that is given up",
            lambda params: _plan(params, CLOSER, params.block_ms),
            states=31,
            safeguards={"closing-the-connection": Without(_broken, "delivered-implies-received")},
        ),
        "short-block": Variant(
            "the read blocks for less time than the program has patience, and is never given up",
            lambda params: _plan(params, KEEPER, 400),
            states=32,
            safeguards={"blocking-for-less": Without(_broken, "delivered-implies-received")},
        ),
    },
    properties=["no-entry-lost", "delivered-implies-received", "handled-at-least-once"],
    params={"entries": 3, "handle_ms": 100, "block_ms": 5000},
    evidence="cancelling a blocked read does not free it, and the delivery goes to a caller who left (redis/go-redis "
    "#2276 and #2556, redis/rueidis #84, mediocregopher/radix #344); after a client's timeout the first message is "
    "consumed by the abandoned read (StackExchange/StackExchange.Redis #2475)",
    advice="The server knows nothing of a cancellation: it ends a blocked read when BLOCK is over or the connection "
    "is. Close the connection of a read that you give up, or let BLOCK be the timeout.",
)

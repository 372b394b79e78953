"""One connection for everything: the acknowledgement stands in line behind a blocked read, and the lease runs out."""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import PLAIN, ClientPolicy
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import gather, handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders

ONE_SOCKET = ClientPolicy("one-socket", one_socket=True)


def reading_ahead(block_ms: int) -> TurnFunction:
    """A consumer that reads the next order while it works on the one that it has."""

    async def work_and_read(redis: Any, me: str, entry: bytes | None = None) -> bytes | None:
        async def work() -> None:
            if entry is not None:
                await handle(entry)
                await redis.xack(STREAM, GROUP, entry)

        async def read() -> bytes | None:
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=block_ms):
                return bytes(entries[0][0])
            return None

        _, following = await gather(work(), read())
        return following

    return work_and_read


def rescuing(min_idle_ms: int) -> TurnFunction:
    """A process that claims what has been pending for ``min_idle_ms``."""

    async def rescue(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        for entry_id, fields in claimed:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
        await sleep(500)
        return bytes(next_cursor)

    return rescue


def _plan(params: Params, client: ClientPolicy, block_ms: int) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", reading_ahead(block_ms), handle_ms=params.handle_ms, client=client),
            Process("rescuer", rescuing(params.min_idle_ms), handle_ms=params.handle_ms, initial=b"0-0"),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=0,
        within_ms=params.entries * 400 + 2 * params.min_idle_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, ONE_SOCKET, params.block_ms)


scenario = Scenario(
    name="one-socket-block-and-ack",
    summary="Reads that block and acknowledgements share a connection; finished work must not look abandoned.",
    variants={
        "broken": Variant(
            "one connection: an XACK waits until BLOCK is over, for longer than min-idle",
            _broken,
            violates="handled-at-most-once",
            states=46,
        ),
        "repaired": Variant(
            "a connection of its own for each command that is under way",
            lambda params: _plan(params, PLAIN, params.block_ms),
            states=55,
            safeguards={"more-connections": Without(_broken, "handled-at-most-once")},
        ),
        "short-block": Variant(
            "one connection, and BLOCK far below min-idle",
            lambda params: _plan(params, ONE_SOCKET, 500),
            states=71,
            safeguards={"blocking-for-less": Without(_broken, "handled-at-most-once")},
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "handled-at-most-once", "single-handler"],
    params={"entries": 2, "handle_ms": 200, "min_idle_ms": 2000, "block_ms": 5000},
    evidence="a blocked read on the only connection freezes acknowledgements and everything else (redis/ioredis #984, "
    "#1646 and #1136, gamaops/hfx-bus #21, redis/node-redis #2021 and #1468)",
    advice="While a connection is blocked the server reads nothing from it. Give reads that block a connection of "
    "their own, or keep BLOCK far below the time after which others claim.",
)

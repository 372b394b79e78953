"""A client's socket timeout is shorter than BLOCK: an idle stream becomes an error."""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import ClientPolicy, preset
from ..sim.events import Crashed
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property

STREAM, GROUP = "orders", "workers"


class NoErrorWhenIdle(Monitor):
    """Hears of programs that end with an error."""

    def on_crashed(self, event: Crashed) -> str | None:
        """Did it raise?"""
        if event.why != "raised":
            return None
        return f"{event.process} had nothing to do, and ended with {event.message}"


NO_ERROR_WHEN_IDLE = Property(
    "no-error-when-idle", "always", "that there is nothing to do is no error", NoErrorWhenIdle,
    "no process ends because its turn raised",
)  # fmt: skip


async def take_order_late(redis: Any, me: str) -> None:
    """Adds one order, after a quiet time."""
    await sleep(90_000)
    await redis.xadd(STREAM, {"order": 1})


def waiting(block_ms: int) -> TurnFunction:
    """A consumer that waits ``block_ms`` for new orders."""

    async def wait_for_new(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=block_ms):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)

    return wait_for_new


def _plan(params: Params, client: ClientPolicy, block_ms: int) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_order_late, turns=params.entries),
            Process("worker", waiting(block_ms), handle_ms=params.handle_ms, client=client),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=0,
        within_ms=params.entries * 100_000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, preset("redis-py-8"), params.block_ms)


scenario = Scenario(
    name="block-vs-socket-timeout",
    summary="A read blocks for longer than the client waits for any answer; a quiet stream must be no error.",
    variants={
        "broken": Variant(
            "redis-py 8 as it comes: 5 s for every answer, ten retries, BLOCK 8000",
            _broken,
            violates="no-error-when-idle",
            states=36,
        ),
        "repaired": Variant(
            "BLOCK is shorter than the socket timeout",
            lambda params: _plan(params, preset("redis-py-8"), 4000),
            states=59,
            safeguards={"blocking-for-less": Without(_broken, "no-error-when-idle")},
        ),
        "go-redis": Variant(
            "a client that waits for BLOCK and 10 s more",
            lambda params: _plan(params, preset("go-redis"), params.block_ms),
            states=35,
            safeguards={"waiting-for-block": Without(_broken, "no-error-when-idle")},
        ),
    },
    properties=[NO_ERROR_WHEN_IDLE, "handled-at-least-once"],
    params={"entries": 1, "handle_ms": 100, "block_ms": 8000},
    evidence="redis-py 8 has a socket timeout of 5 s by default, and BLOCK does not extend it: one BLOCK 8000 on an "
    "idle stream is eleven attempts and a TimeoutError after 59 s (chrisguidry/docket #425, redis/redis-py #4125 and "
    "#4091, hopeit-git/hopeit.engine #224)",
    advice="For a client a blocked read is an answer that does not come. Keep BLOCK below the socket timeout, or turn "
    "that off for the connection that blocks.",
)

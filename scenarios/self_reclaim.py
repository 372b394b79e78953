"""One process reads in one loop and reclaims in another, and takes its own slow order for an abandoned one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import RENEWED
from ..sim.requests import gather, handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders


class Done(Exception):
    """The order that was read is dealt with: the loop that reclaims beside it is cancelled."""


async def claim_any(redis: Any, me: str, min_idle_ms: int) -> Any:
    """What has been pending for long, whoever has it."""
    _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
    return claimed


async def claim_from_others(redis: Any, me: str, min_idle_ms: int) -> Any:
    """What has been pending for long with somebody else."""
    rows = await redis.xpending_range(STREAM, GROUP, "-", "+", 10, idle=min_idle_ms)
    wanted = [row["message_id"] for row in rows if row["consumer"] != me.encode()]
    return await redis.xclaim(STREAM, GROUP, me, min_idle_ms, wanted) if wanted else []


def two_loops(min_idle_ms: int, every_ms: int, claim: Any, *, knows_what_it_does: bool) -> TurnFunction:
    """A turn reads one order and deals with it; meanwhile it reclaims every ``every_ms``.

    ``knows_what_it_does``: it leaves alone what it has in hand.
    """

    async def read_and_reclaim(redis: Any, me: str) -> None:
        in_hand = set()

        async def deal_with(entry_id: bytes, fields: Any) -> None:
            in_hand.add(entry_id)
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
            in_hand.discard(entry_id)

        async def read() -> None:
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
                for entry_id, fields in entries:
                    await deal_with(entry_id, fields)
            raise Done

        async def reclaim() -> None:
            while True:
                await sleep(every_ms)
                for entry_id, fields in await claim(redis, me, min_idle_ms):
                    if not (knows_what_it_does and entry_id in in_hand):
                        await deal_with(entry_id, fields)

        with suppress(Done):
            await gather(read(), reclaim())

    return read_and_reclaim


def _plan(params: Params, claim: Any, *, knows_what_it_does: bool) -> Plan:
    consume = two_loops(
        params.min_idle_ms, params.min_idle_ms // 2 + 100, claim, knows_what_it_does=knows_what_it_does
    )
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", consume, handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=params.entries * params.handle_ms + 3000,
    )


scenario = Scenario(
    name="self-reclaim",
    summary="A worker's reclaim loop must not start the order that its own read loop is still at.",
    variants={
        "broken": Variant(
            "the reclaim loop takes whatever is idle for long, its own order too",
            lambda params: _plan(params, claim_any, knows_what_it_does=False),
            violates="single-handler",
            sometimes=[RENEWED],
            states=15,
        ),
        "repaired": Variant(
            "the worker knows what it has in hand and leaves that alone; its claim then serves as a renewal",
            lambda params: _plan(params, claim_any, knows_what_it_does=True),
            sometimes=[RENEWED],
            properties=["handled-at-most-once"],
            states=32,
            safeguards={
                "knowing-what-is-in-hand": Without(
                    lambda params: _plan(params, claim_any, knows_what_it_does=False), "single-handler"
                ),
            },
        ),
        "from-others-only": Variant(
            "the reclaim loop looks into XPENDING first and claims from others only",
            lambda params: _plan(params, claim_from_others, knows_what_it_does=False),
            properties=["handled-at-most-once"],
            states=32,
            safeguards={
                "looking-whose-it-is": Without(
                    lambda params: _plan(params, claim_any, knows_what_it_does=False), "single-handler"
                ),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler", "pel-drains"],
    params={"entries": 2, "handle_ms": 2500, "min_idle_ms": 2000},
    evidence="a reclaim loop claims the message that its own process is working on and runs it again "
    "(mastra-ai/mastra #23648); one task was started three times, twice at once inside one worker (taskiq-redis)",
    advice="XAUTOCLAIM gives a consumer its own pending entries, too, once they are idle for long enough. Keep a set "
    "of what is in hand and skip that, or claim only what XPENDING shows for others.",
)

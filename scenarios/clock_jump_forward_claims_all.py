"""The server's clock jumps forward, and every order that is being handled looks as if it were forgotten."""

from __future__ import annotations

from typing import Any

from ..sim.plan import SERVER, ClockJump, Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"
Seen = tuple[tuple[bytes, bytes, int], ...]
"""What was pending when a claimer looked: entry, owner, and how often it was delivered."""


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def work(redis: Any, me: str) -> None:
    """Reads, handles, acknowledges; claiming is another's task."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=0):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


async def handle_claimed(redis: Any, entries: Any) -> None:
    """Handles and acknowledges what was claimed."""
    for entry_id, fields in entries:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


def by_the_servers_clock(min_idle_ms: int, every_ms: int) -> TurnFunction:
    """Claims what the server says has been idle for ``min_idle_ms``."""

    async def claim(redis: Any, me: str, before: Seen = ()) -> Seen:
        await sleep(every_ms)
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0")
        await handle_claimed(redis, claimed)
        return ()

    return claim


def by_its_own_clock(min_idle_ms: int) -> TurnFunction:
    """Claims what it has itself seen twice, ``min_idle_ms`` apart, for one owner and with one delivery count."""

    async def claim(redis: Any, me: str, before: Seen = ()) -> Seen:
        rows = await redis.xpending_range(STREAM, GROUP, "-", "+", 100)
        now = tuple((row["message_id"], row["consumer"], row["times_delivered"]) for row in rows)
        for entry_id, *_ in [each for each in now if each in before]:
            await handle_claimed(redis, await redis.xclaim(STREAM, GROUP, me, 0, [entry_id]))
        await sleep(min_idle_ms)
        return now

    return claim


def _plan(params: Params, claim: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0, start_ms=400),
            *(Process(name, work, handle_ms=params.handle_ms) for name in ("worker-a", "worker-b")),
            Process("claimer", claim, initial=(), handle_ms=params.handle_ms, start_ms=1),
        ],
        setup=[*[("XADD", STREAM, "*", "order", "0")] * 2, ("XGROUP", "CREATE", STREAM, GROUP, "0")],
        faults=[ClockJump(SERVER, params.jump_ms, budget=params.jumps)],
        faults_ms=400 + params.entries * 400,
        within_ms=3000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, by_the_servers_clock(params.min_idle_ms, params.every_ms))


scenario = Scenario(
    name="clock-jump-forward-claims-all",
    summary="The server's clock jumps forward; an order that is being handled must not be claimed for that.",
    variants={
        "broken": Variant(
            "the claimer goes by the idle time that the server tells",
            _broken,
            violates="single-handler",
            states=57,
            sometimes=[TAKEN_OVER],
        ),
        "repaired": Variant(
            "the claimer goes by its own waiting: it claims what it saw pending before and after",
            lambda params: _plan(params, by_its_own_clock(params.min_idle_ms)),
            states=2574,
            safeguards={
                "waiting-by-its-own-clock": Without(_broken, "single-handler"),
                "waiting-longer-than-the-work": Without(
                    lambda params: _plan(params, by_its_own_clock(params.handle_ms // 2)), "single-handler"
                ),
            },
        ),
    },
    properties=["single-handler", "handled-at-least-once", "no-entry-lost"],
    params={"entries": 2, "handle_ms": 700, "min_idle_ms": 2000, "every_ms": 100, "jump_ms": 3_600_000, "jumps": 4},
    evidence="idle times are differences of wall clock readings: a step of the clock makes all that is pending idle at "
    "once, and the server's own stream tests stumble over such times (redis/redis #14674, #15731)",
    advice="Min-idle is measured by the server's wall clock, which may be set. Keep that clock from stepping, or claim "
    "only what you have seen pending yourself for long enough.",
)

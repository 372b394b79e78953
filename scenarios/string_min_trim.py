"""The lowest position of all groups is found by comparing IDs as text, for which 10 comes before 2."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import TRIMMED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUPS = "readings", ("alarms", "charts")


async def store_burst(redis: Any, me: str, size: int = 0) -> int:
    """Adds a burst of readings at once: they share their millisecond, and are numbered 0, 1, 2 ..."""
    pipe = redis.pipeline()
    for n in range(size):
        pipe.xadd(STREAM, {"reading": n + 1})
    await pipe.execute()
    return size


async def work(redis: Any, me: str) -> None:
    """Handles the readings one by one, in the group that is called like the worker."""
    for _, entries in await redis.xreadgroup(me, me, {STREAM: ">"}, count=1, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, me, entry_id)


def as_numbers(entry_id: bytes) -> tuple[int, ...]:
    """An ID as what it is: two numbers."""
    return tuple(map(int, entry_id.split(b"-")))


def trimming(order: Any, every_ms: int) -> TurnFunction:
    """Trims what every group has behind it; ``order`` says by what IDs are compared (``None``: as text)."""

    async def trim(redis: Any, me: str) -> None:
        await sleep(every_ms)
        reached = [group["last-delivered-id"] for group in await redis.xinfo_groups(STREAM)]
        await redis.xtrim(STREAM, minid=min(reached, key=order).decode(), approximate=False)

    return trim


def _plan(params: Params, order: Any) -> Plan:
    return Plan(
        processes=[
            Process("meter", store_burst, turns=1, initial=params.entries),
            Process("alarms", work, handle_ms=params.fast_ms),
            Process("charts", work, handle_ms=params.slow_ms),
            Process("janitor", trimming(order, params.every_ms), turns=params.trims),
        ],
        setup=[("XGROUP", "CREATE", STREAM, group, "$", "MKSTREAM") for group in GROUPS],
        faults_ms=100,
        within_ms=params.entries * params.slow_ms + params.trims * params.every_ms + 1500,
    )


scenario = Scenario(
    name="string-min-trim",
    summary="The stream is trimmed up to the lowest position of its groups; that must be the lowest indeed.",
    variants={
        "broken": Variant(
            "IDs are compared as text, for which ...-10 is lower than ...-2",
            lambda params: _plan(params, None),
            violates="trim-respects-cursor",
            states=141,
        ),
        "repaired": Variant(
            "IDs are compared as two numbers",
            lambda params: _plan(params, as_numbers),
            states=231,
            safeguards={
                "comparing-numbers": Without(lambda params: _plan(params, None), "trim-respects-cursor"),
            },
        ),
    },
    properties=["trim-respects-cursor", "handled-at-least-once"],
    sometimes=[TRIMMED],
    params={"entries": 12, "fast_ms": 50, "slow_ms": 200, "every_ms": 250, "trims": 6},
    evidence="found again and again in hand-written trimming: the two parts of an ID are numbers without leading "
    "zeros, and a string minimum picks the wrong one as soon as a part has another digit",
    advice="Never compare IDs as text. Split them at the dash and compare two numbers, or let the server compare them.",
)

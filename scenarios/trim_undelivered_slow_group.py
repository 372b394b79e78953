"""Two groups read one stream; the fast one trims what it has done with, and the slow one has not got it yet."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import TRIMMED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, FAST, SLOW = "orders", "billing", "reports"
KNOWS_REFERENCES = [name for name, dialect in DIALECTS.items() if dialect.has((8, 2))]


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(300)
    return n + 1


def working(group: str, trim: Any = None) -> TurnFunction:
    """A worker of ``group``, which trims after each order where ``trim`` is given."""

    async def work(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup(group, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, group, entry_id)
                if trim is not None:
                    await trim(redis, entry_id)

    return work


async def up_to_here(redis: Any, entry_id: bytes) -> None:
    """Trims everything before the order that this group has just done."""
    await redis.xtrim(STREAM, minid=entry_id.decode(), approximate=False)


async def to_the_newest(redis: Any, entry_id: bytes) -> None:
    """Keeps one order."""
    await redis.xtrim(STREAM, maxlen=1, approximate=False)


async def up_to_the_slowest(redis: Any, entry_id: bytes) -> None:
    """Trims up to what every group has behind it: its lowest pending order, or the last that it was given."""
    safe = []
    for group in await redis.xinfo_groups(STREAM):
        pending = await redis.xpending(STREAM, group["name"])
        lowest = pending["min"] or group["last-delivered-id"]
        safe.append(tuple(map(int, lowest.split(b"-"))))
    ms, seq = min(safe)  # as numbers: as text, 9-0 would come after 10-0
    await redis.xtrim(STREAM, minid=f"{ms}-{seq}", approximate=False)


async def acknowledged_ones(redis: Any, entry_id: bytes) -> None:
    """Asks for one order to be kept, and lets the server keep what any group still needs."""
    await redis.execute_command("XTRIM", STREAM, "MAXLEN", 1, "ACKED")


def _plan(params: Params, trim: Any) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("billing", working(FAST, trim), handle_ms=params.fast_ms),
            Process("reports", working(SLOW), handle_ms=params.slow_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, group, "$", "MKSTREAM") for group in (FAST, SLOW)],
        faults_ms=params.entries * 300,
        within_ms=params.entries * params.slow_ms + 2000,
    )


scenario = Scenario(
    name="trim-undelivered-slow-group",
    summary="One group trims the stream; another, slower one, must still get every order.",
    variants={
        "broken": Variant(
            "the fast group trims with MINID up to what it has done",
            lambda params: _plan(params, up_to_here),
            violates="trim-respects-cursor",
            states=43,
        ),
        "repaired": Variant(
            "the fast group trims up to what every group has behind it",
            lambda params: _plan(params, up_to_the_slowest),
            states=104,
            safeguards={
                "asking-every-group": Without(lambda params: _plan(params, up_to_here), "trim-respects-cursor"),
            },
        ),
        "maxlen": Variant(
            "the fast group keeps the stream at one order with MAXLEN",
            lambda params: _plan(params, to_the_newest),
            violates="trim-respects-cursor",
            states=43,
        ),
        "acked": Variant(
            "the fast group trims with MAXLEN and ACKED (8.2), which spares what another group needs",
            lambda params: _plan(params, acknowledged_ones),
            states=89,
            safeguards={
                "saying-acked": Without(lambda params: _plan(params, to_the_newest), "trim-respects-cursor"),
            },
            dialects=KNOWS_REFERENCES,
        ),
    },
    properties=["trim-respects-cursor", "handled-at-least-once"],
    sometimes=[TRIMMED],
    params={"entries": 5, "fast_ms": 50, "slow_ms": 700},
    evidence="scripts that trim what every group has acknowledged are asked for and written again and again "
    "(redis/redis #5774), and a group that stopped reading pins them (PrefectHQ/prefect #18606)",
    advice="A trim cuts for every group, also for one that has not come so far; its lag just falls. Trim up to the "
    "lowest position of all groups, or with ACKED (Redis 8.2).",
)

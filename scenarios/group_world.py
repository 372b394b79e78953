"""The world of one consumer group at the grain of one command a step: what a specification in TLA+ would say of it.

Time stands still, links are perfect, and everything that can happen may happen next. It is there to be checked whole,
and to hold the checker's speed against that of others.
"""

from __future__ import annotations

from typing import Any

from ..sim.events import Crashed
from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import TAKEN_OVER, Once
from ..sim.requests import atomic, choose, handle
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property

STREAM, GROUP = "tasks", "workers"


async def add(redis: Any, me: str, n: int = 0) -> int:
    """Adds one entry."""
    await redis.xadd(STREAM, {"n": n + 1})
    return n + 1


def taking(deliveries: int, entries: int) -> Any:
    """How a consumer gets something to do: a new entry, or the lowest that it may claim from another."""

    async def read(redis: Any, me: str) -> bytes | None:
        for _, found in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1):
            return bytes(found[0][0])
        return None

    async def claim(redis: Any, me: str) -> bytes | None:
        for row in await redis.xpending_range(STREAM, GROUP, "-", "+", entries):
            if row["consumer"] != me.encode() and row["times_delivered"] < deliveries:
                await redis.xclaim(STREAM, GROUP, me, 0, [row["message_id"]])
                return bytes(row["message_id"])
        return None

    async def take(redis: Any, me: str) -> bytes | None:
        first, second = ((read, claim), (claim, read))[await choose(2, "read or claim")]
        return await first(redis, me) or await second(redis, me)

    return take


def consumer(deliveries: int, entries: int, *, acknowledge_first: bool) -> TurnFunction:
    """Takes an entry, handles it, acknowledges it; or the last two the other way round."""
    take = taking(deliveries, entries)

    async def work(redis: Any, me: str) -> None:
        entry = await atomic(take, redis, me)
        if entry is None:
            return
        if acknowledge_first:
            await redis.xack(STREAM, GROUP, entry)
        await handle(entry, None)
        if not acknowledge_first:
            await redis.xack(STREAM, GROUP, entry)

    return work


def _plan(params: Params, *, acknowledge_first: bool) -> Plan:
    names = [f"c{i + 1}" for i in range(params.consumers)]
    work = consumer(params.deliveries, params.entries, acknowledge_first=acknowledge_first)
    return Plan(
        processes=[
            *(Process(name, work, handle_ms=0, restart=Restart(0)) for name in names),
            Process("producer", add, turns=params.entries, initial=0),
        ],
        setup=[
            ("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM"),
            *(("XGROUP", "CREATECONSUMER", STREAM, GROUP, name) for name in names),
        ],
        faults=[Crash(tuple(names), budget=params.crashes, when="busy")] if params.crashes else [],
        frozen=True,
        idle_ms_max=0,
    )


class CrashedBusy(Once):
    """Did a consumer crash in the middle of its turn?"""

    def on_crashed(self, event: Crashed) -> str | None:
        """Met."""
        return self.see(event)


CRASHED_BUSY = Property("crashed-busy", "sometimes", "a consumer crashes with an entry in hand", CrashedBusy)

scenario = Scenario(
    name="group-world",
    summary="One group, every interleaving: whoever acknowledges an entry must have handled it.",
    variants={
        "broken": Variant(
            "consumers acknowledge an entry before they handle it",
            lambda params: _plan(params, acknowledge_first=True),
            violates="acked-implies-handled",
            states=4,
        ),
        "repaired": Variant(
            "consumers handle an entry, then acknowledge it",
            lambda params: _plan(params, acknowledge_first=False),
            sometimes=[CRASHED_BUSY, TAKEN_OVER],
            states=78_577,
            safeguards={
                "handling-first": Without(lambda p: _plan(p, acknowledge_first=True), "acked-implies-handled"),
            },
        ),
    },
    properties=["acked-implies-handled"],
    params={"consumers": 3, "entries": 4, "crashes": 2, "deliveries": 3},
    evidence="the plain subject of every text on consumer groups, and of this project's peer specification",
    advice="Acknowledge an entry only when its work is done. What is acknowledged is never delivered again.",
)

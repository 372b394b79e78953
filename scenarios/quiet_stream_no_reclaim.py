"""Reclaiming stands behind a successful read: on a quiet stream nobody reclaims."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, TAKEN_OVER
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders


async def deal_with(redis: Any, entries: Any) -> None:
    """One order after the other."""
    for entry_id, fields in entries:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


def reading(min_idle_ms: int, *, reclaim_when_quiet: bool) -> TurnFunction:
    """Reads what is new, then reclaims; where there was nothing new, only if ``reclaim_when_quiet``."""

    async def read_then_reclaim(redis: Any, me: str) -> None:
        batches = await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000)
        if not batches and not reclaim_when_quiet:
            return  # nothing to do
        for _, entries in batches:
            await deal_with(redis, entries)
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        await deal_with(redis, claimed)

    return read_then_reclaim


def _plan(params: Params, *, reclaim_when_quiet: bool) -> Plan:
    consume = reading(params.min_idle_ms, reclaim_when_quiet=reclaim_when_quiet)
    back = Restart(after_ms=500, new_name=True)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker-a", consume, handle_ms=params.handle_ms, restart=back),
            Process("worker-b", consume, handle_ms=params.handle_ms, restart=back),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(("worker-a", "worker-b"), when="holding")],
        faults_ms=params.entries * 400,
        within_ms=params.min_idle_ms + 4000,
    )


scenario = Scenario(
    name="quiet-stream-no-reclaim",
    summary="What a dead consumer left must be reclaimed even when nothing new comes.",
    variants={
        "broken": Variant(
            "a worker reclaims only after it has read something new",
            lambda params: _plan(params, reclaim_when_quiet=False),
            violates="no-orphan",
            states=252,
        ),
        "repaired": Variant(
            "a worker reclaims in every turn, also when its read comes back empty",
            lambda params: _plan(params, reclaim_when_quiet=True),
            sometimes=[TAKEN_OVER],
            states=308,
            safeguards={
                "reclaiming-when-quiet": Without(
                    lambda params: _plan(params, reclaim_when_quiet=False), "no-orphan"
                ),
            },
        ),
    },
    properties=["no-entry-lost", "single-handler", "no-orphan", "handled-at-least-once"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 2, "handle_ms": 300, "min_idle_ms": 4000},
    evidence="the reclaim stands after the read in the same loop, and an empty read goes back to its start: the orphan "
    "waits until the next message comes (taskiq-redis PR #129 lists what a right reclaim needs)",
    advice="Reclaim on a clock of its own, not after a read that brought something. A stream is quiet just when its "
    "last orders wait to be reclaimed.",
)

"""A framework passes last_id='0' to XREADGROUP: it reads its own history for ever, and never what is new."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders
from .crash_before_ack_same_name import history_first


async def subscribe(redis: Any, me: str, last_id: str = "0") -> str:
    """What the option looks like it means: all there is, from the beginning on."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: last_id}, count=1, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
    return last_id


def _plan(params: Params, consume: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("subscriber", consume, handle_ms=params.handle_ms, initial="0", start_ms=100),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=1000,
    )


scenario = Scenario(
    name="last-id-zero-after-restart",
    summary="A subscriber asks for everything from 0 on; it must get what is new, and not spin.",
    variants={
        "broken": Variant(
            "every read asks for what comes after 0: the own history, which is empty and does not block",
            lambda params: _plan(params, subscribe),
            violates="no-hot-loop",
            states=64,
        ),
        "repaired": Variant(
            "0 is asked for until the own history is empty, then '>'",
            lambda params: _plan(params, history_first),
            states=21,
            safeguards={"switching-to-new": Without(lambda params: _plan(params, subscribe), "no-hot-loop")},
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "no-hot-loop", "pel-drains"],
    params={"entries": 3, "handle_ms": 300},
    evidence="last_id='0' feeds both the group's creation and its reads: about 8000 reads a second and not one "
    "delivery (ag2ai/faststream #2694, eggai-tech/EggAI PR #269); BLOCK counts for nothing but '>' (redis/redis #6587)",
    advice="In XREADGROUP every ID but '>' means the consumer's own history, and such a read never blocks. Where the "
    "group starts is said once, by XGROUP CREATE.",
)

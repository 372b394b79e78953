"""A worker crashes and comes back under its own name. Does it look for what it had in hand?"""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, READ_AGAIN
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, read_new, take_orders


async def history_first(redis: Any, me: str, start: str = "0") -> str:
    """After a start it reads its own history from 0 on, until nothing is left of that; then what is new."""
    batches = await redis.xreadgroup(GROUP, me, {STREAM: start}, count=1, block=2000)
    found = [entry for _, entries in batches for entry in entries]
    for entry_id, fields in found:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)
    return start if found else ">"


async def history_once(redis: Any, me: str, start: str = "0") -> str:
    """After a start it reads its own history once: what does not fit into one read stays there."""
    await history_first(redis, me, start)
    return ">"


def plan(params: Params, consume: TurnFunction, *, new_name: bool = False, readers: int = 1) -> Plan:
    """One worker or more, and a shop; any worker may crash once, and comes back."""
    names = [f"worker-{i + 1}" for i in range(readers)]
    back = Restart(after_ms=1000, new_name=new_name)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(Process(name, consume, handle_ms=params.handle_ms, initial="0", restart=back) for name in names),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(tuple(names), when="holding")],
        faults_ms=params.entries * 400,
        within_ms=8000,
    )


scenario = Scenario(
    name="crash-before-ack-same-name",
    summary="A worker that comes back under its name must finish what it had in hand.",
    variants={
        "broken": Variant(
            "it reads new orders only, as if Redis would give it the old one again",
            lambda params: plan(params, read_new),
            violates="no-orphan",
            states=118,
        ),
        "repaired": Variant(
            "it reads its own history from 0 on before it reads what is new",
            lambda params: plan(params, history_first),
            sometimes=[READ_AGAIN],
            states=111,
            safeguards={
                "history-first": Without(lambda params: plan(params, read_new), "no-orphan"),
                "the-same-name": Without(lambda params: plan(params, history_first, new_name=True), "no-orphan"),
            },
        ),
    },
    properties=["no-entry-lost", "single-handler", "no-orphan", "handled-at-least-once"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 3, "handle_ms": 300},
    evidence="a consumer stops receiving after a restart, and asks whether pending messages are retried: they are not "
    "(redisson/redisson #5271, #5817); one-shot runs leave their event pending (solana-foundation/pay PR #461)",
    advice="After every start read your own history (XREADGROUP with 0) until it is empty, and only then '>'. That "
    "works for as long as the consumer keeps its name.",
)

"""Pods get a new name with each start. The new one looks into its own history, which is empty."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Params, Plan, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, READ_AGAIN, TAKEN_OVER
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM
from .crash_before_ack_same_name import history_first, plan


def history_then_claim(min_idle_ms: int) -> TurnFunction:
    """Reads its own history first, then what is new, and claims in every turn what a name that is gone has left."""

    async def consume(redis: Any, me: str, start: str = "0") -> str:
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        for entry_id, fields in claimed:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
        return await history_first(redis, me, start)

    return consume


def _claiming(params: Params) -> Plan:
    return plan(params, history_then_claim(params.min_idle_ms), new_name=True, readers=2)


def _reading(params: Params, *, new_name: bool) -> Plan:
    return plan(params, history_first, new_name=new_name, readers=2)


scenario = Scenario(
    name="crash-before-ack-new-name",
    summary="A pod comes back under a new name; what its old name had in hand must be taken up.",
    variants={
        "broken": Variant(
            "the pod reads its history after a start, under a name that has none",
            lambda params: _reading(params, new_name=True),
            violates="no-orphan",
            states=164,
        ),
        "repaired": Variant(
            "every pod also claims what has been pending for long",
            _claiming,
            sometimes=[TAKEN_OVER],
            states=214,
            safeguards={"claim": Without(lambda params: _reading(params, new_name=True), "no-orphan")},
        ),
        "stable-names": Variant(
            "a pod keeps its name over a restart, as a StatefulSet gives it",
            lambda params: _reading(params, new_name=False),
            sometimes=[READ_AGAIN],
            states=142,
            safeguards={"stable-name": Without(lambda params: _reading(params, new_name=True), "no-orphan")},
        ),
    },
    properties=["no-entry-lost", "single-handler", "no-orphan", "handled-at-least-once"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 2, "handle_ms": 300, "min_idle_ms": 3000},
    evidence="consumers named after pods or with a uuid pile up, each with what it had when it was killed "
    "(redis/redis #12423, onyx-dot-app/agent-wiki PR #574, openlinker #2164)",
    advice="A history belongs to a name: whoever starts under a new one has none. Claim what old names left, or give "
    "each pod a name that it keeps.",
)

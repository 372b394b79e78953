"""The reply to a claim is lost: the order is the claimer's now, its idle clock starts anew, and nobody works on it."""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import preset
from ..sim.faults import Crash, Lose
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, REPLY_LOST, TAKEN_UP_AGAIN
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, deal_with, read_new

SCANNED = b"scanned"
"""The state of a worker that has looked once through what is pending."""


def worker(min_idle_ms: int, *, once: bool) -> TurnFunction:
    """A consumer that claims what has been pending for ``min_idle_ms``: at its start only, or for ever."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        if cursor == SCANNED:
            await read_new(redis, me)
            return cursor
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        await deal_with(redis, claimed)
        if once and next_cursor == b"0-0":
            return SCANNED
        if not claimed:
            await read_new(redis, me)
        return bytes(next_cursor)

    return claim_then_read


async def read_many(redis: Any, me: str) -> None:
    """Reads all that is new, and handles it one after the other."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, block=1000):
        await deal_with(redis, entries)


def _plan(params: Params, consume: TurnFunction) -> Plan:
    later_ms = params.entries * params.handle_ms + params.min_idle_ms
    orders = [("XADD", STREAM, "*", "order", str(n + 1)) for n in range(params.entries)]
    return Plan(
        processes=[
            Process("old-worker", read_many, handle_ms=params.handle_ms, restart=None),
            Process(
                "new-worker", consume, handle_ms=params.handle_ms, client=preset("redis-py-8"), start_ms=later_ms,
                initial=b"0-0",
            ),
        ],
        setup=[*orders, ("XGROUP", "CREATE", STREAM, GROUP, "0")],
        faults=[Crash("old-worker", when="holding"), Lose("new-worker", "XAUTOCLAIM")],
        faults_ms=later_ms + params.entries * params.handle_ms,
        within_ms=3 * params.min_idle_ms,
    )  # fmt: skip


def _broken(params: Params) -> Plan:
    return _plan(params, worker(params.min_idle_ms, once=True))


scenario = Scenario(
    name="reply-lost-claim",
    summary="The reply to a claim is lost; what was claimed must be received by somebody all the same.",
    variants={
        "broken": Variant(
            "a worker claims once, at its start, what dead workers left",
            _broken,
            violates="delivered-implies-received",
            states=277,
        ),
        "repaired": Variant(
            "a worker goes on claiming: what it claimed without knowing is idle again after min-idle",
            lambda params: _plan(params, worker(params.min_idle_ms, once=False)),
            states=431,
            safeguards={"claiming-again-and-again": Without(_broken, "delivered-implies-received")},
        ),
    },
    properties=["no-entry-lost", "delivered-implies-received", "handled-at-least-once", "single-handler"],
    sometimes=[CRASHED_HOLDING, REPLY_LOST, TAKEN_UP_AGAIN],
    params={"entries": 2, "handle_ms": 300, "min_idle_ms": 3000},
    evidence="measured with redis-py 8.1: the reply to an XAUTOCLAIM is lost, the client sends it again and sees "
    "nothing, for the idle time was set back by the first; programs that claim only at their start are common in "
    "public threads on orders that stay pending",
    advice="A claim has an effect, so its lost reply costs one more min-idle time and not the order, if somebody "
    "claims again. Claim in every turn, not only at the start.",
)

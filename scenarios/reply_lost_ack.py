"""The reply to an acknowledgement is lost; sent again, it is answered 0. What does the worker make of that?"""

from __future__ import annotations

from typing import Any

from ..sim.client_policies import preset
from ..sim.faults import Lose
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import REPLY_LOST
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders


def worker(*, insists: bool) -> TurnFunction:
    """A consumer; ``insists``: where an acknowledgement is answered 0 it takes the work for not done."""

    async def work(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                if not await redis.xack(STREAM, GROUP, entry_id) and insists:
                    await handle(entry_id, fields)

    return work


def _plan(params: Params, consume: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", consume, handle_ms=params.handle_ms, client=preset("redis-py-8")),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Lose("worker", "XACK")],
        faults_ms=params.entries * 400,
        within_ms=2000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, worker(insists=True))


scenario = Scenario(
    name="reply-lost-ack",
    summary="The reply to an acknowledgement is lost and the second one is answered 0; the work is done all the same.",
    variants={
        "broken": Variant(
            "the worker takes the answer 0 for a failure, and does the work again",
            _broken,
            violates="handled-at-most-once",
            states=17,
        ),
        "repaired": Variant(
            "the worker takes 0 for what it is: the order is not pending any more",
            lambda params: _plan(params, worker(insists=False)),
            states=90,
            safeguards={"taking-0-for-done": Without(_broken, "handled-at-most-once")},
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "handled-at-most-once", "pel-drains"],
    sometimes=[REPLY_LOST],
    params={"entries": 5, "handle_ms": 100},
    evidence="measured with redis-py 8.1: the reply to an XACK is lost and the client sees 0; a program that did not "
    "expect 0 stood still (walmartlabs/cookie-cutter PR #305 and #306)",
    advice="XACK answers how many entries were pending until now, not whether they are settled: after a retry 0 means "
    "done. Never do work again because of it.",
)

"""An order that can never be handled goes from consumer to consumer, for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..sim.errors import HandlerFailed
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import HANDLER_FAILS, TAKEN_UP_AGAIN
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders

DEAD_LETTERS = "orders:dead"


async def try_again(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
    """Handles and acknowledges; what fails stays pending, for whoever claims it."""
    with suppress(HandlerFailed):
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


def giving_up(deliveries_max: int) -> Any:
    """Dealing with an order that puts it aside where it failed and was delivered ``deliveries_max`` times."""

    async def try_or_put_aside(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
        try:
            await handle(entry_id, fields)
        except HandlerFailed:
            (pending,) = await redis.xpending_range(STREAM, GROUP, entry_id, entry_id, 1) or [None]
            if pending is None or pending["times_delivered"] < deliveries_max:
                return
            async with redis.pipeline(transaction=True) as transaction:
                transaction.xadd(DEAD_LETTERS, fields)
                transaction.xack(STREAM, GROUP, entry_id)
                await transaction.execute()
        else:
            await redis.xack(STREAM, GROUP, entry_id)

    return try_or_put_aside


def claiming(min_idle_ms: int, deal_with: Any) -> TurnFunction:
    """A consumer that claims what has been pending for ``min_idle_ms``, then reads."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=870):
            for entry_id, fields in entries:
                await deal_with(redis, me, entry_id, fields)
        return bytes(next_cursor)

    return claim_then_read


def _plan(params: Params, deal_with: Any) -> Plan:
    consume = claiming(params.min_idle_ms, deal_with)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(
                Process(name, consume, handle_ms=params.handle_ms, initial=b"0-0", fails_on={"order": "1"})
                for name in ("worker-a", "worker-b")
            ),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=8 * (params.min_idle_ms + params.handle_ms),
    )


def _broken(params: Params) -> Plan:
    return _plan(params, try_again)


scenario = Scenario(
    name="poison-message-loop",
    summary="One order can never be handled; it must not go round for ever.",
    variants={
        "broken": Variant(
            "what fails stays pending, and is claimed again and again",
            _broken,
            violates="bounded-deliveries",
            states=88,
        ),
        "repaired": Variant(
            "what failed often enough is put aside and acknowledged, in one transaction",
            lambda params: _plan(params, giving_up(params.deliveries_max)),
            states=108,
            properties=["pel-drains"],
            safeguards={"putting-aside": Without(_broken, "bounded-deliveries")},
        ),
    },
    properties=["no-entry-lost", "bounded-deliveries", "single-handler"],
    sometimes=[HANDLER_FAILS, TAKEN_UP_AGAIN],
    params={"entries": 2, "handle_ms": 100, "min_idle_ms": 1000, "deliveries_max": 3},
    evidence="without a limit a message that always fails is claimed and rejected for ever "
    "(moleculerjs/moleculer-channels PR #3; retry number 1427 in ThreeDotsLabs/watermill-redisstream PR #38)",
    advice="Redis counts deliveries and does nothing about them: the consumer must. Look at the count in XPENDING when "
    "work fails, and from some number on add the order to a stream of dead letters and acknowledge it in one MULTI.",
)

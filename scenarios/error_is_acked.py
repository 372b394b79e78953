"""Work fails, and the order is acknowledged all the same."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..sim.errors import HandlerFailed
from ..sim.faults import FailHandler
from ..sim.plan import Params, Plan, Process
from ..sim.properties.sometimes import HANDLER_FAILS
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .poison_message_loop import claiming, try_again
from .reply_lost_read import GROUP, STREAM, take_orders


async def acknowledge_anyway(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
    """Handles and acknowledges, whether the work failed or not: so the queue keeps moving."""
    with suppress(HandlerFailed):  # a line in a log
        await handle(entry_id, fields)
    await redis.xack(STREAM, GROUP, entry_id)


def _plan(params: Params, deal_with: Any) -> Plan:
    consume = claiming(params.min_idle_ms, deal_with)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", consume, handle_ms=params.handle_ms, initial=b"0-0"),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[FailHandler("worker")],
        faults_ms=params.entries * 400 + params.handle_ms,
        within_ms=2 * params.min_idle_ms + 1000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, acknowledge_anyway)


scenario = Scenario(
    name="error-is-acked",
    summary="The work on an order fails; the order must not be acknowledged as if it were done.",
    variants={
        "broken": Variant(
            "the order is acknowledged whether the work failed or not",
            _broken,
            violates="acked-implies-handled",
            states=15,
        ),
        "repaired": Variant(
            "only work that is done is acknowledged; what failed is claimed and tried again",
            lambda params: _plan(params, try_again),
            states=113,
            safeguards={"acknowledging-success-only": Without(_broken, "acked-implies-handled")},
        ),
    },
    properties=["no-entry-lost", "acked-implies-handled", "handled-at-least-once"],
    sometimes=[HANDLER_FAILS],
    params={"entries": 3, "handle_ms": 100, "min_idle_ms": 2000},
    evidence="a nack that is an XACK in the source, with a FIXME (svix/svix-webhooks PR #415); copies without an "
    "attribute were acknowledged and dropped by eleven processors (bucketeer-io/bucketeer #2617)",
    advice="XACK says that the group needs the entry no more, so it belongs after success alone. Let what failed stay "
    "pending and be claimed, with a limit to how often.",
)

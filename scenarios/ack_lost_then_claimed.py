"""The work is done, its acknowledgement never arrives, and another consumer claims the order and does it again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import ConnectionError as Disconnected

from ..sim.client_policies import PLAIN, ClientPolicy, preset
from ..sim.faults import Lose
from ..sim.plan import Params, Plan, Process
from ..sim.properties.sometimes import REQUEST_LOST
from ..sim.requests import handle
from ..sim.scenario import Scenario, Variant, Without
from .reply_lost_read import GROUP, STREAM, take_orders


def worker(min_idle_ms: int) -> Any:
    """A consumer that claims what has been pending for ``min_idle_ms``; an acknowledgement that fails it lets be."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=870):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                with suppress(Disconnected):  # somebody will claim it
                    await redis.xack(STREAM, GROUP, entry_id)
        return bytes(next_cursor)

    return claim_then_read


def _plan(params: Params, client: ClientPolicy) -> Plan:
    consume = worker(params.min_idle_ms)
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(
                Process(name, consume, handle_ms=params.handle_ms, client=client, initial=b"0-0", start_ms=start_ms)
                for name, start_ms in (("worker-a", 0), ("worker-b", 137))
            ),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Lose(("worker-a", "worker-b"), "XACK", "request")],
        faults_ms=params.entries * 400,
        within_ms=2 * params.min_idle_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, PLAIN)


scenario = Scenario(
    name="ack-lost-then-claimed",
    summary="An acknowledgement is lost on its way; nobody should do the work again.",
    variants={
        "broken": Variant(
            "the client does not send it again, and the worker lets it be",
            _broken,
            violates="handled-at-most-once",
            states=152,
        ),
        "repaired": Variant(
            "the client sends it again, long before the order may be claimed",
            lambda params: _plan(params, preset("redis-py-8")),
            states=263,
            safeguards={"sending-it-again": Without(_broken, "handled-at-most-once")},
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "handled-at-most-once", "single-handler"],
    sometimes=[REQUEST_LOST],
    params={"entries": 4, "handle_ms": 100, "min_idle_ms": 3000},
    evidence="handled and acknowledged as the client sees it, and still pending on the server "
    "(ThreeDotsLabs/watermill #531)",
    advice="Until the server has heard the acknowledgement the order is pending, and whoever claims it does the work "
    "again. Send acknowledgements again until they are answered, and make the work harmless when it is done twice.",
)

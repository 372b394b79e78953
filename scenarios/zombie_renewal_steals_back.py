"""A consumer stands still for longer than its lease, another claims its order, and the first wakes up and renews."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..sim.faults import Pause
from ..sim.plan import Params, Plan, Process
from ..sim.properties.sometimes import STOOD_STILL, TAKEN_OVER
from ..sim.requests import atomic, gather, handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .poison_message_loop import claiming
from .reply_lost_read import GROUP, STREAM, take_orders


class Done(Exception):
    """The work is done, or no longer one's own: what runs beside it is cancelled."""


def renewing(every_ms: int, *, checks: bool) -> Any:
    """Handling that renews its lease; ``checks``: only while it has it, and it acknowledges only then."""

    async def handle_and_renew(redis: Any, me: str, entry_id: bytes, fields: Any) -> None:
        async def is_mine() -> bool:
            return not checks or bool(await redis.xpending_range(STREAM, GROUP, entry_id, entry_id, 1, me))

        async def renew_mine() -> bool:
            mine = await is_mine()
            if mine:
                await redis.xclaim(STREAM, GROUP, me, 0, [entry_id], justid=True)
            return mine

        async def acknowledge_mine() -> None:
            if await is_mine():
                await redis.xack(STREAM, GROUP, entry_id)

        async def work() -> None:
            await handle(entry_id, fields)
            await atomic(acknowledge_mine)
            raise Done

        async def renew() -> None:
            while True:
                await sleep(every_ms)
                if not await atomic(renew_mine):
                    raise Done

        with suppress(Done):
            await gather(work(), renew())

    return handle_and_renew


def _plan(params: Params, *, checks: bool) -> Plan:
    consume = claiming(params.min_idle_ms, renewing(params.min_idle_ms // 2, checks=checks))
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(
                Process(name, consume, handle_ms=params.handle_ms, initial=b"0-0")
                for name in ("worker-a", "worker-b")
            ),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Pause("worker-a", params.pause_ms, when="holding")],
        faults_ms=params.entries * 400 + params.handle_ms,
        within_ms=params.pause_ms + 2 * params.handle_ms + params.min_idle_ms,
    )  # fmt: skip


def _broken(params: Params) -> Plan:
    return _plan(params, checks=False)


scenario = Scenario(
    name="zombie-renewal-steals-back",
    summary="A consumer sleeps through its lease; when it wakes up it must not take the order from whoever has it now.",
    variants={
        "broken": Variant(
            "a lease is renewed by XCLAIM with min-idle 0, whoever has the order",
            _broken,
            violates="no-steal-back",
            states=217,
        ),
        "repaired": Variant(
            "a script renews, and acknowledges, only what is still one's own",
            lambda params: _plan(params, checks=True),
            states=980,
            safeguards={"looking-at-the-owner": Without(_broken, "no-steal-back")},
        ),
    },
    properties=["no-entry-lost", "no-steal-back", "no-zombie-ack", "handled-at-least-once"],
    sometimes=[STOOD_STILL, TAKEN_OVER],
    params={"entries": 2, "handle_ms": 1200, "min_idle_ms": 1000, "pause_ms": 1800},
    evidence="leases are renewed with XCLAIM and min-idle 0 in many libraries (streaq, docket, repid as read in their "
    "sources); after a pause longer than the lease the owner goes from A to B and back, A acknowledges 1 and B 0, as "
    "measured on a server",
    advice="XCLAIM with min-idle 0 asks nobody. Renew in a script that looks at the owner first, and acknowledge in "
    "one, too.",
)

"""The server restarts empty, and the worker makes its group again, at '$'. What was added in between is skipped."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.lost_servers import ADDED_WITHOUT_GROUP, FLUSHED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.server_faults import ServerRestart
from .failover_loses_ack import GROUP, STREAM, take_orders


def working(start: str) -> TurnFunction:
    """A worker that makes the group again when it is told NOGROUP, from ``start`` on."""

    async def work(redis: Any, me: str) -> None:
        try:
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
                for entry_id, fields in entries:
                    await handle(entry_id, fields)
                    await redis.xack(STREAM, GROUP, entry_id)
        except Disconnected:
            await sleep(50)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            await sleep(300)
            await redis.xgroup_create(STREAM, GROUP, start, mkstream=True)

    return work


def _plan(params: Params, start: str) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", working(start), handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[ServerRestart(keeps="nothing", from_ms=params.from_ms)],
        faults_ms=max(params.entries * 100 - 200, 100),
        within_ms=1500,
    )


scenario = Scenario(
    name="regroup-at-dollar-gap",
    summary="A group that is made again at '$' skips what was added between the loss of the old one and then.",
    variants={
        "broken": Variant(
            "the worker makes the group again at '$'",
            lambda params: _plan(params, "$"),
            violates="what-is-left-is-handled",
            sometimes=[ADDED_WITHOUT_GROUP],
            states=302,
        ),
        "repaired": Variant(
            "the worker makes the group again at 0",
            lambda params: _plan(params, "0"),
            states=487,
            safeguards={"from-the-start": Without(lambda params: _plan(params, "$"), "what-is-left-is-handled")},
        ),
    },
    properties=["what-is-left-is-handled", "progress-after-nogroup"],
    sometimes=[FLUSHED],
    params={"entries": 5, "handle_ms": 20, "from_ms": 0},
    evidence="jaseci-labs/jac #7452 and #7489 (a review found it) and other repairs of NOGROUP that make the group "
    "again at '$': whatever came in while there was no group is never delivered",
    advice="Make a group again at 0: the stream is as new as the group, so nothing in it was delivered to anybody. "
    "'$' is for groups that are to begin now, and skips what is there.",
)

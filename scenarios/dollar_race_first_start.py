"""Orders come in before the workers have created their group, which starts at '$': after them."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ResponseError

from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def take_orders_for_a_group(redis: Any, me: str, n: int = 0) -> int:
    """The same by a producer that sees to it first that there is a group for its orders."""
    if not n:
        await create_group(redis, "$")
    return await take_orders(redis, me, n)


async def create_group(redis: Any, position: str) -> None:
    """Creates the group; whoever comes second finds it there."""
    try:
        await redis.xgroup_create(STREAM, GROUP, id=position, mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def starting(position: str) -> TurnFunction:
    """A worker that creates the group at ``position`` when it starts."""

    async def work(redis: Any, me: str, started: int = 0) -> int:
        if not started:
            await create_group(redis, position)
        for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return 1

    return work


def _plan(params: Params, take: TurnFunction, position: str) -> Plan:
    work = starting(position)
    return Plan(
        processes=[
            Process("shop", take, turns=params.entries, initial=0),
            *(
                Process(name, work, handle_ms=params.handle_ms, start_ms=params.start_ms, initial=0)
                for name in ("worker-a", "worker-b")
            ),
        ],
        faults_ms=params.entries * 400 + 1000,
        within_ms=params.entries * params.handle_ms + 3000,
    )


scenario = Scenario(
    name="dollar-race-first-start",
    summary="Orders are taken before the workers create their group; none of them may be passed over.",
    variants={
        "broken": Variant(
            "the workers create the group at '$', which is after the orders that are there already",
            lambda params: _plan(params, take_orders, "$"),
            violates="added-implies-handled",
            states=44,
        ),
        "repaired": Variant(
            "the workers create the group at 0, so that it starts with the first order",
            lambda params: _plan(params, take_orders, "0"),
            states=63,
            safeguards={
                "starting-at-the-first-order": Without(
                    lambda params: _plan(params, take_orders, "$"), "added-implies-handled"
                ),
            },
        ),
        "producer-creates": Variant(
            "the producer creates the group before its first order, and '$' is before all of them",
            lambda params: _plan(params, take_orders_for_a_group, "$"),
            states=51,
            safeguards={
                "group-before-the-first-order": Without(
                    lambda params: _plan(params, take_orders, "$"), "added-implies-handled"
                ),
            },
        ),
    },
    properties=["added-implies-handled", "no-entry-lost", "single-handler", "no-orphan"],
    params={"entries": 3, "handle_ms": 100, "start_ms": 600},
    evidence="several public threads ask why the first messages were never consumed: the group was created at '$' "
    "after the first XADD (dotnetcore/CAP #1234, trailofbits/buttercup #68)",
    advice="'$' is the end of the stream at the moment of XGROUP CREATE, and whatever stands before it is not for the "
    "group. Create it at 0, or before the first XADD.",
)

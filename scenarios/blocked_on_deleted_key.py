"""A worker waits in a blocking read while the stream is deleted; it is told so, and has to know what to do."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ResponseError

from ..models.dialects import DIALECTS
from ..models.facts import StreamRemoved
from ..sim.events import Event
from ..sim.plan import Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import Once
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property

STREAM, GROUP = "orders", "workers"
TELLS = [name for name, dialect in DIALECTS.items() if dialect.has((7, 0))]
"""Where a blocked reader is told at once that the key is gone."""


class Deleted(Once):
    """Was the stream deleted?"""

    def on_stream_removed(self, fact: StreamRemoved, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


STREAM_DELETED = Property("stream-deleted", "sometimes", "the stream is deleted", Deleted)


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def read_and_handle(redis: Any, me: str) -> None:
    """Waits for an order for as long as it takes, handles it, acknowledges it."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=0):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


def creating_again(position: str) -> TurnFunction:
    """A worker that creates the group again where it is told that there is none."""

    async def work(redis: Any, me: str) -> None:
        try:
            await read_and_handle(redis, me)
        except ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            await redis.xgroup_create(STREAM, GROUP, id=position, mkstream=True)

    return work


def deleting(at_ms: int) -> TurnFunction:
    """An operator's program that clears the stream, when all that was in it is done."""

    async def delete(redis: Any, me: str) -> None:
        await sleep(at_ms)
        await redis.delete(STREAM)

    return delete


def _plan(params: Params, work: TurnFunction) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", work, handle_ms=params.handle_ms, restart=Restart(after_ms=500)),
            Process("operator", deleting(params.delete_ms), turns=1),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=3000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, read_and_handle)


scenario = Scenario(
    name="blocked-on-deleted-key",
    summary="The stream is deleted while a worker waits for it; orders that come later must be handled.",
    variants={
        "broken": Variant(
            "the worker creates no group: it trusts that a blocked read outlasts the deletion",
            _broken,
            violates="handled-at-least-once",
            states=55,
        ),
        "repaired": Variant(
            "the worker creates the group again at 0 when it is told that there is none",
            lambda params: _plan(params, creating_again("0")),
            states=46,
            safeguards={"creating-the-group-again": Without(_broken, "handled-at-least-once")},
        ),
        "at-dollar": Variant(
            "the worker creates it again at '$', in time because it is told at once (7.0)",
            lambda params: _plan(params, creating_again("$")),
            states=46,
            dialects=TELLS,
            safeguards={"creating-the-group-again": Without(_broken, "handled-at-least-once")},
        ),
        "at-dollar-before-7": Variant(
            "the worker creates it again at '$', but is told only by the next order (6.2)",
            lambda params: _plan(params, creating_again("$")),
            violates="handled-at-least-once",
            states=43,
            dialects=["redis-6.2"],
        ),
    },
    properties=["handled-at-least-once", "no-entry-lost"],
    sometimes=[STREAM_DELETED],
    params={"entries": 5, "handle_ms": 100, "delete_ms": 600},
    evidence="before 7.0 a client that blocks on a deleted stream waits until somebody adds to it again; since then it "
    "gets an error at once, which programs do not expect (redis/redis #6887, PR #10306)",
    advice="A group goes with its stream, and a blocked XREADGROUP then ends with an error. Answer NOGROUP by creating "
    "the group again at 0, not at '$'.",
)

"""An order is cancelled with XDEL while it is pending, and whoever takes it up gets an ID without content."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..models.facts import Deleted
from ..sim.events import Event
from ..sim.plan import Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.delivery import HandledAtLeastOnce
from ..sim.properties.sometimes import Once
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property

STREAM, GROUP = "orders", "workers"
DROPS_DELETED = [name for name, dialect in DIALECTS.items() if dialect.claim_drops_deleted]
"""Where a claim drops what was deleted, instead of giving it without content (7.0)."""


class RestIsHandled(HandledAtLeastOnce):
    """Crosses off what was deleted, too."""

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Nobody needs it any more."""
        self.added[fact.stream] = [each for each in self.added.get(fact.stream, []) if each not in fact.ids]
        return None


REST_IS_HANDLED = Property(
    "rest-is-handled", "eventually", "every entry that nobody deleted is handled in every group", RestIsHandled,
    "at the end, each entry added past the start of a group and in no Deleted fact has a Handled event of that group",
)  # fmt: skip


class Cancelled(Once):
    """Was an entry deleted?"""

    def on_deleted(self, fact: Deleted, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


CANCELLED = Property("cancelled", "sometimes", "an entry is deleted by its ID", Cancelled)


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


async def cancel_first(redis: Any, me: str) -> None:
    """Cancels the first order."""
    for entry_id, _ in await redis.xrange(STREAM, count=1):
        await redis.xdel(STREAM, entry_id)


async def cook(entry_id: bytes, fields: Any) -> None:
    """Handles an order, for which it has to know what was ordered."""
    assert fields[b"order"]
    await handle(entry_id, fields)


async def cook_if_there(entry_id: bytes, fields: Any) -> None:
    """The same, but there may be nothing left of the order."""
    if fields:
        await cook(entry_id, fields)


def resuming(deal_with: Any) -> TurnFunction:
    """A worker that first takes up what it had before it crashed: its history, from 0 on."""

    async def work(redis: Any, me: str, position: str = "0") -> str:
        found = await redis.xreadgroup(GROUP, me, {STREAM: position}, count=1, block=1000)
        entries = [entry for _, batch in found for entry in batch]
        for entry_id, fields in entries:
            await deal_with(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
        return position if entries else ">"

    return work


def claiming(min_idle_ms: int) -> TurnFunction:
    """A worker that claims with XAUTOCLAIM what another has left."""

    async def work(redis: Any, me: str, position: str = "0") -> str:
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=500):
            for entry_id, fields in entries:
                await cook(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return position

    return work


def _plan(params: Params, work: TurnFunction) -> Plan:
    crashed = ("XREADGROUP", "GROUP", GROUP, "worker", "STREAMS", STREAM, ">")
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("customer", cancel_first, turns=1, start_ms=100),
            Process(
                "worker", work, handle_ms=params.handle_ms, initial="0", start_ms=params.back_ms,
                restart=Restart(after_ms=500),
            ),
        ],
        setup=[("XADD", STREAM, "*", "order", "0"), ("XGROUP", "CREATE", STREAM, GROUP, "0"), crashed],
        faults_ms=params.entries * 400,
        within_ms=3000,
    )  # fmt: skip


def _resuming_blindly(params: Params) -> Plan:
    return _plan(params, resuming(cook))


def _claiming(params: Params) -> Plan:
    return _plan(params, claiming(params.back_ms))


scenario = Scenario(
    name="tombstone-poison-loop",
    summary="A pending order is deleted; whoever takes it up must not stumble over it for ever.",
    variants={
        "broken": Variant(
            "the worker reads its history after a restart, and expects every entry to have content",
            _resuming_blindly,
            violates="rest-is-handled",
            states=31,
        ),
        "repaired": Variant(
            "the worker acknowledges what has no content any more, and goes on",
            lambda params: _plan(params, resuming(cook_if_there)),
            states=33,
            safeguards={"expecting-tombstones": Without(_resuming_blindly, "rest-is-handled")},
        ),
        "autoclaim": Variant(
            "the worker claims instead, and the server drops what was deleted (7.0)",
            _claiming,
            states=52,
            dialects=DROPS_DELETED,
            safeguards={"claiming-instead-of-history": Without(_resuming_blindly, "rest-is-handled")},
        ),
        "autoclaim-before-7": Variant(
            "the worker claims instead, and gets what was deleted as nothing at all (6.2)",
            _claiming,
            violates="rest-is-handled",
            states=31,
            dialects=["redis-6.2"],
        ),
    },
    properties=[REST_IS_HANDLED, "single-handler"],
    sometimes=[CANCELLED],
    params={"entries": 3, "handle_ms": 100, "back_ms": 300},
    evidence="deleted entries that stay pending are claimed for ever, or end the loop that meets them (redis/redis "
    "#10198, watermill-redisstream PR #38, dapr/components-contrib #2026)",
    advice="What is pending may be gone from the stream: history reads give it without content, and so did claims "
    "before 7.0. Acknowledge such an entry and go on.",
)

"""A consumer reads a batch and dies for good. The others read new orders only: who knows of the batch?"""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import Crash, Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders

BATCH = 2
"""How many orders a worker reads at once."""
READS_AND_CLAIMS = [name for name, dialect in DIALECTS.items() if dialect.has((8, 4))]


async def read_batch(redis: Any, me: str) -> None:
    """Reads new orders only, and acknowledges each when it is done."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=BATCH, block=2000):
        await deal_with(redis, entries)


async def deal_with(redis: Any, entries: Any) -> None:
    """One order after the other."""
    for entry_id, fields in entries:
        await handle(entry_id, fields)
        await redis.xack(STREAM, GROUP, entry_id)


def claiming(min_idle_ms: int) -> TurnFunction:
    """A worker that claims before it reads."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=BATCH)
        await deal_with(redis, claimed)
        if not claimed:
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=BATCH, block=1000):
                await deal_with(redis, entries)
        return bytes(next_cursor)

    return claim_then_read


def reading_with_claim(min_idle_ms: int) -> TurnFunction:
    """A worker whose read brings what others left, before what is new (8.4)."""
    words = ("COUNT", BATCH, "BLOCK", 1000, "CLAIM", min_idle_ms, "STREAMS", STREAM, ">")

    async def read_with_claim(redis: Any, me: str) -> None:
        for _, entries in await redis.execute_command("XREADGROUP", "GROUP", GROUP, me, *words):
            await deal_with(redis, entries)

    return read_with_claim


def reaping(min_idle_ms: int) -> TurnFunction:
    """A process of its own that looks for orders left alone, and deals with them itself."""

    async def reap(redis: Any, me: str) -> None:
        await sleep(1000)
        rows = await redis.xpending_range(STREAM, GROUP, "-", "+", BATCH, idle=min_idle_ms)
        if rows:
            wanted = [row["message_id"] for row in rows]
            await deal_with(redis, await redis.xclaim(STREAM, GROUP, me, min_idle_ms, wanted))

    return reap


def _plan(params: Params, consume: TurnFunction, *others: Process) -> Plan:
    workers = [
        Process(name, consume, handle_ms=params.handle_ms, initial=b"0-0", restart=None)
        for name in ("worker-a", "worker-b")
    ]
    return Plan(
        processes=[Process("shop", take_orders, turns=params.entries, initial=0), *workers, *others],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(("worker-a", "worker-b"), when="holding")],
        faults_ms=params.entries * 400,
        within_ms=2 * params.min_idle_ms + 2000,
    )


def _reaper(params: Params) -> Process:
    return Process("reaper", reaping(params.min_idle_ms), handle_ms=params.handle_ms)


scenario = Scenario(
    name="orphan-never-claimed",
    summary="A consumer dies for good with a batch in hand; somebody else must take the batch up.",
    variants={
        "broken": Variant(
            "every worker reads new orders only",
            lambda params: _plan(params, read_batch),
            violates="pel-drains",
            states=85,
        ),
        "repaired": Variant(
            "every worker claims what has been pending for long before it reads",
            lambda params: _plan(params, claiming(params.min_idle_ms)),
            sometimes=[TAKEN_OVER],
            states=214,
            safeguards={"claim": Without(lambda params: _plan(params, read_batch), "pel-drains")},
        ),
        "reaper": Variant(
            "the workers only read; a reaper looks through XPENDING and claims what is idle",
            lambda params: _plan(params, read_batch, _reaper(params)),
            sometimes=[TAKEN_OVER],
            states=208,
            safeguards={"reaper": Without(lambda params: _plan(params, read_batch), "pel-drains")},
        ),
        "reading-with-claim": Variant(
            "every read is one with CLAIM (8.4): it brings what others left alone before what is new",
            lambda params: _plan(params, reading_with_claim(params.min_idle_ms)),
            sometimes=[TAKEN_OVER],
            states=1869,
            safeguards={"claim": Without(lambda params: _plan(params, read_batch), "pel-drains")},
            dialects=READS_AND_CLAIMS,
        ),
    },
    properties=["no-entry-lost", "single-handler", "pel-drains", "handled-at-least-once"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 2, "handle_ms": 300, "min_idle_ms": 3000},
    evidence="a comment says 'will be delivered again after the timeout', and there is no such timeout: orders wait "
    "for ever (openlinker #2164); a week of a stalled queue that no gauge showed (agent-wiki PR #574)",
    advice="Redis never gives a pending entry to anybody by itself, however long it is idle. Let every worker claim, "
    "or read with CLAIM (Redis 8.4), or run one process that does nothing else.",
)

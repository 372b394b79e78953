"""XAUTOCLAIM looks at ten times COUNT entries and no more: who throws its cursor away never sees the rest."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import RENEWED, TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders

SCANNED = 10
"""How many pending entries XAUTOCLAIM COUNT 1 looks at."""
READS_AND_CLAIMS = [name for name, dialect in DIALECTS.items() if dialect.has((8, 4))]


async def hold(redis: Any, me: str, mine: tuple[bytes, ...] = ()) -> tuple[bytes, ...]:
    """Long jobs, all alive: it knows what it had in hand, and renews all of it every second."""
    if not mine:
        ((_, entries),) = await redis.xreadgroup(GROUP, me, {STREAM: "0"}, count=100)
        return tuple(entry_id for entry_id, _ in entries)
    await redis.xclaim(STREAM, GROUP, me, 0, list(mine), justid=True)
    await sleep(1000)
    return mine


def claiming(min_idle_ms: int, count: int, *, keep_cursor: bool) -> TurnFunction:
    """Claims every second, then reads; ``keep_cursor``: the next scan goes on where this one stopped."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=count)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return bytes(next_cursor) if keep_cursor else b"0-0"

    return claim_then_read


def reading_with_claim(min_idle_ms: int) -> TurnFunction:
    """Reads with CLAIM (8.4): the server keeps what is pending in order of time, and there is no cursor to lose."""
    words = ("COUNT", 1, "BLOCK", 1000, "CLAIM", min_idle_ms, "STREAMS", STREAM, ">")

    async def read_with_claim(redis: Any, me: str) -> None:
        for _, entries in await redis.execute_command("XREADGROUP", "GROUP", GROUP, me, *words):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)

    return read_with_claim


def _plan(params: Params, consume: TurnFunction) -> Plan:
    leased = params.leases
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("long-jobs", hold, initial=()),
            Process("worker", consume, handle_ms=params.handle_ms, initial=b"0-0"),
        ],
        setup=[
            ("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM"),
            *(("XADD", STREAM, "*", "job", str(n)) for n in range(leased + 1)),
            ("XREADGROUP", "GROUP", GROUP, "long-jobs", "COUNT", str(leased), "STREAMS", STREAM, ">"),
            ("XREADGROUP", "GROUP", GROUP, "dead", "STREAMS", STREAM, ">"),
        ],
        faults_ms=params.entries * 400,
        within_ms=3 * params.min_idle_ms,
    )


def _claiming(params: Params, *, count: int = 1, keep_cursor: bool) -> Plan:
    return _plan(params, claiming(params.min_idle_ms, count, keep_cursor=keep_cursor))


scenario = Scenario(
    name="autoclaim-cursor-starvation",
    summary="An orphan stands behind many live leases; the scan for orphans must come to it.",
    variants={
        "broken": Variant(
            "every scan begins at 0-0 and sees the same live leases again",
            lambda params: _claiming(params, keep_cursor=False),
            violates="no-orphan",
            states=94,
        ),
        "repaired": Variant(
            "the cursor of XAUTOCLAIM is kept, so that the next scan goes on where this one stopped",
            lambda params: _claiming(params, keep_cursor=True),
            sometimes=[TAKEN_OVER],
            states=94,
            safeguards={"kept-cursor": Without(lambda params: _claiming(params, keep_cursor=False), "no-orphan")},
        ),
        "larger-count": Variant(
            "every scan begins at 0-0, with a COUNT that reaches past all leases that there can be",
            lambda params: _claiming(params, count=1 + params.leases // SCANNED, keep_cursor=False),
            sometimes=[TAKEN_OVER],
            states=94,
            safeguards={"count": Without(lambda params: _claiming(params, keep_cursor=False), "no-orphan")},
        ),
        "reading-with-claim": Variant(
            "the read claims (8.4), the longest idle entry first",
            lambda params: _plan(params, reading_with_claim(params.min_idle_ms)),
            sometimes=[TAKEN_OVER],
            states=471,
            safeguards={"claim": Without(lambda params: _claiming(params, keep_cursor=False), "no-orphan")},
            dialects=READS_AND_CLAIMS,
        ),
    },
    properties=["no-entry-lost", "single-handler", "no-orphan"],
    sometimes=[RENEWED],
    params={"entries": 2, "leases": SCANNED, "handle_ms": 300, "min_idle_ms": 3000},
    evidence="every scan starts at 0-0, so that entries past the first window are never redelivered "
    "(chrisguidry/docket PR #467, avifenesh/glide-mq PR #271)",
    advice="XAUTOCLAIM looks at no more than ten times COUNT pending entries and returns where it stopped. Pass that "
    "cursor to the next call until it is 0-0.",
)

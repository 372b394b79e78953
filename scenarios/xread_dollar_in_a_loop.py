"""A reader asks for what comes after '$' again and again, and misses what came while it was busy."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM = "events"
KNOWS_PLUS = [name for name, dialect in DIALECTS.items() if dialect.read_last_entry]
"""Where XREAD takes '+' for the last entry."""


async def record(redis: Any, me: str, n: int = 0) -> int:
    """Appends an event, and waits for the next."""
    await redis.xadd(STREAM, {"event": n + 1})
    await sleep(300)
    return n + 1


async def read_from_dollar(redis: Any, me: str) -> None:
    """Waits for what comes next, from now on, in every turn anew."""
    for _, entries in await redis.xread({STREAM: "$"}, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields, stream=STREAM)


def reading_on(first: bytes) -> TurnFunction:
    """Begins at ``first``, and then goes on after the last event that it has seen."""

    async def read_on(redis: Any, me: str, last_id: bytes = first) -> bytes:
        for _, entries in await redis.xread({STREAM: last_id}, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields, stream=STREAM)
                last_id = entry_id
        return last_id

    return read_on


def _plan(params: Params, read: TurnFunction, initial: object = None, *, setup: bool = False) -> Plan:
    return Plan(
        processes=[
            Process("journal", record, turns=params.entries, initial=0, start_ms=200),
            Process("reader", read, initial=initial, handle_ms=params.handle_ms, start_ms=100),
        ],
        setup=[("XADD", STREAM, "*", "event", "0")] if setup else [],
        faults_ms=params.entries * 300 + 200,
        within_ms=params.entries * params.handle_ms + 2000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, read_from_dollar)


scenario = Scenario(
    name="xread-dollar-in-a-loop",
    summary="A reader follows a stream; it must see every event that comes after it began.",
    variants={
        "broken": Variant(
            "every XREAD asks for what comes after '$', which is wherever the stream ends by then",
            _broken,
            violates="added-implies-handled",
            states=22,
        ),
        "repaired": Variant(
            "the reader goes on after the last ID that it has seen",
            lambda params: _plan(params, reading_on(b"0"), b"0"),
            states=28,
            safeguards={"going-on-after-the-last-id": Without(_broken, "added-implies-handled")},
        ),
        "from-the-last": Variant(
            "the reader begins with the last event by '+' (7.4), and goes on after its ID",
            lambda params: _plan(params, reading_on(b"+"), b"+", setup=True),
            states=39,
            dialects=KNOWS_PLUS,
            safeguards={"going-on-after-the-last-id": Without(_broken, "added-implies-handled")},
        ),
    },
    properties=["added-implies-handled"],
    params={"entries": 4, "handle_ms": 400},
    evidence="'$' is the ID that the stream ends with when the command arrives, so a loop over it sees only what "
    "happens to come while it waits; questions about missing messages are answered so in many threads",
    advice="Use '$' once at most, to begin. After that pass the last ID that you have seen, or use a group.",
)

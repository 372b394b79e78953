"""The server's clock goes back, IDs go on in the last millisecond, and a reader that counts in milliseconds stops."""

from __future__ import annotations

from typing import Any

from ..sim.events import ClockJumped
from ..sim.plan import SERVER, ClockJump, Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import Once
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property

STREAM = "events"


class Jumped(Once):
    """Was a clock set back?"""

    def on_clock_jumped(self, event: ClockJumped) -> str | None:
        """Met, if it was."""
        return self.see(event) if event.by_ms < 0 else None


CLOCK_BACK = Property("clock-back", "sometimes", "a clock is set back", Jumped)


async def record(redis: Any, me: str, n: int = 0) -> int:
    """Appends an event, and waits for the next."""
    await redis.xadd(STREAM, {"event": n + 1})
    await sleep(500)
    return n + 1


async def follow_by_time(redis: Any, me: str, since_ms: int = 0) -> int:
    """Reads what came after the last millisecond that it has seen."""
    for entry_id, fields in await redis.xrange(STREAM, min=since_ms, count=10):
        await handle(entry_id, fields, stream=STREAM)
        since_ms = int(entry_id.split(b"-")[0]) + 1
    await sleep(200)
    return since_ms


async def follow_by_id(redis: Any, me: str, last_id: bytes = b"0") -> bytes:
    """Reads what came after the last ID that it has seen."""
    for _, entries in await redis.xread({STREAM: last_id}, count=10):
        for entry_id, fields in entries:
            await handle(entry_id, fields, stream=STREAM)
            last_id = entry_id
    await sleep(200)
    return last_id


def _plan(params: Params, follow: TurnFunction, initial: object) -> Plan:
    return Plan(
        processes=[
            Process("journal", record, turns=params.entries, initial=0, start_ms=500),
            Process("follower", follow, initial=initial, handle_ms=0, start_ms=100),
        ],
        setup=[("XADD", STREAM, "*", "event", "0")],
        faults=[ClockJump(SERVER, -params.back_ms)],
        faults_ms=500 * params.entries,
        within_ms=1500,
    )


scenario = Scenario(
    name="clock-back-xadd",
    summary="The server's clock goes back; whoever follows the stream must still see every event.",
    variants={
        "broken": Variant(
            "the follower remembers the millisecond of the last event, and reads from the next one on",
            lambda params: _plan(params, follow_by_time, 0),
            violates="added-implies-handled",
            states=199,
        ),
        "repaired": Variant(
            "the follower remembers the whole ID of the last event",
            lambda params: _plan(params, follow_by_id, b"0"),
            states=223,
            safeguards={
                "following-by-id": Without(lambda params: _plan(params, follow_by_time, 0), "added-implies-handled"),
            },
        ),
    },
    properties=["added-implies-handled"],
    sometimes=[CLOCK_BACK],
    params={"entries": 3, "back_ms": 10_000},
    evidence="IDs never go back: while the clock is behind the last ID, all entries get that millisecond and only the "
    "number after it grows, which programs that take IDs for times do not expect",
    advice="An ID is an order, not a time: after the clock went back many entries share a millisecond. Keep the whole "
    "ID as a position, and put the time that you mean into a field.",
)

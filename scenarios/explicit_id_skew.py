"""Two producers make the IDs of their entries from their own clocks, and one clock is behind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from ..models.dialects import DIALECTS
from ..models.replies import Failure
from ..sim.events import Effect
from ..sim.plan import ClockJump, Params, Plan, Process, TurnFunction
from ..sim.requests import handle, now, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property
from .clock_back_xadd import CLOCK_BACK

STREAM, GROUP = "readings", "store"


class XaddAccepted(Monitor):
    """Looks at the answer to every XADD."""

    def on_effect(self, event: Effect) -> str | None:
        """Was one refused?"""
        for argv, reply in zip(event.commands, event.replies, strict=True):
            if argv[0].upper() == b"XADD" and isinstance(reply, Failure):
                return f"the server refused the entry of {event.process}: {reply.text.decode(errors='replace')}"
        return None


XADD_ACCEPTED = Property(
    "xadd-accepted", "always", "no entry that a producer adds is refused", XaddAccepted,
    "no Effect has an error as the reply to XADD",
)  # fmt: skip


def sensing(make_id: Any) -> TurnFunction:
    """A producer of readings; what is refused is gone, for there is a newer one soon."""

    async def sense(redis: Any, me: str, n: int = 0) -> int:
        with suppress(ResponseError):
            await redis.xadd(STREAM, {"sensor": me, "n": n + 1}, id=await make_id())
        await sleep(400)
        return n + 1

    return sense


async def of_its_clock() -> str:
    """An ID of the producer's own time."""
    return f"{await now()}-0"


async def of_its_clock_in_part() -> str:
    """The producer's own time, with a number that the server chooses (7.0)."""
    return f"{await now()}-*"


async def of_the_server() -> str:
    """An ID that the server makes."""
    return "*"


async def keep(redis: Any, me: str) -> None:
    """Stores what comes in."""
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=10, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)


def _plan(params: Params, make_id: Any) -> Plan:
    sense = sensing(make_id)
    return Plan(
        processes=[
            Process("sensor-a", sense, turns=params.entries, initial=0, start_ms=100),
            Process("sensor-b", sense, turns=params.entries, initial=0, start_ms=300),
            Process("store", keep, handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[ClockJump("sensor-b", -params.behind_ms)],
        faults_ms=params.entries * 400,
        within_ms=2000,
    )


scenario = Scenario(
    name="explicit-id-skew",
    summary="Two producers name the times of their entries; none of them may be refused because a clock is behind.",
    variants={
        "broken": Variant(
            "the producers make the IDs from their own clocks",
            lambda params: _plan(params, of_its_clock),
            violates="xadd-accepted",
            states=26,
        ),
        "repaired": Variant(
            "the server makes the IDs",
            lambda params: _plan(params, of_the_server),
            states=78,
            safeguards={"ids-of-the-server": Without(lambda params: _plan(params, of_its_clock), "xadd-accepted")},
        ),
        "time-and-star": Variant(
            "the producers give the millisecond and let the server number it (7.0), which helps in equal ones only",
            lambda params: _plan(params, of_its_clock_in_part),
            violates="xadd-accepted",
            states=26,
            dialects=[name for name, dialect in DIALECTS.items() if dialect.open_sequence],
        ),
    },
    properties=[XADD_ACCEPTED],
    sometimes=[CLOCK_BACK],
    params={"entries": 3, "handle_ms": 20, "behind_ms": 1000},
    evidence="'The ID specified in XADD is equal or smaller than the target stream top item' where several writers "
    "make IDs (upstash/realtime #11, sewenew/redis-plus-plus #398)",
    advice="The IDs of a stream only grow, so of several clocks the slowest loses its entries. Let the server make the "
    "IDs with '*', and put your own time into a field.",
)

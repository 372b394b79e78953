"""An operator sets a group back to have everything handled again, while workers are at it."""

from __future__ import annotations

from typing import Any

from ..models.facts import CursorMoved
from ..sim.events import Event
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.sometimes import Once
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property

STREAM, GROUP, AGAIN = "orders", "workers", "replay"


class Rewound(Once):
    """Was a group set back?"""

    def on_cursor_moved(self, fact: CursorMoved, event: Event) -> str | None:
        """Met, if it was by SETID."""
        return self.see(fact) if fact.cause == "SETID" and fact.cursor < fact.before else None


REWOUND = Property("rewound", "sometimes", "a group is set back with XGROUP SETID", Rewound)


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds one order, then waits for the next customer."""
    await redis.xadd(STREAM, {"order": n + 1})
    await sleep(400)
    return n + 1


def working(group: str) -> TurnFunction:
    """A worker of ``group``."""

    async def work(redis: Any, me: str) -> None:
        for _, entries in await redis.xreadgroup(group, me, {STREAM: ">"}, count=1, block=500):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, group, entry_id)

    return work


async def rewind(redis: Any, me: str) -> None:
    """Sets the group back to the beginning."""
    await redis.xgroup_setid(STREAM, GROUP, "0")


async def rewind_when_idle(redis: Any, me: str, done: int = 0) -> int:
    """Sets the group back once nothing is pending in it; until then it looks again."""
    await sleep(100)
    if not done:
        pending = await redis.xpending(STREAM, GROUP)
        if not pending["pending"]:
            await redis.xgroup_setid(STREAM, GROUP, "0")
            return 1
    return done


async def replay_apart(redis: Any, me: str, started: int = 0) -> int:
    """Creates a group for the replay, and handles everything again in it."""
    if not started:
        await redis.xgroup_create(STREAM, AGAIN, id="0")
    await working(AGAIN)(redis, me)
    return 1


def _plan(params: Params, operator: Process) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(Process(name, working(GROUP), handle_ms=params.handle_ms) for name in ("worker-a", "worker-b")),
            operator,
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=3000 + 3 * params.entries * params.handle_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, Process("operator", rewind, turns=1, start_ms=params.rewind_ms))


scenario = Scenario(
    name="group-setid-rewind",
    summary="A group is set back to handle everything again; no order may be handled by two at a time.",
    variants={
        "broken": Variant(
            "XGROUP SETID 0 while orders are pending, so that '>' delivers them once more",
            _broken,
            violates="single-handler",
            states=36,
            sometimes=[REWOUND],
        ),
        "repaired": Variant(
            "the replay has a group of its own, which starts at 0",
            lambda params: _plan(
                params, Process("operator", replay_apart, initial=0, handle_ms=20, start_ms=params.rewind_ms)
            ),
            states=218,
            safeguards={"a-group-of-its-own": Without(_broken, "single-handler")},
        ),
        "when-idle": Variant(
            "XGROUP SETID 0 only when a look shows that nothing is pending",
            lambda params: _plan(
                params, Process("operator", rewind_when_idle, turns=40, initial=0, start_ms=params.rewind_ms)
            ),
            states=344,
            sometimes=[REWOUND],
            safeguards={"waiting-until-idle": Without(_broken, "single-handler")},
        ),
    },
    properties=["single-handler", "handled-at-least-once"],
    params={"entries": 2, "handle_ms": 600, "rewind_ms": 200},
    evidence="a group that is set back delivers by '>' what is still pending for another, takes it from its owner, and "
    "counts from 1 again (redis/redis #5111, PR #5112, PR #14726)",
    advice="SETID moves the cursor and leaves the pending list alone, so what is pending is delivered twice. Replay in "
    "a group of its own, or stop the workers and let the list drain first.",
)

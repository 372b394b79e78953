"""The server's clock goes back an hour, and what a dead worker had pending cannot be claimed for that hour."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import SERVER, ClockJump, Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from .clock_back_xadd import CLOCK_BACK
from .clock_jump_forward_claims_all import (
    GROUP,
    STREAM,
    by_its_own_clock,
    by_the_servers_clock,
    take_orders,
    work,
)

READS_CLAIM = [name for name, dialect in DIALECTS.items() if dialect.has((8, 4))]


def by_a_claiming_read(min_idle_ms: int) -> TurnFunction:
    """Claims with XREADGROUP CLAIM (8.4), for which what was delivered in the future has been idle without end."""

    async def claim(redis: Any, me: str, before: Any = ()) -> Any:
        found = await redis.execute_command(
            "XREADGROUP", "GROUP", GROUP, me, "CLAIM", min_idle_ms, "STREAMS", STREAM, ">"
        )
        for _, entries in found or ():
            for entry_id, fields, *_ in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        await sleep(1000)
        return ()

    return claim


def _plan(params: Params, claim: TurnFunction) -> Plan:
    dead = ("XREADGROUP", "GROUP", GROUP, "worker-that-died", "STREAMS", STREAM, ">")
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", work, handle_ms=params.handle_ms),
            Process("claimer", claim, initial=(), handle_ms=params.handle_ms),
        ],
        setup=[("XADD", STREAM, "*", "order", "0"), ("XGROUP", "CREATE", STREAM, GROUP, "0"), dead],
        faults=[ClockJump(SERVER, -params.back_ms)],
        faults_ms=params.min_idle_ms - 500,
        within_ms=2 * params.min_idle_ms,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, by_the_servers_clock(params.min_idle_ms, 500))


scenario = Scenario(
    name="clock-back-freezes-idle",
    summary="The server's clock goes back; what a dead worker had must be taken over all the same.",
    variants={
        "broken": Variant(
            "the claimer asks for an idle time, which stands still until the clock has caught up",
            _broken,
            violates="no-orphan",
            states=274,
        ),
        "repaired": Variant(
            "the claimer goes by its own waiting: it claims what it saw pending before and after",
            lambda params: _plan(params, by_its_own_clock(params.min_idle_ms)),
            states=671,
            safeguards={"waiting-by-its-own-clock": Without(_broken, "no-orphan")},
        ),
        "claiming-read": Variant(
            "XREADGROUP with CLAIM (8.4) takes at once what was delivered in the future",
            lambda params: _plan(params, by_a_claiming_read(params.min_idle_ms)),
            states=1582,
            dialects=READS_CLAIM,
            safeguards={"claiming-by-reading": Without(_broken, "no-orphan")},
        ),
    },
    properties=["no-orphan", "handled-at-least-once"],
    sometimes=[CLOCK_BACK],
    params={"entries": 1, "handle_ms": 100, "min_idle_ms": 2000, "back_ms": 3_600_000},
    evidence="an entry that was delivered in the future is not idle: XAUTOCLAIM and XCLAIM pass it over until the "
    "clock is there again, and XPENDING says 0 the whole time",
    advice="A clock that steps back keeps pending entries from being claimed for as long as it stepped. Slew the clock "
    "instead of stepping it, or claim what you have seen pending yourself for long enough.",
)

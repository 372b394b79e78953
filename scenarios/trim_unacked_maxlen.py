"""The stream is kept short with MAXLEN, whoever has still an order pending that falls off its end."""

from __future__ import annotations

from typing import Any

from ..models.dialects import DIALECTS
from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, TRIMMED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

STREAM, GROUP = "orders", "workers"
KNOWS_REFERENCES = [name for name, dialect in DIALECTS.items() if dialect.has((8, 2))]


def taking(*maxlen: object) -> TurnFunction:
    """A shop that adds an order and trims as it does so: ``maxlen`` are the words of XADD after the key."""

    async def take_orders(redis: Any, me: str, n: int = 0) -> int:
        await redis.execute_command("XADD", STREAM, *maxlen, "*", "order", n + 1)
        await sleep(400)
        return n + 1

    return take_orders


def claiming(min_idle_ms: int) -> TurnFunction:
    """A worker that claims what a dead one left, as it should."""

    async def claim_then_read(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
        next_cursor, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, cursor, count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                if fields:  # before 7.0 a claim gives what was trimmed as an ID without content
                    await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)
        return bytes(next_cursor)

    return claim_then_read


async def trim_what_is_done(redis: Any, me: str) -> None:
    """Trims up to the lowest order that is pending, or else up to the last that was delivered."""
    pending = await redis.xpending(STREAM, GROUP)
    if not pending["min"]:
        await trim_what_was_delivered(redis, me)
        return
    await redis.xtrim(STREAM, minid=pending["min"].decode(), approximate=False)
    await sleep(1000)


async def trim_what_was_delivered(redis: Any, me: str) -> None:
    """Trims up to the last order that was delivered."""
    (group,) = await redis.xinfo_groups(STREAM)
    await redis.xtrim(STREAM, minid=group["last-delivered-id"].decode(), approximate=False)
    await sleep(1000)


def _janitor(trim: TurnFunction) -> Process:
    return Process("janitor", trim, turns=6, start_ms=1000)


def _plan(params: Params, take: TurnFunction, *others: Process) -> Plan:
    return Plan(
        processes=[
            Process("shop", take, turns=params.entries, initial=0),
            *(
                Process(
                    name, claiming(params.min_idle_ms), handle_ms=params.handle_ms, initial=b"0-0",
                    restart=Restart(after_ms=500, new_name=True),
                )
                for name in ("worker-a", "worker-b")
            ),
            *others,
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(("worker-a", "worker-b"), when="holding")],
        faults_ms=max(params.entries - 2, 1) * 400,
        within_ms=params.min_idle_ms + 3000,
    )  # fmt: skip


scenario = Scenario(
    name="trim-unacked-maxlen",
    summary="The stream is kept short; an order that is pending must be there until it is acknowledged.",
    variants={
        "broken": Variant(
            "XADD with MAXLEN cuts off the oldest orders, pending or not",
            lambda params: _plan(params, taking("MAXLEN", params.maxlen)),
            violates="trim-respects-pending",
            states=132,
            sometimes=[TRIMMED],
        ),
        "repaired": Variant(
            "a janitor trims with MINID up to the lowest order that is pending",
            lambda params: _plan(params, taking(), _janitor(trim_what_is_done)),
            states=1589,
            sometimes=[TRIMMED],
            safeguards={
                "sparing-the-pending": Without(
                    lambda params: _plan(params, taking(), _janitor(trim_what_was_delivered)), "trim-respects-pending"
                ),
            },
        ),
        "delref": Variant(
            "XADD with MAXLEN and DELREF (8.2) takes the pending reference away with the order",
            lambda params: _plan(params, taking("MAXLEN", params.maxlen, "DELREF")),
            violates="trim-respects-pending",
            states=132,
            sometimes=[TRIMMED],
            dialects=KNOWS_REFERENCES,
        ),
        "acked": Variant(
            "XADD with MAXLEN and ACKED (8.2) cuts off only what every group has acknowledged",
            lambda params: _plan(params, taking("MAXLEN", params.maxlen, "ACKED")),
            states=989,
            sometimes=[TRIMMED],
            safeguards={
                "saying-acked": Without(
                    lambda params: _plan(params, taking("MAXLEN", params.maxlen)), "trim-respects-pending"
                ),
            },
            dialects=KNOWS_REFERENCES,
        ),
    },
    properties=["trim-respects-pending", "trim-respects-cursor", "handled-at-least-once", "no-orphan"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 5, "maxlen": 2, "handle_ms": 300, "min_idle_ms": 4000},
    evidence="MAXLEN is taken for safe and removes what is pending: the claim finds an ID without content, or nothing "
    "(redis/redis #6199, #10198, PR #14623)",
    advice="MAXLEN and MINID look at the stream, never at the groups. Trim up to the lowest pending ID of all groups, "
    "or say ACKED where the server has it (Redis 8.2).",
)

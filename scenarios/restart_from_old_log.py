"""The power goes, and the server starts again from a file whose end never came to the disk. The cursor is back."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as Disconnected

from ..sim.plan import Params, Plan, Process
from ..sim.properties.lost_servers import ACK_LOST, SERVER_LOST
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.server_faults import ServerRestart
from .failover_loses_ack import GROUP, STREAM, take_orders


async def work(redis: Any, me: str) -> None:
    """Handles orders and acknowledges them: those of its own that are pending first, then new ones."""
    try:
        for start in ("0", ">"):
            for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: start}, count=1):
                for entry_id, fields in entries:
                    await handle(entry_id, fields)
                    await redis.xack(STREAM, GROUP, entry_id)
                    return
    except Disconnected:
        pass
    await sleep(100)


def _plan(params: Params, loses: int, keeps: str = "file") -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            Process("worker", work, handle_ms=params.handle_ms),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[ServerRestart(keeps, loses=loses, from_ms=params.from_ms)],
        faults_ms=params.from_ms + 300,
        within_ms=500,
    )


scenario = Scenario(
    name="restart-from-old-log",
    summary="A server restarts from an append-only file that lacks its end: the group's cursor and its acknowledgments "
    "go back.",
    variants={
        "broken": Variant(
            "appendfsync everysec (or no): what was written last may not be on the disk when the power goes",
            lambda params: _plan(params, params.lag),
            violates="acked-never-handled-again",
            sometimes=[ACK_LOST],
            states=69,
        ),
        "snapshot": Variant(
            "no append-only file: the server starts again from its last snapshot, which was taken a while ago",
            lambda params: _plan(params, params.lag, "snapshot"),
            violates="acked-never-handled-again",
            sometimes=[ACK_LOST],
            states=76,
        ),
        "repaired": Variant(
            "appendfsync always: the server answers once what it answers is on the disk",
            lambda params: _plan(params, 0),
            states=95,
            safeguards={
                "fsync-always": Without(lambda params: _plan(params, params.lag), "acked-never-handled-again"),
            },
        ),
    },
    properties=["acked-never-handled-again", "single-handler", "pel-drains"],
    sometimes=[SERVER_LOST],
    params={"entries": 2, "handle_ms": 20, "lag": 2, "from_ms": 200},
    evidence="redis/redis #7105: after a restart from the append-only file the last-delivered-id had gone back, and "
    "all that was handled since came again",
    advice="With appendfsync everysec a crash of the machine takes the last second of reads and acknowledgments with "
    "it. Use appendfsync always where that must not be, or make handling idempotent.",
)

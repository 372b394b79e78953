"""Two changes of one account: the worker with the first one dies, the second is handled, the first is claimed later."""

from __future__ import annotations

from typing import Any

from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED_HOLDING, READ_AGAIN, TAKEN_OVER
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without

ACCOUNTS = ("alice", "bob")
STREAM, GROUP = "changes", "workers"


def changing(stream_of: Any) -> TurnFunction:
    """Adds one change after the other, now of one account, now of the other; ``stream_of`` says where."""

    async def change(redis: Any, me: str, n: int = 0) -> int:
        account = ACCOUNTS[n % 2]
        await redis.xadd(stream_of(account), {"key": account, "n": n + 1})
        await sleep(300)
        return n + 1

    return change


def one_stream(account: str) -> str:
    """All accounts in one stream."""
    return STREAM


def stream_of(account: str) -> str:
    """A stream for each account."""
    return f"{STREAM}:{account}"


def sharing(min_idle_ms: int) -> TurnFunction:
    """One of several workers that share a stream, and claim what one of them has left."""

    async def claim_then_read(redis: Any, me: str) -> None:
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, GROUP, entry_id)

    return claim_then_read


def owning(account: str, *, start: str) -> TurnFunction:
    """The only worker of an account. After a start it reads its history if ``start`` is 0, or only what is new."""
    stream = stream_of(account)

    async def read_in_order(redis: Any, me: str, since: str = "") -> str:
        since = since or start
        batches = await redis.xreadgroup(GROUP, me, {stream: since}, count=1, block=1000)
        found = [entry for _, entries in batches for entry in entries]
        for entry_id, fields in found:
            await handle(entry_id, fields, stream=stream)
            await redis.xack(stream, GROUP, entry_id)
        return since if found else ">"

    return read_in_order


def _plan(params: Params, names: list[str], change: TurnFunction, workers: list[Process]) -> Plan:
    return Plan(
        processes=[Process("bank", change, turns=params.entries, initial=0), *workers],
        setup=[("XGROUP", "CREATE", name, GROUP, "$", "MKSTREAM") for name in names],
        faults=[Crash(tuple(worker.name for worker in workers), when="holding")],
        faults_ms=max(params.entries - 2, 1) * 300 - 50,
        within_ms=params.entries * 300 + params.min_idle_ms + 2000,
    )


def _sharing(params: Params) -> Plan:
    workers = [
        Process(name, sharing(params.min_idle_ms), handle_ms=params.handle_ms, restart=None)
        for name in ("worker-a", "worker-b")
    ]
    return _plan(params, [STREAM], changing(one_stream), workers)


def _owning(params: Params, *, start: str = "0", both: bool = False) -> Plan:
    workers = [
        Process(
            f"{account}-{i}", owning(account, start=start), handle_ms=params.handle_ms, initial="",
            consumer=account, restart=Restart(after_ms=1000), start_ms=50 * i,
        )
        for account in ACCOUNTS
        for i in range(1 + both)
    ]  # fmt: skip
    return _plan(params, [stream_of(account) for account in ACCOUNTS], changing(stream_of), workers)


scenario = Scenario(
    name="reorder-by-claim",
    summary="A change of an account is claimed late; it must not undo a newer one that is already made.",
    variants={
        "broken": Variant(
            "two workers share the stream, and what one leaves the other claims when it has been idle for long",
            _sharing,
            violates="per-key-order",
            sometimes=[TAKEN_OVER],
            states=375,
        ),
        "repaired": Variant(
            "each account has its stream and one worker, which finishes what it had in hand before it reads on",
            _owning,
            sometimes=[READ_AGAIN],
            states=298,
            safeguards={
                "history-first": Without(lambda params: _owning(params, start=">"), "handled-at-least-once"),
                "one-worker-for-each-account": Without(lambda params: _owning(params, both=True), "per-key-order"),
                "one-stream-for-each-account": Without(_sharing, "per-key-order"),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "per-key-order"],
    sometimes=[CRASHED_HOLDING],
    params={"entries": 5, "handle_ms": 200, "min_idle_ms": 2000},
    evidence="order is lost as soon as several consumers work on one stream (dapr/components-contrib #277, "
    "redpanda-data/connect #1800), and a claim comes a whole min-idle later",
    advice="A group gives order to nobody: a claimed entry comes after all that was handled meanwhile. Where the order "
    "of a key matters, give the key one stream and one worker at a time, which reads its history first.",
)

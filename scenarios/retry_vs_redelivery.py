"""A failed job is added again as a new entry and the old one acknowledged later: two attempts run at once."""

from __future__ import annotations

from typing import Any

from ..models import ids
from ..models.facts import Added
from ..sim.events import Crashed, Event, Handled, Handling
from ..sim.plan import Crash, Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property
from .crash_before_ack import GROUP, STREAM


async def take_jobs(redis: Any, me: str, n: int = 0) -> int:
    """Adds one job; what belongs to it carries its key."""
    await redis.xadd(STREAM, {"key": f"job-{n + 1}", "attempt": 1})
    await sleep(2000)
    return n + 1


async def add_then_tell_then_ack(redis: Any, entry_id: bytes, again: dict[str, Any]) -> None:
    """Adds the retry, tells whoever wants to know of failures, and acknowledges at last."""
    await redis.xadd(STREAM, again)
    await sleep(1300)
    await redis.xack(STREAM, GROUP, entry_id)


async def add_then_ack(redis: Any, entry_id: bytes, again: dict[str, Any]) -> None:
    """Adds the retry, and acknowledges at once: there is still a moment between."""
    await redis.xadd(STREAM, again)
    await redis.xack(STREAM, GROUP, entry_id)


async def in_one_transaction(redis: Any, entry_id: bytes, again: dict[str, Any]) -> None:
    """Adds the retry and acknowledges in one transaction."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.xadd(STREAM, again).xack(STREAM, GROUP, entry_id)
        await pipe.execute()


def working(min_idle_ms: int, fail: Any) -> TurnFunction:
    """Every first attempt fails: ``fail`` says what becomes of it."""

    async def claim_then_read(redis: Any, me: str) -> None:
        _, claimed, *_ = await redis.xautoclaim(STREAM, GROUP, me, min_idle_ms, "0-0", count=1)
        batches = [(STREAM, claimed)] if claimed else []
        for _, entries in batches or await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1, block=700):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                if fields[b"attempt"] == b"1":
                    await fail(redis, entry_id, {"key": fields[b"key"], "attempt": 2})
                else:
                    await redis.xack(STREAM, GROUP, entry_id)

    return claim_then_read


class OneAttemptPerKey(Monitor):
    """Knows which jobs are being worked on, whatever entry stands for them."""

    def __init__(self) -> None:
        self.keys: dict[bytes, bytes] = {}
        """Entry to the key of its job."""
        self.working: dict[bytes, str] = {}

    def on_added(self, fact: Added, event: Event) -> str | None:
        """The entry stands for a job."""
        fields = dict(zip(fact.fields[::2], fact.fields[1::2], strict=True))
        if b"key" in fields:
            self.keys[ids.show(fact.id)] = fields[b"key"]
        return None

    def on_handling(self, event: Handling) -> str | None:
        """Nobody else may be at the same job."""
        key = self.keys.get(event.entry)
        if key is None:
            return None
        other = self.working.setdefault(key, event.process)
        if other == event.process:
            return None
        return f"{event.process} began an attempt of {key.decode()} while {other} was still at another"

    def on_handled(self, event: Handled) -> str | None:
        """The attempt is over."""
        key = self.keys.get(event.entry)
        if key is not None and self.working.get(key) == event.process:
            del self.working[key]
        return None

    def on_crashed(self, event: Crashed) -> str | None:
        """A dead process attempts nothing."""
        self.working = {key: process for key, process in self.working.items() if process != event.process}
        return None


ONE_ATTEMPT_PER_KEY = Property(
    "one-attempt-per-key", "always", "at most one attempt of a job runs at a time", OneAttemptPerKey,
    "between Handling and Handled (or the crash of its process) no other process has a Handling event of an entry with "
    "the same field 'key'",
)  # fmt: skip


def _plan(params: Params, fail: Any, *, min_idle_ms: int | None = None, crashes: int = 1) -> Plan:
    consume = working(params.min_idle_ms if min_idle_ms is None else min_idle_ms, fail)
    names = ("worker-a", "worker-b", "worker-c")
    return Plan(
        processes=[
            Process("clock", take_jobs, turns=params.entries, initial=0),
            *(Process(name, consume, handle_ms=params.handle_ms + 7 * i) for i, name in enumerate(names)),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults=[Crash(names, budget=crashes, when="holding")] if crashes else [],
        faults_ms=params.entries * 2000,
        within_ms=3 * params.min_idle_ms + 2000,
    )


scenario = Scenario(
    name="retry-vs-redelivery",
    summary="A job is retried as a new entry; the old one must not be redelivered beside it.",
    variants={
        "broken": Variant(
            "the retry is added first, and the old entry acknowledged when everything else is done",
            lambda params: _plan(params, add_then_tell_then_ack, crashes=0),
            violates="one-attempt-per-key",
            states=306,
        ),
        "repaired": Variant(
            "the retry is added and the old entry acknowledged in one transaction",
            lambda params: _plan(params, in_one_transaction),
            states=3096,
            safeguards={
                "one-transaction": Without(lambda params: _plan(params, add_then_ack), "one-attempt-per-key"),
                "min-idle-above-handling": Without(
                    lambda params: _plan(params, in_one_transaction, min_idle_ms=params.handle_ms // 2),
                    "one-attempt-per-key",
                ),
            },
        ),
    },
    properties=["no-entry-lost", ONE_ATTEMPT_PER_KEY, "pel-drains"],
    params={"entries": 1, "handle_ms": 1200, "min_idle_ms": 1500},
    evidence="a retry, which is a new entry, and a redelivery of the old one ran together; the author could not write "
    "a test of it that does not flake (chrisguidry/docket #245, PR #248)",
    advice="Between adding the retry and acknowledging the old entry both stand for the job. Do the two in one "
    "transaction, and keep min-idle above the longest attempt.",
)

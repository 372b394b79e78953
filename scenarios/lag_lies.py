"""A program goes by the lag that XINFO GROUPS tells, which after deletions, trims and SETID is null or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..models.dialects import DIALECTS
from ..models.facts import LagReported
from ..sim.events import Event
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.accounting import LiveEntries
from ..sim.properties.sometimes import Once
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Property
from .tombstone_poison_loop import CANCELLED, REST_IS_HANDLED

STREAM, GROUP = "jobs", "batch"
COUNTS = [name for name, dialect in DIALECTS.items() if dialect.counts_entries]
"""Where there is a lag: from 7.0 on."""
KNOWS_TRIMS = [name for name in COUNTS if DIALECTS[name].lag_known_when_unread]
"""Where a lag after a trim counts what is left: Redis from 8.0 on."""


class LagIsTrue(LiveEntries):
    """Counts what is left past the cursor whenever a lag is told."""

    def on_lag_reported(self, fact: LagReported, event: Event) -> str | None:
        """Null is no lie; a number has to be the number."""
        left = sum(entry_id > fact.cursor for entry_id in self.live.get(fact.born, []))
        if fact.lag is None or fact.lag == left:
            return None
        told = "1 entry is" if fact.lag == 1 else f"{fact.lag} entries are"
        there = "there is 1" if left == 1 else f"there are {left or 'none'}"
        return f"XINFO says that {told} left for group {fact.group.decode()}, and {there}"


LAG_IS_TRUE = Property(
    "lag-is-true", "always", "a lag that XINFO tells is the number of entries that are left", LagIsTrue,
    "at each LagReported, lag is None or the number of live IDs past the cursor; without exceptions",
)  # fmt: skip


class LagTold(Once):
    """Was a lag told?"""

    def on_lag_reported(self, fact: LagReported, event: Event) -> str | None:
        """Met."""
        return self.see(fact)


LAG_TOLD = Property("lag-told", "sometimes", "XINFO tells a lag", LagTold)


async def add_jobs(redis: Any, me: str, n: int = 0) -> int:
    """Adds a job."""
    await redis.xadd(STREAM, {"job": n + 1})
    return n + 1


async def take(redis: Any, me: str) -> int:
    """Reads a job, does it, acknowledges it; how many there were."""
    done = 0
    for _, entries in await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack(STREAM, GROUP, entry_id)
            done += 1
    return done


async def until_no_lag(redis: Any, me: str, over: int = 0) -> int:
    """Works until no lag is told, and is over then."""
    (group,) = await redis.xinfo_groups(STREAM)
    if over or not group["lag"]:
        await sleep(1000)
        return 1
    await take(redis, me)
    return 0


async def until_nothing_comes(redis: Any, me: str, over: int = 0) -> int:
    """Works until a read finds nothing, and is over then; the lag is for people to look at."""
    await redis.xinfo_groups(STREAM)
    if over or not await take(redis, me):
        await sleep(1000)
        return 1
    return 0


async def look(redis: Any, me: str) -> None:
    """Looks at the lag, as a monitor does."""
    await redis.xinfo_groups(STREAM)
    await sleep(400)


async def cancel_one(redis: Any, me: str) -> None:
    """Deletes a job from the middle of those that wait."""
    entries = await redis.xrange(STREAM)
    await redis.xdel(STREAM, entries[len(entries) // 2][0])


async def trim(redis: Any, me: str) -> None:
    """Has the group read one job, then keeps two."""
    await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1)
    await redis.xtrim(STREAM, maxlen=2, approximate=False)


async def set_group(redis: Any, me: str) -> None:
    """Sets the group to the middle, and says that it has read one job."""
    entries = await redis.xrange(STREAM)
    await redis.xgroup_setid(STREAM, GROUP, entries[len(entries) // 2][0], entries_read=1)


async def set_stream(redis: Any, me: str) -> None:
    """Has the group read all jobs but one, keeps two, and says that no others were ever added (XSETID)."""
    entries = await redis.xrange(STREAM)
    await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=max(len(entries) - 1, 1))
    await redis.xtrim(STREAM, maxlen=2, approximate=False)
    await redis.execute_command("XSETID", STREAM, entries[-1][0], "ENTRIESADDED", 2)


async def claim_last(redis: Any, me: str) -> None:
    """Has the group read one job, and moves its cursor with XCLAIM LASTID, as a replica is told to."""
    entries = await redis.xrange(STREAM)
    await redis.xreadgroup(GROUP, me, {STREAM: ">"}, count=1)
    middle = entries[len(entries) // 2][0]
    await redis.execute_command("XCLAIM", STREAM, GROUP, me, 0, entries[0][0], "LASTID", middle)


def _plan(params: Params, *others: Process) -> Plan:
    return Plan(
        processes=[Process("source", add_jobs, turns=params.entries, initial=0), *others],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")],
        faults_ms=1000,
        within_ms=params.entries * params.handle_ms + 2000,
    )


def _batch(params: Params, work: TurnFunction) -> Plan:
    customer = Process("customer", cancel_one, turns=1, start_ms=100)
    worker = Process("worker", work, initial=0, handle_ms=params.handle_ms, start_ms=500)
    return _plan(params, customer, worker)


def _broken(params: Params) -> Plan:
    return _batch(params, until_no_lag)


def _lie(
    summary: str, meddle: TurnFunction, dialects: Sequence[str], *, states: int, violates: str | None = "lag-is-true"
) -> Variant:
    def plan(params: Params) -> Plan:
        monitor = Process("monitor", look, start_ms=500)
        return _plan(params, Process("operator", meddle, turns=1, start_ms=100), monitor)

    return Variant(summary, plan, violates, properties=[LAG_IS_TRUE], states=states, dialects=dialects)


scenario = Scenario(
    name="lag-lies",
    summary="A program goes by the lag of its group; it must not stop while there is something left to do.",
    variants={
        "broken": Variant(
            "a batch works until there is no lag, and takes null (a job was deleted with XDEL) for none",
            _broken,
            violates="rest-is-handled",
            states=20,
            properties=[REST_IS_HANDLED],
            sometimes=[CANCELLED],
            dialects=COUNTS,
        ),
        "repaired": Variant(
            "a batch works until a read finds nothing",
            lambda params: _batch(params, until_nothing_comes),
            states=37,
            properties=[REST_IS_HANDLED, LAG_IS_TRUE],
            sometimes=[CANCELLED],
            dialects=COUNTS,
            safeguards={"asking-the-stream": Without(_broken, "rest-is-handled")},
        ),
        "trimmed": _lie(
            "a trim before 8.0, and on Valkey: what is gone still counts", trim,
            [name for name in COUNTS if name not in KNOWS_TRIMS],
            states=15,
        ),
        "trimmed-from-8": _lie(
            "the same trim from 8.0 on: the lag is what is left", trim, KNOWS_TRIMS,
            violates=None,
            states=28,
        ),
        "setid": _lie(
            "XGROUP SETID with an ENTRIESREAD that is not so", set_group, COUNTS,
            states=15,
        ),
        "xsetid": _lie(
            "XSETID with an ENTRIESADDED that is not so: the lag is below 0", set_stream, COUNTS,
            states=17,
        ),
        "lastid": _lie(
            "XCLAIM with LASTID moves the cursor, and not what was read", claim_last, COUNTS,
            states=16,
        ),
    },
    sometimes=[LAG_TOLD],
    params={"entries": 5, "handle_ms": 50},
    evidence="lags that are null, too high or negative after XDEL, trims, XSETID and LASTID (redis/redis #13957, "
    "#10569, #15488), and clients and programs that cannot take it (redis/go-redis PR #3369)",
    advice="Lag is computed from counters, and is null where they cannot be trusted; it can also be wrong. Show it to "
    "people, never take null for 0, and let a read that finds nothing tell you that you are done.",
)

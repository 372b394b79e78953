"""A user's points as a stream of events: balances are built from it live, later, and from a snapshot."""

from __future__ import annotations

from typing import Any

from ..models.facts import Added
from ..sim.events import Event
from ..sim.plan import Params, Plan, Process
from ..sim.properties.sometimes import TRIMMED
from ..sim.requests import publish, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property

EVENTS, SNAPSHOTS = "user:123:events", "user:123:snapshots"
LIVE = ("dashboard", "billing")
"""The two groups, and consumers, that build the balance live."""
JOURNAL = (("earned", 50), ("earned", 30), ("earned", 40), ("spent", 20), ("earned", 5), ("spent", 10))


def change(fields: Any) -> int:
    """What one event does to the balance."""
    points = int(fields[b"points"])
    return points if fields[b"type"] == b"earned" else -points


def as_pair(entry_id: bytes) -> tuple[int, int]:
    """An ID as two numbers: as text, 9-0 would come after 10-0."""
    ms, seq = entry_id.split(b"-")
    return int(ms), int(seq)


async def record(redis: Any, me: str, n: int = 0) -> int:
    """Appends the next event of the journal."""
    kind, points = JOURNAL[n % len(JOURNAL)]
    await redis.xadd(EVENTS, {"type": kind, "points": points})
    await sleep(500)
    return n + 1


async def project_live(redis: Any, me: str, balance: int = 0) -> int:
    """Builds the balance as events come in, in a group of its own."""
    for _, entries in await redis.xreadgroup(me, me, {EVENTS: ">"}, block=1000):
        for entry_id, fields in entries:
            balance += change(fields)
            await redis.xack(EVENTS, me, entry_id)
            await publish("balance", balance, entry_id)
    return balance


async def project_late(redis: Any, me: str, state: tuple[bytes, int] = (b"0", 0)) -> tuple[bytes, int]:
    """Builds the same balance later, from the first event that the stream still has."""
    upto, balance = state
    for _, entries in await redis.xread({EVENTS: upto}, block=1000):
        for entry_id, fields in entries:
            upto, balance = entry_id, balance + change(fields)
            await publish("balance", balance, upto)
    return upto, balance


async def project_from_snapshot(redis: Any, me: str, state: tuple[bytes, int] = (b"0", 0)) -> tuple[bytes, int]:
    """Like ``project_late``, but it starts from the newest snapshot."""
    if state == (b"0", 0):
        for _, snapshot in await redis.xrevrange(SNAPSHOTS, count=1):
            state = (snapshot[b"upto"], int(snapshot[b"balance"]))
            await publish("balance", state[1], state[0])
    return await project_late(redis, me, state)


async def trim_blindly(redis: Any, me: str) -> None:
    """Keeps the stream short, whoever may still want what it cuts off."""
    await sleep(2200)
    await redis.xtrim(EVENTS, maxlen=2, approximate=False)


async def snapshot_then_trim(redis: Any, me: str, state: tuple[bytes, int] = (b"0", 0)) -> tuple[bytes, int]:
    """Saves the balance first, then trims what the snapshot covers and every group has acknowledged."""
    await sleep(1500)
    upto, balance = state
    for _, entries in await redis.xread({EVENTS: upto}):
        for entry_id, fields in entries:
            upto, balance = entry_id, balance + change(fields)
    if upto == state[0]:
        return state
    await redis.xadd(SNAPSHOTS, {"balance": balance, "upto": upto}, maxlen=1, approximate=False)
    safe = upto
    for name in LIVE:
        pending = await redis.xpending(EVENTS, name)
        groups = {group["name"]: group for group in await redis.xinfo_groups(EVENTS)}
        needed = pending["min"] or groups[name.encode()]["last-delivered-id"]
        safe = min(safe, needed, key=as_pair)
    await redis.xtrim(EVENTS, minid=safe.decode(), approximate=False)
    return upto, balance


def spending(points: int, *, expected: bool) -> Any:
    """A service that spends points once, if the balance that it has read allows it.

    With ``expected`` the event's ID is the one after the last that was read: Redis refuses it when
    anything was added meanwhile, and the service reads again.
    """

    async def spend(redis: Any, me: str, done: int = 0) -> int:
        await sleep(900 if not done else 5000)
        if done:
            return done
        entries = await redis.xrange(EVENTS)
        balance = sum(change(fields) for _, fields in entries)
        if balance < points:
            return 0
        await sleep(50)  # the decision takes its time, and is stale when it is written
        entry_id = "*"
        if expected:
            ms, seq = as_pair(entries[-1][0])
            entry_id = f"{ms}-{seq + 1}"
        try:
            await redis.xadd(EVENTS, {"type": "spent", "points": points}, id=entry_id)
        except Exception as error:
            if "equal or smaller" not in str(error):
                raise
            return 0  # somebody was faster: decide again, on what is there now
        return 1

    return spend


class NeverOverdrawn(Monitor):
    """Adds up the events, and reports the one that spends what is not there."""

    def __init__(self) -> None:
        self.balance = 0

    def on_added(self, fact: Added, event: Event) -> str | None:
        """Each event changes the balance."""
        if fact.stream != EVENTS.encode():
            return None
        self.balance += change(dict(zip(fact.fields[::2], fact.fields[1::2], strict=True)))
        return None if self.balance >= 0 else f"the balance is {self.balance} points after {event.process} spent"  # type: ignore[union-attr]


NEVER_OVERDRAWN = Property(
    "never-overdrawn", "always", "nobody spends points that are not there", NeverOverdrawn,
    "the sum of earned minus spent over every prefix of the stream is at least 0",
)  # fmt: skip


def _plan(params: Params, late: Any, *others: Process) -> Plan:
    setup = [("XGROUP", "CREATE", EVENTS, group, "0", "MKSTREAM") for group in LIVE]
    bootstrapped = Process("late", late, initial=(b"0", 0), start_ms=params.late_ms)
    return Plan(
        processes=[
            Process("journal", record, turns=params.entries, initial=0),
            *(Process(name, project_live, initial=0) for name in LIVE),
            bootstrapped,
            *others,
        ],
        setup=setup,
        faults_ms=params.entries * 500,
        within_ms=params.late_ms + 3000,
    )


def _archivist() -> Process:
    return Process("archivist", snapshot_then_trim, initial=(b"0", 0), turns=2)


def _spending_plan(params: Params, *, expected: bool) -> Plan:
    shops = [Process(name, spending(80, expected=expected), initial=0) for name in ("shop-a", "shop-b")]
    return _plan(params, project_late, *shops)


scenario = Scenario(
    name="event-sourcing",
    summary="Balances that are built from one stream, live, late or from a snapshot, must agree.",
    variants={
        "broken": Variant(
            "the stream is trimmed before the late projection has read it",
            lambda p: _plan(p, project_late, Process("janitor", trim_blindly, turns=1)),
            violates="replay-equals-live",
            states=1850,
            sometimes=[TRIMMED],
        ),
        "repaired": Variant(
            "nothing is trimmed",
            lambda p: _plan(p, project_late),
            states=5269,
            safeguards={
                "leaving-the-stream-whole": Without(
                    lambda p: _plan(p, project_late, Process("janitor", trim_blindly, turns=1)), "replay-equals-live"
                ),
            },
        ),
        "snapshot-then-trim": Variant(
            "a snapshot is saved before what it covers is trimmed; the late projection starts from it",
            lambda p: _plan(p, project_from_snapshot, _archivist()),
            sometimes=[TRIMMED],
            states=17_706,
            safeguards={
                "starting-from-the-snapshot": Without(
                    lambda p: _plan(p, project_late, _archivist()),
                    "replay-equals-live",
                ),
            },
        ),
        "double-spend": Variant(
            "two services decide on a balance that is stale by the time they write",
            lambda p: _spending_plan(p, expected=False),
            violates="never-overdrawn",
            properties=[NEVER_OVERDRAWN],
            states=326,
        ),
        "spend-once": Variant(
            "the services write with the ID that they expect to be next, so that a stale decision is refused",
            lambda p: _spending_plan(p, expected=True),
            properties=[NEVER_OVERDRAWN],
            states=31_352,
            safeguards={
                "expected-id": Without(lambda p: _spending_plan(p, expected=False), "never-overdrawn"),
            },
        ),
    },
    properties=["no-entry-lost", "replay-equals-live", "projections-agree"],
    params={"entries": 6, "late_ms": 4000},
    evidence="rebuilding a projection from a trimmed stream, and deciding on a stale one, are reported again and again",
    advice="A stream that is trimmed is no longer the whole truth: save a snapshot with the ID that it covers before "
    "trimming. A decision that depends on the state must name the ID it was made on, so that a stale one is refused.",
)

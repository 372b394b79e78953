"""Two nodes wait for one stream in one group, and both count on being told of every change."""

from __future__ import annotations

from typing import Any

from ..sim.events import Handled, Started
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property

STREAM, GROUP = "changes", "caches"
NODES = ("node-a", "node-b")


class EveryNodeHears(Monitor):
    """Keeps what each node has been told."""

    def __init__(self) -> None:
        self.told: dict[str, dict[bytes, None]] = {}

    def on_started(self, event: Started) -> str | None:
        """A node has to be told from now on."""
        if event.process.startswith("node"):
            self.told.setdefault(event.process, {})
        return None

    def on_handled(self, event: Handled) -> str | None:
        """A node was told."""
        if event.process in self.told:
            self.told[event.process][event.entry] = None
        return None

    def at_end(self, at_ms: int) -> str | None:
        """What was one told and another not?"""
        everything = {entry: None for entries in self.told.values() for entry in entries}
        for node, entries in self.told.items():
            missing = [entry for entry in everything if entry not in entries]
            if missing:
                return f"{node} was never told of change {missing[0].decode()}, and another was"
        return None


EVERY_NODE_HEARS = Property(
    "every-node-hears", "eventually", "what one node is told of, every node is told of", EveryNodeHears,
    "at the end, each entry with a Handled event of one process called node-... has one of every such process",
)  # fmt: skip


async def change(redis: Any, me: str, n: int = 0) -> int:
    """Tells of a change."""
    await redis.xadd(STREAM, {"key": n + 1})
    await sleep(300)
    return n + 1


def listening(group: str) -> TurnFunction:
    """A node that waits for changes; ``group`` empty stands for a group of its own."""

    async def listen(redis: Any, me: str) -> None:
        mine = group or me
        for _, entries in await redis.xreadgroup(mine, me, {STREAM: ">"}, count=1, block=2000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack(STREAM, mine, entry_id)

    return listen


async def follow(redis: Any, me: str, last_id: bytes = b"0") -> bytes:
    """A node that follows the stream without a group, and keeps its own position."""
    for _, entries in await redis.xread({STREAM: last_id}, block=2000):
        for entry_id, fields in entries:
            await handle(entry_id, fields, stream=STREAM)
            last_id = entry_id
    return last_id


def _plan(params: Params, listen: TurnFunction, groups: tuple[str, ...], initial: object = None) -> Plan:
    return Plan(
        processes=[
            Process("source", change, turns=params.entries, initial=0, start_ms=100),
            *(Process(name, listen, handle_ms=params.handle_ms, initial=initial) for name in NODES),
        ],
        setup=[("XGROUP", "CREATE", STREAM, group, "$", "MKSTREAM") for group in groups],
        faults_ms=params.entries * 300,
        within_ms=3000,
    )


def _broken(params: Params) -> Plan:
    return _plan(params, listening(GROUP), (GROUP,))


scenario = Scenario(
    name="wake-order-two-waiters",
    summary="Two nodes wait in blocking reads; each of them must be told of every change.",
    variants={
        "broken": Variant(
            "the nodes share a group, in which one entry wakes exactly one of those who wait",
            _broken,
            violates="every-node-hears",
            states=26,
        ),
        "repaired": Variant(
            "every node has a group of its own",
            lambda params: _plan(params, listening(""), NODES),
            states=74,
            safeguards={"a-group-for-each-node": Without(_broken, "every-node-hears")},
        ),
        "without-a-group": Variant(
            "every node follows the stream with XREAD, and keeps its own position",
            lambda params: _plan(params, follow, (), b"0"),
            states=31,
            safeguards={"reading-without-a-group": Without(_broken, "every-node-hears")},
        ),
    },
    properties=[EVERY_NODE_HEARS],
    params={"entries": 3, "handle_ms": 20},
    evidence="the server serves the one who has waited longest and leaves the others waiting, which is right and taken "
    "for a fault where every instance was to hear (redis/redis #5557, #12998)",
    advice="A group shares entries out: each goes to one consumer, whoever has waited longest. Whoever must see "
    "everything needs a group of its own, or XREAD.",
)

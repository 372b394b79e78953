"""Worlds that Hypothesis draws: little programs, faults, and properties that any order of events may break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st
from redelivery.sim.faults import Crash, Delay, FailHandler, Lose, Pause, Reset, SlowHandler
from redelivery.sim.plan import Plan, Process, Restart
from redelivery.sim.properties import named
from redelivery.sim.requests import activity, atomic, choose, handle, sleep
from redelivery.sim.watch import Monitor, Property, Watch
from redelivery.sim.world import World

KEYS = ("s", "t")
SETUP = [("XGROUP", "CREATE", key, group, "$", "MKSTREAM") for key in KEYS for group in ("g", "h")]


class Op(NamedTuple):
    """One thing that a program does; ``n`` is a number that it needs, if any."""

    name: str
    key: str = "s"
    group: str = "g"
    n: int = 1

    def __str__(self) -> str:
        return f"{self.name}:{self.key}:{self.group}:{self.n}"


async def run(ops: Sequence[Op], redis: Any, me: str) -> None:
    """A turn: one operation after the other; what was read last is what is handled and acknowledged."""
    got: tuple[str, str, bytes] | None = None
    skip = 0
    for op in ops:
        if skip:
            skip -= 1
            continue
        if op.name == "add":
            await redis.xadd(op.key, {"n": op.n})
        elif op.name == "sleep":
            await sleep(op.n)
        elif op.name == "yield":
            await sleep(0)
        elif op.name == "nap":
            await activity(sleep, op.n)
        elif op.name == "pick":
            skip = await choose(2, "skip")
        elif op.name in ("read", "wait"):
            block = {"block": 1 + op.n} if op.name == "wait" else {}
            for _, entries in await redis.xreadgroup(op.group, me, {op.key: ">"}, count=op.n, **block):
                got = (op.key, op.group, bytes(entries[0][0]))
        elif op.name == "claim":
            _, claimed, *_ = await redis.xautoclaim(op.key, op.group, me, op.n - 1, "0-0", count=1)
            got = (op.key, op.group, bytes(claimed[0][0])) if claimed else got
        elif op.name == "take":
            got = await atomic(_take, redis, me, op) or got
        elif op.name == "length":
            skip = min(await redis.xlen(op.key), 1)
        elif op.name == "trim":
            await redis.xtrim(op.key, maxlen=op.n - 1, approximate=False)
        elif op.name == "mark":
            await redis.set(f"last-{op.key}", me)
        elif got is None:
            await redis.get(f"last-{op.key}")
        elif op.name == "handle":
            await handle(got[2], None, stream=got[0])
        elif op.name == "ack":
            await redis.xack(*got)
        elif op.name == "delete":
            await redis.xdel(got[0], got[2])


async def _take(redis: Any, me: str, op: Op) -> tuple[str, str, bytes] | None:
    for _, entries in await redis.xreadgroup(op.group, me, {op.key: ">"}, count=1):
        return (op.key, op.group, bytes(entries[0][0]))
    return None


def turn_of(ops: Sequence[Op]) -> Any:
    """A turn function that runs a program."""

    async def turn(redis: Any, me: str) -> None:
        await run(ops, redis, me)

    turn.__qualname__ = " ".join(map(str, ops))  # what is seen of a world that fails
    return turn


HEARD = {
    "started": "event", "handling": "event", "handled": "event", "crashed": "event", "finished": "event",
    "added": "fact", "delivered": "fact", "acked": "fact", "claimed": "fact", "trimmed": "fact",
}  # fmt: skip
"""What patterns are made of: kinds of events and of facts."""


def pattern(steps: Sequence[tuple[str, str]]) -> Property:
    """A property that is broken by these events in this order, whatever lies between; ``*`` is any process."""

    def see(self: Any, kind: str, event: Any) -> str | None:
        if self.at < len(steps):
            wanted, process = steps[self.at]
            if kind == wanted and process in ("*", event.process):
                self.at += 1
                if self.at == len(steps):
                    return "it came to that"
        return None

    def begin(self: Any) -> None:
        self.at = 0

    def on(kind: str) -> Any:
        if HEARD[kind] == "event":
            return lambda self, event: see(self, kind, event)
        return lambda self, fact, event: see(self, kind, event)

    handlers = {f"on_{kind}": on(kind) for kind, _ in steps}
    monitor = type("Pattern", (Monitor,), {"__init__": begin, **handlers})
    name = " then ".join(" ".join(step) for step in steps)
    return Property(name, "always", "that order does not come about", monitor)


NAMES = ("a", "b", "c")


def patterns() -> st.SearchStrategy[list[Property]]:
    """Up to three properties."""
    step = st.tuples(st.sampled_from(list(HEARD)), st.sampled_from([*NAMES, "*"]))
    return st.lists(st.lists(step, min_size=1, max_size=3), min_size=1, max_size=3, unique_by=str).map(
        lambda found: [pattern(steps) for steps in found]
    )


def programs(frozen: bool, keys: Sequence[str]) -> st.SearchStrategy[tuple[Op, ...]]:
    """Programs of up to four operations, the first of which makes the turn do something."""
    name = ["add", "read", "claim", "handle", "ack", "take", "length", "pick", "trim", "delete", "mark", "yield"]
    ops = st.builds(
        Op,
        st.sampled_from(name if frozen else [*name, "wait", "sleep", "nap"]),
        st.sampled_from(keys), st.sampled_from(["g", "g", "h"]), st.integers(1, 2),
    )  # fmt: skip
    first = st.builds(Op, st.sampled_from(["add", "read", "mark"]), st.sampled_from(keys), st.just("g"), st.just(1))
    rest = st.lists(ops, max_size=3).map(tuple)
    if frozen:  # a turn that does nothing would be over, and begin again, for ever
        return st.tuples(first, rest).map(lambda both: (both[0], *both[1]))
    return st.lists(ops, min_size=1, max_size=4).map(tuple)


@st.composite
def plans(draw: Any, frozen: bool | None = None) -> Plan:
    """Two or three processes, one or two faults, and hardly any time."""
    still = draw(st.booleans()) if frozen is None else frozen
    n = draw(st.integers(2, 3))
    shared = draw(programs(still, KEYS))
    one_for_all = turn_of(shared)
    processes = []
    for name in NAMES[:n]:
        ops = shared if draw(st.booleans()) else draw(programs(still, (draw(st.sampled_from(KEYS)),)))
        turn = one_for_all if ops is shared else turn_of(ops)
        keys = sorted({key for op in ops for key in (op.key, f"last-{op.key}")})
        restart = draw(st.sampled_from([None, Restart(1), Restart(2, new_name=True)]))
        handle_ms = 0 if still else draw(st.integers(0, 2))
        start_ms = 0 if still else draw(st.integers(0, 1))
        turns = draw(st.integers(1, 2 if n == 2 else 1))
        processes.append(
            Process(name, turn, turns=turns, handle_ms=handle_ms, start_ms=start_ms, restart=restart, touches=keys)
        )
    strikes = st.one_of(
        st.builds(Pause, st.sampled_from(NAMES[:n]), st.just(1 if still else 2)),
        st.builds(Lose, st.sampled_from(NAMES[:n]), st.just("any"), st.sampled_from(["request", "reply"])),
        st.builds(Delay, st.sampled_from(NAMES[:n]), st.just(1), st.just("any"), st.sampled_from(["request", "reply"])),
        st.builds(Reset, st.sampled_from(NAMES[:n])), st.builds(FailHandler, st.sampled_from(NAMES[:n])),
        st.builds(SlowHandler, st.sampled_from(NAMES[:n]), st.just(1)),
    )  # fmt: skip
    crashes = st.builds(
        Crash,
        st.sampled_from([*NAMES[:n], tuple(NAMES[:n])]), st.just(1), st.sampled_from(["any", "busy", "holding"]),
    )  # fmt: skip
    faults = draw(st.lists(crashes if still else crashes | strikes, max_size=2, unique_by=str))
    return Plan(
        processes, SETUP, faults, faults_ms=draw(st.integers(1 if faults else 0, 3)),
        within_ms=draw(st.integers(1, 3)), frozen=still,
        latency_ms=(0,) if still else draw(st.sampled_from([(0,), (0,), (1,), (0, 1)])),
    )  # fmt: skip


BUILT_IN = ("no-orphan", "single-handler", "handled-at-least-once")


def world_of(plan: Plan, properties: Sequence[Property], built_in: Sequence[str] = BUILT_IN) -> World:
    """A world whose properties are these and a few of those that are built in."""
    watch = Watch([*named(built_in), *properties])
    return World(plan, "redis-8.6", watch=watch, record=False)

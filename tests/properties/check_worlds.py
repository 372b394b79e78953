"""Small worlds that several tests of the checker search, each whole in a second or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redelivery.sim.catalogue import find
from redelivery.sim.plan import ClockJump, Crash, Plan, Process, Restart
from redelivery.sim.properties import named
from redelivery.sim.requests import activity, atomic, choose, gather, handle, sleep
from redelivery.sim.run import build
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

from .fault_worlds import FAULTY

GROUP = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]


async def add(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("s", {"n": n})
    return n + 1


async def consume(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
    cursor, claimed, *_ = await redis.xautoclaim("s", "g", me, 5, cursor, count=1)
    for _, entries in [("s", claimed)] if claimed else await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=5):
        for entry_id, fields in entries:
            await gather(handle(entry_id, fields), sleep(1))
            await redis.xack("s", "g", entry_id)
    return bytes(cursor)


async def read_only(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)


async def look_then_claim(redis: Any, me: str) -> None:
    """Two ways to the same value, and an entry that may be given to two."""
    entry = await activity(look, redis, me, await choose(2, "order"))
    if entry is not None:
        await handle(entry, None)
        await redis.xack("s", "g", entry)
    else:
        await sleep(2)


async def look(redis: Any, me: str, order: int) -> bytes | None:
    for first in (order, 1 - order):
        if first:
            for row in await redis.xpending_range("s", "g", "-", "+", 5):
                if row["consumer"].decode() != me:
                    claimed = await redis.xclaim("s", "g", me, 0, [row["message_id"]])
                    return bytes(claimed[0][0]) if claimed else None
        else:
            for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
                return bytes(entries[0][0])
    return None


async def hasty(redis: Any, me: str) -> None:
    """Acknowledges before it handles, in one atomic block."""

    async def take() -> bytes | None:
        for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
            await redis.xack("s", "g", entries[0][0])
            return bytes(entries[0][0])
        return None

    entry = await atomic(take)
    if entry is None:
        await sleep(2)
    else:
        await handle(entry, None)


def crowded(claimer: Any = consume, entries: int = 2, **more: Any) -> World:
    """A producer and two consumers on perfect links."""
    initial: dict[str, Any] = {"initial": b"0-0"} if claimer is consume else {}
    plan = Plan(
        processes=[
            Process("p", add, turns=entries, initial=0),
            Process("a", claimer, handle_ms=2, restart=Restart(2, new_name=True), **initial),
            Process("b", claimer, handle_ms=1, **initial),
        ],
        setup=GROUP,
        **{"faults": [Crash("a", when="holding")], "faults_ms": 4, "within_ms": 4, **more},
    )
    return World(plan, "redis-8.6", watch=Watch(named(PROPERTIES)), record=False)


PROPERTIES = ["no-orphan", "pending-is-owned", "handled-at-least-once", "single-handler", "claim-respects-idle"]


def slow_link() -> World:
    """A producer and one consumer, whose requests and replies may be under way for a while."""
    plan = Plan(
        processes=[
            Process("p", add, turns=1, initial=0),
            Process("a", consume, initial=b"0-0", handle_ms=2, restart=Restart(2, new_name=True)),
        ],
        setup=GROUP,
        faults=[Crash("a")],
        faults_ms=4,
        within_ms=3,
        latency_ms=(0, 2),
    )
    return World(plan, "redis-6.2", watch=Watch(named(PROPERTIES)), record=False)


def twins(claimer: Any, entries: int = 1, initial: Any = None, **more: Any) -> World:
    """A producer and two consumers that differ in nothing but their names."""
    back = Restart(2, new_name=True)
    plan = Plan(
        processes=[
            Process("p", add, turns=entries, initial=0),
            *(Process(name, claimer, handle_ms=2, restart=back, initial=initial) for name in ("left", "right")),
        ],
        setup=GROUP,
        **{"faults": [Crash(("left", "right"), when="holding")], "faults_ms": 3, "within_ms": 4, **more},
    )
    return World(plan, "redis-8.6", watch=Watch(named(PROPERTIES)), record=False)


SYMMETRIC: dict[str, Callable[[], World]] = {
    "read-only": lambda: twins(read_only, 2),
    "claiming": lambda: twins(consume, initial=b"0-0"),
    "look-then-claim": lambda: twins(look_then_claim, faults=[Crash(("left", "right"), when="busy")], within_ms=1),
    "hasty": lambda: twins(hasty, 2, faults=[Crash(("left", "right"))]),
    "group": lambda: shipped("group-world", "repaired", entries="2", consumers="2")(),
    "group-of-three": lambda: shipped("group-world", "broken", entries="1", consumers="3")(),
}
"""Small worlds in which processes can take each other's places."""


def shipped(name: str, variant: str, **params: str) -> Callable[[], World]:
    return lambda: build(find(name), variant, "redis-8.6", params, record=False)[0]


WORLDS: dict[str, Callable[[], World]] = {
    "crowded": crowded,
    "read-only": lambda: crowded(read_only),
    "look-then-claim": lambda: crowded(look_then_claim, 1, faults=[Crash("a")], faults_ms=2, within_ms=1),
    "hasty": lambda: crowded(hasty, faults=[Crash("b", when="busy")]),
    "clock-jumps": lambda: crowded(
        consume, 1, faults=[ClockJump("redis", 4), ClockJump("a", -3)], faults_ms=1, within_ms=4
    ),
    "slow-link": slow_link,
    "crash-before-ack-broken": shipped("crash-before-ack", "broken", entries="1", min_idle_ms="100"),
    "slow-handler-repaired": shipped(
        "slow-handler-claimed", "repaired", entries="1", handler_ms="900", min_idle_ms="600", heartbeat_ms="200"
    ),
    **FAULTY,
}

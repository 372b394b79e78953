"""An hour of a shop in simulated time: 5 producers and 20 consumers, 50 entries a second in all, with faults.

It prints how long that takes; wanted are less than 60 s for the hour. `REDELIVERY_BENCH_MINUTES=60` asks for
all of it, else its first five minutes are run: a command costs the same from the first minute to the last.
"""

from __future__ import annotations

import os
from time import perf_counter, process_time
from typing import Any

from redelivery.sim.choices import Choices, Drawn
from redelivery.sim.faults import Crash, Lose, Pause, SlowHandler
from redelivery.sim.plan import Plan, Process, Restart
from redelivery.sim.properties import SERVER_INVARIANTS, named
from redelivery.sim.requests import handle, sleep
from redelivery.sim.running_loop import hold_stage
from redelivery.sim.steps import Step, Strike
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

MINUTES = int(os.environ.get("REDELIVERY_BENCH_MINUTES", "5"))
PRODUCERS, CONSUMERS, EVERY_MS, MIN_IDLE_MS = 5, 20, 100, 5000
FAULTS_A_MINUTE = 4
"""Of each of four kinds."""
SELDOM = 2000
"""Where a fault may strike, one does in so many steps."""


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("orders", {"order": n, "from": me}, maxlen=10_000)
    await sleep(EVERY_MS)
    return n + 1


async def consume(redis: Any, me: str, cursor: bytes = b"0-0") -> bytes:
    """Handles up to a hundred orders, then looks for what somebody left."""
    for _ in range(10):
        for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=10, block=1000):
            for entry_id, fields in entries:
                await handle(entry_id, fields)
                await redis.xack("orders", "workers", entry_id)
    cursor, claimed, *_ = await redis.xautoclaim("orders", "workers", me, MIN_IDLE_MS, cursor, count=10)
    for entry_id, fields in claimed:
        await handle(entry_id, fields)
        await redis.xack("orders", "workers", entry_id)
    return bytes(cursor)


def shop(n: int) -> Process:
    """A producer, out of step with the others."""
    turns = MINUTES * 60_000 // EVERY_MS
    return Process(f"shop-{n + 1}", take_orders, turns=turns, initial=0, start_ms=17 * n)


def hour() -> Plan:
    workers = tuple(f"worker-{n + 1}" for n in range(CONSUMERS))
    faults_ms = MINUTES * 60_000
    budget = FAULTS_A_MINUTE * MINUTES
    return Plan(
        processes=[
            *(shop(n) for n in range(PRODUCERS)),
            *(Process(name, consume, handle_ms=350, initial=b"0-0", restart=Restart(1000)) for name in workers),
        ],
        setup=[("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")],
        faults=[
            Crash(workers, budget, when="holding"),
            Pause(workers, 3000, budget),
            Lose(workers, "XACK", budget=budget),
            SlowHandler(workers, 2000, budget),
        ],
        faults_ms=faults_ms,
        within_ms=20_000,
    )


def drive_seldom(world: World, choices: Choices) -> int:
    """As ``run.drive``, but with faults all through the hour; how often one struck."""
    struck, odds = 0, Drawn(2)
    with hold_stage():
        while True:
            strikes: list[Step] = []
            if odds.choose(SELDOM, "whether a fault strikes") == 0:
                strikes = [step for step in world.enabled() if isinstance(step, Strike)]
            steps = strikes or world.enabled(faults=False)
            if not steps:
                break
            struck += bool(strikes)
            world.take(steps[choices.choose(len(steps), "next step")], choices)
    world.finish()
    return struck


def test_an_hour_of_a_shop() -> None:
    names = ["no-entry-lost", "handled-at-least-once", "no-orphan", "delivered-implies-received", "pel-drains"]
    watch = Watch([*SERVER_INVARIANTS, *named(names)])
    began, cpu = perf_counter(), process_time()
    world = World(hour(), "redis-8.6", watch=watch, record=False)
    struck = drive_seldom(world, Drawn(1))
    print(
        f"\n{MINUTES} min of {PRODUCERS} producers and {CONSUMERS} consumers: {world.calls} commands, {struck} faults, "
        f"{perf_counter() - began:.1f} s ({process_time() - cpu:.1f} s of processor time), "
        f"{1e6 * (process_time() - cpu) / world.calls:.0f} µs a command"
    )
    assert not watch.violations
    assert world.calls > 2 * MINUTES * 60 * PRODUCERS * 1000 // EVERY_MS
    assert struck >= FAULTS_A_MINUTE * MINUTES, "faults strike all through the hour"

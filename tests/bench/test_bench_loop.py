"""Real client code in a world: redis-py's commands a second of the processor's time, and an idle hour."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio
from redelivery.sim import events
from redelivery.sim.choices import Replayed
from redelivery.sim.loop.world import LoopWorld

COMMANDS = 3_000
HOUR_MS = 3_600_000


async def add() -> None:
    client: Any = redis.asyncio.Redis()
    for n in range(COMMANDS):
        await client.xadd("s", {"n": n})
    await client.aclose()


def add_blocking() -> None:
    client: Any = redis.Redis()
    for n in range(COMMANDS):
        client.xadd("s", {"n": n})
    client.close()


async def idle() -> None:
    client: Any = redis.asyncio.Redis()
    await client.xgroup_create("s", "g", "0", mkstream=True)
    while True:
        await client.xreadgroup("g", "a", {"s": ">"}, count=1, block=2000)


def quickest(main: Callable[[], Any], within_ms: int, enough_s: float) -> tuple[LoopWorld, float]:
    """The quicker of up to three runs: the first that is quick enough ends it."""
    best: tuple[LoopWorld, float] | None = None
    for _ in range(3):
        ran = live(main, within_ms)
        best = ran if best is None or ran[1] < best[1] else best
        if best[1] < enough_s:
            break
    assert best is not None
    return best


def live(main: Callable[[], Any], within_ms: int) -> tuple[LoopWorld, float]:
    """A world with one process, and the seconds of the processor that its run took."""
    world = LoopWorld(Replayed(()), faults_ms=0, within_ms=within_ms)
    world.start("one", main)
    began_s = time.process_time()
    world.run()
    return world, time.process_time() - began_s


@pytest.mark.parametrize(("main", "least"), [(add, 3_000), (add_blocking, 1_500)])
def test_commands_of_redis_py(main: Callable[[], Any], least: int) -> None:
    world, took_s = quickest(main, 60_000, COMMANDS / least)
    assert sum(isinstance(event, events.Effect) for event in world.history) == COMMANDS
    assert took_s < COMMANDS / least, f"{COMMANDS / took_s:,.0f} commands a second"


def test_an_idle_hour() -> None:
    world, took_s = quickest(idle, HOUR_MS, 2)
    assert world.now_ms == HOUR_MS
    assert sum(isinstance(event, events.Served) for event in world.history) > 1_700
    assert took_s < 2, f"{took_s:.2f} s"

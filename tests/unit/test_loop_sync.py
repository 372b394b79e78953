"""Programs that block: redis-py's synchronous client in threads that take turns, in the same worlds as the others."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
import redis
from redelivery import Crash, Lose
from redelivery.sim import events
from redelivery.sim.choices import Choices, Drawn, Replayed
from redelivery.sim.errors import RedeliveryError
from redelivery.sim.loop.program import Program
from redelivery.sim.loop.work import work_now
from redelivery.sim.loop.world import LoopWorld

NAMES = ("a", "b")


def produce() -> None:
    client: Any = redis.Redis()
    for n in range(3):
        client.xadd("jobs", {"job": f"job-{n}", "chance": random.random()})
        time.sleep(random.random())


def consume(me: Program) -> None:
    client: Any = redis.Redis()
    with suppress(redis.ResponseError):
        client.xgroup_create("jobs", "workers", "0", mkstream=True)
    try:
        while True:
            read = client.xreadgroup("workers", me.name, {"jobs": ">"}, count=1, block=1000)
            entries = [entry for _, found in read or () for entry in found]
            entries += client.xautoclaim("jobs", "workers", me.name, 3000)[1]
            for entry_id, fields in entries:
                work_now(fields[b"job"], 200)
                client.xack("jobs", "workers", entry_id)
    finally:
        time.sleep(60)
        client.set("cleaned-up", me.name)


def jobs(choices: Choices, *faults: Any) -> LoopWorld:
    world = LoopWorld(choices, faults=faults)
    world.start("producer", produce)
    for name in NAMES:
        world.start(name, consume, restart_ms=500)
    world.run()
    return world


def text(world: LoopWorld) -> str:
    return "\n".join(world.history.lines())


def test_blocking_programs_are_repeatable_and_leave_no_threads() -> None:
    threads = threading.active_count()
    faults = (Crash(NAMES), Lose(NAMES, "XACK"))
    digests = {sha256(text(jobs(Drawn(3), *faults)).encode()).hexdigest() for _ in range(2)}
    assert len(digests) == 1
    assert threading.active_count() == threads


def test_a_hard_crash_is_hard_for_threads_too() -> None:
    world = jobs(Replayed((9,)), Crash("a"))
    (crashed,) = [event for event in world.history if isinstance(event, events.Crashed)]
    assert crashed.process == "a"
    assert "cleaned-up" not in text(world)
    assert len({event.entry for event in world.history if isinstance(event, events.Handled)}) == 3


def test_a_read_ends_at_the_time_that_the_socket_has() -> None:
    told: list[Any] = []

    def main() -> None:
        client: Any = redis.Redis(socket_timeout=2, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0))
        began_s = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            client.xread({"jobs": "$"}, block=60_000)
        told.append(time.monotonic() - began_s)

    world = LoopWorld(Replayed(()))
    world.start("one", main)
    world.run()
    assert told == [2.0]


def test_a_function_that_never_blocks_is_stopped_by_the_watchdog() -> None:
    def main() -> None:
        while True:
            pass

    world = LoopWorld(Replayed(()), real_s_max=0.5)
    world.start("one", main)
    with pytest.raises(RedeliveryError, match="one had control, at 0 ms"):
        world.run()


def test_another_address_is_refused() -> None:
    def main() -> None:
        client: Any = redis.Redis(host="queue.example")
        client.ping()

    world = LoopWorld(Replayed(()))
    world.start("one", main)
    world.run()
    assert list(world.network.refused) == ["queue.example:6379"]
    assert [event.why for event in world.history if isinstance(event, events.Crashed)] == ["raised"]

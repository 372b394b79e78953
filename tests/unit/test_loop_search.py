"""Searches over real client code: what is found is lowered to the same small tape, and runs again to the same bytes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import redis
import redis.asyncio
from redelivery import BadInput, Crash, Lose, SlowHandler, Tape
from redelivery.sim.loop.policies import METHODS
from redelivery.sim.loop.program import Program
from redelivery.sim.loop.searching import search
from redelivery.sim.loop.simulation import NotRepeatable, Simulation
from redelivery.sim.loop.work import work
from redelivery.sim.loop.world import LoopWorld

NAMES = ("a", "b")


async def produce() -> None:
    client: Any = redis.asyncio.Redis()
    for n in range(3):
        await client.xadd("jobs", {"job": f"job-{n}"})
        await asyncio.sleep(0.4)


async def consume(me: Program) -> None:
    client: Any = redis.asyncio.Redis()
    with suppress(redis.ResponseError):
        await client.xgroup_create("jobs", "workers", "0", mkstream=True)
    while True:
        read = await client.xreadgroup("workers", me.name, {"jobs": ">"}, count=1, block=1000)
        entries = [entry for _, found in read for entry in found]
        entries += (await client.xautoclaim("jobs", "workers", me.name, 3000))[1]
        for entry_id, fields in entries:
            await work(fields[b"job"], 100)
            await client.xack("jobs", "workers", entry_id)


def build(world: LoopWorld) -> None:
    world.start("producer", produce)
    for name in NAMES:
        world.start(name, consume, restart_ms=500)


SIMULATION = Simulation(
    build, faults=(Crash(NAMES), Lose(NAMES, "XACK"), SlowHandler(NAMES, 5000)), properties=("single-handler",),
    faults_ms=5_000, within_ms=15_000,
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_search_ends_in_the_same_small_tape(method: str) -> None:
    found = search(SIMULATION, method, runs=300)
    assert found.property == "single-handler"
    assert found.outcome is not None
    again = SIMULATION.replay(Tape.parse(str(found.outcome.tape)).choices)
    assert again.digest() == found.outcome.digest()
    assert [type(fault) for fault in again.struck] == [SlowHandler]
    assert str(again.tape) == "redelivery-1:simulation:client:redis-8.6::2x0.1", "the first work, and nothing else"


def test_a_search_that_finds_nothing_says_how_many_runs_that_took() -> None:
    calm = Simulation(build, faults=(Crash(NAMES),), properties=("no-entry-lost",), within_ms=2000)
    found = search(calm, "swarm", runs=3)
    assert (found.property, found.runs, found.outcome) == (None, 3, None)
    with pytest.raises(BadInput, match="at least 1"):
        search(calm, runs=0)


def test_what_the_tape_does_not_hold_is_found_and_named() -> None:
    numbers = count()

    async def counted() -> None:
        client: Any = redis.asyncio.Redis()
        await client.set("run", next(numbers))

    with pytest.raises(NotRepeatable) as raised:
        search(Simulation(lambda world: world.start("one", counted), name="counting"), runs=1)
    assert "counting: two runs of one tape differ" in str(raised.value)
    assert "(b'SET', b'run', b'0')" in str(raised.value)
    assert "(b'SET', b'run', b'1')" in str(raised.value)


def test_what_happened_is_kept_with_the_outcome_alone() -> None:
    kept: list[LoopWorld] = []
    outcome = Simulation(kept.append).replay(())
    assert len(outcome.history) > 0
    assert len(kept[0].history) == 0, "libraries keep tasks that never end, and with them their worlds"

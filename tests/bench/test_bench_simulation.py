"""A simulated scenario, faults on, against the same functions with redis-py on a real server over loopback."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import pytest
import redis.asyncio
from redelivery.sim.choices import Drawn
from redelivery.sim.plan import Crash, Plan, Process
from redelivery.sim.properties import SERVER_INVARIANTS, named
from redelivery.sim.real.servers import embedded
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.requests import handle
from redelivery.sim.run import drive
from redelivery.sim.watch import Watch
from redelivery.sim.world import World

ENTRIES = 400
SETUP = ("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")
GROUP = "simulation against redis-py on a real server"


async def take_orders(client: Any, me: str, n: int = 0) -> int:
    await client.xadd("orders", {"order": n, "item": "tea"})
    return n + 1


async def consume(client: Any, me: str, cursor: bytes = b"0-0") -> bytes:
    cursor, claimed, *_ = await client.xautoclaim("orders", "workers", me, 60_000, cursor, count=1)
    for _, entries in (
        [("orders", claimed)]
        if claimed
        else await client.xreadgroup("workers", me, {"orders": ">"}, count=1, block=1000)
    ):
        for entry_id, fields in entries:
            await handle(entry_id, fields, ms=0)
            await client.xack("orders", "workers", entry_id)
    return bytes(cursor)


@pytest.mark.benchmark(group=GROUP)
def test_ours(benchmark: Any) -> None:
    plan = Plan(
        processes=[
            Process("shop", take_orders, turns=ENTRIES, initial=0),
            Process("a", consume, initial=b"0-0"),
            Process("b", consume, initial=b"0-0"),
        ],
        setup=[SETUP],
        faults=[Crash(("a", "b"), when="holding")],
        faults_ms=ENTRIES + 10,
        within_ms=0,
    )
    properties = [*SERVER_INVARIANTS, *named(["no-entry-lost", "handled-at-least-once", "single-handler", "no-orphan"])]
    commands: list[int] = []

    def run() -> None:
        world = World(plan, "redis-6.2", watch=Watch(properties))
        drive(world, Drawn(1))
        commands.append(world.calls)

    benchmark.pedantic(run, rounds=15, warmup_rounds=1)
    benchmark.extra_info["commands"] = commands[-1]


@pytest.mark.benchmark(group=GROUP)
def test_peer(benchmark: Any) -> None:
    """The same functions, uncontended: what they cost apart from waiting for each other."""

    async def life(host: str, port: int) -> float:
        client: Any = redis.asyncio.Redis(host=host, port=port)
        await client.flushall()
        await client.execute_command(*SETUP)
        cursor = b"0-0"
        began = perf_counter()
        for n in range(ENTRIES):
            await take_orders(client, "shop", n)
            cursor = await consume(client, "ab"[n % 2], cursor)
        seconds = perf_counter() - began
        await client.aclose()
        return seconds

    with SpawnedServer(embedded(), tcp=True) as server:
        address = server.address
        benchmark.extra_info["commands"] = 4 * ENTRIES
        benchmark.pedantic(lambda: asyncio.run(life(address.host, address.port)), rounds=5, warmup_rounds=1)

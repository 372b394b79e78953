"""faststream[redis]: a subscriber of a stream with a group, and three ways to ask for what is pending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ...sim.loop.target import Handle, Jobs, Target

LEASE_MS = 10_000
STREAM, GROUP = "orders", "workers"
URL = "redis://localhost:6379"


async def produce(jobs: Jobs) -> None:
    """Publishes each job to the stream."""
    from faststream.redis import RedisBroker

    async with RedisBroker(URL) as broker:
        async for job in jobs:
            await broker.publish(job, stream=STREAM)


def subscribed(*each: dict[str, Any]) -> Callable[[str, Handle], Awaitable[None]]:
    """A worker with a subscriber for each of these options of ``StreamSub``."""

    async def work(name: str, handle: Handle) -> None:
        from faststream.redis import RedisBroker, StreamSub

        async def on_order(job: str) -> None:
            await handle(job)

        for options in each:  # a broker each: one keeps its subscribers in a set, and starts them in any order
            broker = RedisBroker(URL)
            broker.subscriber(stream=StreamSub(STREAM, group=GROUP, consumer=name, **options))(on_order)
            await broker.start()
        await asyncio.Event().wait()

    return work


def _target(name: str, summary: str, *each: dict[str, Any]) -> Target:
    return Target(name, produce, subscribed(*each), ("faststream.redis",), summary, LEASE_MS)


target = _target("faststream-redis", "StreamSub(stream, group=..., consumer=...), all else as it comes", {})
from_zero = _target("faststream-redis:from_zero", 'the same with last_id="0"', {"last_id": "0"})
reclaiming = _target(
    "faststream-redis:reclaiming", "two subscribers: one reads, one claims with min_idle_time=10000",
    {}, {"min_idle_time": LEASE_MS},
)  # fmt: skip
claiming_read = _target(
    "faststream-redis:claiming_read", "one subscriber with claim_min_idle_time=10000 (Redis 8.4)",
    {"claim_min_idle_time": LEASE_MS},
)  # fmt: skip

"""taskiq-redis: its broker over a stream, with taskiq's own receiver."""

from __future__ import annotations

import asyncio

from ...sim.loop.target import Handle, Jobs, Target

LEASE_MS = 10_000


async def produce(jobs: Jobs) -> None:
    """Kicks a task for each job."""
    from taskiq_redis import RedisStreamBroker

    broker = RedisStreamBroker("redis://localhost:6379", idle_timeout=LEASE_MS)
    task = broker.register_task(_nothing, task_name="job")
    await broker.startup()
    async for job in jobs:
        await task.kiq(job)
    await broker.shutdown()


async def work(name: str, handle: Handle) -> None:
    """Runs the receiver that ``taskiq worker`` runs, in this process."""
    from taskiq.receiver import Receiver
    from taskiq_redis import RedisStreamBroker

    broker = RedisStreamBroker(
        "redis://localhost:6379", consumer_name=name, consumer_id="0", idle_timeout=LEASE_MS,
        unacknowledged_lock_timeout=5,
    )  # fmt: skip
    broker.is_worker_process = True

    async def job(text: str) -> None:
        await handle(text)

    broker.register_task(job, task_name="job")
    await Receiver(broker, max_async_tasks=10, run_startup=True).listen(asyncio.Event())


async def _nothing(text: str) -> None:
    """What a producer knows of the task: its name."""


target = Target(
    "taskiq-redis",
    produce,
    work,
    needs=("taskiq.receiver", "taskiq_redis"),
    summary="RedisStreamBroker, with idle_timeout 10 s and a lock timeout of 5 s",
    lease_ms=LEASE_MS,
)

"""pydocket: its docket of tasks over a stream, scripts in Lua and a sorted set, with its own worker."""

from __future__ import annotations

from datetime import timedelta

from ...sim.loop.target import Handle, Jobs, Target

LEASE_MS = 10_000
URL = "redis://localhost:6379/0"
NAME = "jobs"


async def produce(jobs: Jobs) -> None:
    """Adds a task for each job."""
    from docket import Docket

    async with Docket(NAME, URL) as docket:
        docket.register(_nothing, names=["job"])
        async for job in jobs:
            await docket.add("job")(job)


async def work(name: str, handle: Handle) -> None:
    """Runs the worker that ``docket worker`` runs, in this process."""
    from docket import Docket, Worker

    async def job(text: str) -> None:
        await handle(text)

    async with Docket(NAME, URL) as docket:
        docket.register(job, names=["job"])
        lease = timedelta(milliseconds=LEASE_MS)
        async with Worker(docket, name, redelivery_timeout=lease) as worker:
            await worker.run_forever()


async def _nothing(text: str) -> None:
    """What a producer knows of the task: its name and its argument."""


target = Target(
    "pydocket",
    produce,
    work,
    needs=("docket", "docket.worker"),
    summary="Docket and Worker(redelivery_timeout=10 s), all else as it comes",
    lease_ms=LEASE_MS,
)

"""repid: its Redis server, which reads by stream and group, with its own worker."""

from __future__ import annotations

from typing import Any

from ...sim.loop.target import Handle, Jobs, Target

LEASE_MS = 10_000
URL = "redis://localhost:6379"
CHANNEL = "orders"


def _application(**options: Any) -> Any:
    from repid import Repid
    from repid.connections.redis.message_broker import RedisServer

    application = Repid()
    application.servers.register_server("redis", RedisServer(URL, **options), is_default=True)
    return application


async def produce(jobs: Jobs) -> None:
    """Sends a message for each job, by the actor's topic."""
    application = _application()
    async with application.servers.default.connection():
        async for job in jobs:
            await application.send_message(channel=CHANNEL, payload=job.encode(), headers={"topic": "do"})


def working(**options: Any) -> Any:
    """A worker with these options of its server."""

    async def work(name: str, handle: Handle) -> None:
        from repid import Message, Router

        application, router = _application(**options), Router()

        async def do(message: Any) -> None:
            await handle(message.payload.decode())

        do.__annotations__["message"] = Message  # it is known here alone
        router.actor(channel=CHANNEL, name="do")(do)
        application.include_router(router)
        async with application.servers.default.connection():
            await application.run_worker(register_signals=())

    return work


target = Target(
    "repid",
    produce,
    working(claim_interval=2.0, min_idle_ms=LEASE_MS),
    needs=("repid", "repid.connections.redis.message_broker"),
    summary="RedisServer(claim_interval=2, min_idle_ms=10000), with repid's own worker",
    redis_below=8,
    extra="repid",
    lease_ms=LEASE_MS,
)

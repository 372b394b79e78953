"""Small worlds in which links, handlers and processes fail, each whole in a second or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redelivery.sim.client_policies import ClientPolicy
from redelivery.sim.errors import HandlerFailed
from redelivery.sim.faults import Delay, FailHandler, Fault, Lose, Pause, Reset, SlowHandler
from redelivery.sim.link_faults import HalfOpen, HostPartition, Partition, SlowLink
from redelivery.sim.plan import Plan, Process, Restart
from redelivery.sim.properties import named
from redelivery.sim.requests import gather, handle, sleep, timeout
from redelivery.sim.server_faults import Evict, Failover, Flush, ServerRestart
from redelivery.sim.watch import Watch
from redelivery.sim.world import World
from redis.exceptions import ResponseError

GROUP = [("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")]
PROPERTIES = ["no-orphan", "pending-is-owned", "handled-at-least-once", "single-handler", "claim-respects-idle"]
TRIES = ClientPolicy("tries", retries=1, backoff_ms=1, backoff_max_ms=2)
HASTY = ClientPolicy("hasty", socket_timeout_ms=2, retries=1)
KEEPER = ClientPolicy("keeper", given_up="keeps")
ONE_SOCKET = ClientPolicy("one-socket", one_socket=True, retries=1, backoff_ms=1, backoff_max_ms=2)
CONNECTS = ClientPolicy("connects", connect_timeout_ms=1, socket_timeout_ms=3, retries=1)
POOL_THAT_GIVES_UP = ClientPolicy("pool-that-gives-up", pool_size=1, pool_timeout_ms=1)
POOL_OF_ONE = ClientPolicy("pool-of-one", pool_size=1, given_up="keeps")


async def add(redis: Any, me: str, n: int = 0) -> int:
    await redis.xadd("s", {"n": n})
    return n + 1


async def consume(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)


async def claim(redis: Any, me: str) -> None:
    """Claims and reads at once, and lets failed work be."""

    async def take(entries: Any) -> None:
        for entry_id, fields in entries:
            try:
                await handle(entry_id, fields)
            except HandlerFailed:
                return
            await redis.xack("s", "g", entry_id)

    async def old() -> None:
        await take((await redis.xautoclaim("s", "g", me, 4, "0-0", count=1))[1])

    async def new() -> None:
        for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
            await take(entries)

    await gather(old(), new())


async def persistent(redis: Any, me: str) -> None:
    """Makes the group again where it is gone."""
    try:
        await consume(redis, me)
    except ResponseError:
        await redis.xgroup_create("s", "g", "0", mkstream=True)


async def impatient(redis: Any, me: str) -> None:
    """Gives up its reads."""
    try:
        entries = await timeout(1, redis.xreadgroup("g", me, {"s": ">"}, count=1, block=3))
    except TimeoutError:
        return
    for _, found in entries:
        await redis.xack("s", "g", found[0][0])
    await sleep(1)


def faulty(*faults: Fault, turn: Any = consume, entries: int = 1, readers: int = 1, **client: Any) -> World:
    """A producer and readers under the given faults."""
    back = Restart(2, new_name=True)
    names = [f"c{i}" for i in range(readers)]
    plan = Plan(
        processes=[
            Process("p", add, turns=entries, initial=0, restart=back, **client),
            *(Process(name, turn, handle_ms=2, restart=back, **client) for name in names),
        ],
        setup=GROUP,
        faults=faults,
        faults_ms=4,
        within_ms=4,
    )
    return World(plan, "redis-8.6", watch=Watch(named(PROPERTIES)), record=False)


FAULTY: dict[str, Callable[[], World]] = {
    "request-lost": lambda: faulty(Lose(("p", "c0"), part="request"), client=TRIES),
    "reply-lost": lambda: faulty(Lose(("p", "c0")), client=TRIES),
    "reply-lost-to-the-program": lambda: faulty(Lose(("p", "c0"))),
    "second-reply-lost": lambda: faulty(Lose("c0", "XREADGROUP", nth=2), Lose("p", "XADD", nth=2), entries=2),
    "silence": lambda: faulty(Lose(("p", "c0"), how="silence"), client=HASTY),
    "silence-for-ever": lambda: faulty(Lose("c0", "XREADGROUP", how="silence")),
    "late": lambda: faulty(Delay("c0", 3), Delay("p", 1, part="request"), client=HASTY),
    "reset": lambda: faulty(Reset(("p", "c0")), turn=claim, client=TRIES),
    "pause": lambda: faulty(Pause("c0", 3), readers=2),
    "pause-holding": lambda: faulty(Pause(("c0", "c1"), 4, when="holding"), readers=2),
    "slow-and-failing": lambda: faulty(SlowHandler("c0", 2), FailHandler("c0"), turn=claim),
    "one-socket": lambda: faulty(Lose("c0", part="request"), turn=claim, client=ONE_SOCKET),
    "pool-of-one-and-a-read-given-up": lambda: faulty(turn=impatient, entries=2, client=POOL_OF_ONE),
    "failover": lambda: faulty(Failover(loses=2), turn=claim, client=TRIES),
    "failover-of-two": lambda: faulty(Failover(loses=1, from_ms=2), readers=2, client=TRIES),
    "restart-from-the-file": lambda: faulty(ServerRestart(loses=1, budget=2), entries=2, client=TRIES),
    "restart-empty": lambda: faulty(ServerRestart(keeps="nothing"), turn=persistent, client=TRIES),
    "flush": lambda: faulty(Flush(), turn=persistent, entries=2),
    "cut-off": lambda: faulty(Partition("c0", 2), client=CONNECTS),
    "requests-cut-off": lambda: faulty(Partition(("p", "c0"), 3, cut="requests")),
    "replies-cut-off": lambda: faulty(Partition("c0", 3, cut="replies"), turn=claim, client=HASTY),
    "host-cut-off": lambda: faulty(HostPartition("c0", 2, from_ms=1), turn=claim, client=CONNECTS),
    "half-open": lambda: faulty(HalfOpen(("p", "c0")), client=HASTY),
    "slow-link": lambda: faulty(SlowLink("c0", 1, 2), turn=claim),
    "refused": lambda: faulty(ServerRestart(down_ms=2), turn=claim, client=TRIES),
    "refused-after-failover": lambda: faulty(Failover(loses=1, down_ms=1, from_ms=1), client=TRIES),
    "pool-exhausted": lambda: faulty(turn=claim, entries=2, client=POOL_THAT_GIVES_UP),
    "restart-from-a-snapshot": lambda: faulty(ServerRestart("snapshot", loses=2), turn=claim, client=TRIES),
    "evict": lambda: faulty(Evict(), turn=persistent, entries=2),
    "read-given-up": lambda: faulty(turn=impatient, entries=2, client=KEEPER),
}

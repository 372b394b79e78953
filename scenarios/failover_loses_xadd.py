"""The server has answered XADD, and a replica that never heard of it takes its place. The order is gone."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from ..models.dialects import DIALECTS
from ..sim.plan import Params, Plan, Process, TurnFunction
from ..sim.properties.lost_servers import SERVER_LOST
from ..sim.properties.survival import PROMISED
from ..sim.requests import gather, handle, publish, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.server_faults import CutReplica, Failover

STREAM, GROUP = "orders", "workers"


async def take_orders(redis: Any, me: str, n: int = 0) -> int:
    """Adds an order, and tells its customer that it is safe once the server has answered."""
    try:
        entry_id = await redis.xadd(STREAM, {"order": n + 1})
        await publish(PROMISED, str(n + 1), entry_id)
    except Disconnected:
        await sleep(100)
        return n
    await sleep(100)
    return n + 1


def ordering(timeout_ms: int, *, beside: bool = False, needs: int = 1) -> TurnFunction:
    """A shop that promises nothing before a replica has the order, too.

    The order has an ID of its own, so that it can be added again where nobody has said that it is safe: where it is
    there already the server refuses it, and WAIT is asked once more. It promises once ``needs`` replicas have it. With
    ``beside`` the shop looks something up while the order is added; then its WAIT may go over the connection of the
    look-up, which has written nothing.
    """

    async def take_orders(redis: Any, me: str, n: int = 0) -> int:
        try:
            order = add(redis, n + 1)
            if beside:
                await gather(redis.get("price"), order)
            else:
                await order
            if await redis.wait(1, timeout_ms) < needs:
                return n
            await publish(PROMISED, str(n + 1), f"{n + 1}-1")
        except Disconnected:
            await sleep(100)
            return n
        await sleep(100)
        return n + 1

    return take_orders


async def add(redis: Any, n: int) -> None:
    """Adds an order under its own ID; where it is there already, that is as good, but for what WAIT is to wait for.

    A refused command tells a replica nothing, so something is told after it, on the same connection.
    """
    try:
        await redis.xadd(STREAM, {"order": n}, id=f"{n}-1")
    except ResponseError:
        await redis.set("again", n)


def working(every_ms: int) -> TurnFunction:
    """A worker that looks for orders again and again, for its own first where its connection broke."""

    async def work(redis: Any, me: str, again: bool = False) -> bool:
        try:
            reply = await redis.xreadgroup(GROUP, me, {STREAM: "0" if again else ">"}, count=1)
            for _, entries in reply:
                for entry_id, fields in entries:
                    await handle(entry_id, fields)
                    await redis.xack(STREAM, GROUP, entry_id)
                    return again
        except Disconnected:
            again = True
        else:
            again = False
        await sleep(every_ms)
        return again

    return work


def _plan(params: Params, shop: TurnFunction, *, cut: bool = False) -> Plan:
    faults: list[Failover | CutReplica] = [Failover(loses=params.lag, from_ms=params.from_ms)]
    if cut:
        faults.append(CutReplica(params.cut_ms))
    return Plan(
        processes=[
            Process("shop", shop, turns=params.turns, initial=0),
            Process(
                "worker", working(params.every_ms), handle_ms=params.handle_ms, start_ms=params.from_ms + 10,
                initial=False,
            ),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")],
        faults=faults,
        faults_ms=params.from_ms + 110,
        within_ms=200,
    )


scenario = Scenario(
    name="failover-loses-xadd",
    summary="A replica that lags takes the master's place: an order that was answered for never was.",
    variants={
        "broken": Variant(
            "the shop takes the answer to XADD for a promise",
            lambda params: _plan(params, take_orders),
            violates="promised-implies-handled",
            states=190,
        ),
        "repaired": Variant(
            "the shop promises nothing before WAIT has told it that a replica has the order, too",
            lambda params: _plan(params, ordering(params.timeout_ms)),
            states=277,
            safeguards={"wait": Without(lambda params: _plan(params, take_orders), "promised-implies-handled")},
        ),
        "cut-off": Variant(
            "the replica is cut off for longer than WAIT waits: the shop asks again until it has the order",
            lambda params: _plan(params, ordering(params.timeout_ms), cut=True),
            states=1740,
            safeguards={
                "number-of-replicas": Without(
                    lambda params: _plan(params, ordering(params.timeout_ms, needs=0), cut=True),
                    "promised-implies-handled",
                ),
            },
        ),
        "other-connection": Variant(
            "the shop looks something up meanwhile, and its WAIT goes over the connection of that, which wrote nothing",
            lambda params: _plan(params, ordering(params.timeout_ms, beside=True)),
            violates="promised-implies-handled",
            states=551,
            dialects=[name for name, dialect in DIALECTS.items() if not dialect.reads_await],
        ),
        "other-connection-before-7-2": Variant(
            "the same: there WAIT is for all that was told by then, whoever wrote it",
            lambda params: _plan(params, ordering(params.timeout_ms, beside=True)),
            states=582,
            dialects=["redis-6.2", "redis-7.0"],
        ),
    },
    properties=["promised-implies-handled"],
    sometimes=[SERVER_LOST],
    params={"turns": 2, "handle_ms": 20, "lag": 1, "from_ms": 40, "timeout_ms": 30, "cut_ms": 80, "every_ms": 60},
    evidence="the documents of replication and of WAIT say it, and each failover test of a queue meets it: what was "
    "written last is not on the replica yet, and its ID may be given to another entry",
    advice="An answer to XADD is no promise: ask WAIT, on the same connection, and add the entry again under an ID of "
    "its own while fewer replicas answer than you need. WAIT tells how many have the entry, not that one of these will "
    "be promoted, and it takes nothing back.",
)

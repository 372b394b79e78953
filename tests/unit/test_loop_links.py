"""Links of unmodified programs that are cut, slow, half open or refused; clocks that drift; servers that are late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio
from redelivery import (
    ClockDrift,
    ClockJump,
    CutReplica,
    Evict,
    Failover,
    Flush,
    HalfOpen,
    HostPartition,
    Partition,
    ServerRestart,
    SlowLink,
)
from redelivery.sim import events
from redelivery.sim.choices import Replayed
from redelivery.sim.errors import BadInput
from redelivery.sim.faults import Fault
from redelivery.sim.loop.world import LoopWorld

ONCE: Any = {"retry": None}
"""A client that tells its program of every error."""


def lived(*bodies: Callable[..., Any], faults: list[Fault], places: tuple[int, ...] = (1,), **more: Any) -> LoopWorld:
    """A run in the plain order of things: processes a, b, c, and faults at these of their opportunities."""
    world = LoopWorld(Replayed(places), faults=faults, **more)
    for name, body in zip("abc", bodies, strict=False):
        world.start(name, body)
    world.run()
    return world


def struck(
    *bodies: Callable[..., Any], fault: Fault, at_ms: int = 0, after: bytes = b"", **more: Any
) -> LoopWorld:  # fmt: skip
    """The run in which the fault strikes at its first opportunity from a time on, after a command of that name."""
    kinds = (events.Partitioned, events.LinkSlowed, events.HalfOpened)
    for place in range(1, 60):
        said.clear()
        got.clear()
        world = lived(*bodies, faults=[fault], places=(place,), **more)
        before: set[bytes] = {b""}
        for event in world.history:
            if isinstance(event, events.Effect):
                before.add(event.commands[0][0])
            elif isinstance(event, kinds) and event.at_ms >= at_ms and after in before:
                return world
    raise AssertionError(f"{fault} does not strike from {at_ms} ms on")


def of(world: LoopWorld, kind: type) -> list[Any]:
    return [event for event in world.history if isinstance(event, kind)]


def effects(world: LoopWorld, name: str) -> list[tuple[int, int]]:
    """When commands of a name were sent, and when they took effect, in ms."""
    return [(e.sent_ms, e.at_ms) for e in of(world, events.Effect) if e.commands[0][0] == name.encode()]


def client(**options: Any) -> Any:
    return redis.asyncio.Redis(**{**ONCE, **options})


async def add_three() -> None:
    own = client(socket_timeout=60)
    for n in range(3):
        await own.xadd("s", {"n": n})
        await asyncio.sleep(0.1)


async def add_hastily() -> None:
    own = client(socket_timeout=0.2, socket_connect_timeout=0.3)
    for n in range(3):
        try:
            await own.xadd("s", {"n": n})
        except redis.TimeoutError as error:
            said.append(str(error))
        await asyncio.sleep(0.1)


said: list[str] = []


def add_and_block() -> None:
    own = redis.Redis(**ONCE, socket_timeout=0.2, socket_connect_timeout=0.3)
    for n in range(3):
        try:
            own.xadd("s", {"n": n})
        except redis.TimeoutError as error:
            said.append(str(error))
        time.sleep(0.1)


async def read() -> None:
    own = client(socket_timeout=0.9)
    await own.xgroup_create("s", "g", "$", mkstream=True)
    while True:
        try:
            for _, entries in await own.xreadgroup("g", "me", {"s": ">"}, block=600):
                got.extend(fields[b"n"] for _, fields in entries)
        except redis.TimeoutError as error:
            said.append(str(error))
        await asyncio.sleep(0.01)


got: list[bytes] = []


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    said.clear()
    got.clear()


def test_what_is_sent_while_cut_off_arrives_when_it_is_over() -> None:
    world = struck(add_three, fault=Partition("a", 450), at_ms=100)
    assert of(world, events.Partitioned) == [events.Partitioned(100, "a", "both", 450)]
    assert of(world, events.Mended) == [events.Mended(550, "a")]
    assert effects(world, "XADD") == [(0, 0), (100, 550), (650, 650)]
    assert [e.at_ms for e in of(world, events.Replied)] == [0, 550, 650]


def test_replies_alone_are_held_up_and_a_client_that_gave_up_is_told_of_as_lost() -> None:
    world = struck(add_three, fault=Partition("a", 450, cut="replies"), at_ms=100)
    assert effects(world, "XADD") == [(0, 0), (100, 100), (650, 650)]
    assert [e.at_ms for e in of(world, events.Replied)] == [0, 550, 650]
    given_up = struck(add_hastily, fault=Partition("a", 450, cut="replies"), at_ms=100)
    assert [(e.at_ms, e.what) for e in of(given_up, events.Lost)] == [(550, "reply")]


@pytest.mark.parametrize("program", [add_hastily, add_and_block])
def test_a_request_that_was_given_up_takes_effect_all_the_same_and_nobody_connects_meanwhile(program: Any) -> None:
    world = struck(program, fault=Partition("a", 450), at_ms=100)
    assert effects(world, "XADD") == [(0, 0), (100, 550), (550, 550)], "the third waits for a connection, from 400 on"
    assert ["reading" in text for text in said] == [True]
    assert next(e.at_ms for e in of(world, events.Closed)) == 550, "that it hung up is heard of when it is over"
    longer = struck(program, fault=Partition("a", 5000), at_ms=100)
    assert ["reading" in said[0], *said[1:]] == [True, "Timeout connecting to server"]
    assert effects(longer, "XADD") == [(0, 0), (100, 5100)]


def test_requests_alone_are_held_up_and_a_blocked_read_is_served() -> None:
    async def add() -> None:
        await asyncio.sleep(0.3)
        await client().xadd("s", {"n": 7})

    world = struck(read, add, fault=Partition("a", 2000, cut="requests"), after=b"XREADGROUP", within_ms=5000)
    assert [e.at_ms for e in of(world, events.Partitioned)] == [0]
    assert [e.at_ms for e in of(world, events.Served)][:1] == [300]
    assert got == [b"7"]


def test_a_slow_link_is_late_both_ways_and_keeps_the_order() -> None:
    async def both() -> None:
        own = client(socket_timeout=60)
        await own.ping()
        await asyncio.gather(own.xadd("s", {"n": 1}), asyncio.sleep(0.02))
        pipe = own.pipeline(transaction=False)
        for n in (2, 3, 4):
            pipe.xadd("s", {"n": n})
        await pipe.execute()
        now = asyncio.get_running_loop().time()
        await client(socket_timeout=60).ping()
        took.append(round(asyncio.get_running_loop().time() - now, 3))

    took: list[float] = []
    world = struck(both, fault=SlowLink("a", 50, 100_000), at_ms=0)
    assert {sent + 50 - at for sent, at in effects(world, "XADD")} == {0}
    values = [e.commands[0][4] for e in of(world, events.Effect) if e.commands[0][0] == b"XADD"]
    assert values == [b"1", b"2", b"3", b"4"]
    assert took[0] >= 0.2, "hands are shaken, then it says HELLO, then PING"


def test_a_half_open_connection_is_noticed_by_the_server_alone() -> None:
    async def add() -> None:
        await asyncio.sleep(0.3)
        await client().xadd("s", {"n": 7})

    world = struck(read, add, fault=HalfOpen("a"), after=b"XREADGROUP", within_ms=5000)
    (gone,) = of(world, events.HalfOpened)
    assert next(e.at_ms for e in of(world, events.Closed)) == gone.at_ms
    assert ["reading" in text for text in said] == [True], "as long as its client waits"
    assert got == [b"7"], "it reads again, on another connection"


def test_a_host_is_cut_off_whole_and_not_before_its_time() -> None:
    world = LoopWorld(Replayed((1,)), faults=[HostPartition("h", 300, from_ms=150)])
    for name, host in (("a", "h"), ("b", "h"), ("c", "")):
        world.start(name, add_three, host=host)
    world.run()
    assert of(world, events.Partitioned) == [events.Partitioned(200, name, "both", 300) for name in "ab"]
    told = [(e.process, e.sent_ms, e.at_ms) for e in of(world, events.Effect) if e.at_ms > 200]
    assert all(at_ms == 500 for who, _, at_ms in told if who in "ab")


def test_a_clock_drifts() -> None:
    async def look() -> None:
        await client().xadd("s", {"n": 1})
        before = time.time()
        await asyncio.sleep(100)
        told.append(round(time.time() - before, 3))

    told: list[float] = []
    world = lived(look, faults=[ClockDrift("a", 50)], within_ms=200_000)
    assert told == [105.0]
    assert of(world, events.ClockDrifts)[0].host == "a"


@pytest.mark.parametrize("fault", [ServerRestart("nothing", down_ms=700), Failover(down_ms=700)])
def test_nobody_is_there_for_a_while(fault: Fault) -> None:
    async def add() -> None:
        own = client()
        while True:
            try:
                await own.xadd("s", {"n": 1})
            except redis.ConnectionError as error:
                said.append(str(error))
            await asyncio.sleep(0.1)

    world = lived(add, faults=[fault], places=(2,), within_ms=3000)
    (down,) = of(world, events.ServerDown)
    after = [at for _, at in effects(world, "XADD") if at > down.at_ms]
    assert (after[0] - down.at_ms) // 100 == 7
    assert sum("refused" in text for text in said) >= 6


def test_a_server_starts_from_its_snapshot_and_is_short_of_memory() -> None:
    world = lived(add_three, faults=[ServerRestart("snapshot", loses=2)], places=(3,))
    (lost,) = of(world, events.ServerLost)
    assert (lost.cause, lost.lacking) == ("snapshot", 2)
    evicted = lived(add_three, faults=[Evict()], places=(2,))
    (command,) = [e for e in of(evicted, events.Effect) if e.process == "maxmemory"]
    assert command.commands == ((b"DEL", b"s"),)


def test_a_replica_that_was_cut_off_lacks_what_was_told_meanwhile() -> None:
    world = lived(add_three, faults=[CutReplica(60_000), Failover(loses=0)], places=(1, 3))
    (lost,) = of(world, events.ServerLost)
    assert lost.lacking == 2
    assert of(world, events.ReplicaCut)


def test_the_same_tape_gives_the_same_bytes() -> None:
    faults: list[Fault] = [Partition("a", 450), SlowLink("b", 50, 1000), HalfOpen("a")]
    first, again = (lived(add_hastily, add_three, faults=faults, places=(3, 2, 1)) for _ in range(2))
    assert list(first.history.lines()) == list(again.history.lines())


@pytest.mark.parametrize("fault", [Flush(from_ms=150), Evict(from_ms=150), ServerRestart(from_ms=150)])
def test_nothing_strikes_before_its_time(fault: Fault) -> None:
    world = lived(add_three, faults=[fault])
    assert min(e.at_ms for e in world.history if isinstance(e, events.ServerLost) or (
        isinstance(e, events.Effect) and e.process in ("somebody", "maxmemory"))) == 200  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ClockJump("redis", 5), "the server's clock is right; name another host"),
        (ClockDrift("redis", 5), "the server's clock is right; name another host"),
        (CutReplica(5), "there is no replica without a Failover"),
    ],
)
def test_what_cannot_strike_is_refused(fault: Fault, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        LoopWorld(Replayed(()), faults=[fault])

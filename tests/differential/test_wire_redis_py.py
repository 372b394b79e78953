"""redis-py, unmodified: sync and asyncio, RESP2 and RESP3, on the served model and on a real server."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import redis.asyncio
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from .servers_at_hand import servers_named

Call = tuple[str, tuple[Any, ...], dict[str, Any]]


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    return name, args, kwargs


def chosen() -> list[ServerBinary]:
    """The embedded server, and the one that knows the most commands."""
    found = servers_named()
    newest = max((s for s in found if s.line == "redis"), key=lambda s: [int(n) for n in s.version.split(".")])
    return list({server.dialect: server for server in (*found[:1], newest)}.values())


@pytest.fixture(scope="module", params=chosen(), ids=lambda server: server.dialect)
def ports(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    binary: ServerBinary = request.param
    with ServerThread(binary.dialect) as served, SpawnedServer(binary, enable_debug=True, tcp=True) as real:
        yield served.port, real.address.port


@pytest.fixture
def release(request: pytest.FixtureRequest) -> tuple[int, ...]:
    binary: ServerBinary = request.node.callspec.params["ports"]
    return tuple(int(number) for number in binary.version.split("."))


SCRIPT: list[Call] = [
    call("flushall"),
    call("xgroup_create", "s", "g", "$", mkstream=True),
    call("xgroup_create", "s", "g", "$"),
    *(call("xadd", "s", {"f": n}, id=f"{n}-1") for n in range(1, 9)),
    call("xadd", "s", {"f": "x"}, id="3-0"),
    call("xadd", "s", {"f": "x"}, id="9-1", nomkstream=True, maxlen=100, approximate=True),
    call("xlen", "s"),
    call("xrange", "s", "2-1", "4-1", count=2),
    call("xrevrange", "s", "+", "-", count=2),
    call("xread", {"s": "7-1"}, count=5),
    call("xread", {"s": "$"}, block=10),
    call("xread", {"nothing": "0"}),
    call("xreadgroup", "g", "c1", {"s": ">"}, count=3),
    call("xreadgroup", "g", "c2", {"s": ">"}, count=2, noack=True),
    call("xreadgroup", "g", "c1", {"s": "0"}),
    call("xreadgroup", "nogroup", "c1", {"s": ">"}),
    call("xreadgroup", "g", "c3", {"s": ">"}, count=1),
    call("xpending", "s", "g"),
    call("xpending_range", "s", "g", "-", "+", 10),
    call("xpending_range", "s", "g", "-", "+", 10, consumername="c3"),
    call("xpending_range", "s", "g", "-", "+", 10, idle=100_000),
    call("xack", "s", "g", "1-1", "99-1"),
    call("xclaim", "s", "g", "c2", 0, ["2-1"]),
    call("xclaim", "s", "g", "c2", 0, ["3-1"], justid=True, retrycount=7),
    call("xautoclaim", "s", "g", "c4", 0, count=1),
    call("xautoclaim", "s", "g", "c4", 0, "0-0", justid=True),
    call("xautoclaim", "s", "g", "c4", 100_000),
    call("xgroup_createconsumer", "s", "g", "c5"),
    call("xgroup_delconsumer", "s", "g", "c4"),
    call("xgroup_setid", "s", "g", "5-1"),
    call("xinfo_stream", "s"),
    call("xinfo_stream", "s", full=True),
    call("xinfo_groups", "s"),
    call("xinfo_consumers", "s", "g"),
    call("xdel", "s", "5-1", "5-2"),
    call("xtrim", "s", maxlen=3),
    call("xtrim", "s", minid="8-1"),
    call("xadd", "s", {"f": b"\x00\xff"}, id="10-1", minid="9-1", approximate=False),
    call("xrange", "s"),
    call("execute_command", "XSETID", "s", "20-1"),
    call("xgroup_destroy", "s", "g"),
    call("xgroup_destroy", "s", "g"),
    call("xadd", "other", {"a": "b"}, id="1-1"),
    call("xread", {"s": "0", "other": "0"}),
    call("exists", "s", "other"),
    call("type", "s"),
    call("expire", "s", 1000),
    call("ttl", "s"),
    call("rename", "s", "t"),
    call("rpush", "l", "a", "b", "c"),
    call("lmove", "l", "m"),
    call("lrange", "l", 0, -1),
    call("blpop", ["l"], 1),
    call("blpop", ["nolist"], 0.01),
    call("xadd", "l", {"a": "b"}),
    call("set", "k", "v"),
    call("get", "k"),
    call("client_setname", "me"),
    call("client_getname"),
    call("config_get", "stream-node-max-by*"),
    call("echo", "x"),
    call("ping"),
    call("delete", "t", "other", "l", "m", "k"),
    call("dbsize"),
]
NEWER: list[Call] = [
    call("flushall"),
    *(call("xadd", "s", {"f": n}, id=f"{n}-1") for n in range(1, 9)),
    call("xgroup_create", "s", "g", "0", entries_read=0),
    call("xreadgroup", "g", "c1", {"s": ">"}, count=5),
    call("execute_command", "XACKDEL", "s", "g", "DELREF", "IDS", 1, "1-1"),
    call("execute_command", "XDELEX", "s", "ACKED", "IDS", 2, "2-1", "7-1"),
    call("execute_command", "XREADGROUP", "GROUP", "g", "c2", "CLAIM", "0", "STREAMS", "s", ">"),
    call("execute_command", "XADD", "s", "IDMP", "p", "1", "*", "a", "b"),
    call("execute_command", "XCFGSET", "s", "IDMP-DURATION", "7"),
    call("execute_command", "XADD", "s", "KEEPREF", "MAXLEN", "=", "2", "20-1", "a", "b"),
    call("xinfo_groups", "s"),
    call("execute_command", "XPENDING", "s", "g"),
]
TIMES = re.compile(r"('(?:idle|inactive|time_since_delivered|seen-time|active-time)': |b'(?:seen|active)-time', )-?\d+")
MOMENTS = re.compile(r"\b1[789]\d{11}\b")


def shown(value: Any) -> str:
    """A result as text, without what depends on when it was asked for."""
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {value}"
    text = re.sub(r"'radix-tree-nodes': \d+", "", repr(value))
    return MOMENTS.sub("T", TIMES.sub(r"\1T", text))


def play(port: int, protocol: int, script: list[Call]) -> list[str]:
    """What the sync client gives back."""
    told = []
    with redis.Redis(port=port, protocol=protocol) as client:
        for name, args, kwargs in script:
            try:
                told.append(shown(getattr(client, name)(*args, **kwargs)))
            except redis.RedisError as error:
                told.append(shown(error))
    return told


def play_async(port: int, protocol: int, script: list[Call]) -> list[str]:
    """What the asyncio client gives back."""

    async def main() -> list[str]:
        told = []
        async with redis.asyncio.Redis(port=port, protocol=protocol) as client:
            for name, args, kwargs in script:
                try:
                    told.append(shown(await getattr(client, name)(*args, **kwargs)))
                except redis.RedisError as error:
                    told.append(shown(error))
        return told

    return asyncio.run(main())


Play = Callable[[int, int, list[Call]], list[str]]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("player", [play, play_async])
def test_every_stream_command(player: Play, protocol: int, ports: tuple[int, int], release: tuple[int, ...]) -> None:
    script = SCRIPT + (NEWER if release >= (8, 6) else [])
    with ThreadPoolExecutor(2) as pool:
        model, real = pool.map(lambda port: player(port, protocol, script), ports)
    for asked, ours, theirs in zip(script, model, real, strict=True):
        assert (asked[0], asked[1], ours) == (asked[0], asked[1], theirs)


def pipelines(port: int, protocol: int) -> list[str]:
    """Transactions, watches, and a pipeline of its own."""
    told = []
    with redis.Redis(port=port, protocol=protocol) as client, redis.Redis(port=port) as other:
        client.flushall()
        with client.pipeline() as pipe:
            pipe.xadd("s", {"a": 1}, id="1-1").xadd("s", {"a": 1}, id="1-1").xlen("s")
            told.append(shown(pipe.execute(raise_on_error=False)))
        with client.pipeline(transaction=False) as pipe:
            for n in range(2, 200):
                pipe.xadd("s", {"a": n}, id=f"{n}-1")
            told.append(shown(pipe.execute()))
        with client.pipeline() as pipe:
            pipe.watch("s")
            other.xadd("s", {"a": 1}, id="500-1")
            pipe.multi()
            pipe.xlen("s")
            try:
                told.append(shown(pipe.execute()))
            except redis.WatchError as error:
                told.append(shown(error))
    return told


def messages(port: int, protocol: int) -> list[str]:
    """Publishing and subscribing."""
    with redis.Redis(port=port, protocol=protocol) as client, client.pubsub() as pubsub:
        pubsub.subscribe("ch")
        pubsub.psubscribe("c*")
        told = [shown(pubsub.get_message(timeout=2)) for _ in range(2)]
        told.append(shown(client.publish("ch", "hello")))
        told += [shown(pubsub.get_message(timeout=2)) for _ in range(2)]
        pubsub.unsubscribe("ch")
        return [*told, shown(pubsub.get_message(timeout=2))]


def blocked(port: int, protocol: int) -> list[str]:
    """Three readers block, in their order, and three entries come."""
    told = []
    with redis.Redis(port=port, protocol=protocol) as client:
        client.flushall()
        client.xgroup_create("s", "g", mkstream=True)
        got: dict[int, str] = {}

        def read(number: int) -> None:
            with redis.Redis(port=port, protocol=protocol, client_name=f"r{number}") as reader:
                got[number] = shown(reader.xreadgroup("g", f"c{number}", {"s": ">"}, count=1, block=5000))

        threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
        for number, thread in enumerate(threads):
            thread.start()
            until = time.monotonic() + 5
            while time.monotonic() < until:
                waiting = [c for c in client.client_list() if c["name"] == f"r{number}" and "b" in c["flags"]]
                if waiting:
                    break
        for number in range(1, 4):
            client.xadd("s", {"n": number}, id=f"{number}-1")
        for thread in threads:
            thread.join()
        told += [got[number] for number in range(3)]
        told.append(shown(client.xpending("s", "g")))
    return told


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("story", [pipelines, messages, blocked])
def test_stories(story: Callable[[int, int], list[str]], protocol: int, ports: tuple[int, int]) -> None:
    with ThreadPoolExecutor(2) as pool:
        model, real = pool.map(lambda port: story(port, protocol), ports)
    assert model == real

"""Scripts in Lua on a served model and on real servers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from .servers_at_hand import servers_named


@pytest.fixture(scope="module", params=servers_named(), ids=lambda server: server.dialect)
def clients(request: pytest.FixtureRequest) -> Iterator[list[Any]]:
    """A client of the served model, and one of the real server of its dialect."""
    binary: ServerBinary = request.param
    with (
        ServerThread(binary.dialect) as served,
        SpawnedServer(binary, tcp=True) as real,
        redis.Redis(port=served.port, protocol=2) as model,
        redis.Redis(port=real.address.port, protocol=2) as server,
    ):
        yield [model, server]


SCRIPTS = {
    "numbers": "return {1, 3.7, -2.9, 0}",
    "truth": "return {true, false, 1}",
    "nothing": "return nil",
    "a hole": "return {1, 2, nil, 4}",
    "status": "return redis.status_reply('FINE')",
    "an error": "return redis.error_reply('MY Error')",
    "a table of both": "return {ok = 'YES'}",
    "keys and arguments": "return {KEYS[1], KEYS[2], ARGV[1], #ARGV}",
    "a command": "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])",
    "a number as an argument": "redis.call('SET', KEYS[1], 12) return redis.call('INCRBY', KEYS[1], 3)",
    "fractions as arguments": (
        "local told = {} for n, it in ipairs({12, -0.5, 1700000002.001, 1e15, 1e17, 1e20}) do "
        "told[n] = redis.call('ECHO', it) end return told"
    ),
    "no such key": "return {redis.call('GET', 'none'), type(redis.call('GET', 'none'))}",
    "a status of a command": "return redis.call('SET', KEYS[1], 'x')",
    "its fields": "return redis.call('SET', KEYS[1], 'x').ok",
    "a hash": "redis.call('HSET', KEYS[1], 'a', 1, 'b', 2) return redis.call('HGETALL', KEYS[1])",
    "a stream": "redis.call('XADD', KEYS[1], '1-1', 'a', 'b') return redis.call('XRANGE', KEYS[1], '-', '+')",
    "a read": "redis.call('XADD', KEYS[1], '1-1', 'a', 'b') return redis.call('XREAD', 'STREAMS', KEYS[1], '0')",
    "no block": "return redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '$')",
    "an error that is caught": "redis.call('SET', KEYS[1], 'x') return redis.pcall('XLEN', KEYS[1]).err ~= nil",
    "an error that is given back": "redis.call('SET', KEYS[1], 'x') return redis.pcall('XLEN', KEYS[1])",
    "no such command": "return redis.call('NOSUCH')",
    "a wrong number of arguments": "return redis.call('XLEN')",
    "no arguments": "return redis.call()",
    "a command that is refused": "return redis.call('SUBSCRIBE', 'x')",
    "a command that is refused, inside": "return redis.pcall('MULTI')",
    "an argument that is none": "return redis.call('GET', {})",
    "an error of Lua": "return nosuch.field",
    "a variable of all": "nosuch = 1",
    "a digest": "return redis.sha1hex('')",
    "strings of Lua": "return string.rep('ab', 3) .. #'\\0\\r\\n'",
    "a script that is none": "return return",
}


def told(client: Any, script: str) -> object:
    client.flushall()
    try:
        return client.eval(script, 2, "k1", "k2", "a1", "a2")
    except redis.ResponseError as error:
        return f"error {re.split(' script: |f_', str(error))[0]}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_gives_the_same(name: str, clients: list[Any]) -> None:
    model, real = (told(client, SCRIPTS[name]) for client in clients)
    assert model == real


def test_what_fails_ends_a_script(clients: list[Any]) -> None:
    for client in clients:
        client.flushall()
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.eval("redis.call('SET', 'a', 'x')\nredis.call('XLEN', 'a')\nredis.call('SET', 'b', 1)", 0)
        assert (client.get("a"), client.exists("b")) == (b"x", 0)
        with pytest.raises(redis.ResponseError, match=r"NOSCRIPT|No matching script"):
            client.evalsha("f" * 40, 0)
        digest = client.script_load("return 7")
        assert (client.script_exists(digest, "f" * 40), client.evalsha(digest, 0)) == ([True, False], 7)
        with pytest.raises(redis.ResponseError, match="greater than number of args"):
            client.execute_command("EVAL", "return 1", 2, "k")


def test_the_locks_of_redis_py(clients: list[Any]) -> None:
    for client in clients:
        client.flushall()
        lock, other = client.lock("l", timeout=30), client.lock("l", timeout=30, blocking=False)
        assert lock.acquire()
        assert not other.acquire()
        assert lock.extend(10)
        assert lock.reacquire()
        lock.release()
        assert other.acquire()
        client.delete("l")
        with pytest.raises(redis.exceptions.LockNotOwnedError):
            other.release()


def test_a_script_wakes_who_is_blocked(clients: list[Any]) -> None:
    for client in clients:
        client.flushall()
        port = client.connection_pool.connection_kwargs["port"]
        got: list[Any] = []

        def read(port: int = port, got: list[Any] = got) -> None:
            with redis.Redis(port=port) as reader:
                got.append(reader.blpop(["l"], 5))

        thread = threading.Thread(target=read)
        thread.start()
        while not client.info("clients")["blocked_clients"]:
            pass
        assert client.eval("redis.call('RPUSH', 'l', 'a') redis.call('RPUSH', 'l', 'b') return 1", 0) == 1
        thread.join()
        assert got == [(b"l", b"a")]

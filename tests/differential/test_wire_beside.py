"""Strings, hashes, sets and sorted sets of a served model against real servers: random commands, to the byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from random import Random

import pytest
from redelivery.sim.real.frames import FrameScanner
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from .servers_at_hand import servers_named

COMMANDS = 3_000
KEYS = ["s", "t", "h", "i", "z", "y", "m"]
WORDS = ["a", "b", "c", "", "1", "-7", "3.5", "9223372036854775807", "x y"]
NUMBERS = ["0", "1", "-1", "5", "10", "9223372036854775807", "-9223372036854775808", "x", "1.5", "007"]
SCORES = ["0", "1", "2", "2.5", "-3", "0.1", "1e3", "inf", "-inf", "nan", "x", "3.0000000000000004"]
BOUNDS = [*SCORES, "(1", "(2.5", "(inf", "-inf", "+inf", "("]
UNORDERED = {"SMEMBERS"}
"""In the order of a hash table, or sorted, as the server likes."""


@pytest.fixture(scope="module", params=servers_named(), ids=lambda server: server.dialect)
def ports(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    binary: ServerBinary = request.param
    with ServerThread(binary.dialect) as served, SpawnedServer(binary, enable_debug=True, tcp=True) as real:
        yield served.port, real.address.port


def drawn(chance: Random) -> list[str]:
    """A command line of one of the families, mostly right."""
    key, word, number = chance.choice(KEYS), chance.choice(WORDS), chance.choice(NUMBERS)
    score, low, high = chance.choice(SCORES), chance.choice(BOUNDS), chance.choice(BOUNDS)
    times = ["EX", "100"], ["PX", "100000"], ["EX", "0"], ["EX", "x"], ["KEEPTTL"], ["PXAT", "1"], ["EX"], ["FOO"]
    options = [*chance.choice([[], [], ["NX"], ["XX"], ["NX", "XX"], ["GET"], ["NX", "GET"]]),
               *chance.choice([[], [], [], *times])]  # fmt: skip
    zadd = chance.choice([[], [], ["NX"], ["XX"], ["GT"], ["LT"], ["CH"], ["INCR"], ["GT", "CH"], ["NX", "XX"],
                          ["NX", "GT"], ["XX", "INCR"]])  # fmt: skip
    scores = chance.choice([[], ["WITHSCORES"], ["LIMIT", "1", "2"], ["WITHSCORES", "LIMIT", "0", "-1"], ["FOO"]])
    ranged = chance.choice([[], ["REV"], ["WITHSCORES"], ["REV", "WITHSCORES"], ["LIMIT", "0", "1"]])
    small = chance.choice(["0", "1", "-1", "-2", "5"])
    found: list[list[str]] = [
        ["SET", key, word, *options], ["SET", key, number], ["GET", key], ["SETNX", key, word], ["GETSET", key, word],
        ["GETDEL", key], ["SETEX", key, number, word], ["PSETEX", key, "10000", word], ["MGET", key, "s", "h", "none"],
        ["MSET", key, word, "s", number], ["MSET", key, word, "s"], ["INCR", key], ["DECR", key],
        ["INCRBY", key, number], ["DECRBY", key, number], ["APPEND", key, word], ["STRLEN", key],
        ["HSET", key, word, number], ["HSET", key, "a", "1", "b", number], ["HSET", key, "a", "1", "b"],
        ["HMSET", key, "a", "1"], ["HSETNX", key, word, number], ["HGET", key, word], ["HMGET", key, word, "b"],
        ["HGETALL", key], ["HKEYS", key], ["HVALS", key], ["HLEN", key], ["HEXISTS", key, word],
        ["HDEL", key, word, "b"], ["HINCRBY", key, word, number], ["SADD", key, word, number], ["SREM", key, word, "b"],
        ["SMEMBERS", key], ["SISMEMBER", key, word], ["SMISMEMBER", key, word, "b"], ["SCARD", key],
        ["ZADD", key, *zadd, score, word], ["ZADD", key, *zadd, score, word, chance.choice(SCORES), "b"],
        ["ZADD", key, score, word, "1"], ["ZINCRBY", key, score, word], ["ZSCORE", key, word], ["ZCARD", key],
        ["ZREM", key, word, "b"], ["ZCOUNT", key, low, high], ["ZPOPMIN", key], ["ZPOPMAX", key, small],
        ["ZRANGE", key, small, "-1", *ranged], ["ZRANGE", key, low, high, "BYSCORE", *ranged],
        ["ZRANGEBYSCORE", key, low, high, *scores], ["ZREVRANGEBYSCORE", key, high, low, *scores],
        ["ZREMRANGEBYSCORE", key, low, high], ["DEL", key], ["TYPE", key], ["EXISTS", key], ["TTL", key],
        ["XADD", key, "*"], ["LPUSH", key, word], ["XLEN", key], ["PERSIST", key],
        ["COPY", key, chance.choice(KEYS)], ["RENAME", key, chance.choice(KEYS)],
    ]  # fmt: skip
    return chance.choice(found)


def encoded(words: list[str]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w.encode()), w.encode()) for w in words)


def answers(port: int, lines: list[list[str]], protocol: int) -> list[bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        wanted = [["HELLO", str(protocol)], ["FLUSHALL"], *lines]
        scanner = FrameScanner()
        found: list[bytes] = []
        for at in range(0, len(wanted), 200):
            page = wanted[at : at + 200]
            client.sendall(b"".join(map(encoded, page)))
            while len(found) < at + len(page):
                frame = scanner.next()
                if frame is None:
                    came = client.recv(1 << 16)
                    assert came, f"the connection ended after {found[-1:]!r}"
                    scanner.feed(came)
                else:
                    found.append(frame)
        return found[2:]


def comparable(words: list[str], frame: bytes) -> object:
    if words[0] in UNORDERED:
        return sorted(frame.split(b"\r\n"))
    return frame


@pytest.mark.parametrize("protocol", [2, 3])
def test_random_commands_get_the_same_bytes(protocol: int, ports: tuple[int, int]) -> None:
    chance = Random(protocol)
    lines = [drawn(chance) for _ in range(COMMANDS)]
    ours, theirs = (answers(port, lines, protocol) for port in ports)
    for at, (line, model, real) in enumerate(zip(lines, ours, theirs, strict=True)):
        same = comparable(line, model) == comparable(line, real)
        assert same, f"after {at}: {line} gives {model!r}, and {real!r} on the real server"
    assert sum(not frame.startswith(b"-") for frame in theirs) > COMMANDS // 4

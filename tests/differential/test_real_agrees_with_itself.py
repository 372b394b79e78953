"""A real server's own replies, replayed on another instance: whatever differs is the harness's fault."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator

import pytest
from redelivery.sim.real.connection import Connection
from redelivery.sim.real.replay import replay
from redelivery.sim.real.script import Open, Send, Step
from redelivery.sim.real.servers import ServerBinary, at_hand
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.values import parse
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

COMMANDS = """
XADD s * k {serial}|XADD s * k {serial}|XADD t * k {serial}|XADD s MAXLEN 8 * k {serial}|XADD s 5-1 k v
XGROUP CREATE s g 0 MKSTREAM|XGROUP CREATE t g $ MKSTREAM|XGROUP SETID s g {id}
XGROUP DELCONSUMER s g {consumer}|MULTI|EXEC|EXEC
XREADGROUP GROUP g {consumer} COUNT 2 STREAMS s >|XREADGROUP GROUP g {consumer} STREAMS s t > >
XREADGROUP GROUP g {consumer} STREAMS s {id}|XREAD STREAMS s s t 0 {id} 0
XRANGE s ({id} +|XREVRANGE t + - COUNT 3
XACK s g {id} {id}|XDEL s {id}|XTRIM t MAXLEN 3
XCLAIM s g {consumer} 0 {id} {id}|XCLAIM s g {consumer} 0 {id} JUSTID
XAUTOCLAIM s g {consumer} 0 0 COUNT 2|XAUTOCLAIM s g {consumer} 0 {id} COUNT 1 JUSTID|XLEN s|DEL t
XPENDING s g|XPENDING s g - + 9|XPENDING s g - + 9 {consumer}|XINFO STREAM s|XINFO STREAM s FULL
XINFO GROUPS s|XINFO CONSUMERS s g|XINFO STREAM t FULL COUNT 1|XSETID s {id}|TIME|NOSUCH {id}
"""
FORMS = [form for line in COMMANDS.split("\n") for form in line.split("|") if form]


@pytest.fixture(scope="module", params=list(at_hand()), ids=lambda binary: binary.name)
def binary(request: pytest.FixtureRequest) -> ServerBinary:
    assert isinstance(request.param, ServerBinary)
    return request.param


@pytest.fixture(scope="module")
def real(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with SpawnedServer(binary) as server:
        yield server


def recorded(binary: ServerBinary, seed: int, steps: int, gap_ms_max: int) -> list[Step]:
    """What a server under the virtual clock answered to commands of the seed's choice."""
    chance = random.Random(seed)
    script: list[Step] = [Open(conn, 2 + conn % 2, START_MS) for conn in range(4)]
    ids = [b"5-1", b"0-0"]
    with VirtualClock() as clock, SpawnedServer(binary, clock=clock) as server:
        connections: list[Connection] = [server.connect() for _ in range(4)]
        for conn in (1, 3):
            connections[conn].call(b"HELLO", b"3")
        for serial in range(steps):
            if chance.random() < 0.3:
                clock.set(clock.now_ms + chance.randrange(gap_ms_max + 1))
            form = chance.choice(FORMS).split()
            names = {b"{consumer}": b"abc"[(at := chance.randrange(3)) : at + 1], b"{serial}": b"%d" % serial}
            argv = []
            for word in map(str.encode, form):
                bare = word.removeprefix(b"(")
                text = chance.choice(ids[-12:]) if bare == b"{id}" else names.get(bare, bare)
                argv.append(word[: len(word) - len(bare)] + text)
            conn = chance.randrange(4)
            reply = connections[conn].call(*argv)
            if argv[0] == b"XADD" and reply.startswith(b"$"):
                value = parse(reply)
                assert isinstance(value, bytes)
                ids.append(value)
            script.append(Send(conn, tuple(argv), clock.now_ms, reply))
        for connection in connections:
            connection.close()
    return script


@pytest.mark.parametrize("seed", range(3))
def test_the_same_commands_at_the_same_times_give_the_same_bytes(binary: ServerBinary, seed: int) -> None:
    outcome = replay(recorded(binary, seed, 1500, 10_000), binary)
    assert outcome.time_compared
    assert (outcome.differences, outcome.replies) == ((), 1500)


@pytest.mark.parametrize("seed", range(3))
def test_in_real_time_only_times_and_ids_differ(binary: ServerBinary, real: SpawnedServer, seed: int) -> None:
    outcome = replay(recorded(binary, seed, 400, 2), real)
    assert not outcome.time_compared
    assert (outcome.differences, outcome.replies) == ((), 400)

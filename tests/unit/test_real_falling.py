"""Servers that die in a replay: what stands in their place is, to the byte, what the model says that survived."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator

import pytest
from redelivery.models.journal import FILE, REPLICA, SNAPSHOT
from redelivery.models.survivors import FAILOVER
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.replay import replay
from redelivery.sim.real.script import Fall, Open, Send
from redelivery.sim.real.servers import ServerBinary, embedded
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

from .told import Told

needs_clock = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    return embedded()


LOOK = ("XINFO STREAM s FULL", "XPENDING s g", "XRANGE s - +", "GET k")


def told(binary: ServerBinary, who: str, lacking: tuple[int, ...] = (1, 2, 9)) -> Told:
    """A server that is lost three times: it lacks the last unit, then two, then more than it has told since."""
    run = Told(binary, who)
    run.does(1, "XGROUP CREATE s g $ MKSTREAM", "SET k 0")
    run.followed(max(lacking))
    for n, units in enumerate(lacking):
        run.does(2 + n, "XADD s * n 1", "XADD s * n 2")
        run.does(2 + n, "XREADGROUP GROUP g a STREAMS s >", "XREADGROUP GROUP g a STREAMS s 0")
        run.does(2 + n, "MULTI", "XADD s * n 3", f"SET k {n + 1}", "EXEC", "XREADGROUP GROUP g b COUNT 1 STREAMS s >")
        run.falls(units)
        run.now_ms += 5
        run.does(20 + n, *LOOK)
    return run


@needs_clock
@pytest.mark.parametrize("who", [FILE, REPLICA, SNAPSHOT])
def test_what_survives_is_what_the_model_says(binary: ServerBinary, who: str) -> None:
    run = told(binary, who)
    outcome = replay(run.script, binary)
    assert outcome.differences == ()
    assert outcome.replies == sum(isinstance(step, Send) for step in run.script)
    at = next(n for n, step in enumerate(run.script) if isinstance(step, Fall))
    fall = run.script[at]
    assert isinstance(fall, Fall)
    other = [*run.script[:at], dataclasses.replace(fall, lacking=fall.lacking + 1), *run.script[at + 1 :]]
    assert replay(other, binary).differences, "one unit more that is lacking is seen"


@needs_clock
def test_a_server_may_come_back_empty_whoever_follows_it(binary: ServerBinary) -> None:
    for who in (FILE, REPLICA, SNAPSHOT):
        assert replay(told(binary, who, (-1, 1)).script, binary).differences == ()


def waited(binary: ServerBinary) -> Told:
    """A replica says what it has, is cut off and says nothing, is reached again, and takes over."""
    run = Told(binary, REPLICA)
    run.followed(3)
    run.does(1, "XADD s * n 1", "WAIT 1 0", "WAIT 0 0", "XADD s * n 2")
    run.does(1, "MULTI", "XADD s * n 3", "WAIT 1 0", "EXEC", "WAIT 1 0")
    run.cut(100)
    run.does(1, "XADD s * n 4", "WAIT 1 20")
    run.later(21)
    run.does(1, "XADD s * n 5", "WAIT 1 0")
    run.later(200)
    run.does(1, "XADD s * n 6", "XADD s * n 7")
    run.falls(1)
    run.does(2, "WAIT 1 0", *LOOK)
    return run


@needs_clock
def test_a_replica_says_what_it_has_when_it_can_be_reached(binary: ServerBinary) -> None:
    run = waited(binary)
    waits = [step.reply for step in run.script if isinstance(step, Send) and step.argv[0] == b"WAIT"]
    has = b":1\r\n"
    assert waits == [has, has, b"+QUEUED\r\n", has, None, None, has]
    assert replay(run.script, binary).differences == ()


def test_in_real_time_a_replica_takes_over_as_well(binary: ServerBinary) -> None:
    run = Told(binary, REPLICA)
    run.followed(1)
    run.does(1, "XADD s 1-1 n 1", "XADD s 2-1 n 2")
    run.falls(1)
    run.does(2, "XRANGE s - +", "XLEN s")
    outcome = replay(run.script, binary, virtual=False)
    assert (outcome.differences, outcome.time_compared) == ((), False)


@pytest.fixture
def started(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with SpawnedServer(binary) as server:
        yield server


def test_a_fall_takes_a_server_that_is_started_for_it(binary: ServerBinary, started: SpawnedServer) -> None:
    script = told(binary, REPLICA).script
    for target in (started, started.address):
        with pytest.raises(RealServerError, match="is replayed on a server that is started for it alone"):
            replay(script, target)
    with pytest.raises(ValueError, match="the script does not say what follows it"):
        replay([Fall(FAILOVER, 0, START_MS)], binary)


@needs_clock
def test_a_restart_from_a_snapshot_and_waitaof_cannot_be_had_together(binary: ServerBinary) -> None:
    asked = Send(99, (b"WAITAOF", b"0", b"0", b"0"), START_MS, b"")
    script = [*told(binary, SNAPSHOT).script, Open(99, 3, START_MS), asked]
    with pytest.raises(RealServerError, match="WAITAOF would tell of it"):
        replay(script, binary)


@needs_clock
def test_a_restart_keeps_only_what_it_is_given(binary: ServerBinary) -> None:
    with VirtualClock() as clock, SpawnedServer(binary, clock=clock) as server:
        with server.connect() as connection:
            connection.call(b"SET", b"k", b"v")
            connection.call(b"SAVE")
        saved = (server.directory / "dump.rdb").read_bytes()
        for files, size in (({}, 0), ({"dump.rdb": saved}, 1), ({}, 0)):
            server.restart(files)
            with server.connect() as connection:
                assert connection.call(b"DBSIZE") == b":%d\r\n" % size

"""What falls into one millisecond: a wait that is over and a command are replayed in the order of the script."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import pytest
from redelivery.models.journal import FILE
from redelivery.sim.real.connection import encode
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.replay import replay
from redelivery.sim.real.servers import ServerBinary, embedded
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import VirtualClock
from redelivery.sim.real.virtual_time import may_be_over

from .told import Told

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)


@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    return embedded()


@pytest.fixture(scope="module")
def server(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with VirtualClock() as clock, SpawnedServer(binary, clock=clock, enable_debug=True) as started:
        yield started


READ = "XREADGROUP GROUP g a BLOCK 10 STREAMS s >"


def reading(binary: ServerBinary, read: str = READ) -> Told:
    """Somebody reads, and its time is over."""
    run = Told(binary)
    run.does(1, "XGROUP CREATE s g 0 MKSTREAM")
    run.does(2, read)
    run.now_ms += 11
    return run


def look(run: Told) -> Told:
    run.does(1, "XINFO STREAM s FULL", "XPENDING s g")
    return run


def the_command_comes_first(run: Told) -> Told:
    run.at_once(1, "XADD s * n 1")
    run.served()
    return look(run)


def the_wait_is_over_first(run: Told) -> Told:
    run.expire()
    run.at_once(1, "XADD s * n 1")
    return look(run)


def others_come_between(run: Told) -> Told:
    """Commands of several, some of which tell the same connection to go on, before the wait is over."""
    for conn, line in ((1, "XLEN s"), (3, "SET k 1"), (1, "SET k 2"), (3, "GET k")):
        run.at_once(conn, line)
    run.expire()
    return look(run)


def a_transaction_comes_first(run: Told) -> Told:
    for line in ("MULTI", "XADD s * n 1", "XADD s * n 2", "EXEC"):
        run.at_once(1, line)
    run.served()
    return look(run)


def another_waits_first(run: Told) -> Told:
    """The new wait begins before the old one is over, and both stand in line when the entry comes."""
    run.at_once(3, "XREADGROUP GROUP g b BLOCK 10 STREAMS s >")
    run.at_once(1, "XADD s * n 1")
    run.served()
    run.at_once(1, "XADD s * n 2")
    run.served()
    return look(run)


def it_hangs_up_first(run: Told) -> Told:
    run.at_once(3, "XLEN s")
    run.hangs_up(2)
    run.at_once(1, "XADD s * n 1")
    return look(run)


MOMENTS = [
    the_command_comes_first, the_wait_is_over_first, others_come_between, a_transaction_comes_first,
    another_waits_first, it_hangs_up_first,
]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_order_is_the_scripts(
    binary: ServerBinary, server: SpawnedServer, moment: Callable[[Told], Told]
) -> None:
    run = moment(reading(binary))
    for _ in range(3):
        assert replay(run.script, server).differences == ()


def test_both_orders_differ(binary: ServerBinary) -> None:
    first, second = (moment(reading(binary)).script for moment in (the_command_comes_first, the_wait_is_over_first))
    assert first[-2:] != second[-2:], "the reader has the entry in one of them"


def test_other_waits_may_be_over_as_well(binary: ServerBinary, server: SpawnedServer) -> None:
    run = reading(binary, "BLPOP list 0.01")
    run.at_once(1, "RPUSH list 1")
    run.served()
    assert replay(look(run).script, server).differences == ()


def test_the_server_may_die_in_the_moment(binary: ServerBinary) -> None:
    run = Told(binary, FILE)
    run.does(1, "XGROUP CREATE s g 0 MKSTREAM")
    run.followed(1)
    run.does(2, READ)
    run.now_ms += 10
    run.falls(0)
    assert replay(look(run).script, binary).differences == ()


def test_a_server_that_is_not_ours_is_not_stopped(server: SpawnedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "pid", os.getpid())
    with pytest.raises(RealServerError, match="a process that is not ours to stop"), server.standing_still():
        pass


def test_a_server_that_stands_still_takes_what_came_in_the_order_of_its_coming(server: SpawnedServer) -> None:
    with server.connect() as first, server.connect() as second, server.connect() as third:
        for connection in (second, third, first):
            connection.call(b"PING")
        first.call(b"PING")
        with server.standing_still():
            third.send((b"SET", b"k", b"0"))
            second.send_raw(encode((b"APPEND", b"k", b"1")) + encode((b"APPEND", b"k", b"2")))
            assert not third.readable(0.05)
        assert third.read() == b"+OK\r\n"
        assert second.read_many(2) == b":2\r\n:3\r\n"


@pytest.mark.parametrize(
    ("line", "after_ms"),
    [
        ("XREAD BLOCK 10 STREAMS s $", 11), ("XREADGROUP GROUP block claim NOACK block 10 STREAMS s >", 11),
        ("XREADGROUP BLOCK 10 COUNT 1 GROUP streams claim STREAMS s >", 11),
        ("WAIT 1 10", 11), ("WAITAOF 0 1 10", 11), ("BLPOP a b 0.01", 11), ("BLMPOP 0.01 1 a LEFT", 11),
        ("BRPOPLPUSH a b 1", 1001), ("XREADGROUP GROUP g a CLAIM 9 BLOCK 500 STREAMS s >", 1),
        ("XREAD BLOCK 0 STREAMS s $", None), ("BLPOP a 0", None), ("WAIT 1 0", None),
    ],
)  # fmt: skip
def test_when_a_wait_may_be_over(line: str, after_ms: int | None) -> None:
    argv = tuple(line.encode().split())
    if after_ms is None:
        assert not may_be_over(argv, 5, 10**9)
    else:
        assert not may_be_over(argv, 5, 5 + after_ms - 1)
        assert may_be_over(argv, 5, 5 + after_ms)

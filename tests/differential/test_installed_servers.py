"""The servers that `redelivery servers install` brings: each starts, follows the clock, and dies with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from redelivery.sim.real.debian.offers import OFFERS
from redelivery.sim.real.servers import ServerBinary, examine, locate
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock, set_clock_command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)


@pytest.fixture(params=OFFERS)
def binary(request: pytest.FixtureRequest, servers: Mapping[str, ServerBinary]) -> ServerBinary:
    if request.param not in servers:
        pytest.skip(f"one of the {len(OFFERS)} may be missing, where a suite of Debian has moved on")
    return servers[request.param]


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    with VirtualClock() as clock:
        yield clock


def eventually(true: Callable[[], bool], within_s: float = 10) -> bool:
    limit = time.monotonic() + within_s
    while not true() and time.monotonic() < limit:
        time.sleep(0.01)
    return true()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may go while it is looked at
        return False


def test_it_is_what_it_is_called(binary: ServerBinary) -> None:
    assert binary.dialect == binary.name
    assert locate(binary.name) in (binary, locate("embedded"))
    assert examine(binary.path, name=binary.name) == binary
    with SpawnedServer(binary) as server:
        assert (server.version, server.dialect) == (binary.version, binary.name)


def test_it_follows_the_clock_at_once(binary: ServerBinary, clock: VirtualClock) -> None:
    with SpawnedServer(binary, clock=clock, enable_debug=True) as server, server.connect() as connection:
        times = [START_MS + index * 7919 % 100_003 - 50_000 for index in range(200)]
        for now_ms in times:
            clock.set(now_ms)
            assert connection.call(b"XADD", b"%d" % now_ms, b"*", b"k", b"v") == b"$15\r\n%d-0\r\n" % now_ms
        connection.call(b"FLUSHALL")
        for now_ms in times:
            connection.send_many([set_clock_command(now_ms), (b"XADD", b"%d" % now_ms, b"*", b"k", b"v")])
            assert connection.read_many(2) == b"+OK\r\n$15\r\n%d-0\r\n" % now_ms


def test_who_is_blocked_wakes_by_the_clock(binary: ServerBinary, clock: VirtualClock) -> None:
    """On Redis 6.0 the event loop runs on this clock, too: it turns when something is sent, and that is enough."""
    with SpawnedServer(binary, clock=clock) as server, server.connect() as control, server.connect() as reader:
        reader.send([b"XREAD", b"BLOCK", b"5000", b"STREAMS", b"s", b"$"])
        assert eventually(lambda: b"blocked_clients:1\r\n" in control.call(b"INFO", b"clients"))
        for now_ms in (START_MS + 5000, START_MS - 10_000):
            clock.set(now_ms)
            control.call(b"PING")
            control.call(b"PING")
            assert not reader.readable(0.25)
        clock.set(START_MS + 5001)
        control.call(b"PING")
        assert reader.read(1) == b"*-1\r\n"


def test_a_key_expires_by_the_clock_without_being_looked_at(binary: ServerBinary, clock: VirtualClock) -> None:
    with SpawnedServer(binary, clock=clock) as server, server.connect() as connection:
        connection.call(b"SET", b"k", b"v", b"PX", b"50")
        clock.set(START_MS + 49)
        time.sleep(0.3)  # more than two turns of the server's own timer, where it has one
        assert connection.call(b"DBSIZE") == b":1\r\n"
        clock.set(START_MS + 1000)
        assert eventually(lambda: connection.call(b"DBSIZE") == b":0\r\n")


PARENT = """
    import sys, time
    from redelivery.sim.real.spawn import SpawnedServer
    from redelivery.sim.real.virtual_clock import VirtualClock

    server = SpawnedServer(sys.argv[1], clock=VirtualClock() if sys.argv[2] == "virtual" else None)
    print(server.pid, server._guard.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("time_kind", ["virtual", "real"])
def test_it_dies_with_a_run_that_is_killed(binary: ServerBinary, tmp_path: Path, time_kind: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(binary.path), time_kind],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a killed process cannot remove its directories
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(map(is_alive, pids)))

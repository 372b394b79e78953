"""WAIT and WAITAOF against real servers: alone, and with a replica that says what it has when the test wants it to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redelivery.models.append_only_file import commands
from redelivery.models.commands import waiting
from redelivery.models.dialects import DIALECTS
from redelivery.models.journal import FILE, REPLICA
from redelivery.models.replies import BLOCKED, encode
from redelivery.models.server import Server
from redelivery.models.survivors import Survivors, follow
from redelivery.sim.real.connection import Connection
from redelivery.sim.real.connection import encode as encoded
from redelivery.sim.real.guard import closest_dialect
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

from ..quality.seeded.faults import code_of
from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

LINES = (
    "WAIT", "WAIT 1", "WAIT 1 2 3", "WAIT 0 0", "WAIT -1 0", "WAIT x 0", "WAIT 0 x", "WAIT x x", "WAIT 0 -1",
    "WAIT 0 9223372036854775807", "WAIT 01 5", "WAIT 9223372036854775808 0", "WAIT 9223372036854775807 0",
    "WAIT 4294967296 0", "WAIT 2147483648 100", "wait 0 5",
    "WAITAOF 0 0", "WAITAOF 0 0 0", "WAITAOF 1 0 0", "WAITAOF 2 0 0", "WAITAOF -1 0 0", "WAITAOF 0 -1 0",
    "WAITAOF x 0 0", "WAITAOF 0 x 0", "WAITAOF 0 0 x", "WAITAOF 0 0 -1", "WAITAOF 1 0 x", "waitaof 0 0 9",
    "MULTI", "XADD s 1-1 a b", "WAIT 1 0", "EXEC", "MULTI", "WAIT x 1", "WAIT 5 100", "EXEC",
)  # fmt: skip
WITH_WAITAOF = ("WAITAOF 0 4294967296 0", "MULTI", "WAITAOF 0 3 0", "WAITAOF 1 0 5", "WAITAOF 3 0 5", "EXEC")


class Both:
    """A real server and the model of it under one clock; what is asked of one is asked of both."""

    def __init__(self, binary: ServerBinary, config: dict[str, str] | None = None) -> None:
        self.clock = VirtualClock(START_MS)
        self.server = SpawnedServer(binary, clock=self.clock, enable_debug=True, config=config or {})
        self.dialect = DIALECTS[closest_dialect(self.server.dialect, binary.name)[0]]
        self.model = Server(self.dialect)
        self.control = self.server.connect()
        self._ends: dict[str, tuple[Connection, int]] = {}

    def ends(self, name: str) -> tuple[Connection, int]:
        """A connection to each, by name."""
        if name not in self._ends:
            self._ends[name] = self.server.connect(timeout=5.0), self.model.open()
        return self._ends[name]

    def ask(self, name: str, line: str) -> None:
        """Both answer the same, or both do not answer yet."""
        connection, session = self.ends(name)
        argv = tuple(line.encode().split())
        connection.send(argv)
        reply, _ = self.model.execute(session, argv, self.clock.now_ms)
        if reply is BLOCKED:
            self.control.call(b"PING")
            assert not connection.readable(0.05), f"{line}: the model waits, the server does not"
        else:
            assert connection.readable(1.0), f"{line}: the server waits, the model does not"
            assert connection.read() == encode(reply, 2), line

    def later(self, by_ms: int) -> None:
        """Time goes by."""
        self.clock.set(self.clock.now_ms + by_ms)
        self.model.expire(self.clock.now_ms)
        self.control.call(b"PING")

    def told(self, name: str) -> None:
        """Both have answered what waited."""
        connection, session = self.ends(name)
        served = [each for each in self.model.take_served() if each.session == session]
        assert [each.session for each in served] == [session]
        assert connection.read() == encode(served[0].reply, 2)

    def close(self) -> None:
        for connection, _ in self._ends.values():
            connection.close()
        self.control.close()
        self.server.close()
        self.clock.close()


@pytest.fixture(params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def binary(request: pytest.FixtureRequest) -> ServerBinary:
    found: ServerBinary = request.param
    return found


@pytest.fixture
def alone(binary: ServerBinary) -> Iterator[Both]:
    both = Both(binary)
    yield both
    both.close()


def test_alone_nobody_has_it(alone: Both) -> None:
    known = b"WAITAOF" in alone.model._table
    for line in (*LINES, *(WITH_WAITAOF if known else ())):
        alone.ask("a", line)
    for line, by_ms in (("WAIT 1 50", 50), ("WAITAOF 0 1 7", 7)) if known else (("WAIT 1 50", 50),):
        alone.ask("a", line)
        alone.later(by_ms)
        assert not alone.model.take_served()
        assert not alone.ends("a")[0].readable(0.05)
        alone.later(1)
        alone.told("a")
    client = alone.ends("a")[0].call(b"CLIENT", b"ID")[1:-2]
    for word in (b"TIMEOUT", b"ERROR"):
        alone.ask("a", "WAIT 2 0")
        assert alone.control.call(b"CLIENT", b"UNBLOCK", client, word) == b":1\r\n"
        other = alone.model.open()
        session = b"%d" % alone.ends("a")[1]
        assert alone.model.execute(other, (b"CLIENT", b"UNBLOCK", session, word), alone.clock.now_ms)[0] == 1
        alone.told("a")


def test_the_file_has_it(binary: ServerBinary) -> None:
    """With a file that is brought to the disk before each answer."""
    both = Both(binary, {"appendonly": "yes", "appendfsync": "always"})
    try:
        if b"WAITAOF" not in both.model._table:
            both.ask("a", "WAITAOF 1 0 0")
            return
        follow(both.model, FILE, 0)
        for line in ("XADD s 1-1 a b", "WAITAOF 1 0 0", "WAITAOF 0 0 0", "WAIT 0 0", "WAITAOF 1 1 30"):
            both.ask("a", line)
        both.later(31)
        both.told("a")
    finally:
        both.close()


# ---- a replica ----


class ToldReplica:
    """A connection on which a server sends what it sends its replicas; it says what it has when it is told to."""

    def __init__(self, server: SpawnedServer) -> None:
        self._socket = server.connect()._socket
        self._socket.settimeout(20.0)
        self._data = b""
        self._socket.sendall(encoded((b"PSYNC", b"?", b"-1")))
        self._at = int(self._line().split()[2])
        size = int(self._line()[1:])
        while len(self._data) < size:
            self._more()
        self._data = self._data[size:]
        self._at += len(self._data)

    def _line(self) -> bytes:
        while b"\r\n" not in self._data.lstrip(b"\n"):
            self._more()
        head, _, self._data = self._data.lstrip(b"\n").partition(b"\r\n")
        return head

    def _more(self) -> None:
        self._data += self._socket.recv(1 << 18)

    def answers(self) -> None:
        """It reads until it is asked what it has, and says that it has it all."""
        self._data = b""
        while (b"REPLCONF", b"GETACK", b"*") not in commands(self._data)[0]:
            before = len(self._data)
            self._more()
            self._at += len(self._data) - before
        self._socket.sendall(encoded((b"REPLCONF", b"ACK", b"%d" % self._at)))

    def says(self) -> None:
        """It says up to where it has read."""
        self._socket.sendall(encoded((b"REPLCONF", b"ACK", b"%d" % self._at)))

    def close(self) -> None:
        self._socket.close()


@contextmanager
def following(binary: ServerBinary) -> Iterator[tuple[Both, ToldReplica]]:
    both = Both(binary, {
        "repl-timeout": "2000000000", "repl-ping-replica-period": "2000000000", "repl-diskless-sync-delay": "0",
        "repl-diskless-sync": "no",
    })  # fmt: skip
    replica = ToldReplica(both.server)
    follow(both.model, REPLICA, 3)
    try:
        yield both, replica
    finally:
        replica.close()
        both.close()


@pytest.fixture
def followed(binary: ServerBinary) -> Iterator[tuple[Both, ToldReplica]]:
    if binary.dialect == "redis-6.0":
        pytest.skip("6.0 has its event loop run on the virtual wall clock, so nothing synchronises by and by")
    with following(binary) as both_and_replica:
        yield both_and_replica


def asked(both: Both, replica: ToldReplica, name: str, line: str) -> None:
    """A wait that the replica ends: the model's answers at once."""
    connection, session = both.ends(name)
    argv = tuple(line.encode().split())
    connection.send(argv)
    replica.answers()
    reply, _ = both.model.execute(session, argv, both.clock.now_ms)
    assert reply is not BLOCKED, f"{line}: the model waits, the server does not"
    assert connection.read() == encode(reply, 2), line


def test_a_replica_says_what_it_has(followed: tuple[Both, ToldReplica]) -> None:
    both, replica = followed
    replica.says()
    both.ask("a", "XADD s 1-1 a b")
    both.ask("a", "WAIT 0 0")
    asked(both, replica, "a", "WAIT 1 0")
    both.ask("a", "WAIT 1 0")
    for line in ("MULTI", "XADD s 1-2 a b", "WAIT 1 0", "EXEC"):
        both.ask("a", line)
    asked(both, replica, "a", "WAIT 1 0")
    both.ask("a", "WAIT 2 40")
    replica.answers()
    both.later(41)
    both.told("a")


def test_a_replica_that_is_cut_off_says_nothing(followed: tuple[Both, ToldReplica]) -> None:
    both, replica = followed
    replica.says()
    both.ask("b", "XADD s 1-1 a b")
    asked(both, replica, "b", "WAIT 1 0")
    assert both.model.survivors is not None
    both.model.survivors.cut_off(START_MS + 200)
    both.ask("a", "XADD s 1-2 a b")
    both.ask("a", "WAIT 1 50")
    both.later(51)
    both.told("a")
    both.ask("b", "GET nothing")
    both.ask("b", "WAIT 1 50")  # what b wrote is there; up to 7.0 all that was told has to be
    if both.dialect.reads_await:
        both.later(51)
        both.told("b")
    both.ask("a", "WAIT 1 0")
    replica.answers()
    both.later(200)
    both.told("a")


# ---- what these stories would find ----

Story = Callable[[tuple[Both, ToldReplica]], None]
SEEDED: tuple[tuple[Callable[..., Any], str, str, Story], ...] = (
    (waiting._having, "survivors.acknowledged >= wanted.told", "survivors.acknowledged > wanted.told",
     test_a_replica_says_what_it_has),
    (waiting._wait, "told=session.told", "told=0", test_a_replica_that_is_cut_off_says_nothing),
    (Survivors.ask, "self.who != SNAPSHOT and self.reach(now_ms)", "self.who != SNAPSHOT",
     test_a_replica_that_is_cut_off_says_nothing),
    (Survivors.ask, "self.acknowledged = self.told", "pass", test_a_replica_says_what_it_has),
    (waiting.met, "is_met(server, wanted)", "False", test_a_replica_that_is_cut_off_says_nothing),
)  # fmt: skip
"""A mistake (lines of a function of the model), and the story that tells it."""


@pytest.mark.parametrize(("function", "old", "new", "story"), SEEDED)
def test_a_mistake_about_replicas_is_found(
    function: Any, old: str, new: str, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = [binary for binary in servers_named() if binary.dialect != "redis-6.0"]
    monkeypatch.setattr(function, "__code__", code_of(function, old, new))
    with following(servers[0]) as both_and_replica, pytest.raises(AssertionError):
        story(both_and_replica)

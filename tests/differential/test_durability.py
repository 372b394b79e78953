"""What survives a server, against real servers: files, snapshots, replicas, of random runs, to the byte."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redelivery.models.append_only_file import commands, lines
from redelivery.models.dialects import DIALECTS, Dialect
from redelivery.models.durability import Copy, load_file, load_snapshot, snapshot_of
from redelivery.models.journal import DISK, REPLICAS, Argv
from redelivery.models.server import Config, Server
from redelivery.sim.real.connection import Connection, encode
from redelivery.sim.real.diff.bench import configure
from redelivery.sim.real.diff.pipelined import Pipelined
from redelivery.sim.real.guard import closest_dialect
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

from .durable_runs import DurableRun, bytes_of, differences, drawn, meaningful, state
from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

RUNS = range(12)
COMMANDS_A_RUN = 200
LOADED_RUNS = range(3)
FILE = {"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0"}
REPLICATION = {
    "repl-timeout": "2000000000", "repl-ping-replica-period": "2000000000", "repl-diskless-sync-delay": "0",
    "repl-diskless-sync": "no",
}  # fmt: skip


class Real:
    """A real server under a virtual clock of its own, and how scripts run on it."""

    def __init__(self, binary: ServerBinary, config: dict[str, str], *, tcp: bool = False) -> None:
        self.binary = binary
        self.clock = VirtualClock()
        self.server = SpawnedServer(binary, clock=self.clock, enable_debug=True, config=config, tcp=tcp)
        self.control = self.server.connect()
        self.dialect = DIALECTS[closest_dialect(self.server.dialect, binary.name)[0]]
        self.pipelined = Pipelined(self.server, self.clock, self.control)

    def follow(self, run: DurableRun) -> None:
        """Runs a script on the emptied server; it must answer as the model did."""
        self.clock.set(START_MS)
        configure(self.control, run.config, self.dialect)
        assert self.pipelined.first_difference(run.script) is None

    def file(self) -> bytes:
        """What the append-only file holds since the last FLUSHALL of ours."""
        self.control.call(b"PING")
        parts = sorted(self.server.directory.glob("**/*.aof"), key=lambda path: path.name)
        return b"".join(path.read_bytes() for path in parts if ".base." not in path.name)

    def close(self) -> None:
        self.pipelined.close()
        self.control.close()
        self.server.close()
        self.clock.close()


@pytest.fixture(scope="module", params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    found = Real(request.param, {**FILE, **REPLICATION})
    yield found
    found.close()


def since_flush(argvs: list[Argv]) -> list[Argv]:
    """What a stream holds of the last run: each begins with a FLUSHALL in the first database."""
    begins = max(i for i, argv in enumerate(argvs) if argv == (b"FLUSHALL",) and argvs[i + 1 : i + 2] != [(b"EXEC",)])
    return argvs[begins + 1 :]


# ---- what is told ----


def test_the_file_holds_what_the_model_tells(real: Real) -> None:
    """Command by command, SELECT and MULTI and EXEC among them."""
    seen = len(commands(real.file())[0])
    for seed in RUNS:
        run = drawn(real.dialect.name, seed, COMMANDS_A_RUN, DISK)
        real.follow(run)
        whole, _ = commands(real.file())
        told = whole[seen:]
        seen = len(whole)
        while told[0][0] == b"SELECT":
            told = told[1:]
        assert told[0] == (b"FLUSHALL",)
        assert meaningful(told[1:]) == meaningful(lines(run.units, real.dialect, selected=0)), f"seed {seed}"


def test_replicas_get_what_the_model_tells(real: Real) -> None:
    """The stream that a replica reads, of a server that has one: with messages, and up to 6.2 with EXPIRE as it was."""
    if cannot_replicate(real):
        pytest.skip("6.0 has its event loop run on the virtual wall clock, so nothing synchronises by and by")
    with RawReplica(real.server) as replica:
        for seed in RUNS:
            run = drawn(real.dialect.name, seed, COMMANDS_A_RUN)
            real.follow(run)
            told = replica.read_on(real.control)
            while told[0][0] == b"SELECT":
                told = told[1:]
            assert told[0] == (b"FLUSHALL",)
            model = meaningful(lines(run.units, real.dialect, REPLICAS, selected=0))
            assert meaningful(told[1:]) == model, f"seed {seed}"


class RawReplica:
    """A connection on which a server sends what it sends its replicas."""

    def __init__(self, server: SpawnedServer) -> None:
        self._socket = server.connect()._socket
        self._socket.settimeout(20.0)
        self._data = b""
        self._marks = 0
        self._socket.sendall(encode((b"PSYNC", b"?", b"-1")))
        while b"\r\n" not in self._data.lstrip(b"\n"):
            self._more()
        head, _, self._data = self._data.lstrip(b"\n").partition(b"\r\n")
        assert head.startswith(b"+FULLRESYNC"), head
        while b"\r\n" not in self._data.lstrip(b"\n"):
            self._more()
        head, _, self._data = self._data.lstrip(b"\n").partition(b"\r\n")
        size = int(head[1:])
        while len(self._data) < size:
            self._more()
        self._data = self._data[size:]

    def __enter__(self) -> RawReplica:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _more(self) -> None:
        self._data += self._socket.recv(1 << 18)

    def read_on(self, control: Connection) -> list[Argv]:
        """The commands since the last time, up to a message that is published now."""
        self._marks += 1
        mark = (b"PUBLISH", b"the end", b"%d" % self._marks)
        control.call(*mark)
        while not self._data.endswith(encode(mark)):
            self._more()
        found, size = commands(self._data)
        self._data = self._data[size:]
        assert found.pop() == mark
        if found[-1][0] == b"SELECT":
            found.pop()  # for the mark
        return [argv for argv in found if argv[0].upper() not in (b"PING", b"REPLCONF")]


# ---- what a file is read into ----


def started(real: Real, folder: Path, config: dict[str, str], run: DurableRun) -> SpawnedServer:
    """A server that starts, at the time at which the clock stands, from what lies in a folder."""
    settings = {
        "dir": str(folder),
        "stream-node-max-bytes": str(run.config.stream_node_max_bytes),
        "stream-node-max-entries": str(run.config.stream_node_max_entries),
    }
    if real.dialect.xinfo_idempotence:
        settings["stream-idmp-duration"] = str(run.config.stream_idmp_duration_s)
    return SpawnedServer(real.binary, clock=real.clock, enable_debug=True, config={**settings, **config})


def cuts(data: bytes, seed: int) -> list[int]:
    """Where a file is cut off: nowhere, after a whole command, and in the middle of one."""
    whole, _ = commands(data)
    ends = [len(bytes_of(whole[:count])) for count in range(len(whole) + 1)]
    in_transaction = next((i + 2 for i, argv in enumerate(whole) if argv == (b"MULTI",)), len(whole) // 2)
    return [len(data), ends[len(whole) * (seed + 1) // 5], ends[in_transaction] + 3]


@pytest.mark.parametrize("seed", LOADED_RUNS)
def test_a_file_is_read_as_the_model_reads_it(real: Real, tmp_path: Path, seed: int) -> None:
    run = drawn(real.dialect.name, seed, COMMANDS_A_RUN, DISK)
    data = bytes_of(lines(run.units, real.dialect))
    for which, cut in enumerate(cuts(data, seed)):
        for later_ms in (0, 7000):
            now_ms = run.now_ms + later_ms
            real.clock.set(now_ms)
            folder = tmp_path / f"{which}-{later_ms}"
            folder.mkdir()
            (folder / "appendonly.aof").write_bytes(data[:cut])
            model = load_file(data[:cut], real.dialect, run.config, now_ms)
            with started(real, folder, FILE, run) as server, server.connect() as connection:
                assert differences(connection, state(model, now_ms)) == []


@pytest.mark.parametrize("seed", LOADED_RUNS)
def test_a_snapshot_is_read_as_the_model_reads_it(real: Real, tmp_path: Path, seed: int) -> None:
    run = drawn(real.dialect.name, seed, COMMANDS_A_RUN)
    real.follow(run)
    real.control.call(b"SAVE")
    (tmp_path / "dump.rdb").write_bytes((real.server.directory / "dump.rdb").read_bytes())
    real.clock.set(run.now_ms + 7000)
    model = load_snapshot(snapshot_of(run.server), real.dialect, run.config, run.now_ms + 7000)
    with started(real, tmp_path, {}, run) as server, server.connect() as connection:
        assert differences(connection, state(model, run.now_ms + 7000)) == []


# ---- replicas ----


def cannot_replicate(real: Real) -> bool:
    """6.0 has the event loop itself run on the wall clock: under a virtual one nothing happens by and by."""
    return real.dialect.name == "redis-6.0"


@pytest.fixture(scope="module")
def pair(real: Real) -> Iterator[tuple[Real, SpawnedServer]]:
    """A master and its replica under one clock."""
    if cannot_replicate(real):
        pytest.skip("6.0 has its event loop run on the virtual wall clock, so nothing synchronises by and by")
    master = Real(real.binary, REPLICATION, tcp=True)
    replica = SpawnedServer(real.binary, clock=master.clock, enable_debug=True, config=REPLICATION, tcp=True)
    with replica.connect() as connection:
        connection.call(b"REPLICAOF", b"127.0.0.1", b"%d" % master.server.address.port)
        synchronise(master.control, connection)
    yield master, replica
    replica.close()
    master.close()


def synchronise(master: Connection, replica: Connection) -> None:
    """Waits until the replica has all that the master told."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if b"master_link_status:up" in replica.call(b"INFO", b"replication") and offset(replica) == offset(master):
            return
        time.sleep(0.002)
    raise AssertionError("the replica does not follow")


def offset(connection: Connection) -> bytes:
    """How far a master has told, or a replica heard."""
    said = connection.call(b"INFO", b"replication")
    name = b"slave_repl_offset:" if b"role:slave" in said else b"master_repl_offset:"
    return said.partition(name)[2].partition(b"\r\n")[0]


@pytest.mark.parametrize("seed", RUNS)
def test_a_replica_is_what_the_model_makes_of_what_it_was_told(pair: tuple[Real, SpawnedServer], seed: int) -> None:
    """A replica runs what it is told when it comes, so it is not compared when consumers were seen."""
    master, replica = pair
    run = drawn(master.dialect.name, seed, COMMANDS_A_RUN, REPLICAS, forward=True)
    with replica.connect() as connection:
        configure(connection, run.config, master.dialect)
        master.follow(run)
        synchronise(master.control, connection)
        copy = Copy(empty(master.dialect, run.config))
        copy.hear(run.units)
        copy.take_over(len(run.units))
        assert differences(master.control, state(run.server, run.now_ms)) == []
        assert differences(connection, state(copy.server, run.now_ms), seen=False) == []


def empty(dialect: Dialect, config: Config) -> Server:
    server = Server(dialect, config)
    server.obeys = True
    return server

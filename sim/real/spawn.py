"""Real servers of our own: started, watched, ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from .address import Address
from .connection import Connection
from .errors import ClockIgnored, RealServerError
from .identity import identify
from .servers import ServerBinary, examine
from .values import parse
from .virtual_clock import VirtualClock

__all__ = ["SpawnedServer"]

# The guard of a server, in two processes of a shell. The first starts the server and ends with it. The second
# waits at a pipe that only we hold open: a line, or its end when we die of whatever, ends the server. Last,
# whatever is left of the process group (a launcher that runs the server without `exec`). The variable tells
# the preloaded clock whom to die with: this shell has one thread, while ours may start servers from one that
# soon ends.
_GUARD = """
exec 3<&0
REDELIVERY_PARENT=$$ "$@" </dev/null 3<&- &
server=$!
{ read -r line <&3; kill -9 "$server"; } 2>/dev/null &
wait "$server" 2>/dev/null
kill -9 0
"""

_SOCKET_PATH_BYTES_MAX = 100  # the kernels allow 103 to 107
_PORT_ATTEMPTS = 5


class SpawnedServer:
    """A server of our own in a temporary directory, without persistence, from here until `close`.

    Arguments:
        binary: what to start: what `embedded()` or `locate()` gave, or an executable's path.
        clock: the virtual clock that it runs under; several servers may share one. None: the machine's own.
        config: more of its configuration, as names and values; it wins over what is set here.
        tcp: listen on a port of the loopback interface instead of a Unix socket.
        enable_debug: allow DEBUG where it must be allowed (from 7.0 on), as the clock in a pipeline needs it.
        ready_s: how long to wait for its first answer, in seconds of the real clock.

    `version`, `dialect` and `pid` are what the server says of itself. Raises `RealServerError`, one line,
    when it does not start, and `ClockIgnored` when it does not follow the virtual clock. It never
    outlives this process, however that ends.
    """

    def __init__(
        self,
        binary: ServerBinary | str | Path,
        *,
        clock: VirtualClock | None = None,
        config: Mapping[str, str] | None = None,
        tcp: bool = False,
        enable_debug: bool = False,
        ready_s: float = 10.0,
    ) -> None:
        self.binary = binary if isinstance(binary, ServerBinary) else examine(binary)
        self.clock = clock
        self._config = {**_defaults(self.binary, enable_debug), **(config or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="redelivery-", ignore_cleanup_errors=True)
        self.directory = Path(self._folder.name)
        self._log = self.directory / "log"
        self._guard: subprocess.Popen[bytes] | None = None
        try:
            self.address, connection = self._start(tcp, ready_s)
            with connection:
                identity = identify(connection)
                self.version, self.dialect, self.pid = identity.version, identity.dialect, identity.pid
                if clock is not None:
                    self._must_follow(connection, clock)
        except BaseException:
            self.close()
            raise

    def connect(self, *, timeout: float = 10.0) -> Connection:
        """Open a connection to it."""
        return Connection(self.address, timeout=timeout)

    def restart(
        self, files: Mapping[str, bytes], config: Mapping[str, str] | None = None, *, ready_s: float = 10.0
    ) -> None:
        """Let it die at once, and start it again where it was, from these files and from nothing else.

        `config` is for this start and those that follow it, as it was for the first.
        """
        self._end()
        self._config.update(config or {})
        for path in sorted([*self.directory.glob("appendonly*"), *self.directory.glob("*.rdb")]):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.address.path is not None:
            Path(self.address.path).unlink(missing_ok=True)
        for name, data in files.items():
            (self.directory / name).write_bytes(data)
        with self._launch(self.address, ready_s) as connection:
            self.pid = identify(connection).pid
            if self.clock is not None:
                self._must_follow(connection, self.clock)

    @contextmanager
    def standing_still(self, *, patience_s: float = 5.0) -> Iterator[None]:
        """While this lasts it does nothing; then it takes what came meanwhile in one turn, in the order of its coming.

        That is the order in which the kernel lists what has become ready (epoll), one connection after the other.
        """
        assert self._guard is not None, "it runs"
        if os.getpgid(self.pid) != self._guard.pid:
            raise RealServerError(f"{self.binary.path} runs as a process that is not ours to stop (PID {self.pid})")
        os.kill(self.pid, signal.SIGSTOP)
        try:
            stat = Path(f"/proc/{self.pid}/stat")
            for _ in _patience(patience_s):
                if stat.read_text(errors="replace").rpartition(")")[2].split()[0] == "T":
                    break
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def append_only_file(self) -> bytes:
        """What its append-only file holds: what it was started from, and what came since."""
        parts = sorted(self.directory.glob("**/*.aof"), key=lambda path: path.name)
        return b"".join(path.read_bytes() for path in parts if ".base." not in path.name)

    def close(self) -> None:
        """End the server and remove its directory; a second time does nothing."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None
            guard.stdin.close()
            try:
                guard.wait(timeout=5)
            except subprocess.TimeoutExpired:
                # Not waited for until now, so its number still names it and its group.
                os.killpg(guard.pid, signal.SIGKILL)
                guard.wait()

    def __enter__(self) -> SpawnedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, tcp: bool, ready_s: float) -> tuple[Address, Connection]:
        path = str(self.directory / "socket")
        if not tcp and len(os.fsencode(path)) <= _SOCKET_PATH_BYTES_MAX:
            address = Address(path=path)
            return address, self._launch(address, ready_s)
        for attempt in range(_PORT_ATTEMPTS):
            address = Address(port=_free_port())
            try:
                return address, self._launch(address, ready_s)
            except RealServerError:
                # Between our finding the port free and the server's taking it, another program may have come.
                if attempt + 1 == _PORT_ATTEMPTS or "Address already in use" not in self._said():
                    raise
        raise AssertionError("unreachable")

    def _launch(self, address: Address, ready_s: float) -> Connection:
        listen = {"port": "0", "unixsocket": address.path} if address.path else _loopback(address)
        arguments = [f for name, text in {**listen, **self._config}.items() for f in (f"--{name}", str(text))]
        environment = self.clock.environment() if self.clock else {}
        # By `env`, so that the clock reaches the server alone and not the shell that guards it.
        variables = [f"{name}={text}" for name, text in environment.items() if name != "REDELIVERY_PARENT"]
        command = [*_env(variables), str(self.binary.path), "--dir", str(self.directory), *arguments]
        with self._log.open("wb") as log:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )
        for _ in _patience(ready_s):
            if self._guard.poll() is not None:
                raise RealServerError(f"{self.binary.path} did not start: {self._reason()}")
            connection = self._answers(address)
            if connection is not None:
                return connection
        raise RealServerError(f"{self.binary.path} did not answer within {ready_s:g} s: {self._reason()}")

    def _answers(self, address: Address) -> Connection | None:
        """A connection, if the server is ready to answer on it."""
        try:
            connection = Connection(address, timeout=2)
        except RealServerError:
            return None
        try:
            if not connection.call(b"PING").startswith(b"-LOADING"):
                return connection
        except RealServerError:
            pass
        connection.close()
        return None

    def _must_follow(self, connection: Connection, clock: VirtualClock) -> None:
        """Poll TIME until it answers what was set: else nothing that the server computes can be compared."""
        time_said: object = None
        for _ in _patience(2.0):
            time_said = parse(connection.call(b"TIME"))
            now_ms = clock.now_ms
            if time_said == [b"%d" % (now_ms // 1000), b"%d" % (now_ms % 1000 * 1000)]:
                return
        raise ClockIgnored(
            f"{self.binary.path} ({self.version}) does not follow the virtual clock: TIME says {time_said}, the clock "
            f"shows {clock.now_ms} ms; is it a static build, or does a launcher clear LD_PRELOAD? (Start it yourself "
            "and give its redis:// address: then it is compared in real time.)"
        )

    def _said(self) -> str:
        return self._log.read_text(errors="replace")

    def _reason(self) -> str:
        lines = [line.strip() for line in self._said().splitlines() if line.strip()]
        return lines[-1] if lines else "it says nothing"


def _defaults(binary: ServerBinary, enable_debug: bool) -> dict[str, str]:
    config = {"save": "", "appendonly": "no", "loglevel": "warning"}
    if binary.since(6, 0):
        # The allocator's threads wait for a date. Under a clock that shows the past, each date is over at
        # once, and they would keep one or two processors busy.
        config["jemalloc-bg-thread"] = "no"
    if enable_debug and binary.since(7, 0):
        config["enable-debug-command"] = "local"
    return config


def _loopback(address: Address) -> dict[str, str]:
    return {"port": str(address.port), "bind": address.host}


def _env(variables: list[str]) -> list[str]:
    return [shutil.which("env") or "/usr/bin/env", *variables] if variables else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _patience(seconds: float) -> Iterator[None]:
    """Try at once, then at growing intervals, until so many seconds of the real clock are over."""
    limit = time.monotonic() + seconds
    pause = 0.001
    while True:
        yield
        if time.monotonic() > limit:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)

"""The model and a real server, side by side: what is sent to both, and where they differ.

A run is a list of actions. `record` plays it on the model and writes the script that a server must follow, to
the byte; `Bench.differences` has a server follow it. `shrink` takes actions away for as long as a difference
stays.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from redelivery.models.dialects import DIALECTS
from redelivery.models.replies import Blocked, encode
from redelivery.models.server import Config, Server
from redelivery.models.stream import Stream
from redelivery.sim.real.replay import Difference, replay
from redelivery.sim.real.script import Close, Open, Reply, Send, Step, show_command
from redelivery.sim.real.servers import ServerBinary, embedded, examine
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

TOO_LARGE = "Elements are too large to be stored"
SMALLER = "The ID specified in XADD is equal or smaller than the target stream top item"

INSPECTOR = 99
"""The connection on which states are looked at."""


@dataclass(frozen=True, slots=True)
class Connect:
    conn: int
    resp: int


@dataclass(frozen=True, slots=True)
class HangUp:
    conn: int


@dataclass(frozen=True, slots=True)
class Do:
    conn: int
    argv: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ClockTo:
    at_ms: int


@dataclass(frozen=True, slots=True)
class Inspect:
    """Everything that can be seen of the state, as commands on a connection of its own."""

    resp: int = 2


Action: TypeAlias = Connect | HangUp | Do | ClockTo | Inspect


class Recorder:
    """The model, and the script of what it does. Actions that make no sense (any more) are passed over."""

    def __init__(self, dialect: str, config: Config) -> None:
        self.server = Server(dialect, config)
        self.script: list[Step] = []
        self.now_ms = START_MS
        self.commands = 0
        self._sessions: dict[int, int] = {}
        self._resp: dict[int, int] = {}

    def take(self, action: Action) -> None:
        """Does one action."""
        if isinstance(action, ClockTo):
            self.now_ms = action.at_ms
            self.server.expire(self.now_ms)
            self._collect()
        elif isinstance(action, Connect):
            self._open(action.conn, action.resp)
        elif isinstance(action, HangUp):
            self._close(action.conn)
        elif isinstance(action, Do):
            if self.is_free(action.conn):
                self._send(action.conn, action.argv)
        else:
            self._inspect(action.resp)

    def is_free(self, conn: int) -> bool:
        """Whether a connection is open and does not wait."""
        return conn in self._sessions and self.server.sessions[self._sessions[conn]].wait is None

    def is_queueing(self, conn: int) -> bool:
        """Whether a connection is in a transaction."""
        return conn in self._sessions and self.server.sessions[self._sessions[conn]].queue is not None

    def _open(self, conn: int, resp: int) -> None:
        if conn not in self._sessions:
            self._sessions[conn] = self.server.open(resp)
            self._resp[conn] = resp
            self.script.append(Open(conn, resp, self.now_ms))

    def _close(self, conn: int) -> None:
        if conn in self._sessions:
            self.server.close(self._sessions.pop(conn))
            self.script.append(Close(conn, self.now_ms))

    def _send(self, conn: int, argv: tuple[bytes, ...]) -> None:
        reply, _ = self.server.execute(self._sessions[conn], argv, self.now_ms)
        said = None if isinstance(reply, Blocked) else encode(reply, self._resp[conn])
        self.script.append(Send(conn, argv, self.now_ms, said))
        self.commands += 1
        self._collect()

    def _collect(self) -> None:
        connections = {session: conn for conn, session in self._sessions.items()}
        for served in self.server.take_served():
            conn = connections[served.session]
            self.script.append(Reply(conn, self.now_ms, encode(served.reply, self._resp[conn])))

    def _inspect(self, resp: int) -> None:
        self._open(INSPECTOR, resp)
        for key, value in sorted(self.server.keys.items()):
            if not isinstance(value, Stream):
                self._send(INSPECTOR, (b"GET", key))
                continue
            self._send(INSPECTOR, (b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"))
            self._send(INSPECTOR, (b"XRANGE", key, b"-", b"+"))
            for group in sorted(value.groups):
                self._send(INSPECTOR, (b"XPENDING", key, group, b"-", b"+", b"10000"))
                self._send(INSPECTOR, (b"XINFO", b"CONSUMERS", key, group))
        self._close(INSPECTOR)


def record(dialect: str, config: Config, actions: Sequence[Action]) -> Recorder:
    """The model's part of a run."""
    recorder = Recorder(dialect, config)
    for action in actions:
        recorder.take(action)
    return recorder


def is_undefined(difference: Difference) -> bool:
    """Whether a difference is one in what Redis leaves undefined.

    When the sequence of ``ms-*`` is full, 7.0 answers by a variable of C that an earlier failure has set.
    """
    texts = (difference.model.replace(TOO_LARGE, SMALLER), difference.server.replace(TOO_LARGE, SMALLER))
    return TOO_LARGE in difference.model + difference.server and texts[0] == texts[1]


class Bench:
    """A real server under its virtual clock, which runs are compared with, one after the other."""

    def __init__(self, binary: ServerBinary) -> None:
        self.clock = VirtualClock()
        try:
            self.server = SpawnedServer(binary, clock=self.clock)
        except BaseException:
            self.clock.close()
            raise
        self._control = self.server.connect()
        self.dialect = self.server.dialect

    def close(self) -> None:
        """Ends the server."""
        self._control.close()
        self.server.close()
        self.clock.close()

    def differences(self, recorder: Recorder, *, watchdog_s: float = 2.0) -> tuple[Difference, ...]:
        """Where the server does not follow the model's script."""
        config = recorder.server.config
        self.clock.set(START_MS)
        for name, value in (
            (b"stream-node-max-bytes", config.stream_node_max_bytes),
            (b"stream-node-max-entries", config.stream_node_max_entries),
        ):
            reply = self._control.call(b"CONFIG", b"SET", name, b"%d" % value)
            assert reply == b"+OK\r\n", reply
        found = replay(recorder.script, self.server, differences_max=50, watchdog_s=watchdog_s).differences
        return tuple(d for d in found if not is_undefined(d))


def shrink(bench: Bench, config: Config, actions: Sequence[Action]) -> list[Action]:
    """The actions without those that the difference does not need."""
    left = list(actions)

    def differs(some: list[Action]) -> bool:
        return bool(bench.differences(record(bench.dialect, config, some), watchdog_s=0.2))

    size = max(len(left) // 2, 1)
    while True:
        at, fewer = 0, False
        while at < len(left):
            without = left[:at] + left[at + size :]
            if differs(without):
                left, fewer = without, True
            else:
                at += size
        if size == 1 and not fewer:
            return left
        size = max(size // 2, 1)


def show(bench: Bench, config: Config, actions: Sequence[Action]) -> str:
    """A run as text, with what differs in it."""
    recorder = record(bench.dialect, config, actions)
    found = bench.differences(recorder)
    lines = [f"{bench.dialect}, a node has {config.stream_node_max_bytes} B, {config.stream_node_max_entries}"]
    for index, step in enumerate(recorder.script):
        if isinstance(step, Send | Reply):
            said = show_command(step.argv) if isinstance(step, Send) else "(served)"
            lines.append(f"{index} +{step.at_ms - START_MS} [{step.conn}] {said}  ->  {step.reply!r}")
    for d in found:
        lines += [
            f"{d.index}: {d.command}",
            f"  model  {d.model}",
            f"  server {d.server}",
            f"  where  {d.where}",
        ]
    return "\n".join(line[:2000] for line in lines)


def servers_named() -> list[ServerBinary]:
    """The embedded server, and those that REDELIVERY_SERVERS names.

    It holds paths, as PATH does: each an executable that starts a server, or a folder whose subfolders each
    have one called ``run``. Only servers whose dialect the model has are taken.
    """
    found = {"": embedded()}
    for text in filter(None, os.environ.get("REDELIVERY_SERVERS", "").split(os.pathsep)):
        path = Path(text)
        for launcher in sorted(path.glob("*/run")) if path.is_dir() else [path]:
            binary = examine(launcher)
            if binary.dialect in DIALECTS and binary.version != found[""].version:
                found[binary.dialect] = binary
    return list(found.values())

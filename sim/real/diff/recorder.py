"""The model's part of a run, and the script that a real server must follow, to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from ....models.databases import Value
from ....models.facts import Fact
from ....models.lists import List
from ....models.replies import Blocked, Push, Reply, encode
from ....models.server import Config, Server
from ....models.stream import Stream
from ..script import CLIENT, Close, Open, Send, Step
from ..script import Reply as ReplyStep
from ..virtual_clock import START_MS
from .actions import Action, ClockTo, Connect, Do, HangUp

__all__ = ["INSPECTOR", "Observer", "Recorder", "record"]

INSPECTOR = -1
"""The connection on which states are looked at."""


class Observer(Protocol):
    """Whoever counts what the commands of a run come to."""

    def before(self, server: Server, session: int, argv: Sequence[bytes], now_ms: int) -> None:
        """A command is about to be executed."""

    def after(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        """It has been."""

    def served(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        """A blocked command has its reply."""


class Recorder:
    """The model, and the script of what it does. Actions that make no sense (any more) are passed over."""

    def __init__(self, dialect: str, config: Config, observer: Observer | None = None) -> None:
        # A key whose time is over stays until a command looks at it; `bench.configure` tells servers so, too.
        self.server = Server(dialect, replace(config, active_expire=False))
        self.script: list[Step] = []
        self.now_ms = START_MS
        self.commands = 0
        """How many commands were asked for; those that look at the state are not counted."""
        self._observer = observer
        self._sessions: dict[int, int] = {}
        self._waiting: dict[int, tuple[bytes, ...]] = {}

    def take(self, action: Action) -> None:
        """Does one action."""
        if isinstance(action, Do):
            if self.is_free(action.conn):
                self.commands += 1
                self._send(action.conn, action.argv)
        elif isinstance(action, ClockTo):
            self._step_clock(action.at_ms)
        elif isinstance(action, Connect):
            self._open(action.conn, action.resp)
        elif isinstance(action, HangUp):
            self._close(action.conn)
        else:
            self._inspect(action.resp)

    def _step_clock(self, at_ms: int) -> None:
        """Moves the clock; who waits gives up, or looks again, which leaves a trace even where nothing is answered.

        So the server has to stand at this time, too: a PING sees to that where the script has no reply here.
        """
        due_ms = self.server.next_deadline()
        self.now_ms = at_ms
        self.server.expire(at_ms)
        steps = len(self.script)
        self._collect()
        if due_ms is not None and due_ms <= at_ms and len(self.script) == steps:
            self._open(INSPECTOR, 2)
            self._send(INSPECTOR, (b"PING",))
            self._close(INSPECTOR)

    def is_free(self, conn: int) -> bool:
        """Whether a connection is open and does not wait."""
        return conn in self._sessions and self.server.sessions[self._sessions[conn]].wait is None

    def is_queueing(self, conn: int) -> bool:
        """Whether a connection is in a transaction."""
        return conn in self._sessions and self.server.sessions[self._sessions[conn]].queue is not None

    def _open(self, conn: int, resp: int) -> None:
        if conn not in self._sessions:
            self._sessions[conn] = self.server.open(resp)
            self.script.append(Open(conn, resp, self.now_ms))

    def _close(self, conn: int) -> None:
        if conn in self._sessions:
            self.server.close(self._sessions.pop(conn))
            self._waiting.pop(conn, None)
            self.script.append(Close(conn, self.now_ms))

    def _send(self, conn: int, argv: tuple[bytes, ...]) -> None:
        observer = self._observer if conn != INSPECTOR else None
        if observer is not None:
            observer.before(self.server, self._sessions[conn], argv, self.now_ms)
        session = self.server.sessions[self._sessions[conn]]
        reply, facts = self.server.execute(session.id, self._meant(argv), self.now_ms)
        if observer is not None:
            observer.after(argv, reply, facts)
        if isinstance(reply, Blocked):
            self._waiting[conn] = argv
            self.script.append(Send(conn, argv, self.now_ms, None))
        else:
            self.script.append(Send(conn, argv, self.now_ms, encode(reply, session.resp)))
        self._collect()
        for gone in [conn for conn, number in self._sessions.items() if number not in self.server.sessions]:
            del self._sessions[gone]  # the server has closed it
            self.script.append(Close(gone, self.now_ms))

    def _meant(self, argv: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """A command line with ``client:7`` replaced by what the model calls connection 7."""
        if argv[:1] != (b"CLIENT",) or len(argv) < 3 or not argv[2].startswith(CLIENT):
            return argv
        conn = int(argv[2].removeprefix(CLIENT))
        return (*argv[:2], b"%d" % self._sessions.get(conn, 0), *argv[3:])

    def _collect(self) -> None:
        found = self.server.take_served()
        if not found:
            return
        connections = {session: conn for conn, session in self._sessions.items()}
        for served in found:
            conn = connections[served.session]
            if not isinstance(served.reply, Push):
                argv = self._waiting.pop(conn)
                if self._observer is not None:
                    self._observer.served(argv, served.reply, served.facts)
            resp = self.server.sessions[served.session].resp
            self.script.append(ReplyStep(conn, self.now_ms, encode(served.reply, resp)))

    def _inspect(self, resp: int) -> None:
        self._open(INSPECTOR, resp)
        for index, database in sorted(self.server.databases.items()):
            if index:
                self._send(INSPECTOR, (b"SELECT", b"%d" % index))
            for key, value in sorted(database.keys.items()):
                self._inspect_key(key, value)
                if key in database.expires:
                    self._send(INSPECTOR, (b"PTTL", key))
            if index:
                self._send(INSPECTOR, (b"DBSIZE",))
        self._close(INSPECTOR)

    def _inspect_key(self, key: bytes, value: Value) -> None:
        if isinstance(value, bytes):
            self._send(INSPECTOR, (b"GET", key))
        elif isinstance(value, List):
            self._send(INSPECTOR, (b"LRANGE", key, b"0", b"-1"))
        elif isinstance(value, Stream):
            self._send(INSPECTOR, (b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"))
            self._send(INSPECTOR, (b"XRANGE", key, b"-", b"+"))
            for group in sorted(value.groups):
                self._send(INSPECTOR, (b"XPENDING", key, group, b"-", b"+", b"10000"))
                self._send(INSPECTOR, (b"XINFO", b"CONSUMERS", key, group))


def record(dialect: str, config: Config, actions: Iterable[Action]) -> Recorder:
    """The model's part of a run."""
    recorder = Recorder(dialect, config)
    for action in actions:
        recorder.take(action)
    return recorder

"""A server on sockets over the model: who is connected, whose turn it is, and who is owed what.

One thread, one loop, as in Redis: the requests that came from a client run one after the other, and what one of them
wakes is answered before the next. Bytes are written when the requests that were there have run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ...models.blocking import Served
from ...models.dialects import DIALECTS
from ...models.facts import LagReported, Reread
from ...models.replies import Blocked, Push, Reply, encode
from .clock import RealClock, VirtualClock
from .connection import Connection
from .durable import Durable
from .faults import Faults
from .model import ServedModel
from .monitoring import Monitors
from .pausing import Pause
from .recording import Recorder
from .settings import Settings
from .tally import Tally
from .timekeeper import Timekeeper

WRITES_MAX = 1 << 26
"""With so many bytes unread by a client nothing more of it is run, until it reads them."""

READ_BYTES = 1 << 16
"""How much is read of a client before it is another's turn."""

OWED_MAX = 1 << 20
"""With so many bytes owed to a client they are written before more of what it sends is run."""

QUIET = frozenset({LagReported, Reread})
"""Facts that change nothing which is saved."""

BACKLOG = 511
"""How many connections may wait to be accepted, as Redis has it."""


class SocketServer:
    """The model as a Redis server. ``listen`` opens its sockets, ``close`` ends it."""

    def __init__(
        self, dialect: str, clock: RealClock | None = None, *, autojump: bool = False, record: bool = False
    ) -> None:
        self.dialect = DIALECTS[dialect]
        self.clock = clock or RealClock()
        self.settings = Settings(self.dialect)
        self.argc_max = 2**31 - 1 if self.dialect.has((7, 0)) else 1 << 20
        self.connections: dict[int, Connection] = {}
        """By the numbers of their sessions."""
        self.faults = Faults(self)
        self.monitors = Monitors(self)
        self.pause = Pause(self)
        self.time = Timekeeper(self, self.clock, autojump=autojump)
        self.started_ms = self.clock.now_ms()
        self.recorder = Recorder(dialect, self.started_ms) if record or self.clock.is_virtual else None
        self.model = self._fresh_model()
        self.durable = Durable(self)
        self.port = 0
        self.commands = self.accepted = self.refused = 0
        self.changes = 0
        """How many commands have changed something since the last save."""
        self.tally = Tally()
        self.ended = asyncio.Event()
        """SHUTDOWN was sent."""
        self.buffer = memoryview(bytearray(READ_BYTES))
        """Where the bytes that come from clients are put, for a moment."""
        self._afterwards: list[Callable[[], None]] = []
        self._unflushed: dict[Connection, None] = {}
        self._listeners: list[asyncio.Server] = []

    @property
    def known(self) -> Collection[bytes]:
        """The commands that it has, in capitals."""
        return self.model.commands

    def _fresh_model(self) -> ServedModel:
        model = ServedModel(self.dialect)
        model.host = self
        model.on_close = self._session_closed
        return model

    # -- life ------------------------------------------------------------------------------------------

    async def listen(self, host: str | None, port: int = 0, path: Path | None = None) -> None:
        """Opens the sockets; ``port`` 0 takes a free one, which ``self.port`` tells. ``OSError`` where it cannot."""
        loop = asyncio.get_running_loop()
        if host is not None:
            listener = await loop.create_server(lambda: Connection(self), host, port, backlog=BACKLOG)
            self._listeners.append(listener)
            self.port = listener.sockets[0].getsockname()[1]
        if path is not None:
            self._listeners.append(await loop.create_unix_server(lambda: Connection(self), str(path), backlog=BACKLOG))

    async def close(self) -> None:
        """Ends the server; clients see their connections closed."""
        for listener in self._listeners:
            listener.close()
        for connection in tuple(self.connections.values()):
            self.drop(connection)
        self.time.stop()
        await asyncio.sleep(0)

    def crash(self, *, power_failed: bool = False) -> None:
        """The server dies and starts again with what was durable; every connection is cut off."""
        for connection in tuple(self.connections.values()):
            self.drop(connection)
        old, self.model = self.model, self._fresh_model()
        self.model.resume(*old.counters())
        self.model.config = old.config
        self.durable.load(old, power_failed=power_failed)
        if self.recorder is not None:
            self.recorder.crashed(self.clock.now_ms())

    def begin_again(self, seed: int) -> None:
        """No keys, no faults, no history, the clock as at first; blocked commands end with nothing."""
        for connection in tuple(self.connections.values()):
            if connection.session.wait is not None:
                self.drop(connection)
        for database in self.model.databases.values():
            database.keys.clear()
            database.expires.clear()
        self.model.resume(0, self.model.counters()[1])
        self.faults.begin_again(seed)
        self.durable.forget()
        if isinstance(self.clock, VirtualClock):
            self.clock.set(self.started_ms)
        if self.recorder is not None:
            self.recorder = Recorder(self.dialect.name, self.clock.now_ms())

    def afterwards(self, action: Callable[[], None]) -> None:
        """Does something when the command at hand has been answered."""
        self._afterwards.append(action)

    # -- clients ---------------------------------------------------------------------------------------

    def join(self, connection: Connection) -> None:
        """A client has come."""
        if self.faults.refuses():
            connection.is_done = True
            connection.transport.abort()
            return
        if len(self.connections) >= self.settings.number(b"maxclients"):
            self.refused += 1
            connection.is_done = True
            connection.transport.write(b"-ERR max number of clients reached\r\n")
            connection.transport.close()
            return
        self.accepted += 1
        connection.transport.set_write_buffer_limits(WRITES_MAX)
        connection.session = self.model.sessions[self.model.open()]
        connection.born_ms = connection.last_ms = self.clock.now_ms()
        self.connections[connection.session.id] = connection
        self.time.changed()

    def leave(self, connection: Connection) -> None:
        """A client has gone, or was dropped; the model hears of it once."""
        if not hasattr(connection, "session"):
            return
        number = connection.session.id
        if self.connections.get(number) is not connection:
            return
        del self.connections[number]
        self.monitors.forget(connection)
        if self.recorder is not None:
            self.recorder.closed(connection, self.clock.now_ms())
        if number in self.model.sessions:
            self.model.close(number)
        self.time.changed()

    def drop(self, connection: Connection) -> None:
        """Cuts a connection off; what it was not sent yet is lost."""
        connection.is_done = True
        connection.out.clear()
        connection.transport.abort()
        self.leave(connection)

    def finish(self, connection: Connection) -> None:
        """Ends a connection when it has been sent what it is owed."""
        connection.is_done = True
        self._unflushed[connection] = None

    def _session_closed(self, number: int) -> None:
        connection = self.connections.get(number)
        if connection is not None and not connection.is_done:
            self.finish(connection)

    # -- requests --------------------------------------------------------------------------------------

    def process(self, connection: Connection) -> None:
        """Runs what a client has sent, as far as it may; it is not over, and does not wait."""
        requests = connection.parser.requests
        session, pause = connection.session, self.pause
        while requests:
            if pause.kind and pause.holds_up(connection, requests[0]):
                return
            self.run(connection, requests.popleft())
            if connection.owed_bytes > OWED_MAX:
                self.flush()
            if connection.is_done or session.wait is not None or connection.is_held or connection.input_stopped:
                return
            if pause.stalls:
                return
        if connection.parser.error is not None and not requests and not connection.is_done:
            self.send(connection, b"-ERR Protocol error: " + connection.parser.error + b"\r\n")
            self.finish(connection)

    def go_on(self, connection: Connection) -> None:
        """Runs what a client sent while it had to wait."""
        if connection.is_done or connection.waits:
            return
        self.process(connection)
        if connection.parser.held and not connection.is_done and not connection.waits:
            connection.parser.feed(b"")
            self.process(connection)
        self.flush()

    def run(self, connection: Connection, argv: list[bytes]) -> None:
        """Runs one request, and hands out what it brought about."""
        now_ms = self.clock.now_ms()
        session = connection.session
        queue = session.queue
        self.commands += 1
        connection.last_ms = now_ms
        connection.argv = argv if len(argv) < 8 else argv[:2]
        if self.faults.armed and self.faults.meets(connection, argv, queue) and self.faults.cuts_request(connection):
            return
        reply, facts = self.model.execute(session.id, argv, now_ms)
        for fact in facts:
            if type(fact) not in QUIET:
                self.changes += 1
                break
        if self.monitors.watching:
            self.monitors.show(connection, argv, queue, now_ms)
        if self.recorder is not None:
            self.recorder.effect(connection, argv, queue, reply, facts, now_ms)
        if type(reply) is not Blocked:
            self.answer(connection, reply)
        served = self.model.take_served()
        if served:
            self.hand_out(served, now_ms)
        if self.model.journal is not None:
            self.durable.keep_short()
        if self._afterwards:
            self._do_afterwards()

    def answer(self, connection: Connection, reply: Reply) -> None:
        """Sends a reply, unless the client wants none or a fault takes it."""
        if connection.skips:
            connection.skips -= 1
            return
        if connection.replies_off or (connection.fate is not None and self.faults.takes_reply(connection)):
            return
        self.tally.count(connection.argv[0], reply)
        data = encode(reply, connection.session.resp)
        connection.out.append(data)
        connection.owed_bytes += len(data)
        self._unflushed[connection] = None

    def send(self, connection: Connection, data: bytes) -> None:
        """Notes bytes for a client; ``flush`` writes them."""
        connection.out.append(data)
        connection.owed_bytes += len(data)
        self._unflushed[connection] = None

    def hand_out(self, served: Sequence[Served], now_ms: int) -> None:
        """Sends the replies of those who were blocked, and messages to subscribers."""
        for number, reply, facts in served:
            connection = self.connections.get(number)
            if connection is None:
                continue
            if isinstance(reply, Push):
                self.send(connection, encode(reply, connection.session.resp))
                continue
            if self.recorder is not None:
                self.recorder.served(connection, reply, facts, now_ms)
            self.answer(connection, reply)
            if connection.parser.has_more:
                self.soon(connection)

    def soon(self, connection: Connection) -> None:
        """Goes on with a client when those that are being served have got what is theirs."""
        asyncio.get_running_loop().call_soon(self.go_on, connection)

    def flush(self) -> None:
        """Writes what the clients are owed, and ends those connections that are over."""
        if self._afterwards:
            self._do_afterwards()
        while self._unflushed:
            unflushed, self._unflushed = self._unflushed, {}
            for connection in unflushed:
                if connection.is_held and not connection.is_done:
                    continue
                if connection.out:
                    out = connection.out
                    data = b"".join(out) if len(out) > 1 else out[0]
                    out.clear()
                    connection.owed_bytes = 0
                    connection.transport.write(data)
                if connection.is_done:
                    connection.transport.close()
                elif (
                    self.settings.limits_output or connection.session.subscriptions or connection.is_monitor
                ) and self.settings.is_past(connection, self.clock.now_ms()):
                    self.drop(connection)
        self.time.changed()

    def _do_afterwards(self) -> None:
        while self._afterwards:
            self._afterwards.pop(0)()

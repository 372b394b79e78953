"""A script on a real server at speed: many commands in one write, their replies compared as one piece of memory.

The order of effects must be the script's all the same. Only commands of one connection keep their order in a
pipeline, so a batch is a stretch of one connection; the next one is sent when the replies of this one are there.
The clock moves inside a batch (`set_clock_command`). Where the turn of the server's event loop matters a batch
ends: a command that blocks is the last of its batch, and before a clock step that lets somebody's BLOCK expire
everything sent has been answered. Whatever the server did by itself is awaited by one round trip on a control
connection: the server sees what it was sent in the order of sending, and answers at the end of a turn of its loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..connection import Connection, encode, refuse_errors
from ..errors import NoReply, ServerClosed
from ..frames import frame_count
from ..masks import RADIX_TREE_NODES, is_masked, same_reply
from ..script import CLIENT, Close, Cut, Fall, Follow, Open, Reply, Script, Send
from ..spawn import SpawnedServer
from ..virtual_clock import VirtualClock, set_clock_command
from .recorder import INSPECTOR

__all__ = ["Pipelined"]

BATCH_COMMANDS_MAX = 400

OK = b"+OK\r\n"
PUSH = b">"
ENDS_TRANSACTION = frozenset({b"EXEC", b"DISCARD", b"RESET"})
"""Unless the command is refused, but for EXEC, which ends it even then."""
SUBSCRIBES = frozenset({b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"MONITOR"})


class _DiffersError(Exception):
    """The server's bytes are not the script's at this step."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Pipelined:
    """Runs scripts on one server of ours, one after the other.

    Arguments:
        server: started with `enable_debug`, under `clock`.
        control: a connection that no script uses.
        watchdog_s: how long to wait for bytes before the server counts as having another opinion.
    """

    def __init__(
        self, server: SpawnedServer, clock: VirtualClock, control: Connection, *, watchdog_s: float = 5.0
    ) -> None:
        self.replies = 0
        """How many replies were compared, over all scripts."""
        self._server = server
        self._clock = clock
        self._control = control
        self._watchdog_s = watchdog_s
        self._inspectors: dict[int, Connection] = {}
        self._peers: dict[int, Connection] = {}
        self._waiting: dict[int, Sequence[bytes]] = {}
        self._claimed = False
        """Whether a read with CLAIM was blocked: from then on a clock step may make those who wait look again."""
        self._queueing: set[int] = set()
        self._subscribed: set[int] = set()
        """On either kind of connection the clock cannot be set."""

        self._client_ids: dict[int, bytes] | None = None
        """What the server calls the clients of the script; asked for where a command names one."""

        self._now_ms = 0
        self._conn = INSPECTOR
        self._request: list[bytes] = []
        self._expected: list[tuple[int, Sequence[bytes], bytes]] = []
        self._masked: list[int] = []
        self._served: list[tuple[int, int, Sequence[bytes], bytes]] = []
        self._expiring = False

    def first_difference(self, script: Script) -> int | None:
        """Take all steps; the index of the first that differs, or None. What it finds is for others to explain."""
        refuse_errors(self._server.address, self._control.call(b"FLUSHALL"))
        self._now_ms = self._clock.now_ms
        named = any(isinstance(step, Send) and step.argv[0] == b"CLIENT" for step in script)
        self._client_ids = {} if named else None
        try:
            for index, step in enumerate(script):
                assert not isinstance(step, Fall | Follow | Cut), "no run of a comparison lets the server die"
                self._take(index, step)
            self._flush()
            self._nobody_else_is_served(len(script))
            return None
        except _DiffersError as found:
            # What the inspectors still have to say is for nobody.
            self._drop_inspectors()
            return found.index
        finally:
            self._forget()

    def close(self) -> None:
        """Hang up."""
        self._forget()
        self._drop_inspectors()

    # ---- steps ----

    def _take(self, index: int, step: Send | Open | Reply | Close) -> None:
        if isinstance(step, Send):
            self._send(index, step)
        elif isinstance(step, Reply):
            self._reply(index, step)
        elif isinstance(step, Open):
            self._peers[step.conn] = self._opened(step)
        else:
            self._flush()
            if step.conn == INSPECTOR:
                # It is kept for the next time, and a new connection begins in the first database.
                refuse_errors(self._server.address, self._peers.pop(step.conn).call(b"SELECT", b"0"))
                return
            self._peers.pop(step.conn).close()
            self._queueing.discard(step.conn)
            self._subscribed.discard(step.conn)
            if self._waiting.pop(step.conn, None) is not None:
                self._turn()

    def _opened(self, step: Open) -> Connection:
        connection = self._inspectors.get(step.resp) if step.conn == INSPECTOR else None
        if connection is None:
            connection = self._server.connect(timeout=self._watchdog_s)
            if self._client_ids is not None:
                self._client_ids[step.conn] = connection.call(b"CLIENT", b"ID")[1:-2]
            if step.resp != 2:
                refuse_errors(connection.address, connection.call(b"HELLO", b"%d" % step.resp))
            if step.conn == INSPECTOR:
                self._inspectors[step.resp] = connection
        return connection

    def _send(self, index: int, step: Send) -> None:
        conn, argv, reply = step.conn, step.argv, step.reply
        if conn != self._conn or len(self._expected) >= BATCH_COMMANDS_MAX:
            self._flush()
            self._conn = conn
        if step.at_ms != self._now_ms:
            self._move_clock(index, step.at_ms)
        self._expiring = False
        self._request.append(encode(argv if argv[0] != b"CLIENT" else self._named(argv)))
        if reply is None:
            self._waiting[conn] = argv
            self._claimed = self._claimed or any(text.upper() == b"CLAIM" for text in argv)
            self._flush()
            self._turn()
            return
        if RADIX_TREE_NODES in reply or is_masked(argv):
            self._masked.append(len(self._expected))
        self._expected.append((index, argv, reply))
        name = argv[0].upper()
        if name in SUBSCRIBES:
            self._subscribed.add(conn)
        elif name == b"MULTI" and reply == OK:
            self._queueing.add(conn)
        elif name in ENDS_TRANSACTION and (name == b"EXEC" or not reply.startswith(b"-")):
            self._queueing.discard(conn)

    def _named(self, argv: Sequence[bytes]) -> Sequence[bytes]:
        """A command line with `client:7` replaced by what the server calls connection 7."""
        if len(argv) < 3 or not argv[2].startswith(CLIENT) or self._client_ids is None:
            return argv
        return [*argv[:2], self._client_ids.get(int(argv[2].removeprefix(CLIENT)), b"0"), *argv[3:]]

    def _move_clock(self, index: int, at_ms: int) -> None:
        claims = self._claimed and bool(self._waiting)
        if claims or self._conn in self._queueing or self._conn in self._subscribed:
            self._flush()
        if self._request:
            argv = set_clock_command(at_ms)
            self._request.append(encode(argv))
            self._expected.append((index, argv, OK))
        else:
            self._clock.set(at_ms)
        self._now_ms = at_ms
        if claims:
            self._turn()

    def _reply(self, index: int, step: Reply) -> None:
        """Somebody who waited is served by the command before, or has waited long enough; or gets a message."""
        argv = () if step.reply.startswith(PUSH) else self._waiting.pop(step.conn, ())
        if step.at_ms != self._now_ms:
            self._flush()
            self._clock.set(step.at_ms)
            self._now_ms = step.at_ms
            self._expiring = True
            self._turn()
        if step.conn == self._conn and self._request:
            # What a client publishes to itself stands among the replies to what it sends.
            self._expected.append((index, argv, step.reply))
            return
        self._served.append((index, step.conn, argv, step.reply))
        if self._expiring:
            self._flush()

    # ---- batches ----

    def _flush(self) -> None:
        """Send what was gathered, and compare what comes back."""
        request, expected, masked, served = self._request, self._expected, self._masked, self._served
        if request:
            self._request, self._expected, self._masked = [], [], []
            connection = self._peers[self._conn]
            connection.send_raw(b"".join(request))
            begin = 0
            for position in masked:
                self._compare(connection, expected[begin:position])
                self._compare_one(connection, *expected[position])
                begin = position + 1
            self._compare(connection, expected[begin:] if begin else expected)
            self.replies += len(expected)
        if served:
            self._served = []
            for index, conn, argv, reply in served:
                self._compare(self._peers[conn], [(index, argv, reply)])
            self.replies += len(served)

    def _compare(self, connection: Connection, expected: list[tuple[int, Sequence[bytes], bytes]]) -> None:
        """Take the replies as one piece of memory; only where it is not the same, one by one."""
        if not expected:
            return
        try:
            if connection.match(b"".join([reply for _, _, reply in expected]), self._watchdog_s):
                return
        except ServerClosed:
            raise _DiffersError(expected[0][0]) from None
        except NoReply:
            pass
        for index, argv, reply in expected:
            self._compare_one(connection, index, argv, reply)

    def _compare_one(self, connection: Connection, index: int, argv: Sequence[bytes], reply: bytes) -> None:
        try:
            server = connection.read_many(frame_count(reply), self._watchdog_s)
        except (NoReply, ServerClosed):
            raise _DiffersError(index) from None
        if not same_reply(argv, reply, server):
            raise _DiffersError(index)

    def _turn(self) -> None:
        """Wait for the end of a turn of the server's event loop that began after all that was sent."""
        self._control.call(b"PING")

    def _nobody_else_is_served(self, index: int) -> None:
        if self._waiting:
            self._turn()
        for connection in self._peers.values():
            if connection.readable():
                raise _DiffersError(index)

    def _forget(self) -> None:
        """Hang up all clients of a script, and drop what was gathered for it."""
        for conn, connection in self._peers.items():
            if conn != INSPECTOR:
                connection.close()
        self._peers.clear()
        self._waiting.clear()
        self._claimed = False
        self._queueing.clear()
        self._subscribed.clear()
        self._request, self._expected, self._masked, self._served = [], [], [], []
        self._conn, self._expiring = INSPECTOR, False
        self._turn()

    def _drop_inspectors(self) -> None:
        for connection in self._inspectors.values():
            connection.close()
        self._inspectors.clear()

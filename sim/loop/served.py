"""The served model inside a world: no sockets, no clock of its own, and faults named by process and command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from ...models.facts import ConsumerCreated, Fact, LagReported
from ...models.replies import Blocked, Failure, Reply
from .. import events
from ..faults import REPLY, SILENCE, Delay, Lose
from ..server_faults import SOMEBODY, Flush, ServerRestart
from ..wire.clock import VirtualClock
from ..wire.connection import Connection
from ..wire.faults import Fault as Line
from ..wire.faults import Faults, Struck
from ..wire.recording import Recorded, Recorder
from ..wire.scripting import Scripts
from ..wire.server import SocketServer
from .network import ServerTransport

if TYPE_CHECKING:
    from ..faults import OfMessage, OfServer
    from .program import Program
    from .world import LoopWorld

SILENT_ABOUT = frozenset((b"HELLO", b"CLIENT", b"AUTH", b"PING", b"COMMAND", b"INFO"))
"""Commands by which clients make themselves known: they change nothing that a history tells."""

IN_VAIN_MAX = 50
"""So many commands in a row may change nothing: more is a loop that never waits, and costs real time."""
SLOW_MS_MAX = 100
"""Each further one takes a millisecond more than the one before, up to this."""

REPLY_FAULT = Line("lose-reply")
"""Stands in a connection's books while a fault of a world waits for its answer."""


def program_of(connection: Recorded) -> Program:
    """Whose connection it is."""
    assert isinstance(connection, Connection)
    return cast(ServerTransport, connection.transport).program


class LoopRecorder(Recorder):
    """Writes down what takes effect on the server, under the names of the programs."""

    def __init__(self, world: LoopWorld, dialect: str) -> None:
        super().__init__(dialect, world.epoch_ms)
        self.world = world
        self.history = world.history
        self.last: dict[int, int] = {}
        """Session to the number of its last call."""

    def name_of(self, connection: Recorded) -> str:
        """The program's name."""
        return program_of(connection).name

    def effect(
        self, connection: Recorded, argv: Sequence[bytes], queue: Sequence[tuple[bytes, ...]] | None,
        reply: Reply, facts: tuple[Fact, ...], now_ms: int,
    ) -> None:  # fmt: skip
        """A command ran."""
        name = argv[0].upper()
        if isinstance(reply, Failure) and reply.text.startswith(b"ERR unknown command"):
            self.world.unsupported[b" ".join(argv[:1]).decode(errors="replace").upper()] = None
        if name in SILENT_ABOUT and not facts and queue is None:
            return
        super().effect(connection, argv, queue, reply, facts, now_ms)
        self.last[connection.session.id] = self._calls
        program = program_of(connection)
        self.world.note(program, facts)
        self._slow_down(program, reply, facts)

    def _slow_down(self, program: Program, reply: Reply, facts: tuple[Fact, ...]) -> None:
        """Who asks in vain again and again waits longer and longer: that it does so was seen by then."""
        if isinstance(reply, Blocked) or any(not isinstance(fact, LagReported | ConsumerCreated) for fact in facts):
            program.in_vain = 0
            return
        program.in_vain += 1
        if program.in_vain > IN_VAIN_MAX:
            program.sleep_us(min(program.in_vain - IN_VAIN_MAX, SLOW_MS_MAX) * 1000)

    def served(self, connection: Recorded, reply: Reply, facts: tuple[Fact, ...], now_ms: int) -> None:
        """A blocked command got its answer."""
        super().served(connection, reply, facts, now_ms)
        self.world.note(program_of(connection), facts)

    def lost(self, connection: Recorded, what: str, now_ms: int) -> None:
        """A request or a reply was lost."""
        call = self.last.get(connection.session.id, self._calls) if what == REPLY else self.next_call()
        self._add(events.Lost(self.world.now_ms, self.name_of(connection), call, what))

    def replied(self, connection: Recorded) -> None:
        """An answer reached its program."""
        call = self.last.get(connection.session.id)
        if call is not None:
            self._add(events.Replied(self.world.now_ms, self.name_of(connection), call))

    def next_call(self) -> int:
        """The number of a call that is not told by its effect."""
        self._calls += 1
        return self._calls

    def closed(self, connection: Recorded, now_ms: int) -> None:
        """A connection is gone."""
        self.last.pop(connection.session.id, None)
        super().closed(connection, now_ms)

    def _add(self, event: events.Event) -> None:
        self.world.record(event)


class LinkFaults(Faults):
    """Lets the faults of a world strike requests and replies."""

    def __init__(self, server: SimulatedServer) -> None:
        super().__init__(server)
        self.world = server.world
        self.fates: dict[Connection, tuple[OfMessage, list[bytes]]] = {}
        """Connections whose request, or its answer, meets a fault, with the request."""
        self.delayed: set[Connection] = set()
        """Connections whose next request has been delayed already."""
        self.armed = [REPLY_FAULT]
        """Never empty: the world's faults count the requests."""

    def meets(self, connection: Struck, argv: Sequence[bytes], queue: Sequence[Sequence[bytes]] | None) -> bool:
        """Whether a fault strikes the request, or its answer."""
        assert isinstance(connection, Connection)
        if connection in self.delayed:
            self.delayed.discard(connection)
            return False
        commands = [tuple(argv)]
        if queue is not None:
            commands = [tuple(argv), *map(tuple, queue)] if argv[0].upper() == b"EXEC" else []
        struck = self.world.strikes.on_request(program_of(connection), commands)
        if struck is None:
            return False
        self.fates[connection] = struck, list(argv)
        connection.fate = REPLY_FAULT
        return True

    def cuts_request(self, connection: Struck) -> bool:
        """Whether the request does not arrive (now)."""
        assert isinstance(connection, Connection)
        fault, argv = self.fates[connection]
        if fault.part == REPLY:
            return False
        del self.fates[connection]
        connection.fate = None
        recorder = cast(LoopRecorder, self.server.recorder)
        if isinstance(fault, Delay):
            self.delayed.add(connection)
            connection.parser.requests.appendleft(argv)
            name, call = program_of(connection).name, recorder.next_call()
            recorder._add(events.Delayed(self.world.now_ms, name, call, "request", fault.by_ms))
            self.server.pause.hold(connection, fault.by_ms)
            return True
        recorder.lost(connection, "request", 0)
        self._cut(connection, fault)
        return True

    def takes_reply(self, connection: Struck) -> bool:
        """Whether the answer never comes."""
        assert isinstance(connection, Connection)
        fault, _ = self.fates.pop(connection)
        connection.fate = None
        recorder = cast(LoopRecorder, self.server.recorder)
        if isinstance(fault, Delay):
            call = recorder.last.get(connection.session.id, 0)
            recorder._add(events.Delayed(self.world.now_ms, program_of(connection).name, call, REPLY, fault.by_ms))
            self.server.pause.hold(connection, fault.by_ms)
            return False
        recorder.lost(connection, REPLY, 0)
        self._cut(connection, fault)
        return True

    def _cut(self, connection: Connection, fault: OfMessage) -> None:
        if isinstance(fault, Lose) and fault.how == SILENCE:
            cast(ServerTransport, connection.transport).client.is_silent = True
        else:
            self.server.finish(connection)


class SimulatedServer(SocketServer):
    """The model, spoken to by programs of a world."""

    def __init__(self, world: LoopWorld, dialect: str) -> None:
        self.world = world
        super().__init__(dialect, VirtualClock(world.epoch_ms))
        self.recorder = LoopRecorder(world, dialect)
        self.faults = LinkFaults(self)
        self.later: list[Connection] = []
        """Clients to go on with."""

    def soon(self, connection: Connection) -> None:
        """When those that are being served have got what is theirs."""
        self.later.append(connection)

    def settle(self) -> None:
        """Goes on with those that had to wait, until nobody has."""
        while self.later:
            self.go_on(self.later.pop(0))

    def answer(self, connection: Connection, reply: Reply) -> None:
        """Sends a reply, and writes down that it has arrived if it will."""
        fated = connection.fate is not None
        super().answer(connection, reply)
        if not fated and not connection.skips and not connection.replies_off:
            cast(LoopRecorder, self.recorder).replied(connection)

    def run(self, connection: Connection, argv: list[bytes]) -> None:
        """Runs one request; the server itself may be struck after it."""
        super().run(connection, argv)
        if argv[0].upper() not in SILENT_ABOUT:
            self.world.strikes.on_effect()

    def struck(self, fault: OfServer, lacking: int) -> None:
        """The server dies and starts again, another takes its place, or somebody sends FLUSHALL."""
        now_ms, recorder = self.clock.now_ms(), cast(LoopRecorder, self.recorder)
        if isinstance(fault, Flush):
            number = self.model.open()
            command = (b"FLUSHALL",)
            reply, facts = self.model.execute(number, command, now_ms)
            at_ms = self.world.now_ms
            recorder._add(
                events.Effect(
                    at_ms, SOMEBODY, recorder.next_call(), number, at_ms, now_ms, (command,), (reply,), facts
                )
            )
            self.world.note(None, facts)
            self.model.close(number)
            served = self.model.take_served()
            if served:
                self.hand_out(served, now_ms)
            return
        for connection in tuple(self.connections.values()):
            self.drop(connection)
        cause = "restart" if isinstance(fault, ServerRestart) else "failover"
        facts = self.model.lose(cause, lacking, now_ms)
        self.model.scripts = Scripts()
        self.world.record(events.ServerLost(self.world.now_ms, now_ms, cause, lacking, facts))
        self.world.note(None, facts)

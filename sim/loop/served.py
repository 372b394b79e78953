"""The served model inside a world: no sockets, no clock of its own, and faults named by process and command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from ...models.facts import ConsumerCreated, Fact, LagReported
from ...models.journal import SNAPSHOT
from ...models.replies import Blocked, Failure, Reply, encode
from ...models.survivors import FAILOVER, FROM_SNAPSHOT, RESTART
from .. import events
from ..faults import REPLY, SILENCE, TORN, Delay, Lose
from ..server_faults import Failover, ServerRestart
from ..wire.clock import VirtualClock
from ..wire.connection import Connection
from ..wire.faults import Fault as Line
from ..wire.faults import Faults, Struck
from ..wire.recording import Recorded, Recorder
from ..wire.scripting import Scripts
from ..wire.server import SocketServer
from .network import ClientTransport, ServerTransport

if TYPE_CHECKING:
    from ..faults import OfMessage
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


def client_of(connection: Recorded) -> ClientTransport:
    """The program's end of a connection."""
    assert isinstance(connection, Connection)
    return cast(ServerTransport, connection.transport).client


def program_of(connection: Recorded) -> Program:
    """Whose connection it is."""
    return client_of(connection).program


def receiver_of(connection: Recorded) -> Program | None:
    """Who gets what is sent on a connection: nobody where its program has closed it, or is gone."""
    client = client_of(connection)
    return None if client.is_closed else client.program


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
        self.world.note(receiver_of(connection), facts)
        self._slow_down(program_of(connection), reply, facts)

    def _slow_down(self, program: Program, reply: Reply, facts: tuple[Fact, ...]) -> None:
        """Who asks in vain again and again waits longer and longer: that it does so was seen by then."""
        if isinstance(reply, Blocked) or any(not isinstance(fact, (LagReported, ConsumerCreated)) for fact in facts):
            program.in_vain = 0
            return
        program.in_vain += 1
        if program.in_vain > IN_VAIN_MAX:
            program.sleep_us(min(program.in_vain - IN_VAIN_MAX, SLOW_MS_MAX) * 1000)

    def served(self, connection: Recorded, reply: Reply, facts: tuple[Fact, ...], now_ms: int) -> None:
        """A blocked command got its answer."""
        super().served(connection, reply, facts, now_ms)
        self.world.note(receiver_of(connection), facts)

    def lost(self, connection: Recorded, what: str, now_ms: int) -> None:
        """A request or a reply was lost."""
        call = self.last.get(connection.session.id, self._calls) if what == REPLY else self.next_call()
        self._add(events.Lost(self.world.now_ms, self.name_of(connection), call, what))

    def sent_ms(self, connection: Recorded, at_ms: int) -> int:
        """When the request left its program."""
        return min(client_of(connection).sent_ms, at_ms)

    def replied(self, connection: Recorded) -> None:
        """An answer is on its way to its program, and will have reached it, unless that is gone by then."""
        call, client = self.last.get(connection.session.id), client_of(connection)
        if call is not None:
            self.world.links.along(client.inward, client.program, lambda: self._arrived(client, call))

    def _arrived(self, client: ClientTransport, call: int) -> None:
        name, at_ms = client.program.name, self.world.now_ms
        gone = client.is_closed or client.is_silent
        self._add(events.Lost(at_ms, name, call, REPLY) if gone else events.Replied(at_ms, name, call))

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

    def tears(self, connection: Connection) -> bool:
        """Whether half of the answer comes, and then nothing."""
        fault, _ = self.fates.get(connection, (None, None))
        return isinstance(fault, Lose) and fault.part == REPLY and fault.how == TORN

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
        self.link_faults = self.faults = LinkFaults(self)
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
        if fated and self.link_faults.tears(connection) and not connection.skips and not connection.replies_off:
            whole = encode(reply, connection.session.resp)
            self.send(connection, whole[: len(whole) // 2])
        super().answer(connection, reply)
        if not fated and not connection.skips and not connection.replies_off:
            cast(LoopRecorder, self.recorder).replied(connection)

    def run(self, connection: Connection, argv: list[bytes]) -> None:
        """Runs one request; the server itself may be struck after it."""
        super().run(connection, argv)
        if argv[0].upper() not in SILENT_ABOUT:
            self.world.strikes.on_effect()

    def run_for(self, whom: str, command: tuple[bytes, ...]) -> None:
        """Somebody who is no program of the world has a command take effect."""
        now_ms, at_ms, recorder = self.clock.now_ms(), self.world.now_ms, cast(LoopRecorder, self.recorder)
        number = self.model.open()
        reply, facts = self.model.execute(number, command, now_ms)
        recorder._add(
            events.Effect(at_ms, whom, recorder.next_call(), number, at_ms, now_ms, (command,), (reply,), facts)
        )
        self.world.note(None, facts)
        self.model.close(number)
        served = self.model.take_served()
        if served:
            self.hand_out(served, now_ms)

    def fall(self, fault: ServerRestart | Failover, lacking: int) -> None:
        """The server dies and starts again, or another takes its place; for a while perhaps nobody is there."""
        now_ms, world = self.clock.now_ms(), self.world
        for connection in tuple(self.connections.values()):
            self.drop(connection)
        cause = FAILOVER
        if isinstance(fault, ServerRestart):
            cause = FROM_SNAPSHOT if fault.keeps == SNAPSHOT else RESTART
        facts = self.model.lose(cause, lacking, now_ms)
        self.model.scripts = Scripts()
        world.record(events.ServerLost(world.now_ms, now_ms, cause, lacking, facts))
        world.note(None, facts)
        if fault.down_ms:
            world.record(events.ServerDown(world.now_ms, fault.down_ms))
            world.links.down_until_us = world.now_us + fault.down_ms * 1000

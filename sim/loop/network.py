"""The simulated network: connections between programs and the served model, without sockets."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..link_faults import REPLIES, REQUESTS
from ..wire.connection import Connection
from .links import REFUSED, Way

if TYPE_CHECKING:
    from .program import Program
    from .world import LoopWorld

PORT = 6379
HOSTS = ("localhost", "127.0.0.1", "::1", "redis", None)
"""The names of the simulated server; every port of them is its own where that was not narrowed."""
FIRST_PEER_PORT = 40_000


class Socket:
    """What is asked of a connection's socket: a number, and options that change nothing."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        """A number of its own."""
        return self.number

    def setsockopt(self, *args: Any) -> None:
        """Noted by nobody."""

    def getsockopt(self, *args: Any) -> int:
        """No option is set."""
        return 0

    def settimeout(self, timeout: float | None) -> None:
        """The transport has no use for it."""


class ClientTransport(asyncio.Transport):
    """A program's end of a connection."""

    def __init__(self, network: Network, program: Program, protocol: Any, number: int) -> None:
        super().__init__()
        self.network, self.program, self.protocol = network, program, protocol
        self.loop = program.loop
        self.number = number
        self.socket = Socket(number)
        self.peer: ServerTransport
        self.context = copy_context()
        self.is_closed = False
        self.is_silent = False
        """Whether nothing passes any more, and the program does not know."""
        self.outward, self.inward = Way(REQUESTS), Way(REPLIES)
        self.leaves = False
        """Whether a request is about to leave the program."""
        self.sent_ms = 0
        """When what the server has at hand was sent."""
        self._paused: list[bytes] | None = None

    # -- what the program calls ------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Requests leave the program, and reach the server at once if the link is whole."""
        if not self.is_closed and data:
            self.network.world.links.carry(self, bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """The same."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Redis takes it for the end."""
        self.close()

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def close(self) -> None:
        """The connection ends, and the server knows at once if the link is whole."""
        if not self.is_closed:
            self._end(None)
            self.network.world.links.hang_up(self)

    def abort(self) -> None:
        """The same."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self.is_closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def get_write_buffer_size(self) -> int:
        """There is no buffer."""
        return 0

    def pause_reading(self) -> None:
        """What comes is kept."""
        if self._paused is None:
            self._paused = []

    def resume_reading(self) -> None:
        """What was kept comes now."""
        kept, self._paused = self._paused, None
        for data in kept or ():
            self._call(self._feed, data)

    def is_reading(self) -> bool:
        """Whether what comes is passed on."""
        return self._paused is None and not self.is_closed

    def set_protocol(self, protocol: Any) -> None:
        """Somebody else reads from now on."""
        self.protocol = protocol

    def get_protocol(self) -> Any:
        """Who reads."""
        return self.protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Its addresses, and something like a socket."""
        if name == "peername":
            return ("127.0.0.1", PORT)
        if name == "sockname":
            return ("127.0.0.1", FIRST_PEER_PORT + self.number)
        return self.socket if name == "socket" else default

    # -- what the world calls --------------------------------------------------------------------------

    @property
    def is_in_use(self) -> bool:
        """Whether something is under way, or an answer is to come."""
        connection = self.peer.connection
        if self.leaves or self.outward.queue or self.inward.queue or connection.is_held:
            return True
        return connection.session.wait is not None or bool(connection.session.subscriptions)

    def receive(self, data: bytes) -> None:
        """Replies have come."""
        if self._paused is not None:
            self._paused.append(data)
        elif not self.is_closed:
            self._call(self._feed, data)

    def break_off(self, error: Exception | None) -> None:
        """The server ended the connection: ``None`` where it said goodbye, else the error that the program sees."""
        if self.is_closed or self.is_silent:
            return
        if error is None:
            self._call(self._bid_farewell)
        else:
            self._end(error)

    def _bid_farewell(self) -> None:
        if not self.is_closed:
            self.protocol.eof_received()
            self._end(None)

    def _feed(self, data: bytes) -> None:
        if self.is_closed:
            return
        protocol = self.protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            while data:
                room = memoryview(protocol.get_buffer(len(data)))
                some = data[: len(room)]
                room[: len(some)] = some
                protocol.buffer_updated(len(some))
                data = data[len(some) :]
        else:
            protocol.data_received(data)

    def _end(self, error: Exception | None) -> None:
        self.is_closed = True
        self.program.transports.pop(self, None)
        self._call(self.protocol.connection_lost, error)

    def _call(self, function: Any, *args: Any) -> None:
        loop = self.loop
        if loop is not None and not loop.dead:
            loop.call_soon(function, *args, context=self.context)


class ServerTransport(asyncio.Transport):
    """The server's end of a connection."""

    def __init__(self, client: ClientTransport) -> None:
        super().__init__()
        self.client = client
        self.connection: Connection
        self.is_closed = False

    @property
    def program(self) -> Program:
        """Whose connection it is."""
        return self.client.program

    def write(self, data: Any) -> None:
        """Replies leave the server, and reach the program."""
        client = self.client
        if not self.is_closed and not client.is_silent:
            sent = bytes(data)
            client.network.world.links.along(client.inward, client.program, lambda: client.receive(sent))

    def close(self) -> None:
        """The server ends the connection, having sent everything."""
        self._over(None)

    def abort(self) -> None:
        """The connection breaks."""
        self._over(ConnectionResetError(104, "Connection reset by peer"))

    def _over(self, error: Exception | None) -> None:
        if not self.is_closed:
            self.is_closed = True
            client = self.client
            client.network.world.links.along(client.inward, client.program, lambda: client.break_off(error))
            self.connection.connection_lost(error)

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self.is_closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def get_write_buffer_size(self) -> int:
        """There is no buffer."""
        return 0

    def pause_reading(self) -> None:
        """Never needed: the program's end has no buffer that fills."""

    def resume_reading(self) -> None:
        """Nor this."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Its addresses, the other way round."""
        other = {"peername": "sockname", "sockname": "peername"}.get(name, name)
        return self.client.get_extra_info(other, default)


class Network:
    """Connects programs with the one server of a world."""

    def __init__(self, world: LoopWorld) -> None:
        self.world = world
        self.made = 0
        """How many connections there were."""
        self.refused: dict[str, None] = {}
        """Addresses that programs tried, and at which nobody is."""

    async def connect(self, program: Program, protocol_factory: Any, host: Any, port: Any) -> tuple[Any, Any]:
        """A connection, or ``ConnectionRefusedError``."""
        await asyncio.sleep(0)
        world = self.world
        if host not in HOSTS or (port is not None and int(port) != PORT):
            self.refused[f"{host}:{port}"] = None
            raise ConnectionRefusedError(REFUSED, f"Connect call failed ({host!r}, {port})")
        await world.links.shake_hands(program)
        self.made += 1
        protocol = protocol_factory()
        client = ClientTransport(self, program, protocol, self.made)
        client.peer = ServerTransport(client)
        client.peer.connection = Connection(world.server)
        client.peer.connection.connection_made(client.peer)
        program.transports[client] = None
        protocol.connection_made(client)
        return client, protocol

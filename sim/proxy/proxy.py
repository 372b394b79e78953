"""A proxy between any Redis client and a real server: it passes on, writes down, and lets things go wrong.

What the clients send takes effect one command after the other, as in Redis itself: the next one is sent when the
one before it was answered, or when it is known to block. So the order of the history is the server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..real.address import Address
from ..wire.clock import RealClock
from ..wire.faults import Faults
from ..wire.recording import Recorder
from .follower import Follower
from .proxied import Proxied

ANSWER_S = 0.2
"""So long the others wait for the answer to a command that ought not to block; then it is taken to block."""

NOTHING = (b"*-1\r\n", b"_\r\n", b"$-1\r\n")
"""What a blocked command answers when its time is up."""


class ServerClock(RealClock):
    """The server's clock, as far as this machine's and a difference tell it."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch, there."""
        return super().now_ms() + self.ahead_ms


class Delays:
    """Which answers come later."""

    def hold(self, connection: Proxied, ms: int) -> None:
        """The next answer to a client comes so much later."""
        connection.delay_ms += ms


class Proxy:
    """Listens for clients, and has a connection to the server for each.

    ``ahead_ms`` is how far the server's clock is ahead of this machine's.
    """

    def __init__(self, upstream: Address, dialect: str, ahead_ms: int = 0) -> None:
        self.upstream = upstream
        self.clock = ServerClock(ahead_ms)
        self.pause = Delays()
        self.follower = Follower(dialect, self.clock.now_ms(), "proxy")
        self.follower.model.host = self
        self.faults = Faults(self, can_crash=False)
        self.connections: dict[int, Proxied] = {}
        self.accepted = 0
        self.port = 0
        self.ended = asyncio.Event()
        self.unreachable = ""
        """Why the server could not be reached, when it last could not."""
        self.unseen: dict[str, None] = {}
        """Commands after which a connection is passed on without a look."""
        self._turn = asyncio.Lock()
        self._blocked: dict[Proxied, tuple[list[bytes], asyncio.Future[bytes]]] = {}
        """Who waits in which command, for which answer; first come first."""
        self._afterwards: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def known(self) -> None:
        """Which commands the server has (modules bring more) nobody told."""
        return None

    @property
    def recorder(self) -> Recorder:
        """Where what happened is written down."""
        return self.follower.recorder

    async def listen(self, host: str, port: int = 0) -> None:
        """Opens the socket; ``port`` 0 takes a free one, which ``self.port`` tells. ``OSError`` where it cannot."""
        self._listener = await asyncio.start_server(self._come, host, port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cuts everybody off and ends."""
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self.connections.values()):
            self.drop(connection)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def drop(self, connection: Proxied) -> None:
        """Cuts a connection off, on both sides."""
        connection.cut()
        self._blocked.pop(connection, None)
        if self.connections.pop(connection.session.id, None) is not None:
            self.follower.left(connection, self.clock.now_ms())

    finish = drop

    def afterwards(self, action: Callable[[], None]) -> None:
        """Does something when the command at hand has been answered."""
        self._afterwards.append(action)

    def crash(self, *, power_failed: bool = False) -> None:
        """The server is not the proxy's: ``Faults`` refuses what would crash it."""
        raise AssertionError("a proxy cannot crash the server")

    # -- clients ---------------------------------------------------------------------------------------

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        if self.faults.refuses():
            writer.transport.abort()
            return
        try:
            there = await _connect(self.upstream)
        except OSError as error:
            self.unreachable = (error.strerror or str(error)).rpartition(": ")[2]
            writer.transport.abort()
            return
        connection = Proxied(reader, writer, *there)
        self.follower.joined(connection)
        self.connections[connection.session.id] = connection
        work = asyncio.create_task(self._work(connection))
        try:
            await connection.carry()
            await connection.at_rest()
        finally:
            self.drop(connection)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _work(self, connection: Proxied) -> None:
        try:
            while True:
                await self._run(connection, await connection.next_request())
        except ConnectionError:
            pass
        finally:
            self.drop(connection)

    async def _run(self, connection: Proxied, argv: list[bytes]) -> None:
        """Passes on one command and its answer."""
        name = argv[0].upper()
        async with self._turn:
            if connection.is_done:
                return
            self._settle()
            queue = connection.session.queue
            if name.startswith(b"SIM."):
                connection.answer(self.follower.simulated(connection, argv))
                self._do_afterwards()
                return
            if (
                self.faults.armed
                and self.faults.meets(connection, argv, queue)
                and self.faults.cuts_request(connection)
            ):
                return
            if connection.opens_tunnel(argv):
                self.unseen[name.decode(errors="backslashreplace")] = None
                return
            waits = self.follower.begins(connection, argv, self.clock.now_ms())
            answer = connection.ask(argv)
            if waits:
                self._blocked[connection] = argv, answer
            else:
                await asyncio.wait({answer}, timeout=ANSWER_S)
            is_run = answer.done() and not waits
            if is_run:
                self._ran(connection, argv, answer.result())
        frame = await answer
        if not is_run:
            async with self._turn:
                if waits:
                    self._settle()
                elif not connection.is_done:
                    self._ran(connection, argv, frame)
        if connection.is_done or (connection.fate is not None and self.faults.takes_reply(connection)):
            return
        if connection.delay_ms:
            delay_s, connection.delay_ms = connection.delay_ms / 1000, 0
            await asyncio.sleep(delay_s)
        connection.answer(frame)

    def _ran(self, connection: Proxied, argv: list[bytes], frame: bytes) -> None:
        """The model follows; whoever gave up before is out of the queue by then."""
        self._settle(only_nothing=True)
        self.follower.ran(connection, argv, frame, self.clock.now_ms())
        self._settle()

    def _settle(self, *, only_nothing: bool = False) -> None:
        """Tells the model of those blocked commands that have been answered, or only of those that got nothing."""
        for connection, (argv, answer) in tuple(self._blocked.items()):
            if not answer.done() or connection.is_done:
                continue
            frame = answer.result()
            if not only_nothing or frame in NOTHING:
                del self._blocked[connection]
                self.follower.answered(connection, argv, frame, self.clock.now_ms())

    def _do_afterwards(self) -> None:
        while self._afterwards:
            self._afterwards.pop(0)()


async def _connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.path is not None:
        return await asyncio.open_unix_connection(address.path)
    return await asyncio.open_connection(address.host, address.port)

"""One client's connection: its bytes, its name, and what the server remembers of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ...models.session import Session
from .parser import RequestParser, TooMuch

if TYPE_CHECKING:
    from .faults import Fault
    from .server import SocketServer


class Connection(asyncio.BufferedProtocol):
    """A socket and its session on the model. The server runs what it sends; see ``SocketServer.process``."""

    __slots__ = (
        "address", "argv", "born_ms", "fate", "flags", "info", "input_stopped", "is_done", "is_held", "is_monitor",
        "last_ms", "local", "observes", "out", "owed_bytes", "parser", "replies_off", "server", "session", "skips",
        "transport",
    )  # fmt: skip

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.parser = RequestParser(server.argc_max)
        self.out: list[bytes] = []
        """What is to be written when the server has done what it is at."""
        self.owed_bytes = 0
        """How many bytes that is."""
        self.session: Session
        self.transport: asyncio.Transport
        self.address = b""
        self.local = b""
        self.born_ms = self.last_ms = 0
        self.argv: list[bytes] = []
        """The last command, as CLIENT LIST tells it."""
        self.info: dict[bytes, bytes] = {}
        """What the client's library told of itself."""
        self.flags: set[str] = set()
        """``no-evict`` and ``no-touch``."""
        self.is_monitor = False
        self.observes = False
        """Whether it looks at the server from outside: then time does not wait for it."""
        self.replies_off = False
        self.skips = 0
        """How many of the next replies are not sent (CLIENT REPLY SKIP)."""
        self.is_held = False
        """Whether a delay is not over: until then nothing of it is run, and nothing is written to it."""
        self.input_stopped = False
        """Whether it reads so little of what it gets that it is not listened to."""
        self.is_done = False
        """Whether it is over; what is still to be written is written."""
        self.fate: Fault | None = None
        """The fault that the answer to come will meet."""

    # -- asyncio ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport = cast(asyncio.Transport, transport)
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.address, self.local = _shown(peer, own), _shown(own, own)
        self.server.join(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where bytes are to be put: all connections share the place, for what comes is taken away at once."""
        return self.server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self.receive(self.server.buffer[:nbytes].tobytes())

    def receive(self, data: bytes) -> None:
        """Takes bytes: whole requests run at once, unless the client is blocked."""
        if self.is_done:
            return
        try:
            if self.waits:
                self.parser.hold(data)
                return
            self.parser.feed(data)
        except TooMuch:
            self.server.drop(self)
            return
        self.server.process(self)
        self.server.flush()

    def eof_received(self) -> bool:
        """The client sends nothing any more: as Redis does, it is taken to be gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.is_done = True
        self.server.leave(self)

    def pause_writing(self) -> None:
        """It does not read what it gets: nothing more of what it sends is run until it does."""
        self.input_stopped = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has read, so it is listened to again."""
        self.input_stopped = False
        self.transport.resume_reading()
        self.server.go_on(self)

    # -- state -----------------------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether what it sends is kept for later."""
        return (
            self.session.wait is not None
            or self.is_held
            or self.input_stopped
            or self.server.pause.stalls > 0
        )

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do and no answer to get: time waits for what it sends next."""
        return self.session.wait is None and not self.session.subscriptions and not self.is_monitor

    def unread_bytes(self) -> int:
        """How much it has been sent, or is about to be, that its socket did not take."""
        return self.transport.get_write_buffer_size() + self.owed_bytes


def _shown(address: Any, own: Any) -> bytes:
    """An address as Redis prints it."""
    if isinstance(address, tuple):
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"{host}:{address[1]}".encode()
    path = address or own or b""
    return (path if isinstance(path, bytes) else str(path).encode()) + b":0"

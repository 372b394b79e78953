"""A wire between a server and its replica that passes on what it is told to, and when.

While the two synchronise, everything goes through. After `hold`, what the server tells stays here until it is passed
on, so a replica has just so much as it is to have; what the replica says goes through always. Nothing runs by itself:
bytes move when `pump` is called.
"""

from __future__ import annotations

import select
import socket
from types import TracebackType

from .address import Address
from .connection import open_socket
from .errors import RealServerError

__all__ = ["Relay"]

_RECEIVE_BYTES = 1 << 18
_PATIENCE_S = 10.0


class Relay:
    """The replica connects to `port` of the loopback interface, and is connected to the server at `address`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._replica: socket.socket | None = None
        self._server: socket.socket | None = None
        self._holds = False
        self.held = bytearray()
        """What the server has told since `hold` and has not been passed on."""
        self.heard = 0
        """How many bytes the server has told since `hold`."""
        self.said = bytearray()
        """What the replica has said since it was last emptied."""

    def pump(self, wait_s: float = 0.0) -> bool:
        """Take what has arrived, within `wait_s` seconds of the real clock; whether there was anything."""
        ends = [end for end in (self._server, self._replica) if end is not None]
        ready = select.select([self._listening, *ends], [], [], wait_s)[0]
        for end in ready:
            if end is self._listening:
                self._accept()
            elif end is self._replica:
                self._from_replica()
            elif end is self._server:
                self._from_server()
        return bool(ready)

    def hold(self) -> None:
        """From now on keep what the server tells."""
        self._holds = True

    def pass_on(self, size: int) -> None:
        """Let the replica have the first so many bytes of what is held."""
        assert self._replica is not None, "it follows"
        self._replica.sendall(self.held[:size])
        del self.held[:size]

    def close(self) -> None:
        """Cut both ends; a second time does nothing."""
        self._hang_up()
        self._listening.close()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        """A replica that connects again gets a connection of its own to the server."""
        self._hang_up()
        self._replica = self._listening.accept()[0]
        self._replica.settimeout(_PATIENCE_S)
        self._replica.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server = open_socket(self._address, _PATIENCE_S)

    def _from_server(self) -> None:
        data = self._received(self._server)
        if self._holds:
            self.held += data
            self.heard += len(data)
        elif data and self._replica is not None:
            self._replica.sendall(data)

    def _from_replica(self) -> None:
        data = self._received(self._replica)
        self.said += data
        if data and self._server is not None:
            self._server.sendall(data)

    def _received(self, end: socket.socket | None) -> bytes:
        assert end is not None
        try:
            data = end.recv(_RECEIVE_BYTES)
        except OSError:
            data = b""
        if not data:
            if self._holds:
                raise RealServerError(f"{self._address} and its replica have lost one another")
            self._hang_up()
        return data

    def _hang_up(self) -> None:
        for end in (self._replica, self._server):
            if end is not None:
                end.close()
        self._replica = self._server = None

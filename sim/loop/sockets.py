"""Sockets of programs that block: the methods of ``socket.socket``, on the simulated network.

The socket itself is a real one that is never connected: it has a number, options and a timeout. What is sent and
received goes through a connection of the simulated network, which is kept beside it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from .escapes import NOT_SIMULATED, Make
from .network import HOSTS, ClientTransport
from .on_stage import STAGE, current, escape


class Received(asyncio.Protocol):
    """What has come on a connection and was not read yet."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_over = False
        self.error: Exception | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.transport: ClientTransport

    def data_received(self, data: bytes) -> None:
        """More."""
        self.data += data
        self._wake()

    def eof_received(self) -> bool:
        """No more."""
        self.is_over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """No more, and perhaps an error."""
        self.is_over = True
        self.error = exc
        self._wake()

    def _wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def take(self, size: int, timeout_s: float | None) -> bytes:
        """Up to ``size`` bytes, as soon as there are any; none at the end. Blocks as long as a socket would."""
        if not self.data and not self.is_over:
            self._block(timeout_s)
        if self.data:
            taken = bytes(self.data[:size])
            del self.data[:size]
            return taken
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return b""

    def _block(self, timeout_s: float | None) -> None:
        if timeout_s == 0:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        fiber = STAGE.fiber
        assert fiber is not None
        self.waiter = fiber.loop.create_future()
        timer = None if timeout_s is None else fiber.loop.call_later(timeout_s, self._wake)
        fiber.wait(self.waiter)
        self.waiter = None
        if timer is not None:
            timer.cancel()
        if not self.data and not self.is_over:
            raise TimeoutError("timed out")


CONNECTED: WeakKeyDictionary[socket.socket, Received] = WeakKeyDictionary()


def _connect(own: socket.socket, address: Any) -> None:
    fiber = STAGE.fiber
    if fiber is None:
        own.close()
        escape(f"opens a socket of its own, {NOT_SIMULATED}, or a plain function that blocks")
    assert fiber is not None
    host, port = (address[0], address[1]) if isinstance(address, tuple) else (None, None)
    world, limit_s = fiber.program.world, own.gettimeout()
    connecting = world.network.connect(fiber.program, Received, host, port)
    takes_time = limit_s is not None and bool(world.links.barred)
    _, received = fiber.run(asyncio.wait_for(connecting, limit_s) if takes_time else connecting)
    received.transport = next(t for t in reversed(fiber.program.transports) if t.protocol is received)
    CONNECTED[own] = received


def _send(own: socket.socket, received: Received, data: Any, flags: int = 0) -> int:
    if received.transport.is_closed:
        raise BrokenPipeError(32, "Broken pipe")
    received.transport.write(bytes(data))
    return len(data)


def _sendall(own: socket.socket, received: Received, data: Any, flags: int = 0) -> None:
    _send(own, received, data)


def _getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
    program = current()
    assert program is not None
    name = host.decode() if isinstance(host, bytes) else host
    if name not in HOSTS:
        program.world.network.refused[f"{name}:{port}"] = None
        raise socket.gaierror(-2, "Name or service not known")
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", int(port or 0)))]


def _resolved(original: Callable[..., Any]) -> Any:
    def stand_in(*args: Any, **options: Any) -> Any:
        return original(*args, **options) if current() is None else _getaddrinfo(*args, **options)

    return stand_in


def _connecting(original: Callable[..., Any]) -> Any:
    def stand_in(own: socket.socket, address: Any) -> Any:
        return original(own, address) if current() is None else _connect(own, address)

    return stand_in


def _connected(answer: Callable[..., Any], *, closes: bool = False) -> Make:
    """The stand-in of a method: for sockets on the simulated network it is ``answer``."""

    def make(original: Callable[..., Any]) -> Any:
        def stand_in(own: socket.socket, *args: Any, **options: Any) -> Any:
            received = CONNECTED.get(own)
            if received is None:
                return original(own, *args, **options)
            if closes:
                CONNECTED.pop(own, None)
                received.transport.close()
                return original(own, *args, **options)
            return answer(own, received, *args, **options)

        return stand_in

    return make


def _into(own: socket.socket, received: Received, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
    room = memoryview(buffer).cast("B")
    data = received.take(nbytes or len(room), own.gettimeout())
    room[: len(data)] = data
    return len(data)


REPLACED: tuple[tuple[str, str, Make], ...] = (
    ("socket", "getaddrinfo", _resolved),
    ("socket", "socket.connect", _connecting),
    ("socket", "socket.connect_ex", _connecting),
    ("socket", "socket.sendall", _connected(_sendall)),
    ("socket", "socket.send", _connected(_send)),
    ("socket", "socket.recv", _connected(lambda own, received, size, *flags: received.take(size, own.gettimeout()))),
    ("socket", "socket.recv_into", _connected(_into)),
    ("socket", "socket.getpeername", _connected(lambda own, received: ("127.0.0.1", 6379))),
    ("socket", "socket.shutdown", _connected(lambda own, received, how: received.transport.close())),
    ("socket", "socket.close", _connected(lambda own, received: None, closes=True)),
)
"""Module, name and what makes the stand-in of the original."""

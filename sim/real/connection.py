"""A raw blocking connection to a real server: commands in, the exact bytes of the replies out."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

from .address import Address
from .errors import NoReply, RealServerError, ServerClosed
from .frames import FrameScanner
from .values import parse

__all__ = ["Connection", "encode", "open_socket", "parse"]

_RECEIVE_BYTES = 1 << 18


def encode(argv: Sequence[bytes]) -> bytes:
    """A command as a client sends it: an array of strings."""
    parts = [b"*%d\r\n" % len(argv)]
    for argument in argv:
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


class Connection:
    """A connection that never looks inside what it carries.

    Arguments:
        address: where the server listens; a password and a database of it are used at once.
        timeout: how long to wait for a connection or a reply, in seconds of the real clock. Under a frozen
            virtual clock a blocked command never ends by itself, so there is always a limit.

    Raises `RealServerError`, one line, when nothing answers there or the login fails. Many commands may be
    sent before the first reply is read: the server keeps the replies that nobody has read yet.
    """

    def __init__(self, address: Address, *, timeout: float = 10.0) -> None:
        self.address = address
        self.timeout = timeout
        self._scanner = FrameScanner()
        try:
            self._socket = open_socket(address, timeout)
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise RealServerError(f"no server answers at {address}: {reason}") from None
        try:
            self._log_in()
        except BaseException:
            self.close()
            raise

    def _log_in(self) -> None:
        address = self.address
        if address.password is not None:
            name = [address.username.encode()] if address.username else []
            self._must(b"AUTH", *name, address.password.encode())
        if address.db:
            self._must(b"SELECT", b"%d" % address.db)

    def _must(self, *argv: bytes) -> None:
        refuse_errors(self.address, self.call(*argv))

    def send(self, argv: Sequence[bytes]) -> None:
        """Send one command."""
        self.send_raw(encode(argv))

    def send_many(self, commands: Iterable[Sequence[bytes]]) -> None:
        """Send commands in one write."""
        self.send_raw(b"".join(map(encode, commands)))

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are encoded already."""
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise NoReply(f"{self.address} has taken no bytes for {self.timeout:g} s") from None
        except OSError as error:
            raise self._closed(error) from None

    def read(self, timeout: float | None = None) -> bytes:
        """The exact bytes of one whole reply; attributes come with the reply that follows them.

        `timeout` (seconds of the real clock) stands in for the connection's own. Raises `NoReply` when it is
        over, and a later read goes on where this one stopped; `ServerClosed` when the server hangs up.
        """
        frame = self._scanner.next()
        if frame is None:
            limit = None if timeout is None else time.monotonic() + timeout
            while frame is None:
                self._receive(limit)
                frame = self._scanner.next()
        return frame

    def read_many(self, count: int, timeout: float | None = None) -> bytes:
        """The bytes of so many whole replies, one after the other."""
        return b"".join([self.read(timeout) for _ in range(count)])

    def match(self, expected: bytes, timeout: float | None = None) -> bool:
        """Take the next replies if their bytes are the expected ones; otherwise take nothing.

        `expected` is one or more whole replies. Nothing is scanned or copied, so this is the quick way
        through a long pipeline: on False, `read` the replies one by one to see which one differs.
        """
        same = self._scanner.match(expected)
        if same is None:
            limit = None if timeout is None else time.monotonic() + timeout
            while same is None:
                self._receive(limit)
                same = self._scanner.match(expected)
        return same

    def call(self, *argv: bytes) -> bytes:
        """Send one command and read its reply."""
        self.send(argv)
        return self.read()

    def readable(self, wait: float = 0.0) -> bool:
        """Whether something unread has arrived, or does within `wait` seconds of the real clock."""
        return bool(self._scanner.held) or self._arrives(wait)

    def fileno(self) -> int:
        """The socket's number, so that a connection can be waited for by `select`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up; a second time does nothing."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self, limit: float | None) -> None:
        """Wait for bytes until `limit` on the monotonic clock; None: as long as the connection allows."""
        try:
            if limit is not None and not self._arrives(max(limit - time.monotonic(), 0.0)):
                raise TimeoutError
            data = self._socket.recv(_RECEIVE_BYTES)
        except TimeoutError:
            raise NoReply(f"{self.address} has not answered in time") from None
        except OSError as error:
            raise self._closed(error) from None
        if not data:
            raise self._closed(None)
        self._scanner.feed(data)

    def _arrives(self, wait: float) -> bool:
        return bool(select.select([self._socket], [], [], wait)[0])

    def _closed(self, error: OSError | None) -> ServerClosed:
        reason = f": {error.strerror or error}" if error else ""
        return ServerClosed(f"{self.address} closed the connection{reason}")


def refuse_errors(address: Address, reply: bytes) -> bytes:
    """Give back a reply that is no error; else raise `RealServerError` with what the user can do about it."""
    if not reply.startswith(b"-"):
        return reply
    text = reply[1:-2].decode(errors="backslashreplace")
    if text.startswith("NOAUTH"):
        hint = str(address).replace("://", "://:PASSWORD@", 1)
        raise RealServerError(f"{address} asks for a password: give it in the URL, {hint}")
    raise RealServerError(f"{address} refuses: {text}")


def open_socket(address: Address, timeout: float) -> socket.socket:
    """A socket that is connected to a server; `timeout` is in seconds of the real clock."""
    if address.path is None:
        connected = socket.create_connection((address.host, address.port), timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(timeout)
        connected.connect(address.path)
    except BaseException:
        connected.close()
        raise
    return connected

"""MONITOR: clients that see every command as it runs (replicationFeedMonitors)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection
    from .server import SocketServer

_SHOWN = {10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a", 8: b"\\b", 34: b'\\"', 92: b"\\\\"}


class Monitors:
    """Who watches. Commands of administrators are shown to nobody."""

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.watching: dict[Connection, None] = {}

    def add(self, connection: Connection) -> None:
        """One more watches."""
        connection.is_monitor = True
        self.watching[connection] = None

    def forget(self, connection: Connection) -> None:
        """One watches no more."""
        self.watching.pop(connection, None)
        connection.is_monitor = False

    def show(
        self, connection: Connection, argv: Sequence[bytes], queue: Sequence[Sequence[bytes]] | None, now_ms: int
    ) -> None:
        """Shows a command that ran; those that a transaction had queued, with its EXEC."""
        name = argv[0].upper()
        if queue is not None and name not in (b"EXEC", b"DISCARD", b"MULTI", b"WATCH", b"QUIT", b"RESET"):
            return
        for shown in (*(queue or ()), argv) if name == b"EXEC" else (argv,):
            command = self.server.model.commands.get(shown[0].upper())
            if command is None or "admin" in command.flags or "skip-monitor" in command.flags:
                continue
            words = b" ".join([quoted(word) for word in shown])
            where = b"%d %b" % (connection.session.database, _address(connection))
            line = b"+%d.%06d [%b] %b\r\n" % (now_ms // 1000, now_ms % 1000 * 1000, where, words)
            for watcher in self.watching:
                self.server.send(watcher, line)


def quoted(text: bytes) -> bytes:
    """Text in quotes, with what cannot be printed spelt out (sdscatrepr)."""
    return b'"%b"' % b"".join([_SHOWN.get(b) or (b"%c" % b if 32 <= b < 127 else b"\\x%02x" % b) for b in text])


def _address(connection: Connection) -> bytes:
    address = connection.address
    return b"unix:" + address.removesuffix(b":0") if address.endswith(b":0") else address

"""CLIENT PAUSE and DEBUG SLEEP: the server is there, and serves nobody, or nobody who writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection
    from .server import SocketServer


class Pause:
    """Whose requests wait, and until when."""

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.kind = ""
        """``write`` or ``all``; empty where nobody has to wait."""
        self.stalls = 0
        """How many DEBUG SLEEPs are not over: until then nothing is served at all."""
        self._until_ms = 0

    def begin(self, ms: int, kind: str) -> None:
        """Clients wait from now on; a pause that is there is never made shorter or milder."""
        self.kind = "all" if "all" in (self.kind, kind) else kind
        self._until_ms = max(self._until_ms, self.server.clock.now_ms() + ms)
        self.server.time.alarm(ms, self._maybe_over)

    def end(self) -> None:
        """Clients go on."""
        self.kind = ""
        self._until_ms = 0
        self._all_go_on()

    def holds_up(self, connection: Connection, argv: Sequence[bytes]) -> bool:
        """Whether a request has to wait."""
        if connection.observes:
            return False
        if self.kind == "all":
            return argv[0].upper() not in (b"CLIENT", b"HELLO", b"AUTH", b"RESET")
        return self._writes(argv) or (
            argv[0].upper() == b"EXEC" and any(map(self._writes, connection.session.queue or ()))
        )

    def stall(self, connection: Connection, ms: int) -> None:
        """Serves nobody for a while; the one that asked for it gets its answer then."""
        self.stalls += 1
        self.hold(connection, ms)
        self.server.time.alarm(ms, self._stall_over)

    def hold(self, connection: Connection, ms: int) -> None:
        """Sends nothing to a client for so long, and runs nothing of it."""
        connection.is_held = True
        self.server.time.alarm(ms, lambda: self._let_go(connection))

    def _writes(self, argv: Sequence[bytes]) -> bool:
        name = argv[0].upper()
        command = self.server.model.commands.get(name)
        return command is not None and ("write" in command.flags or name == b"PUBLISH")

    def _maybe_over(self) -> None:
        if self.kind and self.server.clock.now_ms() >= self._until_ms:
            self.end()

    def _stall_over(self) -> None:
        self.stalls -= 1
        self._all_go_on()

    def _let_go(self, connection: Connection) -> None:
        connection.is_held = False
        if connection.out:
            self.server.send(connection, b"")
        self.server.go_on(connection)

    def _all_go_on(self) -> None:
        for connection in tuple(self.server.connections.values()):
            self.server.go_on(connection)

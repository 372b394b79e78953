"""What outlives a crash: what was saved last, or everything where the append-only file is on.

With ``appendonly yes`` every write counts as written and synchronised: the model is one of ``appendfsync always``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.databases import Database
from ...models.reload import reloaded
from ...models.server import Server
from ...models.stream import Stream

if TYPE_CHECKING:
    from .server import SocketServer


class Durable:
    """The snapshot of a server on sockets."""

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.saved_ms = server.clock.now_ms()
        self._snapshot: dict[int, Database] = {}

    @property
    def logs(self) -> bool:
        """Whether there is an append-only file."""
        return self.server.settings.text(b"appendonly") == b"yes"

    def save(self) -> None:
        """Notes everything that there is now."""
        self._snapshot = {index: database.fork() for index, database in self.server.model.databases.items()}
        self.saved_ms = self.server.clock.now_ms()

    def forget(self) -> None:
        """Nothing was ever saved."""
        self._snapshot = {}

    def load(self, died: Server) -> None:
        """Fills a server that has just begun with what was durable of the one that died."""
        model = self.server.model
        source = died.databases if self.logs else self._snapshot
        for index, database in source.items():
            loaded = database.fork()
            loaded.waiting, loaded.watchers, loaded.claims = {}, {}, {}
            for key, value in loaded.keys.items():
                if isinstance(value, Stream):
                    loaded.keys[key] = reloaded(value, model.dialect)
            model.databases[index] = loaded
        model.select(0)

"""What outlives a crash: what was saved last, or what stands in the append-only file where there is one.

A process that dies loses nothing that it had written, and it writes before it answers. When the power goes, the file
loses what ``appendfsync`` had not yet brought to the disk: see ``models.durability``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.databases import Database
from ...models.durability import SYNCED, load_snapshot, obey, snapshot_of
from ...models.journal import DISK, Journal
from ...models.server import Server
from .model import ServedModel

if TYPE_CHECKING:
    from .server import SocketServer

UNITS_MAX = 200_000
"""With so many commands in it, the file is rewritten: it begins with a snapshot from then on."""


class Durable:
    """The snapshot and the append-only file of a server on sockets."""

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.saved_ms = server.clock.now_ms()
        self._snapshot: dict[int, Database] = {}
        self._base: dict[int, Database] = {}
        """What the append-only file begins with."""

    @property
    def logs(self) -> bool:
        """Whether there is an append-only file."""
        return self.server.settings.text(b"appendonly") == b"yes"

    def save(self) -> None:
        """Notes everything that there is now."""
        self.server.changes = 0
        self._snapshot = snapshot_of(self.server.model)
        self.saved_ms = self.server.clock.now_ms()

    def forget(self) -> None:
        """Nothing was ever saved."""
        self._snapshot = {}
        self.rewrite()

    def follow_settings(self) -> None:
        """Begins an append-only file, or ends it, as the settings now have it."""
        model = self.server.model
        if self.logs and model.journal is None:
            self.rewrite()
        elif not self.logs:
            model.journal = None
            self._base = {}

    def rewrite(self) -> None:
        """The append-only file, if there is one, holds what there is now, and that is on the disk."""
        if self.logs:
            self.server.model.journal = Journal(DISK)
            self._base = snapshot_of(self.server.model)

    def keep_short(self) -> None:
        """Rewrites the file when it has become long."""
        journal = self.server.model.journal
        if journal is not None and len(journal.units) > UNITS_MAX:
            self.rewrite()

    def load(self, died: Server, *, power_failed: bool) -> None:
        """Fills the server's model with what was durable of one that died, which may be itself."""
        model, now_ms = self.server.model, self.server.clock.now_ms()
        snapshot, units = self._snapshot, []
        if died.journal is not None:
            snapshot, units = self._base, died.journal.units
            if power_failed:
                lag_ms = SYNCED[self.server.settings.text(b"appendfsync").decode()]
                units = [] if lag_ms is None else [unit for unit in units if unit.at_ms <= now_ms - lag_ms]
        loaded = ServedModel(model.dialect, model.config)
        loaded.databases = load_snapshot(snapshot, model.dialect, model.config, now_ms).databases
        loaded.select(0)
        loaded.obeys = True
        for unit in units:
            obey(loaded, unit, now_ms)
        for database in model.databases.values():
            database.keys.clear()
            database.expires.clear()
        for index, source in loaded.databases.items():
            model.select(index)
            model.keys.update({key: model.reborn(value) for key, value in source.keys.items()})
            model.expires.update(source.expires)
        model.select(0)
        self.rewrite()

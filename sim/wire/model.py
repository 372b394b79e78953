"""The model with what a server on sockets has beside it: more commands, and word of sessions that end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ...models.commands import table_beside
from ...models.commands.call import Command
from ...models.commands.table import TABLE, WAIT, commands_of, subcommands_of
from ...models.dialects import DIALECTS, Dialect
from ...models.server import Config, Server
from . import about, client_commands, configuring, debugging, dumping, functions, looking, scripting, simulating
from .libraries import Libraries

if TYPE_CHECKING:
    from .server import SocketServer

ROWS: tuple[Command, ...] = (
    *table_beside.ROWS, *looking.ROWS, *about.ROWS, *configuring.ROWS, *debugging.ROWS, *simulating.ROWS,
    *scripting.ROWS, *functions.ROWS, *dumping.ROWS,
)  # fmt: skip
"""The commands that only a server on sockets has. (A command that stands twice is what its last row says.)"""


class ServedModel(Server):
    """A model that is spoken to over sockets; its commands reach them through ``host``."""

    __slots__ = ("dumps", "host", "libraries", "on_close", "scripts")

    host: SocketServer
    on_close: Callable[[int], None]

    def __init__(self, dialect: Dialect | str, config: Config | None = None) -> None:
        super().__init__(dialect, config)
        self.on_close = _nobody_listens
        self.scripts = scripting.Scripts()
        self.libraries = Libraries(self.dialect)
        self.dumps: dict[int, dumping.Dumped] = {}
        """What DUMP gave, by number."""
        self._table = served_commands(self.dialect)
        self._subcommands = {name: subcommands_of(command) for name, command in self._table.items()}

    @property
    def commands(self) -> dict[bytes, Command]:
        """The commands that there are, by their names in capitals."""
        return self._table

    def close(self, session_id: int) -> None:
        """The session ends; whoever keeps its socket is told."""
        super().close(session_id)
        self.on_close(session_id)


def _nobody_listens(number: int) -> None:
    """Where a model has no sockets, nobody is told that a session ended."""


def served_commands(dialect: Dialect | str) -> dict[bytes, Command]:
    """The commands of the model in a dialect, and those of the server around it."""
    if isinstance(dialect, str):
        dialect = DIALECTS[dialect]
    rows = tuple(client_commands.extended(row) if row.name == "CLIENT" else row for row in (*TABLE, WAIT, *ROWS))
    table = commands_of(dialect, rows)
    client = table[b"CLIENT"]
    if not client.subcommands:
        table[b"CLIENT"] = replace(client, run=client_commands.by_hand)
    return table

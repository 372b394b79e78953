"""What a server puts on its replication stream and into its append-only file, in the units in which it takes effect.

A unit is whole or not there: a server that reads a file whose end was cut off drops a transaction that is not
complete, and a replica runs one as one. Sources: propagatePendingCommands, propagateNow, execCommandPropagateMulti.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from .dialect import Dialect
from .group import Pending

Argv: TypeAlias = tuple[bytes, ...]

FILE, REPLICA, SNAPSHOT, NOTHING = "file", "replica", "snapshot", "nothing"
"""Who follows a server: its append-only file, a replica, its snapshots, nobody."""
EXEC: Final = b"EXEC"
DISK: Final = 1
REPLICAS: Final = 2
EVERYWHERE: Final = DISK | REPLICAS


class Told(NamedTuple):
    """One command of the stream: the database that it is for, and who gets it."""

    database: int
    argv: Argv
    to: int = EVERYWHERE


class Unit(NamedTuple):
    """Commands that take effect together.

    ``end`` is the EXEC of the transaction that they are (up to 6.2 as the client spelt it), empty where there is none.
    """

    at_ms: int
    told: tuple[Told, ...]
    end: bytes = b""


class Journal:
    """Collects what the commands of one server tell; whoever keeps copies takes it from here."""

    __slots__ = ("_target", "_told", "changed", "forgotten", "spoken", "units")

    def __init__(self, target: int = EVERYWHERE) -> None:
        self._target = target
        """For whom it collects: for whom there is no copy, nothing is told."""
        self.units: list[Unit] = []
        """What was told since it was last taken, oldest first."""
        self.forgotten: dict[int, Pending] = {}
        """What the command at hand took off a pending list because its entry is gone: it tells what it was."""
        self.changed = False
        """Whether the command at hand changed something of which no fact tells."""
        self.spoken: list[Argv] = []
        """What the command at hand says itself that it tells."""
        self._told: list[Told] = []

    def add(self, told: list[Told]) -> None:
        """Notes what one command tells."""
        self._told += [each for each in told if each.to & self._target]
        self.forgotten.clear()
        self.changed = False
        self.spoken.clear()

    def close(self, dialect: Dialect, now_ms: int, transaction: bytes = b"") -> None:
        """Ends a command, or a transaction (by its EXEC): what was noted since the last time becomes units."""
        told = self._told
        if not told:
            return
        self._told = []
        if dialect.propagates_units:
            self.units.append(Unit(now_ms, tuple(told), EXEC if len(told) > 1 else b""))
        elif transaction:
            self.units.append(Unit(now_ms, tuple(told), transaction))
        else:
            self.units.extend(Unit(now_ms, (each,)) for each in told)

    def empty(self) -> Journal:
        """Another one that collects for the same."""
        return Journal(self._target)

    def take(self) -> list[Unit]:
        """What was told since the last call."""
        units, self.units = self.units, []
        return units


def expired(dialect: Dialect, key: bytes) -> Argv:
    """How a key's end is told."""
    return (b"UNLINK" if dialect.expired_unlinked else b"DEL", key)

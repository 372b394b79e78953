"""Who owns a state: the worker to which the content of its server falls.

Most steps leave the server as it is or are taken on servers that a worker has met before, so few states have to travel,
and each worker remembers the steps on its own servers alone.
"""

from __future__ import annotations

from ..machine import Machine, State
from ..scenes import SCENE_AT, SERVER_MASK
from ..symmetry import digest


class Owners:
    """The owner of every server that a machine has met: the same in each process, whatever its number is there."""

    def __init__(self, machine: Machine, count: int) -> None:
        self.of_servers: list[int] = []
        """The owner of each server, by its number; see ``extend``."""
        self._servers = machine.taking.servers.table
        self._count = count
        self.extend()

    def extend(self) -> None:
        """Looks at the servers that are new."""
        for frozen, _ in self._servers[len(self.of_servers) :]:
            self.of_servers.append(digest(frozen) % self._count)

    def of(self, state: State) -> int:
        """The owner of a state."""
        return self.of_servers[state >> SCENE_AT & SERVER_MASK]

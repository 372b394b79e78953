"""Who owns a state: the worker to which the content of its server falls, whoever is who there.

Most steps leave the server as it is or are taken on servers that a worker has met before, so few states have to travel,
and each worker takes the steps on its own servers alone: those that differ only by who is who are asked as one.
"""

from __future__ import annotations

from ..machine import Machine, State
from ..scenes import SCENE_AT, SERVER_MASK


class Owners:
    """The owner of every server that a machine has met: the same in each process, whatever its number is there."""

    def __init__(self, machine: Machine, count: int) -> None:
        self.of_servers: dict[int, int] = {}
        """The owner of each server that was asked for, by its number."""
        self._kin = machine.order.kin
        self._count = count

    def of(self, state: State) -> int:
        """The owner of a state."""
        server = state >> SCENE_AT & SERVER_MASK
        owner = self.of_servers.get(server)
        return self.look(server) if owner is None else owner

    def look(self, server: int) -> int:
        """The owner of the states of a server that is new."""
        found = self.of_servers[server] = self._kin.digest(server) % self._count
        return found

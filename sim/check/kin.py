"""Servers that differ only by who is who: of each such family one is the head, and the others are known by it.

What an exchange makes of a server is worked out once for each member of a family, not once for each way to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .parts import ORDER
from .symmetry import common_view, digest, exchanged_server, server_view

if TYPE_CHECKING:
    from .taking import Taking

Places = tuple[int, ...]
"""Which process stands at each place now."""


def inverse(order: Places) -> Places:
    """The way back."""
    back = [0] * len(order)
    for place, before in enumerate(order):
        back[before] = place
    return tuple(back)


class Kin:
    """The families of the servers that were met."""

    def __init__(self, taking: Taking, class_of: Sequence[Places]) -> None:
        self._taking = taking
        self._names = taking.names
        self._class_of = class_of
        """Of each place: those with whose processes its own can change places."""
        self._identity = tuple(range(len(class_of)))
        self._heads: dict[int, tuple[int, Places]] = {}
        self._members: dict[tuple[int, Places], int] = {}
        self._views: dict[int, Places] = {}
        self._digests: dict[int, int] = {}

    def head(self, server: int) -> tuple[int, Places]:
        """The head of a server's family, and the order in which the server's processes stand there."""
        known = self._heads.get(server)
        return self._look(server) if known is None else known

    def views(self, server: int) -> Places:
        """What the server has for each process, as numbers to order by; 0 where none may change places."""
        head, order = self.head(server)
        views = self._views[head]
        back = inverse(order)
        return tuple([views[at] for at in back])

    def digest(self, server: int) -> int:
        """A number for a server that all of its family have, in every process and on every run."""
        head, _ = self.head(server)
        known = self._digests.get(head)
        if known is None:
            views = self._views[head]
            sorts = [sorted([views[at] for at in places]) for places in self._names.classes]
            frozen = self._taking.servers.table[head][0]
            known = self._digests[head] = digest((sorts, common_view(frozen, self._names) if sorts else frozen))
        return known

    def exchanged(self, server: int, order: Places) -> int:
        """The server once the process at ``order[i]`` stands at place ``i``."""
        head, seats = self.head(server)
        back = inverse(seats)
        there = tuple([back[at] for at in order])
        known = self._members.get((head, there))
        if known is None:
            known = self._members[head, there] = self._exchange(server, order)
            self._heads.setdefault(known, (head, inverse(there)))
        return known

    def _look(self, server: int) -> tuple[int, Places]:
        """Finds the family of a server that is new: its head is the member whose processes stand sorted."""
        self._taking.parts.enter(ORDER)
        frozen = self._taking.servers.table[server][0]
        class_of, names = self._class_of, self._names
        views = [server_view(frozen, at, names) if class_of[at] else 0 for at in self._identity]
        order = list(self._identity)
        for places in names.classes:
            for place, at in zip(places, sorted(places, key=lambda at: (views[at], at)), strict=True):
                order[place] = at
        seats = tuple(order)
        head = server if seats == self._identity else self._exchange(server, seats)
        if head not in self._heads:
            self._heads[head] = head, self._identity
            self._members[head, self._identity] = head
            self._views[head] = tuple([views[at] for at in seats])
        elder, moved = self._heads[head]
        known = self._heads.setdefault(server, (elder, tuple([seats[at] for at in moved])))
        self._members.setdefault((known[0], inverse(known[1])), server)
        self._taking.parts.leave()
        return known

    def _exchange(self, server: int, order: Places) -> int:
        self._taking.parts.enter(ORDER)
        frozen, attached = self._taking.servers.table[server]
        attached = self._taking.watching.exchanged_attached(attached, order, self._names)
        found = self._taking.server(exchanged_server(frozen, order, self._names), attached)
        self._taking.parts.leave()
        return found

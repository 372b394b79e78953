"""Servers that differ only by who is who: of each such family one is the head, and the others are known by it.

What an exchange makes of a server is worked out once for each member of a family, not once for each way to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .orders import AS_IT_IS, ORDER_BITS, Orders, Places
from .parts import ORDER
from .symmetry import common_view, digest, exchanged_server, server_view

if TYPE_CHECKING:
    from .taking import Taking


class Kin:
    """The families of the servers that were met."""

    def __init__(self, taking: Taking, class_of: Sequence[Places], orders: Orders) -> None:
        self._taking = taking
        self._names = taking.names
        self._class_of = class_of
        """Of each place: those with whose processes its own can change places."""
        self._orders = orders
        self._heads: dict[int, tuple[int, int]] = {}
        self._members: dict[int, int] = {}
        self._views: dict[int, Places] = {}
        self._patterns: dict[int, int] = {}
        """Of each head: which of its views are alike, and which come before which, as a number."""
        self._numbers: dict[Places, int] = {}
        self._ranks: list[Places] = []
        self._digests: dict[int, int] = {}

    def head(self, server: int) -> tuple[int, int]:
        """The head of a server's family, and the order in which the server's processes stand there."""
        known = self._heads.get(server)
        return self._look(server) if known is None else known

    def pattern(self, server: int) -> tuple[int, int]:
        """How what a server has for each process compares: as a number, and an order as in ``head``; see ``ranks``."""
        head, seats = self.head(server)
        return self._patterns[head], seats

    def ranks(self, pattern: int, seats: int) -> Places:
        """For each process a number to order by: what the server has for those who have the same is alike."""
        ranks = self._ranks[pattern]
        return tuple([ranks[at] for at in self._orders.table[self._orders.back(seats)]])

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

    def exchanged(self, server: int, order: int) -> int:
        """The server once the process at the i-th place of an order stands at place ``i``."""
        head, seats = self._heads.get(server) or self._look(server)
        there = self._orders.among(seats, order)
        known = self._members.get(head << ORDER_BITS | there)
        if known is None:
            known = self._members[head << ORDER_BITS | there] = self._exchange(server, order)
            self._heads.setdefault(known, (head, self._orders.back(there)))
        return known

    def _look(self, server: int) -> tuple[int, int]:
        """Finds the family of a server that is new: its head is the member whose processes stand sorted."""
        self._taking.parts.enter(ORDER)
        frozen = self._taking.servers.table[server][0]
        class_of, names, orders = self._class_of, self._names, self._orders
        views = [server_view(frozen, at, names) if places else 0 for at, places in enumerate(class_of)]
        order = list(range(len(class_of)))
        for places in names.classes:
            for place, at in zip(places, sorted(places, key=lambda at: (views[at], at)), strict=True):
                order[place] = at
        seats = orders.number(tuple(order))
        head = server if seats == AS_IT_IS else self._exchange(server, seats)
        if head not in self._heads:
            self._heads[head] = head, AS_IT_IS
            self._members[head << ORDER_BITS | AS_IT_IS] = head
            sorted_views = self._views[head] = tuple([views[at] for at in order])
            ranked = sorted(set(sorted_views))
            pattern = tuple([ranked.index(view) for view in sorted_views])
            self._patterns[head] = self._number(pattern)
        elder, moved = self._heads[head]
        known = self._heads.setdefault(server, (elder, orders.number(tuple([order[at] for at in orders.table[moved]]))))
        self._members.setdefault(known[0] << ORDER_BITS | orders.back(known[1]), server)
        self._taking.parts.leave()
        return known

    def _number(self, ranks: Places) -> int:
        known = self._numbers.get(ranks)
        if known is None:
            known = self._numbers[ranks] = len(self._ranks)
            self._ranks.append(ranks)
        return known

    def _exchange(self, server: int, order: int) -> int:
        self._taking.parts.enter(ORDER)
        frozen, attached = self._taking.servers.table[server]
        places = self._orders.table[order]
        attached = self._taking.watching.exchanged_attached(attached, places, self._names)
        found = self._taking.server(exchanged_server(frozen, places, self._names), attached)
        self._taking.parts.leave()
        return found

"""Orders in which processes stand, as numbers: what comes of one after another is looked up."""

from __future__ import annotations

from typing import TypeAlias

Places: TypeAlias = tuple[int, ...]
"""Which process stands at each place now."""
ORDER_BITS = 16
AS_IT_IS = 0
"""The number of the order in which each stands at its own place."""


class Orders:
    """The orders of some processes that were ever asked for."""

    def __init__(self, processes: int) -> None:
        self.table: list[Places] = []
        """Every order by its number."""
        self._numbers: dict[Places, int] = {}
        self._back: dict[int, int] = {}
        self._among: dict[int, int] = {}
        assert self.number(tuple(range(processes))) == AS_IT_IS

    def number(self, order: Places) -> int:
        """The number of an order."""
        known = self._numbers.get(order)
        if known is None:
            known = self._numbers[order] = len(self.table)
            assert known < 1 << ORDER_BITS, "every order has its number"
            self.table.append(order)
        return known

    def back(self, order: int) -> int:
        """The way back."""
        known = self._back.get(order)
        if known is None:
            places = self.table[order]
            back = [0] * len(places)
            for place, before in enumerate(places):
                back[before] = place
            known = self._back[order] = self.number(tuple(back))
        return known

    def among(self, seats: int, order: int) -> int:
        """Where those who stand in ``order`` stand in ``seats``."""
        key = seats << ORDER_BITS | order
        known = self._among.get(key)
        if known is None:
            back = self.table[self.back(seats)]
            known = self._among[key] = self.number(tuple([back[at] for at in self.table[order]]))
        return known

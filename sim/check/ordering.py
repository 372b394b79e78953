"""The order in which interchangeable processes stand, and components after an exchange; all of it remembered."""

from __future__ import annotations

from itertools import pairwise

from .monitors import Noted
from .renaming import rebuild
from .symmetry import exchanged_life, exchanged_server, life_view, server_view
from .taking import AS_BEFORE, PLACE_BITS, Outcome, Taking, Woken

Places = tuple[int, ...]
"""Which process stands at each place now."""


class Order:
    """Brings states to the order that their contents ask for."""

    def __init__(self, taking: Taking) -> None:
        self.classes = taking.names.classes
        self._taking = taking
        self._names = taking.names
        self.orders: list[Places] = []
        """Every order that was ever asked for, by its number."""
        self._numbers: dict[Places, int] = {}
        self._identity = tuple(range(len(taking.plan.processes)))
        self._class_of: list[Places] = [()] * len(self._identity)
        assert len(self._identity) < 1 << PLACE_BITS, "every place has its number"
        for places in self.classes:
            for place in places:
                self._class_of[place] = places
        self._firsts: dict[tuple[int, int], tuple[Places, Places]] = {}
        self._taken: dict[tuple[int | None, int, int, int], tuple[Outcome | Woken, ...]] = {}
        self._local: dict[tuple[int | None, int, int], tuple[Outcome, ...]] = {}
        self._batches: dict[tuple[int, Places], int] = {}
        self._of_lives: dict[int, int] = {}
        self._of_servers: dict[int, int] = {}
        self._servers: dict[tuple[int, Places], int] = {}
        self._wholes: dict[tuple[int, Places], int] = {}
        self._lives: dict[tuple[int, int, Places], int] = {}

    # -- steps: those of the first of each class are taken, those of the others follow from them -------------

    def due(self, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """Everything that is due for a process."""
        return self._led(None, index, server, life)

    def strike(self, fault: int, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """What comes of a fault that strikes a process."""
        return self._led(fault, index, server, life)

    def _led(
        self, fault: int | None, index: int, server: int, life: int, *, first: bool = False
    ) -> tuple[Outcome | Woken, ...]:
        places = self._class_of[index]
        local = self._led_local(fault, index, life)
        if local is not None:
            return local
        if places and not first:
            order, back = self._with_first(index, places, server)
            if order != self._identity:
                moved = self._life(life, places[0], order)
                there = self._led(fault, places[0], self.server(server, order), moved, first=True)
                return tuple([self._back_to(each, index, order, back) for each in there])
        key = (fault, index, server, life)
        known = self._taken.get(key)
        if known is None:
            if fault is None:
                known = self._taking.due(index, server, life)
            else:
                known = self._taking.strike(fault, index, server, life)
            self._taken[key] = known
        return known

    def _led_local(self, fault: int | None, index: int, life: int) -> tuple[Outcome, ...] | None:
        """What is known of a step whatever the server is; how the others stand does not matter to it either."""
        key = (fault, index, life)
        known = self._local.get(key)
        if known is None:
            places = self._class_of[index]
            if not places or index == places[0]:
                known = self._taking.local(*key)
            else:
                order = list(self._identity)
                order[places[0]], order[index] = index, places[0]
                swap = tuple(order)
                there = self._taking.local(fault, places[0], self._life(life, places[0], swap))
                known = None if there is None else tuple([self._back(each, index, swap, swap) for each in there])
            if known is not None:
                self._local[key] = known
        return known

    def _with_first(self, index: int, places: Places, server: int) -> tuple[Places, Places]:
        """The order in which ``index`` comes first of its class and the others as the server tells them apart."""
        known = self._firsts.get((index, server))
        if known is None:
            others = sorted((self._of_server(place, server), place) for place in places if place != index)
            order = list(self._identity)
            for place, before in zip(places, (index, *[place for _, place in others]), strict=True):
                order[place] = before
            back = [order.index(place) for place in self._identity]
            known = self._firsts[index, server] = tuple(order), tuple(back)
        return known

    def _back_to(self, each: Outcome | Woken, index: int, order: Places, back: Places) -> Outcome | Woken:
        if isinstance(each, Outcome):
            return self._back(each, index, order, back)
        return Woken(each.edge._replace(process=index), tuple(sorted(order[other] for other in each.others)))

    def _back(self, outcome: Outcome, index: int, order: Places, back: Places) -> Outcome:
        """What the step of the first is for the process at ``index``."""
        edge = outcome.edge._replace(process=index)
        (_, life), = outcome.lives
        server = outcome.server if outcome.server == AS_BEFORE else self.server(outcome.server, back)
        return outcome._replace(
            edge=edge, server=server, lives=((index, self._life(life, index, back)),),
            batch=self._batch(outcome.batch, order, back),
        )  # fmt: skip

    def _batch(self, number: int, order: Places, back: Places) -> int:
        known = self._batches.get((number, back))
        if known is None:
            watching = self._taking.watching
            events = rebuild(watching.batches.table[number], self._names.exchanged(back).atom)
            moved = [e._replace(receiver=order[e.receiver]) if type(e) is Noted else e for e in events]
            known = self._batches[number, back] = watching.batch(moved)
        return known

    # -- orders ------------------------------------------------------------------------------------------

    def of(self, server: int, numbers: list[int]) -> Places | None:
        """Which process has to stand at each place; ``None`` where each stands right."""
        order: list[int] | None = None
        of_lives, of_server = self._of_lives, self._of_server
        for places in self.classes:
            views = [
                (of_lives.get(numbers[place] << PLACE_BITS | place) or self._of_life(place, numbers[place]))
                + of_server(place, server)
                for place in places
            ]
            if all(a <= b for a, b in pairwise(views)):
                continue
            if order is None:
                order = list(self._identity)
            for place, (_, before) in zip(places, sorted(zip(views, places, strict=True)), strict=True):
                order[place] = before
        return None if order is None else tuple(order)

    def number(self, order: Places) -> int:
        """The number of an order."""
        if order not in self._numbers:
            self._numbers[order] = len(self.orders)
            self.orders.append(order)
        return self._numbers[order]

    def server(self, number: int, order: Places) -> int:
        """The server after the exchange."""
        known = self._servers.get((number, order))
        if known is None:
            frozen, attached = self._taking.servers.table[number]
            attached = self._taking.watching.exchanged_attached(attached, order, self._names)
            known = self._taking.server(exchanged_server(frozen, order, self._names), attached)
            self._servers[number, order] = known
        return known

    def whole(self, number: int, order: Places) -> int:
        """The properties after the exchange."""
        known = self._wholes.get((number, order))
        if known is None:
            known = self._wholes[number, order] = self._taking.watching.exchanged(number, order, self._names)
        return known

    def lives(self, numbers: list[int], order: Places) -> list[int]:
        """The processes after the exchange."""
        return [self._life(numbers[before], place, order) for place, before in enumerate(order)]

    def _life(self, number: int, place: int, order: Places) -> int:
        known = self._lives.get((number, place, order))
        if known is None:
            life = exchanged_life(self._taking.lives.table[number], place, order, self._names)
            known = self._lives[number, place, order] = self._taking.life(life)
        return known

    def _of_life(self, place: int, life: int) -> int:
        """The upper half of a view: whoever differs in it is told apart by it alone."""
        found = (life_view(self._taking.lives.table[life], place, self._names) | 1 << 64) << 64
        self._of_lives[life << PLACE_BITS | place] = found
        return found

    def _of_server(self, place: int, server: int) -> int:
        """The lower half of a view."""
        key = server << PLACE_BITS | place
        known = self._of_servers.get(key)
        if known is None:
            known = server_view(self._taking.servers.table[server][0], place, self._names)
            self._of_servers[key] = known
        return known

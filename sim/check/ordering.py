"""The order in which interchangeable processes stand, and components after an exchange; all of it remembered."""

from __future__ import annotations

from .monitors import Noted
from .renaming import rebuild
from .symmetry import exchanged_life, exchanged_server, life_view, server_view
from .taking import AS_BEFORE, PLACE_BITS, Outcome, Taking, Woken

ORDER_BITS = 16
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
        self._firsts: dict[tuple[int, int], tuple[int, int]] = {}
        self._taken: dict[tuple[int | None, int, int, int], tuple[Outcome | Woken, ...]] = {}
        self._local: dict[tuple[int | None, int, int], tuple[Outcome, ...]] = {}
        self._batches: dict[tuple[int, int], int] = {}
        self._of_lives: dict[int, int] = {}
        self._of_servers: dict[int, Places] = {}
        self._servers: dict[int, int] = {}
        self._wholes: dict[tuple[int, Places], int] = {}
        self._lives: dict[int, int] = {}

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
            if order >= 0:
                there = self._led(fault, places[0], self.server(server, order), self.life(life, order), first=True)
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
                swap = self.number(tuple(order))
                there = self._taking.local(fault, places[0], self.life(life, swap))
                known = None if there is None else tuple([self._back(each, index, swap, swap) for each in there])
            if known is not None:
                self._local[key] = known
        return known

    def _with_first(self, index: int, places: Places, server: int) -> tuple[int, int]:
        """The order in which ``index`` comes first of its class and the others as the server tells them apart.

        And the way back; -1 where they stand so.
        """
        known = self._firsts.get((index, server))
        if known is None:
            views = self._of_servers.get(server) or self._of_server(server)
            others = sorted([(views[place], place) for place in places if place != index])
            order = list(self._identity)
            for place, before in zip(places, (index, *[place for _, place in others]), strict=True):
                order[place] = before
            known = (-1, -1)
            if tuple(order) != self._identity:
                back = [order.index(place) for place in self._identity]
                known = self.number(tuple(order)), self.number(tuple(back))
            self._firsts[index, server] = known
        return known

    def _back_to(self, each: Outcome | Woken, index: int, order: int, back: int) -> Outcome | Woken:
        if isinstance(each, Outcome):
            return self._back(each, index, order, back)
        places = self.orders[order]
        return Woken(each.edge._replace(process=index), tuple(sorted(places[other] for other in each.others)))

    def _back(self, outcome: Outcome, index: int, order: int, back: int) -> Outcome:
        """What the step of the first is for the process at ``index``."""
        edge = outcome.edge._replace(process=index)
        (_, life), = outcome.lives
        server = outcome.server if outcome.server == AS_BEFORE else self.server(outcome.server, back)
        return outcome._replace(
            edge=edge, server=server, lives=((index, self.life(life, back)),),
            batch=self._batch(outcome.batch, order, back),
        )  # fmt: skip

    def _batch(self, number: int, order: int, back: int) -> int:
        known = self._batches.get((number, back))
        if known is None:
            watching = self._taking.watching
            events = rebuild(watching.batches.table[number], self._names.exchanged(self.orders[back]).atom)
            places = self.orders[order]
            moved = [e._replace(receiver=places[e.receiver]) if type(e) is Noted else e for e in events]
            known = self._batches[number, back] = watching.batch(moved)
        return known

    # -- orders ------------------------------------------------------------------------------------------

    def of(self, server: int, numbers: list[int]) -> int:
        """The number of the order in which the processes have to stand; -1 where each stands right."""
        of_lives, of_server = self._of_lives, self._of_servers.get(server) or self._of_server(server)
        order: list[int] | None = None
        for places in self.classes:
            views = [(of_lives.get(numbers[at]) or self._of_life(numbers[at])) + of_server[at] for at in places]
            if views == sorted(views):
                continue
            if order is None:
                order = list(self._identity)
            for place, (_, before) in zip(places, sorted(zip(views, places, strict=True)), strict=True):
                order[place] = before
        return -1 if order is None else self.number(tuple(order))

    def number(self, order: Places) -> int:
        """The number of an order."""
        known = self._numbers.get(order)
        if known is None:
            known = self._numbers[order] = len(self.orders)
            assert known < 1 << ORDER_BITS, "every order has its number"
            self.orders.append(order)
        return known

    def server(self, number: int, order: int) -> int:
        """The server after the exchange of that number."""
        known = self._servers.get(number << ORDER_BITS | order)
        if known is None:
            frozen, attached = self._taking.servers.table[number]
            places = self.orders[order]
            attached = self._taking.watching.exchanged_attached(attached, places, self._names)
            known = self._taking.server(exchanged_server(frozen, places, self._names), attached)
            self._servers[number << ORDER_BITS | order] = known
        return known

    def whole(self, number: int, order: Places) -> int:
        """The properties after the exchange."""
        known = self._wholes.get((number, order))
        if known is None:
            known = self._wholes[number, order] = self._taking.watching.exchanged(number, order, self._names)
        return known

    def life(self, number: int, order: int) -> int:
        """The process after the exchange."""
        known = self._lives.get(number << ORDER_BITS | order)
        if known is None:
            life, places = self._taking.lives.table[number], self.orders[order]
            exchanged = exchanged_life(life, places.index(life.whose), places, self._names)
            known = self._lives[number << ORDER_BITS | order] = self._taking.life(exchanged)
        return known

    def _of_life(self, number: int) -> int:
        """The upper half of a view: whoever differs in it is told apart by it alone."""
        life = self._taking.lives.table[number]
        found = self._of_lives[number] = (life_view(life, life.whose, self._names) | 1 << 64) << 64
        return found

    def _of_server(self, server: int) -> Places:
        """The lower half of the views of all that may change places."""
        frozen = self._taking.servers.table[server][0]
        views = [server_view(frozen, at, self._names) if self._class_of[at] else 0 for at in self._identity]
        found = self._of_servers[server] = tuple(views)
        return found

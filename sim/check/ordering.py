"""The order in which interchangeable processes stand, and components after an exchange; all of it remembered."""

from __future__ import annotations

from collections.abc import Sequence

from .kin import Kin
from .monitors import Noted
from .orders import AS_IT_IS, ORDER_BITS, Orders, Places
from .renaming import rebuild
from .symmetry import exchanged_life, life_view
from .taking import AS_BEFORE, PLACE_BITS, Edge, Outcome, Taking, Woken

Lead = tuple[int, int, int]
"""At which place a step is taken instead; the order that leads there, and the way back."""


class Order:
    """Brings states to the order that their contents ask for."""

    def __init__(self, taking: Taking) -> None:
        self.classes = taking.names.classes
        self._taking = taking
        self._names = taking.names
        self._orders = Orders(len(taking.plan.processes))
        self.orders = self._orders.table
        """Every order that was ever asked for, by its number."""
        self._identity = tuple(range(len(taking.plan.processes)))
        self._class_of: list[Places] = [()] * len(self._identity)
        assert len(self._identity) < 1 << PLACE_BITS, "every place has its number"
        for places in self.classes:
            for place in places:
                self._class_of[place] = places
        self.kin = Kin(taking, self._class_of, self._orders)
        self._leads: dict[int, Lead] = {}
        self._taken: dict[tuple[int | None, int, int, int], tuple[Outcome | Woken, ...]] = {}
        self._local: dict[tuple[int | None, int, int], tuple[Outcome, ...]] = {}
        self._batches: dict[tuple[int, int], int] = {}
        self._of_lives: dict[int, int] = {}
        self._patterns: dict[Places, int] = {}
        self._ranks: list[Places] = []
        """Of each pattern: which places are alike as processes, and which come before which."""
        self._sorts: dict[tuple[int, int, int], int] = {}
        self.ties: dict[int, int] = {}
        """The order of processes of which several are alike, by server and pattern: see ``of``."""
        self.servers: dict[int, int] = {}
        """Servers after exchanges, by the server's number and the order's: see ``server``."""
        self._wholes: dict[tuple[int, Places], int] = {}
        self._lives: dict[int, int] = {}

    # -- steps: of all servers that differ by who is who one is asked, what the others do follows from it -----

    def due(self, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """Everything that is due for a process."""
        return self._led(None, index, server, life)

    def strike(self, fault: int, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """What comes of a fault that strikes a process."""
        return self._led(fault, index, server, life)

    def _led(self, fault: int | None, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        local = self._led_local(fault, index, life)
        if local is not None:
            return local
        if self._class_of[index]:
            _, seats = self.kin.head(server)
            place, order, back = self._leads.get(seats << PLACE_BITS | index) or self._lead(seats, index)
            if order != AS_IT_IS:
                found = self._take(fault, place, self.kin.exchanged(server, order), self.life(life, order))
                return tuple([self._back_to(each, index, order, back) for each in found])
        return self._take(fault, index, server, life)

    def _take(self, fault: int | None, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        key = (fault, index, server, life)
        known = self._taken.get(key)
        if known is None:
            if fault is None:
                known = self._taking.due(index, server, life)
            else:
                known = self._taking.strike(fault, index, server, life)
            self._taken[key] = known
        return known

    def _lead(self, seats: int, index: int) -> Lead:
        """Who is asked what a process does on a server whose processes stand so at the head of its family.

        That is whoever stands first of its class, with the others in the order in which they stand at the head.
        """
        standing = self.orders[seats]
        places, order = self._class_of[index], list(standing)
        others = [standing[place] for place in places if standing[place] != index]
        for place, before in zip(places, (index, *others), strict=True):
            order[place] = before
        number = self.number(tuple(order))
        found = self._leads[seats << PLACE_BITS | index] = places[0], number, self._orders.back(number)
        return found

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

    def _back_to(self, each: Outcome | Woken, index: int, order: int, back: int) -> Outcome | Woken:
        if isinstance(each, Outcome):
            return self._back(each, index, order, back)
        places = self.orders[order]
        return Woken(each.edge._replace(process=index), tuple(sorted(places[other] for other in each.others)))

    def _back(self, outcome: Outcome, index: int, order: int, back: int) -> Outcome:
        """What the step of the first is for the process at ``index``."""
        kind, _, which, answers = outcome.edge
        (_, life), = outcome.lives
        server = outcome.server if outcome.server == AS_BEFORE else self.server(outcome.server, back)
        return Outcome(
            Edge(kind, index, which, answers), server, ((index, self.life(life, back)),),
            self._batch(outcome.batch, order, back), outcome.added, outcome.broken,
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

    def pattern(self, numbers: list[int]) -> tuple[int, int]:
        """How processes stand by themselves: a pattern by which to ask for the order, or -1 and the order.

        A process is told apart from others first by what it is, then by what the server has for it; so the server
        matters only where several are alike.
        """
        of_lives = self._of_lives
        views = [of_lives.get(life) or self._of_life(life) for life in numbers]
        ranks, tied = [0 for _ in views], False
        for places in self.classes:
            ranked = sorted({views[at] for at in places})
            tied = tied or len(ranked) < len(places)
            for at in places:
                ranks[at] = ranked.index(views[at])
        if not tied:
            return -1, self._sorted(ranks, self._identity)
        key = tuple(ranks)
        known = self._patterns.get(key)
        if known is None:
            known = self._patterns[key] = len(self._patterns)
            assert known < 1 << ORDER_BITS, "every pattern has its number"
            self._ranks.append(key)
        return known, -1

    def of(self, server: int, pattern: int) -> int:
        """The number of the order in which the processes have to stand; -1 where each stands right."""
        key = server << ORDER_BITS | pattern
        known = self.ties.get(key)
        if known is None:
            theirs = (pattern, *self.kin.pattern(server))
            known = self._sorts.get(theirs)
            if known is None:
                known = self._sorts[theirs] = self._sorted(self._ranks[pattern], self.kin.ranks(*theirs[1:]))
            self.ties[key] = known
        return known

    def _sorted(self, ranks: Sequence[int], theirs: Places) -> int:
        order = list(self._identity)
        for places in self.classes:
            before = sorted([(ranks[at], theirs[at], at) for at in places])
            for place, (_, _, at) in zip(places, before, strict=True):
                order[place] = at
        found = tuple(order)
        return -1 if found == self._identity else self.number(found)

    def number(self, order: Places) -> int:
        """The number of an order."""
        return self._orders.number(order)

    def server(self, number: int, order: int) -> int:
        """The server after the exchange of that number."""
        known = self.servers.get(number << ORDER_BITS | order)
        if known is None:
            known = self.servers[number << ORDER_BITS | order] = self.kin.exchanged(number, order)
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
        """What a process is, whoever it is."""
        life = self._taking.lives.table[number]
        found = self._of_lives[number] = life_view(life, life.whose, self._names) | 1 << 64
        return found

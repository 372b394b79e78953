"""Crowds: all processes of a scene, without the server. A few come up again and again, on one server after the other.

So what depends on the processes alone is worked out once for each crowd, and a step of one of them leads from crowd to
crowd by one look-up.
"""

from __future__ import annotations

from typing import TypeAlias

from .ordering import Order
from .orders import ORDER_BITS
from .taking import LIFE_BITS, SERVER_BITS, Edge, Taking, Woken

LIFE_MASK = (1 << LIFE_BITS) - 1
NEVER = -1
CROWDS_MAX = 1 << 16
"""So many crowds are remembered; then all are forgotten."""


class Quick:
    """An outcome of one process's step."""

    __slots__ = ("added", "batch", "broken", "edge", "goes_on", "life", "server")

    def __init__(
        self, edge: Edge, server: int, life: int, batch: int, added: bool, broken: tuple[int, ...], goes_on: bool
    ) -> None:
        self.edge = edge
        self.server = server
        """The number of the server after it, or ``AS_BEFORE``."""
        self.life = life
        """What the process becomes."""
        self.batch = batch
        self.added = added
        self.broken = broken
        self.goes_on = goes_on
        """Whether it is known that something else can happen at once."""


Steps: TypeAlias = tuple[Quick | Woken, ...]


class Ready:
    """A process of a crowd that has something to do at once."""

    __slots__ = ("becomes", "index", "life", "steps")

    def __init__(self, index: int, life: int, steps: dict[int, Steps], becomes: dict[int, Crowd]) -> None:
        self.index = index
        self.life = life
        self.steps = steps
        """What it does, by server and process."""
        self.becomes = becomes
        """The crowd, by what the process becomes."""


class Crowd:
    """All processes of a scene."""

    __slots__ = ("becomes", "left_ms", "lives", "order", "pattern", "ready", "seatings", "seats")

    def __init__(self, seats: int, lives: list[int], pattern: int, order: int) -> None:
        self.seats = seats
        """The scene without its server."""
        self.lives = lives
        self.pattern = pattern
        """By which to ask for the order of the processes, with the server; -1 where it depends on them alone."""
        self.order = order
        """The order of the processes where it depends on them alone; -1 where each stands right."""
        self.left_ms = NEVER
        """In how many ms something happens to a process; ``NEVER`` where nothing ever does."""
        self.becomes: list[dict[int, Crowd]] = [{} for _ in lives]
        """By place: the crowd, by what the process there becomes."""
        self.ready: list[Ready] = []
        self.seatings: dict[int, int] = {}
        """By order: the scene without its server once the processes stand in that order."""


class Crowds:
    """The crowds of one machine."""

    def __init__(self, taking: Taking, order: Order) -> None:
        self.shifts = [SERVER_BITS + LIFE_BITS * index for index in range(len(taking.plan.processes))]
        """Where in a scene each process is."""
        self.steps: list[dict[int, Steps]] = [{} for _ in self.shifts]
        """What is due for each process, by server and process."""
        self._taking = taking
        self._order = order
        self._known: dict[int, Crowd] = {}
        self._seated: dict[int, int] = {}

    def of(self, seats: int) -> Crowd:
        """The crowd of a scene, which is given without its server."""
        known = self._known.get(seats)
        return self._gather(seats) if known is None else known

    def packed(self, lives: list[int]) -> int:
        """A scene without its server."""
        seats = 0
        for shift, life in zip(self.shifts, lives, strict=True):
            seats |= life << shift
        return seats

    def become(self, crowd: Crowd, index: int, life: int) -> Crowd:
        """The crowd once the process at ``index`` has become another."""
        known = crowd.becomes[index].get(life)
        if known is None:
            known = self.of(crowd.seats + (life - crowd.lives[index] << self.shifts[index]))
            crowd.becomes[index][life] = known
        return known

    def seating(self, crowd: Crowd, order: int) -> int:
        """The crowd in another order, as a scene without its server."""
        known = crowd.seatings.get(order)
        if known is None:
            known = 0
            for life in crowd.lives:
                seat = self._seated.get(life << ORDER_BITS | order)
                known |= self._seat(life, order) if seat is None else seat
            crowd.seatings[order] = known
        return known

    def _seat(self, life: int, order: int) -> int:
        """What a process adds to a scene once it stands elsewhere."""
        after = self._order.life(life, order)
        place = self._taking.lives.table[after].whose
        seat = self._seated[life << ORDER_BITS | order] = after << self.shifts[place]
        return seat

    def _gather(self, seats: int) -> Crowd:
        lives = [seats >> shift & LIFE_MASK for shift in self.shifts]
        crowd = Crowd(seats, lives, *(self._order.pattern(lives) if self._order.classes else (-1, -1)))
        nexts = [self._taking.nexts[life] for life in lives]
        crowd.left_ms = min([ms for ms in nexts if ms is not None], default=NEVER)
        for index, (life, left_ms) in enumerate(zip(lives, nexts, strict=True)):
            if left_ms == 0:
                crowd.ready.append(Ready(index, life, self.steps[index], crowd.becomes[index]))
        if len(self._known) >= CROWDS_MAX:
            for other in self._known.values():  # each holds others: nobody else would part them
                for after in other.becomes:
                    after.clear()
            self._known.clear()
        self._known[seats] = crowd
        return crowd

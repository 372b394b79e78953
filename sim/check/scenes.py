"""What can happen in a scene: the server with all its processes, whatever the properties and the clock have come to.

A scene comes up again and again with other pasts, so what can happen in it is worked out once: every move with the
scene that it leads to, in the order that the contents ask for, and the number of what it does to the past.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..faults import ClockJump, OfMany
from .ordering import ORDER_BITS, Order
from .parts import SCENES
from .taking import AS_BEFORE, CLOCK_BITS, LIFE_BITS, PLACE_BITS, SERVER_BITS, WHOLE_BITS, Edge, Outcome, Taking, Woken

CLOCK_AT = WHOLE_BITS
SCENE_AT = CLOCK_AT + CLOCK_BITS
"""Where in a state its scene begins: the scene is what is left when the properties and the clock are shifted out."""
LIFE_MASK, SERVER_MASK = (1 << LIFE_BITS) - 1, (1 << SERVER_BITS) - 1
STEP_BITS = SERVER_BITS + LIFE_BITS
ACTION_BITS = WHOLE_BITS + ORDER_BITS
RIGHT = (0, -1)
"""A scene that stands right."""
SCENES_MAX = 1 << 16
"""So many scenes are remembered with their moves; then all are forgotten."""
ORDERS_MAX = 1 << 18
"""So many crowds are remembered with their order."""

SETTLES, TELLS = 1, 2
"""Of a move: time may have to pass after it; the clock or a budget changes."""
NEVER = -1
FAULT_BITS = 12
EVERYBODY = (1 << PLACE_BITS) - 1


Move: TypeAlias = tuple[Edge, int, int, int, int, tuple[int, ...]]
"""One thing that can happen in a scene.

The step; how the scene part of a state changes; what it does to the properties, as the numbers of a batch and of an
order, which is 0 where nobody moves; its kind; which budget it takes from and whether it adds an entry, as
``(fault + 1) * 2 + added``; the properties that go with the server and that it broke.
"""


Crowd: TypeAlias = tuple[int, int, int]
"""All processes of a scene: the pattern by which their order depends on the server, or -1, the order, and the crowd in
that order; an order of -1 is none."""


class Moves(NamedTuple):
    """All that can happen in a scene, faults apart."""

    due: tuple[Move, ...]
    may_end: bool
    """Whether each process whose turn it is can do something that leaves the scene as it is."""


class Quick(NamedTuple):
    """An outcome of one process's step, as a difference to the scene that it is taken from."""

    edge: Edge
    difference: int
    batch: int
    added: bool
    broken: tuple[int, ...]
    goes_on: bool
    """Whether it is known that something else can happen at once."""


Ready: TypeAlias = tuple[int, int, dict[int, tuple[Quick | Woken, ...]]]
"""A process that has something to do at once: its place, what it is, and what it does, by server and process."""


class Scenes:
    """The moves of every scene, and the order of its processes; with or without bringing them into that order."""

    def __init__(self, taking: Taking, order: Order) -> None:
        self.taking = taking
        self._parts = taking.parts
        self.order = order
        self.frozen = taking.plan.frozen
        self.shifts = [SERVER_BITS + LIFE_BITS * index for index in range(len(taking.plan.processes))]
        self.ordered: dict[int, Moves] = {}
        """What can happen, by scene, where every scene is brought to its order."""
        self.plain: dict[int, Moves] = self.ordered if not order.classes else {}
        """What can happen, by scene, where none is."""
        self._strikes: tuple[dict[int, tuple[Move, ...]], dict[int, tuple[Move, ...]]] = ({}, {})
        self._steps: list[dict[int, tuple[Quick | Woken, ...]]] = [{} for _ in self.shifts]
        self._hits: dict[int, tuple[Quick | Woken, ...]] = {}
        self._alone: list[dict[int, tuple[Quick | Woken, ...]]] = [{} for _ in (None, *taking.plan.faults)]
        """What is due for a process, then each fault that strikes it, where the server does not matter."""
        self._together: dict[tuple[int | Edge, ...], tuple[Outcome, ...]] = {}
        self._ready: dict[int, tuple[Ready, ...]] = {}
        self._crowds: dict[int, Crowd] = {}
        self._seatings: dict[int, int] = {}
        self._seated: dict[int, int] = {}
        self._ties = order.ties
        plan = taking.plan
        assert len(plan.faults) < 1 << FAULT_BITS, "every fault has its number"
        assert len(plan.processes) < EVERYBODY, "every place has its number"
        self.places = {
            i: [place for place, process in enumerate(plan.processes) if process.name in fault.names]
            for i, fault in enumerate(plan.faults)
            if not isinstance(fault, ClockJump)
        }
        """Whom each fault of a process may strike."""

    def pack(self, server: int, numbers: list[int]) -> int:
        """A scene of its components."""
        scene = server
        for shift, life in zip(self.shifts, numbers, strict=True):
            scene |= life << shift
        return scene

    def unpack(self, scene: int) -> tuple[int, list[int]]:
        """The components of a scene."""
        return scene & SERVER_MASK, [scene >> shift & LIFE_MASK for shift in self.shifts]

    def left(self, scene: int) -> int:
        """In how many ms something can happen; ``NEVER`` where nothing ever does."""
        nexts = self.taking.nexts
        lefts = [nexts[scene >> shift & LIFE_MASK] for shift in self.shifts]
        lefts.append(self.taking.deadlines[scene & SERVER_MASK])
        return min([ms for ms in lefts if ms is not None], default=NEVER)

    # -- order -------------------------------------------------------------------------------------------

    def in_order(self, scene: int) -> tuple[int, int]:
        """How a scene changes where it is brought to its order, and the number of that; -1 where it stands right.

        It mostly depends on the processes alone, and those come up again and again, on other servers.
        """
        crowd = scene >> SERVER_BITS
        pattern, order, after = self._crowds.get(crowd) or self._gather(crowd)
        if pattern >= 0:
            key = (scene & SERVER_MASK) << ORDER_BITS | pattern
            order = self._ties[key] if key in self._ties else self.order.of(scene & SERVER_MASK, pattern)
            if order >= 0:
                key = crowd << ORDER_BITS | order
                after = self._seatings[key] if key in self._seatings else self._seating(key, crowd, order)
        if order < 0:
            return RIGHT
        server = scene & SERVER_MASK
        there = self.order.servers.get(server << ORDER_BITS | order)
        if there is None:
            there = self.order.server(server, order)
        return (after | there) - scene, order

    def _gather(self, crowd: int) -> Crowd:
        """The processes of a scene, as they are by themselves."""
        pattern, order = self.order.pattern(self.unpack(crowd << SERVER_BITS)[1])
        after = 0 if order < 0 else self._seating(crowd << ORDER_BITS | order, crowd, order)
        if len(self._crowds) >= ORDERS_MAX:
            self._crowds.clear()
        known = self._crowds[crowd] = (pattern, order, after)
        return known

    def _seating(self, key: int, crowd: int, order: int) -> int:
        """All processes of a scene once they stand in another order."""
        after, seated = 0, self._seated
        for life in self.unpack(crowd << SERVER_BITS)[1]:
            seat = seated.get(life << ORDER_BITS | order)
            after |= self._seat(life, order) if seat is None else seat
        if len(self._seatings) >= ORDERS_MAX:
            self._seatings.clear()
        self._seatings[key] = after
        return after

    def _seat(self, life: int, order: int) -> int:
        """What a process adds to a scene once it stands elsewhere."""
        after = self.order.life(life, order)
        place = self.taking.lives.table[after].whose
        seat = self._seated[life << ORDER_BITS | order] = after << self.shifts[place]
        return seat

    # -- moves -------------------------------------------------------------------------------------------

    def look(self, scene: int, ordered: bool) -> Moves:
        """Everything that can happen in a scene, faults apart; worked out now."""
        self._parts.enter(SCENES)
        server, crowd = scene & SERVER_MASK, scene >> SERVER_BITS
        on_server = server << LIFE_BITS
        found: list[Move] = []
        still = True
        kind = 0 if self.frozen else SETTLES
        ready = self._ready.get(crowd)
        for index, life, steps_of in self._who_is_ready(crowd) if ready is None else ready:
            idles = False
            steps = steps_of.get(on_server | life)
            for step in self._take_due(index, server, life) if steps is None else steps:
                if type(step) is Quick:
                    idles = idles or not step.difference
                    found.append(self._move(scene, step, -1, kind, ordered))
                else:
                    assert type(step) is Woken
                    idles = True
                    self._wake(scene, step.edge, step.others, found, ordered)
            still = still and idles
        if self.taking.deadlines[server] == 0:
            self._wake(scene, Edge("expire", -1, 0, ()), self.taking.late(server), found, ordered)
        kept = self.ordered if ordered else self.plain
        if len(kept) >= SCENES_MAX:
            kept.clear()
        moves = kept[scene] = Moves(tuple(found), still)
        self._parts.leave()
        return moves

    def _who_is_ready(self, crowd: int) -> tuple[Ready, ...]:
        """The processes of a scene that have something to do at once."""
        nexts = self.taking.nexts
        numbers = self.unpack(crowd << SERVER_BITS)[1]
        found = [(index, life, self._steps[index]) for index, life in enumerate(numbers) if nexts[life] == 0]
        if len(self._ready) >= ORDERS_MAX:
            self._ready.clear()
        known = self._ready[crowd] = tuple(found)
        return known

    def strikes(
        self, scene: int, fault: int, ordered: bool, place: int = EVERYBODY, holding: bool = False
    ) -> tuple[Move, ...]:
        """What a fault can do in a scene: to whomever it may strike, or to the process at ``place`` alone.

        What strikes the server strikes everybody who is connected to it.

        ``place`` is given where whether it may strike depends on whether the process holds an entry: ``holding``.
        """
        remembered = self._strikes[ordered]
        key = ((scene << FAULT_BITS | fault) << PLACE_BITS | place) << 1 | holding
        known = remembered.get(key)
        if known is None:
            if len(remembered) >= SCENES_MAX:
                remembered.clear()
            self._parts.enter(SCENES)
            places = self.places[fault] if place == EVERYBODY else (place,)
            moves: list[Move] = []
            if isinstance(self.taking.plan.faults[fault], OfMany):
                edge = Edge("strike", -1, fault, ())
                self._wake(scene, edge, tuple(range(len(self.shifts))), moves, ordered, fault)
            for index in places:
                self._hit(scene, fault, index, moves, ordered, holding)
            known = remembered[key] = tuple(moves)
            self._parts.leave()
        return known

    def _hit(self, scene: int, fault: int, index: int, found: list[Move], ordered: bool, holding: bool) -> None:
        server, life = scene & SERVER_MASK, scene >> self.shifts[index] & LIFE_MASK
        if not self.taking.may_strike(fault, index, life, holding):
            return
        for step in self._take_hit(fault, index, server, life):
            if type(step) is Quick:
                found.append(self._move(scene, step, fault, SETTLES, ordered))
            else:
                assert type(step) is Woken
                self._wake(scene, step.edge, step.others, found, ordered, fault)

    def _move(self, scene: int, step: Quick, spent: int, kind: int, ordered: bool) -> Move:
        edge, difference, batch, added, broken, goes_on = step
        there, order = scene + difference, -1
        if kind and (goes_on or not self.left(there)):
            kind = 0
        if ordered and not kind and self.order.classes:
            change, order = self.in_order(there)
            there += change
        tells = (spent + 1) * 2 + added
        action = batch << ORDER_BITS | order + 1
        return edge, (there - scene) << SCENE_AT, action, kind | TELLS if tells else kind, tells, broken

    def _take_due(self, index: int, server: int, life: int) -> tuple[Quick | Woken, ...]:
        found = self._alone[0].get(life)
        if found is None:
            found = self._quickly(server, life, index, self.order.due(index, server, life), self._alone[0])
        self._steps[index][server << LIFE_BITS | life] = found
        return found

    def _take_hit(self, fault: int, index: int, server: int, life: int) -> tuple[Quick | Woken, ...]:
        found = self._alone[fault + 1].get(life)
        if found is not None:
            return found
        key = (fault << PLACE_BITS | index) << STEP_BITS | server << LIFE_BITS | life
        found = self._hits.get(key)
        if found is None:
            outcomes = self.order.strike(fault, index, server, life)
            found = self._hits[key] = self._quickly(server, life, index, outcomes, self._alone[fault + 1])
        return found

    def _quickly(
        self, server: int, life: int, index: int, outcomes: tuple[Outcome | Woken, ...],
        alone: dict[int, tuple[Quick | Woken, ...]],
    ) -> tuple[Quick | Woken, ...]:  # fmt: skip
        quick, local = self._quick, True
        found: list[Quick | Woken] = []
        for each in outcomes:
            if isinstance(each, Woken):
                local = False
                found.append(each)
            else:
                local = local and each.server == AS_BEFORE
                found.append(quick(server, life, index, each))
        known = tuple(found)
        if local:
            alone[life] = known
        return known

    def _quick(self, server: int, life: int, index: int, outcome: Outcome) -> Quick:
        after = outcome.lives[0][1]
        moved = 0 if outcome.server == AS_BEFORE else outcome.server - server
        difference = moved + (after - life << self.shifts[index])
        goes_on = self.taking.nexts[after] == 0
        return Quick(outcome.edge, difference, outcome.batch, outcome.added, outcome.broken, goes_on)

    def _wake(
        self, scene: int, edge: Edge, others: tuple[int, ...], found: list[Move], ordered: bool, spent: int = -1
    ) -> None:
        """A step that answers several processes; ``spent`` is the fault that it is, if it is one."""
        server, numbers = self.unpack(scene)
        seats = others if edge.process < 0 else tuple(sorted({edge.process, *others}))
        key: tuple[int | Edge, ...] = (edge, server, *[numbers[index] for index in seats])
        outcomes = self._together.get(key)
        if outcomes is None:
            outcomes = self.taking.together(edge, server, {index: numbers[index] for index in seats})
            self._together[key] = outcomes
        for outcome in outcomes:
            after = numbers.copy()
            for index, life in outcome.lives:
                after[index] = life
            there = self.pack(server if outcome.server == AS_BEFORE else outcome.server, after) - scene
            step = Quick(outcome.edge, there, outcome.batch, outcome.added, outcome.broken, False)
            found.append(self._move(scene, step, spent, SETTLES, ordered))

"""What can happen in a scene: the server with all its processes, whatever the properties and the clock have come to.

A scene comes up again and again with other pasts, so what can happen in it is worked out once: every move with the
scene that it leads to, in the order that the contents ask for, and the number of what it does to the past.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..faults import ClockJump, OfMany
from .crowds import LIFE_MASK as LIFE_MASK
from .crowds import NEVER, Crowd, Crowds, Quick, Steps
from .ordering import Order
from .orders import ORDER_BITS
from .parts import SCENES
from .taking import AS_BEFORE, CLOCK_BITS, LIFE_BITS, PLACE_BITS, SERVER_BITS, WHOLE_BITS, Edge, Outcome, Taking, Woken

CLOCK_AT = WHOLE_BITS
SCENE_AT = CLOCK_AT + CLOCK_BITS
"""Where in a state its scene begins: the scene is what is left when the properties and the clock are shifted out."""
SERVER_MASK = (1 << SERVER_BITS) - 1
STEP_BITS = SERVER_BITS + LIFE_BITS
ACTION_BITS = WHOLE_BITS + ORDER_BITS
SCENES_MAX = 1 << 16
"""So many scenes are remembered with their moves; then all are forgotten."""
ORDERS_MAX = 1 << 18
"""So many scenes are remembered as they are later."""

SETTLES, TELLS = 1, 2
"""Of a move: time may have to pass after it; the clock or a budget changes."""
FAULT_BITS = 12
TELLS_BITS = FAULT_BITS + 2
EVERYBODY = (1 << PLACE_BITS) - 1


Move: TypeAlias = tuple[Edge, int, int, int, int, tuple[int, ...]]
"""One thing that can happen in a scene.

The step; the scene that it leads to, as part of a state; what it does to the properties, as the numbers of a batch and
of an order, which is 0 where nobody moves; its kind; which budget it takes from and whether it adds an entry, as
``(fault + 1) * 2 + added``; the properties that go with the server and that it broke.
"""


class Moves(NamedTuple):
    """All that can happen in a scene, faults apart."""

    due: tuple[Move, ...]
    may_end: bool
    """Whether each process whose turn it is can do something that leaves the scene as it is."""


class Scenes:
    """The moves of every scene, and the order of its processes; with or without bringing them into that order."""

    def __init__(self, taking: Taking, order: Order) -> None:
        self.taking = taking
        self._parts = taking.parts
        self.order = order
        self.frozen = taking.plan.frozen
        self.crowds = Crowds(taking, order)
        self.shifts = self.crowds.shifts
        self.ordered: dict[int, Moves] = {}
        """What can happen, by scene, where every scene is brought to its order."""
        self.plain: dict[int, Moves] = self.ordered if not order.classes else {}
        """What can happen, by scene, where none is."""
        self._strikes: tuple[dict[int, tuple[Move, ...]], dict[int, tuple[Move, ...]]] = ({}, {})
        self._hits: dict[int, Steps] = {}
        self._alone: list[dict[int, Steps]] = [{} for _ in (None, *taking.plan.faults)]
        """What is due for a process, then each fault that strikes it, where the server does not matter."""
        self._together: dict[tuple[int | Edge, ...], tuple[Outcome, ...]] = {}
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
        return server | self.crowds.packed(numbers)

    def unpack(self, scene: int) -> tuple[int, list[int]]:
        """The components of a scene."""
        return scene & SERVER_MASK, [scene >> shift & LIFE_MASK for shift in self.shifts]

    def left(self, scene: int) -> int:
        """In how many ms something can happen; ``NEVER`` where nothing ever does."""
        server = scene & SERVER_MASK
        return self._left(server, self.crowds.of(scene - server))

    def _left(self, server: int, crowd: Crowd) -> int:
        left_ms, deadline_ms = crowd.left_ms, self.taking.deadlines[server]
        if deadline_ms is None:
            return left_ms
        return deadline_ms if left_ms == NEVER else min(left_ms, deadline_ms)

    # -- order -------------------------------------------------------------------------------------------

    def in_order(self, scene: int) -> tuple[int, int]:
        """A scene brought to its order, and the number of that; -1 where it stands right."""
        server = scene & SERVER_MASK
        return self._stand(server, self.crowds.of(scene - server))

    def _stand(self, server: int, crowd: Crowd) -> tuple[int, int]:
        """The same of the components of a scene.

        It mostly depends on the processes alone, and those come up again and again, on other servers.
        """
        order = crowd.order
        if crowd.pattern >= 0:
            tie = self._ties.get(server << ORDER_BITS | crowd.pattern)
            order = self.order.of(server, crowd.pattern) if tie is None else tie
        if order < 0:
            return crowd.seats | server, order
        seats = crowd.seatings.get(order) or self.crowds.seating(crowd, order)
        there = self.order.servers.get(server << ORDER_BITS | order)
        return seats | (self.order.server(server, order) if there is None else there), order

    # -- moves -------------------------------------------------------------------------------------------

    def look(self, scene: int, ordered: bool) -> Moves:
        """Everything that can happen in a scene, faults apart; worked out now, and remembered."""
        kept = self.ordered if ordered else self.plain
        if len(kept) >= SCENES_MAX:
            kept.clear()
        moves = kept[scene] = self.made(scene, ordered)
        return moves

    def made(self, scene: int, ordered: bool) -> Moves:
        """The same, for whoever remembers what comes of it."""
        self._parts.enter(SCENES)
        server = scene & SERVER_MASK
        crowd = self.crowds.of(scene - server)
        on_server = server << LIFE_BITS
        found: list[Move] = []
        still = True
        kind = 0 if self.frozen else SETTLES
        for ready in crowd.ready:
            idles, becomes = False, ready.becomes
            steps = ready.steps.get(on_server | ready.life)
            for step in self._take_due(ready.index, server, ready.life) if steps is None else steps:
                if type(step) is Quick:
                    then = server if step.server == AS_BEFORE else step.server
                    after = becomes.get(step.life) or self.crowds.become(crowd, ready.index, step.life)
                    idles = idles or (after is crowd and then == server)
                    found.append(self._move(then, after, step, -1, kind, ordered))
                else:
                    assert type(step) is Woken
                    idles = True
                    self._wake(server, crowd, step.edge, step.others, found, ordered)
            still = still and idles
        if self.taking.deadlines[server] == 0:
            edge = Edge("expire", -1, 0, ())
            self._wake(server, crowd, edge, self.taking.late(server), found, ordered)
        self._parts.leave()
        return Moves(tuple(found), still)

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
            known = remembered[key] = self.struck(scene, fault, ordered, place, holding)
        return known

    def struck(self, scene: int, fault: int, ordered: bool, place: int, holding: bool) -> tuple[Move, ...]:
        """The same, for whoever remembers what comes of it."""
        self._parts.enter(SCENES)
        server = scene & SERVER_MASK
        crowd = self.crowds.of(scene - server)
        places = self.places[fault] if place == EVERYBODY else (place,)
        moves: list[Move] = []
        if isinstance(self.taking.plan.faults[fault], OfMany):
            edge = Edge("strike", -1, fault, ())
            self._wake(server, crowd, edge, tuple(range(len(self.shifts))), moves, ordered, fault)
        for index in places:
            self._hit(server, crowd, fault, index, moves, ordered, holding)
        self._parts.leave()
        return tuple(moves)

    def _hit(
        self, server: int, crowd: Crowd, fault: int, index: int, found: list[Move], ordered: bool, holding: bool
    ) -> None:  # fmt: skip
        life = crowd.lives[index]
        if not self.taking.may_strike(fault, index, life, holding):
            return
        for step in self._take_hit(fault, index, server, life):
            if type(step) is Quick:
                then = server if step.server == AS_BEFORE else step.server
                after = self.crowds.become(crowd, index, step.life)
                found.append(self._move(then, after, step, fault, SETTLES, ordered))
            else:
                assert type(step) is Woken
                self._wake(server, crowd, step.edge, step.others, found, ordered, fault)

    def _move(self, server: int, crowd: Crowd, step: Quick, spent: int, kind: int, ordered: bool) -> Move:
        """A step that leads to a server and a crowd."""
        if kind and (step.goes_on or not self._left(server, crowd)):
            kind = 0
        there, order = self._stand(server, crowd) if ordered and not kind else (crowd.seats | server, -1)
        tells = (spent + 1) * 2 + step.added
        action = step.batch << ORDER_BITS | order + 1
        return step.edge, there << SCENE_AT, action, kind | TELLS if tells else kind, tells, step.broken

    def _take_due(self, index: int, server: int, life: int) -> Steps:
        found = self._alone[0].get(life)
        if found is None:
            found = self._quickly(self.order.due(index, server, life), life, self._alone[0])
        self.crowds.steps[index][server << LIFE_BITS | life] = found
        return found

    def _take_hit(self, fault: int, index: int, server: int, life: int) -> Steps:
        found = self._alone[fault + 1].get(life)
        if found is not None:
            return found
        key = (fault << PLACE_BITS | index) << STEP_BITS | server << LIFE_BITS | life
        found = self._hits.get(key)
        if found is None:
            outcomes = self.order.strike(fault, index, server, life)
            found = self._hits[key] = self._quickly(outcomes, life, self._alone[fault + 1])
        return found

    def _quickly(self, outcomes: tuple[Outcome | Woken, ...], life: int, alone: dict[int, Steps]) -> Steps:
        nexts, local = self.taking.nexts, True
        found: list[Quick | Woken] = []
        for each in outcomes:
            if isinstance(each, Woken):
                local = False
                found.append(each)
            else:
                local = local and each.server == AS_BEFORE
                after = each.lives[0][1]
                goes_on = nexts[after] == 0
                found.append(Quick(each.edge, each.server, after, each.batch, each.added, each.broken, goes_on))
        known = tuple(found)
        if local:
            alone[life] = known
        return known

    def _wake(
        self, server: int, crowd: Crowd, edge: Edge, others: tuple[int, ...], found: list[Move], ordered: bool,
        spent: int = -1,
    ) -> None:  # fmt: skip
        """A step that answers several processes; ``spent`` is the fault that it is, if it is one."""
        numbers = crowd.lives
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
            there = self.crowds.of(self.crowds.packed(after))
            step = Quick(outcome.edge, AS_BEFORE, 0, outcome.batch, outcome.added, outcome.broken, False)
            then = server if outcome.server == AS_BEFORE else outcome.server
            found.append(self._move(then, there, step, spent, SETTLES, ordered))

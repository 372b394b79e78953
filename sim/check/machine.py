"""The transition relation of a world over one integer a state: every step is taken once, then remembered.

A state packs the numbers of its components: all properties, the clock with the budgets, and the scene, that is the
server and each process. What can happen depends on the scene alone, and what that does to the properties on them
alone. A move that is remembered is a look-up and an addition.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..plan import SERVER, ClockJump
from ..watch import Property
from ..world import World
from . import lives, servers
from .abstraction import NOW_MS, Abstraction, Unabstract
from .crowds import NEVER
from .interning import Interned
from .ordering import Order
from .orders import ORDER_BITS
from .renaming import in_ids, rebuild
from .scenes import ACTION_BITS, CLOCK_AT, ORDERS_MAX, SCENE_AT, SETTLES, TELLS, Move, Scenes
from .taking import AS_BEFORE, CLOCK_BITS, WHOLE_BITS, Edge, Taking

State: TypeAlias = int
Found: TypeAlias = list[tuple[Edge, State, tuple[int, ...]]]

WHOLE_MASK, CLOCK_MASK, PAST_MASK = (1 << WHOLE_BITS) - 1, (1 << CLOCK_BITS) - 1, (1 << SCENE_AT) - 1


class Time(NamedTuple):
    """Where the world is in its run."""

    since_ms: int
    """How long it has run."""
    healed: bool
    over: bool
    budgets: tuple[int, ...]
    ranks: int
    """How many different milliseconds the IDs so far were made at."""
    fresh: bool
    """Whether the present millisecond is one of them."""


class Machine:
    """One world, as numbers."""

    packed = True
    """A state is its own key."""
    sweeps = True
    """All states of a scene can be looked at at once."""

    def __init__(self, world: World, abstraction: Abstraction, *, endless: bool = False) -> None:
        self.endless = endless
        """Whether time goes on for ever; it is not counted then once the faults have stopped."""
        self.taking = Taking(world, abstraction)
        self.plan = world.plan
        self.abstraction = abstraction
        self.watching = self.taking.watching
        self.times: Interned[Time] = Interned("the clock and the budgets", 1 << CLOCK_BITS)
        self.order = Order(self.taking)
        self.scenes = Scenes(self.taking, self.order)
        self._wholes: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._moved: dict[tuple[int, int, int, int], int] = {}
        self._later: dict[tuple[int, int], int] = {}
        self._clocks: dict[tuple[int, int], int] = {}
        self._ticks: dict[tuple[int, int], tuple[int, int, bool]] = {}
        self._may: dict[int, tuple[int, ...] | None] = {}
        """The faults that may strike, by clock; ``None`` where everything is over."""
        self._exchanges: dict[int, int] = {}
        server, numbers = self.taking.first(world)
        time = Time(0, world.healed, False, tuple(world.budgets), 0, False)
        self.first: State = self.settle(self.pack(server, self.watching.initial, self.times.number(time), numbers))[0]
        """The state in which everything begins, as it is."""
        self.initial: State = self.canonical(self.first)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What is checked, in order."""
        return self.watching.properties

    def unmet(self) -> list[str]:
        """The *sometimes* statements that no state so far has met."""
        return self.watching.unmet()

    def key(self, state: State) -> int:
        """A state is its own key."""
        return state

    def pack(self, server: int, whole: int, clock: int, numbers: list[int]) -> State:
        """A state of its components."""
        return whole | clock << CLOCK_AT | self.scenes.pack(server, numbers) << SCENE_AT

    def unpack(self, state: State) -> tuple[int, int, int, list[int]]:
        """The components of a state."""
        server, numbers = self.scenes.unpack(state >> SCENE_AT)
        return server, state & WHOLE_MASK, state >> CLOCK_AT & CLOCK_MASK, numbers

    def at_end(self, state: State, found: Found) -> tuple[int, ...] | None:
        """The properties that are broken if the run is over in this state; ``None`` where it cannot be.

        Where time is frozen a run may be over when nobody does anything: every process whose turn it is has a
        step that changes nothing, and no fault can strike.
        """
        if found:
            if not self.plan.frozen:
                return None
            scene = state >> SCENE_AT
            if not (self.scenes.ordered.get(scene) or self.scenes.look(scene, True)).may_end:
                return None
            steps = self.steps(state)
            still = {edge.process for edge, after, _ in steps if after == state}
            if any(edge.kind != "due" or edge.process not in still for edge, _, _ in steps):
                return None
        return self.broken_now(state)

    def is_healed(self, state: State) -> bool:
        """Whether the faults have stopped."""
        return self.times.table[state >> CLOCK_AT & CLOCK_MASK].healed

    def broken_now(self, state: State) -> tuple[int, ...]:
        """The properties that would be broken if the run were over in this state."""
        return self.watching.at_end(state & WHOLE_MASK, self.is_healed(state))

    # -- steps -----------------------------------------------------------------------------------------

    def successors(self, state: State) -> Found:
        """Every step that can happen next, the state that it leads to, and the properties that it breaks."""
        return self._follow(state, True)

    def steps(self, state: State) -> Found:
        """Every step that can happen next, whoever is who."""
        return self._follow(state, False)

    def canonical(self, state: State) -> State:
        """The one of all states that differ by who is who.

        The order depends on the scene, and what it makes of the properties is remembered by its number.
        """
        if not self.order.classes:
            return state
        scene, order = self.scenes.in_order(state >> SCENE_AT)
        if order < 0:
            return state
        return (state & PAST_MASK | scene << SCENE_AT) + self.exchange(state & WHOLE_MASK, order)

    def exchange(self, whole: int, order: int) -> int:
        """By how much the properties' part of a state changes where processes change places."""
        change = self._exchanges.get(whole << ACTION_BITS | order)
        if change is None:
            change = self.order.whole(whole, self.order.orders[order]) - whole
            self._exchanges[whole << ACTION_BITS | order] = change
        return change

    def concrete(self, states: list[State], broken: tuple[int, ...]) -> list[Edge]:
        """The steps of a way through canonical states, as the world itself takes them; the last may break something."""
        way: list[Edge] = []
        at = self.first
        for number, there in enumerate(states[1:], 2):
            wanted = broken if broken and number == len(states) else None
            found = [
                (edge, after)
                for edge, after, breaks in self.steps(at)
                if self.canonical(after) == there and (wanted is None or breaks == wanted)
            ]
            edge, at = found[0]
            way.append(edge)
        return way

    def _follow(self, state: State, ordered: bool) -> Found:
        found: Found = []
        clock = state >> CLOCK_AT & CLOCK_MASK
        may = self._may[clock] if clock in self._may else self.may_strike(clock)
        if may is None:
            return found
        scene = state >> SCENE_AT
        scenes = self.scenes
        moves = (scenes.ordered if ordered else scenes.plain).get(scene) or scenes.look(scene, ordered)
        self._make(state, moves.due, found, ordered)
        for fault in may:
            what = self.plan.faults[fault]
            if isinstance(what, ClockJump):
                self.jump(state, fault, what, found, ordered)
            elif getattr(what, "when", "") == "holding":
                holding = self.watching.holding(state & WHOLE_MASK)
                for place in scenes.places[fault]:
                    self._make(state, scenes.strikes(scene, fault, ordered, place, holding[place]), found, ordered)
            else:
                self._make(state, scenes.strikes(scene, fault, ordered), found, ordered)
        return found

    def _make(self, state: State, moves: tuple[Move, ...], found: Found, ordered: bool) -> None:
        wholes = self._wholes
        key, past = (state & WHOLE_MASK) << ACTION_BITS, state & PAST_MASK
        for edge, there, action, kind, tells, broken in moves:
            step = wholes.get(key | action) or self._take_whole(state & WHOLE_MASK, action)
            after = past + there + step[0]
            broken = broken + step[1]
            if kind:
                if kind & TELLS:
                    after += self._clock(state >> CLOCK_AT & CLOCK_MASK, tells)
                if kind & SETTLES:
                    after, more = self.settle(after)
                    broken = broken + more
                    if ordered:
                        after = self.canonical(after)
            found.append((edge, after, broken))

    def change(self, past: int, action: int, tells: int) -> tuple[int, tuple[int, ...]]:
        """By how much a move changes a past, and what it breaks: see ``Move``."""
        whole = past & WHOLE_MASK
        change, broken = self._wholes.get(whole << ACTION_BITS | action) or self._take_whole(whole, action)
        return (change + self._clock(past >> CLOCK_AT, tells) if tells else change), broken

    def _take_whole(self, whole: int, action: int) -> tuple[int, tuple[int, ...]]:
        after, broken = self.watching.step(whole, action >> ORDER_BITS)
        order = (action & (1 << ORDER_BITS) - 1) - 1
        if order >= 0:
            after = self.order.whole(after, self.order.orders[order])
        step = self._wholes[whole << ACTION_BITS | action] = after - whole, broken
        return step

    # -- time ------------------------------------------------------------------------------------------

    def _clock(self, clock: int, tells: int) -> int:
        """By how much a state changes where a budget is spent, or an ID is made in this millisecond."""
        known = self._clocks.get((clock, tells))
        if known is None:
            time = self.times.table[clock]
            budgets, spent, added = time.budgets, tells // 2 - 1, bool(tells % 2)
            if spent >= 0:
                budgets = (*budgets[:spent], budgets[spent] - 1, *budgets[spent + 1 :])
            after = self.times.number(time._replace(budgets=budgets, fresh=time.fresh or added))
            known = self._clocks[clock, tells] = after - clock << CLOCK_AT
        return known

    def may_strike(self, clock: int) -> tuple[int, ...] | None:
        """The faults that may strike at a time: those that strike processes, then clocks that jump."""
        if clock in self._may:
            return self._may[clock]
        time = self.times.table[clock]
        may: tuple[int, ...] | None = None
        if not time.over:
            in_time = not time.healed and (self.plan.frozen or time.since_ms < self.plan.faults_ms)
            left = [
                fault
                for fault, budget in enumerate(time.budgets)
                if budget and in_time and getattr(self.plan.faults[fault], "from_ms", 0) <= time.since_ms
            ]
            may = tuple(sorted(left, key=lambda fault: isinstance(self.plan.faults[fault], ClockJump)))
        self._may[clock] = may
        return may

    def settle(self, state: State) -> tuple[State, tuple[int, ...]]:
        """Lets time pass to the next thing that can happen; with the properties that this breaks."""
        scene = state >> SCENE_AT
        left = self.scenes.left(scene)
        if left == 0:
            return state, ()
        rank, past, broken = self.later(state & PAST_MASK, left)
        return past | (scene if rank < 0 else self.scene_later(scene, left, rank)) << SCENE_AT, broken

    def later(self, past: int, left: int) -> tuple[int, int, tuple[int, ...]]:
        """What becomes of a past ``left`` ms later: the rank of the IDs made until now, the past, and what breaks.

        The rank is -1 where all is over: then the scene stays as it is.
        """
        clock = past >> CLOCK_AT
        after, rank, heals = self._ticks.get((clock, left)) or self._tick(clock, left)
        if rank < 0:
            return rank, past & WHOLE_MASK | after << CLOCK_AT, ()
        whole = self._move(1, past & WHOLE_MASK, left, rank)
        broken: tuple[int, ...] = ()
        if heals:
            whole, broken = self.watching.heal(whole)
        return rank, whole | after << CLOCK_AT, broken

    def scene_later(self, scene: int, left: int, rank: int) -> int:
        """What becomes of a scene ``left`` ms later, which is when something can happen in it."""
        later = self._later.get((scene, rank))
        if later is None:
            server, numbers = self.scenes.unpack(scene)
            lives_then = [self._move(2, life, left, rank) for life in numbers]
            if len(self._later) >= ORDERS_MAX:
                self._later.clear()
            later = self._later[scene, rank] = self.scenes.pack(self._move(0, server, left, rank), lives_then)
        return later

    def _tick(self, clock: int, left: int) -> tuple[int, int, bool]:
        """The clock ``left`` ms later; the rank of the IDs made until now, or -1 at the end; whether faults stop."""
        time = self.times.table[clock]
        if self.plan.frozen and left != NEVER and not time.over:
            raise Unabstract("something takes time in a world whose time is frozen")
        ends = left == NEVER or (not self.endless and time.since_ms + left > self.plan.faults_ms + self.plan.within_ms)
        if ends or time.over:
            tick = (self.times.number(time._replace(over=True)), -1, False)
        else:
            rank = time.ranks + 1 if time.fresh else 0
            since_ms = time.since_ms + left
            healed = time.healed or since_ms >= self.plan.faults_ms
            if self.endless:
                since_ms = min(since_ms, self.plan.faults_ms)
            then = Time(since_ms, healed, False, time.budgets, max(time.ranks, rank), False)
            tick = (self.times.number(then), rank, healed and not time.healed)
        self._ticks[clock, left] = tick
        return tick

    def _move(self, what: int, number: int, by_ms: int, rank: int) -> int:
        """A component ``by_ms`` later; with ``rank``, IDs of the present millisecond are of that rank from now on."""
        known = self._moved.get((what, number, by_ms, rank))
        if known is not None:
            return known
        present_ms = self.plan.epoch_ms + NOW_MS
        becomes_ms = self.plan.epoch_ms + rank
        atom = in_ids(lambda ms: becomes_ms if ms == present_ms else ms) if rank else None
        if what == 0:
            frozen, attached = self.taking.servers.table[number]
            frozen = servers.shifted(frozen, by_ms, self.abstraction)
            attached = self.watching.moved_attached(attached, by_ms, atom)
            moved = self.taking.server(frozen if atom is None else rebuild(frozen, atom), attached)
        elif what == 1:
            moved = self.watching.moved(number, by_ms, atom)
        else:
            life = self.taking.lives.table[number]
            life = lives.shifted(life, by_ms) if by_ms else life
            moved = self.taking.life(life if atom is None else rebuild(life, atom))
        self._moved[what, number, by_ms, rank] = moved
        return moved

    # -- clocks that jump --------------------------------------------------------------------------------

    def jump(self, state: State, fault: int, what: ClockJump, found: Found, ordered: bool) -> None:
        """What comes of a clock that jumps."""
        if what.host == SERVER and what.by_ms < 0:
            raise Unabstract("the server's clock may be set back")
        server, whole, clock, numbers = self.unpack(state)
        outcome = self.taking.together(Edge("strike", -1, fault, ()), server, {})[0]
        time, after = self.times.table[clock], server if outcome.server == AS_BEFORE else outcome.server
        if what.host == SERVER:
            if time.fresh:
                rank = time.ranks + 1
                after = self._move(0, after, 0, rank)
                whole = self._move(1, whole, 0, rank)
                numbers = [self._move(2, life, 0, rank) for life in numbers]
                clock = self.times.number(time._replace(ranks=rank, fresh=False))
            whole = self.watching.moved(whole, what.by_ms, None)
            frozen, attached = self.taking.servers.table[after]
            attached = self.watching.moved_attached(attached, what.by_ms, None)
            after = self.taking.server(frozen, attached)
        whole, broken = self.watching.step(whole, outcome.batch)
        there = self.pack(after, whole, clock, numbers) + self._clock(clock, (fault + 1) * 2)
        there, more = self.settle(there)
        found.append((outcome.edge, self.canonical(there) if ordered else there, outcome.broken + broken + more))

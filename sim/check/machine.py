"""The transition relation of a world over one integer a state: every step is taken once, then remembered.

A state packs the numbers of its components: the server, all properties, the clock with the budgets, each process.
A step of a process depends on the server and on that process alone (and on the readers that it wakes, which the
server names), so that is what it is remembered by. A step that is remembered is two look-ups and an addition.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..plan import SERVER, ClockJump
from ..watch import Property
from ..world import World
from . import lives, servers
from .abstraction import NOW_MS, Abstraction, Unabstract
from .interning import Interned
from .ordering import Order
from .renaming import in_ids, rebuild
from .taking import CLOCK_BITS, LIFE_BITS, SERVER_BITS, WHOLE_BITS, Edge, Outcome, Taking, Woken

State: TypeAlias = int
Found: TypeAlias = list[tuple[Edge, State, tuple[int, ...]]]

WHOLE_AT = SERVER_BITS
CLOCK_AT = WHOLE_AT + WHOLE_BITS
LIVES_AT = CLOCK_AT + CLOCK_BITS
SERVER_MASK, WHOLE_MASK = (1 << SERVER_BITS) - 1, (1 << WHOLE_BITS) - 1
CLOCK_MASK, LIFE_MASK = (1 << CLOCK_BITS) - 1, (1 << LIFE_BITS) - 1


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


class Quick(NamedTuple):
    """An outcome of one process's step, as a difference to the state that it is taken from."""

    edge: Edge
    difference: int
    batch: int
    life: int
    added: bool
    broken: tuple[int, ...]


class Machine:
    """One world, as numbers."""

    packed = True
    """A state is its own key."""

    def __init__(self, world: World, abstraction: Abstraction, *, endless: bool = False) -> None:
        self.endless = endless
        """Whether time goes on for ever; it is not counted then once the faults have stopped."""
        self.taking = Taking(world, abstraction)
        self.plan = world.plan
        self.abstraction = abstraction
        self.watching = self.taking.watching
        self.times: Interned[Time] = Interned("the clock and the budgets", 1 << CLOCK_BITS)
        self._shifts = [LIVES_AT + LIFE_BITS * index for index in range(len(self.plan.processes))]
        self._steps: list[dict[int, tuple[Quick | Woken, ...]]] = [{} for _ in self.plan.processes]
        self._wholes: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._together: dict[tuple[int | Edge, ...], tuple[Outcome, ...]] = {}
        self._moved: dict[tuple[int, int, int, int], int] = {}
        self._clocks: dict[tuple[int, int, bool], int] = {}
        self._crashes = [
            (fault, what, [i for i, process in enumerate(self.plan.processes) if process.name in what.names])
            for fault, what in enumerate(self.plan.faults)
            if not isinstance(what, ClockJump)
        ]
        self._strikes: dict[int, dict[int, tuple[Quick, ...]]] = {}
        self._order = Order(self.taking)
        self._orders: dict[int, tuple[int, int]] = {}
        self._exchanges: dict[int, int] = {}
        self._still: set[int] = set()
        """Who could do nothing in the state that was looked at last; only where time is frozen."""
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
        state = server | whole << WHOLE_AT | clock << CLOCK_AT
        for shift, life in zip(self._shifts, numbers, strict=True):
            state |= life << shift
        return state

    def unpack(self, state: State) -> tuple[int, int, int, list[int]]:
        """The components of a state."""
        numbers = [state >> shift & LIFE_MASK for shift in self._shifts]
        return state & SERVER_MASK, state >> WHOLE_AT & WHOLE_MASK, state >> CLOCK_AT & CLOCK_MASK, numbers

    def at_end(self, state: State, found: Found) -> tuple[int, ...] | None:
        """The properties that are broken if the run is over in this state; ``None`` where it cannot be.

        Where time is frozen a run may be over when nobody does anything: every process whose turn it is has a
        step that changes nothing, and no fault can strike.
        """
        if found:
            if not self.plan.frozen:
                return None
            if not self._still or any(e.kind != "due" or e.process not in self._still for e, _, _ in found):
                return None
        _, whole, clock, _ = self.unpack(state)
        return self.watching.at_end(whole, self.times.table[clock].healed)

    def is_healed(self, state: State) -> bool:
        """Whether the faults have stopped."""
        return self.times.table[state >> CLOCK_AT & CLOCK_MASK].healed

    def broken_now(self, state: State) -> tuple[int, ...]:
        """The properties that would be broken if the run were over in this state."""
        return self.watching.at_end(state >> WHOLE_AT & WHOLE_MASK, self.is_healed(state))

    # -- steps -----------------------------------------------------------------------------------------

    def successors(self, state: State) -> Found:
        """Every step that can happen next, the state that it leads to, and the properties that it breaks."""
        found = self.steps(state)
        if self.plan.frozen:
            self._still = {edge.process for edge, after, _ in found if after == state}
        if self._order.classes:
            canonical = self.canonical
            return [(edge, canonical(after), broken) for edge, after, broken in found]
        return found

    def canonical(self, state: State) -> State:
        """The one of all states that differ by who is who.

        The order depends on the server and the processes, so it is remembered by them: as what changes of them, and
        as the number of the order, by which the properties' change is remembered in turn.
        """
        if not self._order.classes:
            return state
        known = self._orders.get(state & SERVER_MASK | state >> LIVES_AT << SERVER_BITS)
        if known is None:
            known = self._bring_in_order(state)
        difference, order = known
        if order < 0:
            return state
        whole = state >> WHOLE_AT & WHOLE_MASK
        change = self._exchanges.get(whole << 16 | order)
        if change is None:
            change = self._order.whole(whole, self._order.orders[order]) - whole << WHOLE_AT
            self._exchanges[whole << 16 | order] = change
        return state + difference + change

    def _bring_in_order(self, state: State) -> tuple[int, int]:
        server, whole, clock, numbers = self.unpack(state)
        order = self._order.of(server, numbers)
        known = (0, -1)
        if order is not None:
            exchange = self._order
            there = self.pack(exchange.server(server, order), whole, clock, exchange.lives(numbers, order))
            known = (there - state, exchange.number(order))
        self._orders[state & SERVER_MASK | state >> LIVES_AT << SERVER_BITS] = known
        return known

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

    def steps(self, state: State) -> Found:
        """Every step that can happen next, whoever is who."""
        found: Found = []
        server, whole, clock, numbers = self.unpack(state)
        time = self.times.table[clock]
        if time.over:
            return found
        taking, wholes = self.taking, self._wholes
        nexts = taking.nexts
        due = [index for index, life in enumerate(numbers) if nexts[life] == 0]
        expires = taking.deadlines[server] == 0
        at_once = self.plan.frozen or len(due) + expires > 1
        for index in due:
            life = numbers[index]
            outcomes = self._steps[index].get(server << LIFE_BITS | life)
            if outcomes is None:
                outcomes = self._take_due(index, server, life)
            for outcome in outcomes:
                if type(outcome) is Woken:
                    self._wake(state, outcome.edge, outcome.others, found)
                    continue
                edge, difference, batch, after, added, broken = outcome  # type: ignore[misc]
                step = wholes.get(whole << WHOLE_BITS | batch)
                if step is None:
                    step = self._take_whole(whole, batch)
                there = state + difference + step[0]
                if added and not time.fresh:
                    there += self._clock(clock, -1, True)
                if at_once or nexts[after] == 0:
                    found.append((edge, there, broken + step[1]))
                else:
                    there, more = self.settle(there)
                    found.append((edge, there, broken + step[1] + more))
        if expires:
            self._wake(state, Edge("expire", -1, 0, ()), taking.late(server), found)
        if not time.healed and any(time.budgets) and (self.plan.frozen or time.since_ms < self.plan.faults_ms):
            self._strike(state, found)
        return found

    def _take_due(self, index: int, server: int, life: int) -> tuple[Quick | Woken, ...]:
        found: list[Quick | Woken] = []
        for outcome in self._order.due(index, server, life):
            found.append(outcome if isinstance(outcome, Woken) else self._quick(server, life, index, outcome))
        self._steps[index][server << LIFE_BITS | life] = tuple(found)
        return tuple(found)

    def _quick(self, server: int, life: int, index: int, outcome: Outcome) -> Quick:
        after = outcome.lives[0][1]
        difference = outcome.server - server + (after - life << self._shifts[index])
        return Quick(outcome.edge, difference, outcome.batch, after, outcome.added, outcome.broken)

    def _take_whole(self, whole: int, batch: int) -> tuple[int, tuple[int, ...]]:
        after, broken = self.watching.step(whole, batch)
        step = self._wholes[whole << WHOLE_BITS | batch] = after - whole << WHOLE_AT, broken
        return step

    def _clock(self, clock: int, spent: int, added: bool) -> int:
        """By how much a state changes where a budget is spent, or an ID is made in this millisecond."""
        known = self._clocks.get((clock, spent, added))
        if known is None:
            time = self.times.table[clock]
            budgets = time.budgets
            if spent >= 0:
                budgets = (*budgets[:spent], budgets[spent] - 1, *budgets[spent + 1 :])
            after = self.times.number(time._replace(budgets=budgets, fresh=time.fresh or added))
            known = self._clocks[clock, spent, added] = after - clock << CLOCK_AT
        return known

    def _wake(self, state: State, edge: Edge, others: tuple[int, ...], found: Found) -> None:
        """A step that answers several processes."""
        server, _, _, numbers = self.unpack(state)
        seats = others if edge.process < 0 else tuple(sorted({edge.process, *others}))
        key: tuple[int | Edge, ...] = (edge, server, *[numbers[index] for index in seats])
        outcomes = self._together.get(key)
        if outcomes is None:
            outcomes = self.taking.together(edge, server, {index: numbers[index] for index in seats})
            self._together[key] = outcomes
        for outcome in outcomes:
            self._apply(state, outcome, -1, found)

    def _apply(self, state: State, outcome: Outcome, spent: int, found: Found) -> None:
        _, whole, clock, numbers = self.unpack(state)
        for index, life in outcome.lives:
            numbers[index] = life
        after, broken = self.watching.step(whole, outcome.batch)
        there = self.pack(outcome.server, after, clock, numbers) + self._clock(clock, spent, outcome.added)
        there, more = self.settle(there)
        found.append((outcome.edge, there, outcome.broken + broken + more))

    # -- time ------------------------------------------------------------------------------------------

    def settle(self, state: State) -> tuple[State, tuple[int, ...]]:
        """Lets time pass to the next thing that can happen; with the properties that this breaks."""
        server, whole, clock, numbers = self.unpack(state)
        nexts = self.taking.nexts
        lefts = [self.taking.deadlines[server], *[nexts[life] for life in numbers]]
        left = min((ms for ms in lefts if ms is not None), default=None)
        time = self.times.table[clock]
        if left == 0 or time.over:
            return state, ()
        if self.plan.frozen and left is not None:
            raise Unabstract("something takes time in a world whose time is frozen")
        if left is None or (not self.endless and time.since_ms + left > self.plan.faults_ms + self.plan.within_ms):
            return self.pack(server, whole, self.times.number(time._replace(over=True)), numbers), ()
        rank = time.ranks + 1 if time.fresh else 0
        since_ms = time.since_ms + left
        whole = self._move(1, whole, left, rank)
        broken: tuple[int, ...] = ()
        healed = time.healed or since_ms >= self.plan.faults_ms
        if healed and not time.healed:
            whole, broken = self.watching.heal(whole)
        if self.endless:
            since_ms = min(since_ms, self.plan.faults_ms)
        after = Time(since_ms, healed, False, time.budgets, max(time.ranks, rank), False)
        numbers = [self._move(2, life, left, rank) for life in numbers]
        return self.pack(self._move(0, server, left, rank), whole, self.times.number(after), numbers), broken

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

    # -- faults ------------------------------------------------------------------------------------------

    def _strike(self, state: State, found: Found) -> None:
        _, whole, clock, numbers = self.unpack(state)
        budgets = self.times.table[clock].budgets
        for fault, what, places in self._crashes:
            if not budgets[fault]:
                continue
            holding = self.watching.holding(whole) if what.when == "holding" else None
            for index in places:
                life = numbers[index]
                if not self.taking.up[life] or (holding is not None and not holding[index]):
                    continue
                if what.when == "busy" and not self.taking.busy[life]:
                    continue
                self._crash(state, fault, index, found)
        for fault, jump in enumerate(self.plan.faults):
            if isinstance(jump, ClockJump) and budgets[fault]:
                self._jump(state, fault, jump, found)

    def _crash(self, state: State, fault: int, index: int, found: Found) -> None:
        server, whole, clock, numbers = self.unpack(state)
        life = numbers[index]
        strikes = self._strikes.setdefault(fault << 16 | index, {})
        known = strikes.get(server << LIFE_BITS | life)
        if known is None:
            outcomes = self._order.crash(fault, index, server, life)
            known = tuple(self._quick(server, life, index, outcome) for outcome in outcomes)
            strikes[server << LIFE_BITS | life] = known
        for edge, difference, batch, _, added, broken in known:
            step = self._wholes.get(whole << WHOLE_BITS | batch) or self._take_whole(whole, batch)
            there, more = self.settle(state + difference + step[0] + self._clock(clock, fault, added))
            found.append((edge, there, broken + step[1] + more))

    def _jump(self, state: State, fault: int, what: ClockJump, found: Found) -> None:
        if what.host == SERVER and what.by_ms < 0:
            raise Unabstract("the server's clock may be set back")
        server, whole, clock, numbers = self.unpack(state)
        outcome = self.taking.together(Edge("strike", -1, fault, ()), server, {})[0]
        time = self.times.table[clock]
        if what.host == SERVER:
            if time.fresh:
                rank = time.ranks + 1
                outcome = outcome._replace(server=self._move(0, outcome.server, 0, rank))
                whole = self._move(1, whole, 0, rank)
                numbers = [self._move(2, life, 0, rank) for life in numbers]
                clock = self.times.number(time._replace(ranks=rank, fresh=False))
            whole = self.watching.moved(whole, what.by_ms, None)
            frozen, attached = self.taking.servers.table[outcome.server]
            attached = self.watching.moved_attached(attached, what.by_ms, None)
            outcome = outcome._replace(server=self.taking.server(frozen, attached))
        self._apply(self.pack(server, whole, clock, numbers), outcome, fault, found)

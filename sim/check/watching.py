"""All monitors of a world as one component: a number for what they have come to, and remembered steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args

from ...models.facts import Fact
from ..events import Crashed, Ended, Event, Healed
from ..plan import Plan
from ..watch import Monitor, Watch
from .abstraction import NOW_MS, Abstraction
from .interning import Interned, tagged
from .monitors import Automaton, Books, Noted, OwnAutomaton
from .present import is_own
from .renaming import Atom, rebuild
from .symmetry import Names, exchanged_held

STATE_BITS = 24
FACTS: frozenset[type] = frozenset(get_args(Fact))
Attached = tuple[tuple[int, ...], tuple[int, ...]]
Judged = tuple[int, tuple[int, ...]]
"""The component after a step, and the properties that the step broke, by their places."""


class Deaf(Monitor):
    """Hears of nothing but what every monitor hears of."""


class Watching:
    """The monitors of one world, with the books of who holds what where a fault asks for them."""

    def __init__(self, watch: Watch, plan: Plan, abstraction: Abstraction) -> None:
        self.properties = watch.properties
        self.automata = [
            (OwnAutomaton if is_own(watch.monitor(which)) else Automaton)(p, plan.epoch_ms, abstraction)
            for which, p in enumerate(self.properties)
        ]
        self.noting = any(getattr(fault, "when", "") == "holding" for fault in plan.faults)
        self.books = Books([process.name for process in plan.processes])
        self.states: list[Interned[Any]] = [Interned(f"property {p.name!r}", 1 << STATE_BITS) for p in self.properties]
        self.held: Interned[Any] = Interned("what processes hold", 1 << 24)
        self.attached = tuple(
            which
            for which, (p, automaton) in enumerate(zip(self.properties, self.automata, strict=True))
            if automaton.kinds <= FACTS and p.kind != "sometimes" and not automaton.ends
        )
        """Properties that hear of nothing but what commands made true, not even of the end: they go with the server."""
        self.floating = tuple(which for which in range(len(self.properties)) if which not in self.attached)
        self.whole: Interned[tuple[int, ...]] = Interned("all properties", 1 << 24)
        self.batches: Interned[tuple[Any, ...]] = Interned("what happens in a step", 1 << 24, tagged)
        self.came_before: set[str] = set()
        """The kinds of events that came elsewhere, by their names: to other workers, or before a search went on."""
        self.seen: set[int] = set()
        """The *sometimes* statements that were met."""
        self._looked = [0 for _ in self.properties]
        self._kinds: list[frozenset[type]] = []
        self._steps: dict[tuple[int, int], Judged] = {}
        self._each: list[dict[tuple[int, int], tuple[int, str | None]]] = [{} for _ in self.properties]
        self._exchanged: list[dict[tuple[int, tuple[int, ...]], int]] = [{} for _ in self.properties]
        self._ends: dict[int, tuple[int, ...]] = {}
        self._heard = frozenset(kind for which in self.floating for kind in self.automata[which].kinds)
        self._heard_attached = frozenset(kind for which in self.attached for kind in self.automata[which].kinds)
        self._facts: Interned[tuple[Any, ...]] = Interned("what the server does in a step", 1 << 24, tagged)
        self._fact_kinds: list[frozenset[type]] = []
        self._attached_kinds = [self.automata[which].kinds for which in self.attached]
        self._attached_exchanged: dict[tuple[int, ...], list[dict[int, int]]] = {}
        self._each_attached: list[dict[int, tuple[int, bool]]] = [{} for _ in self.attached]
        self._hearing: dict[int, tuple[int, ...]] = {}
        """Which of the properties that go with the server hear of facts, by the number of those."""
        self.batch(())
        numbers = [
            states.number(automaton.adopt(watch.monitor(which)))
            for which, (states, automaton) in enumerate(zip(self.states, self.automata, strict=True))
        ]
        floating = [numbers[which] for which in self.floating]
        self.initial = self.whole.number((*floating, self.held.number(self.books.initial())))
        self.initial_attached = tuple(numbers[which] for which in self.attached)

    def see_under(self, exchanges: Sequence[Atom]) -> None:
        """From now on properties of somebody's own are seen to do the same under these exchanges of names."""
        for automaton in self.automata:
            if isinstance(automaton, OwnAutomaton):
                automaton.exchanges = list(exchanges)

    def batch(self, events: Sequence[Any]) -> int:
        """The number of what happened in a step; what no property hears is left out."""
        kept = tuple(event for event in events if self._is_heard(event))
        number = self.batches.number(kept)
        if number == len(self._kinds):
            kinds = {type(event) for event in kept}
            for event in kept:
                kinds.update(type(fact) for fact in getattr(event, "facts", ()))
            self._kinds.append(frozenset(kinds))
        return number

    def _is_heard(self, event: Any) -> bool:
        if type(event) is Noted:
            return True
        if type(event) in self._heard or (self.noting and type(event) is Crashed):
            return True
        return any(type(fact) in self._heard for fact in getattr(event, "facts", ()))

    def step(self, whole: int, batch: int) -> Judged:
        """What all properties come to by a batch of events."""
        known = self._steps.get((whole, batch))
        if known is not None:
            return known
        numbers = list(self.whole.table[whole])
        kinds = self._kinds[batch]
        broken: list[int] = []
        for place, which in enumerate(self.floating):
            if self.automata[which].kinds.isdisjoint(kinds):
                continue
            numbers[place], message = self._step_one(which, numbers[place], batch)
            if message is not None:
                broken.append(which)
        if self.noting and not kinds.isdisjoint((Noted, Crashed)):
            held = self.books.step(self.held.table[numbers[-1]], self.batches.table[batch])
            numbers[-1] = self.held.number(held)
        found = self._steps[whole, batch] = self.whole.number(tuple(numbers)), tuple(broken)
        return found

    def facts(self, events: Sequence[Any]) -> int:
        """The number of what the properties that go with the server hear of a step."""
        heard = self._heard_attached
        kept = tuple([e for e in events if any(type(fact) in heard for fact in getattr(e, "facts", ()))])
        number = self._facts.number(tuple([event for event in kept if type(event) is not Noted]))
        if number == len(self._fact_kinds):
            self._fact_kinds.append(frozenset(type(fact) for event in kept for fact in event.facts))
        return number

    def step_attached(self, numbers: tuple[int, ...], facts: int) -> Attached:
        """What the properties that go with the server come to."""
        after = list(numbers)
        broken: tuple[int, ...] = ()
        each = self._each_attached
        for place in self._who_hears(facts):
            known = each[place].get(facts << STATE_BITS | after[place])
            after[place], wrong = self._attached_step(place, after[place], facts) if known is None else known
            if wrong:
                broken = (*broken, self.attached[place])
        return tuple(after), broken

    def _who_hears(self, facts: int) -> tuple[int, ...]:
        known = self._hearing.get(facts)
        if known is None:
            kinds = self._fact_kinds[facts]
            places = [place for place, theirs in enumerate(self._attached_kinds) if not theirs.isdisjoint(kinds)]
            known = self._hearing[facts] = tuple(places)
        return known

    def _attached_step(self, place: int, number: int, facts: int) -> tuple[int, bool]:
        which = self.attached[place]
        states = self.states[which]
        state, message = self.automata[which].step(states.table[number], self._facts.table[facts])
        known = self._each_attached[place][facts << STATE_BITS | number] = states.number(state), message is not None
        return known

    def _step_one(self, which: int, state: int, batch: int) -> tuple[int, str | None]:
        remembered, automaton = self._each[which], self.automata[which]
        known = remembered.get((state, batch))
        if known is None:
            events: list[Event] = [event for event in self.batches.table[batch] if type(event) is not Noted]
            after, message = automaton.step(self.states[which].table[state], events)
            if automaton.instant:
                if automaton.met(after):
                    self.seen.add(which)
                known = state, message
            else:
                known = self.states[which].number(after), message
            remembered[state, batch] = known
        return known

    def heal(self, whole: int) -> Judged:
        """The faults have stopped."""
        return self.step(whole, self.batch((Healed(NOW_MS),)))

    def at_end(self, whole: int, healed: bool) -> tuple[int, ...]:
        """The properties that are broken if the run is over now; those that go with the server say nothing then."""
        events: tuple[Event, ...] = (Ended(NOW_MS),) if healed else (Healed(NOW_MS), Ended(NOW_MS))
        whole, broken = self.step(whole, self.batch(events))
        known = self._ends.get(whole)
        if known is None:
            numbers = self.whole.table[whole]
            known = tuple(
                which
                for place, which in enumerate(self.floating)
                if self.automata[which].at_end(self.states[which].table[numbers[place]]) is not None
            )
            self._ends[whole] = known
        return tuple(sorted({*broken, *known}))

    def look_for_met(self) -> set[int]:
        """The places of the *sometimes* statements that were met so far; each state is looked at once."""
        for which, p in enumerate(self.properties):
            if p.kind == "sometimes" and which not in self.seen:
                table = self.states[which].table
                if any(self.automata[which].met(state) for state in table[self._looked[which] :]):
                    self.seen.add(which)
                self._looked[which] = len(table)
        return self.seen

    def unmet(self) -> list[str]:
        """The *sometimes* statements that no state so far has met."""
        met = self.look_for_met()
        return [p.name for which, p in enumerate(self.properties) if p.kind == "sometimes" and which not in met]

    def came(self) -> set[str]:
        """The kinds of events and facts that came, of those that properties hear of."""
        kinds = frozenset().union(*self._kinds, *self._fact_kinds)
        self.came_before |= {kind.__name__ for kind in kinds}
        return self.came_before

    def never_observed(self, but: Collection[str]) -> dict[str, list[str]]:
        """By property (those in ``but`` left out): the kinds of events that it hears of and that never came.

        What every monitor hears of, such as that a key was moved, is not asked for; nor is what ends each run.
        """
        heard = self.came() | {kind.__name__ for kind in (Healed, Ended, *Deaf.handlers)}
        found = {
            p.name: sorted({kind.__name__ for kind in automaton.kinds} - heard)
            for p, automaton in zip(self.properties, self.automata, strict=True)
            if p.name not in but
        }
        return {name: kinds for name, kinds in found.items() if kinds}

    def holding(self, whole: int) -> tuple[bool, ...]:
        """For each process, whether it holds an entry."""
        return tuple(bool(books) for books in self.held.table[self.whole.table[whole][-1]])

    def exchanged(self, whole: int, order: tuple[int, ...], names: Names) -> int:
        """What all properties have come to once the process at ``order[i]`` stands at place ``i``."""
        numbers = list(self.whole.table[whole])
        for place, which in enumerate(self.floating):
            known = self._exchanged[which].get((numbers[place], order))
            if known is None:
                known = self._exchange(which, numbers[place], order, names)
                self._exchanged[which][numbers[place], order] = known
            numbers[place] = known
        if self.noting:
            numbers[-1] = self.held.number(exchanged_held(self.held.table[numbers[-1]], order, names))
        return self.whole.number(tuple(numbers))

    def exchanged_attached(self, numbers: tuple[int, ...], order: tuple[int, ...], names: Names) -> tuple[int, ...]:
        """The properties that go with the server, after an exchange."""
        exchanged, after = self._attached_exchanged.setdefault(order, [{} for _ in numbers]), []
        for place, number in enumerate(numbers):
            known = exchanged[place].get(number)
            if known is None:
                known = exchanged[place][number] = self._exchange(self.attached[place], number, order, names)
            after.append(known)
        return tuple(after)

    def _exchange(self, which: int, number: int, order: tuple[int, ...], names: Names) -> int:
        state = self.automata[which].renamed(self.states[which].table[number], names.exchanged(order).atom)
        return self.states[which].number(state)

    def moved_attached(self, numbers: tuple[int, ...], by_ms: int, atom: Atom | None) -> tuple[int, ...]:
        """The properties that go with the server, ``by_ms`` later and under other names."""
        pairs = zip(self.attached, numbers, strict=True)
        return tuple([self._move(which, number, by_ms, atom) for which, number in pairs])

    def _move(self, which: int, number: int, by_ms: int, atom: Atom | None) -> int:
        automaton, state = self.automata[which], self.states[which].table[number]
        after = automaton.older(state, by_ms) if by_ms else state
        if atom is not None:
            after = automaton.renamed(after, atom)
        return number if after is state else self.states[which].number(after)

    def moved(self, whole: int, by_ms: int, atom: Atom | None) -> int:
        """What all properties have come to, ``by_ms`` later and under other names."""
        numbers = list(self.whole.table[whole])
        for place, which in enumerate(self.floating):
            numbers[place] = self._move(which, numbers[place], by_ms, atom)
        if atom is not None:
            held = tuple(tuple(sorted(books)) for books in rebuild(self.held.table[numbers[-1]], atom))
            numbers[-1] = self.held.number(held)
        return self.whole.number(tuple(numbers))

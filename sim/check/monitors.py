"""Monitors as small automata: each state of each is a number, each step of each is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from ..events import Closed, Crashed, Event
from ..holding import Held, note_held
from ..watch import Monitor, Property, PropertyRaised, Watch
from .abstraction import FAR_MS, NOW_MS, Abstraction, Refined, Unabstract
from .present import Looked, Told, told
from .renaming import Atom, rebuild
from .stretching import stretched

Frozen: TypeAlias = Any
AGE = "age"
"""Marks a time of the server, kept as an age."""


class Noted(NamedTuple):
    """Not an event of a history: the books of who holds what were kept, see ``Stage.note``."""

    receiver: int
    facts: tuple[Any, ...]


class Books:
    """Who holds what, where a fault asks for it: it goes on by what was noted, like a monitor."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def initial(self) -> Frozen:
        """Nobody holds anything."""
        return tuple(() for _ in self._names)

    def step(self, state: Frozen, batch: tuple[Any, ...]) -> Frozen:
        """The books after what happened."""
        held: list[Held] = [dict.fromkeys(keys) for keys in state]
        for event in batch:
            if type(event) is Noted:
                note_held(held, event.receiver, {}, event.facts)
            elif type(event) is Crashed:
                held[self._names.index(event.process)] = {}
        return tuple(tuple(sorted(books)) for books in held)


def freeze(value: Any) -> Frozen:
    """Containers as tuples that say what they were; dicts and sets in order."""
    kind = type(value)
    if kind is dict:
        items = [(freeze(key), freeze(item)) for key, item in value.items()]
        return ("d", tuple(sorted(items, key=repr)))
    if kind is list:
        return ("l", tuple([freeze(item) for item in value]))
    if kind is set or kind is frozenset:
        return ("f" if kind is frozenset else "s", tuple(sorted([freeze(item) for item in value], key=repr)))
    if kind is tuple:
        return ("t", tuple([freeze(item) for item in value]))
    if isinstance(value, tuple):
        return ("n", (kind, *[freeze(item) for item in value]))
    return value


def thaw(value: Frozen) -> Any:
    """What was frozen, anew."""
    if type(value) is not tuple:
        return value
    kind, items = value
    if kind == "d":
        return {thaw(key): thaw(item) for key, item in items}
    if kind == "l":
        return [thaw(item) for item in items]
    if kind == "s":
        return {thaw(item) for item in items}
    if kind == "f":
        return frozenset(thaw(item) for item in items)
    if kind == "t":
        return tuple([thaw(item) for item in items])
    made, *parts = items
    return made(*[thaw(part) for part in parts])


def renamed(value: Frozen, atom: Atom) -> Frozen:
    """The same frozen value under other IDs and names, in order again."""
    if type(value) is not tuple:
        return rebuild(value, atom)
    kind, items = value
    if kind == AGE:
        return value
    if kind == "n":
        return (kind, (items[0], *[renamed(item, atom) for item in items[1:]]))
    if kind == "d":
        pairs = [(renamed(key, atom), renamed(item, atom)) for key, item in items]
        return (kind, tuple(sorted(pairs, key=repr)))
    parts = [renamed(item, atom) for item in items]
    return (kind, tuple(sorted(parts, key=repr) if kind in "sf" else parts))


class Automaton:
    """One property's monitor, run from any state that it can be in."""

    def __init__(self, p: Property, epoch_ms: int, abstraction: Abstraction) -> None:
        self.property = p
        self._watch = Watch([p])
        self._monitor: Monitor = self._watch.monitor(0)
        self.kinds = frozenset(self._monitor.handlers)
        self.ends = type(self._monitor).at_end is not Monitor.at_end
        """Whether it has something to say when the run is over."""
        if Closed in self.kinds:
            raise Unabstract(f"property {p.name!r} hears of closed connections")
        most_ms = abstraction.idle_ms_max
        if most_ms is not None and self._monitor.tells_ms > most_ms:
            raise Refined(replace(abstraction, idle_ms_max=self._monitor.tells_ms))
        self.instant = p.kind == "sometimes" and self._monitor.instant
        self._server_ms = epoch_ms + NOW_MS
        self._abstraction = abstraction
        self._timeless: set[Frozen] = set()
        """What was seen to hold no times."""
        self._unread = {name: vars(self._monitor)[name] for name in self._monitor.unread}
        self._unread = {name: freeze(value) for name, value in self._unread.items()}

    def initial(self) -> Frozen:
        """The state of a fresh monitor, or of the one that the watch now holds."""
        return self._freeze()

    def adopt(self, monitor: Monitor) -> Frozen:
        """The state of another monitor of the same property."""
        self._monitor.__dict__.clear()
        self._monitor.__dict__.update(vars(monitor))
        return self._freeze()

    def step(self, state: Frozen, batch: Sequence[Event]) -> tuple[Frozen, str | None]:
        """The state after some events, and what is wrong with them."""
        self._load(state)
        for event in batch:
            self._watch.observe(event)
        return self._freeze(), self._verdict()

    def at_end(self, state: Frozen) -> str | None:
        """What is wrong if the run is over now."""
        self._load(state)
        self._watch.finish(NOW_MS)
        return self._verdict()

    def met(self, state: Frozen) -> bool:
        """Whether a *sometimes* statement was met."""
        self._load(state)
        return not self._watch.unmet()

    def renamed(self, state: Frozen, atom: Atom) -> Frozen:
        """The same state under other IDs and names; what is kept in order is in order again."""
        return tuple([(name, renamed(value, atom)) for name, value in state])

    def older(self, state: Frozen, by_ms: int) -> Frozen:
        """The state ``by_ms`` later."""
        times = self._monitor.server_times
        if not times:
            return state
        return tuple([(name, self._older(value, by_ms) if name in times else value) for name, value in state])

    def _older(self, state: Frozen, by_ms: int) -> Frozen:
        if type(state) is not tuple:
            return state
        kind, items = state
        if kind == AGE:
            return (AGE, self._abstraction.aged(items + by_ms))
        if kind == "d":
            return ("d", tuple([(key, self._older(item, by_ms)) for key, item in items]))
        return (kind, tuple([self._older(item, by_ms) for item in items]))

    def _load(self, state: Frozen) -> None:
        self._watch.violations.clear()
        self._monitor.__dict__.clear()
        for name, value in state:
            if name in self._monitor.server_times:
                value = self._times(value)
            self._monitor.__dict__[name] = thaw(value)

    def _times(self, value: Frozen) -> Frozen:
        if type(value) is not tuple:
            return value
        kind, items = value
        if kind == AGE:
            return self._server_ms - items
        if kind == "d":
            return ("d", tuple([(key, self._times(item)) for key, item in items]))
        return (kind, tuple([self._times(item) for item in items]))

    def _freeze(self) -> Frozen:
        found = []
        for name, value in sorted(vars(self._monitor).items()):
            if name in self._unread:
                found.append((name, self._unread[name]))
            elif name in self._monitor.server_times:
                found.append((name, self._ages(freeze(value))))
            else:
                frozen = freeze(value)
                if frozen not in self._timeless:
                    self._no_times(name, frozen)
                    self._timeless.add(frozen)
                found.append((name, frozen))
        return tuple(found)

    def _ages(self, value: Frozen) -> Frozen:
        if type(value) is int:
            return (AGE, self._abstraction.aged(self._server_ms - value))
        if type(value) is not tuple:
            return value
        kind, items = value
        if kind == "d":
            return ("d", tuple([(key, self._ages(item)) for key, item in items]))
        return (kind, tuple([self._ages(item) for item in items]))

    def _no_times(self, name: str, value: Frozen) -> None:
        if type(value) is tuple:
            for item in value:
                self._no_times(name, item)
        elif type(value) is int and (abs(value - NOW_MS) < FAR_MS or abs(value - self._server_ms) < FAR_MS):
            raise Unabstract(f"property {self.property.name!r} keeps a time in {name!r}")

    def _verdict(self) -> str | None:
        return self._watch.violations[0].message if self._watch.violations else None


class OwnAutomaton(Automaton):
    """A property of somebody's own, that may go by times, the insides of IDs or names: where it does, it is seen.

    In a run it would be shown others than in a state. So its times are such as nobody can look at, and every step is
    taken once more under other IDs, and under each exchange of names.
    """

    def __init__(self, p: Property, epoch_ms: int, abstraction: Abstraction) -> None:
        super().__init__(p, epoch_ms, abstraction)
        self._stretched = stretched(epoch_ms)
        self.exchanges: list[Atom] = []
        """Exchanges of names that lead from what can happen to what can happen."""

    def step(self, state: Frozen, batch: Sequence[Event]) -> tuple[Frozen, str | None]:
        """The state after some events, and what is wrong with them."""
        shown: list[Event] = [told(event) for event in batch]
        after, message = self._seen(state, shown)
        for atom in (self._stretched, *self.exchanges):
            other, its_message = self._seen(self.renamed(state, atom), [rebuild(event, atom) for event in shown])
            if other != self.renamed(after, atom) or (message is None) != (its_message is None):
                raise self._differs(atom)
        return after, message

    def at_end(self, state: Frozen) -> str | None:
        """What is wrong if the run is over now."""
        message = self._seen_at_end(state)
        for atom in (self._stretched, *self.exchanges):
            if (message is None) != (self._seen_at_end(self.renamed(state, atom)) is None):
                raise self._differs(atom)
        return message

    def _seen(self, state: Frozen, batch: Sequence[Event]) -> tuple[Frozen, str | None]:
        try:
            return super().step(state, batch)
        except (Looked, PropertyRaised) as error:
            raise self._goes_by(error) from error

    def _seen_at_end(self, state: Frozen) -> str | None:
        self._load(state)
        try:
            self._watch.finish(Told(NOW_MS))
        except PropertyRaised as error:
            raise self._goes_by(error) from error
        return self._verdict()

    def _goes_by(self, error: Exception) -> Exception:
        if isinstance(error, Looked) or isinstance(error.__cause__, Looked):
            return Unabstract(f"property {self.property.name!r} goes by times")
        return error

    def _differs(self, atom: Atom) -> Exception:
        if atom is self._stretched:
            return Unabstract(f"property {self.property.name!r} looks inside IDs")
        why = f"property {self.property.name!r} goes by the names of processes: none are taken for another"
        return Refined(replace(self._abstraction, symmetry=False, notes=(*self._abstraction.notes, why)))

"""One worker: it owns the states of some servers, looks at those of a level, and hands on what is not its own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..breadth import Outcome, Stop, note
from ..checkpoint import write_part
from ..machine import Machine, State
from ..resident import resident_bytes
from .owners import Owners
from .parcel import Parcel, Receiver, Sender

ROUND_S = 1.0
"""So long a worker looks at states before it hands on what it found, and takes what others found."""
GLANCE = 64
"""After so many states it looks at the clock."""
ROUND_STATES = 1 << 16
"""More states are not looked at in a round: what is to be handed on waits in memory."""


@dataclass(slots=True)
class Reply:
    """How far a worker is."""

    level: int
    """How many states it has of the level."""
    left: int
    """At how many of them it has not looked yet."""
    deeper: int
    """How many states of the next level it has so far; those under way to it are not among them."""
    out: Outcome
    """All that it has counted."""
    hit: bool
    """Whether it met what ends the search."""
    parcels: dict[int, bytes] = field(default_factory=dict)
    """For others: whom, and what."""
    seen: frozenset[int] = frozenset()
    actions: tuple[str, ...] = ()
    struck: frozenset[int] = frozenset()
    sent: frozenset[tuple[str, str]] = frozenset()
    memory_bytes: int = 0
    came: frozenset[str] = frozenset()


class Worker:
    """The part of a search that is one worker's own, whichever way its states are kept."""

    def __init__(
        self, place: int, count: int, machine: Machine, stop: Stop, clock: Callable[[], float], known: Sequence[int]
    ) -> None:
        self.machine = machine
        self.out = Outcome()
        self.hit = False
        self._place = place
        self._stop = stop
        self._clock = clock
        self._owners = Owners(machine, count)
        others = [other for other in range(count) if other != place]
        self._senders = {other: Sender(machine, known) for other in others}
        self._receivers = {other: Receiver(machine, known) for other in others}
        self._told_actions = len(machine.taking.actions)

    def begin(self, seen: Iterable[State], level: Iterable[State], deeper: Iterable[State]) -> None:
        """Takes its own out of where the search is."""
        raise NotImplementedError

    def take_in(self, parcels: Sequence[tuple[int, bytes]]) -> None:
        """Adds what others found."""
        raise NotImplementedError

    def look(self, *, deepen: bool, depth: int) -> Reply:
        """Looks at states for a while; ``deepen``: at those of the next level, which is at ``depth``."""
        if deepen:
            self._deepen()
        self._look(depth)
        return self.reply(self._pack())

    def _deepen(self) -> None:
        raise NotImplementedError

    def _look(self, depth: int) -> None:
        raise NotImplementedError

    def _pack(self) -> dict[int, bytes]:
        """For others: whom, and what is theirs of what it found."""
        raise NotImplementedError

    def sizes(self) -> tuple[int, int, int, int]:
        """How many states it has; of them in the level, left of the level, and in the next level so far."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Writes its part of a checkpoint; ``OSError`` where it cannot."""
        raise NotImplementedError

    def reply(self, parcels: dict[int, bytes] | None = None) -> Reply:
        """How far it is, with whatever is new about what was met."""
        taking, watching = self.machine.taking, self.machine.watching
        self.out.states, level, left, deeper = self.sizes()
        actions = tuple(taking.actions)[self._told_actions :]
        self._told_actions += len(actions)
        return Reply(
            level, left, deeper, self.out, self.hit, parcels or {}, frozenset(watching.look_for_met()), actions,
            frozenset(taking.struck), frozenset(taking.sent), resident_bytes(), frozenset(watching.came()),
        )  # fmt: skip


class OfStates(Worker):
    """A worker that goes on state by state."""

    def __init__(
        self, place: int, count: int, machine: Machine, stop: Stop, clock: Callable[[], float], known: Sequence[int]
    ) -> None:
        super().__init__(place, count, machine, stop, clock, known)
        self._leaving: dict[int, set[State]] = {other: set() for other in self._senders}
        self._seen: set[State] = set()
        self._level: list[State] = []
        self._deeper: list[State] = []
        self._at = 0

    def begin(self, seen: Iterable[State], level: Iterable[State], deeper: Iterable[State]) -> None:
        """Takes its own out of where the search is."""
        owners, place = self._owners, self._place
        self._seen |= {state for state in seen if owners.of(state) == place}
        self._level += [state for state in level if owners.of(state) == place]
        self._deeper += [state for state in deeper if owners.of(state) == place]

    def take_in(self, parcels: Sequence[tuple[int, bytes]]) -> None:
        """Adds what others found."""
        seen, deeper = self._seen, self._deeper
        for sender, packed in parcels:
            parcel: Parcel = pickle.loads(packed)
            receiver = self._receivers[sender]
            receiver.learn(parcel.luggage)
            for state in receiver.states(parcel.states):
                if state not in seen:
                    seen.add(state)
                    deeper.append(state)

    def _deepen(self) -> None:
        self._level, self._deeper, self._at = self._deeper, [], 0

    def _pack(self) -> dict[int, bytes]:
        parcels = {}
        for other, states in self._leaving.items():
            if states:
                parcels[other] = pickle.dumps(self._senders[other].pack(states), pickle.HIGHEST_PROTOCOL)
                states.clear()
        return parcels

    def sizes(self) -> tuple[int, int, int, int]:
        """How many states it has."""
        return len(self._seen), len(self._level), len(self._level) - self._at, len(self._deeper)

    def _look(self, depth: int) -> None:
        machine, level, seen, deeper, out = self.machine, self._level, self._seen, self._deeper, self.out
        owner_of, leaving, mine = self._owners.of, self._leaving, self._place
        successors, stop, clock = machine.successors, self._stop, self._clock
        at = self._at
        end = min(len(level), at + ROUND_STATES)
        until_s = clock() + ROUND_S
        while at < end:
            state = level[at]
            at += 1
            found = successors(state)
            out.transitions += len(found)
            out.degrees[len(found)] = out.degrees.get(len(found), 0) + 1
            over = machine.at_end(state, found)
            if over is not None:
                out.ends += 1
                if over and note(out, over, depth, stop):
                    self.hit = True
                    break
            for _, after, broken in found:
                if broken and note(out, broken, depth + 1, stop):
                    self.hit = True
                    break
                owner = owner_of(after)
                if owner != mine:
                    leaving[owner].add(after)
                elif after not in seen:
                    seen.add(after)
                    deeper.append(after)
            if self.hit or (not at % GLANCE and clock() >= until_s):
                break
        self._at = at

    def save(self, path: Path) -> None:
        """Writes its part of a checkpoint; ``OSError`` where it cannot."""
        with path.open("wb") as file:
            write_part(file, self.machine, self._seen, self._level[self._at :], self._deeper)

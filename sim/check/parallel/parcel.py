"""States as bytes, with the components that whoever receives them does not know yet.

A state is a few numbers of components, and each process numbers its own as they come. So a number travels with what
it stands for, once; from then on the receiver knows which of its own numbers it is. All numbers below a *mark* are the
same on both sides: those that there were before the processes parted.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..machine import CLOCK_MASK, WHOLE_MASK, Machine, State
from ..pasts import PAST_MASK, Pasts, bits
from ..scenes import CLOCK_AT, LIFE_MASK, SCENE_AT, SERVER_MASK
from ..taking import LIFE_BITS, SERVER_BITS

LIVES_AT = SCENE_AT + SERVER_BITS

Luggage = list[list[tuple[int, Any]]]
"""For each kind of component, what is new of it: its number there, and what it is, in numbers of the kinds before."""


class Parcel(NamedTuple):
    """States on their way."""

    luggage: Luggage
    states: bytes


def tables(machine: Machine) -> list[list[Any]]:
    """Every kind of component of a machine, each after those that it is made of."""
    taking, watching = machine.taking, machine.watching
    found: list[list[Any]] = [states.table for states in watching.states]
    found += [watching.held.table, watching.whole.table, taking.servers.table, taking.lives.table, machine.times.table]
    return found


def marks(machine: Machine) -> list[int]:
    """How many components of each kind there are."""
    return [len(table) for table in tables(machine)]


def state_bytes(machine: Machine) -> int:
    """How many bytes a state takes."""
    return (LIVES_AT + LIFE_BITS * len(machine.plan.processes) + 7) // 8


def everything(machine: Machine) -> Luggage:
    """All components of a machine."""
    return [list(enumerate(table)) for table in tables(machine)]


class Bundle(NamedTuple):
    """Scenes on their way, with the masks of their pasts: each travels once, and goes by its number from then on."""

    parcel: Parcel
    """Scenes that are new to the receiver, as states without pasts, in the order of their numbers."""
    pasts: list[tuple[int, int]]
    """Pasts that are new to the receiver, with their bits there."""
    masks: list[int]
    """Masks that are new to the receiver, in the order of their numbers."""
    pairs: bytes
    """The number of each scene, then as many of masks: see ``NUMBER``."""


NUMBER = "I"
"""How numbers are written: as an ``array`` of these."""


class Sender:
    """Packs states of one machine for one receiver."""

    def __init__(self, machine: Machine, known: Sequence[int]) -> None:
        self._tables = tables(machine)
        self._known = known
        self._sent: list[set[int]] = [set() for _ in self._tables]
        self._attached = machine.watching.attached
        self._floating = machine.watching.floating
        self._held = len(machine.watching.states)
        self._shifts = [LIVES_AT + LIFE_BITS * index for index in range(len(machine.plan.processes))]
        self._bytes = state_bytes(machine)
        self._told = 0
        """The mask of the pasts that were sent."""
        self._scenes: dict[int, int] = {}
        self._masks: dict[int, int] = {}
        """The number of each that was sent."""

    def pack(self, states: Collection[State]) -> Parcel:
        """The states, and what of them is new to the receiver."""
        held = self._held
        luggage: Luggage = [[] for _ in self._tables]
        self._add(luggage, held + 4, {state >> CLOCK_AT & CLOCK_MASK for state in states})
        for shift in self._shifts:
            self._add(luggage, held + 3, {state >> shift & LIFE_MASK for state in states})
        for _, (_, attached) in self._add(luggage, held + 2, {state >> SCENE_AT & SERVER_MASK for state in states}):
            for which, number in zip(self._attached, attached, strict=True):
                self._add(luggage, which, (number,))
        for _, numbers in self._add(luggage, held + 1, {state & WHOLE_MASK for state in states}):
            for which, number in zip((*self._floating, held), numbers, strict=True):
                self._add(luggage, which, (number,))
        return Parcel(luggage, as_bytes(states, self._bytes))

    def bundle(self, masks: dict[int, int], pasts: Sequence[int]) -> Bundle:
        """Scenes with their masks, and what of them and of the pasts is new to the receiver; see ``Pasts.table``."""
        new_scenes, scenes = _numbered(masks, self._scenes)
        new_masks, numbers = _numbered(masks.values(), self._masks)
        every = 0
        for mask in new_masks:
            every |= mask
        every &= ~self._told
        self._told |= every
        new = [(bit, pasts[bit]) for bit in bits(every)]
        parcel = self.pack(new_scenes)
        luggage = self.pack([past for _, past in new]).luggage if new else []
        for kind, more in enumerate(luggage):
            parcel.luggage[kind][:0] = more
        return Bundle(parcel, new, new_masks, (scenes + numbers).tobytes())

    def _add(self, luggage: Luggage, kind: int, numbers: Iterable[int]) -> list[tuple[int, Any]]:
        known, sent, table = self._known[kind], self._sent[kind], self._tables[kind]
        new = [(number, table[number]) for number in sorted(numbers) if number >= known and number not in sent]
        sent.update([number for number, _ in new])
        luggage[kind] += new
        return new


def _numbered(values: Collection[int], known: dict[int, int]) -> tuple[list[int], array[int]]:
    """Those that have no number yet, which they get, and the numbers of all."""
    new = [value for value in dict.fromkeys(values) if value not in known]
    known.update(zip(new, range(len(known), len(known) + len(new)), strict=True))
    return new, array(NUMBER, [known[value] for value in values])


def as_bytes(states: Iterable[State], size: int) -> bytes:
    """States one after the other, ``size`` bytes each."""
    return b"".join([state.to_bytes(size, "little") for state in states])


class Receiver:
    """Unpacks what one sender packed, into another machine."""

    def __init__(self, machine: Machine, known: Sequence[int]) -> None:
        self._machine = machine
        self._known = known
        self._mine: list[dict[int, int]] = [{} for _ in known]
        """Of each kind: the sender's number to one's own."""
        self._shifts = [LIVES_AT + LIFE_BITS * index for index in range(len(machine.plan.processes))]
        self._bytes = state_bytes(machine)
        self._bits: dict[int, int] = {}
        """Of each of the sender's bits: one's own mask of that past."""
        self._scenes: list[State] = []
        self._masks: list[int] = []
        """By their numbers: what the sender sent, in one's own numbers."""

    def learn(self, luggage: Luggage) -> None:
        """Gives the new components their numbers here."""
        taking, watching = self._machine.taking, self._machine.watching
        held = len(watching.states)
        for kind, interned in enumerate([*watching.states, watching.held]):
            self._mine[kind].update([(number, interned.number(value)) for number, value in luggage[kind]])
        for number, numbers in luggage[held + 1]:
            whole = self._numbers((*watching.floating, held), numbers)
            self._mine[held + 1][number] = watching.whole.number(whole)
        for number, (frozen, attached) in luggage[held + 2]:
            self._mine[held + 2][number] = taking.server(frozen, self._numbers(watching.attached, attached))
        for number, life in luggage[held + 3]:
            self._mine[held + 3][number] = taking.life(life)
        for number, time in luggage[held + 4]:
            self._mine[held + 4][number] = self._machine.times.number(time)

    def _numbers(self, kinds: Iterable[int], numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple([self._number(kind, number) for kind, number in zip(kinds, numbers, strict=True)])

    def _number(self, kind: int, number: int) -> int:
        return number if number < self._known[kind] else self._mine[kind][number]

    def states(self, packed: bytes) -> Iterator[State]:
        """The states, in one's own numbers."""
        held, size, shifts = len(self._machine.watching.states), self._bytes, self._shifts
        wholes, servers, lives, clocks = self._mine[held + 1 :]
        known_whole, known_server, known_life, known_clock = self._known[held + 1 :]
        for at in range(0, len(packed), size):
            state = int.from_bytes(packed[at : at + size], "little")
            whole, clock = state & WHOLE_MASK, state >> CLOCK_AT & CLOCK_MASK
            server = state >> SCENE_AT & SERVER_MASK
            there = whole if whole < known_whole else wholes[whole]
            there |= (clock if clock < known_clock else clocks[clock]) << CLOCK_AT
            there |= (server if server < known_server else servers[server]) << SCENE_AT
            for shift in shifts:
                life = state >> shift & LIFE_MASK
                there |= (life if life < known_life else lives[life]) << shift
            yield there

    def scenes(self, bundle: Bundle, pasts: Pasts) -> Iterator[tuple[State, int]]:
        """Scenes with their masks, in one's own numbers."""
        self.learn(bundle.parcel.luggage)
        packed = as_bytes([past for _, past in bundle.pasts], self._bytes)
        for (bit, _), past in zip(bundle.pasts, self.states(packed), strict=True):
            self._bits[bit] = pasts.bit(past & PAST_MASK)
        self._scenes += [scene & ~PAST_MASK for scene in self.states(bundle.parcel.states)]
        self._masks += [sum([self._bits[bit] for bit in bits(mask)]) for mask in bundle.masks]
        pairs = array(NUMBER, bundle.pairs)
        half = len(pairs) // 2
        return zip(
            [self._scenes[number] for number in pairs[:half]], [self._masks[number] for number in pairs[half:]],
            strict=True,
        )  # fmt: skip

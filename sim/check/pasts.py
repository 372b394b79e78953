"""Pasts as bits: what steps make of many of them at once, remembered.

The *past* of a state is all of it but its scene: what the properties have come to, and the clock with the budgets. A
few pasts come up in scene after scene, so a set of them is one integer, a *mask*, with a bit for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .scenes import CLOCK_AT, SCENE_AT, TELLS_BITS
from .taking import WHOLE_BITS

if TYPE_CHECKING:
    from .machine import Machine

PAST_MASK = (1 << SCENE_AT) - 1
WHOLE_MASK = (1 << WHOLE_BITS) - 1
Broken = tuple[int, ...]
IMAGES_MAX = 1 << 12
"""Of each effect so many images are remembered."""
MASKS_MAX = 1 << 16
"""Of so many masks is remembered what else is known of them."""


def bits(mask: int) -> list[int]:
    """The places of the bits of a mask."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found


class Part:
    """Some pasts in which the same can happen."""

    __slots__ = ("holding", "many", "mask", "may")

    def __init__(self, mask: int, may: tuple[int, ...] | None, holding: tuple[bool, ...]) -> None:
        self.mask = mask
        self.many = mask.bit_count()
        """How many they are."""
        self.may = may
        """The faults that may strike; ``None`` where everything is over."""
        self.holding = holding
        """Who holds an entry, where a fault asks for it."""


class Later(NamedTuple):
    """What becomes of some pasts when time passes."""

    rank: int
    """Of the IDs made until now; -1 where all is over, and the scene stays as it is."""
    mask: int
    broken: frozenset[Broken]


class Effect:
    """What a move does to pasts, whatever the scene is that it is made in."""

    __slots__ = ("action", "bits", "broken", "images", "known", "moved", "tells")

    def __init__(self, action: int, tells: int) -> None:
        self.action, self.tells = action, tells
        self.images: dict[int, int] = {}
        """What it makes of a mask; negative where it also breaks something."""
        self.broken: dict[int, frozenset[Broken]] = {}
        """By mask, where it breaks something: every set of properties that it breaks."""
        self.bits: dict[int, tuple[int, Broken]] = {}
        """What it makes of one past that does not stay as it is, and what it breaks then."""
        self.known = 0
        """The pasts of which it is known what it makes of them."""
        self.moved = 0
        """Those of them that do not stay as they are: mostly none, for what happens matters to few properties."""


class Pasts:
    """The pasts of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.table: list[int] = []
        """Every past by its bit."""
        self.effects: dict[int, Effect] = {}
        """What moves do to pasts, by ``action << TELLS_BITS | tells``."""
        self._numbers: dict[int, int] = {}
        self._later: dict[tuple[int, int], tuple[Later, ...]] = {}
        self._exchanged: dict[tuple[int, int], int] = {}
        self._parts: dict[int, tuple[Part, ...]] = {}
        self._ends: dict[int, frozenset[Broken]] = {}
        self._asks_who_holds = any(getattr(fault, "when", "") == "holding" for fault in machine.plan.faults)

    def bit(self, past: int) -> int:
        """The mask of one past."""
        number = self._numbers.get(past)
        if number is None:
            number = self._numbers[past] = len(self.table)
            self.table.append(past)
        return 1 << number

    def mask(self, pasts: Iterable[int]) -> int:
        """The mask of some pasts."""
        found = 0
        for past in pasts:
            found |= self.bit(past)
        return found

    def of(self, mask: int) -> list[int]:
        """The pasts of a mask."""
        return [self.table[bit] for bit in bits(mask)]

    def effect(self, action: int, tells: int) -> Effect:
        """What a move does to pasts: see ``Move``."""
        key = action << TELLS_BITS | tells
        known = self.effects.get(key)
        if known is None:
            known = self.effects[key] = Effect(action, tells)
        return known

    def image(self, effect: Effect, mask: int) -> int:
        """What a move makes of a mask for which that is not remembered yet: see ``Effect.images``."""
        new = mask & ~effect.known
        while new:
            bit = new & -new
            new ^= bit
            self._image(effect, bit)
        rest = mask & effect.moved
        after, bits = mask ^ rest, effect.bits
        wrong: set[Broken] = set()
        while rest:
            bit = rest & -rest
            rest ^= bit
            there, broken = bits[bit]
            after |= there
            if broken:
                wrong.add(broken)
        if len(effect.images) >= IMAGES_MAX:
            effect.images.clear()
        if wrong:
            effect.broken[mask] = frozenset(wrong)
            after = -after
        effect.images[mask] = after
        return after

    def _image(self, effect: Effect, bit: int) -> None:
        past = self.table[bit.bit_length() - 1]
        change, broken = self._machine.change(past, effect.action, effect.tells)
        effect.known |= bit
        if change or broken:
            effect.bits[bit] = self.bit(past + change), broken
            effect.moved |= bit

    def later(self, mask: int, left: int) -> tuple[Later, ...]:
        """What becomes of pasts when ``left`` ms pass."""
        known = self._later.get((mask, left))
        if known is None:
            machine = self._machine
            masks: dict[int, int] = {}
            broken: dict[int, set[Broken]] = {}
            for past in self.of(mask):
                rank, after, wrong = machine.later(past, left)
                masks[rank] = masks.get(rank, 0) | self.bit(after)
                broken.setdefault(rank, set()).update((wrong,) if wrong else ())
            if len(self._later) >= MASKS_MAX:
                self._later.clear()
            found = [Later(rank, there, frozenset(broken[rank])) for rank, there in masks.items()]
            known = self._later[mask, left] = tuple(found)
        return known

    def exchanged(self, mask: int, order: int) -> int:
        """What becomes of pasts where processes change places."""
        known = self._exchanged.get((mask, order))
        if known is None:
            exchange = self._machine.exchange
            if len(self._exchanged) >= MASKS_MAX:
                self._exchanged.clear()
            known = self.mask([past + exchange(past & WHOLE_MASK, order) for past in self.of(mask)])
            self._exchanged[mask, order] = known
        return known

    def parts(self, mask: int) -> tuple[Part, ...]:
        """The pasts of a mask, by what may strike then."""
        known = self._parts.get(mask)
        if known is None:
            machine = self._machine
            found: dict[tuple[tuple[int, ...] | None, tuple[bool, ...]], int] = {}
            for past in self.of(mask):
                may = machine.may_strike(past >> CLOCK_AT)
                holding = machine.watching.holding(past & WHOLE_MASK) if self._asks_who_holds else ()
                found[may, holding] = found.get((may, holding), 0) | self.bit(past)
            if len(self._parts) >= MASKS_MAX:
                self._parts.clear()
            known = tuple([Part(part, *what) for what, part in found.items()])
            self._parts[mask] = known
        return known

    def ends(self, mask: int) -> frozenset[Broken]:
        """Every set of properties that is broken if the run is over in one of these pasts; ``()`` where none is."""
        known = self._ends.get(mask)
        if known is None:
            if len(self._ends) >= MASKS_MAX:
                self._ends.clear()
            known = self._ends[mask] = frozenset([self._machine.broken_now(past) for past in self.of(mask)])
        return known

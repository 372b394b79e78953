"""What a generator asks of a tape: one of these, this many, or whether something happens.

Answer 0 is the plain thing everywhere (the first of a pool, nothing unusual happens), so a tape of zeros is the
plainest run, and Hypothesis shrinks towards it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ...choices import Choices

__all__ = ["THOUSAND", "Draws", "slots"]

T = TypeVar("T")

THOUSAND = 1000


class Draws:
    """Draws from a tape, each by one `choose`."""

    __slots__ = ("choose",)

    def __init__(self, choices: Choices) -> None:
        self.choose = choices.choose

    def pick(self, pool: Sequence[T], label: str) -> T:
        """One of a pool; what stands in it twice comes twice as often."""
        return pool[self.choose(len(pool), label)]

    def happens(self, permille: int, label: str) -> bool:
        """Whether something happens that does so in so many of 1000 cases."""
        return permille > 0 and self.choose(THOUSAND, label) >= THOUSAND - permille

    def shuffled(self, items: Sequence[T], label: str) -> list[T]:
        """The items in some order; mostly in theirs."""
        left = list(items)
        return [left.pop(self.choose(len(left), label)) for _ in range(len(left))]


def slots(weights: Mapping[T, float]) -> tuple[T, ...]:
    """A pool in which each thing stands as often as it weighs, the heaviest first; at least once if at all.

    Picking from it is one uniform draw, which is quicker than weighing each time.
    """
    least = min((weight for weight in weights.values() if weight > 0), default=1.0)
    unit = max(least, sum(weights.values()) / 500)
    heaviest = sorted(weights, key=lambda thing: -weights[thing])
    return tuple(thing for thing in heaviest if weights[thing] > 0 for _ in range(max(round(weights[thing] / unit), 1)))

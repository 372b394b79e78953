"""Who decides a run of real code: chance, chance in which some faults are off (swarm), priorities (PCT)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..choices import Choices, Drawn
from ..errors import unknown

METHODS = ("random", "pct", "swarm", "hypothesis")
PLACE = "place of a fault"
NEXT = "next process"
STRIKE_RATES = (90, 50, 20)
"""Of a hundred: how many of a swarm's faults are on; one of these for each run."""
NEAR = 8
"""Half of the faults that a swarm has strike within so many of their opportunities, for most code runs but a few times;
the others anywhere in the run."""


class Swarm(Drawn):
    """Half of all faults are off in a run, more or less, so that one does not drown what another shows."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._rate = STRIKE_RATES[int(self._point() * len(STRIKE_RATES))]

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """Draws an answer."""
        if label != PLACE or n == 1:
            return super().choose(n, label, weights)
        answer = 0
        if self._point() * 100 < self._rate:
            reach = min(n - 1, NEAR) if self._point() < 0.5 else n - 1
            answer = 1 + int(self._point() * reach)
        self.answers.append(answer)
        return answer


class Priorities(Swarm):
    """PCT: the process of the highest priority goes on; ``depth - 1`` times on the way it loses it."""

    def __init__(self, seed: int, depth: int, decisions_expected: int) -> None:
        super().__init__(seed)
        spread = max(decisions_expected, 1)
        self._changes = sorted(int(self._point() * spread) for _ in range(depth - 1))
        self._priorities: dict[str, float] = {}
        self._made = 0

    def pick_process(self, names: Sequence[str]) -> int:
        """Which of these goes on."""
        self._made += 1
        at = self._highest(names)
        while self._changes and self._changes[0] < self._made:
            self._changes.pop(0)
            self._priorities[names[at]] = -self._made
            at = self._highest(names)
        self.answers.append(at)
        return at

    def _highest(self, names: Sequence[str]) -> int:
        for name in names:
            if name not in self._priorities:
                self._priorities[name] = self._point()
        return max(range(len(names)), key=lambda at: (self._priorities[names[at]], -at))


Policies: TypeAlias = Callable[[int], Choices]
"""The policy of the run with a seed."""


def policies(method: str, depth: int, decisions_expected: int) -> Policies:
    """Who decides the runs of a search."""
    if method == "random":
        return Drawn
    if method == "swarm":
        return Swarm
    if method == "pct":
        return lambda seed: Priorities(seed, depth, decisions_expected)
    raise unknown("search", method, METHODS)

"""The tape: every nondeterministic decision of a run is one ``choose``, and the answers are the tape.

The tape, not the seed, is what reproduces a run. Answer 0 is always the plain course of things (the
step that has waited longest, no fault), so a tape that ends early goes on with zeros.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from .errors import BadInput, ScenarioError


class Choices(Protocol):
    """Whatever makes the decisions of a run."""

    answers: list[int]
    """The tape so far: one answer for each decision that had at least two."""

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """An answer from ``0`` to ``n - 1``; ``weights`` is a hint for those who draw at random."""
        ...


class Drawn:
    """Decisions drawn from a seed. The same seed gives the same tape on every Python."""

    def __init__(self, seed: int) -> None:
        self.answers: list[int] = []
        # random() alone is promised to give the same numbers in every release of Python
        self._point = random.Random(seed).random

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """Draws an answer, by weight where there are weights."""
        if n == 1:
            return 0
        answer = int(self._point() * n) if weights is None else self._weighed(weights)
        self.answers.append(answer)
        return answer

    def _weighed(self, weights: Sequence[int]) -> int:
        point = self._point() * sum(weights)
        for answer, weight in enumerate(weights):
            point -= weight
            if point < 0:
                return answer
        return len(weights) - 1


class Forbidden:
    """No decisions: where the world begins nothing is left open."""

    def __init__(self) -> None:
        self.answers: list[int] = []

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """``ScenarioError`` where there is more than one answer."""
        if n > 1:
            raise ScenarioError(f"the choice {label!r} is made before the first step of a world whose time is frozen")
        return 0


class Replayed:
    """Decisions read from a tape; past its end everything takes its plain course."""

    def __init__(self, tape: Sequence[int]) -> None:
        self.answers: list[int] = []
        self._tape = tuple(tape)

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """The next answer of the tape; ``BadInput`` where this run cannot take it."""
        if n == 1:
            return 0
        at = len(self.answers)
        answer = self._tape[at] if at < len(self._tape) else 0
        if not 0 <= answer < n:
            raise BadInput(
                f"the tape does not fit this run: decision {at + 1} ({label}) has {n} answers, the tape says {answer}"
            )
        self.answers.append(answer)
        return answer

    @property
    def unused(self) -> int:
        """How many answers of the tape the run did not come to."""
        return max(len(self._tape) - len(self.answers), 0)


class Enumerated:
    """Decisions that walk through every tape, one run after the other, in lexicographic order.

    Make one run, then call ``advance``; it returns false after the last.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self._sizes: list[int] = []
        self._prefix: list[int] = []

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """The answer of the present run."""
        if n == 1:
            return 0
        at = len(self.answers)
        answer = self._prefix[at] if at < len(self._prefix) else 0
        self.answers.append(answer)
        self._sizes.append(n)
        return answer

    def again(self) -> None:
        """Begins the present run anew."""
        self.answers = []
        self._sizes = []

    def advance(self) -> bool:
        """Goes to the next run; false where there is none."""
        prefix, sizes = self.answers.copy(), self._sizes.copy()  # whoever keeps the answers of a run has their own
        while prefix and prefix[-1] + 1 == sizes[-1]:
            prefix.pop()
            sizes.pop()
        if not prefix:
            return False
        prefix[-1] += 1
        self._prefix = prefix
        self.answers = []
        self._sizes = []
        return True

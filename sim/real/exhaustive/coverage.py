"""Which commands, with which options, came to which outcomes, and how often: in the rows of random comparisons.

What is counted is the model's part of an edge; that the server's is the same is what the search finds out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ....models.replies import Failure
from ..diff import coverage as rows
from ..diff.fact_outcomes import outcome_of
from .alphabet import Letter
from .states import Taken

__all__ = ["CHANGES", "LEAVES", "Counts", "Coverage", "nested"]

CHANGES, LEAVES = "changes the state", "leaves the state"

Counts: TypeAlias = "Counter[tuple[int, tuple[str, ...]]]"
"""How often a letter (by its number) came to some outcomes at once."""


class Coverage:
    """Counts letters and what they came to."""

    def __init__(self) -> None:
        self._errors: dict[bytes, tuple[str, ...]] = {}
        self._counts: Counts = Counter()

    def count(self, outcomes: Iterable[tuple[int, Taken, bool]]) -> None:
        """Counts letters (by their number), what they came to, and whether the state became another."""
        counts, errors = self._counts, self._errors
        for letter, taken, moved in outcomes:
            said = taken.said
            if isinstance(said, Failure):
                met = errors.get(said.text)
                if met is None:
                    met = errors[said.text] = (rows.error_class(said.text),)
            else:
                met = (rows.ANSWERS, rows.kind_of(said), *sorted(set(map(outcome_of, taken.facts))))
            counts[letter, (*met, CHANGES if moved else LEAVES)] += 1

    def take(self) -> Counts:
        """What was counted since the last time."""
        taken, self._counts = self._counts, Counter()
        return taken


def nested(counts: Counts, letters: Sequence[Letter]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts as command, option, outcome."""
    found: Counter[rows.Row] = Counter()
    for (number, outcomes), times in counts.items():
        letter = letters[number]
        for option in (rows.ANY, *letter.options):
            for outcome in outcomes:
                found[letter.command, option, outcome] += times
    return rows.nested(found)

"""The one order in which counterexamples are compared: the smaller one asks less of its reader."""

from __future__ import annotations

from typing import NamedTuple

from ..views.words import counted, duration


class Cost(NamedTuple):
    """What a counterexample takes, most important first; tuples compare as the order wants it.

    ``switches`` counts how often another process goes on than the one before; ``at_ms`` is when the property
    breaks; ``deviations`` are decisions that did not take the plain course, ``answers`` the sum of their answers.
    """

    faults: int
    switches: int
    entries: int
    steps: int
    at_ms: int
    deviations: int
    answers: int

    def __str__(self) -> str:
        counts = (
            counted(self.faults, "fault"), counted(self.switches, "context switch", "context switches"),
            counted(self.entries, "entry", "entries"), counted(self.steps, "step"),
        )  # fmt: skip
        return f"{', '.join(counts)}, {duration(self.at_ms)}"

"""The one order in which counterexamples are compared: the smaller one asks less of its reader."""

from __future__ import annotations

from typing import NamedTuple


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
        return (
            f"{self.faults} faults, {self.switches} context switches, {self.entries} entries, {self.steps} steps, "
            f"{self.at_ms} ms"
        )

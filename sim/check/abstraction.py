"""What the checker takes for one, and the constants of the one instant at which all its worlds stand.

Every state is kept as seen from its own present: the clocks always show the same time, what is past is an age,
what is to come a distance. So states that differ by a shift of all clocks are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RedeliveryError

NOW_MS = 1_000_003_777
"""True time in every kept world: a number that does not come up by chance."""

FAR_MS = 1 << 26
"""A number so near to ``NOW_MS`` is a time."""


@dataclass(frozen=True, slots=True)
class Abstraction:
    """What is left out of states because nothing can tell it apart."""

    idle_ms_max: int | None = 0
    """Idle times above this are all alike; ``None``: none are."""
    idle_learned: bool = True
    """Whether ``idle_ms_max`` may be raised by what processes ask for; else that is an error."""
    seen: bool = True
    """Whether it is left out when consumers were last seen, and active."""
    symmetry: bool = True
    """Whether interchangeable processes are taken for one another."""
    values: bool = True
    """Whether payload values that a plan declares to be interchangeable are taken for one another."""
    over_ms: int | None = None
    """After so long every run is over: a key that expires later never does. ``None``: any key may expire."""
    notes: tuple[str, ...] = ()
    """Why something is not left out."""

    def aged(self, age_ms: int) -> int:
        """An idle time, as far as it can be told."""
        if self.idle_ms_max is not None and age_ms > self.idle_ms_max:
            return self.idle_ms_max + 1
        return age_ms


class Refined(Exception):
    """The search must begin again: something is told apart that was left out."""

    def __init__(self, abstraction: Abstraction) -> None:
        super().__init__()
        self.abstraction = abstraction


class Unabstract(RedeliveryError):
    """This world cannot be seen from its own present: absolute times or the insides of IDs matter in it."""

"""Where the time of a search goes: each stretch counts for the part that is at work, not for the one that called it."""

from __future__ import annotations

from collections.abc import Callable

SEARCH, SCENES, ORDER, STEPS = "search", "scenes", "order", "steps"
WORDS = {
    SEARCH: "going from state to state by what is remembered",
    SCENES: "working out what can happen in a new scene",
    ORDER: "bringing a new scene to its order",
    STEPS: "taking new steps: on the server, in processes and in the properties that go with the server",
}
"""What each part is."""


class Parts:
    """A stop watch with a hand for each part. Without a clock all of them stay at 0."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] | None = None
        self.spent_s = dict.fromkeys(WORDS, 0.0)
        self._open: list[str] = [SEARCH]
        self._since_s = 0.0

    def start(self, clock: Callable[[], float]) -> None:
        """Time runs from now on, for the search."""
        self.clock, self._open = clock, [SEARCH]
        self._since_s = clock()

    def enter(self, part: str) -> None:
        """Another part is at work."""
        if self.clock is not None:
            self._count()
            self._open.append(part)

    def leave(self) -> None:
        """The part before goes on."""
        if self.clock is not None:
            self._count()
            self._open.pop()

    def so_far(self) -> dict[str, float]:
        """How long each part was at work, in seconds."""
        if self.clock is not None:
            self._count()
        return dict(self.spent_s)

    def _count(self) -> None:
        assert self.clock is not None
        now_s = self.clock()
        self.spent_s[self._open[-1]] += now_s - self._since_s
        self._since_s = now_s

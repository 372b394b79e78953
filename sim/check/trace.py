"""From the steps that a search took to a tape, by taking them in the world itself."""

from __future__ import annotations

from collections.abc import Sequence

from ..steps import describe
from ..world import World
from .plain import edge_of
from .taking import Edge


class Dictated:
    """Choices that are given, one step at a time; ``answers`` is the tape that they make."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self._given: list[int] = []

    def dictate(self, answers: Sequence[int]) -> None:
        """What is chosen within the next step."""
        assert not self._given, "the step before has made all its choices"
        self._given = list(answers)

    @property
    def left(self) -> int:
        """How many choices were given and not made."""
        return len(self._given)

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """The next answer that was given."""
        if n == 1:
            return 0
        answer = self._given.pop(0)
        assert answer < n, f"{label} has no answer {answer}"
        self.answers.append(answer)
        return answer


def follow(world: World, path: Sequence[Edge]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Takes the steps of ``path``; the tape that does so, and the steps in words."""
    choices = Dictated()
    words = []
    names = tuple(process.name for process in world.plan.processes)
    for edge in path:
        steps = world.enabled()
        wanted = edge._replace(answers=())
        places = [place for place in range(len(steps)) if edge_of(steps, place) == wanted]
        assert len(places) == 1, f"{edge} is one of the steps that can happen"
        place = places[0]
        words.append(f"{steps[place].at_ms} ms  {describe(steps[place], names, tuple(world.plan.faults))}")
        if len(steps) > 1:
            choices.dictate([place])
            choices.choose(len(steps), "next step")
        choices.dictate(edge.answers)
        world.take(steps[place], choices)
    return tuple(choices.answers), tuple(words)

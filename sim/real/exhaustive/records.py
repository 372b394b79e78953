"""What the search knows: every state that it found, in the order in which it was found, and how far it has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .alphabet import Letter
from .batches import Job
from .coverage import Counts
from .differences import Difference, explained
from .probing import Expanded
from .states import EMPTY, digest_of

__all__ = ["DIFFERENCES_MAX", "Record", "Records"]

DIFFERENCES_MAX = 100
"""How many differences are kept to be shown; the others are only counted."""


class Record(NamedTuple):
    """A state: the one that it was found from, by which letter, and its dump where that brings it back whole."""

    parent: int
    letter: int
    digest: bytes
    dump: bytes | None


@dataclass
class Records:
    """The states found so far, of which the first `expanded` are done with, and what was counted over those."""

    letters: Sequence[Letter]
    states: list[Record] = field(default_factory=lambda: [Record(-1, 0, digest_of(EMPTY.name()), b"")])
    level_ends: list[int] = field(default_factory=lambda: [1])
    """Where the states of each depth end; the last is that of the depth being filled."""

    expanded: int = 0
    edges: int = 0
    differing: int = 0
    """How many differences there were, those that are not kept too."""

    differences: list[Difference] = field(default_factory=list)
    counts: Counts = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._known = {state.digest for state in self.states}

    @property
    def depth(self) -> int:
        """The depth of the states that are being expanded."""
        return len(self.level_ends) - 1

    def path(self, index: int) -> tuple[int, ...]:
        """The letters that lead to a state."""
        found: list[int] = []
        while index:
            state = self.states[index]
            found.append(state.letter)
            index = state.parent
        return tuple(reversed(found))

    def job(self, index: int) -> Job:
        """A state as something to expand."""
        since_dump, anchor = 0, index
        while (dump := self.states[anchor].dump) is None:
            since_dump += 1
            anchor = self.states[anchor].parent
        return Job(index, self.path(index), dump, since_dump)

    def commit(self, done: Expanded) -> None:
        """Takes in what came of the next state. The first who leads to a state is the one who found it."""
        assert done.number == self.expanded, "states are taken in, in their order"
        self.expanded += 1
        self.edges += done.edges
        self.differing += len(done.differences)
        for found in done.differences[: DIFFERENCES_MAX - len(self.differences)]:
            self.differences.append(explained(self.path(done.number), found, self.letters))
        for successor in done.successors:
            if successor.digest not in self._known:
                self._known.add(successor.digest)
                self.states.append(Record(done.number, successor.letter, successor.digest, successor.dump))

    def end_level(self) -> list[bytes]:
        """All states of a depth have been expanded; what the next ones are called."""
        assert self.expanded == self.level_ends[-1]
        self.level_ends.append(len(self.states))
        return self.level_digests()

    def level_digests(self) -> list[bytes]:
        """What the states of the depth that is being expanded are called."""
        begin = self.level_ends[-2] if len(self.level_ends) > 1 else 0
        return [state.digest for state in self.states[begin : self.level_ends[-1]]]

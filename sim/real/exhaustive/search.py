"""The search: breadth first from the empty server, every letter in every state, to a depth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from ....models.dialects import DIALECTS
from ...errors import BadInput
from ..guard import closest_dialect
from ..servers import ServerBinary
from . import checkpoint as checkpoints
from .alphabet import alphabet, fingerprint
from .batches import Job
from .coverage import nested
from .differences import Difference
from .records import Records
from .workers import Crew, crew

__all__ = ["DEPTH_MAX", "Exploration", "Progress", "explore"]

DEPTH_MAX = 12
"""Deeper ones would not end in a day."""

CHUNK_STATES = 16
CHECKPOINT_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is: states expanded of those known so far, at which depth."""

    depth: int
    expanded: int
    known: int
    edges: int
    differing: int


@dataclass(frozen=True, slots=True)
class Exploration:
    """What a search found.

    `states` were reached by at most `depth` letters, and each letter of the alphabet was taken in each: `edges` in all.
    `note` says where the dialect is not the server's own.
    `differing` counts all differences; `differences` has the first of them, the shortest first.
    """

    name: str
    version: str
    dialect: str
    note: str
    depth: int
    letters: int
    states: int
    states_by_depth: tuple[int, ...]
    edges: int
    differing: int
    differences: tuple[Difference, ...]
    coverage: dict[str, dict[str, dict[str, int]]]
    """How often each command, with each option, came to each outcome."""

    wall_s: float


def explore(
    binary: ServerBinary,
    depth: int,
    *,
    workers: int = 1,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Exploration:
    """Puts every letter to the model and to servers of our own, in every state within `depth` letters.

    The result is the same for any number of `workers`. `checkpoint` is a file that is kept up to date; `resume` one
    to go on from. Raises `BadInput` and `RealServerError`, one line each.
    """
    if not 0 <= depth <= DEPTH_MAX:
        raise BadInput(f"the depth of an exhaustive search is from 0 to {DEPTH_MAX}, not {depth}")
    if workers < 1:
        raise BadInput(f"a search needs at least one worker, not {workers}")
    chosen, note = closest_dialect(binary.dialect, binary.name)
    began = time.monotonic()
    dialect = DIALECTS[chosen]
    letters = alphabet(dialect)
    belongs = {
        "model": checkpoints.source_of_the_model(),
        "alphabet": fingerprint(letters),
        "dialect": dialect.name,
        "server version": binary.version,
        "depth": str(depth),
    }
    records = Records(letters)
    if resume is not None:
        records = checkpoints.read(resume, records, belongs)
    with crew(binary, dialect.name, workers) as hands:
        version = hands.version
        _run(records, hands, depth, _Keeper(checkpoint or resume, records, belongs), progress)
    ends = [0, *records.level_ends]
    return Exploration(
        binary.name, version, dialect.name, note, depth, len(letters), records.expanded,
        tuple(end - begin for begin, end in pairwise(ends)),
        records.edges, records.differing, tuple(records.differences),
        nested(records.counts, letters), time.monotonic() - began,
    )  # fmt: skip


class _Keeper:
    """Keeps the checkpoint up to date, where there is one."""

    def __init__(self, path: Path | None, records: Records, belongs: checkpoints.Belongs) -> None:
        self._path = path
        self._records = records
        self._belongs = belongs
        self._at = time.monotonic()

    def keep(self, *, now: bool = False) -> None:
        if self._path is not None and (now or time.monotonic() - self._at > CHECKPOINT_EVERY_S):
            checkpoints.write(self._path, self._records, self._belongs)
            self._at = time.monotonic()


def _run(
    records: Records, hands: Crew, depth: int, keeper: _Keeper, progress: Callable[[Progress], None] | None
) -> None:
    keeper.keep(now=True)  # a place that cannot be written to is told before the work, not after it
    hands.begin([state.digest for state in records.states[: records.level_ends[-1]]], goes_on=records.depth < depth)
    while True:
        for done in hands.expand(_chunks(records)):
            for expanded in done.expanded:
                records.commit(expanded)
            records.counts.update(done.counts)
            keeper.keep()
            if progress is not None:
                known = len(records.states)
                progress(Progress(records.depth, records.expanded, known, records.edges, records.differing))
        if records.depth == depth or records.expanded == len(records.states):
            break
        hands.begin(records.end_level(), goes_on=records.depth < depth)
    keeper.keep(now=True)


def _chunks(records: Records) -> Iterator[list[Job]]:
    """The states of the depth at hand that are still to be expanded, some at a time."""
    indexes = iter(range(records.expanded, records.level_ends[-1]))
    while chunk := list(islice(indexes, CHUNK_STATES)):
        yield [records.job(index) for index in chunk]

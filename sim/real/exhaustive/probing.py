"""A real server that takes the letters in one state after the other, and what it answered otherwise than the model.

The answers to a batch are compared as long pieces of memory. Only where a piece differs is it read answer by answer;
and where that shows a difference, the whole state is done again letter by letter, each from the state brought anew, so
that each difference stands by itself.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple

from ....models.dialects import Dialect
from ..connection import Connection
from ..diff.bench import Bench, configure
from ..errors import NoReply, ServerClosed
from ..frames import frame_count
from ..masks import same_reply
from ..servers import ServerBinary
from .alphabet import Letter
from .batches import DUMPED, EMPTIED, LOOKED, Batch, Expected, Job, Successor, Writer
from .coverage import Coverage
from .states import CONFIG, LOOK, Model

__all__ = ["NOTHING", "TOGETHER", "Differing", "Expanded", "Prober"]

WATCHDOG_S = 5.0
PATIENCE_S = 1.0
"""How long one letter by itself may take."""

NOTHING = b""
"""Stands for an answer that did not come: the server blocks, or has hung up."""

TOGETHER = -1
"""What a difference is about that was there when all letters came one after the other, and in none by itself."""


class Differing(NamedTuple):
    """One thing that the server answered otherwise: to what is in `about` (`batches.REPLY` and the like)."""

    letter: int
    about: int
    model: bytes
    server: bytes


@dataclass(slots=True)
class Expanded:
    """What came of one job."""

    number: int
    edges: int
    successors: list[Successor]
    differences: list[Differing] = field(default_factory=list)


class Prober:
    """A server of ours under its virtual clock, with the model beside it. `close` ends the server."""

    def __init__(self, binary: ServerBinary, dialect: Dialect, letters: Sequence[Letter]) -> None:
        self.coverage = Coverage()
        self._letters = letters
        self._writer = Writer(Model(dialect), letters)
        self._bench = Bench(binary)
        try:
            self.version = self._bench.server.version
            configure(self._bench.control, CONFIG, dialect)
            self._connection = self._connect()
        except BaseException:
            self._bench.close()
            raise

    def close(self) -> None:
        """Ends the server."""
        self._connection.close()
        self._bench.close()

    def __enter__(self) -> Prober:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def expand(self, jobs: Sequence[Job], known: Container[bytes] | None) -> list[Expanded]:
        """Every letter in the state of each job; `known` are the states that are not new, `None` to find none.

        The model is one job ahead while the server works.
        """
        written: list[tuple[Batch, Connection]] = []
        same: list[bool] = []
        for job in jobs:
            batch = self._writer.write(job, known)
            self._send(batch)
            written.append((batch, self._connection))
            if len(written) > 1:
                same.append(self._is_same(*written[-2]))
        same.append(self._is_same(*written[-1]))
        found = []
        for (batch, _), as_expected in zip(written, same, strict=True):
            self.coverage.count(batch.outcomes)
            if as_expected:
                found.append(Expanded(batch.job.number, batch.edges, batch.successors))
            else:
                found.append(self._one_by_one(batch, known))
        return found

    # -- at speed -------------------------------------------------------------------------------

    def _send(self, batch: Batch) -> None:
        try:
            self._connection.send_raw(b"".join(batch.request))
        except (NoReply, ServerClosed):
            self._start_over()
        batch.request.clear()

    def _is_same(self, batch: Batch, sent_on: Connection) -> bool:
        """Whether all answers to a batch are the expected ones; its dumps are put where they belong."""
        if sent_on is not self._connection:
            return False
        dumps: dict[int, bytes] = {}
        piece: list[Expected] = []
        same = True
        try:
            for expected in batch.expected:
                if expected.kind != DUMPED:
                    piece.append(expected)
                    continue
                same = self._is_same_piece(piece) and same
                piece = []
                dumps[expected.letter] = _dump_of(self._connection.read())
            same = self._is_same_piece(piece) and same
        except (NoReply, ServerClosed):
            self._start_over()
            return False
        batch.successors = [s._replace(dump=dumps.get(s.letter, s.dump)) for s in batch.successors]
        return same

    def _is_same_piece(self, piece: Sequence[Expected]) -> bool:
        if self._connection.match(b"".join([expected.bytes_ for expected in piece])):
            return True
        same = True
        for expected in piece:
            if not self._connection.match(expected.bytes_):
                same = self._is_same_masked(expected, self._answer(expected)) and same
        return same

    def _answer(self, expected: Expected) -> bytes:
        """What the server says where that is expected; one error stands for all that there would have been."""
        wanted = frame_count(expected.bytes_) or 1
        return self._connection.read_many(wanted)

    def _is_same_masked(self, expected: Expected, answer: bytes) -> bool:
        argv = LOOK if expected.kind == LOOKED else self._letters[expected.letter].argv
        if not same_reply(argv or LOOK, expected.bytes_, answer):
            return False
        if expected.kind == LOOKED:
            self._writer.model.learn(expected.name, answer)
        return True

    def _start_over(self) -> None:
        """A new connection, when it is not known any more what is still to come on the old one."""
        self._connection.close()
        self._connection = self._connect()

    def _connect(self) -> Connection:
        connection = self._bench.server.connect(timeout=WATCHDOG_S)
        connection.send_raw(EMPTIED)
        connection.read_many(2)
        self._writer.now_ms = None
        return connection

    # -- one by one -----------------------------------------------------------------------------

    def _one_by_one(self, batch: Batch, known: Container[bytes] | None) -> Expanded:
        """Does a state again, each letter by itself; only what does not differ leads on."""
        self._start_over()
        expanded = Expanded(batch.job.number, batch.edges, [])
        new: set[bytes] = set()
        for index, _, _ in batch.outcomes:
            alone = self._writer.write(batch.job, known, only=index)
            self._send(alone)
            differences = self._differences(alone)
            expanded.differences += differences
            if not differences:
                expanded.successors += [s for s in alone.successors if s.digest not in new]
                new.update(s.digest for s in alone.successors)
        if not expanded.differences:
            last, _, _ = batch.outcomes[-1]
            expanded.differences.append(Differing(last, TOGETHER, b"", b""))
        return expanded

    def _differences(self, batch: Batch) -> list[Differing]:
        """What differs in a batch of one letter: at most its reply and the state after it."""
        found: list[Differing] = []
        dumps: dict[int, bytes] = {}
        for expected in batch.expected:
            try:
                if expected.kind == DUMPED:
                    dumps[expected.letter] = _dump_of(self._connection.read(PATIENCE_S))
                    continue
                if self._connection.match(expected.bytes_, PATIENCE_S):
                    continue
                answer = self._answer(expected)
            except (NoReply, ServerClosed):
                self._start_over()
                found.append(Differing(expected.letter, expected.kind, expected.bytes_, NOTHING))
                return found
            if not self._is_same_masked(expected, answer):
                found.append(Differing(expected.letter, expected.kind, expected.bytes_, answer))
        batch.successors = [s._replace(dump=dumps.get(s.letter, s.dump)) for s in batch.successors]
        return found


def _dump_of(frame: bytes) -> bytes:
    """The string in an answer to DUMP; empty where there is no key, which another answer tells."""
    head, _, rest = frame.partition(b"\r\n")
    return rest[:-2] if head[:1] == b"$" and head != b"$-1" else b""

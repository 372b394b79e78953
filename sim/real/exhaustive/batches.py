"""What a server is sent to take every letter in one state, and what it must answer, to the byte.

A server is brought into a state by RESTORE of the dump of the nearest state before it that survives a load, and by
the letters since. First come the letters that leave the state as it is, by the model, and one look shows whether they
did; then those that change it, with a look after each, and the server is brought back before the next.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..connection import encode
from ..virtual_clock import set_clock_command
from .alphabet import Letter
from .states import EMPTY, LOOK, STREAM_KEY, TEXT, TEXT_KEY, Model, State, Taken, digest_of

__all__ = ["DUMPED", "LOOKED", "REPLY", "SETTING", "Batch", "Expected", "Job", "Successor", "Writer"]

OK = b"+OK\r\n"
MULTI, EXEC = encode((b"MULTI",)), encode((b"EXEC",))
DUMP = encode((b"DUMP", STREAM_KEY))
EMPTIED = encode((b"FLUSHALL",)) + encode((b"SET", TEXT_KEY, TEXT))
"""What brings the server into the state without a stream."""

TIME = (b"TIME",)
ASK_TIME = encode(TIME)

SETTING, REPLY, LOOKED, DUMPED = range(4)
"""What an answer is to: what brings the server into the state, the letter itself, a look after it, a dump."""


class Job(NamedTuple):
    """A state that is to be expanded.

    `path` are the letters that lead to it from the empty server. `dump` is of the state that the last
    `since_dump` of them lead on from; empty where there is no stream in that one.
    """

    number: int
    path: tuple[int, ...]
    dump: bytes
    since_dump: int


class Expected(NamedTuple):
    """One answer of the server: to what, the letter that it is about, the bytes, and the name of the state looked at.

    The bytes of a dump are not known beforehand.
    """

    kind: int
    letter: int
    bytes_: bytes
    name: bytes = b""


class Successor(NamedTuple):
    """A state that a letter of a job leads to, which was not known before. `dump` is `None` where that is no use."""

    letter: int
    digest: bytes
    dump: bytes | None


@dataclass(slots=True)
class Batch:
    """One job, written out."""

    job: Job
    state: State
    edges: int = 0
    bringing: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """What brings the server into the state: the time, what is sent then, and the answer."""
    request: list[bytes] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    successors: list[Successor] = field(default_factory=list)
    """Their dumps are empty until the server has given them."""

    outcomes: list[tuple[int, Taken, bool]] = field(default_factory=list)
    """Letter, what it came to, and whether the state became another."""


class Writer:
    """Writes batches for one dialect and alphabet. `now_ms` is where the server's clock stands then, if known."""

    def __init__(self, model: Model, letters: Sequence[Letter]) -> None:
        self.model = model
        self.letters = letters
        self.now_ms: int | None = None
        self._encoded = [encode(letter.argv) for letter in letters]
        self._look = encode(LOOK)

    def state_of(self, path: Sequence[int]) -> State:
        """The state that a path leads to."""
        state = EMPTY
        for index in path:
            state = self.model.step(state, self.letters[index])
        return state

    def write(self, job: Job, known: Container[bytes] | None, *, only: int | None = None) -> Batch:
        """All letters in the state of a job, or `only` one of them, in the same way.

        What is new is what is not `known`; `None` where the search does not go on from here.
        """
        state = self.state_of(job.path)
        batch = Batch(job, state)
        here = state.name()
        moving: list[tuple[int, Letter, Taken, bytes]] = []
        letters = enumerate(self.letters) if only is None else [(only, self.letters[only])]
        there = False  # whether the server is in the state
        for index, letter in letters:
            taken = self._take(state, letter)
            if letter.clock_step_ms and not taken.after.is_within_bounds():
                continue
            after = here if taken.after is state else taken.after.name()
            if after != here:
                moving.append((index, letter, taken, after))
                continue
            if not there:
                self._bring(batch, index)
                there = True
            self._send(batch, index, letter, taken)
            batch.outcomes.append((index, taken, False))
        if batch.outcomes:
            self._look_at(batch, batch.outcomes[-1][0], state, here)
        self._move(batch, moving, known, there=there)
        batch.outcomes.sort(key=lambda outcome: outcome[0])
        batch.edges = len(batch.outcomes)
        return batch

    def _move(
        self,
        batch: Batch,
        moving: Sequence[tuple[int, Letter, Taken, bytes]],
        known: Container[bytes] | None,
        *,
        there: bool,
    ) -> None:
        """The letters that change the state: a look after each, and the server is brought back before the next."""
        state, new = batch.state, set[bytes]()
        for index, letter, taken, after in moving:
            if not there:
                self._bring(batch, index)
            self._send(batch, index, letter, taken)
            self._look_at(batch, index, taken.after, after)
            there = taken.after.stream is state.stream  # the clock is set back at once
            batch.outcomes.append((index, taken, True))
            if letter.moves and known is not None and taken.after.is_within_bounds():
                self._go_on(batch, index, taken.after, after, known, new)
            self._set_clock(batch, index, state.now_ms)

    # -- what is sent ---------------------------------------------------------------------------

    def _bring(self, batch: Batch, index: int) -> None:
        """Brings the server into the job's state, from wherever it is."""
        job = batch.job
        ready = batch.bringing
        if not ready:
            anchor = self.state_of(job.path[: len(job.path) - job.since_dump])
            ready.append((anchor.now_ms, _restore(job.dump), OK if job.dump else OK + OK))
            state = anchor
            for since in job.path[len(job.path) - job.since_dump :]:
                letter = self.letters[since]
                if letter.clock_step_ms:
                    state = self.model.step(state, letter)
                    continue
                taken = self.model.take(state, letter.argv)
                assert not taken.blocks, "what moves does not block"
                ready.append((state.now_ms, self._encoded[since], taken.reply))
                state = taken.after
        for now_ms, request, reply in ready:
            self._set_clock(batch, index, now_ms)
            batch.request.append(request)
            batch.expected.append(Expected(SETTING, index, reply))
        self._set_clock(batch, index, batch.state.now_ms)

    def _set_clock(self, batch: Batch, index: int, now_ms: int) -> None:
        if self.now_ms != now_ms:
            self.now_ms = now_ms
            batch.request.append(encode(set_clock_command(now_ms)))
            batch.expected.append(Expected(SETTING, index, OK))

    def _take(self, state: State, letter: Letter) -> Taken:
        if not letter.clock_step_ms:
            return self.model.take(state, letter.argv)
        after = self.model.step(state, letter)
        return self.model.take(after, TIME)._replace(after=after)

    def _send(self, batch: Batch, index: int, letter: Letter, taken: Taken) -> None:
        if letter.clock_step_ms:
            self._set_clock(batch, index, taken.after.now_ms)
            batch.request.append(ASK_TIME)
        elif taken.blocks:
            batch.request += (MULTI, self._encoded[index], EXEC)
        else:
            batch.request.append(self._encoded[index])
        batch.expected.append(Expected(REPLY, index, taken.reply))

    def _look_at(self, batch: Batch, index: int, state: State, name: bytes) -> None:
        batch.request.append(self._look)
        batch.expected.append(Expected(LOOKED, index, self.model.look(state, name), name))

    def _go_on(
        self, batch: Batch, index: int, state: State, name: bytes, known: Container[bytes], new: set[bytes]
    ) -> None:
        """Keeps a state that is new, with a dump where that brings it back whole."""
        digest = digest_of(name)
        if digest in known or digest in new:
            return
        new.add(digest)
        if not self.model.survives_a_load(state, name):
            batch.successors.append(Successor(index, digest, None))
            return
        batch.successors.append(Successor(index, digest, b""))
        if state.stream is not None:
            batch.request.append(DUMP)
            batch.expected.append(Expected(DUMPED, index, b""))


def _restore(dump: bytes) -> bytes:
    return encode((b"RESTORE", STREAM_KEY, b"0", dump, b"REPLACE")) if dump else EMPTIED

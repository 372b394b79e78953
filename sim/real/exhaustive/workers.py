"""Who expands states: this process, or several, each with a server of its own.

Which states are new is decided against those of the depths before, which all know; so what comes of a state depends
on nothing but the state, and not on who expands it, or how many there are. A worker ends, and its server with it,
when the process that started it does, however that ends.
"""

from __future__ import annotations

import gc
import signal
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection as pipes
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol

from ....models.dialects import DIALECTS
from ...errors import RedeliveryError
from ..errors import RealServerError
from ..servers import ServerBinary
from .alphabet import alphabet
from .batches import Job
from .coverage import Counts
from .probing import Expanded, Prober

__all__ = ["Crew", "Done", "Here", "Processes", "crew"]

AHEAD = 2
"""How many chunks a worker has at hand, so that it never waits for the next one."""


@dataclass(slots=True)
class Done:
    """What came of a chunk of jobs, and what was covered by them."""

    expanded: list[Expanded]
    counts: Counts


class Crew(Protocol):
    """Whoever expands states."""

    version: str

    def __enter__(self) -> Crew: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, digests: Sequence[bytes], *, goes_on: bool) -> None:
        """A depth begins: states of these names are not new any more; whether new ones are asked for."""

    def expand(self, chunks: Iterable[list[Job]]) -> Iterator[Done]:
        """Expands chunks, in their order."""


def crew(binary: ServerBinary, dialect: str, workers: int) -> Crew:
    """As many workers as are asked for; one works in this process."""
    return Here(binary, dialect) if workers == 1 else Processes(binary, dialect, workers)


class Here:
    """This process expands them."""

    def __init__(self, binary: ServerBinary, dialect: str) -> None:
        self._prober = Prober(binary, DIALECTS[dialect], alphabet(DIALECTS[dialect]))
        self.version = self._prober.version
        self._known: set[bytes] = set()
        self._goes_on = True

    def __enter__(self) -> Here:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._prober.close()

    def begin(self, digests: Sequence[bytes], *, goes_on: bool) -> None:
        """See `Crew`."""
        self._known.update(digests)
        self._goes_on = goes_on

    def expand(self, chunks: Iterable[list[Job]]) -> Iterator[Done]:
        """See `Crew`."""
        for jobs in chunks:
            expanded = self._prober.expand(jobs, self._known if self._goes_on else None)
            yield Done(expanded, self._prober.coverage.take())


class Processes:
    """Several processes expand them, each with a server of its own."""

    def __init__(self, binary: ServerBinary, dialect: str, workers: int) -> None:
        context = get_context("spawn")
        self._pipes: list[pipes.Connection[Any, Any]] = []
        self._processes = []
        try:
            for _ in range(workers):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, binary, dialect), daemon=True)
                process.start()
                theirs.close()
                self._pipes.append(ours)
                self._processes.append(process)
            self.version = [str(_received(pipe)) for pipe in self._pipes][-1]
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def begin(self, digests: Sequence[bytes], *, goes_on: bool) -> None:
        """See `Crew`."""
        for pipe in self._pipes:
            pipe.send((list(digests), goes_on))

    def expand(self, chunks: Iterable[list[Job]]) -> Iterator[Done]:
        """See `Crew`."""
        numbered = enumerate(chunks)
        at_hand: dict[int, list[int]] = {who: [] for who in range(len(self._pipes))}
        waiting: dict[int, Done] = {}
        wanted = 0
        while True:
            for _ in range(AHEAD):
                for who, numbers in at_hand.items():
                    if len(numbers) < AHEAD and (following := next(numbered, None)) is not None:
                        numbers.append(following[0])
                        self._pipes[who].send(following[1])
            if not any(at_hand.values()):
                return
            for ready in pipes.wait([self._pipes[who] for who, numbers in at_hand.items() if numbers]):
                who = self._pipes.index(ready)  # type: ignore[arg-type]
                waiting[at_hand[who].pop(0)] = _received(self._pipes[who])
            while wanted in waiting:
                yield waiting.pop(wanted)
                wanted += 1

    def _end(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=10)
            if process.is_alive():
                process.kill()
                process.join()


def _received(pipe: pipes.Connection[Any, Any]) -> Any:
    try:
        said = pipe.recv()
    except EOFError:
        raise RealServerError("a worker process has ended; see above for what it said") from None
    if isinstance(said, str) and said.startswith(FAILED):
        raise RealServerError(said.removeprefix(FAILED))
    return said


FAILED = "failed: "


def _work(pipe: pipes.Connection[Any, Any], binary: ServerBinary, dialect: str) -> None:
    """A worker process: answers each chunk of jobs, until the pipe is closed at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    gc.set_threshold(200_000)  # states hold no cycles; looking for some took a tenth of the time
    try:
        with Here(binary, dialect) as here:
            pipe.send(here.version)
            while True:
                said = pipe.recv()
                if isinstance(said, tuple):
                    digests, goes_on = said
                    here.begin(digests, goes_on=goes_on)
                else:
                    pipe.send(next(here.expand([said])))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except RedeliveryError as error:
        pipe.send(f"{FAILED}{error}")
    except Exception:
        pipe.send(FAILED + " ".join(traceback.format_exc().split()))

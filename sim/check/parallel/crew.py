"""The processes of the workers: started, asked, and never left behind.

Whoever is asked answers once. A worker that dies is noticed at once; workers notice that the process that started them
is gone, however it went, and end. They leave Ctrl-C to it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from pickle import PicklingError
from typing import Any

from ...errors import RedeliveryError

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""A fork has everything at hand; elsewhere than on Linux it is not safe, and a worker begins anew."""

DID, FAILED = "did", "failed"
"""What an answer begins with; after the second comes the error in words."""

Serve = Callable[[Connection, int, Any], None]


class Lost(RedeliveryError):
    """The worker at ``place`` is gone."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(text)
        self.place = place


class Failed(RedeliveryError):
    """A worker met an error; the text is the error's."""


class Crew:
    """Several processes, each of which runs ``serve(connection, place, what)``."""

    def __init__(self, count: int, serve: Serve, what: Any) -> None:
        self._serve, self._what = serve, what
        self._connections: list[Connection] = []
        self._processes: list[Any] = []
        try:
            for place in range(count):
                self._start(place)
        except (OSError, PicklingError, AttributeError, TypeError) as error:  # the last three: it cannot be sent
            self.end()
            raise Failed(f"no process can be started: {error}") from error
        except BaseException:
            self.end()
            raise

    def _start(self, place: int) -> None:
        context: Any = get_context(START_METHOD)
        mine, theirs = context.Pipe()
        process = context.Process(target=_run, args=(self._serve, theirs, place, self._what), daemon=True)
        with _deaf():
            process.start()
        theirs.close()
        self._connections[place : place + 1] = [mine]
        self._processes[place : place + 1] = [process]

    def renew(self, place: int) -> None:
        """Another process in the place of one that is gone."""
        self._connections[place].close()
        self._start(place)

    def ask(self, questions: Sequence[Any]) -> list[Any]:
        """One question to each, and the answers in the same order; ``Lost`` and ``Failed`` say which went wrong."""
        for place, question in enumerate(questions):
            self.put(place, question)
        answers: dict[int, Any] = {}
        while len(answers) < len(questions):
            answers |= self.hear([place for place in range(len(questions)) if place not in answers])
        return [answers[place] for place in range(len(questions))]

    def put(self, place: int, question: Any) -> None:
        """A question to one; ``Lost`` where it is gone."""
        try:
            self._connections[place].send(question)
        except OSError:
            raise self._lost(place) from None

    def hear(self, places: Collection[int]) -> dict[int, Any]:
        """Waits for an answer of some of those who were asked; ``Lost`` where one of them is gone without."""
        connections: dict[Any, int] = {self._connections[place]: place for place in places}
        ends: dict[Any, int] = {self._processes[place].sentinel: place for place in places}
        ready = connection.wait([*connections, *ends])
        answers: dict[int, Any] = {}
        for place in sorted(connections[each] for each in ready if each in connections):
            try:
                kind, answers[place] = self._connections[place].recv()
            except (EOFError, OSError):
                raise self._lost(place) from None
            if kind == FAILED:
                raise Failed(answers[place])
        if not answers:
            raise self._lost(min(ends[each] for each in ready))
        return answers

    def _lost(self, place: int) -> Lost:
        process = self._processes[place]
        process.join(1)
        code = process.exitcode
        how = f"killed by signal {-code}" if code is not None and code < 0 else "gone"
        return Lost(f"worker {place + 1} of {len(self._processes)} was {how}", place)

    def end(self) -> None:
        """Ends them all, whatever they do."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
        for each in self._connections:
            each.close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C waits: a process that begins has not said yet that it does not hear it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(serve: Serve, theirs: Connection, place: int, what: Any) -> None:
    end_with_parent()
    serve(theirs, place, what)


def end_with_parent() -> None:
    """From now on this process ends when the one that started it does, and does not hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = parent_process()
    assert parent is not None, "a worker has been started"
    threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)

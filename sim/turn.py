"""One iteration of a process's loop, as a coroutine that is driven by hand and can be made again.

A turn is a function of the answers that it got: its log. To restore one, call the function again and
feed it the log; no frame is ever inspected. Coroutines that ``gather`` starts are told apart by their
path: ``()`` is the turn itself, ``(0, 1)`` the second coroutine of its first ``gather``.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeAlias

from .errors import ScenarioError
from .requests import KINDS, Fork, Request, Scope, Sleep
from .running_loop import REFUSED, lacked, leave_stage, take_stage

Path: TypeAlias = tuple[int, ...]
Log: TypeAlias = list[tuple[Path, Any]]
"""The answers that a turn got, in order, each with the path that it went to."""


REQUESTS_MAX = 10_000
"""More of them in one turn (naps of no time among them) are a loop that never ends."""


class _Join:
    """A ``gather`` that is under way, or (``scope``) an ``activity``."""

    __slots__ = ("missing", "scope", "values")

    def __init__(self, n: int, scope: bool = False) -> None:
        self.values: list[Any] = [None] * n
        self.missing = n
        self.scope = scope


class Collapsed(NamedTuple):
    """A scope has ended: what lies below ``prefix`` may be forgotten for ``value`` at ``path``."""

    prefix: Path
    path: Path
    value: Any


class Turn:
    """A running turn: ``waiting`` holds what each of its coroutines asks for now."""

    __slots__ = (
        "_coroutines", "_forks", "_joins", "abandoned", "collapsed", "failure", "fresh", "over", "requests", "value",
        "waiting",
    )  # fmt: skip

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.waiting: dict[Path, Request] = {}
        self.fresh: list[Path] = []
        """Paths whose request is new since the last look; in order of asking."""
        self.abandoned: list[Path] = []
        """Paths that asked for something and were ended before they got it."""
        self.requests = 0
        """How many requests it has made."""
        self.collapsed: list[Collapsed] = []
        """Scopes that have ended since the last look."""
        self.over = False
        self.value: Any = None
        """What the turn returned, once it is over."""
        self.failure: Exception | None = None
        """What the turn raised, if it did."""
        self._coroutines: dict[Path, Coroutine[Any, Any, Any]] = {(): coroutine}
        self._forks: dict[Path, int] = {}
        self._joins: dict[Path, _Join] = {}
        self._resume((), None, None)

    def feed(self, path: Path, answer: Any) -> None:
        """Gives the coroutine at ``path`` the answer that it waits for; to a scope that was not opened, its value."""
        if type(self.waiting.pop(path)) is Scope:
            self._forks[path] = self._forks.get(path, 0) + 1
        self._resume(path, answer, None)

    def open(self, path: Path) -> None:
        """Starts the scope that the coroutine at ``path`` asks for."""
        scope = self.waiting.pop(path)
        assert type(scope) is Scope
        self._launch(path, (scope.call(*scope.arguments),), _Join(1, scope=True))

    def __del__(self) -> None:
        """A turn that nobody drives any more ends like one that is closed: Python would complain of its ``finally``."""
        if self._coroutines:
            self.close()

    def close(self) -> None:
        """Ends every coroutine; whatever they do while they are closed is discarded."""
        self.over = True
        self.waiting.clear()
        self.fresh.clear()
        self._joins.clear()
        for path in sorted(self._coroutines, reverse=True):
            _close(self._coroutines[path])
        self._coroutines.clear()

    def _resume(self, path: Path, answer: Any, error: Exception | None) -> None:
        coroutine = self._coroutines[path]
        before = take_stage()
        try:
            try:
                request = coroutine.send(answer) if error is None else coroutine.throw(error)
            finally:
                leave_stage(before)
        except StopIteration as stop:
            if REFUSED:
                self._raised(path, REFUSED.pop())
            else:
                self._returned(path, stop.value)
        except Exception as raised:
            self._raised(path, REFUSED.pop() if REFUSED else lacked(raised))
        else:
            if REFUSED:
                self._raised(path, REFUSED.pop())
                return
            if type(request) is Fork:
                self._start(path, request)
                return
            if request is None:  # what asyncio.sleep(0) yields: others may go first
                request = Sleep(0)
            self.requests += 1
            if self.requests > REQUESTS_MAX:
                self._raised(path, ScenarioError(ENDLESS))
            elif type(request) in KINDS:
                self.waiting[path] = request
                self.fresh.append(path)
            else:
                self._raised(path, ScenarioError(FOREIGN_AWAITABLE.format(request)))

    def _start(self, path: Path, fork: Fork) -> None:
        if fork.children:
            self._launch(path, fork.children, _Join(len(fork.children)))
        else:
            self._resume(path, [], None)

    def _launch(self, path: Path, children: tuple[Coroutine[Any, Any, Any], ...], join: _Join) -> None:
        number = self._forks.get(path, 0)
        self._forks[path] = number + 1
        self._joins[path] = join
        for i, child in enumerate(children):
            self._coroutines[*path, number, i] = child
        for i in range(len(children)):
            if self._joins.get(path) is join:  # a sibling that raised has ended all of them
                self._resume((*path, number, i), None, None)

    def _returned(self, path: Path, value: Any) -> None:
        del self._coroutines[path]
        if not path:
            self.over, self.value = True, value
            return
        parent = path[:-2]
        join = self._joins[parent]
        join.values[path[-1]] = value
        join.missing -= 1
        if not join.missing:
            del self._joins[parent]
            if join.scope:
                self.collapsed.append(Collapsed(path[:-1], parent, value))
            self._resume(parent, value if join.scope else join.values, None)

    def _raised(self, path: Path, error: Exception) -> None:
        if isinstance(error, ScenarioError):  # nothing of the program may hide what it cannot do
            self.close()
            self.failure = error
            return
        del self._coroutines[path]
        if not path:
            self.over, self.failure = True, error
            return
        parent = path[:-2]
        del self._joins[parent]
        for other in sorted((p for p in self._coroutines if p[: len(parent)] == parent and p != parent), reverse=True):
            _close(self._coroutines.pop(other))
            self._joins.pop(other, None)
            if other in self.fresh:
                self.fresh.remove(other)
            elif other in self.waiting:
                self.abandoned.append(other)
            self.waiting.pop(other, None)
        self._resume(parent, None, error)


ENDLESS = f"a turn made more than {REQUESTS_MAX:,} requests; does it never end?"

FOREIGN_AWAITABLE = (
    "a turn awaited {0!r}, which is not of the simulator: use redelivery.sleep, handle, gather and the "
    "redis that the turn is given"
)


CLOSES_MAX = 64
"""So often a coroutine is told to end: one that awaits something in a ``finally`` has to be told again."""


def _close(coroutine: Coroutine[Any, Any, Any]) -> None:
    REFUSED.clear()
    _end(coroutine)
    REFUSED.clear()


def _end(coroutine: Coroutine[Any, Any, Any]) -> None:
    for _ in range(CLOSES_MAX):
        before = take_stage()
        try:
            try:
                coroutine.close()
            finally:
                leave_stage(before)
        except RuntimeError:  # it awaited something instead
            continue
        except Exception:
            pass
        return

"""The event loop that a turn sees while it runs: enough of one for ``asyncio.sleep``.

A turn is plain asyncio code, so it may sleep as such code does. Nothing else of asyncio works inside a turn: the
world, not a loop, decides what happens next, and each refusal names what to use instead.
"""

from __future__ import annotations

from asyncio import _get_running_loop, _set_running_loop
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from math import ceil
from threading import get_ident
from typing import Any, NoReturn

from .errors import ScenarioError
from .requests import DRIVING, Sleep

INSTEAD = "use redelivery.sleep, handle, gather and the redis that the turn is given"
AS_IT_IS = "with @redelivery.simulate or redelivery verify a program runs as it is, in an event loop of simulated time"

_NAMED = {
    "create_task": "asyncio.create_task or asyncio.gather: use redelivery.gather",
    "run_in_executor": "threads: call the function directly",
    "call_later": "asyncio's timers, such as asyncio.wait_for: use redelivery.timeout",
    "timeout": "asyncio.timeout: use redelivery.timeout",
    "TaskGroup": "asyncio.TaskGroup: use redelivery.gather",
    "future": "asyncio's locks, events, queues or futures, which wait for other tasks: use redelivery.gather",
    "time": "the time of the event loop, as asyncio.timeout or a client of its own does: use redelivery.timeout, now, "
    "and the redis that it is given",
}
_OF_A_TASK = {
    "Timeout should be used inside a task": "timeout",
    "Timeout context manager should be used inside a task": "timeout",
    "cannot determine the parent task": "TaskGroup",
}
"""What asyncio says where it finds no task, and what then was used."""

REFUSED: list[ScenarioError] = []
"""A refusal that the running turn has not ended with yet; it does, whatever it catches."""


class _Nap:
    """What ``asyncio.sleep`` awaits. Its length comes after it was made, in ``call_later``."""

    __slots__ = ("ms", "result")

    def __init__(self) -> None:
        self.ms: int | None = None
        self.result: Any = None

    def __await__(self) -> Generator[Sleep, None, Any]:
        if self.ms is None:
            refuse("future")
        yield Sleep(self.ms)
        return self.result


class _Timer:
    """The handle of a nap's timer. The world holds the timer, so there is nothing to cancel here."""

    __slots__ = ()

    def cancel(self) -> None:
        """Nothing."""


class RunningLoop:
    """Stands where asyncio looks for the running loop, while a turn has control."""

    def create_future(self) -> _Nap:
        """The future that ``asyncio.sleep`` waits for."""
        return _Nap()

    def call_later(self, delay_s: float, callback: Callable[..., object], *args: Any) -> _Timer:
        """Takes the length of a nap, rounded up to whole milliseconds."""
        if len(args) != 2 or not isinstance(args[0], _Nap):
            refuse("call_later")
        nap = args[0]
        nap.result = args[1]
        nap.ms = ceil(delay_s * 1000)
        return _Timer()

    def create_task(self, coroutine: Any, **_: Any) -> NoReturn:
        """Refused; the coroutine is ended, so that Python does not complain that nobody awaited it."""
        coroutine.close()
        refuse("create_task")

    def is_running(self) -> bool:
        """It is: the turn runs."""
        return True

    def get_debug(self) -> bool:
        """No debugging of asyncio's own."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        refuse(name)


def refuse(name: str) -> NoReturn:
    """Raises what a turn cannot hide, whatever it catches: what of asyncio it used, and what to use instead."""
    REFUSED[:] = [_refusal(name)]
    raise REFUSED[0]


def _refusal(name: str) -> ScenarioError:
    what = _NAMED.get(name, f"the event loop ({name}): {INSTEAD}")
    return ScenarioError(f"a turn cannot use {what} ({AS_IT_IS})")


def lacked(error: Exception) -> Exception:
    """An error that a turn has raised; where it says that there is no task, what to use instead."""
    if type(error) is RuntimeError:
        for text, name in _OF_A_TASK.items():
            if text in str(error):
                return _refusal(name)
    return error


_STAND_IN: Any = RunningLoop()
_held_by = 0
"""The thread in which asyncio finds the stand-in although no turn has control, see ``hold_stage``; 0: in none."""


def take_stage() -> Any:
    """A turn gets control: asyncio finds the stand-in from now on. What was there before is to be given back."""
    DRIVING.turns += 1
    if _held_by == get_ident():
        return _STAND_IN
    before = _get_running_loop()
    _set_running_loop(_STAND_IN)
    return before


def leave_stage(before: Any) -> None:
    """A turn has given control back."""
    DRIVING.turns -= 1
    if before is not _STAND_IN:
        _set_running_loop(before)


@contextmanager
def hold_stage() -> Iterator[None]:
    """Leaves the stand-in where it is between turns, while nothing but turns wants an event loop: in a run, say.

    To put it there and back for every turn that goes on is dear: each time asyncio asks the system for the process.
    """
    global _held_by
    held_by, before = _held_by, _get_running_loop()
    _set_running_loop(_STAND_IN)
    _held_by = get_ident()
    try:
        yield
    finally:
        _held_by = held_by
        _set_running_loop(before)

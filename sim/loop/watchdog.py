"""A limit on real time: a run that takes longer ends with a line that says where it stood, whatever its programs do."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .on_stage import STAGE, Escaped

if TYPE_CHECKING:
    from .world import LoopWorld

REAL_S_MAX = 60.0
"""How long a run may take, in seconds of real time."""
AGAIN_S = 0.5
"""A program that catches everything is stopped again, so often."""


class Stopped(BaseException):
    """Ends the callback that has control: programs catch exceptions, and few of them this one."""


@contextmanager
def watched(world: LoopWorld, real_s_max: float) -> Iterator[None]:
    """Stops what runs inside after so much real time; then ``world.escaped`` says where it stood."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        guard = _by_signal(world, real_s_max)
    else:
        guard = _by_thread(world, real_s_max)
    with guard:
        yield


def _bark(world: LoopWorld, real_s_max: float) -> None:
    program = STAGE.program
    if STAGE.fiber is not None:
        _stop(STAGE.thread)
    if world.escaped is None:
        where = f"the world stood at {world.now_ms} ms of its own time"
        if program is not None:
            where = f"{program.name} had control, at {world.now_ms} ms of the world's time"
        world.escaped = Escaped(
            f"a run took more than {real_s_max:g} s of real time; {where}: does it loop without awaiting, wait for a "
            f"lock, or send commands without a pause?"
        )


def _stop(thread: int) -> None:
    """Raises ``Stopped`` in another thread, as soon as it runs Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stopped))


@contextmanager
def _by_signal(world: LoopWorld, real_s_max: float) -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        _bark(world, real_s_max)
        if STAGE.program is not None:
            raise Stopped

    before = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, real_s_max, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, again)


@contextmanager
def _by_thread(world: LoopWorld, real_s_max: float) -> Iterator[None]:
    """Where there are no signals: it ends loops of Python, and not what waits in C."""
    owner = threading.get_ident()
    over = threading.Event()

    def watch() -> None:
        wait_s = real_s_max
        while not over.wait(wait_s):
            wait_s = AGAIN_S
            _bark(world, real_s_max)
            if STAGE.program is not None:
                _stop(owner)

    thread = threading.Thread(target=watch, name="redelivery-watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

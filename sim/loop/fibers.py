"""Threads that take turns: code that blocks runs in a thread of its own, and only while it has the baton.

A program that is a plain function runs so. Where it would block (a socket that has nothing yet, ``time.sleep``) it
gives the baton back to the world, and gets it again when what it waits for has come: one thread runs at any time, and
the world says which.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from .on_stage import STAGE

if TYPE_CHECKING:
    from .program import Program

T = TypeVar("T")


class FiberKilled(BaseException):
    """Unwinds a thread of a program that is dead, when its world is over."""


class Fiber:
    """One thread of a program."""

    def __init__(self, program: Program, call: Callable[[], Any]) -> None:
        assert program.loop is not None
        self.program, self.loop = program, program.loop
        self.ended: asyncio.Future[Any] = self.loop.create_future()
        self.is_over = self.is_killed = False
        self._call = call
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._main, name=f"redelivery-{program.name}", daemon=True)
        STAGE.program = None  # the thread is ours, not the program's
        self._thread.start()
        STAGE.program = program

    # -- what the world calls --------------------------------------------------------------------------

    def resume(self) -> None:
        """Gives it the baton until it has to wait, or is over."""
        if self.is_over or (self.loop.dead and not self.is_killed):
            return
        fiber, thread = STAGE.fiber, STAGE.thread
        STAGE.fiber, STAGE.thread = self, self._thread.ident or 0
        self._go.release()
        try:
            self._back.acquire()
        finally:
            STAGE.fiber, STAGE.thread = fiber, thread

    def kill(self) -> None:
        """Ends the thread: its ``finally`` blocks run, and reach nobody."""
        self.is_killed = True
        while not self.is_over:
            self.resume()
        self._thread.join()

    # -- what its own thread calls ---------------------------------------------------------------------

    def wait(self, future: asyncio.Future[T]) -> T:
        """Blocks until the future is done."""
        if self.is_killed:
            raise FiberKilled
        if not future.done():
            future.add_done_callback(lambda done: self.resume())
            self._switch()
        return future.result()

    def sleep(self, seconds: float) -> None:
        """Blocks for so long, in the world's time."""
        over = self.loop.create_future()
        self.loop.call_later(max(seconds, 0), _ring, over)
        self.wait(over)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Blocks until a coroutine has run on the program's loop."""
        if self.is_killed:
            coroutine.close()
            raise FiberKilled
        return self.wait(self.loop.create_task(coroutine))

    def _switch(self) -> None:
        self._back.release()
        self._go.acquire()
        if self.is_killed:
            raise FiberKilled

    def _main(self) -> None:
        value: Any = None
        error: BaseException | None = None
        self._go.acquire()
        try:
            if not self.is_killed:
                value = self._call()
        except FiberKilled:
            pass
        except BaseException as raised:
            error = raised
        self._call = _nothing
        self.is_over = True
        if not self.loop.dead:
            if error is not None:
                self.ended.set_exception(error)
            else:
                self.ended.set_result(value)
        del value, error
        self._back.release()


def _nothing() -> None:
    """What a fiber that is over has left to do."""


def _ring(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def in_fiber(program: Program, call: Callable[[], Any]) -> Any:
    """Calls a function that may block, and awaits its value."""
    fiber = Fiber(program, call)
    program.fibers.append(fiber)
    fiber.loop.call_soon(fiber.resume)
    return await fiber.ended


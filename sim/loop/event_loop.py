"""An asyncio event loop in virtual time: the world decides when its callbacks run, and what time it is."""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, TypeVarTuple, Unpack

from .on_stage import Escaped, escape

if TYPE_CHECKING:
    from .program import Program

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

CANCELLED_MAX = 100
"""With more cancelled timers than this, and more than half of all, they are thrown away."""
NEVER_US = 1 << 62


class SimulatedLoop(asyncio.BaseEventLoop):
    """The loop of one life of a program. Its time begins at 0 with the world, and counts whole microseconds."""

    _ready: deque[Any]
    _scheduled: list[Any]
    _timer_cancelled_count: int

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dead = True
        """Its process is gone: nothing of it runs any more, not even what is left to clean up."""
        super().__init__()
        self._clock_resolution = 1e-6
        self.set_debug(False)
        self.dead = False
        self.set_exception_handler(self._complain)
        self._signals: dict[int, Callable[..., object]] = {}

    # -- time and turns --------------------------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the world began."""
        return self.program.now_us() / 1e6

    def is_running(self) -> bool:
        """It is, until its process is gone."""
        return not self.dead

    def next_timer_us(self) -> int:
        """When its next timer is due, in µs of the world."""
        scheduled = self._scheduled
        if self._timer_cancelled_count > CANCELLED_MAX and self._timer_cancelled_count * 2 > len(scheduled):
            left = [handle for handle in scheduled if not handle._cancelled]
            for handle in scheduled:
                handle._scheduled = not handle._cancelled
            heapq.heapify(left)
            self._scheduled = scheduled = left
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0]._cancelled:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            self._timer_cancelled_count -= 1
        return _us(scheduled[0]._when) if scheduled else NEVER_US

    def rouse(self, now_us: int) -> None:
        """Makes the timers ready that are due."""
        while self.next_timer_us() <= now_us:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def has_ready(self) -> bool:
        """Whether a callback is waiting."""
        return bool(self._ready)

    def run_next(self) -> None:
        """Runs the callback that has waited longest."""
        handle = self._ready.popleft()
        if not handle._cancelled:
            handle._run()

    def die(self) -> list[Any]:
        """The process is gone. What it leaves must be kept until the world is over: see ``Graveyard``."""
        self.dead = True
        left = [*self._ready, *self._scheduled]
        self._ready = deque()
        self._scheduled = []
        return left

    # -- asyncio's own ---------------------------------------------------------------------------------

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Any = None
    ) -> asyncio.Handle:
        """As asyncio's; on a dead loop nothing is ever called."""
        handle = events.Handle(callback, args, self, context)
        if not self.dead:
            self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Any = None
    ) -> asyncio.Handle:
        """The same: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Any = None
    ) -> asyncio.TimerHandle:
        """As asyncio's."""
        timer = events.TimerHandle(when, callback, args, self, context)
        if not self.dead:
            heapq.heappush(self._scheduled, timer)
            timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Any = None
    ) -> asyncio.TimerHandle:
        """As asyncio's."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if self.dead or self.program.world.over or isinstance(error, Escaped):
            return
        told = f": {type(error).__name__}: {error}" if error is not None else ""
        self.program.complaints.append(str(context.get("message")) + told)

    # -- threads, signals ------------------------------------------------------------------------------

    def run_in_executor(
        self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Calls the function at once; where it sleeps, its result comes so much later, and the loop goes on."""
        program = self.program
        future: asyncio.Future[Any] = self.create_future()
        busy_us = program.busy_until_us
        began_us = program.now_us()
        value: Any = None
        error: BaseException | None = None
        try:
            value = func(*args)
        except Escaped:
            raise
        except BaseException as raised:
            error = raised
        took_us = program.now_us() - began_us
        program.busy_until_us = busy_us
        if took_us:
            self.call_later(took_us / 1e6, _settle, future, value, error)
        else:
            self.call_soon(_settle, future, value, error)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    def add_signal_handler(
        self, sig: int, callback: Callable[[Unpack[Ts]], object], *args: *Ts
    ) -> None:
        """Noted; no signal ever comes."""
        self._signals[sig] = callback

    def remove_signal_handler(self, sig: int) -> bool:
        """Forgets it."""
        return self._signals.pop(sig, None) is not None

    # -- the network -----------------------------------------------------------------------------------

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """Connects to the simulated server; ``ConnectionRefusedError`` for every other address."""
        if options.get("ssl"):
            escape(f"connects to {host}:{port} with TLS, which is not simulated: use redis://")
        return await self.program.world.network.connect(self.program, protocol_factory, host, port)

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **options: Any) -> Any:
        """Connects to the simulated server, whatever the path."""
        return await self.program.world.network.connect(self.program, protocol_factory, None, None)

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Every name has the one address of this machine."""
        import socket

        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", int(port or 0)))]

    async def create_server(self, *args: Any, **options: Any) -> Any:
        """Refused: nobody could connect."""
        self._refuse("listens on a socket")

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        """Refused."""
        self._refuse("starts another program")

    async def subprocess_shell(self, *args: Any, **options: Any) -> Any:
        """Refused."""
        self._refuse("starts another program")

    def run_until_complete(self, future: Any) -> Any:
        """Refused: the world runs it."""
        if asyncio.iscoroutine(future):
            future.close()
        self._refuse("runs an event loop inside the one that runs it")

    def run_forever(self) -> None:
        """Refused: the world runs it."""
        self._refuse("runs an event loop inside the one that runs it")

    def close(self) -> None:
        """Nothing: the world ends it."""

    def __del__(self) -> None:
        """Nothing was opened, so nothing has to be closed."""

    def _refuse(self, what: str) -> NoReturn:
        escape(f"{what}, which is not simulated: a process is an async function that uses asyncio and redis alone")
        raise NotImplementedError(what)


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(RuntimeError("StopIteration") if isinstance(error, StopIteration) else error)


def _us(when_s: float) -> int:
    """Seconds as whole µs, rounded up: a timer never fires early."""
    return ceil(round(when_s * 1e6, 2))

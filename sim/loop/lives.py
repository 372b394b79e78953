"""The programs of a world and their lives: they rise, die, are started again, stand still, and are cut off."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from .. import events
from ..errors import BadInput, RedeliveryError
from ..faults import ClockDrift, ClockJump
from ..history import History
from ..wire.clock import EPOCH_MS
from .books import Books
from .event_loop import SimulatedLoop
from .fibers import in_fiber
from .links import Links
from .network import ClientTransport
from .on_stage import STAGE
from .program import Main, Program
from .served import SimulatedServer

if TYPE_CHECKING:
    from .world import LoopWorld

EMPTY = contextvars.Context()


class Lives:
    """Who is in a world, what time it is there, and what is written down of it."""

    server: SimulatedServer
    links: Links
    entropy: int
    """What the chance of all programs begins with."""

    def __init__(self) -> None:
        self.epoch_ms = EPOCH_MS
        self.now_us = 0
        self.steps = 0
        self.over = False
        self.history = History()
        self.programs: list[Program] = []
        self.books = Books(self.programs)
        self.escaped: RedeliveryError | None = None
        self.unsupported: dict[str, None] = {}
        """Commands that a client sent and the dialect does not have."""
        self.waits_for: Program | None = None
        """A test that is a process itself: the world lives until it is over."""
        self.failures: dict[str, Exception] = {}
        """The error that ended that process, by its name."""
        self.graveyard: list[Any] = []
        """What dead programs leave: were it thrown away, Python would run their ``finally`` blocks now."""
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0

    @property
    def now_ms(self) -> int:
        """True time, in ms since the world began."""
        return self.now_us // 1000

    def end_session(self, transport: ClientTransport) -> None:
        """The program's end of a connection is gone, and the server knows."""
        if not transport.peer.is_closed:
            transport.peer.is_closed = True
            transport.peer.connection.connection_lost(None)

    def start(
        self, name: str, main: Main, *, host: str = "", start_ms: int = 0,
        restart_ms: int | None = None,
    ) -> Program:  # fmt: skip
        """Adds a process. ``main`` is an async function, or a plain one that may block; called in each of its lives.

        If it takes an argument, that is its program. It is started again ``restart_ms`` after it died, if at all.
        """
        if any(program.name == name for program in self.programs):
            raise BadInput(f"two processes are called {name!r}")
        if not callable(main):
            raise BadInput(f"process {name!r}: {main!r} is not an async function")
        program = Program(cast("LoopWorld", self), name, main, host=host, start_ms=start_ms, restart_ms=restart_ms)
        self.programs.append(program)
        self.at(start_ms * 1000, lambda: self._rise(program))
        return program

    def at(self, at_us: int, action: Callable[[], None]) -> None:
        """Does something at a time of the world."""
        self._serial += 1
        heapq.heappush(self._agenda, (at_us, self._serial, action))

    def record(self, event: events.Event) -> None:
        """Writes an event down."""
        if not self.over:
            self.history.events.append(event)

    def record_late(self, program: Program, event: events.Event) -> None:
        """Writes down what a program does: if its thread sleeps, at the time at which it has slept."""
        if program.busy_until_us <= self.now_us:
            self.record(event)
            return
        life, at_us = program.incarnation, program.busy_until_us

        def tell() -> None:
            if program.is_alive and program.incarnation == life:
                self.record(event._replace(at_ms=self.now_ms))

        self.at(at_us, tell)

    def note(self, receiver: Program | None, facts: Sequence[Any]) -> None:
        """Keeps the books of who has which entry."""
        self.books.note(receiver, facts)

    # -- lives -----------------------------------------------------------------------------------------

    def _rise(self, program: Program) -> None:
        program.incarnation += 1
        program.doomed = False
        program.busy_until_us = self.now_us
        program.paused_until_us = None
        program.ready_since = self.steps
        program.random.seed(f"{self.entropy}/{program.name}/{program.incarnation}")
        loop = program.loop = SimulatedLoop(program)
        self.record(events.Started(self.now_ms, program.name, program.name, program.host, program.incarnation))
        STAGE.program = program
        asyncio._set_running_loop(loop)
        try:
            program.task = EMPTY.copy().run(self._begin, program, loop)
        finally:
            asyncio._set_running_loop(None)
            STAGE.program = None

    def _begin(self, program: Program, loop: SimulatedLoop) -> asyncio.Task[Any]:
        needed = [p for p in inspect.signature(program.main).parameters.values() if p.default is p.empty]
        arguments = (program,) if needed else ()

        async def body() -> None:
            if inspect.iscoroutinefunction(program.main):
                await program.main(*arguments)
                return
            value = await in_fiber(program, lambda: program.main(*arguments))
            if inspect.isawaitable(value):
                await value

        async def main() -> None:
            try:
                await body()
            except asyncio.CancelledError:
                self._leave(program, "CancelledError")
            except Exception as error:
                if program.is_alive and program is self.waits_for:
                    self.failures[program.name] = error
                self._leave(program, _told(error))
            else:
                self._finish(program)

        return loop.create_task(main(), name=program.name)

    def _leave(self, program: Program, message: str) -> None:
        """A program ended by an error: its process is gone when the callback at hand is over."""
        if program.is_alive:
            program.doomed = True
            self.at(self.now_us, lambda: None)
            self._die(program, "raised", message)

    def _finish(self, program: Program) -> None:
        if program.is_alive:
            program.finished = True
            self.record(events.Finished(self.now_ms, program.name))
            self._lay_down(program)

    def crash(self, program: Program) -> None:
        """A program stops dead; if it is on stage, when the callback at hand is over."""
        if STAGE.program is program:
            program.doomed = True
        elif program.loop is not None:
            self._die(program, "fault", "crashed")

    def _die(self, program: Program, why: str, message: str) -> None:
        if program.loop is None:
            return
        self.record(events.Crashed(self.now_ms, program.name, why, message))
        self._lay_down(program)
        if program.restart_ms is not None:
            self.at(self.now_us + program.restart_ms * 1000, lambda: self._rise(program))

    def _lay_down(self, program: Program) -> None:
        loop = program.loop
        assert loop is not None
        self.graveyard += [*loop.die(), *asyncio.all_tasks(loop), *loop._asyncgens, loop, program.task]  # type: ignore[attr-defined]
        for transport in tuple(program.transports):
            self.graveyard.append(transport)
            transport.is_closed = True
            self.links.hang_up(transport)
        program.transports.clear()
        program.loop = None
        program.task = None
        program.holds.clear()
        program.working.clear()
        program.done.clear()

    # -- faults ----------------------------------------------------------------------------------------

    def pause(self, program: Program, for_ms: int) -> None:
        """A program stands still; what comes for it waits."""
        program.paused_until_us = until_us = self.now_us + for_ms * 1000
        self.record(events.Paused(self.now_ms, program.name, for_ms))
        incarnation = program.incarnation

        def go_on() -> None:
            if program.incarnation == incarnation and program.paused_until_us == until_us and program.loop is not None:
                program.paused_until_us = None
                self.record(events.Resumed(self.now_ms, program.name))

        self.at(until_us, go_on)

    def reset(self, program: Program) -> None:
        """All connections of a program break."""
        self.record(events.Disconnected(self.now_ms, program.name))
        for transport in tuple(program.transports):
            self.server.drop(transport.peer.connection)

    def jump(self, fault: ClockJump) -> None:
        """The clocks of a host are set."""
        for program in self.programs:
            if program.host == fault.host:
                program.offset_ms += fault.by_ms
        self.record(events.ClockJumped(self.now_ms, fault.host, fault.by_ms))

    def drift(self, fault: ClockDrift) -> None:
        """The clocks of a host go wrong from now on."""
        for program in self.programs:
            if program.host == fault.host:
                program.drift_by(fault.ms_a_second)
        self.record(events.ClockDrifts(self.now_ms, fault.host, fault.ms_a_second))


def _told(error: BaseException) -> str:
    """An error in one line; of a group, its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".splitlines()[0]

"""A world of unmodified asyncio programs around one served model: whose turn it is, and when time passes.

Time passes when no program has anything to do. Where several have, the tape says which goes on; it goes on until it
has done something that others can see, or has nothing left to do: what it does by itself in between concerns nobody.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from ...models.dialects import DEFAULT, DIALECTS
from ...models.survivors import FILE, follow
from .. import events
from ..choices import Choices
from ..errors import BadInput, RedeliveryError, unknown
from ..faults import ClockJump, Fault
from ..history import History
from ..server_faults import Failover, ServerRestart
from ..striking import MOSTLY
from ..wire.clock import EPOCH_MS
from .books import Books
from .event_loop import NEVER_US, SimulatedLoop
from .network import ClientTransport, Network
from .on_stage import STAGE, Escaped
from .program import Main, Program
from .served import SimulatedServer
from .strikes import Strikes
from .watchdog import REAL_S_MAX, Stopped, watched

STEPS_AT_ONCE = 500
"""So many callbacks take a program a millisecond: without it, a loop that never waits would stop time."""
ENTROPY = 1 << 29

EMPTY = contextvars.Context()


@runtime_checkable
class PicksProcesses(Protocol):
    """Choices that want to know between whom they choose."""

    def pick_process(self, names: Sequence[str]) -> int:
        """Which of these goes on; it is an answer of the tape like any other."""


class LoopWorld:
    """One run. Add programs with ``start``, then ``run`` it once; afterwards ``history`` tells everything."""

    def __init__(
        self, choices: Choices, *, dialect: str = DEFAULT, faults: Sequence[Fault] = (), faults_ms: int = 10_000,
        within_ms: int = 20_000, real_s_max: float = REAL_S_MAX,
    ) -> None:  # fmt: skip
        if dialect not in DIALECTS:
            raise unknown("dialect", dialect, DIALECTS)
        self.choices = choices
        self.real_s_max = real_s_max
        self.epoch_ms = EPOCH_MS
        self.now_us = 0
        self.heal_us, self.end_us = faults_ms * 1000, (faults_ms + within_ms) * 1000
        self.healed = self.over = False
        self.history = History()
        self.programs: list[Program] = []
        self.escaped: RedeliveryError | None = None
        self.unsupported: dict[str, None] = {}
        """Commands that a client sent and the dialect does not have."""
        self.strikes = Strikes(self, faults)
        self.entropy = choices.choose(ENTROPY, "entropy")
        """What the chance of all programs begins with."""
        self.books = Books(self.programs)
        self.server = SimulatedServer(self, dialect)
        self.network = Network(self)
        self.acted = False
        """Whether the callback at hand did something that others see."""
        self.steps = 0
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self.graveyard: list[Any] = []
        """What dead programs leave: were it thrown away, Python would run their ``finally`` blocks now."""
        survivors = [fault for fault in faults if isinstance(fault, ServerRestart | Failover)]
        for fault in survivors:
            if isinstance(fault, Failover) or fault.keeps == FILE:
                follow(self.server.model, "replica" if isinstance(fault, Failover) else FILE, fault.loses)

    @property
    def now_ms(self) -> int:
        """True time, in ms since the world began; for a program whose thread sleeps, the time at which it acts."""
        return self.now_us // 1000

    # -- who is in it ----------------------------------------------------------------------------------

    def start(
        self, name: str, main: Main | Callable[[], Any], *, host: str = "", start_ms: int = 0,
        restart_ms: int | None = None,
    ) -> Program:  # fmt: skip
        """Adds a process. ``main`` is an async function of its program, or of nothing; called in each of its lives."""
        if any(program.name == name for program in self.programs):
            raise BadInput(f"two processes are called {name!r}")
        if not callable(main):
            raise BadInput(f"process {name!r}: {main!r} is not an async function")
        called: Any = main
        needed = [p for p in inspect.signature(main).parameters.values() if p.default is p.empty]
        body: Main = called if needed else lambda program: called()
        program = Program(self, name, body, host=host, start_ms=start_ms, restart_ms=restart_ms)
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

    # -- the run ---------------------------------------------------------------------------------------

    def run(self) -> History:
        """Runs the world to its end. ``RedeliveryError`` where a program left the simulation."""
        from .stand_ins import standing_in

        with standing_in(self), watched(self, self.real_s_max):
            try:
                while self._step():
                    if self.escaped is not None:
                        raise self.escaped
                if self.escaped is not None:
                    raise self.escaped
                self.now_us = max(self.now_us, self.end_us)
                self._heal()
                self.record(events.Ended(self.now_ms))
            finally:
                self._bury()
        return self.history

    def _step(self) -> bool:
        ready = [program for program in self.programs if self._may_go_on(program)]
        if not ready:
            return self._let_time_pass()
        self.steps += 1
        if len(ready) > 1:
            ready.sort(key=lambda program: program.ready_since)
            program = ready[self._pick([program.name for program in ready])]
        else:
            program = ready[0]
        self._go_on(program)
        program.ready_since = self.steps
        return True

    def _pick(self, names: list[str]) -> int:
        if isinstance(self.choices, PicksProcesses):
            return self.choices.pick_process(names)
        return self.choices.choose(len(names), "next process")

    def _may_go_on(self, program: Program) -> bool:
        return (
            program.loop is not None
            and program.paused_until_us is None
            and program.busy_until_us <= self.now_us
            and program.loop.has_ready()
        )

    def _go_on(self, program: Program) -> None:
        loop = program.loop
        assert loop is not None
        self.acted = False
        STAGE.program = program
        asyncio._set_running_loop(loop)
        try:
            while loop.has_ready() and not self.acted and not program.doomed and self.escaped is None:
                loop.run_next()
                program.steps_at_once += 1
                if program.steps_at_once >= STEPS_AT_ONCE:
                    program.steps_at_once = 0
                    program.sleep_us(1000)
                if program.busy_until_us > self.now_us:
                    break
        except (SystemExit, Escaped, Stopped) as error:
            if isinstance(error, SystemExit):
                self._leave(program, f"SystemExit: {error.code}")
        finally:
            asyncio._set_running_loop(None)
            STAGE.program = None
        if program.doomed:
            self._die(program, "fault", "crashed")

    def _let_time_pass(self) -> bool:
        """To the next time at which something happens; false where nothing does before the end."""
        next_us = self._agenda[0][0] if self._agenda else NEVER_US
        for program in self.programs:
            if program.loop is None or program.paused_until_us is not None:
                continue
            if program.busy_until_us > self.now_us:
                next_us = min(next_us, program.busy_until_us)
            else:
                next_us = min(next_us, program.loop.next_timer_us())
        deadline_ms = self.server.time.next_ms()
        if deadline_ms is not None:
            next_us = min(next_us, (deadline_ms - self.epoch_ms) * 1000)
        if not self.healed and next_us >= self.heal_us:
            self.now_us = max(self.now_us, self.heal_us)
            self._heal()
        if next_us > self.end_us:
            return False
        before_ms = self.now_ms
        self.now_us = max(self.now_us, next_us)
        if self.now_ms != before_ms or (deadline_ms is not None and deadline_ms - self.epoch_ms <= self.now_ms):
            self.server.time.move_to(self.epoch_ms + self.now_ms)
            self.server.flush()
            self.server.settle()
        while self._agenda and self._agenda[0][0] <= self.now_us:
            heapq.heappop(self._agenda)[2]()
        for program in self.programs:
            if program.loop is not None and program.paused_until_us is None:
                program.steps_at_once = 0
                if program.busy_until_us <= self.now_us:
                    program.loop.rouse(self.now_us)
        return True

    def _heal(self) -> None:
        if not self.healed:
            self.healed = True
            self.record(events.Healed(self.now_ms))

    def _bury(self) -> None:
        """The world is over: what is left of its programs goes, and none of it reaches anybody."""
        self.over = True
        for program in self.programs:
            if program.loop is not None:
                self._lay_down(program)
        self._agenda.clear()

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
        body = program.main(program)
        if not inspect.isawaitable(body):
            raise BadInput(f"process {program.name!r}: its main is not an async function; it gave {body!r}")

        async def main() -> None:
            try:
                await body
            except asyncio.CancelledError:
                self._leave(program, "CancelledError")
            except Exception as error:
                self._leave(program, f"{type(error).__name__}: {error}".splitlines()[0])
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
            self.end_session(transport)
        program.transports.clear()
        program.loop = None
        program.task = None
        program.holds.clear()

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

    def strike_server(self, fault: Any) -> None:
        """What strikes the server does so when the request at hand is over."""
        lacking = -1
        if isinstance(fault, Failover) or (isinstance(fault, ServerRestart) and fault.keeps == FILE):
            lacking = fault.loses
            if fault.loses:
                odds = (MOSTLY * fault.loses, *[1] * fault.loses)
                lacking -= self.choices.choose(fault.loses + 1, "units that arrived after all", odds)
        self.server.afterwards(lambda: self.server.struck(fault, lacking))

    # -- the network -----------------------------------------------------------------------------------

    def carry(self, transport: ClientTransport, data: bytes) -> None:
        """Brings what a program sent to the server: at once, or when its thread has slept."""
        program = transport.program
        if not program.is_alive or transport.loop is not program.loop or transport.is_silent:
            return
        if program.busy_until_us > self.now_us:
            self.at(program.busy_until_us, lambda: self._arrive(transport, data))
        else:
            self._arrive(transport, data)

    def _arrive(self, transport: ClientTransport, data: bytes) -> None:
        program = transport.program
        if transport.is_closed or transport.is_silent or not program.is_alive:
            return
        self.acted = True
        self.strikes.on_act(program)
        if transport.is_closed or not program.is_alive:
            return
        transport.peer.connection.receive(data)
        self.server.settle()
        if program.is_alive:
            self.strikes.on_act(program)

    def end_session(self, transport: ClientTransport) -> None:
        """The program's end of a connection is gone, and the server knows."""
        if not transport.peer.is_closed:
            transport.peer.is_closed = True
            transport.peer.connection.connection_lost(None)


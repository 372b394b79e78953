"""A world of unmodified asyncio programs around one served model: whose turn it is, and when time passes.

Time passes when no program has anything to do. Where several have, the tape says which goes on; it goes on until it
has done something that others can see, or has nothing left to do: what it does by itself in between concerns nobody.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from threading import get_ident
from typing import Protocol, runtime_checkable

from ...models.dialects import DEFAULT, DIALECTS
from ...models.journal import NOTHING
from ...models.survivors import follow
from .. import events
from ..choices import Choices
from ..errors import unknown
from ..faults import Fault, OfServer
from ..history import History
from ..server_faults import MAXMEMORY, SOMEBODY, CutReplica, Evict, Failover, Flush, ServerRestart
from ..striking import MOSTLY
from .event_loop import NEVER_US
from .links import Links
from .lives import Lives
from .network import Network
from .on_stage import STAGE, Escaped
from .program import Program
from .served import SimulatedServer
from .strikes import REACH, Strikes
from .watchdog import REAL_S_MAX, Stopped, watched

STEPS_AT_ONCE = 500
"""So many callbacks take a program a millisecond: without it, a loop that never waits would stop time."""
ENTROPY = 1 << 29

@runtime_checkable
class PicksProcesses(Protocol):
    """Choices that want to know between whom they choose."""

    def pick_process(self, names: Sequence[str]) -> int:
        """Which of these goes on; it is an answer of the tape like any other."""


class LoopWorld(Lives):
    """One run. Add programs with ``start``, then ``run`` it once; afterwards ``history`` tells everything."""

    def __init__(
        self, choices: Choices, *, dialect: str = DEFAULT, faults: Sequence[Fault] = (), faults_ms: int = 10_000,
        within_ms: int = 20_000, real_s_max: float = REAL_S_MAX, reach: int = REACH,
    ) -> None:  # fmt: skip
        if dialect not in DIALECTS:
            raise unknown("dialect", dialect, DIALECTS)
        super().__init__()
        self.choices = choices
        self.real_s_max = real_s_max
        self.heal_us, self.end_us = faults_ms * 1000, (faults_ms + within_ms) * 1000
        self.healed = False
        self.strikes = Strikes(self, faults, reach)
        self.entropy = choices.choose(ENTROPY, "entropy")
        self.server = SimulatedServer(self, dialect)
        self.network = Network(self)
        self.links = Links(self)
        self.acted = False
        """Whether the callback at hand did something that others see."""
        survivors = [fault for fault in faults if isinstance(fault, ServerRestart | Failover)]
        for fault in survivors:
            if isinstance(fault, Failover) or fault.keeps != NOTHING:
                follow(self.server.model, "replica" if isinstance(fault, Failover) else fault.keeps, fault.loses)

    # -- the run ---------------------------------------------------------------------------------------

    def run(self) -> History:
        """Runs the world to its end. ``RedeliveryError`` where a program left the simulation."""
        from .stand_ins import standing_in

        STAGE.thread = get_ident()
        around = asyncio._get_running_loop()  # notebooks run in a loop, and so do tests: it must find itself again
        asyncio._set_running_loop(None)
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
                asyncio._set_running_loop(around)
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
            if self.waits_for is None or not self.waits_for.is_alive or next_us >= NEVER_US:
                return False
            self.end_us = next_us
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
            STAGE.program = program
            for fiber in program.fibers:
                fiber.kill()
            program.fibers.clear()
            STAGE.program = None
        self._agenda.clear()

    def forget(self) -> None:
        """Lets go of what happened, once it has been told: libraries keep tasks that never end, and so this world."""
        self.history = History()
        recorder = self.server.recorder
        if recorder is not None:
            recorder.history = self.history

    # -- faults ----------------------------------------------------------------------------------------

    def strike_server(self, fault: OfServer) -> None:
        """What strikes the server does so when the request at hand is over."""
        server, choices = self.server, self.choices
        if isinstance(fault, Flush):
            server.afterwards(lambda: server.run_for(SOMEBODY, (b"FLUSHALL",)))
        elif isinstance(fault, Evict):
            keys = server.model.evictable(tuple(key.encode() for key in fault.keys), fault.volatile)
            if keys:
                key = keys[choices.choose(len(keys), "key that is evicted")]
                server.afterwards(lambda: server.run_for(MAXMEMORY, (b"DEL", key)))
        elif isinstance(fault, CutReplica):
            now_ms = server.clock.now_ms()
            server.model.cut_off(now_ms + fault.for_ms)
            self.record(events.ReplicaCut(self.now_ms, now_ms, fault.for_ms))
        else:
            server.afterwards(lambda: server.fall(fault, self._lacking(fault)))

    def _lacking(self, fault: ServerRestart | Failover) -> int:
        """How many units of what the server told are lost with it; -1 is everything."""
        if isinstance(fault, ServerRestart) and fault.keeps == NOTHING:
            return -1
        lacking = fault.loses + self.server.model.lacks_for_sure(self.server.clock.now_ms())
        if fault.loses:
            odds = (MOSTLY * fault.loses, *[1] * fault.loses)
            lacking -= self.choices.choose(fault.loses + 1, "units that arrived after all", odds)
        return lacking

"""Faults at work: whom each may strike now, and what happens when it does."""

from __future__ import annotations

from collections.abc import Sequence

from ..models.journal import FILE, NOTHING
from ..models.survivors import FAILOVER, FROM_SNAPSHOT, RESTART
from . import events
from .choices import Choices
from .client_policies import RESET
from .faults import (
    REPLY,
    REQUEST,
    SILENCE,
    ClockDrift,
    ClockJump,
    Crash,
    Delay,
    FailHandler,
    Fault,
    OfClock,
    OfLink,
    OfMany,
    OfMessage,
    OfServer,
    OfWork,
    Pause,
    Reset,
    SlowHandler,
)
from .kernel import Scheduled
from .link_faults import CONNECTIONS, HostPartition
from .mending import Mending
from .plan import SERVER
from .process import Running
from .server_faults import MAXMEMORY, SOMEBODY, CutReplica, Evict, Flush, ServerRestart
from .steps import Arrive, Due, Happening, Mend, Resume, Strike, Wake

MOSTLY = 20
"""So many times more often than not all that may be lost with a server is, where chance decides."""
AT_HAND = (OfMessage, OfWork)
"""Faults that strike what is just due."""
LIFE = (Crash, Pause)
"""Faults that strike a process, whatever it is at."""


class Struck(Mending):
    """A stage on which something may go wrong."""

    __slots__ = ()

    def _leave(self, index: int, why: str, message: str, choices: Choices) -> None:
        raise NotImplementedError

    def is_held(self, item: Scheduled[Happening]) -> bool:
        """Whether an event that is due has to wait: its process is paused, or has nothing to look at."""
        running = self.processes[item.event.process]
        if running.resumes_ms is None:
            return running.parked and self.plan.frozen
        if not isinstance(item.event, Resume | Mend):
            return not (isinstance(item.event, Arrive) and item.at_ms > item.event.sent_ms)
        return self.plan.frozen and running.parked

    def _struck_by(self, fault: int, at_ms: int, due: Sequence[Due]) -> Sequence[int]:
        """Whom a fault may strike at ``at_ms``: indices of processes, or -1 for a fault of a host.

        ``due`` is everything that may happen then.
        """
        what = self.plan.faults[fault]
        if isinstance(what, OfClock):
            return [-1]
        if isinstance(what, OfMany):
            return [-1] if at_ms - self.began_ms >= what.from_ms else []
        named = self.plan.struck[fault]
        if isinstance(what, AT_HAND):
            kind = Arrive if isinstance(what, OfMessage) else Wake
            places = sorted({step.scheduled.event.process for step in due if type(step.scheduled.event) is kind})
            return [index for index in places if index in named and self._targets(fault, index, at_ms)]
        if isinstance(what, LIFE) and what.when != "busy":
            always, pauses, held, processes = what.when == "any", type(what) is Pause, self.held, self.processes
            return [
                index
                for index in named
                if (always or held[index] or self._handles(index)) and processes[index].in_turn
                and not (pauses and processes[index].resumes_ms is not None)
            ]
        return [index for index in named if self.may_strike(fault, index, bool(self.held[index]), at_ms)]

    def may_strike(self, fault: int, index: int, holding: bool, at_ms: int) -> bool:
        """Whether a fault may strike a process at ``at_ms``; ``holding``: it has what is not acknowledged."""
        what, running = self.plan.faults[fault], self.processes[index]
        if isinstance(what, AT_HAND):
            return bool(self._targets(fault, index, at_ms))
        if not running.in_turn:
            return False
        if isinstance(what, Reset):
            return bool(running.unanswered)
        if isinstance(what, OfLink):
            return self.may_bar(what, running)
        assert isinstance(what, LIFE)
        if isinstance(what, Pause) and running.resumes_ms is not None:
            return False
        if what.when == "holding":
            return holding or self._handles(index)
        return what.when == "any" or bool(running.log)

    def _handles(self, index: int) -> bool:
        """Whether a process is in the middle of its work on an entry."""
        events = (item.event for item in self.kernel.pending())
        return any(type(event) is Wake and event.process == index and event.handled is not None for event in events)

    def _targets(self, fault: int, index: int, at_ms: int) -> list[Scheduled[Happening]]:
        """What is due for a process at ``at_ms`` and may be struck."""
        what, running = self.plan.faults[fault], self.processes[index]
        kind = Arrive if isinstance(what, OfMessage) else Wake
        found = [
            item
            for item in self.kernel.due()
            if item.at_ms == at_ms and type(item.event) is kind and item.event.process == index
            and not self.is_held(item)
        ]
        if isinstance(what, OfWork):
            return [item for item in found if isinstance(item.event, Wake) and item.event.handled is not None]
        assert isinstance(what, OfMessage)
        if what.nth is not None and running.counts.get(fault, 0) != what.nth - 1:
            return []
        return [
            item
            for item in found
            if isinstance(item.event, Arrive)
            and self._concerns(fault, item.event)
            and running.unanswered.get(item.event.path) == (item.event.call, item.event.session)
        ]

    def _strike(self, step: Strike, choices: Choices) -> None:
        self.budgets[step.fault] -= 1
        what: Fault = self.plan.faults[step.fault]
        if isinstance(what, Crash):
            self._leave(step.process, "fault", "crashed", choices)
        elif isinstance(what, ClockJump):
            self.offsets[what.host] = self.offsets.get(what.host, 0) + what.by_ms
            self.record(events.ClockJumped(self.now_ms, what.host, what.by_ms))
        elif isinstance(what, ClockDrift):
            self.drift(what.host, what.ms_a_second)
            self.record(events.ClockDrifts(self.now_ms, what.host, what.ms_a_second))
        elif isinstance(what, HostPartition):
            for index, running in enumerate(self.processes):
                if (running.plan.host or running.plan.name) == what.host:
                    self.cut(index, what.cut, what.for_ms)
        elif isinstance(what, OfMany):
            self._strike_server(what, choices)
        elif isinstance(what, OfLink):
            self.strike_link(what, step.process)
        elif isinstance(what, Pause):
            self._pause(step.process, what.for_ms)
        elif isinstance(what, Reset):
            self._reset(step.process, choices)
        else:
            targets = self._targets(step.fault, step.process, step.at_ms)
            event = self.kernel.take(targets[choices.choose(len(targets), "which is struck")])
            if isinstance(event, Wake):
                assert isinstance(what, OfWork)
                self._strike_work(what, event, choices)
            else:
                assert isinstance(event, Arrive)
                assert isinstance(what, OfMessage)
                self._strike_message(what, step.fault, event, choices)

    # -- the server ------------------------------------------------------------------------------------

    def _strike_server(self, what: OfServer, choices: Choices) -> None:
        now_ms = self.clock(SERVER)
        if isinstance(what, CutReplica):
            self.server.cut_off(now_ms + what.for_ms)
            self.record(events.ReplicaCut(self.now_ms, now_ms, what.for_ms))
            return
        if isinstance(what, Flush):
            self._send_for(SOMEBODY, (b"FLUSHALL",), choices)
            return
        if isinstance(what, Evict):
            keys = self.server.evictable(tuple(key.encode() for key in what.keys), what.volatile)
            if keys:
                self._send_for(MAXMEMORY, (b"DEL", keys[choices.choose(len(keys), "key that is evicted")]), choices)
            return
        cause, lacking = FAILOVER, -1
        if isinstance(what, ServerRestart):
            cause = RESTART if what.keeps in (FILE, NOTHING) else FROM_SNAPSHOT
        if not isinstance(what, ServerRestart) or what.keeps != NOTHING:
            mostly_all = (MOSTLY * what.loses or 1, *[1] * what.loses)
            arrived = choices.choose(what.loses + 1, "units that arrived after all", mostly_all)
            lacking = self.server.lacks_for_sure(now_ms) + what.loses - arrived
        facts = self.server.lose(cause, lacking, now_ms)
        self.record(events.ServerLost(self.now_ms, now_ms, cause, lacking, facts))
        self.note(-1, facts)
        if what.down_ms:
            self.record(events.ServerDown(self.now_ms, what.down_ms))
            for index in range(len(self.processes)):
                self.bar(index, CONNECTIONS, self.now_ms + what.down_ms)
        for index, running in enumerate(self.processes):
            if running.unanswered:
                self._reset(index, choices)
            for session in running.sessions:
                self._close(running.plan.name, session)
            running.sessions = []
            self._stir(running)

    def _send_for(self, whom: str, command: tuple[bytes, ...], choices: Choices) -> None:
        """Somebody who is no process of the world has a command take effect."""
        session = self._open()
        self.calls += 1
        reply, facts = self.server.execute(session, command, self.clock(SERVER))
        self.record_effect(whom, self.calls, session, self.now_ms, (command,), (reply,), facts)
        self._close(whom, session)
        self._hand_out_served(choices)

    # -- messages --------------------------------------------------------------------------------------

    def _strike_message(self, what: OfMessage, fault: int, event: Arrive, choices: Choices) -> None:
        running = self.processes[event.process]
        if what.part == REPLY:
            self._arrive(running, event, choices, what.by_ms if isinstance(what, Delay) else what.how)
            return
        self.record(events.Sent(event.sent_ms, running.plan.name, event.call, event.commands))
        self._arm(event.process, event.path, event.sent_ms, event.commands)
        if isinstance(what, Delay):
            if what.nth is not None:
                running.counts[fault] = what.nth
            self.record(events.Delayed(self.now_ms, running.plan.name, event.call, REQUEST, what.by_ms))
            self.kernel.schedule(self.now_ms + what.by_ms, event)
            return
        if self.plan.counting:
            self._count(running, event)
        self.record(events.Lost(self.now_ms, running.plan.name, event.call, REQUEST))
        if what.how != SILENCE:
            self.fail(event.process, event.path, RESET, choices)

    def _reset(self, index: int, choices: Choices) -> None:
        """Every connection of a process breaks, and both ends know."""
        running = self.processes[index]
        self.record(events.Disconnected(self.now_ms, running.plan.name))
        for session in running.sessions:
            self._close(running.plan.name, session)
        running.sessions = []
        for path, asked in sorted(running.unanswered.items()):
            if running.unanswered.get(path) == asked:  # else an error before this one ended it
                self.fail(index, path, RESET, choices)

    # -- processes -------------------------------------------------------------------------------------

    def _pause(self, index: int, for_ms: int) -> None:
        """A process stands still: what was due for it meanwhile happens when it goes on, and work takes longer."""
        running = self.processes[index]
        running.resumes_ms = resumes_ms = self.now_ms + for_ms
        self.record(events.Paused(self.now_ms, running.plan.name, for_ms))
        mine = [item for item in self.kernel.pending() if item.event.process == index and not _on_the_wire(item)]
        self.kernel.drop({item.serial for item in mine})
        self.kernel.schedule(resumes_ms, Resume(index, running.incarnation))
        for item in mine:
            event, at_ms = item.event, max(item.at_ms, resumes_ms)
            if isinstance(event, Wake) and event.handled is not None:
                at_ms = item.at_ms + for_ms
            elif isinstance(event, Arrive):
                event = event._replace(sent_ms=at_ms)
            self.kernel.schedule(at_ms, event)

    def _resume(self, running: Running) -> None:
        running.resumes_ms = None
        self.record(events.Resumed(self.now_ms, running.plan.name))

    # -- work ------------------------------------------------------------------------------------------

    def _strike_work(self, what: OfWork, event: Wake, choices: Choices) -> None:
        running, handled = self.processes[event.process], event.handled
        assert handled is not None
        about = handled.stream, handled.group, handled.entry
        if isinstance(what, SlowHandler):
            self.record(events.Slowed(self.now_ms, running.plan.name, *about, what.by_ms))
            self.kernel.schedule(self.now_ms + what.by_ms, event)
            return
        assert isinstance(what, FailHandler)
        failed = events.HandleFailed(self.now_ms, running.plan.name, *about)
        self._happen(event._replace(handled=failed), choices)

    def _happen(self, event: Happening, choices: Choices) -> None:
        raise NotImplementedError


def _on_the_wire(item: Scheduled[Happening]) -> bool:
    """Whether an event is a request that has left its process, or of the link itself."""
    return isinstance(item.event, Mend) or (isinstance(item.event, Arrive) and item.at_ms > item.event.sent_ms)

"""A world: one server, processes on their hosts, links, clocks, and what may go wrong.

``enabled`` lists every step that can happen next and ``take`` makes one happen: the one transition
relation that simulation and check choose from. Time passes when nothing is left to do now.
"""

from __future__ import annotations

from . import events
from .choices import Choices, Forbidden
from .errors import ScenarioError
from .fingerprint import fingerprint
from .plan import SERVER
from .process import Running
from .requests import Broken, Clock, Command, Pick, Publish, Request, Scope, Sleep, Work, has_fields
from .steps import (
    Arrive,
    Begin,
    Deliver,
    Due,
    Enter,
    Expire,
    Happening,
    Lapse,
    Mend,
    Resend,
    Resume,
    Rise,
    Step,
    Strike,
    Wake,
)
from .striking import Struck
from .turn import Path

RISES_MAX = 32
"""So often may a process fail and start again within one step."""
BROKEN_HANDLER = Broken("handler")
"""What a handler that failed gives to its turn."""


class World(Struck):
    """One state of one world. ``fork`` gives an independent copy that can go another way."""

    __slots__ = ()

    def fingerprint(self) -> bytes:
        """A digest of the whole state: equal for equal worlds, in every process and on every run."""
        return fingerprint(self)

    # -- the transition relation -------------------------------------------------------------------

    def enabled(self, *, faults: bool = True) -> list[Step]:
        """Every step that can happen next: what is due first, then the faults that may strike before it.

        Whoever wants none of the ``faults`` now does not have to wait until they are listed.
        """
        if self.ended:
            return []
        items = self.kernel.due()
        at_ms = items[0].at_ms if items else None
        deadline_ms = self._deadline(at_ms)
        if deadline_ms is not None and (at_ms is None or deadline_ms < at_ms):
            at_ms, items = deadline_ms, []
        plan = self.plan
        if at_ms is None or at_ms - self.began_ms > plan.faults_ms + plan.within_ms:
            return []
        due: list[Due] = []
        for item in items:
            running = self.processes[item.event.process]
            if (running.resumes_ms is None and not plan.frozen) or not self.is_held(item):
                due.append(tuple.__new__(Due, (at_ms, item)))  # Due(at_ms, item), in half the time: see kernel
        steps: list[Step] = [*due]
        if deadline_ms == at_ms:
            steps.append(Expire(at_ms))
        if faults and at_ms < self.heal_ms:
            for fault, left in enumerate(self.budgets):
                if left:
                    steps.extend(Strike(at_ms, fault, process) for process in self._struck_by(fault, at_ms, due))
        return steps

    def take(self, step: Step, choices: Choices) -> None:
        """Makes a step happen; what is left open within it (a latency, say) ``choices`` decide."""
        at_ms = step.at_ms
        if not self.healed and at_ms - self.began_ms >= self.plan.faults_ms:
            self.now_ms = self.heal_ms
            self._heal()
        assert at_ms >= self.now_ms, "time does not run backwards"
        self.now_ms = at_ms
        if isinstance(step, Due):
            self._happen(self.kernel.take(step.scheduled), choices)
        elif isinstance(step, Expire):
            self.server.expire(self.clock(SERVER))
            self._hand_out_served(choices)
        else:
            self._strike(step, choices)

    def finish(self) -> None:
        """Ends the run: what had to come true by now did, or did not."""
        if not self.healed:
            self._heal()
        self.ended = True
        self.record(events.Ended(self.now_ms))
        if self.watch is not None:
            self.watch.finish(self.now_ms)

    def _happen(self, event: Happening, choices: Choices) -> None:
        running = self.processes[event.process]
        if isinstance(event, Arrive):
            self._arrive(running, event, choices)
            return
        if isinstance(event, Mend):
            self._mend(running, event)
            return
        assert event.incarnation == running.incarnation + isinstance(event, Rise), "a dead process has no events"
        if isinstance(event, Wake):
            self._wake(running, event, choices)
        elif isinstance(event, Begin):
            self._begin_turn(event.process, choices)
        elif isinstance(event, Deliver):
            self._answer(event.process, event.path, event.call, event.replies, choices)
        elif isinstance(event, Enter):
            running.open(event.path)
            self._settle(event.process, choices)
        elif isinstance(event, Rise):
            self._rise(event.process, choices)
        elif isinstance(event, Lapse):
            self.fail(event.process, event.path, event.error, choices)
        elif isinstance(event, Resend):
            self._send_again(event.process, event.path, choices)
        else:
            assert isinstance(event, Resume)
            self._resume(running)

    def _wake(self, running: Running, event: Wake, choices: Choices) -> None:
        index, _, path, handled = event
        if handled is not None:
            self.record(tuple.__new__(type(handled), (self.now_ms, *handled[1:])))  # as in kernel
        running.feed(path, BROKEN_HANDLER if type(handled) is events.HandleFailed else None)
        self._settle(index, choices)

    def _rise(self, index: int, choices: Choices) -> None:
        running = self.processes[index]
        running.rise()
        host = running.plan.host or running.plan.name
        self.record(events.Started(self.now_ms, running.plan.name, running.consumer, host, running.incarnation))
        self._begin_turn(index, choices)

    def _set_up(self) -> None:
        super()._set_up()
        if self.plan.frozen:  # there is no time at which some run and some do not yet
            for item in self.kernel.pending():
                self._rise(self.kernel.take(item).process, Forbidden())

    # -- turns ---------------------------------------------------------------------------------------

    def _begin_turn(self, index: int, choices: Choices) -> None:
        running = self.processes[index]
        running.turn_began_ms = self.now_ms
        running.begin()
        self._settle(index, choices)

    def _settle(self, index: int, choices: Choices) -> None:
        """Lets a process go on until all it does is wait: its local steps belong to the step before."""
        running = self.processes[index]
        while True:
            turn = running.turn
            if turn is None:
                turn = running.live()
            while turn.abandoned:
                path = turn.abandoned.pop(0)
                running.attempts.pop(path, None)
                self._give_up(index, path)
                self._go_on(index, choices)
            if turn.over:
                if turn.failure is not None:
                    self._raised(index, turn.failure, choices)
                    return
                if not self._next_turn(index, turn.value):
                    return
            elif turn.fresh:
                path = turn.fresh.pop(0)
                self._attend(index, path, turn.waiting[path], choices)
            else:
                return

    def _next_turn(self, index: int, value: object) -> bool:
        """Ends a turn; whether the next one has begun already."""
        running = self.processes[index]
        if self.plan.frozen:
            if not running.log:
                raise ScenarioError(f"process {running.plan.name!r}: its turn did nothing, and time is frozen")
            running.parked = not running.stirred and (not running.takes_state or value == running.state)
        running.end_turn(value)
        if running.turns_done == running.plan.turns:
            running.finished = True
            self.record(events.Finished(self.now_ms, running.plan.name))
            return False
        if running.turn_began_ms == self.now_ms and not self.plan.frozen:
            self.kernel.schedule(self.now_ms + running.plan.turn_ms, Begin(index, running.incarnation))
            return False
        running.turn_began_ms = self.now_ms
        running.begin()
        return True

    def _attend(self, index: int, path: Path, request: Request, choices: Choices) -> None:
        """Starts what a request asks for, or answers it at once."""
        running = self.processes[index]
        if running.scopes and running.in_atomic(path):
            self._attend_at_once(index, path, request, choices)
        elif isinstance(request, Command):
            self._send(index, path, request, choices)
        elif isinstance(request, Scope):
            if request.atomic:
                at_ms = self._gets_through_ms(running, choices)
                self.kernel.schedule(at_ms, Enter(index, running.incarnation, path))
            else:
                running.open(path)
        elif isinstance(request, Sleep):
            wake = Wake(index, running.incarnation, path, None)
            self.kernel.schedule(self.now_ms + max(request.ms, 0), wake)
        elif isinstance(request, Work):
            self._work(index, path, request)
        else:
            self._answer_at_once(index, path, request, choices)

    def _attend_at_once(self, index: int, path: Path, request: Request, choices: Choices) -> None:
        """Answers what is asked for within an atomic block."""
        running = self.processes[index]
        if isinstance(request, Command):
            self._send_at_once(index, path, request, choices)
        elif isinstance(request, Scope):
            running.open(path)
        elif isinstance(request, Sleep | Work):
            what = "handles an entry" if isinstance(request, Work) else "sleeps"
            raise ScenarioError(f"process {running.plan.name!r} {what} in an atomic block, which takes no time")
        else:
            self._answer_at_once(index, path, request, choices)

    def _answer_at_once(self, index: int, path: Path, request: Request, choices: Choices) -> None:
        """Answers what takes no time and needs no server."""
        running = self.processes[index]
        if isinstance(request, Pick):
            answer = choices.choose(request.n, request.label)
            running.feed(path, request.values[answer] if request.values else answer)
        elif isinstance(request, Clock):
            running.feed(path, self.clock(running.plan.host or running.plan.name))
        else:
            assert isinstance(request, Publish)
            self.record(events.Projected(self.now_ms, running.plan.name, request.name, request.value, request.upto))
            self._stir(running)
            running.feed(path, None)

    def _work(self, index: int, path: Path, request: Work) -> None:
        running = self.processes[index]
        stream, group = self._place(running, request)
        work_ms = running.plan.handle_ms if request.ms is None else request.ms
        begun = events.Handling(self.now_ms, running.plan.name, stream, group, request.entry)
        self.record(begun)
        if self.plan.frozen:
            self._stir(running)
        done: events.Handled | events.HandleFailed
        if running.plan.fails_on is not None and has_fields(request.fields, running.plan.fails_on):
            done = events.HandleFailed(*begun)
        else:
            done = events.Handled(*begun)
        self.kernel.schedule(self.now_ms + max(work_ms, 0), Wake(index, running.incarnation, path, done))

    def _place(self, running: Running, request: Work) -> tuple[bytes, bytes]:
        """The stream and the group of the entry that a process begins to handle."""
        places = running.streams.get(request.entry, ())
        if request.stream is not None:
            return next((place[:2] for place in places if place[0] == request.stream), (request.stream, b""))
        open_ = [place for place in places if not place[2]]
        if len(open_) > 1:
            several = " and from ".join(place[0].decode(errors="backslashreplace") for place in open_)
            raise ScenarioError(
                f"process {running.plan.name!r} handles an entry, and has one of the same ID from {several}: say which "
                "it is, with handle(..., stream=...)"
            )
        return (open_ or places)[-1][:2] if places else (b"", b"")

    def _raised(self, index: int, error: Exception, choices: Choices) -> None:
        if isinstance(error, ScenarioError):
            raise error
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        self._leave(index, "raised", message, choices)

    def _leave(self, index: int, why: str, message: str, choices: Choices) -> None:
        """A process is gone; where time is frozen it is back at once."""
        self._crash(index, why, message)
        running = self.processes[index]
        if self.plan.frozen and running.plan.restart is not None:
            running.rises += 1
            if running.rises > RISES_MAX:
                raise ScenarioError(
                    f"process {running.plan.name!r} fails again and again before it has waited for anything, where "
                    f"time is frozen ({message}): let it send a command first, or give it restart=None"
                )
            self._rise(index, choices)
            running.rises = 0

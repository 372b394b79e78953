"""A world: one server, processes on their hosts, links, clocks, and what may go wrong.

``enabled`` lists every step that can happen next and ``take`` makes one happen: the one transition
relation that simulation and check choose from. Time passes when nothing is left to do now.
"""

from __future__ import annotations

from ..models.facts import Fact
from ..models.replies import BLOCKED, Push, Reply
from ..models.server import Served
from . import events
from .choices import Choices, Forbidden
from .errors import ScenarioError
from .fingerprint import fingerprint
from .plan import SERVER, Crash
from .process import Running
from .requests import Clock, Command, Pick, Publish, Request, Scope, Sleep, Work
from .stage import Stage
from .steps import Arrive, Begin, Deliver, Due, Enter, Expire, Happening, Rise, Step, Strike, Wake
from .turn import Path

TURN_COMMANDS_MAX = 64
"""More commands than this in one turn are a loop that never ends."""


class World(Stage):
    """One state of one world. ``fork`` gives an independent copy that can go another way."""

    __slots__ = ()

    def fingerprint(self) -> bytes:
        """A digest of the whole state: equal for equal worlds, in every process and on every run."""
        return fingerprint(self)

    # -- the transition relation -------------------------------------------------------------------

    def enabled(self) -> list[Step]:
        """Every step that can happen next: what is due first, then the faults that may strike before it."""
        if self.ended:
            return []
        event_ms = self.kernel.peek()
        deadline_ms = self._deadline()
        if event_ms is None and deadline_ms is None:
            return []
        at_ms = min(ms for ms in (event_ms, deadline_ms) if ms is not None)
        if at_ms > self.end_ms:
            return []
        steps: list[Step] = []
        if event_ms == at_ms:
            steps.extend(Due(at_ms, item) for item in self.kernel.due() if not self._is_parked(item.event))
        if deadline_ms == at_ms:
            steps.append(Expire(at_ms))
        if at_ms < self.heal_ms:
            for fault, left in enumerate(self.budgets):
                if left:
                    steps.extend(Strike(at_ms, fault, process) for process in self._struck_by(fault))
        return steps

    def take(self, step: Step, choices: Choices) -> None:
        """Makes a step happen; what is left open within it (a latency, say) ``choices`` decide."""
        if not self.healed and step.at_ms >= self.heal_ms:
            self.now_ms = self.heal_ms
            self._heal()
        assert step.at_ms >= self.now_ms, "time does not run backwards"
        self.now_ms = step.at_ms
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
        assert event.incarnation == running.incarnation + isinstance(event, Rise), "a dead process has no events"
        if isinstance(event, Deliver):
            self._answer(event.process, event.path, event.call, event.replies, choices)
        elif isinstance(event, Wake):
            if event.handled is not None:
                self.record(event.handled._replace(at_ms=self.now_ms))
            running.feed(event.path, None)
            self._settle(event.process, choices)
        elif isinstance(event, Enter):
            running.open(event.path)
            self._settle(event.process, choices)
        elif isinstance(event, Begin):
            self._begin_turn(event.process, choices)
        else:
            self._rise(event.process, choices)

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

    # -- commands ------------------------------------------------------------------------------------

    def _send(self, index: int, path: Path, request: Command, choices: Choices) -> None:
        running = self.processes[index]
        self._count_command(running)
        self.calls += 1
        session = running.sessions.pop() if running.sessions else self._open()
        running.unanswered[path] = (self.calls, session)
        at_ms = self.now_ms + self._latency(choices)
        arrive = Arrive(index, running.incarnation, path, self.calls, session, self.now_ms, request.commands)
        self.kernel.schedule(at_ms, arrive)

    def _count_command(self, running: Running) -> None:
        running.commands += 1
        if running.commands > TURN_COMMANDS_MAX:
            raise ScenarioError(
                f"process {running.plan.name!r} sent more than {TURN_COMMANDS_MAX} commands in one turn; "
                f"let its loop return, a turn is one iteration"
            )

    def _send_at_once(self, index: int, path: Path, request: Command, choices: Choices) -> None:
        """A command of an atomic block."""
        running = self.processes[index]
        self._count_command(running)
        self.calls += 1
        session = running.sessions.pop() if running.sessions else self._open()
        replies, facts = self._execute(session, request.commands)
        self.record_effect(
            running.plan.name, self.calls, session, self.now_ms, request.commands, replies, facts
        )
        if replies[-1] is BLOCKED:
            raise ScenarioError(f"process {running.plan.name!r} sent a command that blocks in an atomic block")
        running.sessions.append(session)
        self.note(index, facts)
        self._stir(running, bool(facts))
        self.record(events.Replied(self.now_ms, running.plan.name, self.calls))
        running.feed(path, replies)
        self._hand_out_served(choices)

    def _execute(
        self, session: int, commands: tuple[tuple[bytes, ...], ...]
    ) -> tuple[tuple[Reply, ...], tuple[Fact, ...]]:
        replies: list[Reply] = []
        facts: list[Fact] = []
        for argv in commands:
            reply, made_true = self.server.execute(session, argv, self.clock(SERVER))
            replies.append(reply)
            facts.extend(made_true)
        return tuple(replies), tuple(facts)

    def _arrive(self, running: Running, event: Arrive, choices: Choices) -> None:
        replies, facts = self._execute(event.session, event.commands)
        self._stir(running, bool(facts))
        awaited = running.unanswered.get(event.path) == (event.call, event.session)
        self.record_effect(
            running.plan.name, event.call, event.session, event.sent_ms, event.commands, replies, facts
        )
        if not awaited:
            self._close(running.plan.name, event.session)
            self.record(events.Lost(self.now_ms, running.plan.name, event.call, "reply"))
        elif replies[-1] is BLOCKED:
            self.waiting[event.session] = (event.process, event.incarnation, event.path, event.call)
        else:
            self.note(event.process, facts)
            self._reply(event.process, event.path, event.call, replies, choices)
        self._hand_out_served(choices)

    def _stir(self, running: Running, anything: bool) -> None:
        """Where time is frozen, something that happened makes everybody look again."""
        if anything and self.plan.frozen:
            running.stirred = True
            for process in self.processes:
                process.parked = False

    def _is_parked(self, event: Happening) -> bool:
        return self.plan.frozen and self.processes[event.process].parked

    def _hand_out_served(self, choices: Choices) -> None:
        """Passes on the answers of blocked reads that the last command, or the clock, released."""
        for served in self.server.take_served():
            if not isinstance(served.reply, Push):  # a message: no process listens to its connection yet
                self._hand_out(served, choices)

    def _hand_out(self, served: Served, choices: Choices) -> None:
        index, _, path, call = self.waiting.pop(served.session)
        self.touched.append(index)
        running = self.processes[index]
        self._stir(running, True)
        self.record(
            events.Served(
                self.now_ms, running.plan.name, call, served.session, self.clock(SERVER), served.reply, served.facts
            )
        )
        self.note(index, served.facts)
        self._reply(index, path, call, (served.reply,), choices)

    def _reply(self, index: int, path: Path, call: int, replies: tuple[Reply, ...], choices: Choices) -> None:
        latency_ms = self._latency(choices)
        if latency_ms:
            incarnation = self.processes[index].incarnation
            self.kernel.schedule(self.now_ms + latency_ms, Deliver(index, incarnation, path, call, replies))
        else:
            self._answer(index, path, call, replies, choices)

    def _answer(self, index: int, path: Path, call: int, replies: tuple[Reply, ...], choices: Choices) -> None:
        running = self.processes[index]
        _, session = running.unanswered.pop(path)
        running.sessions.append(session)
        self.record(events.Replied(self.now_ms, running.plan.name, call))
        running.feed(path, replies)
        self._settle(index, choices)

    def _latency(self, choices: Choices) -> int:
        latencies = self.plan.latency_ms
        return latencies[choices.choose(len(latencies), "latency")]

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
            turn = running.live()
            while turn.abandoned:
                self._abandon(index, turn.abandoned.pop(0))
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
                at_ms = self.now_ms + self._latency(choices)
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
            running.feed(path, choices.choose(request.n, request.label))
        elif isinstance(request, Clock):
            running.feed(path, self.clock(running.plan.host or running.plan.name))
        else:
            assert isinstance(request, Publish)
            self.record(events.Projected(self.now_ms, running.plan.name, request.name, request.value, request.upto))
            self._stir(running, True)
            running.feed(path, None)

    def _work(self, index: int, path: Path, request: Work) -> None:
        running = self.processes[index]
        stream, group = running.streams.get(request.entry, (b"", b""))
        if request.stream is not None and request.stream != stream:
            stream, group = request.stream, b""
        work_ms = running.plan.handle_ms if request.ms is None else request.ms
        begun = events.Handling(self.now_ms, running.plan.name, stream, group, request.entry)
        self.record(begun)
        self._stir(running, True)
        done = Wake(index, running.incarnation, path, events.Handled(*begun))
        self.kernel.schedule(self.now_ms + max(work_ms, 0), done)

    def _raised(self, index: int, error: Exception, choices: Choices) -> None:
        if isinstance(error, ScenarioError):
            raise error
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        self._leave(index, "raised", message, choices)

    def _leave(self, index: int, why: str, message: str, choices: Choices) -> None:
        """A process is gone; where time is frozen it is back at once."""
        self._crash(index, why, message)
        if self.plan.frozen and self.processes[index].plan.restart is not None:
            self._rise(index, choices)

    # -- faults --------------------------------------------------------------------------------------

    def _struck_by(self, fault: int) -> list[int]:
        """Whom a fault may strike now: indices of processes, or -1 for a fault of a host."""
        what = self.plan.faults[fault]
        if not isinstance(what, Crash):
            return [-1]
        return [
            index
            for index, running in enumerate(self.processes)
            if running.plan.name in what.names and running.in_turn and self._is_moment(index, what.when)
        ]

    def _is_moment(self, index: int, when: str) -> bool:
        if when == "holding":
            return bool(self.held[index])
        return when == "any" or bool(self.processes[index].log)

    def _strike(self, step: Strike, choices: Choices) -> None:
        self.budgets[step.fault] -= 1
        what = self.plan.faults[step.fault]
        if isinstance(what, Crash):
            self._leave(step.process, "fault", "crashed", choices)
        else:
            self.offsets[what.host] = self.offsets.get(what.host, 0) + what.by_ms
            self.record(events.ClockJumped(self.now_ms, what.host, what.by_ms))

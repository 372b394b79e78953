"""A world: one server, processes on their hosts, links, clocks, and what may go wrong.

``enabled`` lists every step that can happen next and ``take`` makes one happen: the one transition
relation that simulation and check choose from. Time passes when nothing is left to do now.
"""

from __future__ import annotations

from ..models.facts import Fact
from ..models.replies import BLOCKED, Failure, Push, Reply
from ..models.server import Server
from . import events
from .choices import Choices
from .chronicle import Chronicle
from .errors import ScenarioError
from .fingerprint import fingerprint
from .history import History
from .holding import note_held
from .kernel import Kernel
from .plan import SERVER, Crash, Plan
from .process import Running
from .requests import Clock, Command, Pick, Publish, Request, Sleep, Work
from .steps import Arrive, Begin, Deliver, Due, Expire, Happening, Rise, Step, Strike, Wake
from .turn import Path
from .watch import Watch

TURN_COMMANDS_MAX = 64
"""More commands than this in one turn are a loop that never ends."""

WIRE_RESP = 3
"""The protocol that connections speak: the same whatever redis-py is installed, so that runs are too."""


class World(Chronicle):
    """One state of one world. ``fork`` gives an independent copy that can go another way."""

    __slots__ = (
        "budgets", "calls", "ended", "healed", "kernel", "processes", "server", "waiting",
    )  # fmt: skip

    def __init__(self, plan: Plan, dialect: str, *, watch: Watch | None = None, record: bool = True) -> None:
        super().__init__(plan, watch, History() if record else None)
        self.server = Server(dialect)
        self.processes = [Running(process) for process in plan.processes]
        self.kernel: Kernel[Happening] = Kernel()
        self.budgets = [fault.budget for fault in plan.faults]
        self.calls = 0
        self.waiting: dict[int, tuple[int, int, Path, int]] = {}
        """Blocked session to the process, its incarnation, the path and the call that wait."""
        self.healed = False
        self.ended = False
        self._set_up()

    def fork(self) -> World:
        """An independent copy."""
        twin = World.__new__(World)
        self.share_past(twin)
        twin.server = self.server.fork()
        twin.processes = [process.fork() for process in self.processes]
        twin.kernel = self.kernel.fork()
        twin.budgets = self.budgets.copy()
        twin.calls = self.calls
        twin.waiting = self.waiting.copy()
        twin.healed = self.healed
        twin.ended = self.ended
        return twin

    @property
    def end_ms(self) -> int:
        """When the run is over at the latest."""
        return self.plan.faults_ms + self.plan.within_ms

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
            steps.extend(Due(at_ms, item) for item in self.kernel.due())
        if deadline_ms == at_ms:
            steps.append(Expire(at_ms))
        if at_ms < self.plan.faults_ms:
            for fault, left in enumerate(self.budgets):
                if left:
                    steps.extend(Strike(at_ms, fault, process) for process in self._struck_by(fault))
        return steps

    def take(self, step: Step, choices: Choices) -> None:
        """Makes a step happen; what is left open within it (a latency, say) ``choices`` decide."""
        if not self.healed and step.at_ms >= self.plan.faults_ms:
            self.now_ms = self.plan.faults_ms
            self._heal()
        assert step.at_ms >= self.now_ms, "time does not run backwards"
        self.now_ms = step.at_ms
        if isinstance(step, Due):
            self._happen(self.kernel.take(step.scheduled), choices)
        elif isinstance(step, Expire):
            self.server.expire(self.clock(SERVER))
            self._hand_out_served(choices)
        else:
            self._strike(step)

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
        elif isinstance(event, Begin):
            self._begin_turn(event.process, choices)
        else:
            running.rise()
            host = running.plan.host or running.plan.name
            self.record(events.Started(self.now_ms, running.plan.name, running.consumer, host, running.incarnation))
            self._begin_turn(event.process, choices)

    # -- commands ------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        session = self.server.open(WIRE_RESP)
        for words in self.plan.setup:
            argv = tuple(word.encode() for word in words)
            reply, facts = self.server.execute(session, argv, self.clock(SERVER))
            if isinstance(reply, Failure):
                raise ScenarioError(f"the setup command {' '.join(words)!r} failed: {reply!r}")
            self.calls += 1
            self.record_effect("", self.calls, session, 0, (argv,), (reply,), facts)
        self._close("", session)
        for i, process in enumerate(self.plan.processes):
            self.kernel.schedule(process.start_ms, Rise(i, 1))

    def _send(self, index: int, path: Path, request: Command, choices: Choices) -> None:
        running = self.processes[index]
        running.commands += 1
        if running.commands > TURN_COMMANDS_MAX:
            raise ScenarioError(
                f"process {running.plan.name!r} sent more than {TURN_COMMANDS_MAX} commands in one turn; "
                f"let its loop return, a turn is one iteration"
            )
        self.calls += 1
        session = running.sessions.pop() if running.sessions else self.server.open(WIRE_RESP)
        running.unanswered[path] = (self.calls, session)
        at_ms = self.now_ms + self._latency(choices)
        arrive = Arrive(index, running.incarnation, path, self.calls, session, self.now_ms, request.commands)
        self.kernel.schedule(at_ms, arrive)

    def _arrive(self, running: Running, event: Arrive, choices: Choices) -> None:
        replies: list[Reply] = []
        facts: list[Fact] = []
        for argv in event.commands:
            reply, made_true = self.server.execute(event.session, argv, self.clock(SERVER))
            replies.append(reply)
            facts.extend(made_true)
        awaited = running.unanswered.get(event.path) == (event.call, event.session)
        self.record_effect(
            running.plan.name, event.call, event.session, event.sent_ms, event.commands, tuple(replies), tuple(facts)
        )
        if not awaited:
            self._close(running.plan.name, event.session)
            self.record(events.Lost(self.now_ms, running.plan.name, event.call, "reply"))
        elif replies[-1] is BLOCKED:
            self.waiting[event.session] = (event.process, event.incarnation, event.path, event.call)
        else:
            note_held(self.processes, running, facts)
            self._reply(event.process, event.path, event.call, tuple(replies), choices)
        self._hand_out_served(choices)

    def _hand_out_served(self, choices: Choices) -> None:
        """Passes on the answers of blocked reads that the last command, or the clock, released."""
        for served in self.server.take_served():
            if isinstance(served.reply, Push):
                continue  # a message: no process listens to its connection yet
            index, _, path, call = self.waiting.pop(served.session)
            running = self.processes[index]
            self.record(
                events.Served(
                    self.now_ms, running.plan.name, call, served.session, self.clock(SERVER), served.reply, served.facts
                )
            )
            note_held(self.processes, running, served.facts)
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
                    self._raised(index, turn.failure)
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
        running.end_turn(value)
        if running.turns_done == running.plan.turns:
            running.finished = True
            self.record(events.Finished(self.now_ms, running.plan.name))
            return False
        if running.turn_began_ms == self.now_ms:
            self.kernel.schedule(self.now_ms + running.plan.turn_ms, Begin(index, running.incarnation))
            return False
        running.turn_began_ms = self.now_ms
        running.begin()
        return True

    def _attend(self, index: int, path: Path, request: Request, choices: Choices) -> None:
        """Starts what a request asks for, or answers it at once."""
        running = self.processes[index]
        if isinstance(request, Command):
            self._send(index, path, request, choices)
        elif isinstance(request, Sleep):
            wake = Wake(index, running.incarnation, path, None)
            self.kernel.schedule(self.now_ms + max(request.ms, 0), wake)
        elif isinstance(request, Work):
            self._work(index, path, request)
        elif isinstance(request, Pick):
            running.feed(path, choices.choose(request.n, request.label))
        elif isinstance(request, Clock):
            running.feed(path, self.clock(running.plan.host or running.plan.name))
        else:
            assert isinstance(request, Publish)
            self.record(events.Projected(self.now_ms, running.plan.name, request.name, request.value, request.upto))
            running.feed(path, None)

    def _work(self, index: int, path: Path, request: Work) -> None:
        running = self.processes[index]
        stream, group = running.streams.get(request.entry, (b"", b""))
        if request.stream is not None and request.stream != stream:
            stream, group = request.stream, b""
        work_ms = running.plan.handle_ms if request.ms is None else request.ms
        begun = events.Handling(self.now_ms, running.plan.name, stream, group, request.entry)
        self.record(begun)
        done = Wake(index, running.incarnation, path, events.Handled(*begun))
        self.kernel.schedule(self.now_ms + max(work_ms, 0), done)

    def _raised(self, index: int, error: Exception) -> None:
        if isinstance(error, ScenarioError):
            raise error
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        self._crash(index, "raised", message)

    # -- faults --------------------------------------------------------------------------------------

    def _struck_by(self, fault: int) -> list[int]:
        """Whom a fault may strike now: indices of processes, or -1 for a fault of a host."""
        what = self.plan.faults[fault]
        if not isinstance(what, Crash):
            return [-1]
        return [
            index
            for index, running in enumerate(self.processes)
            if running.plan.name in what.names and running.in_turn and (what.when == "any" or running.held)
        ]

    def _strike(self, step: Strike) -> None:
        self.budgets[step.fault] -= 1
        what = self.plan.faults[step.fault]
        if isinstance(what, Crash):
            self._crash(step.process, "fault", "crashed")
        else:
            self.offsets[what.host] = self.offsets.get(what.host, 0) + what.by_ms
            self.record(events.ClockJumped(self.now_ms, what.host, what.by_ms))

    def _crash(self, index: int, why: str, message: str) -> None:
        """A process is gone at once, with everything that is not yet on its way."""
        running = self.processes[index]
        self.record(events.Crashed(self.now_ms, running.plan.name, why, message))
        idle = running.sessions
        for path in list(running.unanswered):
            self._abandon(index, path)
        self.kernel.drop({item.serial for item in self.kernel.pending() if _of_living(item.event, index)})
        for session in idle:
            self._close(running.plan.name, session)
        running.die()
        if running.plan.restart is not None:
            self.kernel.schedule(self.now_ms + running.plan.restart.after_ms, Rise(index, running.incarnation + 1))

    def _abandon(self, index: int, path: Path) -> None:
        """Nobody waits for the answer at ``path`` any more: a request that is on its way arrives all the same.

        On a link without latency a request is not on its way until it takes effect.
        """
        running = self.processes[index]
        unanswered = running.unanswered.pop(path, None)
        on_its_way = False
        for item in self.kernel.pending():
            event = item.event
            if event.process != index or getattr(event, "path", None) != path:
                continue
            if isinstance(event, Arrive) and item.at_ms > event.sent_ms:
                on_its_way = on_its_way or unanswered == (event.call, event.session)
                continue
            self.kernel.drop({item.serial})
            if isinstance(event, Deliver):
                self.record(events.Lost(self.now_ms, running.plan.name, event.call, "reply"))
        if unanswered is not None and not on_its_way:
            self.waiting.pop(unanswered[1], None)
            self._close(running.plan.name, unanswered[1])

    def _close(self, name: str, session: int) -> None:
        self.server.close(session)
        self.record(events.Closed(self.now_ms, name, session))

    def _heal(self) -> None:
        self.healed = True
        self.record(events.Healed(self.now_ms))

    def _deadline(self) -> int | None:
        """When, in true time, the server gives up the next blocked read."""
        deadline = self.server.next_deadline() if self.waiting else None
        if deadline is None:
            return None
        return max(deadline - self.clock(SERVER) + self.now_ms, self.now_ms)


def _of_living(event: Happening, index: int) -> bool:
    """Whether an event of a process goes when the process does; a request on its way does not."""
    return event.process == index and not isinstance(event, Arrive)

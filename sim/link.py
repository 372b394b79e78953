"""The links of a world: what becomes of a command on its way, of its reply, and of a client that gets none.

With a perfect link a command is one step: it takes effect and is answered. A fault cuts request, effect and reply
apart; what a client then does (wait, give up, send again) its policy says.
"""

from __future__ import annotations

from ..models.facts import Fact
from ..models.replies import BLOCKED, Reply
from ..models.server import Served
from . import events
from .choices import Choices
from .client_policies import CONNECT, EXHAUSTED, KEEPS, REFUSED, RESET, TIMEOUT, ClientPolicy
from .errors import ScenarioError
from .faults import REPLY, SILENCE, names_command
from .link_faults import CONNECTIONS, REPLIES, REQUESTS, SLOWLY
from .plan import SERVER
from .process import Fate, Running
from .requests import Broken, Command
from .stage import Stage
from .steps import Arrive, Deliver, Lapse, Resend
from .turn import Path
from .unsendable import SENDABLE, instead_of

NOT_BARRED = (0, 0)
TURN_COMMANDS_MAX = 64
"""More commands than this in one turn are a loop that never ends."""


class Linked(Stage):
    """A stage whose processes are connected to the server."""

    __slots__ = ()

    def _settle(self, index: int, choices: Choices) -> None:
        raise NotImplementedError

    # -- commands ------------------------------------------------------------------------------------

    def _send(self, index: int, path: Path, request: Command, choices: Choices) -> None:
        running = self.processes[index]
        self._count_command(running, request)
        policy = running.plan.client
        if policy is not None and policy.pool_timeout_ms == 0 and self._is_full(index, policy):
            self.calls += 1
            self.record(events.Sent(self.now_ms, running.plan.name, self.calls, request.commands))
            self.record(events.Unanswered(self.now_ms, running.plan.name, self.calls, EXHAUSTED, None))
            running.feed(path, Broken(EXHAUSTED))
            return
        self._put_on_wire(index, path, request.commands, choices)

    def _put_on_wire(
        self, index: int, path: Path, commands: tuple[tuple[bytes, ...], ...], choices: Choices
    ) -> None:
        running = self.processes[index]
        if running.plan.client is not None and self._is_full(index, running.plan.client):
            running.queue.append(path)
            if running.plan.client.pool_timeout_ms is not None:
                tired_ms = self.now_ms + running.plan.client.pool_timeout_ms
                self.kernel.schedule(tired_ms, Lapse(index, running.incarnation, path, EXHAUSTED))
            return
        self.calls += 1
        fresh = not running.sessions
        session = self._open() if fresh else running.sessions.pop()
        running.unanswered[path] = (self.calls, session)
        sent = (index, running.incarnation, path, self.calls, session, self.now_ms, commands)
        arrive = tuple.__new__(Arrive, sent)  # as in kernel
        if fresh and running.barred and self._connects_late(arrive):
            return
        at_ms = self._gets_through_ms(running, choices)
        self.kernel.schedule(at_ms, arrive)
        if at_ms > self.now_ms:
            self._arm(index, path, self.now_ms, commands)
            if running.barred:
                self.record(events.Sent(self.now_ms, running.plan.name, self.calls, commands))

    def _gets_through_ms(self, running: Running, choices: Choices) -> int:
        """When what a process sends now arrives."""
        if not running.barred:
            return self.now_ms + self._latency(choices)
        arrives_ms = self.now_ms + self._latency(choices) + running.barred.get(SLOWLY, NOT_BARRED)[1]
        return max(arrives_ms, running.barred.get(REQUESTS, NOT_BARRED)[0])

    def _connects_late(self, arrive: Arrive) -> bool:
        """Whether a request waits for a connection that cannot be made now: it is not sent before there is one."""
        running = self.processes[arrive.process]
        sent = events.Sent(self.now_ms, running.plan.name, arrive.call, arrive.commands)
        if running.barred.get(CONNECTIONS, NOT_BARRED)[0] > self.now_ms:
            self.record(sent)
            self.kernel.schedule(self.now_ms, Lapse(arrive.process, arrive.incarnation, arrive.path, REFUSED))
            return True
        until_ms = max(running.barred.get(kind, NOT_BARRED)[0] for kind in (REQUESTS, REPLIES))
        if until_ms <= self.now_ms:
            return False
        self.record(sent)
        patience_ms = None if running.plan.client is None else running.plan.client.connect_timeout_ms
        if patience_ms is not None and self.now_ms + patience_ms < until_ms:
            lapse = Lapse(arrive.process, arrive.incarnation, arrive.path, CONNECT)
            self.kernel.schedule(self.now_ms + patience_ms, lapse)
        else:
            self.kernel.schedule(until_ms, arrive._replace(sent_ms=until_ms))
        return True

    def _is_full(self, index: int, policy: ClientPolicy) -> bool:
        """Whether every connection that a client may have is in use."""
        connections = 1 if policy.one_socket else policy.pool_size
        if connections is None:
            return False
        unanswered = self.processes[index].unanswered
        kept = 0
        for session, (whose, _, path, call) in self.waiting.items():
            kept += whose == index and unanswered.get(path) != (call, session)
        return len(unanswered) + kept >= connections

    def _go_on(self, index: int, choices: Choices) -> None:
        """A connection is free: whoever has waited for one longest gets it."""
        running = self.processes[index]
        if running.queue and running.plan.client is not None and not self._is_full(index, running.plan.client):
            path = running.queue.pop(0)
            self._disarm(index, path)
            self._send_again(index, path, choices)

    def _send_again(self, index: int, path: Path, choices: Choices) -> None:
        request = self.processes[index].live().waiting[path]
        assert isinstance(request, Command)
        self._put_on_wire(index, path, request.commands, choices)

    def _count_command(self, running: Running, request: Command) -> None:
        for argv in request.commands:
            if argv[0] in SENDABLE:
                continue
            name = argv[0].upper()
            instead = instead_of(name)
            if instead is not None:
                told = name.decode(errors="backslashreplace")
                raise ScenarioError(f"process {running.plan.name!r} sends {told}: {instead}")
        running.commands += 1
        if running.commands > TURN_COMMANDS_MAX:
            raise ScenarioError(
                f"process {running.plan.name!r} sent more than {TURN_COMMANDS_MAX} commands in one turn; "
                f"let its loop return, a turn is one iteration"
            )

    def _send_at_once(self, index: int, path: Path, request: Command, choices: Choices) -> None:
        """A command of an atomic block."""
        running = self.processes[index]
        self._count_command(running, request)
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
        if facts:
            self._stir(running)
        self.record(events.Replied(self.now_ms, running.plan.name, self.calls))
        running.feed(path, replies)
        self._hand_out_served(choices)

    def _execute(
        self, session: int, commands: tuple[tuple[bytes, ...], ...]
    ) -> tuple[tuple[Reply, ...], tuple[Fact, ...]]:
        if len(commands) == 1:
            only, all_facts = self.server.execute(session, commands[0], self.clock(SERVER))
            return (only,), all_facts
        replies: list[Reply] = []
        facts: list[Fact] = []
        for argv in commands:
            reply, made_true = self.server.execute(session, argv, self.clock(SERVER))
            replies.append(reply)
            facts.extend(made_true)
        return tuple(replies), tuple(facts)

    def _arrive(self, running: Running, event: Arrive, choices: Choices, fate: Fate | None = None) -> None:
        """A request takes effect; ``fate`` is what becomes of the reply, where the link is not perfect."""
        index, incarnation, path, call, session, sent_ms, commands = event
        if self.plan.counting:
            self._count(running, event)
        replies, facts = self._execute(session, commands)
        if facts and self.plan.frozen:
            self._stir(running)
        name = running.plan.name
        awaited = running.unanswered.get(path) == (call, session)
        self.record_effect(name, call, session, sent_ms, commands, replies, facts)
        if not awaited:
            self._close(name, session)
            self.record(events.Lost(self.now_ms, name, call, "reply"))
        elif replies[-1] is BLOCKED:
            self.waiting[session] = (index, incarnation, path, call)
            if fate is not None:
                running.fates[path] = fate
            self._arm(index, path, sent_ms, commands)
        elif fate is None:
            self.note(index, facts)
            self._reply(index, path, call, replies, choices)
        else:
            self._arm(index, path, sent_ms, commands)
            self._meet(fate, index, path, call, replies, facts, choices)
        self._hand_out_served(choices)

    def _stir(self, running: Running) -> None:
        """Where time is frozen, something that happened makes everybody look again."""
        if self.plan.frozen:
            running.stirred = True
            for process in self.processes:
                process.parked = False

    def _hand_out_served(self, choices: Choices) -> None:
        """Passes on the answers of blocked reads that the last command, or the clock, released."""
        for served in self.server.take_served():
            self._hand_out(served, choices)

    def _hand_out(self, served: Served, choices: Choices) -> None:
        session, reply, facts = served
        index, _, path, call = self.waiting.pop(session)
        self.touched.append(index)
        running = self.processes[index]
        if self.plan.frozen:
            self._stir(running)
        name = running.plan.name
        what = (self.now_ms, name, call, session, self.clock(SERVER), reply, facts)
        self.record(tuple.__new__(events.Served, what))  # as in kernel
        if running.unanswered.get(path) != (call, session):  # given up, and its connection was kept
            self.note(-1, facts)
            self.record(events.Lost(self.now_ms, name, call, REPLY))
            running.sessions.append(session)
            self._go_on(index, choices)
            return
        fate = running.fates.pop(path, None)
        if fate is None:
            self.note(index, facts)
            self._reply(index, path, call, (reply,), choices)
        else:
            self._meet(fate, index, path, call, (reply,), facts, choices)

    def _reply(self, index: int, path: Path, call: int, replies: tuple[Reply, ...], choices: Choices) -> None:
        latency_ms = self._latency(choices)
        running = self.processes[index]
        if running.barred:
            latency_ms += running.barred.get(SLOWLY, NOT_BARRED)[1]
            latency_ms = max(latency_ms, running.barred.get(REPLIES, NOT_BARRED)[0] - self.now_ms)
        if latency_ms or running.resumes_ms is not None:
            self._bring(index, path, call, replies, latency_ms)
        else:
            self._answer(index, path, call, replies, choices)

    def _bring(self, index: int, path: Path, call: int, replies: tuple[Reply, ...], by_ms: int) -> None:
        """A reply that is under way for a while, or that waits for a paused process."""
        running = self.processes[index]
        request = running.live().waiting[path]
        assert isinstance(request, Command)
        self._arm(index, path, self.now_ms, request.commands)
        at_ms = max(self.now_ms + by_ms, running.resumes_ms or 0, running.barred.get(REPLIES, NOT_BARRED)[0])
        self.kernel.schedule(at_ms, Deliver(index, running.incarnation, path, call, replies))

    def _answer(self, index: int, path: Path, call: int, replies: tuple[Reply, ...], choices: Choices) -> None:
        running = self.processes[index]
        _, session = running.unanswered.pop(path)
        running.sessions.append(session)
        if running.plan.client is not None:
            running.attempts.pop(path, None)
            self._disarm(index, path)
            self._go_on(index, choices)
        self.record(tuple.__new__(events.Replied, (self.now_ms, running.plan.name, call)))  # as in kernel
        running.feed(path, replies)
        self._settle(index, choices)

    def _latency(self, choices: Choices) -> int:
        latencies = self.plan.latency_ms
        if len(latencies) == 1:
            return latencies[0]  # mostly: there is nothing to choose
        return latencies[choices.choose(len(latencies), "latency")]

    # -- links that are not perfect --------------------------------------------------------------------

    def _meet(
        self, fate: Fate, index: int, path: Path, call: int, replies: tuple[Reply, ...], facts: tuple[Fact, ...],
        choices: Choices,
    ) -> None:  # fmt: skip
        """What becomes of a reply that a fault has struck."""
        running = self.processes[index]
        if isinstance(fate, int):
            self.note(index, facts)
            self.record(events.Delayed(self.now_ms, running.plan.name, call, REPLY, fate))
            self._bring(index, path, call, replies, fate)
            return
        self.note(-1, facts)
        self.record(events.Lost(self.now_ms, running.plan.name, call, REPLY))
        if fate != SILENCE:
            self.fail(index, path, RESET, choices)

    def fail(self, index: int, path: Path, error: str, choices: Choices) -> None:
        """A command gets no answer (``error`` says why), and its connection is gone.

        The client sends it again or tells its program, as its policy says.
        """
        running = self.processes[index]
        request = running.live().waiting[path]
        assert isinstance(request, Command)
        if path in running.queue:  # it never had a connection
            self.calls += 1
            running.unanswered[path] = (self.calls, self._open())
            self.record(events.Sent(self.now_ms, running.plan.name, self.calls, request.commands))
        call, _ = running.unanswered[path]
        if error in (TIMEOUT, EXHAUSTED):
            self._give_up(index, path)
        else:
            self._abandon(index, path)
        attempts = running.attempts.pop(path, 0) + 1
        policy = running.plan.client
        again_ms = None if policy is None else policy.again_ms(error, attempts, request.commands)
        self.record(events.Unanswered(self.now_ms, running.plan.name, call, error, again_ms))
        if again_ms is not None:
            assert policy is not None
            endless = policy.retries is None and again_ms >= policy.backoff_max_ms  # the pauses grow no more
            running.attempts[path] = attempts - 1 if endless else attempts
            self.kernel.schedule(self.now_ms + again_ms, Resend(index, running.incarnation, path))
            self._go_on(index, choices)
            return
        self._go_on(index, choices)
        self._stir(running)
        running.feed(path, Broken(error))
        self._settle(index, choices)

    def _arm(self, index: int, path: Path, since_ms: int, commands: tuple[tuple[bytes, ...], ...]) -> None:
        """Starts the client's timer for a command, unless it runs already."""
        running = self.processes[index]
        policy = running.plan.client
        patience_ms = None if policy is None else policy.patience_ms(commands)
        if patience_ms is None or self._timers(index, path):
            return
        at_ms = max(since_ms + patience_ms, self.now_ms, running.resumes_ms or 0)
        self.kernel.schedule(at_ms, Lapse(index, running.incarnation, path))

    def _disarm(self, index: int, path: Path) -> None:
        timers = self._timers(index, path)
        if timers:
            self.kernel.drop(timers)

    def _timers(self, index: int, path: Path) -> set[int]:
        return {
            item.serial
            for item in self.kernel.pending()
            if isinstance(item.event, Lapse) and item.event.process == index and item.event.path == path
        }

    def _give_up(self, index: int, path: Path) -> None:
        """Nobody waits for a command any more; some clients keep the connection of a blocked read all the same."""
        running = self.processes[index]
        policy = running.plan.client
        if path in running.queue:
            running.queue.remove(path)
        call, session = running.unanswered.get(path, (0, -1))
        if policy is None or policy.given_up != KEEPS or session not in self.waiting:
            self._abandon(index, path)
            return
        del running.unanswered[path]
        running.fates.pop(path, None)
        self._disarm(index, path)
        self.record(events.Cancelled(self.now_ms, running.plan.name, call))

    def _count(self, running: Running, event: Arrive) -> None:
        """Counts a command for the faults that strike only the n-th of its name."""
        for fault in self.plan.counting.get(running.plan.name, ()):
            what = self.plan.faults[fault]
            nth = getattr(what, "nth", None)
            seen = running.counts.get(fault, 0)
            if nth is not None and seen < nth and self._concerns(fault, event):
                running.counts[fault] = seen + 1

    def _concerns(self, fault: int, event: Arrive) -> bool:
        """Whether a fault that names a command means this request."""
        command = getattr(self.plan.faults[fault], "command", "")
        return any(names_command(command, argv) for argv in event.commands)

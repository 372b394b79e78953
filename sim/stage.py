"""The stage of a world: its server, its processes, what is scheduled, and how a process leaves."""

from __future__ import annotations

from typing import Self

from ..models.facts import Fact
from ..models.replies import Failure
from ..models.server import Server
from ..models.survivors import follow
from . import events
from .chronicle import Chronicle
from .errors import ScenarioError
from .history import History
from .holding import Held, note_held
from .kernel import Kernel
from .plan import SERVER, Plan
from .process import Running
from .steps import Arrive, Deliver, Happening, Mend, Rise, Wake
from .turn import Path
from .watch import Watch

WIRE_RESP = 3
"""The protocol that connections speak: the same whatever redis-py is installed, so that runs are too."""


class Stage(Chronicle):
    """Everything that a world is made of, without the rules by which it goes on."""

    __slots__ = (
        "began_ms", "budgets", "calls", "ended", "healed", "held", "kernel", "processes", "server", "touched",
        "waiting",
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
        self.held: list[Held] = [{} for _ in plan.processes]
        """What each process holds."""
        self.touched: list[int] = []
        """Processes that the step at hand answered though it was not theirs: readers that it woke."""
        self.began_ms = 0
        """When time began: 0, but for the checker, to which all times are relative."""
        self.healed = False
        self.ended = False
        self._set_up()

    def fork(self) -> Self:
        """An independent copy."""
        twin = type(self).__new__(type(self))
        self.share_past(twin)
        twin.server = self.server.fork()
        twin.processes = [process.fork() for process in self.processes]
        twin.kernel = self.kernel.fork()
        twin.budgets = self.budgets.copy()
        twin.calls = self.calls
        twin.waiting = self.waiting.copy()
        twin.held = [held.copy() for held in self.held]
        twin.touched = []
        twin.began_ms = self.began_ms
        twin.healed = self.healed
        twin.ended = self.ended
        return twin

    @property
    def heal_ms(self) -> int:
        """When the faults stop."""
        return self.began_ms + self.plan.faults_ms

    @property
    def end_ms(self) -> int:
        """When the run is over at the latest."""
        return self.heal_ms + self.plan.within_ms

    def note(self, receiver: int, facts: tuple[Fact, ...]) -> None:
        """Keeps the books of who holds what, after a command made ``facts`` true; ``receiver`` is -1 for nobody."""
        if facts:
            note_held(self.held, receiver, {} if receiver < 0 else self.processes[receiver].streams, facts)

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
        if self.plan.follower is not None:
            follow(self.server, *self.plan.follower)
        for i, process in enumerate(self.plan.processes):
            self.kernel.schedule(process.start_ms, Rise(i, 1))

    def _crash(self, index: int, why: str, message: str) -> None:
        """A process is gone at once, with everything that is not yet on its way."""
        running = self.processes[index]
        self.record(events.Crashed(self.now_ms, running.plan.name, why, message))
        idle = running.sessions
        for path in list(running.unanswered):
            self._abandon(index, path)
        for session in [session for session, wait in self.waiting.items() if wait[0] == index]:
            del self.waiting[session]  # a read that was given up while its connection stayed open
            self._close(running.plan.name, session)
        self.kernel.drop({item.serial for item in self.kernel.pending() if _of_living(item.event, index)})
        for session in idle:
            self._close(running.plan.name, session)
        running.die()
        self.held[index] = {}
        if running.plan.restart is not None and not self.plan.frozen:
            self.kernel.schedule(self.now_ms + running.plan.restart.after_ms, Rise(index, running.incarnation + 1))

    def _abandon(self, index: int, path: Path) -> None:
        """Nobody waits for the answer at ``path`` any more: a request that is on its way arrives all the same.

        On a link without latency a request is not on its way until it takes effect.
        """
        running = self.processes[index]
        unanswered = running.unanswered.pop(path, None)
        running.fates.pop(path, None)
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
            elif isinstance(event, Wake) and event.handled is not None:
                self.record(events.HandleFailed(self.now_ms, running.plan.name, *event.handled[2:]))
        if unanswered is not None and not on_its_way:
            self.waiting.pop(unanswered[1], None)
            self._close(running.plan.name, unanswered[1])

    def _open(self) -> int:
        return self.server.open(WIRE_RESP)

    def _close(self, name: str, session: int) -> None:
        self.server.close(session)
        self.record(events.Closed(self.now_ms, name, session))

    def _heal(self) -> None:
        self.healed = True
        self.record(events.Healed(self.now_ms))

    def _deadline(self, event_ms: int | None) -> int | None:
        """When, in true time, the server gives up the next blocked read; ``None`` also where ``event_ms`` is before."""
        if not self.waiting:
            return None
        server_ms = self.clock(SERVER)
        if event_ms is not None and self.server.is_quiet(server_ms + event_ms - self.now_ms):
            return None
        deadline = self.server.next_deadline()
        if deadline is None:
            return None
        left_ms = deadline - server_ms
        return self.now_ms + left_ms if left_ms > 0 else self.now_ms


def _of_living(event: Happening, index: int) -> bool:
    """Whether an event of a process goes when the process does; a request on its way, and its link, do not."""
    return event.process == index and not isinstance(event, Arrive | Mend)

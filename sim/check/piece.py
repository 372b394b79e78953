"""A piece of a world: the server and the one process whose step is taken, at the one instant of the checker.

It is a ``World``, and its steps are the world's own; only what it is told, it writes into a batch of events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...models.facts import Added, Fact
from ...models.footprint import shown
from ...models.ids import ms_of
from ...models.server import Served, Server
from ..choices import Choices
from ..errors import ScenarioError
from ..events import OF_CALL, Closed, Effect, Event
from ..kernel import Kernel
from ..plan import SERVER, Plan
from ..process import Running
from ..requests import Clock, Request
from ..steps import Arrive
from ..turn import Path
from ..world import World
from .abstraction import NOW_MS, Abstraction, Refined, Unabstract
from .lives import SESSIONS_EACH, Life, first_session, thaw
from .monitors import Noted
from .servers import WAITS
from .transcripts import Tap

CALLS_START = 1000
SESSIONS_START = 1 << 20


class Piece(World):
    """A world in which only some processes are there; the others' places are taken by ``absent`` ones."""

    __slots__ = (
        "_blocked", "_idle", "_next_session", "_numbers", "_tap", "_thaw", "abstraction", "added", "batch", "noting",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, absent: list[Running], abstraction: Abstraction, noting: bool, thaw: Callable[[], Server],
        tap: Tap,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.watch = None
        self.history = None
        self.now_ms = NOW_MS
        self.offsets = {}
        self.drifts = {}
        self.processes = list(absent)
        self.kernel = Kernel()
        self.budgets = [1 for _ in plan.faults]
        self.calls = CALLS_START
        self.waiting = {}
        self.held = [{} for _ in absent]
        self.touched = []
        self.began_ms = NOW_MS
        self.healed = True
        self.ended = False
        self.batch: list[Any] = []
        self.added = False
        """Whether an entry was added at this instant."""
        self.abstraction = abstraction
        self.noting = noting
        self._thaw = thaw
        self._tap = tap
        self._idle: dict[int, None] = {}
        """Connections that the server is told of when it is needed."""
        self._blocked: set[int] = set()
        self._numbers: dict[int, int] = {}
        """Calls to numbers that are the same in every step: those of the places in the turn that wait for them."""
        self._next_session = SESSIONS_START

    @property
    def server(self) -> Tap:  # type: ignore[override]  # in a whole world a server is there from the start
        """The server, made when a step needs it first: most need none."""
        tap = self._tap
        if tap.server is None:
            tap.begin(self._thaw(), tuple(self._idle), self._next_session)
        return tap

    @property
    def met(self) -> Server | None:
        """The server that the step needed, or whose clock it changed; ``None`` where it is as before."""
        if self.offsets.get(SERVER):
            return self.server.server
        return self._tap.server

    def seat(self, lives: dict[int, Life]) -> None:
        """Puts some processes on the stage."""
        for index, life in lives.items():
            running, events = thaw(life, self.plan.processes[index])
            self.processes[index] = running
            self._idle.update(dict.fromkeys(session for _, session in running.unanswered.values()))
            self._idle.update(dict.fromkeys(running.sessions))
            for at_ms, event in events:
                self.kernel.schedule(at_ms, event)
                if isinstance(event, Arrive):
                    self._idle[event.session] = None
            for path, (call, _) in running.unanswered.items():
                self._numbers[call] = number_of(path)
            for session, path, call in life.waits:
                self._numbers[call] = number_of(path)
                self._blocked.add(first_session(index) + session)
                self.waiting[first_session(index) + session] = (index, running.incarnation, path, call)

    def _open(self) -> int:
        if self._tap.server is not None:
            return super()._open()
        session = self._next_session
        self._next_session += 1
        self._idle[session] = None
        return session

    def _put_on_wire(
        self, index: int, path: Path, commands: tuple[tuple[bytes, ...], ...], choices: Choices
    ) -> None:
        self._numbers[self.calls + 1] = number_of(path)
        super()._put_on_wire(index, path, commands, choices)

    def _close(self, name: str, session: int) -> None:
        if self._tap.server is not None or session in self._blocked:
            super()._close(name, session)
        else:
            del self._idle[session]
            self.record(Closed(self.now_ms, name, session))

    def record(self, event: Event) -> None:
        """Writes an event down, and looks whether it shows something that was left out."""
        if isinstance(event, OF_CALL):
            event = event._replace(call=self._numbers.get(event.call, event.call))
        self.batch.append(event)
        if type(event) is Effect:
            for argv in event.commands:
                self._look(argv)
            for fact in event.facts:
                if type(fact) is Added:
                    self._look_at_id(fact.id)

    def note(self, receiver: int, facts: tuple[Fact, ...]) -> None:
        """Follows what was delivered to whom; the books are kept elsewhere."""
        super().note(receiver, facts)
        if self.noting and facts:
            self.batch.append(Noted(receiver, facts))

    def _hand_out(self, served: Served, choices: Choices) -> None:
        if served.session in self.waiting:
            super()._hand_out(served, choices)
        else:  # it is not on the stage: whoever asked has to seat it
            self.touched.append(served.session // SESSIONS_EACH - 1)

    def _answer_at_once(self, index: int, path: Path, request: Request, choices: Choices) -> None:
        if isinstance(request, Clock):
            raise Unabstract(f"process {self.plan.processes[index].name!r} reads its clock")
        super()._answer_at_once(index, path, request, choices)

    def _look_at_id(self, entry_id: int) -> None:
        self.added = True
        epoch_ms, ms = self.plan.epoch_ms, ms_of(entry_id)
        if not epoch_ms < ms <= epoch_ms + NOW_MS and ms >= 1 << 32:
            raise Unabstract("an entry is added under an ID that was not made from the clock")

    def _look(self, argv: tuple[bytes, ...]) -> None:
        if argv[0].upper() in (b"WAIT", b"WAITAOF"):
            raise Unabstract(WAITS)
        what = shown(argv)
        mine = self.abstraction
        if what.ties:
            raise Unabstract("XREADGROUP CLAIM tells apart what was delivered in one millisecond")
        if what.clock:
            raise Unabstract(f"{argv[0].decode(errors='replace')} reads the server's clock")
        if what.expiry and mine.over_ms is not None:
            self._refine(argv, "shows whether keys expire: no expiry is left out", over_ms=None)
        if what.idle and mine.idle_ms_max is not None and not self.plan.frozen:
            self._refine(argv, "shows idle times: none are taken for the same", idle_ms_max=None)
        if what.seen and mine.seen:
            self._refine(argv, "shows when consumers were seen: that is part of every state", seen=False)
        if what.names and mine.symmetry:
            self._refine(argv, "lists consumers by name: processes are not taken for one another", symmetry=False)
        asked = what.min_idle_ms
        if asked is not None and mine.idle_ms_max is not None and asked > mine.idle_ms_max:
            if not mine.idle_learned:
                raise ScenarioError(
                    f"{argv[0].decode(errors='replace')} asks for a min-idle time of {asked} ms, and the scenario "
                    f"declares at most {mine.idle_ms_max} ms: raise idle_ms_max in its plan"
                )
            self._refine(argv, "", idle_ms_max=asked)

    def _refine(self, argv: tuple[bytes, ...], why: str, **changed: Any) -> None:
        from dataclasses import replace

        name = b" ".join(argv[:2] if argv[0].upper() in (b"XINFO", b"XGROUP") else argv[:1]).decode(errors="replace")
        notes = (*self.abstraction.notes, f"{name} {why}") if why else self.abstraction.notes
        raise Refined(replace(self.abstraction, notes=notes, **changed))


def number_of(path: Path) -> int:
    """A number for a place in a turn: small, so that it is taken for no time and no ID."""
    number = 0
    for part in path:
        number = (number * 31 + part + 1) % 999_983
    return number

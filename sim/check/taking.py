"""Taking a step that is not remembered yet: on a piece of the world, whose outcome becomes numbers again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from ...models.server import Server
from ..choices import Choices, Enumerated
from ..events import Effect
from ..faults import ClockDrift
from ..kernel import Scheduled
from ..plan import SERVER, Plan
from ..process import Running
from ..steps import Due, Expire, Happening, Resume, Step, Strike
from ..unsent import name_of
from ..world import World
from . import lives, servers
from .abstraction import NOW_MS, Abstraction, Refined, Unabstract
from .interning import Interned, tagged
from .lives import Life
from .parts import STEPS, Parts
from .piece import Piece
from .probing import probe, probe_names
from .symmetry import Names, classes
from .transcripts import End, Tap, Transcripts
from .watching import Watching
from .wording import action

SERVER_BITS, WHOLE_BITS, CLOCK_BITS, LIFE_BITS = 24, 24, 20, 20
PLACE_BITS = 12


class Edge(NamedTuple):
    """Which step was taken: what a tape is made of, with the answers to the choices within it."""

    kind: str
    """``due``, ``expire`` or ``strike``."""
    process: int
    which: int
    """The place among what is due for the process, or the fault."""
    answers: tuple[int, ...]


AS_BEFORE = -1
"""In place of a server: a step that did not need it leaves it as it is."""


class Outcome(NamedTuple):
    """What a step leads to, as far as it matters to whoever takes it."""

    edge: Edge
    server: int
    """Its number, or ``AS_BEFORE``."""
    lives: tuple[tuple[int, int], ...]
    """Process to what it becomes."""
    batch: int
    added: bool
    """Whether an entry was added."""
    broken: tuple[int, ...]
    """The properties that go with the server and that this broke."""


class Woken(NamedTuple):
    """A step that answers other processes too: what comes of it depends on them."""

    edge: Edge
    others: tuple[int, ...]


class Taking:
    """The components of one world, and how a step changes them."""

    def __init__(self, world: World, abstraction: Abstraction) -> None:
        assert world.watch is not None
        self.plan: Plan = world.plan
        if any(isinstance(fault, ClockDrift) for fault in self.plan.faults):
            raise Unabstract("a clock runs fast or slow")
        self._idle = self.plan.needs_connections
        self.abstraction = abstraction
        self._thawing = servers.Thawing(world.server, self.plan.epoch_ms + NOW_MS)
        self.watching = Watching(world.watch, self.plan, abstraction)
        self.servers: Interned[Any] = Interned("the server", 1 << SERVER_BITS)
        self.lives: Interned[Life] = Interned("processes", 1 << LIFE_BITS, tagged)
        self.deadlines: list[int | None] = []
        """Of each server: in how many ms it gives up a blocked read."""
        self.nexts: list[int | None] = []
        """Of each process: in how many ms something happens to it."""
        self.up: list[bool] = []
        self.busy: list[bool] = []
        """Of each process: whether it is in a turn, and whether that has got an answer."""
        self.actions: dict[str, None] = {}
        """What was ever done, in words."""
        self.struck: set[int] = set()
        """The faults that ever struck."""
        self.sent: set[tuple[str, str]] = set()
        """The commands that ever took effect, each with the process that sent it."""
        found = classes(self.plan, world.watch.properties) if abstraction.symmetry else []
        self.names = Names(self.plan, found)
        self.watching.see_under([self.names.exchanged(order).atom for order in self.names.neighbours()])
        self.parts = Parts()
        self._transcripts = Transcripts()
        self._local: dict[tuple[int | None, int, int], tuple[Outcome, ...]] = {}
        self._absent = [Running(process) for process in self.plan.processes]
        self._strikable: dict[tuple[int, int, bool], bool] = {}

    def first(self, world: World) -> tuple[int, list[int]]:
        """The numbers of the server and the processes as the world begins."""
        assert world.now_ms == 0
        events = world.kernel.pending()
        numbers = []
        for index, running in enumerate(world.processes):
            mine = [item._replace(at_ms=NOW_MS + item.at_ms) for item in events if item.event.process == index]
            running.turn_began_ms = NOW_MS
            waits = {session: wait for session, wait in world.waiting.items() if wait[0] == index}
            known = lives.number(running, waits, mine)
            numbers.append(self.life(lives.freeze(index, running, known, waits, mine, idle=self._idle)))
        frozen = servers.freeze(world.server, self.plan.epoch_ms, self.abstraction)
        return self.server(frozen, self.watching.initial_attached), numbers

    def server(self, frozen: Any, attached: tuple[int, ...]) -> int:
        """The number of a server, with what the properties that go with it have come to."""
        number = self.servers.number((frozen, attached))
        if number == len(self.deadlines):
            self.deadlines.append(servers.deadline_of(frozen))
        return number

    def life(self, life: Life) -> int:
        """The number of a process; a new one is probed."""
        number = self.lives.number(life)
        if number == len(self.nexts):
            self.nexts.append(min((left for left, _ in life.events), default=None))
            self.up.append(not life.down and not life.finished)
            self.busy.append(bool(life.log))
            probe(life, self.plan)
            if self.names.classes and not probe_names(life, self.plan, self.names):
                name = self.plan.processes[life.whose].name
                why = f"process {name!r} does not look like the others under their names: none are taken for another"
                raise Refined(replace(self.abstraction, symmetry=False, notes=(*self.abstraction.notes, why)))
        return number

    def local(self, fault: int | None, index: int, life: int) -> tuple[Outcome, ...] | None:
        """What is due for a process, or a fault that strikes it, where that was seen to leave the server alone."""
        return self._local.get((fault, index, life))

    def due(self, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """Everything that is due for a process."""
        found: list[Outcome | Woken] = []
        self.parts.enter(STEPS)
        events = self.lives.table[life].events
        ready = sum(left == 0 for left, _ in events)
        if any(isinstance(event, Resume) for _, event in events):
            ready = len(self._ready(self._seated(index, life), index))
        for which in range(ready):
            found.extend(self._alone(Edge("due", index, which, ()), index, server, life))
        self.parts.leave()
        return self._kept(None, index, life, tuple(found))

    def strike(self, fault: int, index: int, server: int, life: int) -> tuple[Outcome | Woken, ...]:
        """What comes of a fault that strikes a process."""
        self.parts.enter(STEPS)
        found = self._alone(Edge("strike", index, fault, ()), index, server, life)
        self.parts.leave()
        return self._kept(fault, index, life, tuple(found))

    def may_strike(self, fault: int, index: int, life: int, holding: bool) -> bool:
        """Whether a fault may strike a process now; ``holding`` says whether it holds an entry."""
        known = self._strikable.get((fault, life, holding))
        if known is None:
            known = self._seated(index, life).may_strike(fault, index, holding, NOW_MS)
            self._strikable[fault, life, holding] = known
        return known

    def _seated(self, index: int, life: int) -> Piece:
        """A process alone on the stage, only to look at."""
        piece = Piece(self.plan, self._absent, self.abstraction, False, _no_server, Tap(Enumerated()))
        piece.seat({index: self.lives.table[life]})
        return piece

    @staticmethod
    def _ready(piece: Piece, index: int) -> list[Scheduled[Happening]]:
        """What is due for a process and does not have to wait."""
        due = [item for item in piece.kernel.due() if item.event.process == index]
        return [item for item in due if item.at_ms == NOW_MS and not piece.is_held(item)]

    def _alone(self, edge: Edge, index: int, server: int, life: int) -> list[Outcome | Woken]:
        """A step of one process with every answer to the choices within it, by what is known of its course."""
        inner = Enumerated()
        thaw = partial(self._thaw, server)
        found: list[Outcome | Woken] = []
        while True:
            end, met, said = self._transcripts.walk((edge, life), inner, thaw)
            if end is None:
                inner.again()
                tap = Tap(inner, said)
                piece = self._run(edge, thaw if met is None else partial(_there, met), {index: life}, tap)
                woken = set(piece.touched) - {index}
                if woken:
                    return [Woken(edge, tuple(sorted(woken)))]
                end = self._end(piece, index, inner)
                self._transcripts.keep((edge, life), tap.asked, end)
                met = tap.server
            found.append(self._outcome(edge, index, server, end, met))
            if not inner.advance():
                return found

    def _kept(
        self, fault: int | None, index: int, life: int, found: tuple[Outcome | Woken, ...]
    ) -> tuple[Outcome | Woken, ...]:
        kept = tuple([each for each in found if isinstance(each, Outcome) and each.server == AS_BEFORE])
        if len(kept) == len(found):
            self._local[fault, index, life] = kept
        return found

    def late(self, server: int) -> tuple[int, ...]:
        """The processes whose blocked reads the server gives up now."""
        waits = self.servers.table[server][0][1]
        late = {wait[0] // lives.SESSIONS_EACH - 1 for wait in waits if wait[3] is not None and wait[3] < 0}
        return tuple(sorted(late))

    def together(self, edge: Edge, server: int, seated: dict[int, int]) -> tuple[Outcome, ...]:
        """A step with all whom it may answer, and every answer to the choices within it."""
        found = []
        inner = Enumerated()
        self.parts.enter(STEPS)
        while True:
            piece = self._run(edge, partial(self._thaw, server), seated, Tap(inner))
            assert set(piece.touched) <= set(seated), "a step answers those whom the server names"
            found.append(self._outcome_of_several(edge._replace(answers=tuple(inner.answers)), piece, server, seated))
            if not inner.advance():
                self.parts.leave()
                return tuple(found)

    def play(
        self, edge: Edge, server: int, seated: dict[int, int], inner: Enumerated, ready: Callable[[Piece], None]
    ) -> tuple[Piece, Outcome]:
        """A step that is taken for real, with what has become of the piece; ``ready`` may change it before."""
        piece = self._run(edge, partial(self._thaw, server), seated, Tap(inner), ready)
        return piece, self._outcome_of_several(edge._replace(answers=tuple(inner.answers)), piece, server, seated)

    def look(self, edge: Edge, server: int, seated: dict[int, int], choices: Choices) -> Piece:
        """A step that is taken to see what it does."""
        return self._run(edge, partial(self._thaw, server), seated, Tap(choices))

    def _run(
        self, edge: Edge, thaw: Callable[[], Server], seated: dict[int, int], tap: Tap,
        ready: Callable[[Piece], None] | None = None,
    ) -> Piece:  # fmt: skip
        """Takes a step for real, on a piece of the world."""
        piece = Piece(self.plan, self._absent, self.abstraction, self.watching.noting, thaw, tap)
        piece.seat({index: self.lives.table[life] for index, life in seated.items()})
        if ready is not None:
            ready(piece)
        step = self._step(piece, edge)
        self.actions.setdefault(action(step, self.plan))
        piece.take(step, tap)
        for event in piece.batch:
            if type(event) is Effect:
                self.sent.update((event.process, name_of(argv)) for argv in event.commands)
        return piece

    def _thaw(self, server: int) -> Server:
        return self._thawing.thaw(self.servers.table[server][0])

    def _step(self, piece: Piece, edge: Edge) -> Step:
        if edge.kind == "expire":
            return Expire(NOW_MS)
        if edge.kind == "strike":
            self.struck.add(edge.which)
            return Strike(NOW_MS, edge.which, edge.process)
        return Due(NOW_MS, self._ready(piece, edge.process)[edge.which])

    def _end(self, piece: Piece, index: int, inner: Enumerated) -> End:
        """What has become of the one process of a piece."""
        life, sessions = self._life_of(piece, index)
        watching = self.watching
        return End(
            tuple(inner.answers), life, watching.batch(piece.batch), watching.facts(piece.batch), piece.added,
            tuple(sessions.items()),
        )  # fmt: skip

    def _outcome(self, edge: Edge, index: int, before: int, end: End, met: Server | None) -> Outcome:
        edge = edge._replace(answers=end.answers)
        if met is None:
            return Outcome(edge, AS_BEFORE, ((index, end.life),), end.batch, False, ())
        frozen = servers.freeze(met, self.plan.epoch_ms + NOW_MS, self.abstraction, dict(end.sessions))
        attached, broken = self.watching.step_attached(self.servers.table[before][1], end.facts)
        return Outcome(edge, self.server(frozen, attached), ((index, end.life),), end.batch, end.added, broken)

    def _outcome_of_several(self, edge: Edge, piece: Piece, before: int, seats: Iterable[int]) -> Outcome:
        sessions: dict[int, int] = {}
        found = []
        for index in seats:
            life, numbers = self._life_of(piece, index)
            sessions.update(numbers)
            found.append((index, life))
        batch, met = self.watching.batch(piece.batch), piece.met
        if met is None:
            return Outcome(edge, AS_BEFORE, tuple(found), batch, False, ())
        jump = piece.offsets.get(SERVER, 0)
        frozen = servers.freeze(met, self.plan.epoch_ms + NOW_MS + jump, self.abstraction, sessions)
        facts = self.watching.facts(piece.batch)
        attached, broken = self.watching.step_attached(self.servers.table[before][1], facts)
        return Outcome(edge, self.server(frozen, attached), tuple(found), batch, piece.added, broken)

    def _life_of(self, piece: Piece, index: int) -> tuple[int, dict[int, int]]:
        """The number of what has become of a process, and the new numbers of its connections."""
        mine = [item for item in piece.kernel.pending() if item.event.process == index]
        waits = {session: wait for session, wait in piece.waiting.items() if wait[0] == index}
        numbers = lives.number(piece.processes[index], waits, mine)
        first = lives.first_session(index)
        life = self.life(lives.freeze(index, piece.processes[index], numbers, waits, mine, idle=self._idle))
        return life, {session: first + rank for session, rank in numbers.sessions.items()}


def _there(server: Server) -> Server:
    """A server that is there already."""
    return server


def _no_server() -> Server:
    raise AssertionError("whoever is only looked at asks nothing of the server")

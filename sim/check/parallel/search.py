"""A breadth-first search by several workers, level by level, with the numbers that one worker alone comes to.

Whoever leads counts and hands on. A level is over when nobody has a state of it left and nothing is under way; so the
levels are those of any other breadth-first search, whoever found a state first. A violation only ends the search: the
way to it, and the numbers up to there, depend on the order of states within a level, so one process searches for them
again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

from ...catalogue import find
from ...errors import RedeliveryError
from ...run import build
from ...scenario import Variant
from ..abstraction import Abstraction
from ..breadth import STOPPED, Frontier, Hit, Outcome, Progress, Report, Stop
from ..checkpoint import Saver
from ..machine import Machine, State
from ..reduced import machine_for
from ..sweep import Spread
from . import crew
from .crew import DID, FAILED, Crew, Failed, Lost
from .owners import Owners
from .parcel import Parcel, Receiver, Sender, marks
from .sweeper import OfScenes
from .worker import OfStates, Reply, Worker

StopAt = Callable[[Variant, Sequence[str]], Stop]
"""What ends a search, by the variant and the names of all properties."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a worker that begins anew needs to make the same machine."""

    reference: str
    variant: str
    dialect: str
    params: Mapping[str, str]
    reductions: Sequence[str]
    abstraction: Abstraction


@dataclass(slots=True)
class Briefing:
    """What each worker is started with."""

    count: int
    clock: Callable[[], float]
    stop_at: StopAt
    recipe: Recipe
    inherited: tuple[Machine, Stop, Frontier] | None
    """What a fork has at hand."""
    by_scene: bool
    """Whether states are kept by scene."""


class Parallel:
    """Hands frontiers over to workers."""

    def __init__(
        self, count: int, recipe: Recipe, stop: Stop, stop_at: StopAt,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.count = count
        self.used = False
        """Whether there ever was enough to do for all."""
        self.trouble: str | None = None
        """Why one process had to go on alone."""
        self._recipe = recipe
        self._stop = stop
        self._stop_at = stop_at
        self._clock = clock

    def search(
        self, machine: Machine, report: Report | None, depth_max: int | None, saver: Saver | None, frontier: Frontier
    ) -> Outcome | None:
        """Goes on from a frontier to the end; ``None`` where one process has to begin again."""
        forked = crew.START_METHOD == "fork"
        recipe = replace(self._recipe, abstraction=machine.abstraction)
        inherited = (machine, self._stop, frontier) if forked else None
        by_scene = isinstance(frontier.seen, Spread)
        briefing = Briefing(self.count, self._clock, self._stop_at, recipe, inherited, by_scene)
        lead = Lead(self.count, machine, report, depth_max, saver, frontier.out)
        self.used = True
        try:
            lead.start(briefing, frontier)
            lead.levels()
        except (Lost, KeyboardInterrupt) as error:
            lead.out.cut = STOPPED if isinstance(error, KeyboardInterrupt) else str(error)
        except Failed as error:
            self.trouble = str(error)
            return None
        finally:
            lead.end()
        return lead.out


class Lead:
    """Whoever leads a search."""

    def __init__(
        self, count: int, machine: Machine, report: Report | None, depth_max: int | None, saver: Saver | None,
        before: Outcome,
    ) -> None:  # fmt: skip
        self.out = replace(before, degrees=dict(before.degrees), broken=dict(before.broken), levels=[*before.levels])
        self._before = before
        self._count = count
        self._machine = machine
        self._report = report
        self._depth_max = depth_max
        self._saver = saver
        self._crew: Crew | None = None
        self._waiting: list[list[tuple[int, bytes]]] = [[] for _ in range(count)]
        """For each worker: what others have found, and from whom."""

    def start(self, briefing: Briefing, frontier: Frontier) -> None:
        """Starts the workers, and gives each its own."""
        self._crew = Crew(self._count, serve, briefing)
        shares = [b""] * self._count
        if briefing.inherited is None:
            shares = _shares(self._machine, self._count, frontier)
        try:
            self._ask([("begin", share) for share in shares])
        except Lost as error:
            raise Failed(str(error)) from error
        _forget(frontier)  # it is the workers' now

    def end(self) -> None:
        """Leaves no process behind."""
        if self._crew is not None:
            self._crew.end()

    def levels(self) -> None:
        """One round after the other, until a level is empty, a bound is reached, or the search ends otherwise."""
        out, deepen = self.out, False
        while True:
            replies = self._round(deepen=deepen)
            if deepen:
                size = sum(reply.level for reply in replies)
                if not size:
                    return
                out.depth += 1
                out.levels.append(size)
            if any(reply.hit for reply in replies):
                out.hit = Hit((), (), at_end=False)  # searched for again by whoever handed over
                return
            deepen = not any(reply.left for reply in replies)
            if deepen and self._depth_max is not None and out.depth >= self._depth_max:
                out.bounded = any(reply.deeper for reply in self._settle())
                return
            self._save()

    def _round(self, *, deepen: bool) -> list[Reply]:
        depth = self.out.depth + deepen
        replies = self._ask([("look", parcels, deepen, depth) for parcels in self._waiting])
        self._waiting = [[] for _ in range(self._count)]
        for sender, reply in enumerate(replies):
            for receiver, packed in reply.parcels.items():
                self._waiting[receiver].append((sender, packed))
        self._count_all(replies)
        if self._report is not None:
            queue = sum(reply.left + reply.deeper for reply in replies)
            memory = sum(reply.memory_bytes for reply in replies)
            self._report(Progress(self.out.states, self.out.transitions, queue, depth, memory))
        return replies

    def _settle(self) -> list[Reply]:
        """Lets everything that is under way come in."""
        replies = self._ask([("settle", parcels) for parcels in self._waiting])
        self._waiting = [[] for _ in range(self._count)]
        self._count_all(replies)
        return replies

    def _save(self) -> None:
        saver = self._saver
        if saver is None or not saver.due():
            return
        self._settle()
        troubles = self._ask([("save", saver.part(place)) for place in range(self._count)])
        saver.join(self._machine, self.out, self._count, next(filter(None, troubles), None))

    def _ask(self, questions: list[Any]) -> list[Any]:
        assert self._crew is not None
        return self._crew.ask(questions)

    def _count_all(self, replies: list[Reply]) -> None:
        """The numbers of all, with those from before; what anybody has met, everybody has."""
        out, before = self.out, self._before
        each = [before, *(reply.out for reply in replies)]
        out.states = sum(reply.out.states for reply in replies)
        out.transitions = sum(some.transitions for some in each)
        out.ends = sum(some.ends for some in each)
        out.degrees = {}
        for some in each:
            for degree, times in some.degrees.items():
                out.degrees[degree] = out.degrees.get(degree, 0) + times
            for which, depth in some.broken.items():
                out.broken[which] = min(depth, out.broken.get(which, depth))
        taking, watching = self._machine.taking, self._machine.watching
        for reply in replies:
            taking.actions.update(dict.fromkeys(reply.actions))
            taking.struck |= reply.struck
            taking.sent |= reply.sent
            watching.seen |= reply.seen
            watching.came_before |= reply.came


def _forget(frontier: Frontier) -> None:
    """Whoever called still holds it, so it is emptied."""
    for states in (frontier.seen, frontier.level, frontier.deeper):
        states.clear()


def _shares(machine: Machine, count: int, frontier: Frontier) -> list[bytes]:
    """Where the search is, packed for each worker."""
    owners = Owners(machine, count)
    shares = []
    for place in range(count):
        sender = Sender(machine, [0] * len(marks(machine)))
        parts = [
            [state for state in states if owners.of(state) == place]
            for states in (frontier.seen, islice(frontier.level, frontier.at, None), frontier.deeper)
        ]
        shares.append(pickle.dumps([sender.pack(part) for part in parts], pickle.HIGHEST_PROTOCOL))
    return shares


def serve(theirs: Connection, place: int, briefing: Briefing) -> None:
    """What a worker's process does: it answers, until it is ended."""
    import gc

    gc.disable()
    try:
        worker = _worker(place, briefing)
        while True:
            theirs.send(_answer(worker, place, briefing, theirs.recv()))
    except Exception as error:  # whoever leads tells it, or meets it, too
        reason = str(error) if isinstance(error, RedeliveryError) else f"{type(error).__name__}: {error}"
        theirs.send((FAILED, " ".join(reason.split())))


def _worker(place: int, briefing: Briefing) -> Worker:
    kind = OfScenes if briefing.by_scene else OfStates
    if briefing.inherited is not None:
        machine, stop, _ = briefing.inherited
        return kind(place, briefing.count, machine, stop, briefing.clock, marks(machine))
    what = briefing.recipe
    scenario = find(what.reference)
    world, _ = build(scenario, what.variant, what.dialect, what.params, record=False)
    machine = machine_for(world, what.abstraction, what.reductions)
    stop = briefing.stop_at(scenario.variant(what.variant), [p.name for p in machine.properties])
    return kind(place, briefing.count, machine, stop, briefing.clock, [0] * len(marks(machine)))


def _answer(worker: Worker, place: int, briefing: Briefing, question: tuple[Any, ...]) -> tuple[str, Any]:
    kind, *rest = question
    if kind == "begin":
        if briefing.inherited is not None:
            frontier = briefing.inherited[2]
            worker.begin(frontier.seen, islice(frontier.level, frontier.at, None), frontier.deeper)
            _forget(frontier)
        else:
            worker.begin(*_unpacked(worker.machine, rest[0]))
        return DID, worker.reply()
    if kind == "save":
        try:
            worker.save(rest[0])
        except OSError as error:
            return DID, error.strerror or str(error)
        return DID, None
    worker.take_in(rest[0])
    if kind == "settle":
        return DID, worker.reply()
    return DID, worker.look(deepen=rest[1], depth=rest[2])


def _unpacked(machine: Machine, share: bytes) -> list[list[State]]:
    parcels: list[Parcel] = pickle.loads(share)
    receiver = Receiver(machine, [0] * len(marks(machine)))
    found = []
    for parcel in parcels:
        receiver.learn(parcel.luggage)
        found.append(list(receiver.states(parcel.states)))
    return found

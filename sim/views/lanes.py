"""What happened to each process, and which of its commands the server's lane shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from ...models import facts as f
from ...models.commands.table import TABLE
from ...models.replies import Blocked, Failure, Nil, Reply
from ..client_policies import RESET
from ..events import (
    Cancelled,
    ClockDrifts,
    ClockJumped,
    Crashed,
    Disconnected,
    Effect,
    Event,
    Finished,
    HalfOpened,
    Handled,
    HandleFailed,
    Handling,
    LinkSlowed,
    Lost,
    Mended,
    Partitioned,
    Paused,
    Projected,
    Replied,
    Resumed,
    Served,
    ServerLost,
    Started,
    Unanswered,
)
from ..history import History
from . import words
from .life import stacked
from .picture import Command, Lane, Life, Loss, Mark, ServerLane, Sign, Work

_QUIET = (f.LagReported, f.ConsumerCreated)
"""Facts that change nothing that the picture tells."""
_ERRORS = {
    "timeout": "timeout", "refused": "refused", "connect": "cannot connect", "exhausted": "no connection free",
}  # fmt: skip
_OfLink: TypeAlias = (
    Paused | Resumed | Disconnected | Cancelled | Unanswered | Partitioned | LinkSlowed | Mended | HalfOpened
)
_WRITES = frozenset(row.name.encode() for row in TABLE if "write" in row.flags and not row.name.startswith("X"))
_Handler = tuple[str, bytes, bytes, bytes]


@dataclass(slots=True)
class LaneView:
    """A process while its lane grows."""

    name: str
    host: str
    consumer: str = ""
    running: bool = False
    since_ms: int = 0
    lives: list[Life] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    pauses: list[tuple[int, int]] = field(default_factory=list)
    paused_ms: int | None = None

    def turn(self, at_ms: int, running: bool, consumer: str) -> None:
        """From here on it runs under this name, or does not."""
        if self.lives or self.running:
            self.leave(at_ms)
        self.running, self.consumer, self.since_ms = running, consumer, at_ms

    def leave(self, at_ms: int) -> None:
        """Ends the present stretch."""
        self.lives.append(Life(self.since_ms, at_ms, self.consumer, self.running))

    def go_on(self, at_ms: int) -> None:
        """Ends a pause, if there is one."""
        if self.paused_ms is not None:
            self.pauses.append((self.paused_ms, at_ms))
            self.paused_ms = None

    def lane(self) -> Lane:
        """The finished lane."""
        marks = tuple(sorted(_told_once(self.marks), key=lambda mark: mark.at_ms))
        return Lane(self.name, self.host, tuple(self.lives), stacked(self.works), marks, tuple(self.pauses))


class Lanes:
    """Reads a history once; afterwards it holds the lanes, the handlers and the server's commands."""

    def __init__(self, history: History, numbering: words.Numbering) -> None:
        self.views: dict[str, LaneView] = {}
        self.handlers: list[tuple[bytes, bytes, bytes, Work]] = []
        """(stream, group, entry, work) of every handler that ran."""
        self.commands: list[Command] = []
        self.idle: dict[int, tuple[int, str]] = {}
        """Commands that changed nothing, by their calls: when, and whose."""
        self.losses: list[Loss] = []
        self.servers = [ServerLane("server", 0, None)]
        self._numbering = numbering
        self._open: dict[_Handler, list[int]] = {}
        """When each began; a process may be at the same entry twice."""
        self._finished: set[str] = set()
        self._replied = {event.call: event.at_ms for event in history if isinstance(event, Replied)}
        self._calls: dict[int, Effect] = {}
        self._lags: dict[tuple[int, bytes], int | None] = {}
        """What XINFO said last of each group, by the incarnation of its stream and its name."""
        self._end_ms = history.events[-1].at_ms if history.events else 0
        for event in history:
            self._take(event)
        for handler in [handler for handler, begun in self._open.items() for _ in begun]:
            self._stop(handler, self._end_ms, False)
        for name, view in self.views.items():
            view.go_on(self._end_ms)
            if name not in self._finished:
                view.leave(self._end_ms)

    def _take(self, event: Event) -> None:
        match event:
            case Started():
                self._start(event)
            case Crashed() | Finished():
                self._end(event)
            case Handling():
                handler = (event.process, event.stream, event.group, event.entry)
                self._open.setdefault(handler, []).append(event.at_ms)
            case Handled():
                self._stop((event.process, event.stream, event.group, event.entry), event.at_ms, False)
            case Effect() | Served():
                self._command(event)
            case Lost():
                # What a crash cut off is no loss of its own: the crash is what there is to see.
                view = self._view(event.process)
                if view.running or not view.lives or view.since_ms != event.at_ms:
                    self.losses.append(Loss(event.at_ms, event.process, event.what))
            case HandleFailed():
                self._stop((event.process, event.stream, event.group, event.entry), event.at_ms, True)
                self._view(event.process).marks.append(Mark(event.at_ms, Sign.FAILED, "fails"))
            case (
                Paused() | Resumed() | Disconnected() | Cancelled() | Unanswered()
                | Partitioned() | LinkSlowed() | Mended() | HalfOpened()
            ):
                self._link(event)
            case Projected():
                said = f"{event.name} = {event.value}"
                self._view(event.process).marks.append(Mark(event.at_ms, Sign.PUBLISHED, said))
            case ClockDrifts():
                for view in self.views.values():
                    if view.host == event.host:
                        drift = f"{event.ms_a_second:+d} ms a second"
                        view.marks.append(Mark(event.at_ms, Sign.JUMPED, drift))
            case ClockJumped():
                for view in self.views.values():
                    if view.host == event.host:
                        view.marks.append(Mark(event.at_ms, Sign.JUMPED, words.jump(event.by_ms)))
            case ServerLost(cause="failover"):
                self.servers[-1] = self.servers[-1]._replace(end_ms=event.at_ms)
                number = "" if len(self.servers) == 1 else f" {len(self.servers)}"
                self.servers.append(ServerLane(f"replica{number}", event.at_ms, None))
            case _:
                pass

    def _link(self, event: _OfLink) -> None:
        """What befalls a process, or its client, other than a crash."""
        view = self._view(event.process)
        marks = view.marks
        match event:
            case Paused():
                view.go_on(event.at_ms)
                view.paused_ms = event.at_ms
                marks.append(Mark(event.at_ms, Sign.PAUSED, f"paused {words.duration(event.for_ms)}"))
            case Resumed():
                view.go_on(event.at_ms)
                marks.append(Mark(event.at_ms, Sign.RESUMED))
            case Disconnected():
                marks.append(Mark(event.at_ms, Sign.DISCONNECTED, "connections break"))
            case Cancelled():
                marks.append(Mark(event.at_ms, Sign.CANCELLED, "read given up"))
            case Unanswered():
                if event.error != RESET:
                    marks.append(Mark(event.at_ms, Sign.TIMED_OUT, _ERRORS[event.error]))
            case Partitioned():
                what = {"both": "cut off", "requests": "requests held up", "replies": "replies held up"}[event.cut]
                marks.append(Mark(event.at_ms, Sign.DISCONNECTED, f"{what} {words.duration(event.for_ms)}"))
            case LinkSlowed():
                marks.append(Mark(event.at_ms, Sign.PAUSED, f"slow link {words.duration(event.for_ms)}"))
            case HalfOpened():
                marks.append(Mark(event.at_ms, Sign.DISCONNECTED, "connections gone, untold"))
            case Mended():
                marks.append(Mark(event.at_ms, Sign.RESUMED))

    def _start(self, event: Started) -> None:
        view = self.views.setdefault(event.process, LaneView(event.process, event.host))
        again = bool(view.lives) or event.incarnation > 1
        self._finished.discard(event.process)
        view.turn(event.at_ms, True, event.consumer)
        view.marks.append(Mark(event.at_ms, Sign.RESTARTED if again else Sign.STARTED, event.consumer))

    def _end(self, event: Crashed | Finished) -> None:
        view = self._view(event.process)
        crashed = isinstance(event, Crashed)
        view.go_on(event.at_ms)
        for handler in [handler for handler, begun in self._open.items() for _ in begun if handler[0] == event.process]:
            self._stop(handler, event.at_ms, crashed)
        if isinstance(event, Crashed):
            raised = event.message if event.why == "raised" else ""
            view.marks.append(Mark(event.at_ms, Sign.CRASHED, raised))
            view.turn(event.at_ms, False, view.consumer)
        else:
            view.marks.append(Mark(event.at_ms, Sign.FINISHED))
            view.leave(event.at_ms)
            self._finished.add(event.process)

    def _stop(self, handler: _Handler, at_ms: int, cut: bool) -> None:
        begun = self._open.get(handler)
        if not begun:
            return
        begin_ms = begun.pop(0)
        process, stream, group, entry = handler
        work = Work(begin_ms, at_ms, process, self._numbering.named(stream, entry), cut)
        self._view(process).works.append(work)
        self.handlers.append((stream, group, entry, work))

    def _command(self, event: Effect | Served) -> None:
        if isinstance(event, Effect):
            self._calls[event.call] = event
        sent = self._calls.get(event.call)
        if sent is None or not event.process:
            return
        replies = event.replies if isinstance(event, Effect) else (event.reply,)
        failed = any(_failed(reply) for reply in replies)
        # An XACK that answers 0 changes nothing, and that is what there is to tell.
        told = [fact for fact in event.facts if not isinstance(fact, _QUIET)] or failed or replies == (0,)
        told = told or any(map(_wrote, sent.commands, replies))
        lags = self._new_lags(event)
        if not told and not lags:
            if isinstance(event, Effect):
                self.idle[event.call] = (event.at_ms, event.process)
            return
        self.idle.pop(event.call, None)  # one that waited had changed nothing until now
        names = groupby(_name(argv) for argv in sent.commands)
        counted = [(name, sum(1 for _ in same)) for name, same in names]
        text = "+".join(name if times == 1 else f"{times} {name}" for name, times in counted)
        answer = " → 0" if replies == (0,) else f" → lag {', '.join(lags)}" if lags else ""
        replied_ms = self._replied.get(event.call)
        sent_ms = sent.sent_ms if isinstance(event, Effect) else None
        at_server = len(self.servers) - 1
        command = Command(event.at_ms, sent_ms, replied_ms, event.process, text + answer, failed, at_server)
        self.commands.append(command)
        self._added(event)

    def _new_lags(self, event: Effect | Served) -> list[str]:
        """The lag that this told, where it was not told before; of several groups at once it is none of the story."""
        told = {(fact.born, fact.group): fact.lag for fact in event.facts if isinstance(fact, f.LagReported)}
        if len(told) > 1 or all(key in self._lags and self._lags[key] == lag for key, lag in told.items()):
            return []
        self._lags |= told
        return ["null" if lag is None else str(lag) for lag in told.values()]

    def _added(self, event: Effect | Served) -> None:
        added = [
            self._numbering.of(fact.stream, fact.born, fact.id) for fact in event.facts if isinstance(fact, f.Added)
        ]
        if added:
            self._view(event.process).marks.append(Mark(event.at_ms, Sign.ADDED, "+" + ", ".join(added)))

    def _view(self, process: str) -> LaneView:
        """The process's lane; one that this history never saw started runs from the beginning."""
        if process not in self.views:
            self.views[process] = LaneView(process, process, process, True)
        return self.views[process]


def _told_once(marks: list[Mark]) -> list[Mark]:
    """Values that a process published at one moment become one mark: ``40 … 35``."""
    out: list[Mark] = []
    published: dict[tuple[int, str], int] = {}
    for mark in marks:
        name, equals, value = mark.text.partition(" = ")
        key = (mark.at_ms, name)
        if mark.sign is Sign.PUBLISHED and equals and key in published:
            first = out[published[key]].text.partition(" …")[0]
            out[published[key]] = mark._replace(text=f"{first} … {value}")
            continue
        if mark.sign is Sign.PUBLISHED:
            published[key] = len(out)
        out.append(mark)
    return out


def _name(argv: Sequence[bytes]) -> str:
    """A command's name; XGROUP alone says nothing."""
    name = words.text(argv[0]).upper()
    return f"{name} {words.text(argv[1]).upper()}" if name == "XGROUP" and len(argv) > 1 else name


def _wrote(argv: Sequence[bytes], reply: Reply) -> bool:
    """Whether a command on a plain key changed something; what it did leaves no fact."""
    return argv[0].upper() in _WRITES and not isinstance(reply, Nil | Blocked) and reply not in (0, ())


def _failed(reply: Reply) -> bool:
    if isinstance(reply, tuple):
        return any(_failed(item) for item in reply)
    return isinstance(reply, Failure)

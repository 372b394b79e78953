"""A run as moves between processes and the server, the matter of sequence charts and diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...models import facts as f
from ...models import ids
from ...models.replies import BLOCKED, Failure, Nil, Reply
from .. import events as e
from ..history import History
from . import links, words
from .words import duration, entries, short, text

ASKS, TOLD, LOST_REPLY, LOST_REQUEST, WORKS, DONE, DOWN, UP, NOTE = (
    "asks", "told", "lost reply", "lost request", "works", "done", "down", "up", "note",
)  # fmt: skip
"""Kinds of moves: a command and what it made true; what a blocked command got; what was lost; work on an entry
begins, is done; a process is gone, is back; a remark about everything."""
COMMAND_LENGTH = 46
IDLE_LEAST = 5
"""So many commands that changed nothing are worth a line of their own."""


class Move(NamedTuple):
    """One line of a chart. ``who`` is a process, empty where it concerns everything."""

    at_ms: int
    kind: str
    who: str
    what: str
    answer: str = ""
    heard: bool = True
    """Whether the answer came to who asked; else what it tells came true, and is known to the server alone."""


def moves(history: History) -> list[Move]:
    """The moves of a run that changed something, in order; what is left out is counted in a note."""
    reader = _Reader(history)
    for event in history:
        reader.read(event)
    reader.flush()
    return reader.moves


def people(history: History) -> list[str]:
    """The processes, in the order in which they appear."""
    names: dict[str, None] = {}
    for event in history:
        process = getattr(event, "process", "")
        if process:
            names[process] = None
    return list(names)


class _Reader:
    def __init__(self, history: History) -> None:
        self.moves: list[Move] = []
        self.numbers = words.Numbering(history)
        self._commands: dict[int, str] = {}
        self._down: dict[str, int] = {}
        self._idle: dict[str, int] = {}
        self._idle_ms = 0
        self._unheard = {each.call for each in history if isinstance(each, e.Lost) and each.what == "reply"}

    def read(self, event: e.Event) -> None:
        match event:
            case e.Effect():
                self._effect(event)
            case e.Served():
                answer = self._answer(event.facts, (event.reply,))
                if event.facts or isinstance(event.reply, Failure):
                    self._say(Move(event.at_ms, TOLD, event.process, self._commands.get(event.call, ""), answer))
            case e.Lost():
                if self._down.get(event.process) != event.at_ms:  # else it went with the process
                    kind = LOST_REPLY if event.what == "reply" else LOST_REQUEST
                    self._say(Move(event.at_ms, kind, event.process, self._commands.get(event.call, "a command")))
            case e.Handling():
                entry = entries([self.numbers.named(event.stream, event.entry)])
                self._say(Move(event.at_ms, WORKS, event.process, f"begins to handle {entry}"))
            case e.Handled():
                entry = entries([self.numbers.named(event.stream, event.entry)])
                self._say(Move(event.at_ms, DONE, event.process, f"has handled {entry}"))
            case e.HandleFailed():
                entry = entries([self.numbers.named(event.stream, event.entry)])
                self._say(Move(event.at_ms, DONE, event.process, f"fails to handle {entry}"))
            case e.Sent():
                self._commands[event.call] = text(event.commands[-1][0]).upper()
            case (
                e.Unanswered() | e.Delayed() | e.Cancelled() | e.Paused() | e.Resumed() | e.Disconnected() | e.Slowed()
                | e.Partitioned() | e.LinkSlowed() | e.Mended() | e.HalfOpened()
            ):
                command = self._commands.get(getattr(event, "call", 0), "a command")
                line = links.sentence(event, command, lambda s, each: entries([self.numbers.named(s, each)]))
                self._say(Move(event.at_ms, NOTE, event.process, line))
            case e.Crashed():
                self._down[event.process] = event.at_ms
                how = "crashes" if event.why == "fault" else f"raises {event.message!r}"
                self._say(Move(event.at_ms, DOWN, event.process, how))
            case e.Started() if event.incarnation > 1:
                name = "" if event.consumer == event.process else f" as consumer {event.consumer}"
                self._say(Move(event.at_ms, UP, event.process, f"starts again{name}"))
            case e.Finished():
                self._say(Move(event.at_ms, NOTE, event.process, "has run all its turns"))
            case e.Projected():
                self._say(Move(event.at_ms, NOTE, event.process, f"publishes {event.name} = {event.value}"))
            case e.ClockJumped():
                line = f"the clock of {event.host} jumps by {words.jump(event.by_ms)}"
                self._say(Move(event.at_ms, NOTE, "", line))
            case e.ClockDrifts():
                self._say(Move(event.at_ms, NOTE, "", words.drift(event)))
            case e.ServerDown() | e.ReplicaCut():
                self._say(Move(event.at_ms, NOTE, "", " ".join(words.apart(event))))
            case e.ServerLost():
                self._say(Move(event.at_ms, NOTE, "", " ".join(words.fall(event))))
            case e.Healed():
                self._say(Move(event.at_ms, NOTE, "", "no more faults from here on"))
            case e.Ended():
                self.flush()
                self._say(Move(event.at_ms, NOTE, "", "the run is over"))
            case _:
                pass

    def flush(self, least: int = 1) -> None:
        """Says how many commands changed nothing since this was said last; a few are not worth a line yet."""
        total = sum(self._idle.values())
        if total < least:
            return
        line = f"{words.counted(total, 'command')} of {words.listed(self._idle)} changed nothing"
        since_ms = self.moves[-1].at_ms if self.moves else 0
        self.moves.append(Move(max(self._idle_ms, since_ms), NOTE, "", line))
        self._idle = {}

    def _effect(self, event: e.Effect) -> None:
        command = " + ".join(self._command(argv) for argv in event.commands)
        self._commands[event.call] = text(event.commands[-1][0]).upper()
        failed = any(isinstance(reply, Failure) for reply in event.replies)
        if not event.process:
            return
        if not failed and all(isinstance(fact, f.ConsumerCreated | f.LagReported) for fact in event.facts):
            self._idle[event.process] = self._idle.get(event.process, 0) + 1
            self._idle_ms = event.at_ms
            return
        answer = self._answer(event.facts, event.replies)
        heard = event.call not in self._unheard
        self._say(Move(event.at_ms, ASKS, event.process, short(command, COMMAND_LENGTH), answer, heard))

    def _command(self, argv: Sequence[bytes]) -> str:
        out = [text(argv[0]).upper()]
        for argument in argv[1:]:
            entry_id = ids.parse(argument, 0, strict=True) if b"-" in argument else None
            number = self.numbers.stated(argument) if entry_id else ""
            out.append(f"[{number}]" if number else short(text(argument), 16))
        return " ".join(out)

    def _answer(self, facts: Sequence[f.Fact], replies: Sequence[Reply]) -> str:
        told: dict[str, list[str]] = {}
        for fact in facts:
            kind = _VERBS.get(type(fact).__name__)
            if kind is not None and isinstance(
                fact, f.Added | f.Delivered | f.Reread | f.Claimed | f.Acked | f.Forgotten
            ):
                told.setdefault(kind, []).append(self.numbers.of(fact.stream, fact.born, fact.id))
            elif isinstance(fact, f.Deleted | f.Trimmed):
                verb = "deletes" if isinstance(fact, f.Deleted) else "trims"
                told.setdefault(verb, []).extend(self.numbers.of(fact.stream, fact.born, each) for each in fact.ids)
        parts = [f"{verb} {entries(numbers)}" for verb, numbers in told.items()]
        return ", ".join(parts) or ", ".join(_reply(reply) for reply in replies)

    def _say(self, move: Move) -> None:
        self.flush(IDLE_LEAST)
        self.moves.append(move)


_VERBS = {
    "Added": "adds", "Delivered": "gives", "Reread": "gives again", "Claimed": "hands over", "Acked": "settles",
    "Forgotten": "forgets",
}  # fmt: skip


def _reply(reply: Reply) -> str:
    """A reply in a word or two."""
    if isinstance(reply, Failure):
        return short(text(reply.text), COMMAND_LENGTH)
    if isinstance(reply, int):
        return str(reply)
    if isinstance(reply, bytes):
        return short(text(reply), 24)
    if isinstance(reply, Nil):
        return "nil"
    if reply is BLOCKED:
        return "waits"
    if isinstance(reply, tuple):
        return words.counted(len(reply), "item") if reply else "nothing"
    return "OK"


def at(move: Move) -> str:
    """When, as people read it."""
    return duration(move.at_ms)

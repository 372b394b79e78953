"""A run as a numbered story in words, short enough for an issue."""

from __future__ import annotations

from itertools import groupby
from textwrap import wrap
from typing import NamedTuple, TypeAlias

from ...models import facts as f
from ...models import ids
from ...models.replies import Failure
from .. import events as e
from ..history import History
from . import links, words
from .words import duration, entries, listed, text

WIDTH = 100
LINES_MAX = 80
"""A longer story tells only what the entries that went another way than the others have to do with."""


class Told(NamedTuple):
    """One line of the story. ``entry`` is the entry that it is about, empty where it concerns everything."""

    at_ms: int
    who: str
    line: str
    entry: str
    eventful: bool


def tell(history: History, lines_max: int = LINES_MAX) -> list[str]:
    """Who did what, what Redis answered, what was lost on the way: one line a moment that matters.

    Of more than ``lines_max`` lines those are left out that tell of entries to which nothing special
    happened, and the story says so in their place.
    """
    header = history.header
    teller = _Teller(history)
    for event in history:
        teller.hear(event)
    lines = [" · ".join(filter(None, (words.title(header), words.subtitle(header))))]
    lines += filter(None, [words.summary(header)])
    lines.append("")
    lines += _numbered(teller.told, lines_max) or ["Nothing happened."]
    for sentence in ["", *words.verdict(header)]:
        lines += wrap(teller.numbers.in_sentence(sentence), WIDTH, subsequent_indent="  ") or [""]
    if header.get("tape"):
        lines += ["", words.replay(header)]
    return lines


def linked(history: History) -> list[tuple[int, Told]]:
    """Every line of the story, with the number of the event that it begins with."""
    teller = _Teller(history)
    steps: list[int] = []
    for step, event in enumerate(history):
        teller.hear(event)
        steps += [step] * (len(teller.told) - len(steps))
    return list(zip(steps, teller.told, strict=True))


def _numbered(told: list[Told], lines_max: int) -> list[str]:
    eventful = {item.entry for item in told if item.eventful and item.entry}
    short = len(told) <= lines_max
    lines: list[str] = []
    number = 0
    for ordinary, group in groupby(told, key=lambda item: not (short or item.eventful or item.entry in eventful)):
        items = list(group)
        if ordinary:
            names = dict.fromkeys(item.entry for item in items)
            what = f"{words.counted(len(names), 'entry', 'entries')} without incident"
            lines.append(f"     {'':>10}  ({words.counted(len(items), 'line')} left out: {what})")
            continue
        for item in items:
            number += 1
            lines.append(f"{number:>3}. {duration(item.at_ms):>10}  {item.who} {item.line}")
    return lines


_OfOne: TypeAlias = (
    f.Added | f.Delivered | f.Reread | f.Claimed | f.Acked | f.Forgotten | f.Nacked | f.Reinstated
)
"""Facts about one entry."""


class _Teller:
    """Puts events into sentences; what changed nothing is not told."""

    def __init__(self, history: History) -> None:
        self.told: list[Told] = []
        self.numbers = words.Numbering(history)
        self._work: dict[str, list[str]] = {}
        self._down_since: dict[str, int] = {}
        self._commands: dict[int, str] = {}
        self._pending: dict[tuple[bytes, int, bytes, int], tuple[str, str]] = {}
        """Entries in groups: who took them, under which name."""

    def hear(self, event: e.Event) -> None:
        """Tells one event, if it is worth a line."""
        match event:
            case e.Effect() | e.Served():
                self._hear_command(event)
            case e.Started():
                self._down_since.pop(event.process, None)
                if event.incarnation > 1:
                    name = "" if event.consumer == event.process else f" as consumer {event.consumer}"
                    self._say(event.at_ms, event.process, f"starts again{name}", eventful=True)
            case e.Handling() | e.Handled():
                self._works(event)
            case e.HandleFailed():
                entry = self.numbers.named(event.stream, event.entry)
                if entry in self._work.get(event.process, []):
                    self._work[event.process].remove(entry)
                line = f"fails to handle {entries([entry])}"
                self._continue(event.at_ms, event.process, line, entry, eventful=True)
            case e.Sent():
                self._commands[event.call] = "+".join(text(argv[0]).upper() for argv in event.commands)
            case (
                e.Unanswered() | e.Delayed() | e.Cancelled() | e.Paused() | e.Resumed() | e.Disconnected() | e.Slowed()
                | e.Partitioned() | e.LinkSlowed() | e.Mended() | e.HalfOpened()
            ):
                self._say(event.at_ms, event.process, self._befalls(event), eventful=True)
            case e.Crashed():
                self._crashed(event)
            case e.Lost():
                # A crash takes what was on its way with it; that is no loss of its own.
                if self._down_since.get(event.process) != event.at_ms:
                    command = self._commands.get(event.call, "command")
                    self._say(event.at_ms, event.process, f"loses the {event.what} of its {command}", eventful=True)
            case e.Projected():
                entry = self.numbers.stated(event.upto)
                upto = f", up to entry {entry or text(event.upto)}"
                self._continue(event.at_ms, event.process, f"publishes {event.name} = {event.value}{upto}", entry)
            case e.ClockJumped():
                jump = f"of {event.host} jumps by {words.jump(event.by_ms)}"
                self._say(event.at_ms, "the clock", jump, eventful=True)
            case e.ClockDrifts():
                self._say(event.at_ms, "the clock", words.drift(event).removeprefix("the clock "), eventful=True)
            case e.ServerDown() | e.ReplicaCut():
                self._say(event.at_ms, *words.apart(event), eventful=True)
            case e.ServerLost():
                self._say(event.at_ms, *words.fall(event), eventful=True)
                for fact in event.facts:
                    self._keep("", fact)
                    self._hear_fact(event.at_ms, f"the {event.cause}", fact)
            case e.Healed():
                self._say(event.at_ms, "from here on", "there are no more faults", eventful=True)
            case _:
                pass

    def _befalls(self, event: links.Befalling) -> str:
        command = self._commands.get(getattr(event, "call", 0), "command")
        return links.sentence(event, command, lambda stream, entry: entries([self.numbers.named(stream, entry)]))

    def _works(self, event: e.Handling | e.Handled) -> None:
        entry = self.numbers.named(event.stream, event.entry)
        work = self._work.setdefault(event.process, [])
        if isinstance(event, e.Handling):
            verb = "begins to handle"
            work.append(entry)
        else:
            verb = "has handled"
            if entry in work:
                work.remove(entry)
        others = [who for who, at_work in self._work.items() if entry in at_work and who != event.process]
        still = f" (while {listed(others)} handles it too)" if others else ""
        line = f"{verb} {entries([entry])}{still}"
        self._continue(event.at_ms, event.process, line, entry, eventful=bool(others))

    def _crashed(self, event: e.Crashed) -> None:
        self._down_since[event.process] = event.at_ms
        work = self._work.pop(event.process, [])
        over = f" while it handles {entries(work)}" if work else ""
        how = "crashes" if event.why == "fault" else f"raises {event.message!r} and is gone"
        held: dict[str, list[str]] = {}
        for (stream, born, _, entry_id), (process, consumer) in self._pending.items():
            if process == event.process:
                held.setdefault(consumer, []).append(self.numbers.of(stream, born, entry_id))
        left = "".join(
            f"; {entries(numbers)} {'stays' if len(numbers) == 1 else 'stay'} pending for {consumer}"
            for consumer, numbers in held.items()
        )
        about = next((number for numbers in held.values() for number in numbers), "".join(work[:1]))
        self._say(event.at_ms, event.process, how + over + left, about, eventful=True)

    def _hear_command(self, event: e.Effect | e.Served) -> None:
        who = event.process or "the setup"
        if isinstance(event, e.Effect):
            self._commands[event.call] = "+".join(text(argv[0]).upper() for argv in event.commands)
        for fact in event.facts:
            self._keep(event.process, fact)
            self._hear_fact(event.at_ms, who, fact)
        command = self._commands.get(event.call, "command")
        replies = event.replies if isinstance(event, e.Effect) else (event.reply,)
        for reply in replies:
            if isinstance(reply, Failure):
                self._say(event.at_ms, who, f"sends {command}; Redis refuses: {text(reply.text)}", eventful=True)
        if isinstance(event, e.Effect) and command == "XACK" and replies == (0,):
            named = [self.numbers.named(event.commands[0][1], entry) for entry in event.commands[0][3:]]
            line = f"acknowledges {entries(named)}, but Redis answers 0: not pending any more"
            self._continue(event.at_ms, who, line, "".join(named[:1]), eventful=True)

    def _keep(self, process: str, fact: f.Fact) -> None:
        """Remembers who has what pending."""
        match fact:
            case f.Delivered() | f.Claimed() | f.Reread():
                if not (isinstance(fact, f.Delivered) and fact.noack):
                    key = (fact.stream, fact.born, fact.group, fact.id)
                    self._pending[key] = (process, text(fact.consumer))
            case f.Reinstated():
                self._pending[fact.stream, fact.born, fact.group, fact.id] = ("", text(fact.consumer))
            case f.Acked() | f.Forgotten():
                self._pending.pop((fact.stream, fact.born, fact.group, fact.id), None)
            case f.ConsumerRemoved() | f.GroupRemoved():
                for entry_id in fact.pending:
                    self._pending.pop((fact.stream, fact.born, fact.group, entry_id), None)
            case _:
                pass

    def _hear_fact(self, at_ms: int, who: str, fact: f.Fact) -> None:
        match fact:
            case f.Added():
                fields = words.short(words.fields_of(fact.fields), 40)
                self._say(at_ms, who, f"adds {self._of(fact)} to {text(fact.stream)} ({fields})", self._number(fact))
            case f.Delivered():
                name = _as(who, fact.consumer)
                again = f", which was {text(fact.owner_before)}'s" if fact.owner_before else ""
                noack = ", with NOACK" if fact.noack else ""
                line = f"is given {self._of(fact)}{name}{again}{noack}"
                self._say(at_ms, who, line, self._number(fact), eventful=bool(again))
            case f.Reread():
                line = f"reads {self._of(fact)} again from the history of {text(fact.consumer)}"
                self._say(at_ms, who, f"{line} (delivery {fact.count})", self._number(fact), eventful=True)
            case f.Claimed():
                self._say(at_ms, who, self._claim(who, fact), self._number(fact), eventful=True)
            case f.Acked():
                owner = "" if fact.owner is None else _as(who, fact.owner).replace(" as ", ", pending for ")
                self._continue(at_ms, who, f"acknowledges {self._of(fact)}{owner}", self._number(fact))
            case f.Forgotten():
                self._say(at_ms, who, self._forgotten(fact), self._number(fact), eventful=True)
            case f.Reinstated():
                line = f"makes {self._of(fact)} pending for {text(fact.consumer)} again (delivery {fact.count})"
                self._say(at_ms, who, line, self._number(fact), eventful=True)
            case f.Nacked():
                line = f"gives {self._of(fact)} back to the group ({fact.mode}, delivery {fact.count})"
                self._say(at_ms, who, line, self._number(fact), eventful=True)
            case _:
                self._hear_loss(at_ms, who, fact)

    def _hear_loss(self, at_ms: int, who: str, fact: f.Fact) -> None:
        """What takes away more than one entry at once."""
        match fact:
            case f.Trimmed() | f.Deleted():
                how = "trims" if isinstance(fact, f.Trimmed) else "deletes"
                how = "loses" if fact.cause in f.SERVER_LOST else how
                line = f"{how} {self._many(fact.stream, fact.born, fact.ids)} of {text(fact.stream)}"
            case f.Restored():
                line = f"brings back {self._many(fact.stream, fact.born, fact.ids)} of {text(fact.stream)}"
            case f.ConsumerRemoved() if fact.pending:
                gone = self._many(fact.stream, fact.born, fact.pending)
                line = f"removes consumer {text(fact.consumer)}, and its pending {gone} with it"
            case f.GroupRemoved():
                line = f"removes group {text(fact.group)} by {fact.cause}"
                if fact.pending:
                    line += f", and its pending {self._many(fact.stream, fact.born, fact.pending)}"
            case f.StreamRemoved():
                line = f"removes stream {text(fact.stream)} by {fact.cause}"
            case f.CursorMoved() if fact.cause != "read":
                before, after = ids.show(fact.before).decode(), ids.show(fact.cursor).decode()
                line = f"moves the cursor of group {text(fact.group)} by {fact.cause}, from {before} to {after}"
            case _:
                return
        self._say(at_ms, who, line, eventful=True)

    def _claim(self, who: str, fact: f.Claimed) -> str:
        least = f" of at least {duration(fact.min_idle_ms)}" if fact.min_idle_ms else ""
        idle = "" if fact.idle_ms is None else f", idle {duration(fact.idle_ms)}{least}"
        if fact.owner_before == fact.consumer:
            return f"renews its claim on {self._of(fact)}{idle}"
        before = f" from {text(fact.owner_before)}" if fact.owner_before else ""
        return f"claims {self._of(fact)}{before}{_as(who, fact.consumer)}{idle} (delivery {fact.count})"

    def _forgotten(self, fact: f.Forgotten) -> str:
        owner = "" if fact.owner is None else f" of {text(fact.owner)}"
        if fact.cause in ("XCLAIM", "XAUTOCLAIM"):
            return f"finds {self._of(fact)}{owner} gone from the stream: {fact.cause} forgets it"
        return f"takes {self._of(fact)}{owner} off the pending list with {fact.cause}"

    def _number(self, fact: _OfOne) -> str:
        return self.numbers.of(fact.stream, fact.born, fact.id)

    def _of(self, fact: _OfOne) -> str:
        return entries([self._number(fact)])

    def _many(self, stream: bytes, born: int, which: tuple[int, ...]) -> str:
        return entries([self.numbers.of(stream, born, entry_id) for entry_id in which])

    def _continue(self, at_ms: int, who: str, line: str, entry: str, *, eventful: bool = False) -> None:
        """Joins what a process does to what it did at the same moment with the same entry."""
        last = self.told[-1] if self.told else None
        if last is None or (last.at_ms, last.who, last.entry) != (at_ms, who, entry):
            self._say(at_ms, who, line, entry, eventful=eventful)
            return
        link = ", then" if " and " in last.line else " and"
        joined = f"{last.line}{link} {line.replace(entries([entry]), 'it')}"
        self.told[-1] = last._replace(line=joined, eventful=last.eventful or eventful)

    def _say(self, at_ms: int, who: str, line: str, entry: str = "", *, eventful: bool = False) -> None:
        self.told.append(Told(at_ms, who, line, entry, eventful))


def _as(who: str, consumer: bytes) -> str:
    """The consumer's name, where it is not the process's own."""
    return "" if text(consumer) == who else f" as {text(consumer)}"

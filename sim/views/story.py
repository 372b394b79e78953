"""A run as a numbered story in words, short enough for an issue."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from ...models import facts as f
from ...models import ids
from ...models.replies import Failure
from .. import events as e
from ..history import History
from . import words
from .words import duration, entries, listed, text

LINES_MAX = 80
"""A longer story tells only what the entries that went another way than the others have to do with."""


class Told(NamedTuple):
    """One line of the story. ``entry`` is the entry that it is about, empty where it concerns everything."""

    at_ms: int
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
    lines += ["", *(teller.numbers.in_sentence(line) for line in words.verdict(header))]
    if header.get("tape"):
        lines += ["", words.replay(header)]
    return lines


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
            lines.append(f"{number:>3}. {duration(item.at_ms):>10}  {item.line}")
    return lines


class _Teller:
    """Puts events into sentences; what changed nothing is not told."""

    def __init__(self, history: History) -> None:
        self.told: list[Told] = []
        self.numbers = words.Numbering(history)
        self._work: dict[str, list[str]] = {}
        self._down_since: dict[str, int] = {}
        self._commands: dict[int, str] = {}

    def hear(self, event: e.Event) -> None:
        """Tells one event, if it is worth a line."""
        match event:
            case e.Effect() | e.Served():
                self._hear_command(event)
            case e.Started():
                self._down_since.pop(event.process, None)
                if event.incarnation > 1:
                    name = "" if event.consumer == event.process else f" as consumer {event.consumer}"
                    self._say(event.at_ms, f"{event.process} starts again{name}", eventful=True)
            case e.Handling():
                entry = self.numbers.named(event.stream, event.entry)
                self._work.setdefault(event.process, []).append(entry)
                self._continue(event.at_ms, f"{event.process} begins to handle {entries([entry])}", entry)
            case e.Handled():
                self._handled(event)
            case e.Crashed():
                self._crashed(event)
            case e.Lost():
                # A crash takes what was on its way with it; that is no loss of its own.
                if self._down_since.get(event.process) != event.at_ms:
                    what = f"the {event.what} of {event.process}'s {self._commands.get(event.call, 'command')} is lost"
                    self._say(event.at_ms, what, eventful=True)
            case e.Projected():
                entry = self.numbers.stated(event.upto)
                upto = f", up to entry {entry or text(event.upto)}"
                self._say(event.at_ms, f"{event.process} publishes {event.name} = {event.value}{upto}", entry)
            case e.ClockJumped():
                jump = f"the clock of {event.host} jumps by {words.jump(event.by_ms)}"
                self._say(event.at_ms, jump, eventful=True)
            case e.Healed():
                self._say(event.at_ms, "from here on there are no more faults", eventful=True)
            case _:
                pass

    def _handled(self, event: e.Handled) -> None:
        entry = self.numbers.named(event.stream, event.entry)
        work = self._work.get(event.process, [])
        if entry in work:
            work.remove(entry)
        others = [who for who, at_work in self._work.items() if entry in at_work]
        still = f", while {listed(others)} is still at it" if others else ""
        line = f"{event.process} has handled {entries([entry])}{still}"
        self._say(event.at_ms, line, entry, eventful=bool(others))

    def _crashed(self, event: e.Crashed) -> None:
        self._down_since[event.process] = event.at_ms
        work = self._work.pop(event.process, [])
        over = f" while it handles {entries(work)}" if work else ""
        how = "crashes" if event.why == "fault" else f"raises {event.message!r} and is gone"
        self._say(event.at_ms, f"{event.process} {how}{over}", work[0] if work else "", eventful=True)

    def _hear_command(self, event: e.Effect | e.Served) -> None:
        who = event.process or "the setup"
        if isinstance(event, e.Effect):
            self._commands[event.call] = "+".join(text(argv[0]).upper() for argv in event.commands)
        for fact in event.facts:
            self._hear_fact(event.at_ms, who, fact)
        command = self._commands.get(event.call, "command")
        replies = event.replies if isinstance(event, e.Effect) else (event.reply,)
        for reply in replies:
            if isinstance(reply, Failure):
                self._say(event.at_ms, f"Redis refuses {who}'s {command}: {text(reply.text)}", eventful=True)
        if isinstance(event, e.Effect) and command == "XACK" and replies == (0,):
            named = [self.numbers.named(event.commands[0][1], entry) for entry in event.commands[0][3:]]
            line = f"{who} acknowledges {entries(named)}; Redis answers 0: not pending any more"
            self._say(event.at_ms, line, named[0] if named else "", eventful=True)

    def _hear_fact(self, at_ms: int, who: str, fact: f.Fact) -> None:
        match fact:
            case f.Added():
                fields = words.short(words.fields_of(fact.fields), 40)
                self._say(at_ms, f"{who} adds {self._of(fact)} to {text(fact.stream)} ({fields})", self._number(fact))
            case f.Delivered():
                again = f", taking it from {text(fact.owner_before)}" if fact.owner_before else ""
                noack = ", with NOACK" if fact.noack else ""
                line = f"Redis delivers {self._of(fact)} to {text(fact.consumer)}{again}{noack}"
                self._say(at_ms, line, self._number(fact), eventful=bool(again))
            case f.Reread():
                line = f"{text(fact.consumer)} reads {self._of(fact)} again from its own history"
                self._say(at_ms, f"{line} (delivery {fact.count})", self._number(fact), eventful=True)
            case f.Claimed():
                self._say(at_ms, self._claim(fact), self._number(fact), eventful=True)
            case f.Acked():
                owner = text(fact.owner)
                whose = "" if owner == who or owner.startswith(f"{who}-") else f", which {owner} owned"
                self._continue(at_ms, f"{who} acknowledges {self._of(fact)}{whose}", self._number(fact))
            case f.Forgotten():
                line = f"{self._of(fact)} of {text(fact.owner)} is gone from the stream; {fact.cause} forgets it"
                self._say(at_ms, line, self._number(fact), eventful=True)
            case _:
                self._hear_loss(at_ms, who, fact)

    def _hear_loss(self, at_ms: int, who: str, fact: f.Fact) -> None:
        """What takes away more than one entry at once."""
        match fact:
            case f.Trimmed() | f.Deleted():
                how = "trims" if isinstance(fact, f.Trimmed) else "deletes"
                line = f"{who} {how} {self._many(fact.stream, fact.born, fact.ids)} of {text(fact.stream)}"
            case f.ConsumerRemoved() if fact.pending:
                gone = self._many(fact.stream, fact.born, fact.pending)
                line = f"{who} removes consumer {text(fact.consumer)}, and its pending {gone} with it"
            case f.GroupRemoved():
                line = f"{fact.cause} removes group {text(fact.group)}"
                if fact.pending:
                    line += f", and its pending {self._many(fact.stream, fact.born, fact.pending)}"
            case f.StreamRemoved():
                line = f"{fact.cause} removes stream {text(fact.stream)}"
            case f.CursorMoved() if fact.cause != "read":
                before, after = ids.show(fact.before).decode(), ids.show(fact.cursor).decode()
                line = f"{fact.cause} moves the cursor of group {text(fact.group)} from {before} to {after}"
            case _:
                return
        self._say(at_ms, line, eventful=True)

    def _claim(self, fact: f.Claimed) -> str:
        idle = "" if fact.idle_ms is None else f" after {duration(fact.idle_ms)} of idleness"
        if fact.owner_before == fact.consumer:
            return f"{text(fact.consumer)} renews its claim on {self._of(fact)}{idle}"
        before = f" from {text(fact.owner_before)}" if fact.owner_before else ""
        least = f", min-idle {duration(fact.min_idle_ms)}" if fact.min_idle_ms else ""
        return f"{text(fact.consumer)} claims {self._of(fact)}{before}{idle} (delivery {fact.count}{least})"

    def _number(self, fact: f.Added | f.Delivered | f.Reread | f.Claimed | f.Acked | f.Forgotten) -> str:
        return self.numbers.of(fact.stream, fact.born, fact.id)

    def _of(self, fact: f.Added | f.Delivered | f.Reread | f.Claimed | f.Acked | f.Forgotten) -> str:
        return entries([self._number(fact)])

    def _many(self, stream: bytes, born: int, which: tuple[int, ...]) -> str:
        return entries([self.numbers.of(stream, born, entry_id) for entry_id in which])

    def _continue(self, at_ms: int, line: str, entry: str) -> None:
        """Joins a line to the one before, where that is of the same moment and entry."""
        last = self.told[-1] if self.told else None
        if last is None or (last.at_ms, last.entry) != (at_ms, entry):
            self._say(at_ms, line, entry)
            return
        who, _, rest = line.partition(" ")
        rest = rest.replace(entries([entry]), "it")
        again = last.line.startswith(f"{who} ")
        self.told[-1] = last._replace(line=f"{last.line} and {rest}" if again else f"{last.line}; {who} {rest}")

    def _say(self, at_ms: int, line: str, entry: str = "", *, eventful: bool = False) -> None:
        self.told.append(Told(at_ms, line, entry, eventful))
